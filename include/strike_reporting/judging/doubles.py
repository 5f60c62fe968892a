"""What one file may not count twice: what was pasted again, unsited rows beside sited ones, a whole beside its parts.

Decided on the rows that every other rule let through, one rule after the other, so that a row which is left out decides
nothing. How severe each is, the contract says; an error leaves the rows out, which the sender reads row by row.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.lib.stride_tricks import sliding_window_view

from strike_reporting.extracts import Contract, Inside
from strike_reporting.judging.columns import Codes, Column, Mask, Places, alike, any_of, dense, least, sums
from strike_reporting.judging.findings import Findings
from strike_reporting.judging.problems import Problem
from strike_reporting.settings import settings

FIXES: dict[Inside, str] = {
    "pasted_again": "Remove the copy. If it is none, say in another field how its rows differ from the others.",
    "identical_rows": "If it is a copy, remove it. If not, add the two up, or say in another field how they differ.",
    "unsited_beside_sited": "Name the site in every row of a day, or in none, and send the file again.",
    "whole_beside_parts": "Send the whole or its parts for one day, and not both.",
}


@dataclass(frozen=True)
class Double:
    """A row that may count twice: its place in the table that was looked at, and what is said of it."""

    at: int
    problem: Problem


class _Rows:
    """The usable rows of one submission. kept: those that no rule has left out yet; says: those that count anything."""

    def __init__(self, contract: Contract, good: pa.Table) -> None:
        self.contract, self.table, self.height = contract, good, good.num_rows
        self.kept: Mask = np.ones(self.height, np.bool_)
        self.numbers: Codes = good["source_row"].to_numpy()
        self._columns: dict[str, Column] = {}
        counts = [self.count(n) for n in contract.whole_numbers]
        # A template's zeros beside a number contradict nobody.
        self.says = any_of([c > 0 for c in counts], self.height)
        self.total: Codes = sum(counts, np.zeros(self.height, np.int64))

    def leave_out(self, places: Codes) -> None:
        """Rows that a rule has left out decide nothing in the next."""
        if len(places):
            self.kept[places] = False
            self.__dict__.pop("lines", None)

    @cached_property
    def lines(self) -> _Lines | None:
        """The lines of the file that may repeat one another."""
        return _lines(self)

    def column(self, name: str) -> Column:
        """One column, told apart."""
        if name not in self._columns:
            self._columns[name] = Column.of(self.table[name])
        return self._columns[name]

    def value(self, name: str, at: int) -> Any:
        """One cell."""
        return self.column(name).value(at)

    def count(self, name: str) -> Codes:
        """A column of numbers; what is not given counts nothing."""
        found: Codes = self.table[name].fill_null(0).to_numpy()
        return found

    def where(self, name: str, *values: str | None) -> Mask:
        """The rows that hold one of some values."""
        return self.column(name).where(lambda v: v in values)

    def beside(self, *within: str) -> Codes:
        """A number for each row, the same for those of one day and part without its site, and alike in some columns."""
        return alike([*self._base, *map(self.column, within)], self.height)

    @cached_property
    def _base(self) -> list[Column]:
        """Each row's day, and what makes up its part but for the site."""
        parts = zip(self.contract.part, self.contract.part_columns(self.table), strict=True)
        told = [Column.of(column) for name, column in parts if name != self.contract.site_field]
        return [self.column(self.contract.date_field), *told]

    def double(
        self,
        rule: Inside,
        at: int,
        column: str,
        message: str,
        *,
        is_doubt: bool = False,
    ) -> Double:
        """What is said of a row. `is_doubt`: it cannot count twice, and the sender is only asked."""
        contract = self.contract
        severity = "warning" if is_doubt else contract.once[rule]
        end = "it is counted all the same" if severity == "warning" else "it is not counted"
        heading = self.value("source_column", at) if column == contract.count_field else None
        value, day = (None if (v := self.value(n, at)) is None else str(v) for n in (column, contract.date_field))
        number = int(self.numbers[at])
        problem = Problem(rule, severity, f"{message}; {end}", FIXES[rule], number, heading or column, value, day)
        return Double(at, problem)


def doubles(contract: Contract, good: pa.Table) -> tuple[Findings, Mask]:
    """Rows of one submission that repeat what other rows of it say; the sender is told of each that is left out.

    Args:
        contract: its contract.
        good: its usable rows, with `source_row` and `source_column`.

    Returns:
        What is said of them, and of each row of `good` whether it is kept.
    """
    found, rows = Findings(), _Rows(contract, good)
    for rule in contract.once:
        out = array("q")
        for double in _LOOKS[rule](rows):
            found.append(double.problem)
            if double.problem.severity != "warning":
                out.append(double.at)
        rows.leave_out(np.array(out, np.int64))
    return found, rows.kept


