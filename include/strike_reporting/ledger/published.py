"""What was published: release numbers claimed by constraint, which release is current, and what is to be drawn."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from strike_reporting.ledger import drafts, holds
from strike_reporting.ledger.engine import one_at_a_time, reading, upserts, writing
from strike_reporting.ledger.judged import queue, touch
from strike_reporting.ledger.records import Cut, Letter
from strike_reporting.ledger.schema import releases
from strike_reporting.processes import is_alive, is_free, me


class Published:
    """Releases by action and number."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def of(self, action_id: str) -> list[Cut]:
        """An action's releases by number, claimed ones too."""
        return self._many(sa.select(releases).filter_by(action_id=action_id).order_by(releases.c.number))

    def current(self) -> list[Cut]:
        """Every action's current release, by action."""
        return self._many(sa.select(releases).where(releases.c.is_current).order_by(releases.c.action_id))

    def find(self, release_id: str) -> Cut | None:
        """The release of an id."""
        found = self._many(sa.select(releases).filter_by(release_id=release_id))
        return found[0] if found else None

    def claim(self, action_id: str, slug: str, identity: str) -> Cut | None:
        """The next number of an action, for this process alone; None when a living one is writing it now.

        A number whose process died is taken over, whatever that process wanted to publish under it.
        """
        now = datetime.now(UTC)
        with writing(self._engine) as connection:
            one_at_a_time(connection, action_id)
            rows = connection.execute(
                sa.select(releases).filter_by(action_id=action_id).order_by(releases.c.number.desc())
            ).all()
            last = _cut(rows[0]) if rows else None
            number = last.number + 1 if last else 1
            if last and last.state == "claimed":
                if not is_free(last.owner, last.claimed_at, now):
                    return None
                number = last.number
            made = Cut(
                action_id=action_id,
                number=number,
                release_id=f"{slug}.r{number}",
                state="claimed",
                identity=identity,
                owner=me(),
                claimed_at=now.isoformat(),
            )
            upserts(connection, releases, [_row(made)], ("action_id", "number"))
        return made

    def give_up(self, claimed: Cut) -> None:
        """Let a number go that nothing was written under."""
        with writing(self._engine) as connection:
            connection.execute(
                sa.delete(releases).filter_by(
                    action_id=claimed.action_id, number=claimed.number, state="claimed", owner=claimed.owner
                )
            )

    def publish(self, claimed: Cut, summary: str, is_early: bool, letters: Iterable[Letter] = ()) -> bool:
        """Make a claimed release the current one and queue its mail, in one transaction.

        So are a draft of the same figures, which is none any more, and what was held of the action, which is over.

        Returns:
            False when the claim was lost to another process meanwhile: nothing was changed then.
        """
        with writing(self._engine) as connection:
            done = connection.execute(
                sa.update(releases)
                .filter_by(action_id=claimed.action_id, number=claimed.number, state="claimed", owner=claimed.owner)
                .values(
                    state="published",
                    is_current=True,
                    summary=summary,
                    is_early=is_early,
                    identity=claimed.identity,
                    drawn="",
                )
            )
            if not done.rowcount:
                return False
            # The one before is drawn again: its pages say from now on what superseded it.
            connection.execute(
                sa.update(releases)
                .where(releases.c.action_id == claimed.action_id, releases.c.number < claimed.number)
                .values(is_current=False, drawn=sa.case((releases.c.is_current, ""), else_=releases.c.drawn))
            )
            queue(connection, letters)
            drafts.released(connection, claimed.action_id, claimed.identity)
            holds.released(connection, claimed.action_id, claimed.release_id, claimed.identity)
        return True

    def set_aside(self, cut: Cut) -> Cut | None:
        """Count a release no longer; the one before becomes the current one, and all that are left are drawn again.

        Returns:
            The release that is the current one now; None when there is none.
        """
        published = sa.and_(releases.c.action_id == cut.action_id, releases.c.state == "published")
        aside = {"state": "set_aside", "is_current": False, "is_early": False}
        with writing(self._engine) as connection:
            connection.execute(
                sa.update(releases).filter_by(action_id=cut.action_id, number=cut.number).values(**aside)
            )
            newest = connection.execute(sa.select(sa.func.max(releases.c.number)).where(published)).scalar()
            values = {"is_current": releases.c.number == newest, "drawn": ""}
            connection.execute(sa.update(releases).where(published).values(values))
            touch(connection, cut.action_id.split(";"))
        return self.newest(cut.action_id)

    def newest(self, action_id: str) -> Cut | None:
        """An action's current release; None when there is none."""
        published = [c for c in self.of(action_id) if c.state == "published"]
        return published[-1] if published else None

    def unfinished(self) -> list[str]:
        """Actions one of whose numbers was claimed by a process that died."""
        found = self._many(sa.select(releases).filter_by(state="claimed"))
        return sorted({c.action_id for c in found if is_alive(c.owner) is False})

    def everything(self) -> list[Cut]:
        """Every release, claimed ones and those set aside too: for looking over, never for a round."""
        return self._many(sa.select(releases).order_by(releases.c.action_id, releases.c.number))

    def summaries(self, *, is_current: bool = True) -> dict[str, str]:
        """The summary of every current release (or of every published one), by release id: for pages across them."""
        which = releases.c.is_current if is_current else releases.c.state == "published"
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(releases.c.release_id, releases.c.summary).where(which)).all()
        return {r.release_id: r.summary for r in rows}

    def some_summaries(self, actions: Iterable[str]) -> list[str]:
        """The summaries of the current releases of some actions."""
        wanted = sa.and_(releases.c.is_current, releases.c.action_id.in_(list(actions)))
        with reading(self._engine) as connection:
            return list(connection.execute(sa.select(releases.c.summary).where(wanted)).scalars())

    def early(self) -> dict[str, str]:
        """The summary of every release that was made before its action's first day, by release id."""
        statement = sa.select(releases.c.release_id, releases.c.summary).where(releases.c.is_early)
        with reading(self._engine) as connection:
            return {r.release_id: r.summary for r in connection.execute(statement.order_by(releases.c.number))}

    def shown(self) -> list[str]:
        """Ids of the releases that pages across releases show: the current ones, and the early ones."""
        wanted = sa.or_(releases.c.is_current, releases.c.is_early)
        with reading(self._engine) as connection:
            found = sa.select(releases.c.release_id).where(wanted).order_by(releases.c.release_id)
            return list(connection.execute(found).scalars())

    def summary(self, release_id: str) -> str:
        """The summary of one release; empty where it has none."""
        with reading(self._engine) as connection:
            return connection.execute(sa.select(releases.c.summary).filter_by(release_id=release_id)).scalar() or ""

    def to_draw(self, version: str) -> list[Cut]:
        """Published releases whose pages were not drawn by this version of the site, current ones first."""
        statement = sa.select(releases).where(releases.c.state == "published", releases.c.drawn != version)
        return self._many(statement.order_by(releases.c.is_current.desc(), releases.c.action_id, releases.c.number))

    def drawn(self, cut: Cut, version: str) -> None:
        """Note that a release's pages are as this version draws them."""
        with writing(self._engine) as connection:
            connection.execute(
                sa.update(releases).filter_by(action_id=cut.action_id, number=cut.number).values(drawn=version)
            )

    def _many(self, statement: sa.Select[Any]) -> list[Cut]:
        with reading(self._engine) as connection:
            return [_cut(r) for r in connection.execute(statement).all()]


def _cut(row: sa.Row[Any]) -> Cut:
    kept = row._asdict()
    return Cut(
        **{k: kept[k] for k in ("action_id", "number", "release_id", "state", "identity", "owner", "drawn")},
        claimed_at=kept["claimed_at"],
    )


def restore(connection: sa.Connection, found: Iterable[tuple[Cut, str, bool]]) -> None:
    """Write releases as their folders say that they are (with summary, and whether early), within a transaction."""
    found = list(found)
    newest: dict[str, int] = {}
    for cut, _, _ in found:
        if cut.state == "published":
            newest[cut.action_id] = max(cut.number, newest.get(cut.action_id, 0))
    rows = [_row(cut, newest.get(cut.action_id) == cut.number, text, is_early) for cut, text, is_early in found]
    upserts(connection, releases, rows, ("action_id", "number"))


def _row(cut: Cut, is_current: bool = False, summary: str = "", is_early: bool = False) -> dict[str, Any]:
    kept = cut.model_dump(exclude={"schema_version"})
    return {**kept, "is_current": is_current, "summary": summary, "is_early": is_early}
