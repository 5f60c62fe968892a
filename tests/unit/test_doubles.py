"""Inside one file: what is left out so that nothing counts twice, and what only looks as if it did."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strike_reporting.extracts import load
from strike_reporting.judging.doubles import doubles, may_repeat

DAY = date(2023, 4, 11)
CANCELLED = {"point_of_delivery": "day_case", "activity_unit": "appointment", "status": "cancelled"}


def found(extract: str, *rows: dict[str, Any]) -> list[tuple[int, str, str]]:
    """Row (from 2, as a spreadsheet numbers it), rule and severity of each finding."""
    contract = load(extract)
    fixed = {"ods_code": "RHU", contract.date_field: DAY, **(CANCELLED if extract == "cancellations" else {})}
    full = [{**fixed, "submission_id": "s", "source_row": n, **row} for n, row in enumerate(rows, start=2)]
    table = pa.Table.from_pylist(full, schema=contract.schema)
    twice, kept = doubles(contract, table)
    single = table.slice(0, 1).set_column(0, table.schema.field(0), pa.array(["RHM"]))
    [*_, may] = may_repeat(contract, [single, table.slice(1), table])
    assert may or not twice, "a look at all together finds no less"
    assert {*table["source_row"].filter(pa.array(~kept)).to_pylist()} == {
        p.row for p in twice if p.severity != "warning"
    }
    assert all(p.fix and p.message for p in twice)
    return [(p.row or 0, p.rule, p.severity) for p in twice]


def cancelled(count: int, **more: Any) -> dict[str, Any]:
    return {"cancelled_count": count, **more}


def pasted(*rows: int) -> list[tuple[int, str, str]]:
    return [(n, "pasted_again", "error") for n in rows]


def alike(*rows: int) -> list[tuple[int, str, str]]:
    return [(n, "identical_rows", "warning") for n in rows]


def test_a_single_row_that_is_alike_is_counted_and_asked_about() -> None:
    assert found("cancellations", cancelled(5), cancelled(5), cancelled(6), cancelled(5)) == alike(3, 5)
    assert found("cancellations", cancelled(1), cancelled(1)) == alike(3)
    a, b = cancelled(5), cancelled(6)
    assert found("cancellations", a, b, a, b) == alike(4, 5), "two are too few to be a block"


def test_a_single_row_of_large_numbers_is_a_copy() -> None:
    assert found("cancellations", cancelled(60), cancelled(60), cancelled(5), cancelled(5)) == [*pasted(3), *alike(5)]
    assert found("cancellations", cancelled(49), cancelled(49)) == alike(3)
    ward = {"staff_group": "medical_and_dental", "absent_action": 12}
    assert found("staffing", {**ward, "due_to_work": 40}, {**ward, "due_to_work": 40}) == pasted(3)


def test_a_block_that_was_pasted_again_is_left_out() -> None:
    a, b, c, d, e = (cancelled(n) for n in (5, 6, 7, 8, 9))
    assert found("cancellations", a, b, c, d, a, b, c, d) == pasted(6, 7, 8, 9), "the whole file"
    assert found("cancellations", a, b, c, d, e, b, c, d) == pasted(7, 8, 9), "later in the file"
    assert found("cancellations", a, b, c, a, b, c, e, a, b, c) == pasted(5, 6, 7, 9, 10, 11), "twice"
    assert found("cancellations", a, b, c, d, a, cancelled(0), b, c) == pasted(6, 8, 9), "a zero is nothing between"
    assert found("cancellations", a, b, c, d, c, b, a) == alike(6, 7, 8), "another order is no copy"
    assert found("cancellations", a, a, a, b, b, a, a, a) == alike(3, 4, 6, 7, 8, 9), "not three different ones"
    assert found("cancellations", d, a, b, c, e, b, a, b, c, b) == [*pasted(8, 9, 10), *alike(7, 11)]


def test_a_block_of_another_day_is_no_copy() -> None:
    rows = [cancelled(n, activity_date=date(2023, 4, day)) for day in (11, 12) for n in (5, 6, 7)]
    assert found("cancellations", *rows) == []
    between = [row for pair in zip(rows[:3], rows[3:], strict=True) for row in pair]
    assert found("cancellations", *between, cancelled(1), *rows[:3]) == pasted(9, 10, 11), "days may take turns"


def test_a_file_that_says_everything_equally_often_was_pasted_in_whatever_order() -> None:
    a, b, c = (cancelled(n, activity_date=date(2023, 4, n)) for n in (11, 12, 13))
    assert found("cancellations", a, a, b, b, c, c, cancelled(0)) == pasted(3, 5, 7)
    assert found("cancellations", a, b, c, c, a, b, b, c, a) == pasted(5, 6, 7, 8, 9, 10)
    assert found("cancellations", a, a, b, b, c, c, c) == alike(3, 5, 7, 8)
    assert found("cancellations", a, b, a, b) == alike(4, 5)


def test_how_many_make_a_block_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIKES_PASTED_AT_LEAST_ROWS", "4")
    a, b, c, d, e = (cancelled(n) for n in (5, 6, 7, 8, 9))
    assert found("cancellations", a, b, c, d, a, b, c) == alike(6, 7, 8)
    assert found("cancellations", a, b, c, d, e, a, b, c, d) == pasted(7, 8, 9, 10)


def test_a_line_of_a_wide_file_is_one_row() -> None:
    def line(at: int, day: int, *counts: int) -> list[dict[str, Any]]:
        return [
            cancelled(n, source_column=f"Column {c}", source_row=at, activity_date=date(2023, 4, day))
            for c, n in enumerate(counts)
        ]

    once = [*line(2, 11, 5, 6, 7), *line(3, 11, 5, 6, 8)]
    assert found("cancellations", *once) == [], "one column that is alike is no row"
    assert found("cancellations", *once, *line(4, 11, 5, 6, 7)) == alike(4, 4, 4), "one line is no block"
    days = [row for at, day in enumerate((11, 12, 13), start=2) for row in line(at, day, 5, 6)]
    again = [{**row, "source_row": row["source_row"] + 3} for row in days]
    assert found("cancellations", *days, *again) == pasted(5, 5, 6, 6, 7, 7)


def test_no_more_single_rows_are_listed_than_a_setting_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIKES_REPEATED_ROWS_LISTED", "2")
    assert found("cancellations", *[cancelled(1)] * 9) == alike(3, 4)


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


def test_a_whole_that_is_less_than_its_parts_is_not_their_total() -> None:
    """Inpatients and day cases, as a sender splits them who knows no other word for the first."""
    rows = [cancelled(14, point_of_delivery="elective_unsplit"), cancelled(30)]
    assert found("cancellations", *rows) == [(2, "whole_beside_parts", "warning")]
    two = [cancelled(9, point_of_delivery="elective_unsplit", treatment_function_code=t) for t in ("100", "110")]
    assert found("cancellations", *two, cancelled(18)) == [
        (2, "whole_beside_parts", "error"),
        (3, "whole_beside_parts", "error"),
    ]


def test_residents_beside_their_grades() -> None:
    def row(n: int, grade: str, shift: str | None = None) -> dict[str, Any]:
        return {"staff_group": "medical_and_dental", "shift": shift, "absent_action": n, "grade": grade}

    whole = row(52, "resident_unsplit")
    assert found("staffing", whole, row(22, "fy1"), row(30, "fy2")) == [(2, "whole_beside_parts", "error")]
    assert found("staffing", whole, row(22, "consultant")) == []
    assert found("staffing", row(52, "resident_unsplit", "night"), row(22, "fy1", "day")) == []


def test_a_day_beside_its_shifts() -> None:
    rows = [
        {"staff_group": "medical_and_dental", "shift": shift, "absent_action": n}
        for shift, n in (("all", 8), ("day", 5), ("night", 3))
    ]
    assert found("staffing", *rows) == [(2, "whole_beside_parts", "error")]
    rows[0]["staff_group"] = "students"
    assert found("staffing", *rows) == []


def test_a_day_of_one_grade_stands_beside_the_shifts_of_another() -> None:
    def row(shift: str, n: int, grade: str | None) -> dict[str, Any]:
        return {"staff_group": "medical_and_dental", "shift": shift, "absent_action": n, "grade": grade}

    split = [row("day", 5, "fy1"), row("night", 3, "fy1")]
    assert found("staffing", row("all", 8, "consultant"), *split) == []
    assert found("staffing", row("all", 8, None), *split) == []
    assert found("staffing", row("all", 8, "fy1"), *split) == [(2, "whole_beside_parts", "error")]
    assert found("staffing", row("all", 8, None), row("day", 5, None)) == [(2, "whole_beside_parts", "error")]


def test_zeros_decide_nothing_and_are_never_left_out() -> None:
    pods = ("elective_unsplit", "elective_inpatient", "day_case", "outpatient_unsplit")
    zeros = [cancelled(0, point_of_delivery=pod) for pod in pods]
    assert found("cancellations", *zeros, *zeros) == [], "a template of zeros, pasted again"
    sited = [cancelled(3, site_code="RHU03"), cancelled(8, point_of_delivery="outpatient_first", site_code="RHU03")]
    assert found("cancellations", *zeros, *sited) == [], "nothing is no total"
    assert found("cancellations", cancelled(0, site_code="RHU03"), cancelled(9)) == [], "nor does it hold one"
    nobody = {"staff_group": "students", "shift": "all", "absent_action": 0}
    assert found("staffing", nobody, {**nobody, "shift": "day", "absent_action": 2}) == []


def test_no_absence_and_many_due_is_something_said() -> None:
    rows = [
        {"staff_group": "students", "shift": shift, "absent_action": 0, "due_to_work": 50} for shift in ("all", "day")
    ]
    assert found("staffing", *rows) == [(2, "whole_beside_parts", "error")]


def test_a_row_that_is_left_out_decides_nothing() -> None:
    whole = "elective_unsplit"
    rows = [
        cancelled(40, point_of_delivery=whole),
        *[cancelled(n, site_code="RHU03", point_of_delivery=whole) for n in (10, 11, 12, 10, 11, 12)],
        cancelled(10),
    ]
    assert found("cancellations", *rows) == [
        *pasted(6, 7, 8),
        (2, "unsited_beside_sited", "error"),
        (9, "unsited_beside_sited", "error"),
    ], "50 are at least the 33 that were not pasted; the unsited day case is out, so it makes no whole of row 3"


ROWS = st.tuples(st.sampled_from(["RHU03", None]), st.sampled_from(["all", "day", "night"]), st.integers(0, 2))


@given(st.lists(st.lists(ROWS, max_size=5), min_size=1, max_size=5))
def test_of_submissions_looked_at_together_those_are_told_that_hold_something(
    files: list[list[tuple[str | None, str, int]]],
) -> None:
    """Rows of one submission never repeat another's."""
    contract = load("staffing")
    fixed = {"ods_code": "RHU", contract.date_field: DAY, "staff_group": "students", "submission_id": "s"}
    tables = [
        pa.Table.from_pylist(
            [
                {**fixed, "source_row": n, "site_code": site, "shift": shift, "absent_action": absent}
                for n, (site, shift, absent) in enumerate(rows)
            ],
            schema=contract.schema,
        )
        for rows in files
    ]
    for rows, table, may in zip(files, tables, may_repeat(contract, tables).tolist(), strict=True):
        assert may or not doubles(contract, table)[0]
        counts = [row for row in rows if row[2]]
        is_of_one_kind = len({site for site, *_ in counts}) < 2 and "all" not in {shift for _, shift, _ in counts}
        assert not may or not is_of_one_kind or len({*counts}) < len(counts), "nothing of the kind is there"
