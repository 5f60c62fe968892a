"""Judging files to see what would become of them: nothing is landed, and nothing of it stays.

It is done in a scratch root, readable by its owner only and removed at the end, by the very steps that a round takes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa

from strike_reporting.errors import OurFault
from strike_reporting.intake.dialects import Dialect
from strike_reporting.intake.landing import Arrived, Sender, land
from strike_reporting.judging.filing import accepted_key, findings
from strike_reporting.judging.problems import Problem
from strike_reporting.judging.rulebook import Answer, PresentRules
from strike_reporting.judging.settle import validate
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Outcome
from strike_reporting.storage import Store
from strike_reporting.storage.parquet import read_parquet


@dataclass(frozen=True)
class Tried:
    """What would become of a file: its outcome, what was found of it, and the rows that would be used.

    parts: of a collective return, the outcome of each trust.
    """

    outcome: Outcome
    findings: tuple[Problem, ...]
    rows: pa.Table | None
    parts: tuple[Outcome, ...] = ()

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Those that say figures."""
        return self.parts or (self.outcome,)

    @property
    def counts(self) -> bool:
        """Whether any row could be used."""
        return any(o.counts for o in self.outcomes)


class WithDialect(PresentRules):
    """Today's rules, and one more dialect that stands in no configuration yet."""

    def __init__(self, dialect: Dialect) -> None:
        """Add a dialect."""
        super().__init__()
        self._dialect = dialect

    def _answer(self, question: str) -> Answer:
        if question == f"dialect:{self._dialect.id}":
            return self._dialect.model_dump(mode="json")
        return super()._answer(question)


@contextmanager
def scratch() -> Iterator[Store]:
    """A root of its own that is removed again, whatever happens."""
    with tempfile.TemporaryDirectory(prefix="strikes-") as root:
        yield Store(root)


def try_files(
    files: Iterable[tuple[str, bytes, Sender]],
    rules: PresentRules | None = None,
    progress: Callable[[Outcome], None] = lambda _: None,
) -> list[Tried]:
    """Judge files without landing them.

    Args:
        files: each with its name and what is known of its sender.
        rules: what they are judged by; default the rules of today.
        progress: called with each outcome.

    Raises:
        OurFault: one could not be judged.
    """
    given = rules or PresentRules()
    with scratch() as store:
        receipts = [r for r, _ in land(store, [Arrived(data, name, sender) for name, data, sender in files])]
        judged = validate(store, receipts, progress, rules=lambda _: given, tell=False)
        if failed := [j.reason for j in judged if j.outcome is None]:
            raise OurFault(f"it could not be judged: {failed[0]}")
        by_id = {j.outcome.submission_id: j.outcome for j in judged if j.outcome is not None}
        return [_tried(store, by_id[r.submission_id]) for r in receipts]


def _tried(store: Store, outcome: Outcome) -> Tried:
    parts = tuple(ledger_of(store).judged.some(outcome.parts)) if outcome.parts else ()
    found = [p for o in (outcome, *parts) for p in findings(store, o.submission_id)]
    kept = [
        read_parquet(store.read(accepted_key(o.extract, o.submission_id)))
        for o in parts or (outcome,)
        if o.counts and o.extract and o.extract == (parts or (outcome,))[0].extract
    ]
    return Tried(outcome, tuple(found), pa.concat_tables(kept) if kept else None, parts)


def total(outcomes: Sequence[Outcome]) -> int:
    """The sum of the counts that outcomes say."""
    return sum(s.total for o in outcomes for s in o.said)
