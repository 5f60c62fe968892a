"""Landing: the bytes as received, by content hash, with a receipt written after them.

A submission is one content from one feed. First the ledger gives it its place in the order; then bytes and receipt are
kept, both synced; then the ledger says that it landed. A landing that dies on the way is finished by the next one.
Files that come at the same time go these steps together: a disk that is waited for is waited for once.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from threading import Lock

from strike_reporting.errors import OurFault, together
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.receiving import receipt_key
from strike_reporting.ledger.records import Fact, Receipt
from strike_reporting.showing import safe_name
from strike_reporting.storage import Store

RESTRICTED = "landing/restricted"


@dataclass(frozen=True)
class Sender:
    """What is known of a file before it is read: by its feed, or by the drop that it lay in."""

    feed_id: str
    ods_code: str | None = None
    speaks_for: tuple[str, ...] = ()
    extract: str | None = None
    dialect: str | None = None
    action_id: str | None = None
    due: str | None = None
    grace_minutes: int = 0
    restates_day: bool = False
    data_class: str = "real"
    collection: str = ""
    transport: dict[str, Fact] = field(default_factory=dict)
    sent_at: str | None = None


def submission_id(feed_id: str, sha256: str) -> str:
    """The id of a content from a feed: stable across redeliveries, machines and transports of the feed."""
    return hashlib.sha256(f"{feed_id}\n{sha256}".encode()).hexdigest()[:20]


def object_key(sha256: str) -> str:
    """Where the bytes with this hash are."""
    return f"landing/objects/{sha256[:2]}/{sha256}"


def refusal_key(submission_id: str) -> str:
    """Where the outcome of a file with patient data is kept, for the day when its bytes are purged."""
    return f"landing/refusals/{submission_id}.json"


def moment() -> datetime:
    """The present, UTC: by this clock files are received."""
    return datetime.now(UTC)


def _now() -> str:
    return moment().isoformat(timespec="microseconds")


def is_held(store: Store, submission_id: str, sha256: str) -> bool:
    """Whether landing still has what it had of a submission: its bytes, or the refusal that outlives them."""
    return any(map(store.exists, (object_key(sha256), f"{RESTRICTED}/{sha256}", refusal_key(submission_id))))


@dataclass(frozen=True)
class Arrived:
    """A file to be landed.

    source_name: the remote name, kept as a fact and never used as a path. place: the number that was reserved for it,
    if one was. is_lost: it was landed before and landing may have lost it: then it is new again, under its number.
    """

    data: bytes
    source_name: str
    sender: Sender
    place: int | None = None
    is_lost: bool = False

    @property
    def name(self) -> str:
        """As a log may name it."""
        return safe_name(self.source_name)

    @cached_property
    def sha256(self) -> str:
        """The hash of its bytes."""
        return hashlib.sha256(self.data).hexdigest()

    def drafted(self) -> Receipt:
        """Its receipt, without a number."""
        sender = self.sender
        return Receipt(
            submission_id=submission_id(sender.feed_id, self.sha256),
            sequence=0,
            feed_id=sender.feed_id,
            source_name=safe_name(self.source_name),
            received_at=_now(),
            size=len(self.data),
            sha256=self.sha256,
            ods_code=sender.ods_code,
            speaks_for=sender.speaks_for,
            extract=sender.extract,
            dialect=sender.dialect,
            collection=sender.collection,
            sent_at=sender.sent_at,
            action_id=sender.action_id,
            due=sender.due,
            grace_minutes=sender.grace_minutes,
            restates_day=sender.restates_day,
            data_class=sender.data_class,
            transport=sender.transport,
        )


def land(store: Store, files: Sequence[Arrived]) -> list[tuple[Receipt, bool]]:
    """Land files together: each goes its own way through ledger and landing, and what waits for a disk waits for all.

    Returns:
        Of each its receipt, and whether it is new; a content that its feed delivered before gives its first receipt.
    """
    receiving = ledger_of(store).receiving
    numbered = receiving.number([(one.drafted(), one.place) for one in files])
    found, new = [], []
    for one, (receipt, was_landed) in zip(files, numbered, strict=True):
        is_new = not was_landed or (one.is_lost and not is_held(store, receipt.submission_id, one.sha256))
        found.append((receipt, is_new))
        new += [(one, receipt)] if is_new else []
    # Readable by its owner only: nobody knows yet what is in it.
    store.write_many({object_key(one.sha256): one.data for one, _ in new}, private=True)
    store.write_many({receipt_key(r.submission_id): r.dump() for _, r in new})
    receiving.landed([r.submission_id for _, r in new])
    return found


class Desk:
    """Where pulls that run side by side have their files landed.

    Whoever comes while others are served waits with all that come meanwhile, and they are landed together.
    """

    def __init__(self, store: Store) -> None:
        self._store, self._turn = store, Lock()
        self._waiting: deque[_Waiting] = deque()

    def land(self, file: Arrived) -> tuple[Receipt, bool]:
        """Land a file; as `land` does. What another file fails for is no matter of this one's."""
        mine = _Waiting(file)
        self._waiting.append(mine)
        with self._turn:
            if not mine.told.done():
                self._serve([self._waiting.popleft() for _ in range(len(self._waiting))])
        return mine.told.result()

    def _serve(self, some: Sequence[_Waiting]) -> None:
        def landed(part: Sequence[_Waiting]) -> None:
            for one, found in zip(part, land(self._store, [one.file for one in part]), strict=True):
                one.told.set_result(found)

        try:
            for tried in together(some, landed):
                if tried.error is not None:
                    tried.item.told.set_exception(tried.error)
        except BaseException as error:  # whoever waits is told, whatever it is
            for one in some:
                if not one.told.done():
                    one.told.set_exception(error)


@dataclass(frozen=True)
class _Waiting:
    """A file at the desk, and what is told of it."""

    file: Arrived
    told: Future[tuple[Receipt, bool]] = field(default_factory=Future)


def finish(store: Store) -> int:
    """Take up landings that died between their receipt and the ledger's word; returns how many.

    One that died before its receipt is begun again by the next pull, for the sender still has the file. What any
    process that died had half written is removed: it may hold what must not lie about.
    """
    store.clear_leftovers()
    receiving, done = ledger_of(store).receiving, 0
    for receipt in receiving.unfinished():
        if store.exists(receipt_key(receipt.submission_id)):
            receiving.landed([receipt.submission_id])
            done += 1
    return done


def content(store: Store, receipt: Receipt) -> bytes:
    """The landed bytes of a submission, verified against its hash.

    Raises:
        FileNotFoundError: they were purged.
        OurFault: the stored bytes no longer match the receipt.
    """
    try:
        data = store.read(object_key(receipt.sha256))
    except FileNotFoundError:
        data = store.read(f"{RESTRICTED}/{receipt.sha256}")
    if hashlib.sha256(data).hexdigest() != receipt.sha256:
        raise OurFault(f"the landed bytes of submission {receipt.submission_id} do not match their hash")
    return data
