"""Drafts: of each action at most one, which is whole, and at most one process that makes or draws it.

Whoever stages an action for its draft has it in hand before he looks at the ledger, and the next one comes after he has
let it go: so a draft never goes back to an earlier state. A row is there only while there is a draft, its pages, or
somebody at work.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from strike_reporting.ledger.engine import one_at_a_time, reading, upserts, writing
from strike_reporting.ledger.judged import touch
from strike_reporting.ledger.records import Drafted
from strike_reporting.ledger.schema import drafts, releases
from strike_reporting.processes import is_free, me

# A draft says what differs from one release: when that is no longer the current one, the draft waits to be made again.
_CURRENT = (
    sa.select(releases.c.release_id)
    .where(releases.c.action_id == drafts.c.action_id, releases.c.is_current)
    .scalar_subquery()
)
_IS_SHOWN = sa.and_(drafts.c.kept != "", drafts.c.compared == sa.func.coalesce(_CURRENT, ""))


class Drafts:
    """Drafts by action."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def everything(self) -> list[Drafted]:
        """Every row, also those in hand and those with nothing to show."""
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(drafts, _IS_SHOWN.label("is_shown")).order_by(drafts.c.action_id)).all()
        return [Drafted(**r._asdict()) for r in rows]

    def of(self, action_id: str) -> Drafted | None:
        """An action's row; None when it has none."""
        return next((d for d in self.everything() if d.action_id == action_id), None)

    def shown(self) -> list[Drafted]:
        """Drafts of today's figures where those are other ones than the current release's."""
        return [d for d in self.everything() if d.is_shown]

    def claim(self, action_id: str) -> Drafted | None:
        """Take an action's draft in hand; None when a living process has it."""
        now = datetime.now(UTC)
        with writing(self._engine) as connection:
            one_at_a_time(connection, f"draft {action_id}")
            own = sa.select(drafts, _IS_SHOWN.label("is_shown")).filter_by(action_id=action_id)
            row = connection.execute(own).first()
            before = Drafted(**row._asdict()) if row else Drafted(action_id=action_id)
            if before.owner and not is_free(before.owner, before.claimed_at, now):
                return None
            mine = before.model_copy(update={"owner": me(), "claimed_at": now.isoformat()})
            kept = mine.model_dump(exclude={"schema_version", "is_shown"})
            upserts(connection, drafts, [kept], ("action_id",))
        return mine

    def put(self, mine: Drafted, kept: str, identity: str, compared: str) -> bool:
        """Say which draft is whole, and what it was compared with; no `kept` where there is nothing to show.

        Returns:
            False when another process took the draft over, or another release is the current one meanwhile.
        """
        with writing(self._engine) as connection:
            is_current = sa.func.coalesce(_CURRENT, "") == compared
            done = connection.execute(
                sa.update(drafts).where(*_is(mine), is_current).values(kept=kept, identity=identity, compared=compared)
            )
        return bool(done.rowcount)

    def drawn(self, mine: Drafted, drawn: str) -> bool:
        """Note which draft the pages show; False when another process took it over."""
        with writing(self._engine) as connection:
            done = connection.execute(sa.update(drafts).where(*_is(mine)).values(drawn=drawn))
        return bool(done.rowcount)

    def let_go(self, mine: Drafted) -> None:
        """Let an action's draft go, and its row where nothing is left of it."""
        with writing(self._engine) as connection:
            connection.execute(sa.delete(drafts).where(*_is(mine), drafts.c.kept == "", drafts.c.drawn == ""))
            connection.execute(sa.update(drafts).where(*_is(mine)).values(owner="", claimed_at=""))


def released(connection: sa.Connection, action_id: str, identity: str) -> None:
    """Within the transaction that publishes: a draft of the same figures is none any more; another is made again."""
    row = connection.execute(sa.select(drafts.c.identity).filter_by(action_id=action_id)).first()
    if row is None:
        return
    if row.identity == identity:
        connection.execute(sa.update(drafts).filter_by(action_id=action_id).values(kept=""))
    else:
        touch(connection, action_id.split(";"))


def _is(mine: Drafted) -> Iterable[Any]:
    return (
        drafts.c.action_id == mine.action_id,
        drafts.c.owner == mine.owner,
        drafts.c.claimed_at == mine.claimed_at,
    )
