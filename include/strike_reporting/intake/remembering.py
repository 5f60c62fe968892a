"""What a pull has to do of a listing, by what earlier pulls remember, and what the next one is to remember.

New files come first, in the sender's order; files that failed before come last, each when it is due. A file that cannot
be landed while one that was sent after it can keeps its place in the order: a number is reserved for it.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from strike_reporting.intake.landing import is_held, moment
from strike_reporting.intake.transports import VALIDATORS, RemoteFile
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Receipt
from strike_reporting.ledger.remote import FAILED, LANDED, LISTED, WAITING, Change, Remote
from strike_reporting.settings import settings
from strike_reporting.showing import safe_name, safe_text
from strike_reporting.storage import Store

_COARSE = 2.0  # seconds: the grain of the coarsest clock by which a server dates a change
_PATIENT = 2  # rounds in which a file may fail before it has to wait
_FIRST_WAIT = timedelta(minutes=10)


class Memory:
    """One feed's files, in one pull; without a feed it is a drop, of which nothing is remembered."""

    def __init__(self, store: Store, feed_id: str = "", *, at_once: bool = False) -> None:
        """`at_once`: files that failed are tried again whether they are due or not."""
        self._store, self._feed_id, self._at_once = store, feed_id, at_once
        self._known = ledger_of(store).receiving.remotes.of(feed_id) if feed_id else {}
        self._now: dict[str, Remote] = {}
        self._held, self._failed = set[str](), set[str]()
        self._unplaced: list[tuple[Any, str]] = []
        self._begun = self._looked_at = moment()
        self._place = ""

    def is_known(self, file: RemoteFile) -> bool:
        """Whether a file is as an earlier pull saw it, as far as its side says anything of that."""
        row = self._known.get(file.key)
        return row is not None and _says(file) and (file.size, file.modified) == (row.size, row.modified)

    def plan(self, place: str, files: list[RemoteFile], unfinished: Iterable[RemoteFile] = ()) -> list[RemoteFile]:
        """The files to fetch, in order.

        Args:
            place: where they were listed.
            files: that may be fetched.
            unfinished: that may not be yet.
        """
        self._place, self._looked_at = place, moment()
        self._held = self._still_held(files)
        new, again = [], []
        for file in files:
            row = self._known.get(file.key)
            is_known = row is not None and (self.is_known(file) or not _says(file))
            if row is None or not is_known or row.state == LANDED:
                if row is not None and file.key in self._held and self.is_known(file):
                    self._now[file.key] = row
                    continue
                row = self._fresh(file)
            self._now[file.key] = row
            if file.problem:
                self.failed(file, file.problem)
            elif row.state == WAITING:
                new.append(file)
            else:
                self._wait_for_place(file)
                if self._at_once or row.next_try <= self._looked_at.isoformat():
                    again.append(file)
        self._now |= {file.key: self._fresh(file) for file in unfinished}
        return sorted(new, key=by_age) + sorted(again, key=by_age)

    def seen(self, file: RemoteFile) -> dict[str, str]:
        """What the server said of a file when it was last landed, if landing has it."""
        if file.key not in self._held:
            return {}
        return {v: found for v in VALIDATORS if (found := getattr(self._known[file.key], v))}

    def is_lost(self, file: RemoteFile) -> bool:
        """Whether landing may have lost what it had of a file."""
        row = self._known.get(file.key)
        was_landed = row is not None and row.state == LANDED
        return file.key not in self._held and (was_landed or self._store.local)  # where a look costs next to nothing

    def place(self, file: RemoteFile) -> int | None:
        """The number that is reserved for a file; and from now on one is for each that was sent before it."""
        behind = []
        while self._unplaced and self._unplaced[0][0] < by_age(file):
            row = self._now[heapq.heappop(self._unplaced)[1]]
            if row.state != LANDED and row.sequence is None:
                behind.append(row)
        if behind and self._feed_id:
            placed = ledger_of(self._store).receiving.reserve(self._feed_id, behind)
            self._now |= {row.key: row for row in placed}
        return self._now[file.key].sequence

    def sent_at(self, file: RemoteFile) -> str | None:
        """When a file was put there; by what came with it where the listing did not say."""
        row = self._now[file.key]
        if row.sent_at is None and (said := file.facts.get("last_modified")):
            try:
                return self._put(parsedate_to_datetime(str(said)).timestamp())
            except (ValueError, TypeError, OverflowError):
                return None
        return row.sent_at

    def landed(self, file: RemoteFile, receipt: Receipt) -> None:
        """A file is safe with us."""
        etag, last_modified = (str(file.facts[v]) if v in file.facts else None for v in VALIDATORS)
        row = self._fresh(file)._replace(etag=etag, last_modified=last_modified)
        self._keep(file, row._replace(submission_id=receipt.submission_id, sha256=receipt.sha256))

    def unchanged(self, file: RemoteFile) -> None:
        """A file is as it was when it was landed, says its server."""
        self._keep(file, self._known[file.key])

    def _keep(self, file: RemoteFile, row: Remote) -> None:
        # So young that it may change again within the same tick of the other side's clock: it is looked into again.
        is_young = file.modified is not None and file.modified > self._looked_at.timestamp() - _COARSE
        self._now[file.key] = row._replace(state=LANDED, size=file.size, modified=None if is_young else file.modified)

    def failed(self, file: RemoteFile, reason: str) -> None:
        """A file could not be fetched in this round, or not be landed."""
        row = self._now[file.key]
        tries = row.tries + (file.key not in self._failed)
        self._failed.add(file.key)
        most = timedelta(seconds=settings().file_retry_at_most_seconds)
        # Of a file that nothing is known of before it is asked for, only asking tells that it is another one now.
        is_patient = tries <= _PATIENT or not _says(file)
        wait = timedelta() if is_patient else min(_FIRST_WAIT * 2 ** min(tries - _PATIENT - 1, 20), most)
        due = (self._looked_at + wait).isoformat()
        self._now[file.key] = row._replace(state=FAILED, reason=safe_text(reason), tries=tries, next_try=due)
        self._wait_for_place(file)

    def reasons(self) -> list[str]:
        """Why files could not be fetched, each reason once."""
        return list(dict.fromkeys(r.reason for r in self._now.values() if r.state == FAILED))

    def change(self) -> Change:
        """What the next pull is to know."""
        if not self._place or not self._feed_id:
            return Change()
        look = Remote(_key(self._place), safe_name(self._place), LISTED, sent_at=self._begun.isoformat())
        now = {**self._now, look.key: look}
        changed = tuple(row for key, row in now.items() if row != self._known.get(key))
        # Nothing at all is rather a share that is away for a moment than an end of everything that was there.
        gone = (k for k, row in self._known.items() if k not in now and (self._now or row.state != LANDED))
        return Change(changed, tuple(gone))

    def _fresh(self, file: RemoteFile) -> Remote:
        return Remote(
            file.key, safe_name(file.name), WAITING, file.size, file.modified, sent_at=self._put(file.modified)
        )

    def _put(self, modified: float | None) -> str | None:
        """When a file was put there: not before the last look, which did not find it as it is now, and not after this.

        Its own time may be that of the sender's disk, which copying programs keep, or of a clock that is wrong.
        """
        if modified is None:
            return None
        look = self._known.get(_key(self._place))
        earliest = datetime.fromisoformat(look.sent_at).timestamp() if look and look.sent_at else modified
        put = min(max(modified, earliest), self._looked_at.timestamp())
        return datetime.fromtimestamp(put, UTC).isoformat()

    def _still_held(self, files: list[RemoteFile]) -> set[str]:
        """Keys of the files landed before of which landing has what it had.

        On an object store only the newest is looked for: if that is lost, landing was, and all are fetched again.
        """
        rows = ((f, self._known.get(f.key)) for f in files)
        landed = [(f, r.submission_id, r.sha256) for f, r in rows if r and r.submission_id and r.sha256]
        if self._store.local:
            return {f.key for f, submission_id, sha256 in landed if is_held(self._store, submission_id, sha256)}
        newest = max(landed, key=lambda one: by_age(one[0]), default=None)
        return {f.key for f, *_ in landed} if newest and is_held(self._store, *newest[1:]) else set()

    def _wait_for_place(self, file: RemoteFile) -> None:
        if self._now[file.key].sequence is None:
            heapq.heappush(self._unplaced, (by_age(file), file.key))


def by_age(file: RemoteFile) -> tuple[float, tuple[tuple[int, int, str], ...]]:
    """The order within one pull: the sender's time, then the name as people number versions (`v2` before `v10`)."""
    parts = re.split(r"(\d{1,18})", file.name.casefold())
    return file.modified or 0.0, tuple((1, int(p), "") if p.isdecimal() else (0, 0, p) for p in parts)


def _says(file: RemoteFile) -> bool:
    """Whether a listing says of a file what tells a change: a size alone may stay the same."""
    return file.modified is not None


def _key(place: str) -> str:
    return RemoteFile("", None, None, {"transport": "listed", "path": place}).key
