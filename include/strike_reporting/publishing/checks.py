"""What must hold before a release is published. Each check says what does not add up and by how much."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pyarrow as pa

from strike_reporting.catalogue.statuses import BY_KEY, RETURNED
from strike_reporting.ledger.records import Outcome
from strike_reporting.publishing.selection import Return

_COUNTS = {
    "cancellations_daily": ("anticipated", "cancelled", "reinstated", "rebooked", "notified", "planned"),
    "staffing_daily": ("due_to_work", "absent_action", "absent_other", "redeployed_in"),
}


def check(action_id: str, tables: dict[str, pa.Table], returns: list[Return], outcomes: list[Outcome]) -> list[str]:
    """Every failed check as a sentence; empty when the release may be published."""
    return [
        *_known_statuses(returns),
        *_never_negative(tables),
        *_areas_add_up(tables),
        *_totals_equal_days(tables),
        *_nothing_lost(action_id, tables, returns),
        *_accounted_for(returns, outcomes),
    ]


def _known_statuses(returns: list[Return]) -> list[str]:
    """Every return has a status of the catalogue: what it is counted as hangs on it."""
    return [
        f"{r.ods_code} {r.extract} {r.strike_day}: {r.return_status!r} is no return status"
        for r in returns
        if r.return_status not in BY_KEY
    ]


def _never_negative(tables: dict[str, pa.Table]) -> list[str]:
    found = []
    for name, table in tables.items():
        for column in table.schema:
            if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
                low = min((v for v in table[column.name].to_pylist() if v is not None), default=0)
                if low < 0:
                    found.append(f"{name}.{column.name} is negative ({low})")
    return found


def _sums(rows: list[dict[str, Any]], measures: tuple[str, ...], area_type: str) -> dict[tuple[Any, str], int]:
    sums: dict[tuple[Any, str], int] = defaultdict(int)
    keys = ("strike_day", "point_of_delivery", "activity_unit", "staff_group", "grade")
    for row in rows:
        if row["area_type"] == area_type:
            for m in measures:
                if row[m] is not None:
                    sums[(tuple(str(row.get(k)) for k in keys), m)] += row[m]
    return dict(sums)


def _areas_add_up(tables: dict[str, pa.Table]) -> list[str]:
    """England equals its regions and its trusts, cell by cell."""
    found = []
    for name, measures in _COUNTS.items():
        rows = tables[name].to_pylist()
        england = _sums(rows, measures, "england")
        for parts in ("region", "trust"):
            other = _sums(rows, measures, parts)
            wrong = [k for k in {*england, *other} if england.get(k) != other.get(k)]
            if wrong:
                k = sorted(wrong, key=str)[0]
                found.append(
                    f"{name}: England's {k[1]} for {k[0]} is {england.get(k)}, its {parts}s add up to {other.get(k)}"
                )
    return found


def _totals_equal_days(tables: dict[str, pa.Table]) -> list[str]:
    """Every area's total equals the sum of its days."""
    days: dict[tuple[str, str, str], int] = defaultdict(int)
    for row in tables["cancellations_daily"].to_pylist():
        if row["activity_unit"] == "appointment" and row["cancelled"] is not None:
            days[(row["area_type"], row["area_code"], f"{row['care_setting']}_cancelled")] += row["cancelled"]
    for row in tables["staffing_daily"].to_pylist():
        days[(row["area_type"], row["area_code"], "staff_days_lost")] += row["absent_action"]
    found = []
    for row in tables["action_totals"].to_pylist():
        for measure in (
            "inpatient_cancelled",
            "outpatient_cancelled",
            "community_cancelled",
            "mental_health_cancelled",
            "staff_days_lost",
        ):
            total = days.get((row["area_type"], row["area_code"], measure))
            if row[measure] != total:
                found.append(f"{row['area_name']}: {measure} is {row[measure]}, its days add up to {total}")
    return found


def _nothing_lost(action_id: str, tables: dict[str, pa.Table], returns: list[Return]) -> list[str]:
    """What the ledger accepted for the chosen submissions is what the tables hold for England."""
    expected: dict[str, int] = defaultdict(int)
    for r in returns:
        if r.return_status in RETURNED:
            expected[r.extract] += r.total or 0
    cancelled = [r for r in tables["cancellations_daily"].to_pylist() if r["area_type"] == "england"]
    staff = [r for r in tables["staffing_daily"].to_pylist() if r["area_type"] == "england"]
    measured = {
        "cancellations": sum(
            r[m] or 0 for r in cancelled for m in ("anticipated", "cancelled", "reinstated", "rebooked")
        ),
        "planned_activity": sum(r["planned"] or 0 for r in cancelled),
        "staffing": sum(r["absent_action"] or 0 for r in staff),
    }
    return [
        f"{action_id}: the ledger accepted {expected[e]} in {e}, the tables hold {n}"
        for e, n in measured.items()
        if expected[e] != n
    ]


def _accounted_for(returns: list[Return], outcomes: list[Outcome]) -> list[str]:
    """Every chosen submission was accepted by the ledger."""
    counted = {o.submission_id for o in outcomes if o.counts}
    return [
        f"{r.ods_code} {r.extract} {r.strike_day}: submission {r.submission_id} was not accepted"
        for r in returns
        if r.return_status in RETURNED and r.submission_id not in counted
    ]
