"""What was judged: outcomes, what each says by day and part, the rules they were pinned to, and whom it concerns."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import date
from typing import Any, NamedTuple

import sqlalchemy as sa

from strike_reporting.ledger.aside import Found, load_each, log
from strike_reporting.ledger.engine import reading, upserts, writing
from strike_reporting.ledger.records import Damaged, Letter, Outcome, Withdrawal
from strike_reporting.ledger.schema import outbox, outcomes, receipts, rules, said, touched, withdrawals

_AT_ONCE = 500


class Settled(NamedTuple):
    """An outcome, and what is kept with it.

    contents: the answers behind its pins, by hash. concerns: ids of the actions that it, and the outcome before it, say
    something about. letter: the notice to its sender, if there is something to mend.
    """

    outcome: Outcome
    contents: Mapping[str, Any]
    concerns: Set[str]
    letter: Letter | None = None


class Judged:
    """Outcomes, and the actions that they touched since those were last published."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._known: set[str] = set()

    def settle(self, settled: Sequence[Settled]) -> None:
        """Keep outcomes and all that follows from them, in one transaction; what each says of days replaces the old.

        The parts that a collective return had before and has no more are forgotten. An outcome that is our fault
        stays to be judged.
        """
        if not settled:
            return
        done = [s.outcome for s in settled]
        ids = [o.submission_id for o in done]
        contents = {k: v for s in settled for k, v in s.contents.items() if k not in self._known}
        with writing(self._engine) as connection:
            before = {part for o in _records(connection, ids) for part in o.parts}
            upserts(connection, outcomes, [_row(o) for o in done], ("submission_id",))
            _delete(connection, said, ids)
            gone = sorted(before - {part for o in done for part in o.parts} - {*ids})
            for table in (outcomes, said):
                _delete(connection, table, gone)
            if rows := [row for o in done for row in _said_rows(o)]:
                connection.execute(sa.insert(said), rows)
            _keep(connection, contents)
            for is_ours in (True, False):
                mine = [o.submission_id for o in done if o.is_ours == is_ours]
                for some in _chunks(mine):
                    marked = sa.update(receipts).where(receipts.c.submission_id.in_(some))
                    connection.execute(marked.values(is_judged=not is_ours))
            touch(connection, {a for s in settled for a in s.concerns})
            queue(connection, [s.letter for s in settled if s.letter is not None])
        self._known |= set(contents)

    def withdraw(self, found: Iterable[Withdrawal], concerns: Iterable[str] = ()) -> None:
        """Take submissions out of the figures of the actions that they concern."""
        rows = [{"submission_id": w.submission_id, "record": w.dump().decode()} for w in found]
        with writing(self._engine) as connection:
            upserts(connection, withdrawals, rows, ("submission_id",))
            touch(connection, concerns)

    def withdrawn(self) -> Found[Withdrawal]:
        """Every withdrawal, by submission."""
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(withdrawals).order_by(withdrawals.c.submission_id)).all()
        return load_each(Withdrawal, "withdrawal", ((r.submission_id, r.record) for r in rows))

    def get(self, submission_id: str) -> Outcome | None:
        """A submission's outcome, if it has been judged."""
        found = self._many(_SELECT.where(outcomes.c.submission_id == submission_id))
        return found[0] if found else None

    def some(self, submission_ids: Iterable[str]) -> list[Outcome]:
        """The outcomes of those submissions that have been judged."""
        return [o for ids in _chunks([*submission_ids]) for o in self._many(_SELECT.where(_named(outcomes, ids)))]

    def days_of(self, submission_ids: Iterable[str]) -> dict[str, list[date]]:
        """The days that each was last said to tell something of, also when its outcome cannot be read."""
        found: dict[str, list[date]] = {s: [] for s in submission_ids}
        with reading(self._engine) as connection:
            for ids in _chunks([*found]):
                wanted = sa.select(said.c.submission_id, said.c.strike_day).where(_named(said, ids)).distinct()
                for row in connection.execute(wanted.order_by(said.c.strike_day)):
                    found[row.submission_id].append(row.strike_day)
        return found

    def listed(self, status: str = "", most: int | None = None) -> list[Outcome]:
        """Outcomes in the order the submissions were received: of one status, or the newest, or all."""
        statement = _SELECT.order_by(outcomes.c.sequence.desc())
        if status:
            statement = statement.where(outcomes.c.status == status)
        return self._many(statement.limit(most) if most else statement)[::-1]

    def about(self, days: Iterable[date], actions: Iterable[str], came: tuple[str, str]) -> Found[Outcome]:
        """Every outcome that says something of these days, and those refused before their days could be read.

        Args:
            days: strike days and closing days.
            actions: ids that such a file may have been dropped for.
            came: from when to when (UTC, ISO 8601) such a file may have been received to be meant for these days.
        """
        hits = sa.select(said.c.submission_id).where(said.c.strike_day.in_(sorted(set(days))))
        dropped = [outcomes.c.action_id.contains(a, autoescape=True) for a in sorted(set(actions))]
        blind = sa.and_(
            sa.not_(outcomes.c.has_days),
            sa.or_(outcomes.c.received_at.between(*came), *dropped),
        )
        statement = _SELECT.where(sa.or_(outcomes.c.submission_id.in_(hits), blind))
        return self._many(statement.order_by(outcomes.c.sequence))

    def strike_days(self) -> list[date]:
        """Every day that any outcome says something of."""
        with reading(self._engine) as connection:
            return sorted(connection.execute(sa.select(said.c.strike_day).distinct()).scalars())

    def before(self, outcome: Outcome) -> Outcome | None:
        """The outcome of the file that the same feed sent before, if there is one."""
        mine = (outcomes.c.feed_id == outcome.feed_id, outcomes.c.sequence < outcome.sequence)
        whole = sa.not_(outcomes.c.submission_id.contains("."))  # no part of a collective return
        found = self._many(_SELECT.where(*mine, whole).order_by(outcomes.c.sequence.desc()).limit(1))
        return found[0] if found else None

    def last_used(self, feed_ids: Iterable[str]) -> dict[str, str]:
        """When the newest file that could be used came by each of these feeds (UTC, ISO 8601)."""
        found: dict[str, str] = {}
        used = outcomes.c.status.in_(("accepted", "accepted_in_part"))
        with reading(self._engine) as connection:
            for ids in _chunks(sorted(set(feed_ids))):
                newest = sa.select(outcomes.c.feed_id, sa.func.max(outcomes.c.received_at))
                rows = connection.execute(newest.where(used, outcomes.c.feed_id.in_(ids)).group_by(outcomes.c.feed_id))
                found |= {feed_id: came for feed_id, came in rows}
        return found

    def has_days(self, days: Iterable[date]) -> bool:
        """Whether any outcome says something of these days."""
        wanted = sa.select(said.c.submission_id).where(said.c.strike_day.in_(sorted(set(days)))).limit(1)
        with reading(self._engine) as connection:
            return connection.execute(wanted).first() is not None

    def pins(self) -> dict[str, dict[str, str]]:
        """Every outcome's pins by submission: read only when the rules have changed."""
        return {o.submission_id: o.pins for o in self._many(_SELECT)}

    def contents(self, hashes: Iterable[str]) -> dict[str, Any]:
        """The kept answers with these hashes; one that is damaged is not among them."""
        found: dict[str, Any] = {}
        wanted = sorted(set(hashes))
        with reading(self._engine) as connection:
            for start in range(0, len(wanted), 500):
                for row in connection.execute(sa.select(rules).where(rules.c.sha256.in_(wanted[start : start + 500]))):
                    try:
                        found[row.sha256] = json.loads(row.content)
                    except ValueError:
                        log.error("set aside: the answer %s cannot be read", row.sha256)
        return found

    def rules(self) -> Iterator[tuple[str, str]]:
        """Every kept answer as text, with its hash: for looking over."""
        with reading(self._engine) as connection:
            yield from ((r.sha256, r.content) for r in connection.execute(sa.select(rules)))

    def keep(self, contents: Mapping[str, Any]) -> None:
        """Write answers by their hashes, also over damaged ones."""
        with writing(self._engine) as connection:
            _keep(connection, contents)

    def touch(self, actions: Iterable[str]) -> None:
        """Say that these actions are to be looked at by the next publication."""
        with writing(self._engine) as connection:
            touch(connection, actions)

    def touched(self) -> dict[str, int]:
        """Actions to look at, each with the mark by which `looked_at` knows that nothing came meanwhile."""
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(touched).order_by(touched.c.action_id)).all()
        return {r.action_id: r.mark for r in rows}

    def looked_at(self, action_id: str, mark: int) -> None:
        """Take an action off, unless it was touched again since its mark was read."""
        with writing(self._engine) as connection:
            connection.execute(sa.delete(touched).where(touched.c.action_id == action_id, touched.c.mark == mark))

    def _many(self, statement: sa.Select[tuple[str, str, str | None]]) -> Found[Outcome]:
        """Outcomes, each with its withdrawal.

        A submission whose outcome is damaged is judged again: it is put back among those to judge.
        """
        with reading(self._engine) as connection:
            rows = connection.execute(statement).all()
        found = load_each(Outcome, "outcome", ((r.submission_id, r.record) for r in rows))
        if found.set_aside:
            with writing(self._engine) as connection:
                back = sa.update(receipts).where(receipts.c.submission_id.in_(found.set_aside))
                connection.execute(back.values(is_judged=False))
        taken = {r.submission_id: _sentence(r.withdrawal) for r in rows if r.withdrawal is not None}
        for n, o in enumerate(found):
            if (withdrawn := taken.get(o.submission_id, "")) != o.withdrawn:
                found[n] = o.model_copy(update={"withdrawn": withdrawn})
        return found


