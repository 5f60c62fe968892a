"""The published tables, made from the catalogue: an extract's measures are columns, with what stands beside them."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from strike_reporting.catalogue.measures import Pivot, Share, Total
from strike_reporting.catalogue.tables import (
    ACTION,
    AREA,
    COVER_BY_DAY,
    COVERAGE,
    DAY,
    DAY_TYPE,
    FLAG,
    FLAGS,
    JOINT,
    REAL,
    RETURNS,
    REVISIONS,
    WHOLE,
    Column,
    Table,
    cover_of_totals,
)
from strike_reporting.extracts.measures import (
    BREAKDOWNS,
    BY_EXTRACT,
    LABELS,
    PIVOTS,
    SHARES,
    TOTALS,
    TOTALS_TABLE,
    asked_for,
    measures_of,
)

_UNPUBLISHED = b"unpublished"


def as_today(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A table of an older release in today's columns: those that it was published without are null (`unpublished`)."""
    lacking = [f.name for f in schema if f.name not in table.schema.names]
    columns = [pa.nulls(table.num_rows, f.type) if f.name in lacking else table[f.name].cast(f.type) for f in schema]
    return pa.table(
        columns, schema=schema.with_metadata({**(table.schema.metadata or {}), _UNPUBLISHED: ",".join(lacking)})
    )


def unpublished(table: pa.Table) -> set[str]:
    """Columns that a table of an older release was published without."""
    said = (table.schema.metadata or {}).get(_UNPUBLISHED, b"").decode()
    return {name for name in said.split(",") if name}


def _breakdown(key: str) -> Column:
    if key == "strike_day":
        return DAY
    b = BREAKDOWNS[key]
    return Column(key, b.type, "", b.definition)


def _share(share: Share) -> Iterator[Column]:
    yield Column(share.trusts, WHOLE, "trusts", f"Trusts in {share.key}: both parts sent, of the same days and split.")
    yield Column(share.below, WHOLE, share.above_unit, f"Their whole, below the line of {share.key}. Null: none.")
    yield Column(share.above, WHOLE, share.above_unit, f"Their part of it, above the line of {share.key}.")
    yield Column(share.key, REAL, "percent", share.definition)
    if share.with_impossible:
        yield Column(
            share.with_impossible, REAL, "percent", "The same with the pairs in whose part is more than the whole."
        )
    if share.unreliable:
        said = "True when those pairs hold over 2 % of the whole: the share is of low reliability [u]."
        yield Column(share.unreliable, FLAG, "", said)


def _total(total: Total) -> Iterator[Column]:
    if total.kind == "sum":
        yield Column(total.key, WHOLE, total.unit, total.definition)
    elif total.kind == "mean":
        yield Column(total.key, REAL, total.unit, total.definition)
    else:
        yield Column(total.key, WHOLE, total.unit, total.definition)
        yield Column(f"{total.key}_day", DAY_TYPE, "date", "The day of the peak (the first, if several).")


def _pivot(pivot: Pivot) -> Table:
    columns: list[Column] = [ACTION, *AREA, *(_breakdown(b) for b in pivot.by)]
    for m in measures_of(pivot):
        columns.append(Column(m.key, WHOLE, m.unit, f"{m.definition} Null: not sent, never zero."))
    for share in SHARES.values():
        if share.table == pivot.name:
            columns += _share(share)
    if "strike_day" in pivot.by:
        columns += [*COVER_BY_DAY, JOINT]
    return Table(pivot.name, pivot.title, ("action_id", "area_type", "area_code", *pivot.by), tuple(columns))


def _totals() -> Table:
    columns: list[Column] = [ACTION, *AREA]
    for of in BY_EXTRACT.values():
        bases: list[str] = []
        for total in of.totals:
            columns += _total(total)
            bases += [total.basis] if total.basis and total.basis not in bases else []
        for basis in bases:
            said = "Trusts that the peak and the average are of."
            columns.append(Column(f"{basis}_trusts", WHOLE, "trusts", said))
            said = "True when those are only the trusts with a value for every strike day, because returns are missing."
            columns.append(Column(f"{basis}_is_same_trusts", FLAG, "", said))
        for share in of.shares:
            if share.table == TOTALS_TABLE:
                columns += _share(share)
    for extract, prefix in asked_for().items():
        columns += cover_of_totals(prefix, LABELS[extract])
    for total in TOTALS.values():
        if total.weight:
            said = f"Share of what expected trusts had booked that lies in those whose {total.key} is in the figure."
            columns.append(Column(total.weight, REAL, "percent", said))
    columns.append(JOINT)
    return Table(TOTALS_TABLE, "Totals of the action by area", ("action_id", "area_type", "area_code"), tuple(columns))


def _tables() -> dict[str, Table]:
    by_day = [_pivot(p) for p in PIVOTS.values() if "strike_day" in p.by]
    others = [_pivot(p) for p in PIVOTS.values() if "strike_day" not in p.by]
    return {t.name: t for t in (*by_day, _totals(), *others, COVERAGE, FLAGS, RETURNS, REVISIONS)}


TABLES = _tables()
