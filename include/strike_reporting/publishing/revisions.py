"""Revisions: every figure that differs from the release before, with what brought the change about."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from strike_reporting.catalogue.areas import ENGLAND
from strike_reporting.catalogue.tables import REVISIONS, TABLES, Table
from strike_reporting.publishing.frame import Frame
from strike_reporting.publishing.manifest import Inputs, Release, Source
from strike_reporting.reference.organisations import organisations


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
        reasons = _Reasons(frame, before.inputs, inputs)
        for name in ("cancellations_daily", "staffing_daily", "action_totals", "specialties"):
            for key, area, field, was, now in _changes(TABLES[name], old[name], new[name]):
                why, submissions = reasons.of(name, area, field)
                rows.append(
                    {
                        "action_id": frame.action_id,
                        "table": name,
                        "key": key,
                        "field": field,
                        "old": None if was is None else str(was),
                        "new": None if now is None else str(now),
                        "reason": why,
                        "submission_id": submissions,
                        "release": release_id,
                    }
                )
    return pa.Table.from_pylist(rows, schema=REVISIONS.schema)


class _Reasons:
    """Why a figure changed: the new submissions of its own area and kind, and what changed for all figures."""

    def __init__(self, frame: Frame, before: Inputs, now: Inputs) -> None:
        self._general = []
        if (before.method, before.judging_method) != (now.method, now.judging_method):
            self._general.append("a change of method")
        if before.contracts != now.contracts:
            self._general.append("a changed contract")
        self._known: dict[tuple[str, str, bool], tuple[str, str | None]] = {}
        past = {s.submission_id: s for s in before.submissions if s.is_used}
        arrived = [s for s in now.submissions if s.is_used and self._is_other(past.get(s.submission_id), s)]
        self._arrived = [(s, self._areas(frame, s.ods_code or "")) for s in arrived]

    @staticmethod
    def _is_other(was: Source | None, now: Source) -> bool:
        """Whether a submission is new, or was judged again with another result."""
        return was is None or (was.status, was.rows_accepted) != (now.status, now.rows_accepted)

    @staticmethod
    def _areas(frame: Frame, code: str) -> set[tuple[str, str]]:
        orgs = organisations()
        found = {("site", s.site_code) for s in orgs.sites() if s.ods_code == orgs.successor(code)}
        found |= {(a[0], a[1]) for m in frame.members if m.ods_code == code for a in m.areas}
        return found | {("trust", code), (ENGLAND.area_type, ENGLAND.area_code)}

    def of(self, table: str, area: tuple[str, str], field: str) -> tuple[str, str | None]:
        """The reason in words, and the submissions joined by `;`."""
        is_staff = table == "staffing_daily" or field.startswith(("staff", "percent_due"))
        known = (*area, is_staff)
        if known not in self._known:
            self._known[known] = self._find(area, is_staff)
        return self._known[known]

    def _find(self, area: tuple[str, str], is_staff: bool) -> tuple[str, str | None]:
        mine = [s for s, areas in self._arrived if area in areas and (s.extract == "staffing") == is_staff]
        reasons = list(self._general)
        if mine:
            who = sorted({f"{s.ods_code} {(s.extract or '').replace('_', ' ')}" for s in mine})
            more = f" and {len(who) - 10} more" if len(who) > 10 else ""
            reasons.insert(0, "new or replaced returns: " + ", ".join(who[:10]) + more)
        ids = ";".join(sorted(s.submission_id for s in mine)) or None
        return "; ".join(reasons) or "reference data changed, or a return was withdrawn or refused", ids


def _changes(table: Table, old: pa.Table, new: pa.Table) -> list[tuple[str, tuple[str, str], str, Any, Any]]:
    """Key, area (type and code), field, old and new value of everything that differs."""

    def index(rows: pa.Table) -> dict[str, dict[str, Any]]:
        keys = [k for k in table.keys if k != "action_id"]
        return {"|".join(f"{k}={r[k]}" for k in keys if r[k] is not None): r for r in rows.to_pylist()}

    was, now = index(old), index(new)
    found = []
    for key in sorted({*was, *now}):
        before, after = was.get(key, {}), now.get(key, {})
        row = after or before
        area = (row["area_type"], row["area_code"])
        for field in table.measures:
            if before.get(field) != after.get(field):
                found.append((key, area, field, before.get(field), after.get(field)))
    return found
