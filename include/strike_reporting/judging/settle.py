"""Landing to accepted and quarantine: judge every submission that has no outcome yet.

One fault costs one file: whatever happens to a submission is its own outcome, and its order among others decides
nothing here. Which submission counts is asked at publication.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from strike_reporting.errors import OurFault, Transient, attempt, together
from strike_reporting.extracts import Contract, Rule
from strike_reporting.intake.landing import content
from strike_reporting.judging import filing
from strike_reporting.judging.columns import Codes
from strike_reporting.judging.doubles import doubles
from strike_reporting.judging.filing import Filed
from strike_reporting.judging.normalise import Normalised
from strike_reporting.judging.opening import Opened as OpenedFile
from strike_reporting.judging.opening import Refused, code_not_current, open_submission, site_elsewhere
from strike_reporting.judging.plausibility import days_in, implausible, unusable
from strike_reporting.judging.problems import Problem, shown
from strike_reporting.judging.rulebook import Asked, PresentRules, Rulebook
from strike_reporting.judging.rules import judge
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.aside import Found
from strike_reporting.ledger.records import Outcome, Receipt, part_id
from strike_reporting.settings import settings
from strike_reporting.storage import Store

log = logging.getLogger(__name__)
DOCTOR = "`strikes doctor` says what mends it"
_NOTED_AT_ONCE = 20_000  # rows whose cells are looked up together
Rules = Callable[[Receipt], Rulebook]


@dataclass
class Opened:
    """What one trust says of one extract in a file that could be read, while it is judged."""

    receipt: Receipt
    asked: Asked
    trust: str
    dialect: str
    rows: Normalised
    failed: list[Problem] = field(default_factory=list)


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
    problems = [p for v in found if isinstance(v, filing.Verdict) for p in v.problems]
    outlives = filing.has_persons([*file.problems, *problems])
    parts = [v if isinstance(v, (Judged, Filed)) else _filed(v, tell=False, outlives=outlives) for v in found]
    if wrong := next((p for p in parts if isinstance(p, Judged)), None):
        return [Judged(receipt, None, wrong.reason)]
    kept = [p for p in parts if isinstance(p, Filed)]
    extracts = {part.rows.contract.name for part in file.parts}
    extract = extracts.pop() if len(extracts) == 1 else None
    # Whoever sent the file hears of all of it, in one letter.
    told = [
        replace(p, message=f"{v.trust}: {p.message}")
        for v in found
        if isinstance(v, filing.Verdict)
        for p in v.problems
        if p.severity != "warning"
    ]
    strays = sum(p.severity == "error" for p in file.problems)
    all_told, dialect, outcomes = [*file.problems, *told], file.parts[0].dialect, tuple(f.outcome for f in kept)
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


def _verdicts(store: Store, batch: list[Opened]) -> Iterator[filing.Verdict | Filed | Judged]:
    """What judging finds of submissions of one contract; when all together cannot be judged, each of them alone."""
    tried = attempt(batch, _failures)
    if tried.error is not None and len(batch) > 1:
        for opened in batch:
            opened.failed.clear()
            yield from _verdicts(store, [opened])
        return
    if tried.error is not None:
        yield _ours(store, batch[0].receipt, batch[0].asked, tried.error)
        return
    for opened in batch:
        verdict = attempt(opened, _verdict)
        if verdict.made is None:
            yield _ours(store, opened.receipt, opened.asked, verdict.error)
        else:
            yield verdict.made


def _failures(batch: list[Opened]) -> int:
    """Judge a batch and note on each submission which of its rows failed; how often that was."""
    contract = batch[0].rows.contract
    tables = [
        o.rows.table.select(contract.field_names).append_column(
            "submission_id", pa.repeat(o.receipt.submission_id, o.rows.table.num_rows)
        )
        for o in batch
    ]
    failures = judge(contract, pa.concat_tables(tables))
    starts = np.cumsum([0, *(t.num_rows for t in tables)])
    for failure in failures:
        ends = np.searchsorted(failure.rows, starts)
        for owner in np.flatnonzero(np.diff(ends)).tolist():
            _note(contract, batch[owner], failure.rule, failure.rows[ends[owner] : ends[owner + 1]] - starts[owner])
    return sum(len(f.rows) for f in failures)


def _note(contract: Contract, opened: Opened, rule: Rule, broken: Codes) -> None:
    """Note on a submission which of its rows break a rule. Only their cells are looked up."""
    rows = opened.rows
    found = broken[~rows.unread[rule.column].among(broken)]  # those are reported: they could not be read
    if rule in contract.table_rules:  # what is not kept is beside no other
        found = found[~rows.blanks[rule.column].among(found)]
    kept = "this is unusual" if rule.severity == "warning" else "this breaks the contract"
    if rule.severity == "warning" and rule not in contract.table_rules:
        # Nothing but what the contract knows goes further: free text may hold anything.
        rows.blanks[rule.column].add(found)
        kept = "this breaks the contract; the row is used without it"
    names = list(dict.fromkeys([rule.column, "source_row", "source_column", "source_sheet", contract.date_field]))
    for start in range(0, len(found), _NOTED_AT_ONCE):
        some = rows.table.select(names).take(pa.array(found[start : start + _NOTED_AT_ONCE]))
        cells = {name: some[name].to_pylist() for name in names}
        days = {day: day.isoformat() for day in {*cells[contract.date_field]} if day}
        for at, value in enumerate(cells[rule.column]):
            column = cells["source_column"][at] if rule.column == contract.count_field else None
            opened.failed.append(
                Problem(
                    rule.name,
                    rule.severity,
                    "nothing is given here" if value is None else kept,
                    rule.fix,
                    cells["source_row"][at],
                    column or rule.column,
                    None if value is None else shown(value),
                    days.get(cells[contract.date_field][at]),
                    cells["source_sheet"][at],
                )
            )
    if rule.severity != "warning":
        rows.bad_rows.add(found)


def _verdict(opened: Opened) -> filing.Verdict:
    """Split one judged submission into what is used and what is left out."""
    rows, asked = opened.rows, opened.asked
    problems = [*rows.problems, *opened.failed]
    problems += code_not_current(rows, opened.trust, asked) + site_elsewhere(rows, opened.trust, asked)

    def verdict(
        problems: Sequence[Problem], good: pa.Table | None = None, refused: Problem | None = None
    ) -> filing.Verdict:
        return filing.Verdict(
            opened.receipt, asked, list(problems), opened.trust, rows.contract.name, opened.dialect, rows, good, refused
        )

    if critical := _critical(problems):
        return verdict(problems, refused=critical)
    is_usable = np.ones(rows.table.num_rows, np.bool_)
    is_usable[rows.bad_rows.rows] = False
    good, usable = _blanked(rows).filter(pa.array(is_usable)), np.flatnonzero(is_usable)
    if good.num_rows == 0:
        first = next(p for p in problems if p.severity == "error")
        reason = f"no row could be used; the first: row {first.row}, column {first.column}, {first.message}"
        return verdict(problems, refused=Problem(first.rule, "critical", reason, first.fix))
    strike_days = asked.strike_days(days_in(rows.contract, good))
    meant = asked.days_of(opened.receipt.action_id) if opened.receipt.action_id else None
    if whole := unusable(rows.contract, good, strike_days, opened.receipt.action_id, meant):
        return verdict([whole, *problems], refused=whole)
    twice = doubles(rows.contract, good)
    problems += [d.problem for d in twice]
    if critical := _critical(problems):
        return verdict(problems, refused=critical)
    if out := sorted({d.at for d in twice if d.problem.severity != "warning"}):
        rows.bad_rows.add(usable[out])
        good = good.filter(pa.array(~np.isin(np.arange(good.num_rows), out)))
    return verdict([*problems, *implausible(rows.contract, good, strike_days)], good)


def _critical(problems: Sequence[Problem]) -> Problem | None:
    """Why the whole file is refused, if one of its rows is enough for that."""
    found = next((p for p in problems if p.severity == "critical"), None)
    return found and replace(found, message=f"row {found.row}, column {found.column}: {found.message}")


def _blanked(rows: Normalised) -> pa.Table:
    """The table without the values that are not kept."""
    table = rows.table
    for column, marked in ((c, m) for c, m in rows.blanks.items() if m):
        keep = pa.array(~marked.among(np.arange(table.num_rows)))
        place = table.schema.get_field_index(column)
        table = table.set_column(place, column, pc.if_else(keep, table[column], pa.scalar(None, table[column].type)))
    return table