def may_repeat(contract: Contract, tables: Sequence[pa.Table]) -> Mask:
    """Of each of some submissions, whether `doubles` may find something in it.

    Asked of all together: most hold nothing of the kind, and to look at one by itself takes longer than its rows do.

    Args:
        contract: theirs.
        tables: the usable rows of each, as `doubles` is given them.
    """
    rows, often = _Rows(contract, pa.concat_tables(tables).combine_chunks()), [t.num_rows for t in tables]
    of, found = np.repeat(np.arange(len(tables)), often), np.zeros(len(tables), np.bool_)
    may, site = _may_be_alike(rows), contract.site_field
    told = rows.table.select(_told(rows)).append_column("_of", pa.array(of)).filter(pa.array(may))
    same = told.group_by(told.column_names, use_threads=False).aggregate([([], "count_all")])
    found[same["_of"].filter(pc.greater(same["count_all"], 1)).to_numpy()] = True

    def beside(some: Mask, others: Mask) -> None:
        """Those that have rows of both kinds."""
        both = [np.bincount(of[rows.says & mask], minlength=len(tables)) > 0 for mask in (some, others)]
        found[both[0] & both[1]] = True

    if site:
        beside(rows.where(site, None), ~rows.where(site, None))
    for field in contract.fields:
        for value in (v for v in field.values if v.whole_of):
            beside(rows.where(field.name, value.code), rows.where(field.name, *value.whole_of))
    return found


@dataclass(frozen=True)
class _Lines:
    """The rows of the file as its sender sees them, in order: in a wide file one holds a count in each of many columns.

    says: what each line says, as numbers that are equal where the lines are. first: the number of the first line that
    says the same; is_first: whether it is that itself. is_large: whether its counts are more than two wards would share
    by chance. places: rows of the table by line; begins: where each line's do.
    """

    days: Places
    says: Codes
    first: Places
    is_first: Mask
    is_large: Mask
    begins: Places
    places: Places

    @property
    def are_equally_often(self) -> bool:
        """Whether each stands in the file as often as every other."""
        times = np.bincount(self.says)
        return bool(times.min() == times.max())


def _may_be_alike(rows: _Rows) -> Mask:
    """The rows that count anything, and have no name of their own."""
    record = rows.contract.record_field
    return rows.says & rows.where(record, None) if record else rows.says


def _told(rows: _Rows) -> list[str]:
    """The columns by which rows are told apart."""
    beside = [n for n in ("beside",) if n in rows.table.column_names]
    return [*rows.contract.field_names, "source_column", *beside]


def _lines(rows: _Rows) -> _Lines | None:
    """The lines that may repeat one another; None when no two rows are alike."""
    contract, may, told = rows.contract, rows.kept & _may_be_alike(rows), _told(rows)
    places = np.flatnonzero(may)
    usable = (rows.table[n].filter(pa.array(may)) for n in told)
    said = alike(map(Column.numbered, usable), len(places))
    if said.max(initial=-1) + 1 == len(places):
        return None
    days = rows.column(contract.date_field).codes[places]
    numbers = rows.numbers[places]
    if (numbers[1:] > numbers[:-1]).all():  # each row is a line of its own
        key = order = starts = np.arange(len(places))
        many = len(places)
    else:  # of a line's rows the first comes first, and lines are in the order of their numbers
        key, many = dense(numbers * (days.max() + 1) + days)
        order = np.argsort(key, kind="stable")
        starts = np.flatnonzero(np.diff(key[order], prepend=-1))
    is_large = sums(key, rows.total[places], many) >= settings().pasted_at_least_count
    heads = order[starts]
    says = said[heads]
    if many < len(order):
        within = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
        for n in range(1, within.max() + 1):
            mine = order[within == n]
            more = np.zeros(many, np.int64)
            more[key[mine]] = said[mine] + 1
            says, _ = dense(says * (len(said) + 1) + more)
    del said, key  # there may be a million of each
    days, told_as = days[heads], numbers[heads].astype(np.int32)
    of_lines, begins = places[order].astype(np.int32), np.append(starts, len(order)).astype(np.int32)
    del places, order, starts, heads
    first = least(says, np.arange(many), int(says.max()) + 1)
    is_first = np.zeros(many, np.bool_)
    is_first[first] = True
    return _Lines(days, says, told_as[first][says], is_first, is_large, begins, of_lines)


def _repeats(rows: _Rows, rule: Inside, lines: _Lines, again: Codes, said: str) -> Iterator[Double]:
    """What is said of lines that repeat others."""
    for line in again:
        message = said.format(int(lines.first[line]))
        for place in lines.places[lines.begins[line] : lines.begins[line + 1]].tolist():
            yield rows.double(rule, place, rows.contract.count_field, message)


