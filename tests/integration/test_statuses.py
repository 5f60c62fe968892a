"""Return statuses: each said once, none published that is not known, and an unknown one stops no page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import judge
from strike_reporting.catalogue.statuses import STATUSES
from strike_reporting.catalogue.tables import RETURNS
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.publishing import staging
from strike_reporting.publishing.releases import build
from strike_reporting.publishing.selection import Return, select
from strike_reporting.reference.actions import resolve
from strike_reporting.site.board import board
from strike_reporting.site.evidence import Evidence
from strike_reporting.site.figures import Figures
from strike_reporting.site.terms import TERMS
from strike_reporting.storage import Store

pytestmark = pytest.mark.usefixtures("few_trusts")
JD, DAY = "JD-2023-04-11", date(2023, 4, 11)
SENT = "ods_code,activity_date,point_of_delivery,status,cancelled_count\nRHU,2023-04-11,day_case,cancelled,4\n"


def one(status: str) -> Return:
    return Return("RHU", "Portsmouth", "staffing", DAY, status, None, None, "", 0, 0, None)


def test_each_status_is_in_glossary_and_dictionary() -> None:
    names = {t.name: t.definition for t in TERMS.values()}
    assert {s.label: s.definition for s in STATUSES}.items() <= names.items()
    said = next(c.definition for c in RETURNS.columns if c.name == "return_status")
    assert said == "received, nil_return, late, missing, rejected, not_expected."
    assert [s.key for s in STATUSES if s.is_returned] == ["received", "nil_return", "late"]


@pytest.mark.integration
def test_a_status_that_is_not_known_is_not_published(
    store: Store, drop: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def odd(*args: Any) -> list[Return]:
        return [replace(r, return_status="lost") if r.return_status == "missing" else r for r in select(*args)]

    collect_drop(store, drop(a__csv=SENT), JD)
    judge(store)
    with monkeypatch.context() as patch:
        patch.setattr(staging, "select", odd)
        with pytest.raises(staging.CheckFailed, match="R0A cancellations 2023-04-11: 'lost' is no return status"):
            build(store, resolve(JD))
    assert build(store, resolve(JD))[0].number == 1


def test_pages_show_a_status_of_another_version_as_it_is_written() -> None:
    returns = [one("received"), replace(one("half_received"), ods_code="RHM"), replace(one("late"), ods_code="RN5")]
    evidence = Evidence(Figures({"returns": [{**r.__dict__, "submission_ids": None} for r in returns]}), [DAY])
    table = evidence.statuses()
    assert [h.text for h in table.columns][1:] == [
        "Received",
        "Nil return",
        "Late",
        "Missing",
        "Rejected",
        "Half received",
    ]
    assert [c.value for c in table.rows[0].cells] == [1, 0, 1, 0, 0, 1]
    assert evidence.returns("RHM").rows[0].cells[0] == "half received"
    html = board(resolve(JD), [resolve(JD)], returns, {}, set(), False, datetime(2023, 4, 12, tzinfo=UTC).isoformat())
    assert "Half received: <strong>1</strong>" in html
