"""Revisions: every figure that differs from the release before, with what brought the change about."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from strike_reporting.actions import ActionSet
from strike_reporting.summaries.tables import REVISIONS, TABLES, Table


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
        arrived = {s["submission_id"]: s for s in inputs["submissions"] if s["submission_id"] not in past}
        why = _why(before["inputs"], inputs, arrived)
        for name in ("cancellations_daily", "staffing_daily", "action_totals", "specialties"):
            for key, field, was, now in _changes(TABLES[name], old[name], new[name]):
                rows.append(
                    {
                        "action_id": action.action_id,
                        "table": name,
                        "key": key,
                        "field": field,
                        "old": None if was is None else str(was),
                        "new": None if now is None else str(now),
                        "reason": why,
                        "submission_id": ";".join(sorted(arrived)) or None,
                        "release": release_id,
                    }
                )
    return pa.Table.from_pylist(rows, schema=REVISIONS.schema)


def _why(before: dict[str, Any], now: dict[str, Any], arrived: dict[str, dict[str, Any]]) -> str:
    reasons = []
    if arrived:
        who = sorted({f"{s['ods_code']} {s['extract']}" for s in arrived.values()})
        reasons.append("new or replaced returns: " + ", ".join(who[:10]) + (" and others" if len(who) > 10 else ""))
    for part, words in (
        ("code", "a change of method"),
        ("reference_sha256", "changed reference data"),
        ("contracts_sha256", "a changed contract"),
    ):
        if before[part] != now[part]:
            reasons.append(words)
    return "; ".join(reasons) or "a return was withdrawn or refused"


def _changes(table: Table, old: pa.Table, new: pa.Table) -> list[tuple[str, str, Any, Any]]:
    def index(rows: pa.Table) -> dict[str, dict[str, Any]]:
        keys = [k for k in table.keys if k != "action_id"]
        return {"|".join(f"{k}={r[k]}" for k in keys if r[k] is not None): r for r in rows.to_pylist()}

    was, now = index(old), index(new)
    return [
        (key, field, was.get(key, {}).get(field), now.get(key, {}).get(field))
        for key in sorted({*was, *now})
        for field in table.measures
        if was.get(key, {}).get(field) != now.get(key, {}).get(field)
    ]
