"""Feeds to landing: pull every feed of a collection, and say what became of each."""

from __future__ import annotations

import re
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path

from strike_reporting.errors import attempt, together
from strike_reporting.intake.landing import Arrived, Desk, Sender, finish
from strike_reporting.intake.listing import listing
from strike_reporting.intake.registry import Feed, dialect_for
from strike_reporting.intake.remembering import Memory
from strike_reporting.intake.telling import again, not_taken
from strike_reporting.intake.transports import PullFailed, RemoteFile, TooLarge, Transport, Unchanged, open_transport
from strike_reporting.intake.transports.folder import Folder
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Duplicate, Pull, Receipt
from strike_reporting.ledger.remote import Change
from strike_reporting.settings import settings
from strike_reporting.showing import safe_name, safe_text
from strike_reporting.storage import Store

DROP = "manual-drop"
_REASONS = 5  # named in one sentence
_KEPT_AT_ONCE = 25  # pulls whose records are written together


@dataclass(frozen=True)
class Pulled:
    """What one feed gave in one collection.

    is_ours: it failed on our side, whatever the feed did.
    passed_over: folders within a drop, whose files are not read.
    """

    feed_id: str
    status: str
    reason: str
    landed: tuple[Receipt, ...] = ()
    duplicates: tuple[str, ...] = ()
    is_ours: bool = False
    passed_over: tuple[str, ...] = ()


@dataclass
class _Found:
    """What a pull has landed so far: it counts also when the next file of the pull fails.

    recorded: names that the round's pulls before this one have said they landed.
    files: how many are listed. unfinished: how many of them are still being written. left: not tried, for want of time.
    """

    memory: Memory
    desk: Desk
    recorded: tuple[str, ...] = ()
    landed: list[Receipt] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    files: int = 0
    unfinished: int = 0
    left: str = ""
    is_ours: bool = False

    def is_taken_up(self, receipt: Receipt, name: str, collection: str) -> bool:
        """Whether a file that is not new was landed in this round by a pull that was cut short before it said so."""
        of_round = bool(collection) and (receipt.collection, receipt.source_name) == (collection, name)
        return of_round and name not in self.recorded and receipt not in self.landed

    def said(self, feed_id: str, location: str) -> tuple[str, str]:
        """Status and reason."""
        reasons = self.memory.reasons() + ([self.left] if self.left else [])
        if (more := len(reasons) - _REASONS) > 0:
            reasons[_REASONS:] = [f"and {more} more; `strikes feed files {feed_id}` lists them"]
        writing = f"{self.unfinished} still being written"
        if reasons:
            return "failed", "; ".join(reasons)
        if self.landed:
            return "landed", f"{len(self.landed)} new of {self.files} files" + (
                f", {writing}" if self.unfinished else ""
            )
        if before := self.files - self.unfinished:
            return "nothing_new", f"all {before} files were landed before" + (f", {writing}" if self.unfinished else "")
        return "no_file", writing if self.unfinished else f"nothing matches {location!r}"


def collect(store: Store, collection: str, feeds: Iterable[Feed], *, at_once: bool = False) -> list[Pulled]:
    """Pull feeds side by side; a failing feed is an outcome and never stops or delays another for long.

    Each connection has a few lanes that work through its feeds, and some lanes run at a time, so a dead endpoint holds
    only its own. After the round's time nothing new is begun; the next round begins with what was left longest.

    Args:
        store: the state root.
        collection: the round's id, such as `2023-04-12`.
        feeds: the feeds of one group.
        at_once: files that failed before are tried again whether they are due or not.

    Returns:
        One `Pulled` for each feed, in their order.

    Raises:
        Away: the ledger or the store cannot be used now; what was landed stays.
    """
    feeds, until = list(feeds), time.monotonic() + settings().round_seconds
    finish(store)
    queues: dict[tuple[str, str | None], deque[Feed]] = defaultdict(deque)
    left = ledger_of(store).receiving.left()
    for feed in sorted(feeds, key=lambda f: -left.get(f.id, 0)):
        queues[(feed.transport, feed.connection)].append(feed)
    done: dict[str, Pulled] = {}
    desk, ended = Desk(store), deque[_Ended]()

    def lane(queue: deque[Feed]) -> None:
        while queue:
            try:
                feed = queue.popleft()
            except IndexError:  # the other lane was quicker
                return
            ended.append(_collect_one(store, desk, collection, feed, until, at_once, left.get(feed.id, 0)))
            if len(ended) >= _KEPT_AT_ONCE:
                keep()

    def keep() -> None:
        some: list[_Ended] = []
        with suppress(IndexError):  # another lane takes the rest
            while len(some) < _KEPT_AT_ONCE:
                some.append(ended.popleft())
        done.update((one.feed_id, one) for one in _kept(store, some))

    with ThreadPoolExecutor(settings().pulls_at_once, thread_name_prefix="pull") as pool:
        list(pool.map(lane, [queue for (kind, _), queue in queues.items() for _ in range(_lanes(kind))]))
    while ended:
        keep()
    return [done[feed.id] for feed in feeds]


