"""Landing to accepted and quarantine: judge every submission that has no outcome under the present rules."""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from strike_reporting import ledger
from strike_reporting.extracts import contracts_sha256
from strike_reporting.intake.landing import Receipt, content, receipts
from strike_reporting.intake.purging import restrict
from strike_reporting.intake.registry import Dialect, dialects
from strike_reporting.judging import error_report
from strike_reporting.judging.normalise import Normalised
from strike_reporting.judging.opening import claimed, code_not_current, open_submission, site_elsewhere
from strike_reporting.judging.plausibility import day_totals, implausible, unusable
from strike_reporting.judging.problems import Problem, Rejected, shown
from strike_reporting.judging.rules import judge
from strike_reporting.ledger import Day, Outcome
from strike_reporting.reference.facts import reference_sha256
from strike_reporting.storage import Store

# Submissions are judged together up to this many rows, so memory follows the largest one, not the nation.
BATCH_ROWS = 100_000
log = logging.getLogger(__name__)


@dataclass
class _Opened:
    receipt: Receipt
    trust: str
    dialect: Dialect
    rows: Normalised
    failed: list[Problem] = field(default_factory=list)


@cache
def rules_version() -> str:
    """What decides an outcome: contracts, dialects and reference data."""
    known = json.dumps({k: d.model_dump(mode="json") for k, d in dialects().items()}, sort_keys=True)
    return hashlib.sha256(f"{contracts_sha256()}{reference_sha256()}{known}".encode()).hexdigest()[:16]


def to_validate(store: Store) -> list[Receipt]:
    """Receipts without an outcome under the present rules, oldest first."""
    version = rules_version()
    done = {o.submission_id for o in ledger.outcomes(store) if o.rules_version == version}
    return [r for r in receipts(store) if r.submission_id not in done]


def validate(
    store: Store, todo: Iterable[Receipt], progress: Callable[[Outcome], None] = lambda _: None
) -> list[Outcome]:
    """Judge submissions and write accepted rows, quarantine, error reports and outcomes.

    Args:
        store: the state root.
        todo: receipts, in the order received.
        progress: called with each outcome.

    Returns:
        One outcome for each receipt. A submission that cannot be used is an outcome, not an exception.
    """
    done: list[Outcome] = []
    batches: dict[str, list[_Opened]] = {}
    history = ledger.outcomes(store)

    def finish(extract: str) -> None:
        for finished in _judge_batch(store, batches.pop(extract, []), history):
            done.append(finished)
            progress(finished)

    for receipt in todo:
        try:
            rows, trust, dialect = open_submission(receipt, content(store, receipt))
        except Rejected as rejected:
            done.append(_reject(store, receipt, rejected.problem, *claimed(receipt)))
            progress(done[-1])
            continue
        except FileNotFoundError:
            done.append(_purged(store, receipt))
            progress(done[-1])
            continue
        except Exception as error:
            log.exception("submission %s could not be processed", receipt.submission_id)
            done.append(_failed(store, receipt, error))
            progress(done[-1])
            continue
        batch = batches.setdefault(dialect.extract, [])
        batch.append(_Opened(receipt, trust, dialect, rows))
        if sum(o.rows.table.num_rows for o in batch) > BATCH_ROWS:
            finish(dialect.extract)
    for extract in sorted(batches):
        finish(extract)
    return done


def _purged(store: Store, receipt: Receipt) -> Outcome:
    """The bytes are gone: what was found when they were there stands."""
    before = ledger.outcome(store, receipt.submission_id)
    if before is not None and not before.counts:
        kept = replace(before, rules_version=rules_version())
        ledger.record(store, kept)
        return kept
    gone = Problem("bytes_missing", "critical", "its landed bytes are gone", "Ask the trust to send the file again.")
    return _reject(store, receipt, gone, receipt.ods_code, receipt.extract)


def _failed(store: Store, receipt: Receipt, error: Exception) -> Outcome:
    """Our fault, not the sender's: kept apart by its rule, and tried again at the next validation."""
    problem = Problem(
        "processing_error",
        "critical",
        f"this file could not be processed ({type(error).__name__}); the fault is ours and it will be tried again",
        "Nothing need be sent again. Engineers: see the task's log for the traceback.",
    )
    outcome = replace(_reject(store, receipt, problem, receipt.ods_code, receipt.extract), rules_version="")
    ledger.record(store, outcome)
    return outcome


