"""What is known before a strike: each strike day by lead time, beside the same lead time of an earlier action."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from conftest import Once, drawn, judge
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.publishing.releases import build, find
from strike_reporting.reference.actions import resolve
from strike_reporting.storage import Store
from test_pages import Asker, Page, agree

pytestmark = pytest.mark.usefixtures("few_trusts")
NOW, EARLIER = "RD-2025-11-14", "RD-2025-07-25"
SENT = {
    # received (UTC), action, file: anticipated outpatient appointments of RHU on the first two strike days
    "2025-07-15T09:00:00.000001+00:00": (EARLIER, {"2025-07-25": 30, "2025-07-26": 3}),
    "2025-07-21T09:00:00.000001+00:00": (EARLIER, {"2025-07-25": 200, "2025-07-26": 20}),
    "2025-11-04T09:00:00.000001+00:00": (NOW, {"2025-11-14": 45, "2025-11-15": 4}),
    "2025-11-10T09:00:00.000001+00:00": (NOW, {"2025-11-14": 260, "2025-11-15": 31}),
}


@pytest.fixture
def forecast(store: Store, tmp_path: Path, once: Once) -> Store:
    def bring() -> None:
        with pytest.MonkeyPatch.context() as patch:
            for number, received in enumerate(SENT):
                patch.setattr("strike_reporting.intake.landing._now", lambda received=received: received)
                _sent(store, tmp_path / f"drop{number}", *SENT[received])
        drawn(store, date(2025, 11, 11))

    once(bring)
    return store


def _sent(store: Store, folder: Path, action_id: str, days: dict[str, int]) -> None:
    folder.mkdir()
    rows = "".join(f"RHU,{d},outpatient_first,anticipated,{n}\n" for d, n in days.items())
    head = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
    (folder / "RHU.csv").write_text(head + rows)
    due = f"RHU,{min(days)},medical_and_dental,0,120\n"
    (folder / "RHU_staffing.csv").write_text("ods_code,shift_date,staff_group,absent_action,due_to_work\n" + due)
    collect_drop(store, folder, action_id)
    judge(store)
    build(store, resolve(action_id))


def cells(page: str, table: str) -> list[list[str]]:
    import re

    body = page.partition(f'<table id="{table}"')[2].partition("<tbody>")[2].partition("</tbody>")[0]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in body.split("</tr>") if "<t" in row]
    return [[re.sub(r"<[^>]+>", "", c) for c in row] for row in rows]


def test_each_day_at_the_same_lead_time(forecast: Store) -> None:
    page = forecast.read("site/before.html").decode()
    rows = {(r[0], r[1]): r[2:] for r in cells(page, "leads")}
    assert rows[("10 days before", "all days")] == ["49", "33"]
    assert rows[("10 days before", "day 1")] == ["45", "30"]
    assert rows[("4 days before", "day 1")] == ["260", "200"]
    assert rows[("4 days before", "day 2")] == ["31", "20"]
    assert rows[("4 days before", "day 3")] == ["[x]", "[x]"], "not sent is not nought"
    assert page.index("14 to 18 November 2025</th>") < page.index("25 to 29 July 2025</th>"), "what is to come is first"


def test_what_is_to_come_by_day_with_its_staffing(forecast: Store) -> None:
    page = forecast.read("site/before.html").decode()
    first = cells(page, "days-ENG")[0]
    assert first[0] == "Fri 14 Nov 2025"
    assert "260" in first and "120" in first
    answers = Asker(forecast, find(forecast, NOW)).ask(*{q for q, _ in Page(page).found if q})
    assert len(answers) > 20
    assert [(q, t) for q, t in Page(page).found if not agree(t, answers[q] if q else None)] == []


def test_after_the_strike_it_is_no_longer_to_come(forecast: Store, drop: Callable[..., Path]) -> None:
    drawn(forecast, date(2025, 11, 20))
    page = forecast.read("site/before.html").decode()
    assert "14 to 18 November 2025</a></h3>" not in page
