"""Plausibility: what is possible but unlikely. Always a warning: the rows stay, the reader is told."""

from __future__ import annotations

from collections.abc import Set
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from strike_reporting.extracts import Contract
from strike_reporting.judging.problems import Problem
from strike_reporting.settings import settings


def implausible(contract: Contract, rows: pa.Table, strike_days: Set[date]) -> list[Problem]:
    """Warnings about one submission's accepted rows.

    Args:
        contract: its contract.
        rows: its accepted rows.
        strike_days: those of its days that are a day of an industrial action.
    """
    return [*_outside(contract, rows, strike_days), *_repeats(contract, rows), *_beside_parts(contract, rows)]


def unusable(contract: Contract, good: pa.Table, strike_days: Set[date]) -> Problem | None:
    """Why a file of which rows could be used is refused all the same; None when it is not. As `implausible`."""
    days = {*good[contract.date_field].to_pylist()}
    if not strike_days:
        message = f"none of its days ({min(days)} to {max(days)}) is a day of any industrial action"
        return Problem("date_outside_action", "critical", message, "Check the dates, and send the file again.")
    counted = good.filter(pc.greater(good[contract.count_field], 0))
    if counted.num_rows >= settings().repeated_at_least_rows:
        keys = [*contract.field_names, "source_column"]
        times = counted.group_by(keys, use_threads=False).aggregate([("source_row", "count")])["source_row_count"]
        if pc.min(times).as_py() > 1:
            message = "every row stands in it more than once, as if it had been pasted twice"
            return Problem("pasted_twice", "critical", message, "Remove the copy, and send the file again.")
    return None


def _outside(contract: Contract, rows: pa.Table, strike_days: Set[date]) -> list[Problem]:
    found = []
    for day in sorted(set(rows[contract.date_field].to_pylist()) - strike_days):
        row = rows.filter(pc.equal(rows[contract.date_field], day))["source_row"][0].as_py()
        message = f"{day} is not a day of any industrial action, so its rows are in no release"
        found.append(
            Problem(
                "date_outside_action",
                "warning",
                message,
                "Check the date.",
                row,
                contract.date_field,
                str(day),
            )
        )
    return found


def _repeats(contract: Contract, rows: pa.Table) -> list[Problem]:
    """Identical rows without a record key: both are counted, which is right for parts and wrong for copies."""
    if "record_key" in contract.field_names:
        rows = rows.filter(pc.is_null(rows["record_key"]))
    keys = [n for n in contract.field_names if n != "record_key"]
    grouped = rows.group_by([*keys, "source_column"], use_threads=False).aggregate(
        [("source_row", "min"), ("source_row", "max"), ("source_row", "count")]
    )
    repeated = grouped.filter(
        pc.and_(pc.greater(grouped["source_row_count"], 1), pc.greater(grouped[contract.count_field], 0))
    )
    return [
        Problem(
            "identical_rows",
            "warning",
            f"rows {r['source_row_min']} and {r['source_row_max']} are identical; both are counted",
            "If one is a copy, remove it and send the file again.",
            r["source_row_max"],
        )
        for r in repeated.to_pylist()[: settings().repeated_rows_listed]
    ]


# A column, the value that stands for the whole, and its parts: sent together for one day they may count twice.
_WHOLES = (
    ("point_of_delivery", "elective_unsplit", ("elective_inpatient", "day_case")),
    ("point_of_delivery", "outpatient_unsplit", ("outpatient_first", "outpatient_follow_up")),
    ("shift", "all", ("day", "evening", "night")),
)


def _beside_parts(contract: Contract, rows: pa.Table) -> list[Problem]:
    found = []
    for column, whole, parts in _WHOLES:
        if column not in contract.field_names:
            continue
        counted = rows.filter(pc.greater(rows[contract.count_field], 0))
        keys = [
            n for n in ("site_code", "activity_unit", "status", "staff_group", "grade") if n in counted.column_names
        ]
        seen: dict[tuple[object, ...], set[str]] = {}
        for row in (
            counted.select([contract.date_field, column, *keys])
            .group_by([contract.date_field, column, *keys])
            .aggregate([])
            .to_pylist()
        ):
            place = tuple(row[k] for k in (contract.date_field, *keys))
            seen.setdefault(place, set()).add(row[column])
        for day in sorted({p[0] for p, values in seen.items() if whole in values and values & {*parts}}, key=str):
            message = f"{day} has rows of {whole} and of its parts; all of them are counted"
            fix = "If the one holds the other, remove one and send the file again."
            found.append(Problem("whole_beside_parts", "warning", message, fix, None, column, whole, str(day)))
    return found