def _lanes(transport: str) -> int:
    """How many feeds of one endpoint are pulled at once. A share counts no sessions: it leaves others their lanes."""
    of_one, every = settings().pulls_at_one_endpoint, settings().pulls_at_once
    return max(of_one, every - of_one) if transport == "folder" else of_one


def sender_of(feed: Feed, collection: str = "") -> Sender:
    """What a feed says of its files."""
    return Sender(
        feed_id=feed.id,
        ods_code=feed.trust,
        speaks_for=feed.speaks_for,
        extract=feed.extract,
        dialect=dialect_for(feed).id,
        due=feed.due,
        grace_minutes=feed.grace,
        restates_day=feed.restates_day,
        data_class=feed.data_class,
        collection=collection,
    )


@dataclass(frozen=True)
class _Ended:
    """A pull that has ended, and what is to be kept of it."""

    pulled: Pulled
    record: Pull
    change: Change


def _kept(store: Store, ended: Sequence[_Ended]) -> Iterator[Pulled]:
    """Keep what came of pulls."""
    receiving = ledger_of(store).receiving
    for t in together(ended, lambda some: receiving.pulled([(one.record, one.change) for one in some])):
        pulled = t.item.pulled
        yield replace(pulled, status="failed", reason=t.reason, is_ours=True) if t.error else pulled


def _collect_one(
    store: Store, desk: Desk, collection: str, feed: Feed, until: float, at_once: bool, left: int
) -> _Ended:
    """Pull one feed, which was left for want of time so often. What was landed counts whatever follows."""
    receiving, found = ledger_of(store).receiving, _Found(Memory(store), desk)

    def pull(feed: Feed) -> tuple[str, str]:
        found.memory = Memory(store, feed.id, at_once=at_once)
        found.recorded = receiving.files_of_pulls(feed.id, collection)
        _check_time(until)
        with closing(open_transport(feed.transport, feed.connection)) as transport:
            files, unfinished = _listed(transport, feed.location, found.memory, until)
            found.files, found.unfinished = len(files) + len(unfinished), len(unfinished)
            todo = found.memory.plan(feed.location, files, unfinished)
            _fetch(store, sender_of(feed, collection), transport, todo, found, until)
        return found.said(feed.id, feed.location)

    tried = attempt(feed, pull)
    status, reason = tried.made or ("failed", safe_text(tried.reason))
    record = Pull(
        feed_id=feed.id,
        collection=collection,
        status=status,
        reason=reason,
        files=tuple(sorted(r.source_name for r in found.landed)),
        speaks_for=feed.speaks_for,
        left=left + 1 if isinstance(tried.error, _NotBegun) else 0,
    )
    is_ours = found.is_ours or not (tried.error is None or isinstance(tried.error, PullFailed))
    pulled = Pulled(feed.id, status, reason, tuple(found.landed), tuple(found.duplicates), is_ours)
    return _Ended(pulled, record, found.memory.change())


class _NotBegun(PullFailed):
    """The round's time was over before a feed's turn came."""


def _check_time(until: float) -> None:
    if time.monotonic() > until:
        raise _NotBegun(f"{_over()}; the next round asks this feed before others", permanent=True)


def _over() -> str:
    return f"the round's {settings().round_seconds / 60:g} minutes were over"


def _listed(
    transport: Transport, location: str, memory: Memory, until: float
) -> tuple[list[RemoteFile], list[RemoteFile]]:
    """What a location holds, asked for again where that may help."""
    for wait in (*settings().retry_after_seconds, None):
        try:
            return listing(transport, location, memory.is_known)
        except PullFailed as failure:
            if failure.permanent or wait is None or time.monotonic() + wait > until:
                raise
            time.sleep(wait)
    raise AssertionError("the last try returns or raises")


