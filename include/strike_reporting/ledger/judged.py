"""What was judged: outcomes, what each says by day and part, the rules they were pinned to, and whom it concerns."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from strike_reporting.ledger.aside import Found, load_each, log
from strike_reporting.ledger.engine import reading, upserts, writing
from strike_reporting.ledger.records import Damaged, Letter, Outcome, Withdrawal
from strike_reporting.ledger.schema import outbox, outcomes, receipts, rules, said, touched, withdrawals


class Judged:
    """Outcomes, and the actions that they touched since those were last published."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._known: set[str] = set()

    def settle(
        self,
        outcome: Outcome,
        contents: Mapping[str, Any],
        concerns: Iterable[str],
        letter: Letter | None = None,
    ) -> None:
        """Keep an outcome and all that follows from it, in one transaction; what it says of days replaces the old.

        The parts that a collective return had before and has no more are forgotten.

        Args:
            outcome: of one submission. One that is our fault stays to be judged.
            contents: the answers behind its pins, by hash.
            concerns: ids of the actions that it (and the outcome before it) says something about.
            letter: the notice to its sender, if there is something to mend.
        """
        values = {
            "submission_id": outcome.submission_id,
            "sequence": outcome.sequence,
            "feed_id": outcome.feed_id,
            "ods_code": outcome.ods_code,
            "status": outcome.status,
            "action_id": outcome.action_id,
            "received_at": outcome.received_at,
            "has_days": bool(outcome.said),
            "record": outcome.dump().decode(),
        }
        rows = [
            {
                "submission_id": outcome.submission_id,
                "strike_day": s.day,
                "part": s.part,
                "ods_code": outcome.ods_code,
                "extract": outcome.extract,
                "rows": s.rows,
                "total": s.total,
                "quarantined": s.quarantined,
            }
            for s in outcome.said
        ]
        fresh = {k: v for k, v in contents.items() if k not in self._known}
        with writing(self._engine) as connection:
            before = _parts(connection, outcome.submission_id)
            upserts(connection, outcomes, [values], ("submission_id",))
            connection.execute(sa.delete(said).where(said.c.submission_id == outcome.submission_id))
            if gone := sorted(set(before) - set(outcome.parts)):
                for table in (outcomes, said):
                    connection.execute(sa.delete(table).where(table.c.submission_id.in_(gone)))
            if rows:
                connection.execute(sa.insert(said), rows)
            _keep(connection, fresh)
            connection.execute(
                sa.update(receipts)
                .where(receipts.c.submission_id == outcome.submission_id)
                .values(is_judged=not outcome.is_ours)
            )
            touch(connection, concerns)
            if letter is not None:
                queue(connection, [letter])
        self._known |= set(fresh)

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

    def days_of(self, submission_id: str) -> list[date]:
        """The days that a submission was last said to tell something of, also when its outcome cannot be read."""
        wanted = sa.select(said.c.strike_day).where(said.c.submission_id == submission_id).distinct()
        with reading(self._engine) as connection:
            return sorted(connection.execute(wanted).scalars())

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
        found[:] = [o.model_copy(update={"withdrawn": taken.get(o.submission_id, "")}) for o in found]
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


def _parts(connection: sa.Connection, submission_id: str) -> tuple[str, ...]:
    """The parts of a collective return as it was judged before."""
    record = connection.execute(sa.select(outcomes.c.record).filter_by(submission_id=submission_id)).scalar()
    try:
        return Outcome.load(record, "outcome").parts if record else ()
    except Damaged:
        return ()


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
