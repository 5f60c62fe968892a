"""A submission that was sent in error is taken out of the figures by a person, who says why.

Landing keeps the word beside the receipt, so that a ledger that is made again knows it; the ledger counts by it.
"""

from __future__ import annotations

from datetime import UTC, datetime

from strike_reporting.clock import utc
from strike_reporting.errors import StrikesError
from strike_reporting.judging.filing import concerned
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.receiving import withdrawal_key
from strike_reporting.ledger.records import Damaged, Outcome, Withdrawal
from strike_reporting.showing import safe_text
from strike_reporting.storage import Store


def withdraw(store: Store, submission_id: str, who: str, why: str) -> tuple[Outcome, tuple[str, ...]]:
    """Withdraw a submission; returns its outcome and the ids of the actions that are to be published again.

    Raises:
        StrikesError: there is none of this id, none of its rows is used, it is withdrawn already, or a name or reason
            is lacking.
    """
    who, why = (safe_text(" ".join(text.split())) for text in (who, why))
    for option, text in (("--who", who), ("--why", why)):
        if not text:
            raise StrikesError(f"{option} is empty: say {'who withdraws it' if option == '--who' else 'why'}")
    judged = ledger_of(store).judged
    outcome = judged.get(submission_id)
    if outcome is None and submission_id in ledger_of(store).receiving.ids():
        raise StrikesError(f"{submission_id} is not judged yet; withdraw it when it is")
    if outcome is None:
        raise StrikesError(f"there is no submission {submission_id!r}; `strikes outcomes` lists them")
    if outcome.withdrawn:
        raise StrikesError(f"{submission_id} is {outcome.withdrawn}; nothing is to be done")
    if not outcome.counts:
        raise StrikesError(f"{submission_id} was rejected, so no figure holds a row of it; nothing is to be done")
    said = _kept(store, submission_id) or Withdrawal(
        submission_id=submission_id, who=who, why=why, at=utc(datetime.now(UTC))
    )
    store.write(withdrawal_key(submission_id), said.dump())
    actions = concerned(outcome)
    judged.withdraw([said], actions)
    return outcome.model_copy(update={"withdrawn": said.sentence}), actions


def _kept(store: Store, submission_id: str) -> Withdrawal | None:
    """A withdrawal that was cut short before the ledger knew of it: its first word stands."""
    key = withdrawal_key(submission_id)
    try:
        return Withdrawal.load(store.read(key), key)
    except (FileNotFoundError, Damaged):
        return None
