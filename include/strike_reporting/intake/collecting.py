"""Feeds to landing: pull every feed of a collection, and say what became of each."""

from __future__ import annotations

import logging
import re
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any

from strike_reporting import ledger
from strike_reporting.intake.landing import Receipt, land
from strike_reporting.intake.registry import Feed, dialect_for
from strike_reporting.intake.transports import VALIDATORS, PullFailed, Transport, Unchanged, open_transport
from strike_reporting.intake.transports.folder import Folder
from strike_reporting.settings import settings
from strike_reporting.showing import safe_name, safe_text
from strike_reporting.storage import Store

log = logging.getLogger(__name__)
DROP = "manual-drop"
AT_ONCE = 8
AT_ONE_ENDPOINT = 2
ROUND_LIMIT = 900.0  # seconds in which one group's pulls may begin
RETRY_AFTER = (0.5, 2.0)  # seconds before each further try of a pull that may work next time


@dataclass(frozen=True)
class Pulled:
    """What one feed gave in one collection."""

    feed_id: str
    status: str
    reason: str
    landed: tuple[Receipt, ...] = ()
    duplicates: tuple[str, ...] = ()


def collect(store: Store, collection: str, feeds: Iterable[Feed]) -> list[Pulled]:
    """Pull feeds side by side; a failing feed is an outcome and never stops or delays another for long.

    Each connection has `AT_ONE_ENDPOINT` lanes that work through its feeds, and `AT_ONCE` lanes run at a time,
    so a dead endpoint holds only its own. After `ROUND_LIMIT` nothing new is begun.

    Args:
        store: the state root.
        collection: the round's id, such as `2023-04-12`.
        feeds: the feeds of one group.

    Returns:
        One `Pulled` for each feed, in their order.
    """
    feeds, until = list(feeds), time.monotonic() + ROUND_LIMIT
    queues: dict[tuple[str, str | None], deque[Feed]] = defaultdict(deque)
    for feed in feeds:
        queues[(feed.transport, feed.connection)].append(feed)
    done: dict[str, Pulled] = {}

    def lane(queue: deque[Feed]) -> None:
        while queue:
            try:
                feed = queue.popleft()
            except IndexError:  # the other lane was quicker
                return
            done[feed.id] = _collect_one(store, collection, feed, until)

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="pull") as pool:
        list(pool.map(lane, [q for q in queues.values() for _ in range(AT_ONE_ENDPOINT)]))
    return [done[feed.id] for feed in feeds]


def _collect_one(store: Store, collection: str, feed: Feed, until: float) -> Pulled:
    facts = {
        "feed_id": feed.id,
        "ods_code": feed.trust,
        "extract": feed.extract,
        "dialect": dialect_for(feed).id,
        "due": feed.due,
        "data_class": feed.data_class,
    }
    for wait in (*RETRY_AFTER, None):
        try:
            _check_time(until)
            with closing(open_transport(feed.transport, feed.connection)) as transport:
                pulled = _pull(store, feed.id, transport, feed.location, facts, until)
            break
        except PullFailed as failure:
            pulled = Pulled(feed.id, "failed", safe_text(str(failure)))
            if failure.permanent or wait is None or time.monotonic() + wait > until:
                break
            time.sleep(wait)
        except Exception as error:
            log.exception("feed %s could not be pulled", feed.id)
            pulled = Pulled(feed.id, "failed", f"the fault is ours ({type(error).__name__}); see the task's log")
            break
    names = [r.source_name for r in pulled.landed]
    ledger.record_pull(store, collection, feed.id, pulled.status, pulled.reason, names)
    return pulled


def _check_time(until: float) -> None:
    if time.monotonic() > until:
        minutes = f"{ROUND_LIMIT / 60:g} minutes"
        raise PullFailed(f"the round's {minutes} were over; the next round pulls this feed again", permanent=True)


def _pull(
    store: Store, feed_id: str, transport: Transport, location: str, facts: Mapping[str, Any], until: float = inf
) -> Pulled:
    landed, duplicates, refused = [], [], []
    seen = ledger.validators(store, feed_id)
    files = list(transport.list(location))
    for file in files:
        _check_time(until)
        name = safe_name(file.name)  # what the other side calls it is only ever a fact
        try:
            data = transport.fetch(replace(file, seen=seen.get(name, {})), settings().max_file_bytes)
        except Unchanged:
            continue
        except PullFailed as failure:
            if not failure.permanent:
                raise
            refused.append(safe_text(str(failure)))
            continue
        known = {k: v for k, v in file.facts.items() if k != "path"}
        receipt, new = land(store, data, source_name=name, transport=known, **facts)
        transport.acknowledge(file)
        if validators := {k: known[k] for k in VALIDATORS if k in known}:
            seen[name] = validators
        if new:
            landed.append(receipt)
        elif receipt.source_name != name:
            ledger.record_duplicate(store, receipt, name)
            duplicates.append(name)
    ledger.record_validators(store, feed_id, seen)
    if refused:
        status, reason = "failed", "; ".join(refused)
    elif landed:
        status, reason = "landed", f"{len(landed)} new of {len(files)} files"
    elif files:
        status, reason = "nothing_new", f"all {len(files)} files were landed before"
    else:
        status, reason = "no_file", f"nothing matches {location!r}"
    return Pulled(feed_id, status, reason, tuple(landed), tuple(duplicates))


def collect_drop(store: Store, folder: Path, action_id: str, data_class: str | None = None) -> Pulled:
    """Land every file of a folder as a manual drop for one action; the trust is found from each file.

    Raises:
        PullFailed: the folder does not exist.
    """
    facts = {
        "feed_id": DROP,
        "ods_code": None,
        "extract": None,
        "dialect": None,
        "action_id": action_id,
        "data_class": data_class or ("synthetic" if (folder / "SYNTHETIC").exists() else "real"),
    }
    transport = _Data()
    return _pull(store, DROP, transport, str(folder.resolve()), facts)


class _Data(Folder):
    """A drop's files, without the marker file that the simulator leaves beside its own."""

    def list(self, location: str) -> list:  # type: ignore[type-arg]
        return [f for f in super().list(location) if f.name != "SYNTHETIC"]


def groups(feeds: Sequence[Feed], size: int) -> list[tuple[str, tuple[Feed, ...]]]:
    """Split feeds into named groups of at most `size`: the unit that one mapped task works on."""
    ordered = sorted(feeds, key=lambda f: f.id)
    parts = [tuple(ordered[i : i + size]) for i in range(0, len(ordered), size)]
    return [(f"{p[0].trust} to {p[-1].trust}" if p[0].trust != p[-1].trust else p[0].trust, p) for p in parts]


def safe_collection(text: str) -> str:
    """A collection id as a key: letters, digits, `.`, `-` and `_` only."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text)[:100] or "collection"