_SELECT = sa.select(outcomes.c.record, outcomes.c.submission_id, withdrawals.c.record.label("withdrawal")).select_from(
    outcomes.outerjoin(withdrawals, withdrawals.c.submission_id == outcomes.c.submission_id)
)


def _sentence(record: str) -> str:
    """Who withdrew a submission, when and why. One whose record is damaged stays withdrawn."""
    try:
        return Withdrawal.load(record, "withdrawal").sentence
    except Damaged:
        return "withdrawn; who and why cannot be read, `strikes ledger rebuild` takes them from landing"


def _named(table: sa.Table, ids: Sequence[str]) -> sa.ColumnElement[bool]:
    return table.c.submission_id.in_(ids)


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """As many at once as any database takes in one statement."""
    return (ids[n : n + _AT_ONCE] for n in range(0, len(ids), _AT_ONCE))


def _delete(connection: sa.Connection, table: sa.Table, ids: Sequence[str]) -> None:
    for some in _chunks(ids):
        connection.execute(sa.delete(table).where(_named(table, some)))


def _records(connection: sa.Connection, ids: Sequence[str]) -> Iterator[Outcome]:
    """Collective returns among these as they were judged before; one that is damaged had none."""
    for some in _chunks(ids):
        for record in connection.execute(sa.select(outcomes.c.record).where(_named(outcomes, some))).scalars():
            try:
                yield Outcome.load(record, "outcome")
            except Damaged as damaged:
                log.warning("an outcome that is replaced could not be read: %s", damaged)


