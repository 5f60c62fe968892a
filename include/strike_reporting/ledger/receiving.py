"""What was received: receipts in the order of landing, and what each feed's pulls did."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from strike_reporting.ledger.aside import Found, load_each, log
from strike_reporting.ledger.engine import one_at_a_time, reading, upsert, writing
from strike_reporting.ledger.judged import queue
from strike_reporting.ledger.records import Damaged, Duplicate, Letter, Pull, Receipt, receipt_of
from strike_reporting.ledger.remote import Change, Remote, Remotes, remember
from strike_reporting.ledger.schema import duplicates, feeds, pulls, receipts
from strike_reporting.storage import Store

RECEIPTS = "landing/receipts"
WITHDRAWALS = "landing/withdrawals"


def receipt_key(submission_id: str) -> str:
    """Where a submission's receipt is kept for good; its row here is a copy."""
    return f"{RECEIPTS}/{submission_id}.json"


def withdrawal_key(submission_id: str) -> str:
    """Where the withdrawal of a submission is kept for good."""
    return f"{WITHDRAWALS}/{submission_id}.json"


class Receiving:
    """Receipts, duplicates and pulls."""

    def __init__(self, engine: sa.Engine, store: Store) -> None:
        self._engine, self._store = engine, store
        self.remotes = Remotes(engine)

    def reserve(self, feed_id: str, files: Iterable[Remote]) -> list[Remote]:
        """Keep places in the order for files that cannot be landed yet, while others that were sent later can.

        They are remembered at once: a pull that dies after it landed the others must not take them for new.
        """
        found = []
        with writing(self._engine) as connection:
            for one in files:
                values = {"submission_id": f"reserved-{uuid4().hex}", "feed_id": "", "record": ""}
                done = connection.execute(sa.insert(receipts).values(**values, is_landed=False, is_judged=False))
                primary = done.inserted_primary_key
                assert primary is not None  # noqa: S101 - the statement inserts one row
                found.append(one._replace(sequence=int(primary[0])))
                connection.execute(sa.delete(receipts).where(receipts.c.sequence == found[-1].sequence))
            remember(connection, feed_id, Change(tuple(found)))
        return found

    def number(self, drafted: Sequence[tuple[Receipt, int | None]]) -> list[tuple[Receipt, bool]]:
        """Give submissions their places in the order, before anything of them is kept; and whether each landed before.

        A landing that was cut short keeps its number, so it is finished and not repeated. One whose record is damaged
        here and in landing is landed again under its number.

        Args:
            drafted: receipts without a number, each with the one that was reserved for it, if one was.
        """
        wanted = {r.submission_id: (r, place) for r, place in drafted}
        with writing(self._engine) as connection:
            _one_at_a_time(connection, wanted)
            rows = connection.execute(sa.select(receipts).where(receipts.c.submission_id.in_(wanted))).all()
            known, damaged = self._begun(rows)
            new = {s: place for s, (_, place) in wanted.items() if s not in known and s not in damaged}
            numbers = damaged | _numbers(connection, {s: (wanted[s][0].feed_id, place) for s, place in new.items()})
            begun = {s: wanted[s][0].model_copy(update={"sequence": n}) for s, n in numbers.items()}
            if begun:
                values = [{"number": r.sequence, "said": r.dump().decode()} for r in begun.values()]
                connection.execute(_begin(), values)
        known |= {s: (r, False) for s, r in begun.items()}
        return [known[r.submission_id] for r, _ in drafted]

    def _begun(self, rows: Sequence[sa.Row[Any]]) -> tuple[dict[str, tuple[Receipt, bool]], dict[str, int]]:
        """The receipts of these rows, and whether each has landed; the numbers of those that nobody can read."""
        found = load_each(Receipt, "receipt", ((r.submission_id, r.record) for r in rows))
        kept = self._kept([r for r in rows if r.submission_id in found.set_aside])
        is_landed = {r.submission_id: bool(r.is_landed) for r in rows}
        known = {r.submission_id: (r, is_landed[r.submission_id]) for r in (*found, *kept)}
        return known, {r.submission_id: r.sequence for r in rows if r.submission_id not in known}

    def landed(self, submission_ids: Collection[str]) -> None:
        """Bytes and receipts are kept for good: from now on they are to be judged.

        Also when they have been: another process landed them meanwhile, and the bytes that were written just now again
        may be such as are locked away.
        """
        if not submission_ids:
            return
        with writing(self._engine) as connection:
            _one_at_a_time(connection, submission_ids)
            connection.execute(
                sa.update(receipts)
                .where(receipts.c.submission_id.in_(submission_ids))
                .values(is_landed=True, is_judged=False)
            )

    def restore(self, found: Iterable[Receipt]) -> None:
        """Write receipts as they are, with the numbers that they carry: for rebuilding and for scratch ledgers."""
        with writing(self._engine) as connection:
            restore(connection, list(found))

    def unfinished(self) -> Found[Receipt]:
        """Landings that were begun and not finished."""
        return self._many(sa.select(receipts.c.record, receipts.c.submission_id).where(sa.not_(receipts.c.is_landed)))

    def to_judge(self) -> Found[Receipt]:
        """Landed receipts without an outcome under the present rules, in order. Asked of an index, never a cursor."""
        return self._many(
            sa.select(receipts.c.record, receipts.c.submission_id)
            .where(receipts.c.is_landed, sa.not_(receipts.c.is_judged))
            .order_by(receipts.c.sequence)
        )

    def some_to_judge(self, submission_ids: Iterable[str]) -> Found[Receipt]:
        """Those of these receipts that still have no outcome, in order."""
        found: Found[Receipt] = Found()
        wanted = sorted(set(map(receipt_of, submission_ids)))
        for start in range(0, len(wanted), 500):
            part = self._many(
                sa.select(receipts.c.record, receipts.c.submission_id).where(
                    receipts.c.submission_id.in_(wanted[start : start + 500]), sa.not_(receipts.c.is_judged)
                )
            )
            found.extend(part)
            found.set_aside += part.set_aside
        found.sort(key=lambda r: r.sequence)
        return found

    def ids(self, *, is_judged: bool | None = None) -> set[str]:
        """Ids of all submissions (or of those that are judged, or are not), whether their rows can be read or not."""
        wanted = sa.select(receipts.c.submission_id)
        if is_judged is not None:
            wanted = wanted.where(receipts.c.is_judged == is_judged)
        with reading(self._engine) as connection:
            return set(connection.execute(wanted).scalars())

    def everything(self) -> Found[Receipt]:
        """Every landed receipt, in order: for rebuilding and listing, never for a round."""
        return self._many(
            sa.select(receipts.c.record, receipts.c.submission_id)
            .where(receipts.c.is_landed)
            .order_by(receipts.c.sequence)
        )

    def last_times(self, feed_id: str, most: int) -> list[str]:
        """When a feed's newest files were received, newest last."""
        statement = (
            sa.select(receipts.c.record, receipts.c.submission_id)
            .where(receipts.c.feed_id == feed_id)
            .order_by(receipts.c.sequence.desc())
            .limit(most)
        )
        return [r.received_at for r in self._many(statement)]

    def judge_again(self, submission_ids: Iterable[str]) -> int:
        """Put submissions back among those to judge, a part of a collective return with all of it; returns how many."""
        wanted = sorted(set(map(receipt_of, submission_ids)))
        with writing(self._engine) as connection:
            for start in range(0, len(wanted), 500):
                part = wanted[start : start + 500]
                connection.execute(
                    sa.update(receipts).where(receipts.c.submission_id.in_(part)).values(is_judged=False)
                )
        return len(wanted)

    def duplicate(self, record: Duplicate, letter: Letter | None = None) -> None:
        """Note a file whose content its feed had already delivered under another name, and what its sender is told.

        Who finds it noted says nothing more: another pull saw it first, when perhaps nothing was to be said yet.
        """
        key = {"submission_id": record.submission_id, "source_name": record.source_name}
        with writing(self._engine) as connection:
            one_at_a_time(connection, record.submission_id)
            is_noted = connection.execute(sa.select(duplicates).filter_by(**key)).first() is not None
            upsert(connection, duplicates, {**key, "record": record.dump().decode()}, tuple(key))
            if letter and not is_noted:
                queue(connection, [letter])

    def pulled(self, done: Iterable[tuple[Pull, Change]]) -> None:
        """Keep what pulls of different feeds did, and what each has to remember of its feed's files.

        One that finds nothing new never hides one of the same round that landed.
        """
        with writing(self._engine) as connection:
            for pull, change in sorted(done, key=lambda one: one[0].feed_id):  # in this order all wait for one another
                one_at_a_time(connection, pull.feed_id)
                _keep_pull(connection, pull)
                remember(connection, pull.feed_id, change)

    def files_of_pulls(self, feed_id: str, collection: str) -> tuple[str, ...]:
        """Names of the files that a feed's pulls say they landed in a collection."""
        key = {"feed_id": feed_id, "collection": collection}
        with reading(self._engine) as connection:
            kept = connection.execute(_record_of_pull(), key).scalars().all()
        return tuple(f for p in load_each(Pull, "pull", ((feed_id, k) for k in kept)) for f in p.files)

    def pulls(self, collection: str) -> Found[Pull]:
        """What every feed's pull did in a collection, by feed."""
        statement = sa.select(pulls.c.record, pulls.c.feed_id).filter_by(collection=collection)
        with reading(self._engine) as connection:
            rows = connection.execute(statement.order_by(pulls.c.feed_id)).all()
        return load_each(Pull, f"pull in {collection} of", ((r.feed_id, r.record) for r in rows))

    def duplicates(self) -> Found[Duplicate]:
        """Every file whose content had come before, by submission and name."""
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(duplicates).order_by(*duplicates.primary_key)).all()
        return load_each(Duplicate, "duplicate", ((r.source_name, r.record) for r in rows))

    def feeds(self) -> list[str]:
        """Ids of the feeds that were ever pulled."""
        with reading(self._engine) as connection:
            return sorted(connection.execute(sa.select(feeds.c.feed_id)).scalars())

    def failing(self) -> dict[str, str]:
        """Why each feed's newest pull failed, for feeds whose newest pull did; a collective one's by trust too."""
        found = self._failing()
        spoken = {f"{t}.{p.feed_id.rpartition('.')[2]}": p.reason for p in found for t in p.speaks_for}
        reasons = (
            spoken | {p.feed_id: p.reason for p in found} | dict.fromkeys(found.set_aside, "its record is damaged")
        )
        return dict(sorted(reasons.items()))

    def left(self) -> dict[str, int]:
        """The feeds whose newest pull was not begun for want of time, with how many pulls in a row were not."""
        return {p.feed_id: p.left for p in self._failing() if p.left}

    def _failing(self) -> Found[Pull]:
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(feeds.c.feed_id, feeds.c.last_pull).where(feeds.c.is_failing)).all()
        return load_each(Pull, "last pull of", ((r.feed_id, r.last_pull or "") for r in rows))

    def last_pulls(self) -> dict[str, Pull]:
        """Each feed's newest pull, whatever came of it."""
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(feeds.c.feed_id, feeds.c.last_pull)).all()
        found = load_each(Pull, "last pull of", ((r.feed_id, r.last_pull) for r in rows if r.last_pull))
        return {p.feed_id: p for p in found}

    def _many(self, statement: sa.Select[tuple[str, str]]) -> Found[Receipt]:
        """Receipts in order. One whose row is damaged is read from landing, and its row is mended."""
        with reading(self._engine) as connection:
            rows = connection.execute(statement).all()
        found = load_each(Receipt, "receipt", ((r.submission_id, r.record) for r in rows))
        if found.set_aside:
            with writing(self._engine) as connection:
                damaged = connection.execute(sa.select(receipts).where(receipts.c.submission_id.in_(found.set_aside)))
                kept = self._kept(damaged.all())
                for receipt in kept:
                    mine = receipts.c.submission_id == receipt.submission_id
                    connection.execute(sa.update(receipts).where(mine).values(record=receipt.dump().decode()))
            found.extend(kept)
            found.set_aside = kept.set_aside
        found.sort(key=lambda r: r.sequence)
        return found

    def _kept(self, rows: Iterable[sa.Row[Any]]) -> Found[Receipt]:
        """The receipts that landing keeps for these rows, with the numbers of the rows."""
        numbers = {r.submission_id: r.sequence for r in rows}
        kept = self._store.read_many(map(receipt_key, numbers), missing_ok=True)
        found: Found[Receipt] = Found()
        for submission_id, sequence in numbers.items():
            key = receipt_key(submission_id)
            try:
                receipt = Receipt.load(kept.get(key, b""), key)
            except Damaged as error:
                log.error("set aside: %s", error)
                found.set_aside += (submission_id,)
            else:
                found.append(receipt.model_copy(update={"sequence": sequence}))
        return found


