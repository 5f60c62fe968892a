"""Submissions of one contract judged together: which rule each row breaks, and what is used of each submission.

Whatever costs as much for a few rows as for many is asked of all their rows at once. One fault costs one submission:
where all together cannot be judged, each is by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import accumulate, groupby

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from strike_reporting.errors import Attempt, attempt, together
from strike_reporting.extracts import Contract, Rule
from strike_reporting.judging import filing
from strike_reporting.judging.columns import Codes, cells
from strike_reporting.judging.doubles import doubles, may_repeat
from strike_reporting.judging.filing import Verdict
from strike_reporting.judging.findings import Findings
from strike_reporting.judging.normalise import Normalised
from strike_reporting.judging.opening import code_not_current, site_elsewhere
from strike_reporting.judging.plausibility import days_in, implausible, unusable
from strike_reporting.judging.problems import Problem, shown
from strike_reporting.judging.rulebook import Asked
from strike_reporting.judging.rules import judge
from strike_reporting.ledger.records import Receipt

_LONG = 5_000  # rows from which a submission is as quickly looked at by itself
_AT_ONCE = 100_000  # rows of short ones that are looked at together


@dataclass
class Opened:
    """What one trust says of one extract in a file that could be read, while it is judged."""

    receipt: Receipt
    asked: Asked
    trust: str
    dialect: str
    rows: Normalised
    failed: Findings = field(default_factory=Findings)


@dataclass
class _Usable:
    """A submission of which rows can be used, on its way to a verdict.

    good: those rows, and their `places` in its table. may_repeat: whether one may say what another says.
    """

    opened: Opened
    problems: Findings
    good: pa.Table
    places: Codes
    strike_days: frozenset[date]
    may_repeat: bool = True


def verdicts(batch: Sequence[Opened]) -> list[Attempt[Opened, Verdict]]:
    """What judging finds of submissions of one contract."""
    tried = attempt(batch, _failures)
    if tried.error is not None and len(batch) > 1:
        for opened in batch:
            opened.failed = Findings()
        return [found for opened in batch for found in verdicts([opened])]
    if tried.error is not None:
        return [Attempt(batch[0], None, tried.error)]
    begun = [attempt(opened, _usable) for opened in batch]
    usable = [one.made for one in begun if isinstance(one.made, _Usable)]
    if len(usable) > 1:
        attempt(usable, _look_for_repeats)
    found = [_whole(one) for one in begun]
    counting = together([v for one in found if (v := one.made) and v.good is not None], filing.count)
    failed = {id(one.item): one.error for one in counting if one.error is not None}
    return [Attempt(one.item, None, failed[id(one.made)]) if id(one.made) in failed else one for one in found]


def _failures(batch: Sequence[Opened]) -> int:
    """Judge a batch and note on each submission which of its rows failed; how often that was."""
    contract = batch[0].rows.contract
    often = [o.rows.table.num_rows for o in batch]
    of = pa.DictionaryArray.from_arrays(
        np.repeat(np.arange(len(batch), dtype=np.int32), often), [o.receipt.submission_id for o in batch]
    )
    table = pa.concat_tables([o.rows.table.select(contract.field_names) for o in batch])
    failures = judge(contract, table.append_column("submission_id", of))
    starts = np.cumsum([0, *often])
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
    names = [rule.column, "source_row", "source_column", "source_sheet", contract.date_field]
    for value, row, heading, sheet, day in cells(rows.table, names, found):
        opened.failed.append(
            Problem(
                rule.name,
                rule.severity,
                "nothing is given here" if value is None else kept,
                rule.fix,
                row,
                (heading if rule.column == contract.count_field else None) or rule.column,
                None if value is None else shown(value),
                day and day.isoformat(),
                sheet,
            )
        )
    if rule.severity != "warning":
        rows.bad_rows.add(found)


def _usable(opened: Opened) -> Verdict | _Usable:
    """The rows of one judged submission that can be used; a verdict where there are none, or a fault is of all."""
    rows, asked = opened.rows, opened.asked
    problems = rows.problems
    problems += opened.failed
    opened.failed = Findings()  # there may be a million
    problems += code_not_current(rows, opened.trust, asked) + site_elsewhere(rows, opened.trust, asked)
    if critical := _critical(problems):
        return _verdict(opened, problems, refused=critical)
    is_good = np.ones(rows.table.num_rows, np.bool_)
    is_good[rows.bad_rows.rows] = False
    good, places = _blanked(rows), np.flatnonzero(is_good)
    if len(places) < good.num_rows:
        good = good.filter(pa.array(is_good))
    rows.forget()
    if good.num_rows == 0:
        first = next(p for p in problems if p.severity == "error")
        reason = f"no row could be used; the first: row {first.row}, column {first.column}, {first.message}"
        return _verdict(opened, problems, refused=Problem(first.rule, "critical", reason, first.fix))
    strike_days = frozenset(asked.strike_days(days_in(rows.contract, good)))
    meant = asked.days_of(opened.receipt.action_id) if opened.receipt.action_id else None
    if whole := unusable(rows.contract, good, strike_days, opened.receipt.action_id, meant):
        problems.append(whole)
        return _verdict(opened, problems, refused=whole)
    return _Usable(opened, problems, good, places, strike_days)


def _look_for_repeats(usable: Sequence[_Usable]) -> None:
    """Note of which submissions no row can repeat another."""
    short = [one for one in usable if one.good.num_rows < _LONG]
    before = accumulate((one.good.num_rows for one in short), initial=0)
    for _, numbered in groupby(zip(before, short, strict=False), lambda n: n[0] // _AT_ONCE):
        some = [one for _, one in numbered]
        for one, may in zip(some, may_repeat(some[0].opened.rows.contract, [s.good for s in some]), strict=True):
            one.may_repeat = bool(may)


def _whole(begun: Attempt[Opened, Verdict | _Usable]) -> Attempt[Opened, Verdict]:
    if not isinstance(begun.made, _Usable):
        return Attempt(begun.item, begun.made, begun.error)
    tried = attempt(begun.made, _without_repeats)
    return Attempt(begun.item, tried.made, tried.error)


def _without_repeats(usable: _Usable) -> Verdict:
    """The verdict on a submission, without the rows that say again what others say."""
    opened, good, problems = usable.opened, usable.good, usable.problems
    rows = opened.rows
    if usable.may_repeat:
        twice, kept = doubles(rows.contract, good)
        problems += twice
        if critical := _critical(problems):
            return _verdict(opened, problems, refused=critical)
        if not kept.all():
            rows.bad_rows.add(usable.places[~kept])
            good = good.filter(pa.array(kept))
            usable.good = good  # so that those that are left out go now
    problems += implausible(rows.contract, good, usable.strike_days)
    return _verdict(opened, problems, good)


def _verdict(
    opened: Opened, problems: Findings, good: pa.Table | None = None, refused: Problem | None = None
) -> Verdict:
    rows = opened.rows
    return Verdict(
        opened.receipt, opened.asked, problems, opened.trust, rows.contract.name, opened.dialect, rows, good, refused
    )


def _critical(problems: Findings) -> Problem | None:
    """Why the whole file is refused, if one of its rows is enough for that."""
    found = problems.first("critical")
    return found and replace(found, message=f"row {found.row}, column {found.column}: {found.message}")


def _blanked(rows: Normalised) -> pa.Table:
    """The table without the values that are not kept."""
    table = rows.table
    for column, marked in ((c, m) for c, m in rows.blanks.items() if m):
        keep = pa.array(~marked.among(np.arange(table.num_rows)))
        place = table.schema.get_field_index(column)
        table = table.set_column(place, column, pc.if_else(keep, table[column], pa.scalar(None, table[column].type)))
    return table
