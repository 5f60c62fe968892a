"""Plausibility: what is possible but unlikely. Always a warning: the rows stay, the reader is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from strike_reporting.extracts import Contract
from strike_reporting.judging.problems import Problem
from strike_reporting.reference.actions import actions
from strike_reporting.settings import settings


def implausible(contract: Contract, rows: pa.Table, previous: Mapping[str, int]) -> list[Problem]:
    """Warnings about one submission's accepted rows.

    Args:
        contract: its contract.
        rows: its accepted rows.
        previous: total of the trust's previous submission for each day (ISO date), for the days it covered.
    """
    found = [*_outside(contract, rows), *_repeats(contract, rows), *_beside_parts(contract, rows)]
    return [*found, *_jumps(contract, rows, previous)]


def unusable(contract: Contract, good: pa.Table, read: int, previous: Mapping[str, int]) -> Problem | None:
    """Why a file of which rows could be used is refused all the same; None when it is not.

    Args:
        contract: its contract.
        good: its usable rows.
        read: how many rows it had.
        previous: as `implausible`.
    """
    days = {*good[contract.date_field].to_pylist()}
    if not days & _strike_days():
        message = f"none of its days ({min(days)} to {max(days)}) is a day of any industrial action"
        return Problem("date_outside_action", "critical", message, "Check the dates, and send the file again.")
    replaces = [d for d in days if d.isoformat() in previous]
    if replaces and good.num_rows * 2 < read:
        bad = f"{read - good.num_rows:,} of its {read:,} rows could not be used"
        message = f"{bad}, so it does not replace the file before it"
        return Problem("mostly_unusable", "critical", message, "Correct the rows listed, and send the file again.")
    counted = good.filter(pc.greater(good[contract.count_field], 0))
    if counted.num_rows >= settings().repeated_at_least_rows:
        keys = [*contract.field_names, "source_column"]
        times = counted.group_by(keys, use_threads=False).aggregate([("source_row", "count")])["source_row_count"]
        if pc.min(times).as_py() > 1:
            message = "every row stands in it more than once, as if it had been pasted twice"
            return Problem("pasted_twice", "critical", message, "Remove the copy, and send the file again.")
    return None


def day_totals(contract: Contract, rows: pa.Table) -> dict[str, int]:
    """Sum of the count field by day (ISO date)."""
    grouped = rows.group_by(contract.date_field).aggregate([(contract.count_field, "sum")]).to_pylist()
    return {r[contract.date_field].isoformat(): r[f"{contract.count_field}_sum"] or 0 for r in grouped}


@cache
def _strike_days() -> frozenset[date]:
    found: set[date] = set()
    for action in actions().values():
        found |= set(action.days) | ({action.closing_day} if action.closing_day else set())
    return frozenset(found)


def _outside(contract: Contract, rows: pa.Table) -> list[Problem]:
    days, found = _strike_days(), []
    for day in sorted(set(rows[contract.date_field].to_pylist()) - days):
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


def _jumps(contract: Contract, rows: pa.Table, previous: Mapping[str, int]) -> list[Problem]:
    found, times, least = [], settings().jump_times, settings().jump_at_least
    for day, total in sorted(day_totals(contract, rows).items()):
        before = previous.get(day)
        if before is None or max(total, before) < least:
            continue
        if total > before * times or total * times < before:
            message = f"the total for {day} is {total:,}; the trust's previous submission said {before:,}"
            fix = "Check the figures. If they are right, nothing need be done."
            found.append(Problem("total_jumped", "warning", message, fix, None, contract.count_field, str(total), day))
    return found
