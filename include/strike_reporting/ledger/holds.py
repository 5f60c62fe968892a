"""Holds: releases that the gate held for a person. At most one of an action is unfinished; what is over stays.

A decision is made once: whoever comes second is told so. A release that is cut ends what was unfinished of its action,
in the transaction that makes it the current one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa

from strike_reporting.ledger.aside import load_each
from strike_reporting.ledger.engine import one_at_a_time, reading, upserts, writing
from strike_reporting.ledger.gated import Hold
from strike_reporting.ledger.judged import queue
from strike_reporting.ledger.records import Damaged, Letter
from strike_reporting.ledger.schema import holds


class Holds:
    """Holds by action and time."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def everything(self) -> list[Hold]:
        """Every hold that can be read, oldest first."""
        return self._many(sa.select(holds))

    def of(self, action_id: str) -> list[Hold]:
        """An action's holds, oldest first."""
        return self._many(sa.select(holds).filter_by(action_id=action_id))

    def last(self, action_id: str) -> Hold | None:
        """An action's newest hold; None when it never had one."""
        return next(reversed(self.of(action_id)), None)

    def about(self, action_id: str, identity: str) -> Hold | None:
        """The newest hold of these figures; None where they never were held."""
        return next((h for h in reversed(self.of(action_id)) if h.identity == identity), None)

    def unfinished(self) -> list[Hold]:
        """Holds that wait for a person, or for the release that follows from what was decided."""
        return self._many(sa.select(holds).where(holds.c.is_unfinished))

    def hold(self, new: Hold) -> None:
        """Hold an action's figures, and queue the letter about it; what was held of it before is superseded."""
        with writing(self._engine) as connection:
            one_at_a_time(connection, f"hold {new.action_id}")
            _end(connection, new.action_id, "held anew")
            _put(connection, [new])
            queue(connection, [Letter(name=new.letter, kind="held", about=new.action_id, created_at=new.since)])

    def decide(self, one: Hold, **said: str) -> Hold | None:
        """Say what became of a held release (`state`, `who`, `at`, `why`); None when somebody said so before."""
        return self._change(one, lambda found: found.state == "held", said)

    def finish(self, one: Hold, outcome: str) -> Hold | None:
        """Note that no release came of it, and why."""
        return self._change(one, lambda found: found.is_unfinished, {"state": "superseded", "outcome": outcome})

    def _change(self, one: Hold, may: Callable[[Hold], bool], said: dict[str, str]) -> Hold | None:
        with writing(self._engine) as connection:
            one_at_a_time(connection, f"hold {one.action_id}")
            row = connection.execute(sa.select(holds).filter_by(action_id=one.action_id, since=one.since)).first()
            found = _hold(row) if row else None
            if found is None or not may(found):
                return None
            changed = found.model_copy(update=said)
            _put(connection, [changed])
        return changed

    def _many(self, statement: sa.Select[Any]) -> list[Hold]:
        with reading(self._engine) as connection:
            rows = connection.execute(statement.order_by(holds.c.since, holds.c.action_id)).all()
        return load_each(Hold, "hold", ((f"{r.action_id} {r.since}", r.record) for r in rows))


def released(connection: sa.Connection, action_id: str, release_id: str, identity: str) -> None:
    """Within the transaction that publishes: what was unfinished of the action came to this release."""
    _end(connection, action_id, release_id, identity)


def restore(connection: sa.Connection, found: Iterable[Hold]) -> None:
    """Write holds as they are kept, within a transaction."""
    _put(connection, found)


def _end(connection: sa.Connection, action_id: str, outcome: str, identity: str = "") -> None:
    """End what is unfinished of an action; unless these very figures were approved, it is superseded."""
    for row in connection.execute(sa.select(holds).where(holds.c.is_unfinished, holds.c.action_id == action_id)).all():
        if found := _hold(row):
            state = found.state if (found.state, found.identity) == ("approved", identity) else "superseded"
            _put(connection, [found.model_copy(update={"state": state, "outcome": outcome})])


def _hold(row: sa.Row[Any]) -> Hold | None:
    try:
        return Hold.load(row.record, f"hold {row.action_id} {row.since}")
    except Damaged:
        return None


def _put(connection: sa.Connection, found: Iterable[Hold]) -> None:
    rows = [
        {
            "action_id": h.action_id,
            "since": h.since,
            "is_unfinished": h.is_unfinished,
            "record": h.dump().decode(),
        }
        for h in found
    ]
    upserts(connection, holds, rows, ("action_id", "since"))
