"""Inside one file: what is left out so that nothing counts twice, and what only looks as if it did."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from strike_reporting.extracts import load
from strike_reporting.judging.doubles import doubles

DAY = date(2023, 4, 11)
CANCELLED = {"point_of_delivery": "day_case", "activity_unit": "appointment", "status": "cancelled"}


def found(extract: str, *rows: dict[str, Any]) -> list[tuple[int, str, str]]:
    """Row (from 2, as a spreadsheet numbers it), rule and severity of each finding."""
    contract = load(extract)
    fixed = {"ods_code": "RHU", contract.date_field: DAY, **(CANCELLED if extract == "cancellations" else {})}
    full = [{**fixed, "submission_id": "s", "source_row": n, **row} for n, row in enumerate(rows, start=2)]
    table = pa.Table.from_pylist(full, schema=contract.schema)
    twice = doubles(contract, table)
    assert [table["source_row"][d.at].as_py() for d in twice] == [d.problem.row for d in twice]
    assert all(d.problem.fix and d.problem.message for d in twice)
    return [(d.problem.row or 0, d.problem.rule, d.problem.severity) for d in twice]


def cancelled(count: int, **more: Any) -> dict[str, Any]:
    return {"cancelled_count": count, **more}


def test_a_copy_is_left_out_and_the_first_counts() -> None:
    assert found("cancellations", cancelled(5), cancelled(5), cancelled(6), cancelled(5)) == [
        (3, "identical_rows", "error"),
        (5, "identical_rows", "error"),
    ]


@pytest.mark.parametrize(
    "rows",
    [
        [cancelled(5), cancelled(5, site_code="RHU03", status="rebooked")],
        [cancelled(5, record_key="a"), cancelled(5, record_key="b")],
        [cancelled(5, source_column="Clinic A"), cancelled(5, source_column="Clinic B")],
        [cancelled(0), cancelled(0)],
    ],
    ids=["another status", "record keys", "two columns of a wide file", "nothing twice"],
)
def test_rows_that_only_look_alike_are_counted(rows: list[dict[str, Any]]) -> None:
    assert found("cancellations", *rows) == []


def test_two_of_one_person_each_may_be_alike() -> None:
    assert found("cancellations", cancelled(1), cancelled(1)) == [(3, "identical_rows", "warning")]


def test_the_total_beside_its_sites_is_left_out() -> None:
    rows = [cancelled(9), cancelled(4, site_code="RHU03"), cancelled(5, site_code="RHU02")]
    assert found("cancellations", *rows) == [(2, "unsited_beside_sited", "error")]


def test_fewer_than_the_sited_ones_are_what_happened_elsewhere() -> None:
    rows = [cancelled(4, site_code="RHU03"), cancelled(5, site_code="RHU02"), cancelled(3)]
    assert found("cancellations", *rows) == [(4, "unsited_beside_sited", "warning")]


def test_another_part_or_day_is_nobodys_total() -> None:
    rows = [
        cancelled(4, site_code="RHU03"),
        cancelled(9, status="rebooked"),
        cancelled(9, activity_unit="theatre_list"),
        cancelled(9, point_of_delivery="outpatient_first"),
        cancelled(9, activity_date=date(2023, 4, 12)),
        cancelled(0),
    ]
    assert found("cancellations", *rows) == []


def test_a_whole_beside_its_parts_is_left_out() -> None:
    whole = cancelled(30, point_of_delivery="elective_unsplit")
    assert found("cancellations", whole, cancelled(10)) == [(2, "whole_beside_parts", "error")]
    assert found("cancellations", whole, cancelled(10, point_of_delivery="outpatient_first")) == []
    assert found("cancellations", whole, cancelled(0)) == [], "a template's zero is no part"
    sited = {"site_code": "RHU03"}
    assert found("cancellations", {**whole, **sited}, cancelled(10, site_code="RHU02")) == [], "another site"
    assert found("cancellations", {**whole, **sited}, cancelled(10, **sited)) == [(2, "whole_beside_parts", "error")]


def test_a_day_beside_its_shifts() -> None:
    rows = [
        {"staff_group": "medical_and_dental", "shift": shift, "absent_action": n}
        for shift, n in (("all", 8), ("day", 5), ("night", 3))
    ]
    assert found("staffing", *rows) == [(2, "whole_beside_parts", "error")]
    rows[0]["staff_group"] = "students"
    assert found("staffing", *rows) == []


def test_no_absence_and_many_due_is_something_said() -> None:
    rows = [
        {"staff_group": "students", "shift": shift, "absent_action": 0, "due_to_work": 50} for shift in ("all", "day")
    ]
    assert found("staffing", *rows) == [(2, "whole_beside_parts", "error")]


def test_a_row_that_is_left_out_decides_nothing() -> None:
    rows = [
        cancelled(40, point_of_delivery="elective_unsplit"),
        cancelled(30, site_code="RHU03", point_of_delivery="elective_unsplit"),
        cancelled(30, site_code="RHU03", point_of_delivery="elective_unsplit"),
        cancelled(50),
    ]
    assert found("cancellations", *rows) == [
        (4, "identical_rows", "error"),
        (2, "unsited_beside_sited", "error"),
        (5, "unsited_beside_sited", "error"),
    ], "the unsited day case is out, so it makes no whole of row 3"
