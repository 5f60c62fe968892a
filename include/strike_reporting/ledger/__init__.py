"""The ledger: one outcome record for every delivered file and for every feed of every collection.

Coverage, chasing and releases read these records, never the event that started them. Records hold no clock
of their own, so writing the same outcome again changes nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from typing import Any

from strike_reporting.intake.landing import Receipt
from strike_reporting.storage import Store

SUBMISSIONS = "ledger/submissions"
DELIVERIES = "ledger/deliveries"
PULLS = "ledger/pulls"
VALIDATORS = "ledger/validators"


@dataclass(frozen=True)
class Day:
    """What one submission says about one strike day."""

    rows: int
    total: int
    quarantined: int = 0


@dataclass(frozen=True)
class Outcome:
    """What became of one submission.

    status: `accepted`, `accepted_in_part` (some rows quarantined) or `rejected`.
    rules: how many problems each broken rule made; warnings are only counted in `warnings`.
    rules_version: the contracts, dialect and reference data it was judged by; another version judges it again.
    """

    submission_id: str
    feed_id: str
    source_name: str
    received_at: str
    status: str
    reason: str
    fix: str
    ods_code: str | None
    extract: str | None
    dialect: str | None
    contract_version: str | None
    rules_version: str
    sha256: str
    action_id: str | None
    due: str | None
    data_class: str
    rows_read: int = 0
    rows_accepted: int = 0
    rows_quarantined: int = 0
    warnings: int = 0
    rules: dict[str, int] = field(default_factory=dict)
    days: dict[str, Day] = field(default_factory=dict)

    @property
    def counts(self) -> bool:
        """Whether any of its rows may be published."""
        return self.status in ("accepted", "accepted_in_part")


def record(store: Store, outcome: Outcome) -> None:
    """Write a submission's outcome."""
    store.write_json(f"{SUBMISSIONS}/{outcome.submission_id}.json", asdict(outcome))


def outcome(store: Store, submission_id: str) -> Outcome | None:
    """A submission's outcome, if it has been judged."""
    key = f"{SUBMISSIONS}/{submission_id}.json"
    return _outcome(store.read_json(key)) if store.exists(key) else None


def outcomes(store: Store) -> list[Outcome]:
    """Every outcome, in the order the submissions were received."""
    found = [_outcome(r) for r in store.each_json(SUBMISSIONS)]
    return sorted(found, key=lambda o: (o.received_at, o.submission_id))


def _outcome(value: dict[str, Any]) -> Outcome:
    days = {d: Day(**v) for d, v in value.pop("days").items()}
    return Outcome(**value, days=days)


def record_duplicate(store: Store, receipt: Receipt, source_name: str) -> dict[str, Any]:
    """Note a file whose content this feed had already delivered under another name."""
    value = {
        "status": "duplicate",
        "source_name": source_name,
        "feed_id": receipt.feed_id,
        "submission_id": receipt.submission_id,
        "sha256": receipt.sha256,
        "reason": f"the same content as {receipt.source_name!r}, landed as {receipt.submission_id}; counted once",
        "fix": "Nothing need be done. If it was meant to be a correction, send the corrected file.",
    }
    name = hashlib.sha256(source_name.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    store.write_json(f"{DELIVERIES}/{receipt.submission_id}-{name}.json", value)
    return value


def record_pull(store: Store, collection: str, feed_id: str, status: str, reason: str, files: list[str]) -> None:
    """Write what a feed's pull did in one collection: `landed`, `nothing_new`, `no_file` or `failed`.

    A later pull of the same collection that finds nothing new never overwrites one that landed something.
    """
    key = f"{PULLS}/{collection}/{feed_id}.json"
    if store.exists(key) and status in ("nothing_new", "no_file"):
        before = store.read_json(key)
        if before["status"] == "landed":
            return
    store.write_json(
        key,
        {
            "collection": collection,
            "feed_id": feed_id,
            "status": status,
            "reason": reason,
            "files": sorted(files),
        },
    )


def pulls(store: Store, collection: str) -> list[dict[str, Any]]:
    """Every feed's pull record of a collection, by feed."""
    return list(store.each_json(f"{PULLS}/{collection}"))


def pull_failures(store: Store) -> dict[str, str]:
    """Why each feed's newest pull failed, for feeds whose newest pull did."""
    newest: dict[str, dict[str, Any]] = {}
    for pull in store.each_json(PULLS):
        newest[pull["feed_id"]] = pull  # collections are listed in order of their id
    return {f: p["reason"] for f, p in sorted(newest.items()) if p["status"] == "failed"}


def validators(store: Store, feed_id: str) -> dict[str, dict[str, str]]:
    """What the feed's server said of each file name it last gave (ETag, Last-Modified), once it was landed."""
    key = f"{VALIDATORS}/{feed_id}.json"
    return store.read_json(key) if store.exists(key) else {}


def record_validators(store: Store, feed_id: str, seen: dict[str, dict[str, str]]) -> None:
    """Keep them for the next pull; without any, nothing is written."""
    if seen:
        store.write_json(f"{VALIDATORS}/{feed_id}.json", seen)
