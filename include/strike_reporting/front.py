"""The pages across releases, written again after every publication."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from strike_reporting.actions import resolve
from strike_reporting.releases import current, folder, read_table
from strike_reporting.reports.overview import Kept, as_at, overview
from strike_reporting.storage import Store

_TABLES = ("action_totals", "cancellations_daily", "staffing_daily")


def write_front(store: Store, today: date | None = None) -> None:
    """Write `releases/index.html` and `releases/before.html` from the current releases."""
    today = today or datetime.now(UTC).date()
    manifests = current(store)
    kept = [_kept(store, m, _TABLES) for m in manifests]
    before = {m["action_id"]: _before(store, m) for m in manifests if ";" not in m["action_id"]}
    for name, page in overview(kept, before, today).items():
        store.write(f"releases/{name}", page)


def _kept(store: Store, manifest: dict[str, Any], tables: tuple[str, ...]) -> Kept:
    action = resolve(manifest["action_id"])
    return Kept(manifest, {n: read_table(store, action, manifest["number"], n) for n in tables})


def _before(store: Store, newest: dict[str, Any]) -> list[Kept]:
    """An action's releases from before its first strike day."""
    action = resolve(newest["action_id"])
    found = []
    for number in range(1, newest["number"] + 1):
        manifest = store.read_json(f"{folder(action, number)}/manifest.json")
        if manifest["as_at"] and as_at(manifest) < action.days[0]:
            found.append(_kept(store, manifest, ("cancellations_daily",)))
    return found
