"""Landing to accepted and quarantine: judge every submission that has no outcome yet.

One fault costs one file: whatever happens to a submission is its own outcome, and its order among others decides
nothing here. Which submission counts is asked at publication.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from strike_reporting.errors import OurFault, Transient, attempt, together
from strike_reporting.extracts import Contract
from strike_reporting.intake.landing import content
from strike_reporting.judging import filing
from strike_reporting.judging.batch import Opened, verdicts
from strike_reporting.judging.filing import Filed
from strike_reporting.judging.opening import Opened as OpenedFile
from strike_reporting.judging.opening import Refused, open_submission
from strike_reporting.judging.problems import Problem
from strike_reporting.judging.rulebook import Asked, PresentRules, Rulebook
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.aside import Found
from strike_reporting.ledger.records import Outcome, Receipt, part_id
from strike_reporting.memory import give_back
from strike_reporting.settings import settings
from strike_reporting.storage import Store

log = logging.getLogger(__name__)
DOCTOR = "`strikes doctor` says what mends it"
Rules = Callable[[Receipt], Rulebook]


@dataclass(frozen=True)
class Judged:
    """What became of one receipt: an outcome, or why there is none yet (`reason`), to be tried again."""

    receipt: Receipt
    outcome: Outcome | None
    reason: str = ""


def to_validate(store: Store) -> Found[Receipt]:
    """Receipts to judge, in the order of landing: without an outcome, or pinned to rules that have changed."""
    ledger, rules = ledger_of(store), PresentRules()
    fingerprint = rules.fingerprint()
    if ledger.fact("rules") != fingerprint:
        stale = changed(ledger.judged.pins(), rules)
        ledger.receiving.judge_again(stale)
        ledger.keep_fact("rules", fingerprint)
        if stale:
            log.info("%d submissions are judged again: what they were judged by has changed", len(stale))
    return ledger.receiving.to_judge()


def changed(pins: dict[str, dict[str, str]], rules: Rulebook) -> list[str]:
    """Submissions one of whose pinned answers is another today.

    A dialect that is gone or cannot be read takes nothing back that was judged by it.
    """

    def differs(question: str, sha: str) -> bool:
        found = attempt(question, rules.answer)
        return not isinstance(found.error, OurFault) and (found.made is None or found.made[1] != sha)

    return [s for s, asked in pins.items() if any(differs(q, sha) for q, sha in asked.items())]


def validate(
    store: Store,
    todo: Iterable[Receipt],
    progress: Callable[[Outcome], None] = lambda _: None,
    *,
    rules: Rules | None = None,
    tell: bool = True,
) -> list[Judged]:
    """Judge submissions and write accepted rows, quarantine, error reports and outcomes.

    Args:
        store: the state root.
        todo: receipts, in any order.
        progress: called with each outcome.
        rules: what each is judged by; default the rules of today.
        tell: whether senders are to be told what they must mend.

    Returns:
        One `Judged` for each receipt.
    """
    give_back()
    present = PresentRules()
    rules = rules or (lambda _: present)
    done: list[Judged] = []
    batches: dict[Contract, list[Opened]] = {}
    waiting: Counter[Contract] = Counter()  # rows of each batch
    refused: list[Filed] = []

    def settled(found: Iterable[Judged]) -> None:
        for one in found:
            done.append(one)
            if one.outcome is not None:
                progress(one.outcome)

    for receipt in todo:
        asked = Asked(rules(receipt))
        opened = _open(store, receipt, asked, tell)
        if isinstance(opened, Judged):
            settled([opened])
        elif isinstance(opened, OpenedFile):
            settled(_collective(store, receipt, asked, opened, tell))
        elif isinstance(opened, Filed):
            refused.append(opened)
            if len(refused) >= settings().submissions_in_group:
                settled(_keep(store, refused))
                refused = []
        else:
            contract, rows = opened.rows.contract, opened.rows.table.num_rows
            waiting[contract] += rows
            if contract in batches and waiting[contract] > settings().batch_rows:
                settled(_judge_batch(store, batches.pop(contract), tell))
                waiting[contract] = rows
            batches.setdefault(contract, []).append(opened)
    settled(_keep(store, refused))
    for contract in sorted(batches, key=lambda c: c.name):
        settled(_judge_batch(store, batches[contract], tell))
    return done


def _open(store: Store, receipt: Receipt, asked: Asked, tell: bool) -> Opened | OpenedFile | Filed | Judged:
    """A submission opened; the file itself where it is a collective return, or what became of it already."""
    tried = attempt(receipt, lambda r: open_submission(r, content(store, r), asked))
    if tried.made is not None:
        if tried.made.is_collective:
            return tried.made
        (part,) = tried.made.parts
        return Opened(receipt, asked, part.trust, part.dialect, part.rows)
    if isinstance(tried.error, Refused):
        why, known = tried.error.why, tried.error.known
        refused = filing.refusal(receipt, asked, why.problem, known.trust, known.extract, why.beside, known.days)
        return _filed(refused, tell)
    if isinstance(tried.error, FileNotFoundError):
        return _purged(store, receipt, asked, tell)
    return _ours(store, receipt, asked, tried.error)


def _collective(store: Store, receipt: Receipt, asked: Asked, file: OpenedFile, tell: bool) -> list[Judged]:
    """Judge a collective return: each trust's part has its own outcome, and all are kept with the file's."""
    batches: dict[Contract, list[Opened]] = {}
    for part in file.parts:
        name = part_id(receipt.submission_id, part.trust, part.rows.contract.name)
        mine = receipt.model_copy(update={"submission_id": name, "ods_code": part.trust})
        batches.setdefault(part.rows.contract, []).append(Opened(mine, asked, part.trust, part.dialect, part.rows))
    # All are judged before one is kept: each is kept with every question that its file asked.
    found = [v for batch in batches.values() for v in _verdicts(store, batch)]
    judged = [v for v in found if isinstance(v, filing.Verdict)]
    outlives = any(filing.has_persons(problems) for problems in (file.problems, *(v.problems for v in judged)))
    parts = [v if isinstance(v, (Judged, Filed)) else _filed(v, tell=False, outlives=outlives) for v in found]
    if wrong := next((p for p in parts if isinstance(p, Judged)), None):
        return [Judged(receipt, None, wrong.reason)]
    kept = [p for p in parts if isinstance(p, Filed)]
    extracts = {part.rows.contract.name for part in file.parts}
    extract = extracts.pop() if len(extracts) == 1 else None
    # Whoever sent the file hears of all of it, in one letter.
    told = (
        replace(p, message=f"{v.trust}: {p.message}") for v in judged for p in v.problems if p.severity != "warning"
    )
    strays = file.problems.tally("severity")["error",]
    all_told, dialect = file.problems, file.parts[0].dialect
    all_told += told
    outcomes = tuple(f.outcome for f in kept)
    whole = filing.Verdict(receipt, asked, all_told, None, extract, dialect, parts=outcomes, strays=strays)
    last = _filed(whole, tell, outlives)
    if isinstance(last, Judged):
        return [last]
    tried = attempt([*kept, last], lambda found: filing.keep(store, found))  # all of them, or none
    return [Judged(receipt, None if tried.error else last.outcome, tried.reason)]


def _purged(store: Store, receipt: Receipt, asked: Asked, tell: bool) -> Filed | Judged:
    """The bytes are gone: what was found when they were there stands."""
    if kept := filing.kept_outcomes(store, receipt):
        tried = [attempt(one, lambda o: filing.keep_again(store, o)) for one in kept]
        reason = next((t.reason for t in tried if t.error is not None), "")
        return Judged(receipt, None if reason else kept[-1], reason)
    if _stands(store, receipt):
        return Judged(receipt, None, f"its landed bytes are gone, so what was found before stands; {DOCTOR}")
    gone = Problem("bytes_missing", "critical", "its landed bytes are gone", "Ask the trust to send the file again.")
    return _filed(filing.refusal(receipt, asked, gone, receipt.ods_code, receipt.extract), tell)


def _ours(store: Store, receipt: Receipt, asked: Asked, error: Exception | None) -> Filed | Judged:
    """Not the sender's fault: a passing one leaves no outcome, another is kept apart by its rule and tried again."""
    if isinstance(error, Transient):
        return Judged(receipt, None, str(error))
    said = str(error) if isinstance(error, OurFault) else type(error).__name__
    if _stands(store, receipt):
        return Judged(receipt, None, f"{said}; what was found before stands; {DOCTOR}")
    problem = Problem(
        "processing_error",
        "critical",
        f"this file could not be processed ({said}); the fault is ours and it will be tried again",
        "Nothing need be sent again. Engineers: see the task's log for the traceback.",
    )
    return _filed(filing.refusal(receipt, asked, problem, receipt.ods_code, receipt.extract), tell=False)


