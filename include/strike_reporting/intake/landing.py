"""Landing: the bytes as received, by content hash, with a receipt written after them.

A submission is one content from one feed. The receipt is what makes a landing count: bytes without one are
an interrupted landing and are landed again by the next pull.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from strike_reporting.showing import safe_name
from strike_reporting.storage import Store

RECEIPTS = "landing/receipts"
RESTRICTED = "landing/restricted"


@dataclass(frozen=True)
class Receipt:
    """What is known about one landed submission. `received_at` is UTC, ISO 8601 with microseconds."""

    submission_id: str
    feed_id: str
    ods_code: str | None
    extract: str | None
    dialect: str | None
    source_name: str
    received_at: str
    size: int
    sha256: str
    action_id: str | None = None
    due: str | None = None
    data_class: str = "real"
    transport: dict[str, Any] = field(default_factory=dict)


def submission_id(feed_id: str, sha256: str) -> str:
    """The id of a content from a feed: stable across redeliveries, machines and transports of the feed."""
    return hashlib.sha256(f"{feed_id}\n{sha256}".encode()).hexdigest()[:20]


def object_key(sha256: str) -> str:
    """Where the bytes with this hash are."""
    return f"landing/objects/{sha256[:2]}/{sha256}"


def land(store: Store, data: bytes, *, source_name: str, **facts: Any) -> tuple[Receipt, bool]:
    """Land one file.

    Args:
        store: the state root.
        data: the file's bytes, kept unchanged.
        source_name: the remote name, kept as a fact and never used as a path.
        facts: the other `Receipt` fields (feed_id, ods_code, extract, dialect, transport, ...).

    Returns:
        The receipt, and whether it is new; a content that this feed delivered before gives its first receipt.
    """
    source_name = safe_name(source_name)
    digest = hashlib.sha256(data).hexdigest()
    identity = submission_id(facts["feed_id"], digest)
    key = f"{RECEIPTS}/{identity}.json"
    if store.exists(key):
        return Receipt(**store.read_json(key)), False
    if not store.exists(object_key(digest)):
        store.write(object_key(digest), data, private=True)  # nobody knows yet what is in it
    receipt = Receipt(
        submission_id=identity,
        source_name=source_name,
        received_at=_now(),
        size=len(data),
        sha256=digest,
        **facts,
    )
    store.write_json(key, asdict(receipt))
    return receipt, True


_last = datetime.min.replace(tzinfo=UTC)
_clock = threading.Lock()


def _now() -> str:
    """The time, always later than the one before: the order of landing decides which submission is newest."""
    global _last
    with _clock:
        _last = max(datetime.now(UTC), _last + timedelta(microseconds=1))
        return _last.isoformat(timespec="microseconds")


def receipts(store: Store) -> list[Receipt]:
    """Every receipt, oldest first; ties by submission id."""
    found = [Receipt(**r) for r in store.each_json(RECEIPTS)]
    return sorted(found, key=lambda r: (r.received_at, r.submission_id))


def content(store: Store, receipt: Receipt) -> bytes:
    """The landed bytes of a submission, verified against its hash.

    Raises:
        FileNotFoundError: they were purged.
        OSError: the stored bytes no longer match the receipt.
    """
    try:
        data = store.read(object_key(receipt.sha256))
    except FileNotFoundError:
        data = store.read(f"{RESTRICTED}/{receipt.sha256}")
    if hashlib.sha256(data).hexdigest() != receipt.sha256:
        raise OSError(f"landed bytes of submission {receipt.submission_id} do not match their hash")
    return data
