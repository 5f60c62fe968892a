"""Strikes that were not held, or not as announced: what they still cost stands side by side, and nothing is netted."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
import small_england as england
import time_machine
from conftest import drawn, judge
from drafted import JD, at, config
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.operations import cutting, rounds
from strike_reporting.operations.calendar_edits import edit
from strike_reporting.operations.holding import approve, held
from strike_reporting.publishing.releases import current, find, read_table
from strike_reporting.reference.actions import resolve, true_on
from strike_reporting.reference.facts import read_csv
from strike_reporting.site import strike
from strike_reporting.storage import Store

__all__ = ["config"]  # a fixture
pytestmark = pytest.mark.integration
TRUSTS = sorted(england.TRUSTS - {"RHU"})  # one never returns
DAYS = [date(2023, 4, d) for d in (11, 12, 13, 14)]


def rows_of(page: str, table: str) -> list[list[str]]:
    """The cells of a table on a page, as text."""
    body = page.split(f'<table id="{table}"')[1].split("<tbody>")[1].split("</tbody>")[0]
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in body.split("<tr")[1:]]
    return [[html.unescape(re.sub(r"<[^>]+>", "", c)).strip() for c in row] for row in cells]


def test_december_2015_is_of_nine_trusts_and_not_of_england(examples: Store) -> None:
    """Real figures, published by or about nine trusts; the strike was suspended on the evening before."""
    action = "JD-2015-12-01"
    drawn(examples)
    release = find(examples, action)
    totals = {r["area_type"]: r for r in read_table(examples, release, "action_totals").to_pylist()}
    england_row = totals["england"]
    assert (england_row["inpatient_anticipated"], england_row["outpatient_anticipated"]) == (377, 2115)
    assert england_row["inpatient_cancelled"] is england_row["inpatient_reinstated"] is None, "missing, not zero"
    returns = read_table(examples, release, "returns").to_pylist()
    assert {r["return_status"] for r in returns if r["extract"] == "staffing"} <= {"not_expected"}
    assert len({r["ods_code"] for r in returns if r["return_status"] == "received"}) == 9
    page = examples.read(f"site/{action}/{release.number:04d}/report.html").decode()
    assert "JD-2015-12-01 was suspended on 30 November 2015; no day was struck." in page
    assert [(label, number, whom) for label, number, whom in rows_of(page, "not-held") if number != "[x]"] == [
        ("Inpatient and day case, anticipated", "377", "reported so far by 9 of 145 trusts"),
        ("Outpatient, anticipated", "2,115", "reported so far by 6 of 145 trusts"),
    ]
    assert "nobody here was asked for it" in page, "of staffing"
    assert rows_of(page, "each-day") == [["Tue 1 Dec 2015", action, "Suspended", "Emergency care only"]]


@pytest.fixture
def send(store: Store, tmp_path: Path) -> Callable[..., None]:
    """Every trust that returns sends so many outpatients of a status for every strike day, at a moment."""
    sent: list[int] = []

    def make(local: str, status: str, number: int) -> list[str]:
        with time_machine.travel(at(local), tick=False):
            folder = tmp_path / f"sent-{len(sent)}"
            sent.append(number)
            folder.mkdir()
            for code in TRUSTS:
                lines = [f"{code},{d},outpatient_first,{status},{number + len(code)}" for d in DAYS]
                head = "ods_code,activity_date,point_of_delivery,status,cancelled_count"
                (folder / f"{code}_{len(sent)}.csv").write_text("\n".join([head, *lines]))
            collect_drop(store, folder, JD)
            judge(store)
        return later(store, local)

    return make  # type: ignore[return-value]


def later(store: Store, local: str) -> list[str]:
    """What is published and cut at a moment."""
    with time_machine.travel(at(local), tick=False):
        for group in rounds.publish_plan():
            assert rounds.publish_group(group)["problems"] == []
        return list(cutting.cut_announced(store, datetime.now(UTC))["releases"])


@pytest.fixture
def announced(config: None, tmp_path: Path) -> None:
    """The strike as it was before it took place."""
    packaged = next(r for r in read_csv("strike_calendar") if r["action_id"] == JD)
    row = {**packaged, "status": "announced", "told_on": "", "known_from": ""}
    path = tmp_path / "config" / "reference" / "strike_calendar.csv"
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row)
    england.forget()


def approved(store: Store, local: str) -> None:
    """An analyst lets out what the gate holds."""
    [hold] = held(store)
    assert [c.key for c in hold.checks if not c.passed][:1] == ["flagged"]
    approve(store, JD, "each trust was asked", "A. Nalyst", at(local).astimezone(UTC))


def told(local: str, **said: str) -> None:
    """The calendar is changed by what was told at a moment."""
    with time_machine.travel(at(local), tick=False):
        edit(JD, said, "https://bma.example/news", f"{at(local):%Y-%m-%d}", datetime.now(UTC))


def england_of(store: Store) -> tuple[int | None, ...]:
    [now] = current(store)
    found = {r["area_type"]: r for r in read_table(store, now, "action_totals").to_pylist()}["england"]
    return tuple(found[f"outpatient_{m}"] for m in ("anticipated", "reinstated", "cancelled"))


def test_a_national_strike_suspended_fourteen_hours_before_it_begins(
    store: Store, announced: None, send: Callable[..., list[str]]
) -> None:
    """Simulated: what was cancelled in advance stays, half is put back over five days, the rest stays cancelled."""
    whole = 100
    assert later(store, "05 09:45") == []
    send("05 10:00", "anticipated", whole)
    assert later(store, "06 09:30") == [f"{JD}.r1"]
    assert later(store, "10 09:30") == []
    start = resolve(JD).actions[0].start
    assert (start.date(), start.time()) == (DAYS[0], time(7))
    told("10 17:00", status="suspended")
    assert later(store, "10 17:10") == []
    assert later(store, "11 09:30") == [f"{JD}.r2"], "that it is suspended is told although no figure changed"
    assert find(store, f"{JD}.r2").status == "suspended"
    of_trusts = len(TRUSTS) * len(DAYS)
    seen = []
    for day in range(1, 6):
        send(f"{10 + day} 12:00", "reinstated", whole * day // 10)
        assert later(store, f"{11 + day} 09:30") == [], "anticipated and reinstated are of two files: the gate asks"
        approved(store, f"{11 + day} 09:40")
        seen.append(england_of(store))
    send("17 12:00", "cancelled", whole // 2)
    later(store, "18 09:30")
    approved(store, "18 09:40")
    anticipated = of_trusts * (whole + 3)
    assert seen == [(anticipated, of_trusts * (10 * day + 3), None) for day in range(1, 6)]
    assert england_of(store) == (anticipated, of_trusts * 53, of_trusts * 53), "none is subtracted from another"
    [now] = current(store)
    returns = read_table(store, now, "returns").to_pylist()
    assert {r["return_status"] for r in returns if r["extract"] == "staffing"} <= {"not_expected"}
    missing = [r for r in returns if r["return_status"] == "missing"]
    assert {(r["ods_code"], r["extract"]) for r in missing} == {(c, "cancellations") for c in ("R1C", "RHU")}
    assert len(missing) == 2 * len(DAYS)
    drawn(store, date(2023, 4, 18))
    page = store.read(f"site/{JD}/{now.number:04d}/report.html").decode()
    assert f"{JD} was suspended on 10 April 2023; no day was struck." in page
    numbers = {label: number.replace(",", "") for label, number, _ in rows_of(page, "not-held")}
    assert numbers["Outpatient, anticipated"] == str(anticipated)
    assert numbers["Outpatient, reinstated"] == numbers["Outpatient cancelled"] == str(of_trusts * 53)
    assert numbers["Inpatient and day case, reinstated"] == "[x]"


def test_each_day_is_told_as_it_was_on_that_day(announced: None) -> None:
    """Escalated on the second day, its last day suspended, and a mistake of the record put right afterwards."""
    told("01 10:00", cover_level="emergency_care_only")
    told("12 06:00", cover_level="full_walkout")
    told("13 20:00", status="suspended")
    assert [true_on(JD, d).cover_level for d in DAYS] == ["emergency_care_only", *["full_walkout"] * 3]
    table = strike.each_day(resolve(JD))
    assert [[str(r.cells[1]), str(r.cells[2])] for r in table.rows] == [
        ["From 07:00", "Emergency care only"],
        ["All day", "Full walkout"],
        ["All day", "Full walkout"],
        ["Suspended", "Full walkout"],
    ]
    assert strike.off(resolve(JD)) == f"{JD} was suspended on 13 April 2023; struck were 11 to 13 April 2023"
    told("30 10:00", cover_level="emergency_care_only")
    assert {true_on(JD, d).cover_level for d in DAYS} == {"emergency_care_only"}, (
        "told after its last day: a correction"
    )