def _pasted(rows: _Rows) -> Iterator[Double]:
    """A block of rows that stands in the file again: that several in a row are alike by chance, nobody believes.

    The same goes for a file every row of which stands in it equally often, in whatever order, and for a single row of
    such large numbers that no two wards would share them.
    """
    lines = rows.lines
    if lines is None:
        return
    if lines.is_first.sum() >= settings().pasted_at_least_rows and lines.are_equally_often:
        again = ~lines.is_first
    else:
        again = _blocks_again(lines, settings().pasted_at_least_rows)
        again |= ~lines.is_first & lines.is_large
    said = "this row repeats row {} in every cell: it was pasted again"
    yield from _repeats(rows, "pasted_again", lines, np.flatnonzero(again), said)


def _blocks_again(lines: _Lines, long: int) -> Mask:
    """The lines of every block of so many different ones of a day that stood there before, in the same order."""
    found = np.zeros(len(lines.says), np.bool_)
    # A line that its day has once is in no block that it has twice.
    often = pd.Series(lines.says * (lines.days.max() + 1) + lines.days).duplicated(keep=False).to_numpy()
    for day in {*lines.days[often].tolist()}:
        mine = np.flatnonzero(lines.days == day)
        if len(mine) < long:
            continue
        may: Mask = np.asarray(sliding_window_view(often[mine], long).all(1))
        if not may.any():
            continue
        says, starts = lines.says[mine], np.arange(len(may))
        # A block holds each line once: of none of its lines the one before that says the same stands in it, too.
        before, order = np.full(len(says), -1), np.argsort(says, kind="stable")
        is_same = says[order[1:]] == says[order[:-1]]
        before[order[1:][is_same]] = order[:-1][is_same]
        del order, is_same  # there may be a million of each
        blocks = starts[may & (sliding_window_view(before, long).max(1) < starts)]
        del before, starts, may
        told = alike((Column(range(int(says.max()) + 1), says[blocks + n]) for n in range(long)), len(blocks))
        again = blocks[pd.Series(told).duplicated().to_numpy()]
        for n in range(long):
            found[mine[again + n]] = True
    return found


def _identical(rows: _Rows) -> Iterator[Double]:
    """A row that is another's copy, or of another ward with the same numbers: nobody but its sender can say."""
    lines = rows.lines
    if lines is None:
        return
    again = np.flatnonzero(~lines.is_first)
    if rows.contract.once["identical_rows"] == "warning":
        again = again[: settings().repeated_rows_listed]
    yield from _repeats(rows, "identical_rows", lines, again, "this row is identical with row {}")


def _unsited(rows: _Rows) -> Iterator[Double]:
    """Rows that name no site, where the file has sited ones of the same day and part: they may be the total of those.

    Fewer than the sited ones cannot be their total: they are what happened elsewhere, and are counted.
    """
    site, may = rows.contract.site_field, rows.kept & rows.says
    sited, others = may & ~rows.where(site, None), may & rows.where(site, None)
    if not sited.any() or not others.any():
        return
    key, counts = rows.beside(), rows.count(rows.contract.count_field)
    many = int(key.max()) + 1
    row = least(key[sited], rows.numbers[sited], many)
    held, total = sums(key[sited], counts[sited], many), sums(key[others], counts[others], many)
    has = np.bincount(key[sited], minlength=many) > 0
    for at in np.flatnonzero(others & has[key]).tolist():
        group = key[at]
        message = f"this row names no site, and row {row[group]} of the same day and part does"
        is_rest = bool(total[group] < held[group])
        if is_rest:
            message += f"; {total[group]:,} cannot be the total of {held[group]:,}"
        yield rows.double("unsited_beside_sited", at, site, message, is_doubt=is_rest)


def _wholes(rows: _Rows) -> Iterator[Double]:
    """Rows of a value that is the total of others, where the file has those for the same day, part and site.

    Fewer than those cannot be their total: a sender who means the rest by it has no other word.
    """
    may, site, counts = rows.kept & rows.says, rows.contract.site_field, rows.count(rows.contract.count_field)
    for field in rows.contract.fields:
        for value in (v for v in field.values if v.whole_of):
            wholes = may & rows.where(field.name, value.code)
            parts = may & rows.where(field.name, *value.whole_of)
            if not wholes.any() or not parts.any():
                continue
            key = rows.beside(*(n for n in (site, *field.whole_within) if n))
            many = int(key.max()) + 1
            row, has = least(key[parts], rows.numbers[parts], many), np.bincount(key[parts], minlength=many) > 0
            held, total = sums(key[parts], counts[parts], many), sums(key[wholes], counts[wholes], many)
            for at in np.flatnonzero(wholes & has[key]).tolist():
                group = key[at]
                message = f"row {row[group]} of the same day is of a part of it ({', '.join(value.whole_of)})"
                is_rest = bool(total[group] < held[group])
                if is_rest:
                    message += f"; {total[group]:,} cannot be the total of {held[group]:,}"
                yield rows.double("whole_beside_parts", at, field.name, message, is_doubt=is_rest)


_LOOKS: dict[Inside, Callable[[_Rows], Iterator[Double]]] = {
    "pasted_again": _pasted,
    "identical_rows": _identical,
    "unsited_beside_sited": _unsited,
    "whole_beside_parts": _wholes,
}
