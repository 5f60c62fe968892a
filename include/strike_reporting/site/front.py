"""The pages across releases, written again after every publication."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from typing import Any

from strike_reporting.publishing.releases import current, folder, read_table
from strike_reporting.reference.actions import UnknownAction, resolve
from strike_reporting.site.overview import Kept, as_at, overview
from strike_reporting.storage import Store

log = logging.getLogger(__name__)
_TABLES = ("action_totals", "cancellations_daily", "staffing_daily")


def write_front(store: Store, today: date | None = None) -> None:
    """Write `releases/index.html` and `releases/before.html` from the current releases."""
    today = today or datetime.now(UTC).date()
    kept, before = [], {}
    for manifest in current(store):
        try:
            kept.append(_kept(store, manifest, _TABLES))
            if ";" not in manifest["action_id"]:
                before[manifest["action_id"]] = _before(store, manifest)
        except (OSError, UnknownAction):
            log.exception("release %s is left out of the pages across releases", manifest["release_id"])
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
        key = f"{folder(action, number)}/manifest.json"
        if not store.exists(key):
            continue  # a number that was claimed and given up
        manifest = store.read_json(key)
        if manifest["as_at"] and as_at(manifest) < action.days[0]:
            found.append(_kept(store, manifest, ("cancellations_daily",)))
    return found
