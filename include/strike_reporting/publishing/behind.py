"""What stands behind a column of a published table: which measures' facts, in which cells, and how they make it up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from strike_reporting.catalogue.measures import Share, Total
from strike_reporting.extracts import contracts_dir
from strike_reporting.extracts.measures import (
    BY_EXTRACT,
    MEASURES,
    PIVOTS,
    SHARES,
    TOTALS,
    TOTALS_TABLE,
    extract_of,
    measures_of,
)


@dataclass(frozen=True)
class Behind:
    """What a column is made of.

    kind: `sum` of the facts; `compared`: a share, peak or mean of them; `presence`: who has any; `returned`: who sent,
    was asked and belongs to the area. by: cells of the row that facts share. where: breakdowns within which they lie.
    weights: measures that count by value even where others do by presence.
    """

    kind: Literal["sum", "compared", "presence", "returned"]
    measures: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    weights: tuple[str, ...] = ()


@cache
def behind(table: str, column: str) -> Behind:
    """What is behind a column."""
    share = next((s for s in SHARES.values() if s.table == table and column in s.columns), None)
    if share:
        return Behind("compared", _paired(share), tuple(b for b in _by(table) if b == "strike_day"))
    if table == TOTALS_TABLE:
        return next((b for t in TOTALS.values() if (b := _of_total(t, column))), Behind("returned"))
    own = column in {m.key for m in measures_of(PIVOTS[table])}
    return Behind("sum", (column,), _by(table)) if own else Behind("returned")


@cache
def of_row(table: str) -> Behind:
    """What is behind a row's being there at all: any fact in its cells."""
    measures = tuple(m.key for m in measures_of(PIVOTS[table])) if table in PIVOTS else ()
    return Behind("compared" if measures else "returned", measures, _by(table))


def _by(table: str) -> tuple[str, ...]:
    return PIVOTS[table].by if table in PIVOTS else ()


def _of_total(t: Total, column: str) -> Behind | None:
    where = tuple(t.where.items())
    if column in (t.key, f"{t.key}_day"):
        return Behind("sum" if t.kind == "sum" else "compared", (t.of,), (), where)
    if t.weight == column:
        weights = tuple(m.key for m in MEASURES.values() if m.weighs is not None)
        return Behind("presence", (t.of, *weights), (), where, weights)
    if t.basis and column.startswith(f"{t.basis}_"):
        return Behind("presence", (t.of,), (), where)
    return None


def _paired(share: Share) -> tuple[str, ...]:
    """The measures that the SQL of a share's pairs names."""
    text = (contracts_dir(extract_of(share.key)) / "pairs.sql").read_text(encoding="utf-8")
    named = set(re.findall(r"'(\w+)'", text))
    return tuple(m.key for c in BY_EXTRACT.values() for m in c.measures if m.key in named)
