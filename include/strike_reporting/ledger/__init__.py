"""The ledger: what there is to do, in which order things came, what became of each, what was published and mailed.

It is SQL (`engine` says where). Landing with its receipts and the release folders are kept for good; everything here
can be made again from them by `strikes ledger rebuild`, but which rounds were claimed: those of late are due again.
"""

from __future__ import annotations

import os

import sqlalchemy as sa

from strike_reporting.ledger.drafts import Drafts
from strike_reporting.ledger.engine import facts_of, get_fact, ledger_url, open_engine, prepare, put_fact, swap_fact
from strike_reporting.ledger.holds import Holds
from strike_reporting.ledger.judged import Judged
from strike_reporting.ledger.letters import Letters
from strike_reporting.ledger.published import Published
from strike_reporting.ledger.receiving import Receiving
from strike_reporting.ledger.rounds import Rounds
from strike_reporting.storage import Store

__all__ = ["Ledger", "ledger_of"]


class Ledger:
    """One root's ledger, by subject."""

    def __init__(self, engine: sa.Engine, store: Store) -> None:
        """Use `ledger_of`."""
        self.engine = engine
        self.receiving, self.judged = Receiving(engine, store), Judged(engine)
        self.published, self.letters = Published(engine), Letters(engine)
        self.rounds, self.drafts, self.holds = Rounds(engine), Drafts(engine), Holds(engine)

    def fact(self, key: str) -> str:
        """One word that was kept about the ledger itself; empty where there is none."""
        return get_fact(self.engine, key)

    def keep_fact(self, key: str, value: str) -> None:
        """Keep one word."""
        put_fact(self.engine, key, value)

    def facts(self, prefix: str) -> dict[str, str]:
        """The words whose keys begin so."""
        return facts_of(self.engine, prefix)

    def swap_fact(self, key: str, old: str, new: str) -> bool:
        """Keep one word instead of another (empty: of none), unless it is another by now; whether it was done."""
        return swap_fact(self.engine, key, old, new)


_opened: dict[tuple[int, str], Ledger] = {}


def ledger_of(store: Store, *, rebuilding: bool = False) -> Ledger:
    """The ledger of a root, opened once in a process and never shared with a forked one.

    Raises:
        StrikesError: SQLite cannot serve this root; the message says what to set.
        LedgerMissing: receipts are there and no ledger knows them (unless `rebuilding`).
        Away: the database is busy, or cannot be reached.
    """
    url = ledger_url(store)
    key = (os.getpid(), url)
    if key not in _opened or rebuilding:
        engine = open_engine(url)
        prepare(engine, store, rebuilding=rebuilding)
        _opened[key] = Ledger(engine, store)
    return _opened[key]
