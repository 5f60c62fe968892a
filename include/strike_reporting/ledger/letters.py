"""The outbox: what is to be mailed, asked of the ledger by every run, so that no message is lost."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from strike_reporting.ledger.aside import load_each
from strike_reporting.ledger.engine import reading, writing
from strike_reporting.ledger.judged import queue
from strike_reporting.ledger.records import Letter
from strike_reporting.ledger.schema import outbox
from strike_reporting.processes import is_alive, me


class Letters:
    """E-mails by name; each is sent once, unless the sender died between the server's yes and our note of it."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, letters: Iterable[Letter]) -> None:
        """Queue letters; one of a name that was there is left as it is."""
        with writing(self._engine) as connection:
            queue(connection, letters)

    def due(self) -> list[Letter]:
        """Letters to send: queued, failed before, or in the hands of a process that died; oldest first."""
        found = self._many(sa.select(outbox).where(outbox.c.state.in_(("queued", "failed", "sending"))))
        found = [e for e in found if e.state != "sending" or is_alive(e.owner) is False]
        return sorted(found, key=lambda e: (e.created_at, e.name))

    def take(self, letter: Letter) -> Letter | None:
        """Take a letter in hand; None when another process did."""
        taken = letter.model_copy(update={"state": "sending", "owner": me(), "tries": letter.tries + 1})
        with writing(self._engine) as connection:
            done = connection.execute(
                sa.update(outbox)
                .where(outbox.c.name == letter.name, outbox.c.record == letter.dump().decode())
                .values(state=taken.state, record=taken.dump().decode())
            )
        return taken if done.rowcount else None

    def put(self, letter: Letter, state: str, reason: str = "") -> None:
        """Say what became of a letter."""
        said = letter.model_copy(update={"state": state, "reason": reason})
        with writing(self._engine) as connection:
            connection.execute(
                sa.update(outbox).where(outbox.c.name == letter.name).values(state=state, record=said.dump().decode())
            )

    def listed(self, state: str = "") -> list[Letter]:
        """Letters of a state, or all, oldest first."""
        statement = sa.select(outbox)
        found = self._many(statement.where(outbox.c.state == state) if state else statement)
        return sorted(found, key=lambda e: (e.created_at, e.name))

    def _many(self, statement: sa.Select[tuple[str, str, str]]) -> list[Letter]:
        with reading(self._engine) as connection:
            rows = connection.execute(statement).all()
        return load_each(Letter, "letter", ((r.name, r.record) for r in rows))