def _one_at_a_time(connection: sa.Connection, submission_ids: Iterable[str]) -> None:
    """Wait for each of several; in this order all do, so that no two wait for each other."""
    for submission_id in sorted(submission_ids):
        one_at_a_time(connection, submission_id)


def _numbers(connection: sa.Connection, new: Mapping[str, tuple[str, int | None]]) -> dict[str, int]:
    """Rows for new submissions, each with its feed and the number that was reserved for it; the numbers of all."""
    rows = [
        {"submission_id": s, "feed_id": feed, "record": "", "is_landed": False, "is_judged": False, "sequence": place}
        for s, (feed, place) in new.items()
    ]
    placed = [row for row in rows if row["sequence"] is not None]
    others = [{n: v for n, v in row.items() if n != "sequence"} for row in rows if row["sequence"] is None]
    if placed:
        connection.execute(sa.insert(receipts), placed)
    numbers = {s: place for s, (_, place) in new.items() if place is not None}
    if others:
        made = connection.execute(sa.insert(receipts).returning(receipts.c.submission_id, receipts.c.sequence), others)
        numbers |= {row.submission_id: row.sequence for row in made}
    return numbers


@cache
def _begin() -> sa.Update:
    number: sa.BindParameter[int] = sa.bindparam("number")
    said: sa.BindParameter[str] = sa.bindparam("said")
    return sa.update(receipts).where(receipts.c.sequence == number).values(record=said, is_landed=False)


