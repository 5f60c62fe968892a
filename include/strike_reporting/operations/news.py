"""What an asset's event tells: facts about what changed, or nothing, so that it starts no run without work.

Each is asked of the ledger and compared with what the last event said (its `state`), so a run that was killed before it
could tell, or that tells again, neither loses an event nor repeats it. What was told and could not be done is not told
again: the strike calendar looks after it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from strike_reporting.errors import attempt
from strike_reporting.ledger import ledger_of
from strike_reporting.storage import Store

if TYPE_CHECKING:
    from strike_reporting.ledger.records import Outcome

Facts = dict[str, Any]


def landed(store: Store, last: Mapping[str, Any]) -> Facts | None:
    """What waits to be judged, of which feeds and trusts; None where nothing does, or all of it was told."""
    waiting = ledger_of(store).receiving.to_judge()
    ids = [*(r.submission_id for r in waiting), *waiting.set_aside]
    state = _digest(sorted(ids))
    if not ids or state == last.get("state"):
        return None
    return {
        "submissions": len(ids),
        "feeds": sorted({r.feed_id for r in waiting}),
        "trusts": sorted({r.ods_code for r in waiting if r.ods_code}),
        "state": state,
    }


def accepted(store: Store, last: Mapping[str, Any], judged: Iterable[str]) -> Facts | None:
    """Which actions may be told otherwise, by which of the submissions that were to be judged; None as above."""
    ledger = ledger_of(store).judged
    touched = ledger.touched()
    state = _digest(sorted(touched.items()))
    if not touched or state == last.get("state"):
        return None
    outcomes = ledger.some(judged)
    return {
        "actions": sorted(touched),
        "trusts": sorted({t for o in outcomes for t in _trusts(o)}),
        "outcomes": dict(sorted(Counter(o.status for o in outcomes).items())),
        "flags": sum(o.warnings for o in outcomes),
        "state": state,
    }


def released(store: Store, last: Mapping[str, Any]) -> Facts | None:
    """Which actions have another current release than was told; None where none has."""
    current = {c.action_id: c.release_id for c in ledger_of(store).published.current()}
    told = last.get("current", {})
    fresh = [release_id for action_id, release_id in current.items() if told.get(action_id) != release_id]
    if not fresh:
        return None
    return {"releases": [_about(store, release_id) for release_id in fresh], "current": current}


def _about(store: Store, release_id: str) -> Facts:
    """A release in a few facts; of one whose files are damaged only its id: `strikes doctor` says what is wrong."""
    from strike_reporting.publishing.releases import find, read_table

    def read(release_id: str) -> Facts:
        release = find(store, release_id)
        returns = read_table(store, release, "returns").select(["ods_code", "submission_id"]).to_pylist()
        return {
            "action": release.action_id,
            "release": release_id,
            "returned": str(release.coverage),
            "trusts": sorted({r["ods_code"] for r in returns if r["submission_id"]}),
            "flags": dict(sorted(Counter(read_table(store, release, "flags")["flag"].to_pylist()).items())),
            "data_class": release.data_class,
        }

    return attempt(release_id, read).made or {"release": release_id}


def _trusts(outcome: Outcome) -> list[str]:
    """The trusts that a submission speaks for."""
    spoken = [part.split(".")[1] for part in outcome.parts]
    return spoken or [outcome.ods_code] if outcome.ods_code else spoken


def _digest(of: Any) -> str:
    return hashlib.sha256(json.dumps(of).encode()).hexdigest()[:16]
