"""What must hold before a release is published. Each check says what does not add up and by how much."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

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
                low = pc.min(table[column.name]).as_py()
                if low is not None and low < 0:
                    found.append(f"{name}.{column.name} is negative ({low})")
    return found


def _summed(table: pa.Table, by: Sequence[str], fields: Sequence[str]) -> list[dict[str, Any]]:
    """Fields summed over the known values by some columns; none where nothing is known."""
    sums = table.group_by(list(by), use_threads=False).aggregate([(f, "sum") for f in fields])
    rows: list[dict[str, Any]] = (
        sums.select([*by, *(f"{f}_sum" for f in fields)]).rename_columns([*by, *fields]).to_pylist()
    )
    return rows


def _sums(pivot: Pivot, table: pa.Table, area_type: str) -> dict[tuple[tuple[str, ...], str], int]:
    measures = [m.key for m in measures_of(pivot)]
    rows = _summed(table.filter(pc.equal(table["area_type"], area_type)), pivot.by, measures)
    return {(tuple(str(r[k]) for k in pivot.by), m): r[m] for r in rows for m in measures if r[m] is not None}


def _areas_add_up(tables: dict[str, pa.Table]) -> list[str]:
    """England equals its regions and its trusts, cell by cell."""
    found = []
    for name, pivot in PIVOTS.items():
        england = _sums(pivot, tables[name], ENGLAND.area_type)
        for parts in ("region", "trust"):
            other = _sums(pivot, tables[name], parts)
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
        table = tables[of.joins or of.tables[0].name]
        for breakdown, values in t.where.items():
            table = table.filter(pc.is_in(table[breakdown], value_set=pa.array(values)))
        days = {(r["area_type"], r["area_code"]): r[t.of] for r in _summed(table, ("area_type", "area_code"), [t.of])}
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
