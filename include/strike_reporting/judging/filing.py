"""Filing a verdict: accepted rows, quarantine and error report first, synced; the outcome in the ledger last of all."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from strike_reporting.clock import utc
from strike_reporting.extracts import EXTRACTS, Contract, Severity
from strike_reporting.intake.collecting import DROP
from strike_reporting.intake.landing import refusal_key
from strike_reporting.intake.purging import restrict
from strike_reporting.judging import error_report
from strike_reporting.judging.findings import SCHEMA, Findings
from strike_reporting.judging.normalise import Normalised
from strike_reporting.judging.problems import ASKS_NOTHING, DROPPED, HELD, Problem
from strike_reporting.judging.rulebook import Asked
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.judged import Settled
from strike_reporting.ledger.records import Damaged, Letter, Outcome, Receipt, Said
from strike_reporting.reference.actions import meant_on, touching
from strike_reporting.settings import settings
from strike_reporting.storage import Store
from strike_reporting.storage.parquet import read_parquet, write_pieces

_AT_ONCE = 20_000  # findings that are put into columns together
_IN_GROUP = 100_000  # rows whose texts are written out together


@dataclass
class Verdict:
    """What judging found of one submission. `refused`: why the whole of it is, if it is; else there are `good` rows.

    used: what these say, by day and part (`count`).
    """

    receipt: Receipt
    asked: Asked
    problems: Findings
    trust: str | None
    extract: str | None
    dialect: str | None = None
    rows: Normalised | None = None
    good: pa.Table | None = None
    refused: Problem | None = None
    days: tuple[date, ...] = ()  # that a file names which could not be read as an extract
    parts: tuple[Outcome, ...] = ()  # of a collective return
    strays: int = 0  # its rows of no trust
    used: tuple[Said, ...] = ()


def refusal(
    receipt: Receipt,
    asked: Asked,
    problem: Problem,
    trust: str | None,
    extract: str | None,
    beside: Iterable[Problem] = (),
    days: tuple[date, ...] = (),
) -> Verdict:
    """The verdict on a file that could not be read as an extract. `beside`: what else was found; `days`: it names."""
    return Verdict(receipt, asked, Findings([problem, *beside]), trust, extract, refused=problem, days=days)


def accepted_key(extract: str, submission_id: str) -> str:
    """Where a submission's accepted rows are."""
    return f"accepted/{extract}/{submission_id}.parquet"


def report_key(submission_id: str) -> str:
    """Where a submission's error report is."""
    return f"quarantine/{submission_id}/error_report.txt"


def kept_outcomes(store: Store, receipt: Receipt) -> tuple[Outcome, ...]:
    """What became of a file whose bytes were purged: its parts, then the whole.

    Nothing when some of that, or of the rows it gave, was not kept.
    """
    try:
        whole = _kept(store, receipt.submission_id)
        found = (*(_kept(store, part) for part in whole.parts), whole)
    except (FileNotFoundError, Damaged):
        return ()
    rows = (accepted_key(o.extract or "", o.submission_id) for o in found if o.counts)
    return found if all(store.exists(key) for key in rows) else ()


def _kept(store: Store, submission_id: str) -> Outcome:
    key = refusal_key(submission_id)
    return Outcome.load(store.read(key), key)


def has_persons(problems: Findings) -> bool:
    """Whether patient data was found: the file is locked away, and its outcome must outlive its bytes."""
    return any(rule in (HELD, DROPPED) for (rule,) in problems.tally("rule"))


@dataclass(frozen=True)
class Filed:
    """All that follows from a verdict, made and not yet written. is_locked: its bytes hold patient data."""

    receipt: Receipt
    outcome: Outcome
    files: Mapping[str, bytes]
    contents: Mapping[str, Any]
    letter: Letter | None
    is_locked: bool


