"""Revisions: every figure that differs from the release before, with what brought the change about (see `causes`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from strike_reporting.catalogue.tables import REVISIONS, Table
from strike_reporting.extracts.measures import PIVOTS, TOTALS_TABLE
from strike_reporting.extracts.tables import TABLES, unpublished
from strike_reporting.publishing.behind import behind, of_row
from strike_reporting.publishing.causes import Causes
from strike_reporting.publishing.differing import database, differing

Row = dict[str, Any]
_AREA = ("area_type", "area_code")


@dataclass(frozen=True)
class _Change:
    """A row of which figures differ.

    own: the same row of each trust of a wider area, as it was and is; one that is the same may be left out.
    """

    area: tuple[str, str]
    cells: Row
    key: str
    was: Row
    now: Row
    own: Mapping[str, tuple[Row, Row]]


def revisions(
    action_id: str, release_id: str, old: Mapping[str, pa.Table], new: Mapping[str, pa.Table], causes: Causes
) -> pa.Table:
    """The `revisions` table of a release.

    Args:
        action_id: the action reported.
        release_id: this release.
        old: the tables of the release before.
        new: this release's tables.
        causes: why figures of the one differ from those of the other.
    """
    rows, names = [], (*PIVOTS, TOTALS_TABLE)
    area = () if causes.is_anyone_moved else _AREA  # who moved counts elsewhere, also with rows that are the same
    with database(sum(t[n].num_rows for t in (old, new) for n in names)) as con:
        differ = {n: differing(con, old[n], new[n], [*area, *_cells(TABLES[n])]) for n in names}
    for name in names:
        fields = [f for f in TABLES[name].measures if f not in unpublished(old[name])]
        for change in _changes(TABLES[name], *differ[name]):
            for field in (f for f in fields if change.was.get(f) != change.now.get(f)):
                why, submissions = _cause(causes, name, field, change)
                was, now = change.was.get(field), change.now.get(field)
                rows.append(
                    {
                        "action_id": action_id,
                        "table": name,
                        "key": change.key,
                        "field": field,
                        "old": None if was is None else str(was),
                        "new": None if now is None else str(now),
                        "reason": why,
                        "submission_id": submissions,
                        "release": release_id,
                    }
                )
    return pa.Table.from_pylist(rows, schema=REVISIONS.schema)


def _cause(causes: Causes, table: str, field: str, change: _Change) -> tuple[str, str | None]:
    was, now = change.was.get(field), change.now.get(field)
    of = behind(table, field)
    if of.kind == "returned" and not (change.was and change.now):
        of = of_row(table)
    by = (now or 0) - (was or 0) if of.kind == "sum" else None
    own = {code: (w.get(field), n.get(field)) for code, (w, n) in change.own.items()}
    return causes.of(of, table, field, change.area, change.cells, by, own)


def _key(table: Table, row: Row) -> str:
    return "|".join(f"{k}={row[k]}" for k in table.keys if k != "action_id" and row[k] is not None)


def _cells(table: Table) -> list[str]:
    """What the rows of an area are told apart by."""
    return [k for k in table.keys if k not in ("action_id", *_AREA)]


def _changes(table: Table, before: pa.Table, after: pa.Table) -> Iterator[_Change]:
    """Every row that differs, in the order of its key, given those and, where it matters, the others of their cells."""
    names = _cells(table)
    was = {_key(table, r): r for r in before.to_pylist()}
    now = {_key(table, r): r for r in after.to_pylist()}
    own: dict[tuple[Any, ...], dict[str, tuple[Row, Row]]] = defaultdict(dict)
    for key in {*was, *now}:
        row = now.get(key) or was[key]
        if row["area_type"] == "trust":
            own[tuple(row[k] for k in names)][row["area_code"]] = (was.get(key, {}), now.get(key, {}))
    for key in sorted({*was, *now}):
        earlier, later = was.get(key, {}), now.get(key, {})
        if earlier != later:
            row = later or earlier
            cells = {k: row[k] for k in names}
            area = (str(row["area_type"]), str(row["area_code"]))
            trusts = {area[1]: (earlier, later)} if area[0] == "trust" else own[tuple(cells.values())]
            yield _Change(area, cells, key, earlier, later, trusts)
