"""Revisions: every figure that differs from the release before, with what brought the change about."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa

from strike_reporting.catalogue.tables import REVISIONS, TABLES, Table
from strike_reporting.reference.actions import ActionSet
from strike_reporting.reference.organisations import ENGLAND, organisations

_GENERAL = (
    ("code", "a change of method"),
    ("reference_sha256", "changed reference data"),
    ("contracts_sha256", "a changed contract"),
)


def revisions(
    action: ActionSet,
    release_id: str,
    old: dict[str, pa.Table],
    new: dict[str, pa.Table],
    before: dict[str, Any] | None,
    inputs: dict[str, Any],
    past: set[str],
) -> pa.Table:
    """The `revisions` table of a release; empty for an action's first one.

    Args:
        action: the action reported.
        release_id: this release.
        old: the tables of the release before (empty for the first).
        new: this release's tables.
        before: the manifest of the release before.
        inputs: this release's inputs.
        past: submissions that the release before used.
    """
    rows: list[dict[str, Any]] = []
    if before:
        arrived = [s for s in inputs["submissions"] if s["submission_id"] not in past]
        reasons = _Reasons(action, before["inputs"], inputs, arrived)
        for name in ("cancellations_daily", "staffing_daily", "action_totals", "specialties"):
            for key, area, field, was, now in _changes(TABLES[name], old[name], new[name]):
                why, submissions = reasons.of(name, area, field)
                rows.append(
                    {
                        "action_id": action.action_id,
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

    def __init__(
        self, action: ActionSet, before: dict[str, Any], now: dict[str, Any], arrived: list[dict[str, Any]]
    ) -> None:
        self._general = [words for part, words in _GENERAL if before[part] != now[part]]
        self._known: dict[tuple[str, str, bool], tuple[str, str | None]] = {}
        self._arrived = [(s, self._areas(s["ods_code"], action.days[0])) for s in arrived]

    @staticmethod
    def _areas(code: str, day: date) -> set[tuple[str, str]]:
        orgs = organisations()
        sites = {("site", s.site_code) for s in orgs.sites() if s.ods_code == orgs.successor(code)}
        if not orgs.is_trust(code, day):  # it began or ended during the action
            return sites | {("trust", code), ("england", ENGLAND)}
        return sites | {(a.area_type, a.area_code) for a in orgs.areas(code, day)}

    def of(self, table: str, area: tuple[str, str], field: str) -> tuple[str, str | None]:
        """The reason in words, and the submissions joined by `;`."""
        is_staff = table == "staffing_daily" or field.startswith(("staff", "percent_due"))
        known = (*area, is_staff)
        if known not in self._known:
            self._known[known] = self._find(area, is_staff)
        return self._known[known]

    def _find(self, area: tuple[str, str], is_staff: bool) -> tuple[str, str | None]:
        mine = [s for s, areas in self._arrived if area in areas and (s["extract"] == "staffing") == is_staff]
        reasons = list(self._general)
        if mine:
            who = sorted({f"{s['ods_code']} {s['extract'].replace('_', ' ')}" for s in mine})
            more = f" and {len(who) - 10} more" if len(who) > 10 else ""
            reasons.insert(0, "new or replaced returns: " + ", ".join(who[:10]) + more)
        ids = ";".join(sorted(s["submission_id"] for s in mine)) or None
        return "; ".join(reasons) or "a return was withdrawn or refused", ids


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
