"""Rounds of pulling: what the strike calendar asked for, who took it in hand, and what came to its end.

A round is claimed once. One that an edit of the calendar adds behind the last run is due like any other, and one that
an edit takes away is withdrawn unless somebody had claimed it: what was done stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from strike_reporting.clock import utc
from strike_reporting.ledger.engine import one_at_a_time, reading, writing
from strike_reporting.ledger.records import Round
from strike_reporting.ledger.schema import rounds

_UNCLAIMED = rounds.c.claimed_by.is_(None)
_WHAT = ("due_at", "kind", "actions")  # what an edit of the calendar may say otherwise of an unclaimed round


class Rounds:
    """Rounds by their id; times are UTC, as `moment` writes them."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def look(self, asked: Iterable[Round], after: datetime, until: datetime) -> None:
        """Note all that the calendar asks for between two moments (the first one left out), as it stands today."""
        wanted = {r.round_id: _row(r) for r in asked}
        with writing(self._engine) as connection:
            one_at_a_time(connection, "rounds")
            span = (rounds.c.due_at > utc(after), rounds.c.due_at <= utc(until))
            known = {r.round_id: r for r in connection.execute(sa.select(rounds).where(*span))}
            if gone := [i for i, r in known.items() if r.claimed_by is None and i not in wanted]:
                connection.execute(sa.delete(rounds).where(rounds.c.round_id.in_(gone), _UNCLAIMED))
            if new := [row for i, row in wanted.items() if i not in known]:
                connection.execute(sa.insert(rounds), new)
            for i, row in wanted.items():
                if i in known and any(getattr(known[i], c) != row[c] for c in _WHAT):
                    connection.execute(sa.update(rounds).where(rounds.c.round_id == i, _UNCLAIMED).values(row))

    def due(self, now: datetime) -> list[Round]:
        """Rounds that nobody has claimed, oldest first."""
        return self._many(_UNCLAIMED, rounds.c.due_at <= utc(now))

    def claim(self, by: str, now: datetime) -> list[Round]:
        """Take all that is due in hand; also what the same claimant took before, should its task be tried again."""
        with writing(self._engine) as connection:
            connection.execute(
                sa.update(rounds)
                .where(_UNCLAIMED, rounds.c.due_at <= utc(now))
                .values(claimed_by=by, claimed_at=utc(now))
            )
        return self._many(rounds.c.claimed_by == by)

    def done(self, by: str, now: datetime) -> None:
        """Note that what somebody claimed came to its end."""
        with writing(self._engine) as connection:
            mine = (rounds.c.claimed_by == by, rounds.c.done_at.is_(None))
            connection.execute(sa.update(rounds).where(*mine).values(done_at=utc(now)))

    def between(self, after: datetime, until: datetime) -> list[Round]:
        """The rounds between two moments (the first one left out), whoever claimed them, oldest first."""
        return self._many(rounds.c.due_at > utc(after), rounds.c.due_at <= utc(until))

    def _many(self, *which: sa.ColumnElement[bool]) -> list[Round]:
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(rounds).where(*which).order_by(rounds.c.due_at)).all()
        return [
            Round(
                round_id=r.round_id,
                due_at=r.due_at,
                kind=r.kind,
                actions=tuple(filter(None, r.actions.split(";"))),
                claimed_by=r.claimed_by or "",
                claimed_at=r.claimed_at or "",
                done_at=r.done_at or "",
            )
            for r in rows
        ]


def _row(asked: Round) -> dict[str, str]:
    return {
        "round_id": asked.round_id,
        "due_at": asked.due_at,
        "kind": asked.kind,
        "actions": ";".join(asked.actions),
    }
