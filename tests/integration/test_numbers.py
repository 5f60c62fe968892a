"""Returns that would make a published figure wrong or misleading if they were taken at their word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import drawn, judge
from strike_reporting import read
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.judging.filing import accepted_key
from strike_reporting.ledger.records import Outcome
from strike_reporting.operations.rounds import publish_group, publish_plan
from strike_reporting.publishing.releases import build, find
from strike_reporting.reference.actions import resolve
from strike_reporting.site.words import percent
from strike_reporting.storage import Store
from strike_reporting.storage.parquet import read_parquet

JD = "JD-2023-04-11"
CANCELLED = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
PLANNED = "ods_code,activity_date,point_of_delivery,planned_count\n"
STAFF = "ods_code,shift_date,staff_group,grade,absent_action\n"
Drop = Callable[..., Path]


def publish(store: Store, folder: Path) -> list[Outcome]:
    collect_drop(store, folder, JD)
    done = judge(store)
    build(store, resolve(JD))
    return done


def problems(store: Store, outcome: Outcome) -> list[dict]:
    key = f"quarantine/{outcome.submission_id}/problems.parquet"
    return read_parquet(store.read(key)).to_pylist() if store.exists(key) else []


@pytest.mark.parametrize(
    "outturn",
    [
        "ods_code,activity_date,point_of_delivery,activity_unit,status,cancelled_count\n"
        "RHM,2023-04-11,outpatient_first,clinic_session,cancelled,50\n",
        CANCELLED + "RHM,2023-04-11,mental_health,cancelled,7\n",
        CANCELLED + "RHM,2023-04-11,day_case,cancelled,9\n",
        CANCELLED + "RHM,2023-04-11,outpatient_first,cancelled,9\nRHM,2023-04-11,outpatient_follow_up,cancelled,<500\n",
        CANCELLED + "RHM,2023-04-11,outpatient_first,anticipated,9\n",
    ],
    ids=["sessions", "mental health", "another setting", "a row left out", "anticipated"],
)
def test_no_share_of_a_plan_without_its_own_outturn(outturn: str, store: Store, drop: Drop) -> None:
    publish(store, drop(a__csv=outturn, p__csv=PLANNED + "RHM,2023-04-11,outpatient_first,1000\n"))
    england = read(JD, "action_totals").set_index("area_code").loc["ENG"]
    assert str(england["percent_planned_maintained"]) == "nan"
    assert england["paired_trusts"] == 0
    assert read(JD, "cancellations_daily")["percent_cancelled"].isna().all()


def test_a_point_of_delivery_that_is_not_listed_had_none(store: Store, drop: Drop) -> None:
    plan = PLANNED + "RHM,2023-04-11,outpatient_first,60\nRHM,2023-04-11,outpatient_follow_up,40\n"
    publish(store, drop(a__csv=CANCELLED + "RHM,2023-04-11,outpatient_first,cancelled,9\n", p__csv=plan))
    assert read(JD, "action_totals").set_index("area_code")["percent_planned_maintained"]["ENG"] == 91.0


def test_only_known_codes_go_further_than_landing(store: Store, drop: Drop, home: Path) -> None:
    text = "Jane Doe | area_type=trust"
    [outcome] = publish(store, drop(s__csv=STAFF + f"RHU,2023-04-11,doctors,{text},2\nRHU,2023-04-11,doctors,FY1,3\n"))
    assert outcome.status == "accepted" and outcome.warnings == 1
    rows = read_parquet(store.read(accepted_key("staffing", outcome.submission_id))).to_pylist()
    assert sorted((r["grade"] or "", r["absent_action"]) for r in rows) == [("", 2), ("fy1", 3)]
    drawn(store)
    everything = [p for p in home.rglob("*") if p.is_file() and "landing/objects" not in str(p)]
    assert len(everything) > 40
    assert [p for p in everything if b"Jane" in p.read_bytes()] == []


def test_nil_and_counts_in_one_row_contradict_each_other(store: Store, drop: Drop) -> None:
    head = "Trust,Date,Inpatient,Outpatient,Nil return\n"
    from strike_reporting.intake.registry import dialects

    nil = dialects()["wide_nil_marked"]
    assert nil.nil and nil.unpivot
    names = [nil.columns["ods_code"].header, nil.columns["activity_date"].header, *nil.unpivot.columns, nil.nil.header]
    head = ",".join(n if isinstance(n, str) else n[0] for n in names) + "\n"
    [outcome] = publish(store, drop(n__csv=head + "RHU,11-Apr-2023,250,900,Yes\nRHU,12-Apr-2023,,,Yes\n"))
    assert outcome.status == "accepted_in_part"
    assert {str(d): (v.rows > 0, v.total) for d, v in outcome.days.items()} == {
        "2023-04-11": (False, 0),
        "2023-04-12": (True, 0),
    }
    assert {p["rule"] for p in problems(store, outcome)} == {"nil_contradicted"}
    status = {
        str(r["strike_day"]): r["return_status"] for r in read(JD, "returns").to_dict("records") if r["total"] == 0
    }
    assert status == {"2023-04-12": "nil_return"}


def test_another_trusts_site_keeps_its_figures(store: Store, drop: Drop) -> None:
    head = "ods_code,site_code,activity_date,point_of_delivery,status,cancelled_count\n"
    [outcome] = publish(store, drop(a__csv=head + "R1F,RHM01,2023-04-11,day_case,cancelled,33\n"))
    assert [p["rule"] for p in problems(store, outcome)] == ["site_elsewhere"]
    totals = read(JD, "action_totals").set_index("area_code")["inpatient_cancelled"]
    assert totals["R1F"] == 33 and "RHM01" not in totals.index


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        ("RHU,2023-04-11,elective_unsplit,cancelled,30\nRHU,2023-04-11,day_case,cancelled,30\n", "whole_beside_parts"),
        ("RHU,2023-04-11,day_case,cancelled,5\nRHU,2023-04-11,day_case,cancelled,5\n", "identical_rows"),
    ],
)
def test_what_may_count_twice_is_said(rows: str, rule: str, store: Store, drop: Drop) -> None:
    [outcome] = publish(store, drop(a__csv=CANCELLED + rows))
    assert [p["rule"] for p in problems(store, outcome)] == [rule]


def test_one_record_key_does_not_hide_repeats(store: Store, drop: Drop) -> None:
    head = CANCELLED.strip() + ",record_key\n"
    row = "RHU,2023-04-11,day_case,cancelled,5,{}\n"
    [outcome] = publish(store, drop(a__csv=head + row.format("k1") + row.format("") + row.format("")))
    assert [p["rule"] for p in problems(store, outcome)] == ["identical_rows"]


def test_the_peak_is_a_strike_day(store: Store, drop: Drop) -> None:
    absent = {"11": 5, "12": 10, "13": 5, "14": 4, "15": 900}  # the 15th is the closing day
    rows = "".join(f"RN5,2023-04-{day},doctors,FY1,{n}\n" for day, n in absent.items())
    publish(store, drop(a__csv=STAFF + rows))
    row = read(JD, "action_totals").set_index("area_code").loc["RN5"]
    assert (row["staff_absent_peak"], str(row["staff_absent_peak_day"])) == (10, "2023-04-12")
    assert (row["staff_absent_average"], row["staff_days_lost"]) == (6.0, 924)


def test_a_share_that_is_not_all_never_reads_as_all(store: Store, drop: Drop) -> None:
    head = PLANNED.strip() + ",treatment_function_code\n"
    plan = head + "".join(f"RHU,2023-04-11,day_case,50000,{100 + n}\n" for n in range(60))
    publish(store, drop(a__csv=CANCELLED + "RHU,2023-04-11,day_case,cancelled,1\n", p__csv=plan))
    share = read(JD, "action_totals").set_index("area_code")["percent_planned_maintained"]["RHU"]
    assert 99.9 < share < 100 and percent(share) == "over 99.9%"


def test_one_actions_fault_stops_no_other(store: Store, drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(store, drop(a__csv=CANCELLED + "RHU,2023-04-11,day_case,cancelled,1\n"))
    collect_drop(store, drop(a__csv=CANCELLED + "RHU,2023-04-11,day_case,cancelled,2\n"), JD)
    judge(store)
    done = publish_group({"name": "x", "actions": [("NO-SUCH", 1), *publish_plan()[0]["actions"]]})
    assert len(done["problems"]) == 1 and "NO-SUCH" in done["problems"][0]
    assert done["releases"] == [f"{JD}.r2"] and find(store, JD).number == 2
    assert publish_plan() == [], "nothing is left to look at"