def _stands(store: Store, receipt: Receipt) -> bool:
    """Whether a submission has an outcome by which its rows count: no fault of ours takes them out of the figures."""
    before = attempt(receipt.submission_id, ledger_of(store).judged.get).made
    return before is not None and before.counts


def _filed(verdict: filing.Verdict, tell: bool, outlives: bool = False) -> Filed | Judged:
    """What is to be kept of a verdict; where even that cannot be made, the submission stays to be judged."""
    tried = attempt(verdict, lambda v: filing.filed(v, tell=tell, outlives=outlives))
    return tried.made if tried.made is not None else Judged(verdict.receipt, None, tried.reason)


def _keep(store: Store, found: Sequence[Filed]) -> list[Judged]:
    """Keep what was found of some submissions."""
    tried = together(found, lambda some: filing.keep(store, some))
    return [Judged(t.item.receipt, None if t.error else t.item.outcome, t.reason) for t in tried]


def _judge_batch(store: Store, batch: list[Opened], tell: bool) -> list[Judged]:
    """Judge submissions of one contract together, and keep what is found."""
    found = [v if isinstance(v, (Judged, Filed)) else _filed(v, tell) for v in _verdicts(store, batch)]
    return [*(v for v in found if isinstance(v, Judged)), *_keep(store, [v for v in found if isinstance(v, Filed)])]


def _verdicts(store: Store, batch: Sequence[Opened]) -> Iterator[filing.Verdict | Filed | Judged]:
    """What judging finds of submissions of one contract."""
    for found in verdicts(batch):
        yield found.made or _ours(store, found.item.receipt, found.item.asked, found.error)