def filed(verdict: Verdict, *, tell: bool, outlives: bool = False) -> Filed:
    """What is to be kept of a verdict.

    Args:
        verdict: what was found.
        tell: whether its sender is to be told what to mend.
        outlives: its bytes may be purged for what another part of its file holds, so its outcome is kept beside them.
    """
    receipt = verdict.receipt
    verdict.problems.order()
    outcome, is_locked = _outcome(verdict), has_persons(verdict.problems)
    files = _quarantine(outcome, verdict.problems)
    if verdict.good is not None and verdict.rows is not None:
        data = _parquet(verdict.rows.contract, verdict.good, receipt)
        files[accepted_key(verdict.rows.contract.name, receipt.submission_id)] = data
    if is_locked or outlives:
        files[refusal_key(receipt.submission_id)] = outcome.dump()
    letter = _letter(outcome, verdict.problems) if tell else None
    return Filed(receipt, outcome, files, verdict.asked.contents, letter, is_locked)


def keep(store: Store, found: Sequence[Filed]) -> None:
    """Write what follows from verdicts, all files in one go, then the ledger in one transaction.

    Nothing of an older verdict is left beside a new one.

    Raises:
        Away: the ledger or the store cannot be used now; the submissions stay to be judged.
    """
    for one in found:
        if one.is_locked:
            restrict(store, one.receipt.sha256)
        for key in (accepted_key(name, one.outcome.submission_id) for name in EXTRACTS):
            if key not in one.files:
                store.delete(key)
        _clear_quarantine(store, one.outcome.submission_id, one.files)
    store.write_many({key: data for one in found for key, data in one.files.items()})
    judged = ledger_of(store).judged
    days = judged.days_of([one.outcome.submission_id for one in found])
    before = {o.submission_id: o for o in judged.some(days)}
    settled, now = [], utc(datetime.now(UTC))
    for one in found:
        name = one.outcome.submission_id
        was = before.get(name)
        old = concerned(was) if was else touching(days[name])
        # What is judged for the first time is news, whenever it came; what is judged again is as old as the file.
        news_of = one.outcome.received_at if was and not was.is_ours else ""
        letter = one.letter and one.letter.model_copy(update={"created_at": now, "news_of": news_of})
        settled.append(Settled(one.outcome, one.contents, {*concerned(one.outcome), *old}, letter))
    judged.settle(settled)


def keep_again(store: Store, outcome: Outcome) -> None:
    """Settle a file whose bytes were purged. A lost report is written from what is kept: why, and what to do."""
    if not store.exists(report_key(outcome.submission_id)):
        severity: Severity = "critical" if outcome.status == "rejected" else "error"
        found = Findings(Problem(rule, severity, outcome.reason, outcome.fix) for rule in outcome.rules)
        if severity == "error" and outcome.warnings:
            fix = "Leave it out of the next file."
            found.append(Problem(DROPPED, "warning", "the file held what identifies persons; it was dropped", fix))
        store.write_many(_quarantine(outcome, found))
    ledger_of(store).judged.settle([Settled(outcome, {}, set(concerned(outcome)))])


def concerned(outcome: Outcome) -> tuple[str, ...]:
    """Ids of the actions that an outcome may matter to."""
    if outcome.said:
        return touching([s.day for s in outcome.said], outcome.action_id)
    if outcome.action_id:
        return touching((), outcome.action_id)
    came = date.fromisoformat(outcome.received_at[:10])
    return meant_on(came, settings().ahead_days, settings().behind_days)


def _letter(outcome: Outcome, problems: Findings) -> Letter | None:
    is_clean = outcome.status == "accepted" and all(rule in ASKS_NOTHING for (rule,) in problems.tally("rule"))
    if outcome.feed_id == DROP or is_clean:
        return None
    return Letter(
        name=f"{outcome.submission_id}.{outcome.status}",
        kind="notice",
        about=outcome.submission_id,
    )