def _fetch(
    store: Store, sender: Sender, transport: Transport, todo: list[RemoteFile], found: _Found, until: float = inf
) -> None:
    """Land files in order, each for itself. Those that failed in passing are tried again after the others.

    When the round's time is over, or failing files have taken what they may of it, the rest is left for the next.
    """

    def land_it(file: RemoteFile) -> None:
        _land(store, sender, transport, file, found)

    spent = 0.0
    for wait in (0.0, *settings().retry_after_seconds):
        if not todo or found.left or time.monotonic() + wait > until:
            return
        time.sleep(wait)
        later = []
        for number, file in enumerate(todo):
            began = time.monotonic()
            if began > until or spent > settings().failing_seconds:
                why = _over() if began > until else f"files that could not be fetched took {spent:.0f} seconds"
                found.left = f"{why}; the next round goes on with the {len(todo) - number} files that were left"
                break
            tried = attempt(file, land_it)
            if tried.error is None:
                continue
            spent += time.monotonic() - began
            found.memory.failed(file, tried.reason)
            found.is_ours |= not isinstance(tried.error, PullFailed)
            if isinstance(tried.error, TooLarge) and sender.feed_id != DROP:
                not_taken(store, sender.feed_id, file, tried.reason)
            if isinstance(tried.error, PullFailed) and not tried.error.permanent:
                later.append(file)
        todo = later


def _land(store: Store, sender: Sender, transport: Transport, file: RemoteFile, found: _Found) -> None:
    """Fetch one file and land it."""
    memory, name = found.memory, safe_name(file.name)  # what the other side calls it is only ever a fact
    try:
        data = transport.fetch(replace(file, seen=memory.seen(file)), settings().max_file_bytes)
    except Unchanged:
        memory.unchanged(file)
        return
    known = {k: v for k, v in file.facts.items() if k != "path"}
    sender = replace(sender, transport=known, sent_at=memory.sent_at(file))
    receipt, is_new = found.desk.land(Arrived(data, name, sender, memory.place(file), memory.is_lost(file)))
    if is_new or found.is_taken_up(receipt, name, sender.collection):
        found.landed.append(receipt)  # also when the acknowledgement fails: it is here
    elif receipt.source_name != name and name not in found.duplicates:
        letter = again(store, receipt, name) if sender.feed_id != DROP else None
        ledger_of(store).receiving.duplicate(_duplicate(receipt, name), letter)
        found.duplicates.append(name)
    transport.acknowledge(file)
    memory.landed(file, receipt)


def _duplicate(first: Receipt, name: str) -> Duplicate:
    return Duplicate(
        submission_id=first.submission_id,
        feed_id=first.feed_id,
        source_name=name,
        sha256=first.sha256,
        reason=f"the same content as {first.source_name!r}, landed as {first.submission_id}; counted once",
        fix="Nothing need be done. If it was meant to be a correction, send the corrected file.",
    )


def collect_drop(
    store: Store, folder: Path, action_id: str, data_class: str | None = None, dialect: str | None = None
) -> Pulled:
    """Land every file of a folder as a manual drop for one action; the trust is found from each file.

    A folder within it is passed over, and said. `dialect`: the one that all files are in, else each is tried with all.

    Raises:
        PullFailed: the folder does not exist.
    """
    is_synthetic = (folder / "SYNTHETIC").exists()
    known = data_class or ("synthetic" if is_synthetic else "real")
    sender = Sender(DROP, action_id=action_id, data_class=known, dialect=dialect)
    finish(store)
    found, drop, place = _Found(Memory(store), Desk(store)), _Data(), str(folder.resolve())
    files = drop.list(place)
    found.files = len(files)
    _fetch(store, sender, drop, found.memory.plan(place, files), found)
    status, reason = found.said(DROP, place)
    inner = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    passed = tuple(map(safe_name, inner))
    return Pulled(DROP, status, reason, tuple(found.landed), tuple(found.duplicates), passed_over=passed)


class _Data(Folder):
    """A drop's files, without the marker file that the simulator leaves beside its own."""

    def list(self, location: str) -> list[RemoteFile]:
        return [f for f in super().list(location) if f.name != "SYNTHETIC"]


def groups(feeds: Sequence[Feed], size: int) -> list[tuple[str, tuple[Feed, ...]]]:
    """Split feeds into named groups of about `size`: the unit that one mapped task works on.

    The feeds of one connection are all in one group, so its server sees no more lanes than one task has for it, and
    those of other connections are pulled beside them. Feeds without a connection fill the groups up.
    """
    by_connection: dict[str | None, list[Feed]] = defaultdict(list)
    for feed in sorted(feeds, key=lambda f: f.id):
        by_connection[feed.connection or None].append(feed)
    free, parts = deque(by_connection.pop(None, ())), [list[Feed]() for _ in range(-(-len(feeds) // size))]
    for of_one in sorted(by_connection.values(), key=len, reverse=True):
        min(parts, key=len).extend(of_one)
    for part in parts:
        while free and len(part) < size:
            part.append(free.popleft())
        part.sort(key=lambda f: f.id)
    return [(" to ".join(dict.fromkeys((p[0].whose, p[-1].whose))), tuple(p)) for p in parts if p]


def safe_collection(text: str) -> str:
    """A collection id as a key: letters, digits, `.`, `-` and `_` only."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text)[:100] or "collection"
