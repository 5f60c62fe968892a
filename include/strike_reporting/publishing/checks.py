"""What must hold before a release is published. Each check says what does not add up and by how much."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa

from strike_reporting.catalogue.areas import ENGLAND
from strike_reporting.catalogue.measures import Pivot
from strike_reporting.catalogue.statuses import BY_KEY
from strike_reporting.extracts import EXTRACTS
from strike_reporting.extracts.measures import (
    BY_EXTRACT,
    PIVOTS,
    SHARES,
    TOTALS,
    TOTALS_TABLE,
    checked_fields,
    extract_of,
    measured,
    measures_of,
)
from strike_reporting.ledger.records import Outcome
from strike_reporting.publishing.selection import Return


def check(tables: dict[str, pa.Table], returns: list[Return], outcomes: list[Outcome]) -> list[str]:
    """Every failed check as a sentence; empty when the release may be published."""
    return [
        *_known_statuses(returns),
        *_never_negative(tables),
        *_areas_add_up(tables),
        *_totals_equal_days(tables),
        *_accounted_for(returns, outcomes),
    ]


def lost_facts(con: duckdb.DuckDBPyConnection, returns: list[Return]) -> list[str]:
    """What the ledger accepted for the parts that count and the facts do not hold, or the tables do not.

    Args:
        con: where facts and tables are.
        returns: with the ledger's sums.
    """
    found: dict[tuple[str, str], int] = {
        (extract, measure): value
        for extract, measure, value in con.execute(
            "SELECT extract, measure, sum(value) FROM facts GROUP BY ALL"
        ).fetchall()
    }
    return [*_lost_before(found, returns), *_lost_after(con, found)]


def _lost_before(found: dict[tuple[str, str], int], returns: list[Return]) -> Iterator[str]:
    for extract in EXTRACTS:
        mine = [r for r in returns if r.extract == extract and r.counts]
        for field in checked_fields(extract):
            accepted = sum(r.sums.get(field, 0) for r in mine)
            held = sum(found.get((extract, m), 0) for m in measured(field, extract))
            if held != accepted:
                yield f"{extract}: the ledger accepted {accepted} in {field}, the facts hold {held}"


def _lost_after(con: duckdb.DuckDBPyConnection, found: dict[tuple[str, str], int]) -> Iterator[str]:
    of = {measure: value for (_, measure), value in found.items()}
    for pivot in (p for p in PIVOTS.values() if not p.given):
        keys = [m.key for m in measures_of(pivot)]
        sums = ", ".join(f"sum({k})" for k in keys)
        england = f"area_type = '{ENGLAND.area_type}'"
        told = con.execute(f"SELECT {sums} FROM out_{pivot.name} WHERE {england}").fetchall()[0]
        for key, value in zip(keys, told, strict=True):
            if value != of.get(key):
                yield f"{pivot.name}: the facts hold {of.get(key)} in {key}, England has {value}"


def _known_statuses(returns: list[Return]) -> list[str]:
    """Every return has a status of the catalogue: what it is counted as hangs on it."""
    return [
        f"{r.ods_code} {r.extract} {r.strike_day}: {r.return_status!r} is no return status"
        for r in returns
        if r.return_status not in BY_KEY
    ]


def _never_negative(tables: dict[str, pa.Table]) -> list[str]:
    found = []
    kept = {s.with_impossible for s in SHARES.values()}  # what is left of a whole of which more was cancelled
    for name, table in tables.items():
        for column in (c for c in table.schema if c.name not in kept):
            if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
                low = min((v for v in table[column.name].to_pylist() if v is not None), default=0)
                if low < 0:
                    found.append(f"{name}.{column.name} is negative ({low})")
    return found


def _sums(pivot: Pivot, rows: list[dict[str, Any]], area_type: str) -> dict[tuple[tuple[str, ...], str], int]:
    sums: dict[tuple[tuple[str, ...], str], int] = defaultdict(int)
    measures = [m.key for m in measures_of(pivot)]
    for row in rows:
        if row["area_type"] == area_type:
            cells = tuple(str(row[k]) for k in pivot.by)
            for m in measures:
                if row[m] is not None:
                    sums[(cells, m)] += row[m]
    return dict(sums)


def _areas_add_up(tables: dict[str, pa.Table]) -> list[str]:
    """England equals its regions and its trusts, cell by cell."""
    found = []
    for name, pivot in PIVOTS.items():
        rows = tables[name].to_pylist()
        england = _sums(pivot, rows, ENGLAND.area_type)
        for parts in ("region", "trust"):
            other = _sums(pivot, rows, parts)
            wrong = [k for k in {*england, *other} if england.get(k) != other.get(k)]
            if wrong:
                k = sorted(wrong, key=str)[0]
                found.append(
                    f"{name}: England's {k[1]} for {k[0]} is {england.get(k)}, its {parts}s add up to {other.get(k)}"
                )
    return found


def _totals_equal_days(tables: dict[str, pa.Table]) -> list[str]:
    """Every area's total equals the sum of its days, within the breakdowns that it is of."""
    found = []
    totals = tables[TOTALS_TABLE].to_pylist()
    for t in (t for t in TOTALS.values() if t.kind == "sum"):
        of = BY_EXTRACT[extract_of(t.key)]
        rows = tables[of.joins or of.tables[0].name].to_pylist()
        days: dict[tuple[str, str], int] = defaultdict(int)
        for row in rows:
            if row[t.of] is not None and all(row[b] in v for b, v in t.where.items()):
                days[(row["area_type"], row["area_code"])] += row[t.of]
        for row in totals:
            told = days.get((row["area_type"], row["area_code"]))
            if row[t.key] != told:
                found.append(f"{row['area_name']}: {t.key} is {row[t.key]}, its days add up to {told}")
    return found


def _accounted_for(returns: list[Return], outcomes: list[Outcome]) -> list[str]:
    """Every submission of which rows count was accepted by the ledger."""
    counted = {o.submission_id for o in outcomes if o.counts and not o.withdrawn}
    return [
        f"{r.ods_code} {r.extract} {r.strike_day}: submission {s} was not accepted"
        for r in returns
        if r.counts
        for s in r.submission_ids
        if s not in counted
    ]
