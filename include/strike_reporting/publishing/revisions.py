"""Revisions: every figure that differs from the release before, with what brought the change about.

The cause of a changed figure is looked for where it lies: in the trusts of its area whose own figure of the same name
changed, and in what changed of their returns. Only what is left is put down to a change that concerns all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from strike_reporting.catalogue.areas import ENGLAND
from strike_reporting.catalogue.statuses import RETURNED
from strike_reporting.catalogue.tables import REVISIONS, Table
from strike_reporting.extracts.measures import PIVOTS, TOTALS_TABLE, concerned
from strike_reporting.extracts.tables import TABLES, unpublished
from strike_reporting.publishing.frame import Frame
from strike_reporting.publishing.manifest import Inputs, Release
from strike_reporting.reference.organisations import organisations

Row = dict[str, Any]
Cells = tuple[tuple[str, Any], ...]  # the key of a row without its area


def revisions(
    frame: Frame,
    release_id: str,
    old: dict[str, pa.Table],
    new: dict[str, pa.Table],
    before: Release | None,
    inputs: Inputs,
) -> pa.Table:
    """The `revisions` table of a release; empty for an action's first one.

    Args:
        frame: the action reported.
        release_id: this release.
        old: the tables of the release before (empty for the first).
        new: this release's tables.
        before: the release before.
        inputs: this release's inputs.
    """
    rows: list[dict[str, str | None]] = []
    if before:
        causes = _Causes(frame, before.inputs, inputs, _returns(old), _returns(new))
        for name in (*PIVOTS, TOTALS_TABLE):
            changes = list(_changes(TABLES[name], old[name], new[name]))
            causes.learn(name, changes)
            for change in changes:
                why, submissions = causes.of(name, change)
                rows.append(
                    {
                        "action_id": frame.action_id,
                        "table": name,
                        "key": change.key,
                        "field": change.field,
                        "old": None if change.old is None else str(change.old),
                        "new": None if change.new is None else str(change.new),
                        "reason": why,
                        "submission_id": submissions,
                        "release": release_id,
                    }
                )
    return pa.Table.from_pylist(rows, schema=REVISIONS.schema)


class _Change:
    """One figure that differs."""

    __slots__ = ("area", "cells", "field", "key", "new", "old")

    def __init__(self, table: Table, row: Row, field: str, old: Any, new: Any) -> None:
        self.area = (str(row["area_type"]), str(row["area_code"]))
        self.cells: Cells = tuple((k, row[k]) for k in table.keys if k not in ("action_id", "area_type", "area_code"))
        self.key = _key(table, row)
        self.field, self.old, self.new = field, old, new


def _key(table: Table, row: Row) -> str:
    return "|".join(f"{k}={row[k]}" for k in table.keys if k != "action_id" and row[k] is not None)


def _changes(table: Table, old: pa.Table, new: pa.Table) -> Iterator[_Change]:
    """Every figure that differs; a column that the release before was published without tells nothing new of it."""
    fields = [f for f in table.measures if f not in unpublished(old)]
    was = {_key(table, r): r for r in old.to_pylist()}
    now = {_key(table, r): r for r in new.to_pylist()}
    for key in sorted({*was, *now}):
        before, after = was.get(key, {}), now.get(key, {})
        for field in fields:
            if before.get(field) != after.get(field):
                yield _Change(table, after or before, field, before.get(field), after.get(field))


def _returns(tables: dict[str, pa.Table]) -> dict[tuple[str, str, str], Row]:
    """Returns by trust, extract and day."""
    return {(r["ods_code"], r["extract"], str(r["strike_day"])): r for r in tables["returns"].to_pylist()}


class _Causes:
    """Why figures changed."""

    def __init__(
        self,
        frame: Frame,
        before: Inputs,
        now: Inputs,
        old: dict[tuple[str, str, str], Row],
        new: dict[tuple[str, str, str], Row],
    ) -> None:
        self._general = []
        if (before.method, before.judging_method) != (now.method, now.judging_method):
            self._general.append("a change of method")
        if before.contracts != now.contracts:
            self._general.append("a changed contract")
        self._old, self._new = old, new
        self._names = {s.submission_id: s.source_name for s in (*before.submissions, *now.submissions)}
        self._differ: dict[tuple[str, str], list[str]] = {}
        for code, extract, day in sorted({*old, *new}):
            if _told(old.get((code, extract, day))) != _told(new.get((code, extract, day))):
                self._differ.setdefault((code, extract), []).append(day)
        self._areas: dict[str, set[tuple[str, str]]] = {}
        for m in frame.members:
            self._areas.setdefault(m.ods_code, set()).update((a[0], a[1]) for a in m.areas)
        self._sites = {s.site_code: s.ods_code for s in organisations().sites()}
        self._moved: dict[tuple[str, str, Cells], set[str]] = {}

    def learn(self, table: str, changes: list[_Change]) -> None:
        """Note which trusts' own figures changed."""
        for c in changes:
            if c.area[0] == "trust":
                self._moved.setdefault((table, c.field, c.cells), set()).add(c.area[1])

    def of(self, table: str, change: _Change) -> tuple[str, str | None]:
        """The reason in words, and the submissions joined by `;`."""
        extracts, day = concerned(table, change.field), dict(change.cells).get("strike_day")
        trusts = self._trusts(table, change)
        found: dict[str, list[str]] = {}
        submissions: set[str] = set()
        for code in sorted(trusts):
            for extract in extracts:
                days = [d for d in self._differ.get((code, extract), ()) if day is None or d == str(day)]
                if days:
                    what, of = self._return(code, extract, days, submissions)
                    found.setdefault(what, []).append(of)
        said = [f"{what}: {_first(of)}" for what, of in found.items()]
        why = "; ".join([*said, *self._general]) or "reference data changed: names, members or who is asked"
        return why, ";".join(sorted(submissions)) or None

    def _trusts(self, table: str, change: _Change) -> set[str]:
        """The trusts whose own figure changed with this one; of a coverage, all trusts of the area."""
        kind, code = change.area
        if kind == "site":
            return {self._sites.get(code, code), code[:3]}
        if kind == "trust":
            return {code}
        moved = self._moved.get((table, change.field, change.cells), set())
        mine = {t for t, areas in self._areas.items() if change.area in areas or kind == ENGLAND.area_type}
        return (moved & mine) or mine

    def _return(self, code: str, extract: str, days: list[str], submissions: set[str]) -> tuple[str, str]:
        """What happened to a trust's returns of an extract on these days, and of whom."""
        was: set[str] = set()
        now: set[str] = set()
        refused: set[str] = set()
        for d in days:
            old, new = self._old.get((code, extract, d)), self._new.get((code, extract, d))
            was |= _used(old)
            now |= _used(new)
            refused |= _refused(new) - _refused(old)
        what = f"{code} {extract.replace('_', ' ')}"
        fresh, gone = now - was, was - now
        submissions |= fresh or gone
        if fresh:
            return "new or replaced returns", f"{what} ({self._named(fresh)})"
        if gone:
            return "no longer counted", f"{what} ({self._named(gone)})"
        if refused:
            submissions |= refused
            return "a newer file could not be used", f"{what} ({self._named(refused)})"
        return "judged again, or asked otherwise", what

    def _named(self, submissions: set[str]) -> str:
        names = sorted({self._names.get(s, s) for s in submissions})
        return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def _first(of: list[str]) -> str:
    """The first ten, and how many more."""
    return ", ".join(of[:10]) + (f" and {len(of) - 10} more" if len(of) > 10 else "")


def _used(row: Row | None) -> set[str]:
    """The submissions whose rows count; of a release that named only the newest, that one."""
    if row is None or row["return_status"] not in RETURNED:
        return set()
    return {s for s in (row["submission_ids"] or row["submission_id"] or "").split(";") if s}


def _refused(row: Row | None) -> set[str]:
    return {s for s in [(row or {}).get("refused_submission_id")] if s}


def _told(row: Row | None) -> tuple[tuple[Any, ...], set[str]]:
    """What of a return can change a figure or its coverage."""
    kept = ("return_status", "total", "rows_accepted", "rows_quarantined", "refused_submission_id")
    return tuple((row or {}).get(k) for k in kept), _used(row)
