"""What is remembered of the files on the other side, so that a pull fetches only what is new or changed.

It is a cache: whoever loses it reads everything once more, and lands nothing twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from strike_reporting.ledger.engine import reading, upserts, writing
from strike_reporting.ledger.schema import receipts, remote_files

LANDED, FAILED, WAITING, LISTED = "landed", "failed", "waiting", "listed"
_AT_ONCE = 500


class Remote(NamedTuple):
    """One file as its feed's pulls last saw it.

    key: what tells it apart at this feed; the name is only shown.
    state: `landed`; `failed`, with the reason; `waiting`: not tried yet, or still being written. `listed` is no file
        but the last look at the feed's location, at `sent_at`.
    modified: as the sender's side gives it; none of a file so young that it may change without showing it.
    sent_at: when the sender put it there, as far as can be told (UTC, ISO 8601).
    sequence: the place in the order that was kept for it when files sent after it were landed first.
    tries: rounds in which it failed. next_try: when it is due again (UTC, ISO 8601).
    """

    key: str
    name: str
    state: str
    size: int | None = None
    modified: float | None = None
    sent_at: str | None = None
    submission_id: str | None = None
    sha256: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    sequence: int | None = None
    reason: str = ""
    tries: int = 0
    next_try: str = ""


_NAMES = Remote._fields


@dataclass(frozen=True)
class Change:
    """What a pull has to remember: files that are other than they were, and keys of those that are gone."""

    changed: tuple[Remote, ...] = ()
    gone: tuple[str, ...] = ()


class Remotes:
    """What every feed's pulls remember."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def of(self, feed_id: str) -> dict[str, Remote]:
        """A feed's files by key. One whose receipt is not in the ledger or cannot be read was never landed."""
        with reading(self._engine) as connection:
            return {row[0]: Remote._make(row) for row in connection.execute(_files_of(), {"feed": feed_id}).all()}

    def troubled(self, feed_ids: Collection[str] = ()) -> list[tuple[str, Remote]]:
        """Files that are listed and not landed, by feed and name."""
        statement = sa.select(remote_files.c.feed_id, *(remote_files.c[n] for n in _NAMES))
        statement = statement.where(remote_files.c.state.in_((FAILED, WAITING)))
        if feed_ids:
            statement = statement.where(remote_files.c.feed_id.in_(feed_ids))
        with reading(self._engine) as connection:
            rows = connection.execute(statement.order_by(remote_files.c.feed_id, remote_files.c.name)).all()
        return [(row[0], Remote(*row[1:])) for row in rows]

    def forget(self, feed_id: str) -> None:
        """Have a feed's next pull read everything again."""
        with writing(self._engine) as connection:
            connection.execute(sa.delete(remote_files).where(remote_files.c.feed_id == feed_id))


@cache
def _files_of() -> sa.Select[Any]:
    """The statement: every feed of every round asks it, and to make it takes longer than to run it."""
    feed: sa.BindParameter[str] = sa.bindparam("feed")
    receipt = sa.select(receipts.c.submission_id).where(receipts.c.is_landed, receipts.c.record.like("{%}\n"))
    found = receipt.where(receipts.c.feed_id == feed).subquery()
    joined = remote_files.outerjoin(found, found.c.submission_id == remote_files.c.submission_id)
    held = sa.or_(remote_files.c.state != LANDED, found.c.submission_id.is_not(None))
    of_feed = sa.select(*(remote_files.c[n] for n in _NAMES)).select_from(joined)
    return of_feed.where(remote_files.c.feed_id == feed, held)


def remember(connection: sa.Connection, feed_id: str, change: Change) -> None:
    """Write what a pull has to remember, within a transaction."""
    rows = [{"feed_id": feed_id, **one._asdict()} for one in change.changed]
    upserts(connection, remote_files, rows, ("feed_id", "key"))
    for keys in _parts(change.gone):
        mine = remote_files.c.feed_id == feed_id
        connection.execute(sa.delete(remote_files).where(mine, remote_files.c.key.in_(keys)))


def _parts(keys: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    return (keys[i : i + _AT_ONCE] for i in range(0, len(keys), _AT_ONCE))