def _judge_batch(store: Store, batch: list[_Opened], history: list[Outcome]) -> list[Outcome]:
    if not batch:
        return []
    contract = batch[0].rows.contract
    tables = [
        o.rows.table.append_column("submission_id", pa.array([o.receipt.submission_id] * o.rows.table.num_rows))
        for o in batch
    ]
    failures = judge(contract, pa.concat_tables(tables))
    owners: list[tuple[_Opened, int]] = [(o, i) for o in batch for i in range(o.rows.table.num_rows)]
    # Only the columns and rows that failed are looked up, so clean files cost nothing here.
    for failure in failures:
        opened, index = owners[failure.index]
        table = opened.rows.table
        row = table["source_row"][index].as_py()
        column = table["source_column"][index].as_py() if failure.rule.column == contract.count_field else None
        value = table[failure.rule.column][index].as_py()
        if value is None and index in opened.rows.bad_rows:
            continue  # already reported: the cell could not be read
        day = table[contract.date_field][index].as_py()
        kept = "this is unusual" if failure.rule.severity == "warning" else "this breaks the contract"
        if failure.rule.severity == "warning" and failure.rule.name == f"{failure.rule.column}_known":
            # Nothing but the contract's own codes goes further: free text may hold anything.
            opened.rows.blanks.setdefault(failure.rule.column, set()).add(index)
            kept = "this is not a known value; the row is used without it"
        message = "nothing is given here" if value is None else kept
        opened.failed.append(
            Problem(
                failure.rule.name,
                failure.rule.severity,
                message,
                failure.rule.fix,
                row,
                column or failure.rule.column,
                None if value is None else shown(value),
                day.isoformat() if day else None,
            )
        )
        if failure.rule.severity != "warning":
            opened.rows.bad_rows.add(index)
    settled = []
    for opened in batch:
        settled.append(_settle(store, opened, history))
        history.append(settled[-1])
    return settled


def _settle(store: Store, opened: _Opened, history: list[Outcome]) -> Outcome:
    """Split one judged submission into accepted and quarantined, and write all that follows from it."""
    receipt, rows = opened.receipt, opened.rows
    problems = rows.problems + opened.failed + code_not_current(rows, opened.trust) + site_elsewhere(rows, opened.trust)
    critical = [p for p in problems if p.severity == "critical"]
    if critical:
        first = critical[0]
        worst = Problem(**{**asdict(first), "message": f"row {first.row}, column {first.column}: {first.message}"})
        return _reject(store, receipt, worst, opened.trust, rows.contract.name, problems, opened)
    mask = pa.array([i not in rows.bad_rows for i in range(rows.table.num_rows)], pa.bool_())
    good = _blanked(rows).filter(mask)
    if good.num_rows == 0:
        first = next(p for p in problems if p.severity == "error")
        reason = f"no row could be used; the first: row {first.row}, column {first.column}, {first.message}"
        return _reject(
            store,
            receipt,
            Problem(first.rule, "critical", reason, first.fix),
            opened.trust,
            rows.contract.name,
            problems,
            opened,
        )
    previous = _previous(history, opened)
    if whole := unusable(rows.contract, good, rows.table.num_rows, previous):
        return _reject(store, receipt, whole, opened.trust, rows.contract.name, [whole, *problems], opened)
    problems += implausible(rows.contract, good, previous)
    _write_accepted(store, opened, good)
    bad = rows.table.num_rows - good.num_rows
    reason = f"{good.num_rows:,} rows used" + (f", {bad:,} left out" if bad else "")
    first_error = next((p for p in problems if p.severity == "error"), None)
    return _write(
        store,
        opened.receipt,
        "accepted_in_part" if bad else "accepted",
        reason,
        first_error.fix if first_error else "",
        problems,
        opened,
        good,
    )


def _blanked(rows: Normalised) -> pa.Table:
    """The table without the values that are not kept."""
    table = rows.table
    for column, indexes in rows.blanks.items():
        keep = pa.array([i not in indexes for i in range(table.num_rows)], pa.bool_())
        place = table.schema.get_field_index(column)
        table = table.set_column(place, column, pc.if_else(keep, table[column], pa.scalar(None, table[column].type)))
    return table


def _previous(history: list[Outcome], opened: _Opened) -> dict[str, int]:
    """Day totals of the trust's submission before this one, for each day it covered."""
    found: dict[str, int] = {}
    for o in history:
        same = o.ods_code == opened.trust and o.extract == opened.rows.contract.name and o.counts
        if same and (o.received_at, o.submission_id) < (
            opened.receipt.received_at,
            opened.receipt.submission_id,
        ):
            found.update({d: v.total for d, v in o.days.items() if v.rows})
    return found