def restore(connection: sa.Connection, found: list[Receipt]) -> None:
    """Write landed receipts with the numbers that they carry, within a transaction."""
    if not found:
        return
    rows = [
        {
            "sequence": r.sequence,
            "submission_id": r.submission_id,
            "feed_id": r.feed_id,
            "is_landed": True,
            "is_judged": False,
            "record": r.dump().decode(),
        }
        for r in found
    ]
    connection.execute(sa.insert(receipts), rows)
    if connection.dialect.name == "postgresql":
        connection.execute(
            sa.text("SELECT setval(pg_get_serial_sequence('receipts', 'sequence'), :n)"),
            {"n": max(r.sequence for r in found)},
        )


def _keep_pull(connection: sa.Connection, pull: Pull) -> None:
    key = {"feed_id": pull.feed_id, "collection": pull.collection}
    kept = connection.execute(_record_of_pull(), key).scalars()
    before = list(load_each(Pull, "pull", ((pull.feed_id, b) for b in kept)))
    had_landed = any(p.status == "landed" for p in before)
    if not had_landed or pull.status not in ("nothing_new", "no_file"):
        files = tuple(sorted({*pull.files, *(f for p in before for f in p.files)}))
        record = pull.model_copy(update={"files": files}).dump().decode()
        upsert(connection, pulls, {**key, "record": record}, ("feed_id", "collection"))
    state = {"feed_id": pull.feed_id, "is_failing": pull.status == "failed", "last_pull": pull.dump().decode()}
    upsert(connection, feeds, state, ("feed_id",))


@cache
def _record_of_pull() -> sa.Select[Any]:
    feed: sa.BindParameter[str] = sa.bindparam("feed_id")
    collection: sa.BindParameter[str] = sa.bindparam("collection")
    return sa.select(pulls.c.record).where(pulls.c.feed_id == feed, pulls.c.collection == collection)
