"""The ledger made again: what a rebuilding begins from, in one transaction, and which rows of it cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from strike_reporting.ledger import holds, published, receiving, schema
from strike_reporting.ledger.engine import REBUILDING, reading, upsert, upserts, writing
from strike_reporting.ledger.gated import Hold
from strike_reporting.ledger.records import (
    Cut,
    Damaged,
    Duplicate,
    Letter,
    Outcome,
    Pull,
    Receipt,
    Record,
    Withdrawal,
)

R = TypeVar("R", bound=Record)
# What follows from landing and the release folders. The other tables hold what is nowhere else, and are kept.
_MADE_AGAIN = (
    "receipts",
    "outcomes",
    "said",
    "withdrawals",
    "rules",
    "touched",
    "releases",
    "drafts",
    "holds",
    "facts",
    "remote_files",
)


@dataclass(frozen=True)
class DamagedRow:
    """A row one of whose columns cannot be read. `state`: of a letter."""

    table: str
    keys: tuple[Any, ...]
    column: str
    why: str
    state: str = ""

    @property
    def name(self) -> str:
        """The row as it is called in messages."""
        return f"{self.table} {', '.join(map(str, self.keys))}"


_COLUMNS: tuple[tuple[sa.Table, str, Callable[[str, str], object]], ...] = (
    (schema.receipts, "record", Receipt.load),
    (schema.duplicates, "record", Duplicate.load),
    (schema.pulls, "record", Pull.load),
    (schema.feeds, "last_pull", Pull.load),
    (schema.outcomes, "record", Outcome.load),
    (schema.withdrawals, "record", Withdrawal.load),
    (schema.holds, "record", Hold.load),
    (schema.outbox, "record", Letter.load),
)


def damaged(engine: sa.Engine) -> Iterator[DamagedRow]:
    """Every row that cannot be read."""
    for table, column, load in _COLUMNS:
        keys = [table.c.submission_id] if table is schema.receipts else list(table.primary_key)
        state = [table.c.state] if table is schema.outbox else []
        with reading(engine) as connection:
            for row in connection.execute(sa.select(table.c[column], *keys, *state)):
                if row[0] is None:
                    continue
                try:
                    load(row[0], table.name)
                except Damaged as error:
                    own = tuple(row[1 : len(keys) + 1])
                    yield DamagedRow(table.name, own, column, error.why, row[-1] if state else "")


def readable(engine: sa.Engine, kind: type[R], table: sa.Table, *where: sa.ColumnElement[bool]) -> Iterator[R]:
    """The records of a table that can be read. Nothing is said of the others, and nothing mended."""
    with reading(engine) as connection:
        for text in connection.execute(sa.select(table.c.record).where(*where)).scalars():
            try:
                yield kind.load(text, table.name)
            except Damaged:
                continue


def begin_again(
    engine: sa.Engine,
    receipts: list[Receipt],
    releases: Iterable[tuple[Cut, str, bool]],
    letters: Iterable[Letter],
    withdrawals: Iterable[Withdrawal] = (),
    held: Iterable[Hold] = (),
) -> None:
    """Empty what can be made again, fill in what is kept for good, and drop the rows that cannot be read.

    Args:
        engine: the ledger's.
        receipts: with the numbers that they carry.
        releases: each with its summary, and whether it is early.
        letters: in place of those that cannot be read.
        withdrawals: of submissions.
        held: what the gate held, and what became of it.
    """
    wrong = list(damaged(engine))
    with writing(engine) as connection:
        for table in reversed(schema.metadata.sorted_tables):
            if table.name in _MADE_AGAIN:
                connection.execute(sa.delete(table))
        for row in wrong:
            table = schema.metadata.tables[row.table]
            if row.table not in _MADE_AGAIN:
                mine = (c == v for c, v in zip(table.primary_key, row.keys, strict=True))
                connection.execute(sa.delete(table).where(*mine))
        receiving.restore(connection, receipts)
        published.restore(connection, releases)
        rows = [{"name": e.name, "state": e.state, "record": e.dump().decode()} for e in letters]
        upserts(connection, schema.outbox, rows, ("name",))
        taken = [{"submission_id": w.submission_id, "record": w.dump().decode()} for w in withdrawals]
        upserts(connection, schema.withdrawals, taken, ("submission_id",))
        holds.restore(connection, held)
        upsert(connection, schema.facts, {"key": REBUILDING, "value": "begun"}, ("key",))


def made_again(engine: sa.Engine) -> None:
    """Say that the rebuilding is done: from now on the ledger may be used."""
    with writing(engine) as connection:
        connection.execute(sa.delete(schema.facts).where(schema.facts.c.key == REBUILDING))