def accepted_key(extract: str, submission_id: str) -> str:
    """Where a submission's accepted rows are."""
    return f"accepted/{extract}/{submission_id}.parquet"


def _write_accepted(store: Store, opened: _Opened, good: pa.Table) -> None:
    contract = opened.rows.contract
    ids = pa.array([opened.receipt.submission_id] * good.num_rows, pa.string())
    good = good.append_column("submission_id", ids).select(contract.schema.names)
    meta = {**(contract.schema.metadata or {}), b"data_class": opened.receipt.data_class.encode()}
    buffer = io.BytesIO()
    pq.write_table(good.cast(contract.schema).replace_schema_metadata(meta), buffer, compression="zstd")
    store.write(accepted_key(contract.name, opened.receipt.submission_id), buffer.getvalue())


def _reject(
    store: Store,
    receipt: Receipt,
    problem: Problem,
    trust: str | None,
    extract: str | None,
    problems: Sequence[Problem] = (),
    opened: _Opened | None = None,
) -> Outcome:
    if problem.rule == "patient_data":
        restrict(store, receipt.sha256)
    listed = list(problems) or [problem]
    place = f" (row {problem.row})" if problem.row is not None and "row" not in problem.message else ""
    found = _write(
        store, receipt, "rejected", problem.message + place, problem.fix, listed, opened, None, trust, extract
    )
    for name in ("cancellations", "staffing", "planned_activity"):
        store.delete(accepted_key(name, receipt.submission_id))  # a past version of the rules may have accepted it
    return found


def _write(
    store: Store,
    receipt: Receipt,
    status: str,
    reason: str,
    fix: str,
    problems: Sequence[Problem],
    opened: _Opened | None,
    good: pa.Table | None,
    trust: str | None = None,
    extract: str | None = None,
) -> Outcome:
    """Write quarantine, error report and, last of all, the outcome: it is what makes the rest count."""
    rank = {"critical": 0, "error": 1, "warning": 2}
    problems = sorted(problems, key=lambda p: (rank[p.severity], p.row or 0, p.column or "", p.rule))
    rows_read = opened.rows.table.num_rows if opened else 0
    accepted = good.num_rows if good is not None else 0
    result = Outcome(
        submission_id=receipt.submission_id,
        feed_id=receipt.feed_id,
        source_name=receipt.source_name,
        received_at=receipt.received_at,
        status=status,
        reason=reason,
        fix=fix,
        ods_code=opened.trust if opened else trust,
        extract=opened.rows.contract.name if opened else extract,
        dialect=opened.dialect.id if opened else receipt.dialect,
        contract_version=opened.rows.contract.version if opened else None,
        rules_version=rules_version(),
        sha256=receipt.sha256,
        action_id=receipt.action_id,
        due=receipt.due,
        data_class=receipt.data_class,
        rows_read=rows_read,
        rows_accepted=accepted,
        rows_quarantined=rows_read - accepted,
        warnings=sum(p.severity == "warning" for p in problems),
        rules=dict(sorted(Counter(p.rule for p in problems if p.severity != "warning").items())),
        days=_days(opened, good) if opened else {},
    )
    folder = f"quarantine/{receipt.submission_id}"
    if problems:
        schema = {
            "row": pa.int64(),
            **{n: pa.string() for n in ("column", "value", "rule", "severity", "message", "fix", "day")},
        }
        table = pa.table({n: pa.array([getattr(p, n) for p in problems], t) for n, t in schema.items()})
        buffer = io.BytesIO()
        pq.write_table(table, buffer, compression="zstd")
        store.write(f"{folder}/problems.parquet", buffer.getvalue())
        store.write(f"{folder}/error_report.txt", error_report.text(result, problems).encode())
        store.write(f"{folder}/error_report.xlsx", error_report.workbook(result, problems))
    ledger.record(store, result)
    return result


def _days(opened: _Opened, good: pa.Table | None) -> dict[str, Day]:
    contract, table = opened.rows.contract, opened.rows.table
    all_rows = {
        r["values"].isoformat(): r["counts"]
        for r in pc.value_counts(table[contract.date_field].drop_null()).to_pylist()
    }
    if good is None:
        return {d: Day(0, 0, n) for d, n in sorted(all_rows.items())}
    used = {r["values"].isoformat(): r["counts"] for r in pc.value_counts(good[contract.date_field]).to_pylist()}
    totals = day_totals(contract, good)
    return {d: Day(used.get(d, 0), totals.get(d, 0), n - used.get(d, 0)) for d, n in sorted(all_rows.items())}