def _row(outcome: Outcome) -> dict[str, Any]:
    return {
        "submission_id": outcome.submission_id,
        "sequence": outcome.sequence,
        "feed_id": outcome.feed_id,
        "ods_code": outcome.ods_code,
        "status": outcome.status,
        "action_id": outcome.action_id,
        "received_at": outcome.received_at,
        "has_days": bool(outcome.said),
        "record": outcome.model_dump_json(),
    }


def _said_rows(outcome: Outcome) -> Iterator[dict[str, Any]]:
    for s in outcome.said:
        yield {
            "submission_id": outcome.submission_id,
            "strike_day": s.day,
            "part": s.part,
            "ods_code": outcome.ods_code,
            "extract": outcome.extract,
            "rows": s.rows,
            "total": s.total,
            "quarantined": s.quarantined,
        }


def _keep(connection: sa.Connection, contents: Mapping[str, Any]) -> None:
    kept = [{"sha256": k, "content": json.dumps(v, sort_keys=True)} for k, v in sorted(contents.items())]
    upserts(connection, rules, kept, ("sha256",))


def touch(connection: sa.Connection, actions: Iterable[str]) -> None:
    """Mark actions within a transaction. Each mark is new, so that a slow reader's old one takes nothing off."""
    rows = [{"action_id": a, "mark": secrets.randbits(62)} for a in sorted(set(actions))]
    upserts(connection, touched, rows, ("action_id",))


def queue(connection: sa.Connection, letters: Iterable[Letter]) -> None:
    """Put letters into the outbox; one of a name that was there is left as it is."""
    rows = [{"name": e.name, "state": e.state, "record": e.dump().decode()} for e in letters]
    if not rows:
        return
    known = set(
        connection.execute(sa.select(outbox.c.name).where(outbox.c.name.in_([r["name"] for r in rows]))).scalars()
    )
    fresh = [r for r in rows if r["name"] not in known]
    if fresh:
        connection.execute(sa.insert(outbox), fresh)
