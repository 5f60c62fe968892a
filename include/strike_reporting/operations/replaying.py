"""Replay: what was landed is judged again after a dialect was mended, and both outcomes are shown before any counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from strike_reporting.errors import OurFault, each
from strike_reporting.intake.landing import content, object_key
from strike_reporting.judging.filing import accepted_key
from strike_reporting.judging.settle import Judged, validate
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Outcome, Receipt
from strike_reporting.operations.trying import scratch
from strike_reporting.storage import Store

_AT_ONCE = 200  # files copied into one scratch root: so that it never holds all of landing


@dataclass(frozen=True)
class Asked:
    """Which submissions: those received from one day to another (both included), of a trust, an extract or a feed."""

    trust: str = ""
    extract: str = ""
    feed: str = ""
    first: date | None = None
    last: date | None = None

    def has(self, receipt: Receipt, outcome: Outcome | None) -> bool:
        """Whether a submission is among them. What its receipt does not say, its outcome does."""
        day = date.fromisoformat(receipt.received_at[:10])
        trust = receipt.ods_code or (outcome and outcome.ods_code)
        extract = receipt.extract or (outcome and outcome.extract)
        spoken = {p.split(".")[1] for p in outcome.parts} if outcome else set()
        return (
            (not self.trust or trust == self.trust or self.trust in spoken)
            and (not self.extract or extract == self.extract)
            and (not self.feed or receipt.feed_id == self.feed)
            and (self.first is None or day >= self.first)
            and (self.last is None or day <= self.last)
        )


@dataclass(frozen=True)
class Again:
    """One submission: its outcome as it stands, and as it would be.

    other_rows: rows that would be used are not those that are. reason: why it could not be judged again.
    """

    receipt: Receipt
    before: Outcome | None
    after: Outcome | None
    other_rows: bool = False
    reason: str = ""

    @property
    def differs(self) -> bool:
        """Whether anybody would be told something else of it."""
        if self.after is None:
            return False
        return self.other_rows or self.before is None or _telling(self.before) != _telling(self.after)


def _telling(outcome: Outcome) -> dict[str, object]:
    return outcome.model_dump(exclude={"pins", "withdrawn", "contract_version"})


def selected(store: Store, asked: Asked) -> list[tuple[Receipt, Outcome | None]]:
    """The submissions that are meant, each with its outcome, in the order of landing."""
    ledger = ledger_of(store)
    outcomes = {o.submission_id: o for o in ledger.judged.listed()}
    found = [(r, outcomes.get(r.submission_id)) for r in ledger.receiving.everything()]
    return [(r, o) for r, o in found if asked.has(r, o)]


def compare(
    store: Store, chosen: Sequence[tuple[Receipt, Outcome | None]], progress: Callable[[], None] = lambda: None
) -> list[Again]:
    """Judge submissions again beside the store: nothing in it changes."""
    found: list[Again] = []
    for start in range(0, len(chosen), _AT_ONCE):
        found += _compare(store, chosen[start : start + _AT_ONCE], progress)
    return found


def _compare(
    store: Store, chosen: Sequence[tuple[Receipt, Outcome | None]], progress: Callable[[], None]
) -> Iterator[Again]:
    with scratch() as beside:

        def copy(receipt: Receipt) -> Receipt:
            try:
                beside.write(object_key(receipt.sha256), content(store, receipt), private=True)
            except FileNotFoundError as error:
                raise OurFault("its landed bytes were purged; what was found before stands") from error
            return receipt

        tried = {t.item.submission_id: t for t in each([r for r, _ in chosen], copy)}
        receipts = [t.made for t in tried.values() if t.made is not None]
        ledger_of(beside).receiving.restore(receipts)
        judged = {j.receipt.submission_id: j for j in validate(beside, receipts, lambda _: progress(), tell=False)}
        for receipt, before in chosen:
            again, copied = judged.get(receipt.submission_id), tried[receipt.submission_id]
            if again is None:
                yield Again(receipt, before, None, reason=copied.reason)
            else:
                yield _again(receipt, before, again, _rows(store, before) != _rows(beside, again.outcome))


def _rows(store: Store, outcome: Outcome | None) -> bytes:
    """The rows of a submission that are used, as they are kept."""
    if outcome is None:
        return b""
    keys = [accepted_key(p.rpartition(".")[2], p) for p in outcome.parts]
    if outcome.counts and outcome.extract:
        keys = [accepted_key(outcome.extract, outcome.submission_id)]
    found = store.read_many(keys, missing_ok=True)
    return b"".join(found.get(key, b"") for key in keys)


def _again(receipt: Receipt, before: Outcome | None, judged: Judged, other_rows: bool) -> Again:
    after = judged.outcome
    if after is None or after.is_ours:
        return Again(receipt, before, None, reason=judged.reason or (after.reason if after else ""))
    return Again(receipt, before, after, other_rows)


def commit(store: Store, found: Sequence[Again], progress: Callable[[Outcome], None] = lambda _: None) -> list[Outcome]:
    """Judge again, for good, those that differ; the actions that they concern are to be published again.

    Raises:
        OurFault: one could not be judged; the others were.
    """
    receipts = [a.receipt for a in found if a.differs]
    ledger_of(store).receiving.judge_again(r.submission_id for r in receipts)
    judged = validate(store, receipts, progress)
    if failed := [f"{j.receipt.source_name}: {j.reason}" for j in judged if j.outcome is None]:
        raise OurFault(f"{len(failed)} could not be judged: {failed[0]}")
    return [j.outcome for j in judged if j.outcome is not None]