def _outcome(verdict: Verdict) -> Outcome:
    receipt, rows, good, refused = verdict.receipt, verdict.rows, verdict.good, verdict.refused
    read = rows.table.num_rows if rows else 0
    used = good.num_rows if good is not None else 0
    wrong = verdict.problems.first("error")
    if refused is not None:
        place = f" (row {refused.row})" if refused.row is not None and "row" not in refused.message else ""
        status, reason, fix = "rejected", refused.message + place, refused.fix
    elif verdict.parts:
        status, reason = _of_parts(verdict)
        fix = wrong.fix if wrong else ""
        read, used = sum(o.rows_read for o in verdict.parts), sum(o.rows_accepted for o in verdict.parts)
    else:
        lost = read - used + (len(rows.lost) if rows else 0)
        short = len(rows.short - rows.bad_rows) if rows else 0
        status = "accepted_in_part" if lost or short else "accepted"
        reason = f"{used:,} row{'s' * (used != 1)} used" + (f", {lost:,} left out" if lost else "")
        reason += f", {short:,} of them without a number that could not be read" if short else ""
        fix = wrong.fix if wrong else ""
    return Outcome(
        submission_id=receipt.submission_id,
        sequence=receipt.sequence,
        feed_id=receipt.feed_id,
        source_name=receipt.source_name,
        received_at=receipt.received_at,
        sent_at=receipt.sent_at,
        status=status,
        reason=reason,
        fix=fix,
        sha256=receipt.sha256,
        ods_code=verdict.trust,
        extract=verdict.extract,
        dialect=verdict.dialect or receipt.dialect,
        contract_version=rows.contract.version if rows else None,
        action_id=receipt.action_id,
        due=receipt.due,
        grace_minutes=receipt.grace_minutes,
        restates_day=receipt.restates_day,
        data_class=receipt.data_class,
        rows_read=read,
        rows_accepted=used,
        rows_quarantined=read - used,
        warnings=verdict.problems.tally("severity")["warning",],
        rules=_by_rule(verdict.problems),
        pins=dict(sorted(verdict.asked.pins.items())),
        said=_said(rows, good, verdict.used) if rows else tuple(Said(day=d) for d in verdict.days),
        parts=tuple(o.submission_id for o in verdict.parts),
    )


def _by_rule(problems: Findings) -> dict[str, int]:
    """How many findings there are of each rule, warnings apart."""
    found = Counter[str]()
    for (rule, severity), n in problems.tally("rule", "severity").items():
        if severity != "warning":
            found[rule] += n
    return dict(sorted(found.items()))


def _of_parts(verdict: Verdict) -> tuple[str, str]:
    """Status and reason of a collective return: what became of its parts."""
    parts = verdict.parts
    counted = Counter(o.status for o in parts)
    wrong = verdict.strays
    told = [f"{n} {status.replace('_', ' ')}" for status, n in sorted(counted.items())]
    trusts = len({o.ods_code for o in parts})
    reason = f"a collective return of {trusts} trust{'s' * (trusts != 1)}: {', '.join(told)}"
    reason += f"; {wrong:,} row{'s' * (wrong != 1)} of no trust left out" if wrong else ""
    if {*counted} == {"rejected"}:
        return "rejected", reason
    return ("accepted" if {*counted} == {"accepted"} and not wrong else "accepted_in_part"), reason


def _said(rows: Normalised, good: pa.Table | None, said: tuple[Said, ...]) -> tuple[Said, ...]:
    """What the submission says by day and part; what was left out of a day stands on a row without a part.

    A row whose day is not known may be of any of its days, so each of them is marked.
    """
    contract, table = rows.contract, rows.table
    days = table[contract.date_field]
    every = Counter({r["values"]: r["counts"] for r in pc.value_counts(days.drop_null()).to_pylist()})
    every.update(day for _, day in rows.lost if day)
    undated = days.null_count + sum(day is None for _, day in rows.lost)
    used_short = rows.short - rows.bad_rows if good is not None else ()  # else all its rows are left out already
    short = Counter(d for i in used_short if (d := days[i].as_py()))
    found, used = list(said), Counter[date]()
    for one in found:
        used[one.day] += one.rows
    for day, n in every.items():
        left = n - used[day] + undated + short[day]
        found += [Said(day=day, quarantined=left)] if left else []
    return tuple(sorted(found, key=lambda s: (s.day, s.part)))


def count(verdicts: Sequence[Verdict]) -> None:
    """Count what the good rows of submissions of one contract say by day and part: all of them in one go."""
    goods = [(v.rows.contract, v.good) for v in verdicts if v.rows is not None and v.good is not None]
    contract, day, numbers = goods[0][0], goods[0][0].date_field, goods[0][0].whole_numbers
    read = {day, "is_nil", *numbers, *(f.name for name in contract.part if (f := contract.behind(name)))}
    table = pa.concat_tables([good.select(sorted(read)) for _, good in goods]).combine_chunks()
    of = pa.array(np.repeat(np.arange(len(goods)), [good.num_rows for _, good in goods]))
    rows = table.append_column("_of", of).append_column("_part", contract.part_keys(table))
    sums = [(n, how) for n in numbers for how in ("sum", "count")]
    by_part = rows.group_by(["_of", day, "_part"], use_threads=False)
    found: dict[int, list[Said]] = defaultdict(list)
    for row in by_part.aggregate([([], "count_all"), ("is_nil", "min"), *sums]).to_pylist():
        given = {n: row[f"{n}_sum"] for n in numbers if row[f"{n}_count"]}
        said = Said(
            day=row[day],
            part=row["_part"],
            rows=row["count_all"],
            total=given.get(contract.count_field, 0),
            sums=given,
            is_nil=row["is_nil_min"],
        )
        found[row["_of"]].append(said)
    for n, verdict in enumerate(verdicts):
        verdict.used = tuple(found[n])


def _parquet(contract: Contract, good: pa.Table, receipt: Receipt) -> bytes:
    meta: Mapping[bytes, bytes] = {**(contract.schema.metadata or {}), b"data_class": receipt.data_class.encode()}
    schema = contract.schema.with_metadata(meta)

    def plain(some: pa.Table) -> pa.Table:
        ids = pa.repeat(receipt.submission_id, some.num_rows)
        return some.append_column("submission_id", ids).select(schema.names).cast(schema)

    return write_pieces(schema, (plain(good.slice(n, _IN_GROUP)) for n in range(0, good.num_rows, _IN_GROUP)))


def _quarantine(outcome: Outcome, problems: Findings) -> dict[str, bytes]:
    """The findings and the report that the trust is sent; a file without findings has none.

    The report's workbook is made when somebody opens it: most are opened by nobody.
    """
    if not problems:
        return {}
    pieces = (problems.table(n, n + _AT_ONCE) for n in range(0, len(problems), _AT_ONCE))
    return {
        _findings_key(outcome.submission_id): write_pieces(SCHEMA, pieces),
        report_key(outcome.submission_id): error_report.text(outcome, problems).encode(),
    }


def _clear_quarantine(store: Store, submission_id: str, files: Mapping[str, bytes]) -> None:
    """Take away what an older verdict left and this one has not."""
    if report_key(submission_id) not in files:
        for key in store.list(f"quarantine/{submission_id}"):
            store.delete(key)


def _findings_key(submission_id: str) -> str:
    return f"quarantine/{submission_id}/problems.parquet"


def findings(store: Store, submission_id: str) -> Findings:
    """What was found of a submission, its most serious findings first; nothing where there was nothing to say."""
    try:
        table = read_parquet(store.read(_findings_key(submission_id)))
    except FileNotFoundError:
        return Findings()
    return Findings.kept(table)


def error_workbook(store: Store, submission_id: str) -> bytes | None:
    """The error report of a submission as a workbook; nothing where there was nothing to say."""
    outcome, problems = ledger_of(store).judged.get(submission_id), findings(store, submission_id)
    return error_report.workbook(outcome, problems) if outcome and problems else None
