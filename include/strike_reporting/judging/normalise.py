"""Matched tables to the contract's typed table, column by column.

A cell that does not hold its type becomes null and a `Problem`: its row is left out, or in an optional column the cell.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from strike_reporting.extracts import Contract, Field
from strike_reporting.judging.cells import Unreadable, month_first, readers
from strike_reporting.judging.columns import CODED, Codes, Column, Marked, Mask, distinct, values
from strike_reporting.judging.findings import Findings
from strike_reporting.judging.lines import told_twice
from strike_reporting.judging.matching import Matched
from strike_reporting.judging.problems import Problem, Rejected, shown
from strike_reporting.judging.rows import Body, body
from strike_reporting.judging.totals import Lost, without_totals

_AT_ONCE = 100_000  # distinct texts whose values are objects at the same time


@dataclass(frozen=True)
class Named:
    """What is known of a file beside its rows. ods_code: the feed's trust, for a file that does not name its own."""

    ods_code: str = ""
    file: str = ""


@dataclass
class Normalised:
    """One extract of a submission as typed rows (contract fields, lineage) and what was found on the way.

    Texts are kept as codes. Last in `table` stand `beside`, the cells that nothing reads, and `is_nil`: the row is the
    dialect's mark that there was nothing, and no count. When those that can be used are taken, days stay (`forget`).
    bad_rows: left out. blanks: by column, cells whose value is not kept. short: rows that count without a number that
    they should have. unread: by column, cells that are null here and of which a problem tells. lost: trust and day of
    each row that is not in the table although it says something, where known.
    """

    contract: Contract
    table: pa.Table
    problems: Findings = field(default_factory=Findings)
    bad_rows: Marked = field(default_factory=Marked)
    blanks: dict[str, Marked] = field(default_factory=lambda: defaultdict(Marked))
    short: Marked = field(default_factory=Marked)
    unread: dict[str, Marked] = field(default_factory=lambda: defaultdict(Marked))
    lost: list[Lost] = field(default_factory=list)

    def forget(self) -> None:
        """Let go of all of its rows but their days."""
        self.table = self.table.select([self.contract.date_field])

    def taken(self, places: Codes, problems: Findings, lost: list[Lost]) -> Normalised:
        """Some of its rows, in their order, with what is said of them."""

        def of(marked: Marked) -> Marked:
            return Marked(np.flatnonzero(marked.among(places)))

        table = self.table.take(pa.array(places))
        found = Normalised(self.contract, table, problems, of(self.bad_rows), short=of(self.short), lost=lost)
        found.blanks.update((c, of(marked)) for c, marked in self.blanks.items())
        found.unread.update((c, of(marked)) for c, marked in self.unread.items())
        return found


def normalise(tables: list[Matched], named: Named) -> Normalised:
    """Apply the dialects of tables of one extract.

    Raises:
        Rejected: no rows below the headings; or what the dialect takes from a name is not there.
    """
    contract = tables[0].contract
    found = []
    for matched in tables:
        rows = body(matched)
        lost = without_totals(matched, rows)
        rows.problems += told_twice(matched, rows)
        if rows.height or rows.nils:
            found.append((matched, _Typing(matched, rows, _fixed(matched, named)).done(lost)))
    parts = [part for _, part in found]
    _check_together(found)
    if not parts:
        first = tables[0]
        raise Rejected(
            "no_rows",
            "there are no rows below the header",
            "If nothing was cancelled or nobody was absent, send a row for each day with a count of 0.",
            row=first.sheet.number(first.header),
        )
    if len(parts) == 1:
        return parts[0]
    result = Normalised(contract, pa.concat_tables([p.table for p in parts]).combine_chunks())
    start = 0
    for part in parts:
        result.problems += part.problems
        result.lost += part.lost
        result.bad_rows.add(part.bad_rows.rows + start)
        result.short.add(part.short.rows + start)
        for column, marked in part.blanks.items():
            result.blanks[column].add(marked.rows + start)
        for column, marked in part.unread.items():
            result.unread[column].add(marked.rows + start)
        start += part.table.num_rows
    return result


def _check_together(found: list[tuple[Matched, Normalised]]) -> None:
    """Look at tables that no dialect declares to be one.

    Raises:
        Rejected: two of them speak of the same trust, day and part: which is meant, or whether both are, is not
            guessed.
    """
    seen: dict[tuple[Any, ...], Matched] = {}
    for matched, part in found if len(found) > 1 else ():
        table, contract = part.table, part.contract
        told = distinct([table["ods_code"], table[contract.date_field], *contract.part_columns(table)])
        for key in (k for k in zip(*map(values, told.columns), strict=True) if k[1]):
            other = seen.setdefault(key, matched)
            if other is not matched and not (other.is_declared and matched.is_declared):
                raise Rejected(
                    "several_tables",
                    f"{_name(other)} and {_name(matched)} both speak of {key[1]}, so they may be two versions, or a "
                    "whole and its parts",
                    "Send one table, or ask for the feed's dialect to say which are to be read (`sheets`, `tables`).",
                    row=matched.sheet.number(matched.header),
                )


def _name(matched: Matched) -> str:
    row = matched.sheet.number(matched.header)
    return f"the table from row {row}" + (f" of {matched.place}" if matched.place else "")


def _fixed(matched: Matched, named: Named) -> dict[str, str]:
    """What is the same in every row of a table: constants, and what names and titles say."""
    found = {"ods_code": named.ods_code, **matched.dialect.constants}
    inner, _, name = (matched.sheet.file or named.file).rpartition("/")
    top, end = matched.titles
    said = {
        "file": name,
        "folder": inner.replace("/", " / "),
        "sheet": matched.sheet.name,
        "title": "\n".join(" ".join(c for c in r if c.strip()) for r in matched.sheet.between(top, end)),
    }
    for field_name, column in matched.dialect.columns.items():
        if column.source is None:
            continue
        text = said[column.source]
        hit = re.search(column.pattern, text) if column.pattern else None
        value = (hit[hit.lastindex or 0] if hit else "") if column.pattern else text.strip()
        if not value and matched.contract.field(field_name).required:
            raise Rejected(
                "not_named",
                f"its {column.source} does not say the {field_name} as dialect {matched.dialect.id} expects",
                "Name the file as agreed, or correct the dialect's pattern.",
                column=field_name,
            )
        found[field_name] = value
    return found


class _Typing:
    """One table's rows on their way to typed columns."""

    def __init__(self, matched: Matched, rows: Body, fixed: dict[str, str]) -> None:
        self.matched, self.body, self.fixed = matched, rows, fixed
        self.contract, self.dialect = matched.contract, matched.dialect
        self.result = Normalised(matched.contract, pa.table({}), rows.problems)
        self.height = rows.height
        self.readers = readers(matched.contract, matched.dialect)

    def done(self, lost: list[Lost]) -> Normalised:
        """The typed table."""
        contract, result, height = self.contract, self.result, self.height
        blocks = list(self._blocks())
        data: dict[str, list[pa.Array]] = {n: [] for n in contract.field_names}
        shared: dict[str, tuple[pa.Array, Mask]] = {}
        for block, (constants, heading, position) in enumerate(blocks):
            for f in contract.fields:
                is_value = (
                    position is not None and self.dialect.unpivot is not None and f.name == self.dialect.unpivot.value
                )
                if f.name in constants or (f.name not in self.matched.columns and not is_value):
                    data[f.name].append(self._constant(f, constants))
                    continue
                place = position if is_value and position is not None else self.matched.columns[f.name]
                if not is_value and f.name in shared:  # the same cells under every wide heading: reported once
                    values, unread = shared[f.name]
                else:
                    title = heading if is_value else self.matched.headings[place]
                    values, unread = self._column(f, place, title or f.name)
                    if not is_value:
                        shared[f.name] = values, unread
                data[f.name].append(values)
                self._spoil(f, np.flatnonzero(unread) + block * height)
            result.bad_rows.add(np.flatnonzero(self.body.bad) + block * height)
        result.problems += self.body.faults(self.matched)
        numbers = [np.tile(self.body.numbers, len(blocks))]
        headings = [pa.array([h for _, h, _ in blocks], CODED).take(np.repeat(np.arange(len(blocks)), height))]
        beside = [self._beside()] * len(blocks)
        given = height * len(blocks)
        nils = self._append_nils(data, numbers, headings)
        beside.append(pa.repeat(pa.scalar("", CODED), nils))
        self.body.columns = []
        self.matched.forget()
        arrays = [pa.chunked_array(data[f.name], _kept_as(f)) for f in contract.fields]
        arrays += [pa.array(np.concatenate(numbers), pa.int64()), pa.chunked_array(headings, CODED)]
        arrays.append(pa.repeat(pa.scalar(self.matched.place or None, CODED), given + nils))
        arrays.append(pa.chunked_array(beside, CODED))
        arrays.append(pa.array(np.arange(given + nils) >= given))
        names = [*contract.field_names, "source_row", "source_column", "source_sheet", "beside", "is_nil"]
        result.table = pa.table(arrays, names=names).combine_chunks()
        result.lost = lost
        self._place_problems()
        return result

    def _beside(self) -> pa.Array:
        """What stands in each row's cells that nothing reads: rows that differ there are no copies. It is not kept."""
        read = self.matched.filled
        columns = [self.body.column(p) for p in range(len(self.matched.headings)) if p not in read]
        if not columns:
            return pa.repeat(pa.scalar("", CODED), self.height)
        texts = [pa.array([*c.known], pa.string()).take(pa.array(c.codes)) for c in columns]
        return pc.binary_join_element_wise(*texts, "\0").dictionary_encode()

    def _blocks(self) -> list[tuple[dict[str, str], str | None, int | None]]:
        if self.dialect.unpivot is None:
            return [({}, None, None)]
        return [(self.matched.constants[h], h, p) for h, p in self.matched.wide.items()]

    def _constant(self, f: Field, constants: dict[str, str]) -> pa.Array:
        text = constants.get(f.name) or self.fixed.get(f.name) or f.default or ""
        try:
            value = self.readers[f.name](text) if text else None
        except Unreadable as error:
            raise Rejected(
                error.rule, f"{f.name.replace('_', ' ')}: {error}", error.fix or f.fix, column=f.name, value=shown(text)
            ) from error
        return pa.repeat(pa.scalar(value, _kept_as(f)), self.height)

    def _column(self, f: Field, place: int, heading: str) -> tuple[pa.Array, Mask]:
        """One column's typed values and which cells were not read. Each distinct text is read once."""
        raw, numbers = self.body.column(place), self.body.numbers
        read, wrong = self._read(f, raw.known)
        unread = np.fromiter((why is not None for why in wrong), np.bool_, len(wrong))[raw.codes]
        typed = read.take(pa.array(raw.codes))
        if f.type == "int64" and (merged := self._merged(place)):
            repeated = np.isin(numbers, merged)
            unread |= repeated
            typed = pc.if_else(pa.array(~repeated), typed, None)
        for at in map(int, np.flatnonzero(unread)):  # one after the other: there may be a million
            code = raw.codes[at]
            self._report(f, int(numbers[at]), heading, raw.known[code], wrong[code] or _MERGED)
        return typed, unread

    def _read(self, f: Field, known: Sequence[str]) -> tuple[pa.Array, list[Unreadable | None]]:
        """Of each distinct text its value, and why it could not be read: one object for all that say the same."""
        read, column = self.readers[f.name], self.dialect.columns.get(f.name)
        swapped = month_first({*known}, column.format) if column and f.type == "date32" else set()
        default = read(f.default) if f.default else None
        pieces: list[pa.Array] = []
        wrong: list[Unreadable | None] = []
        reasons: dict[tuple[str, str, str], Unreadable] = {}
        kept_as, is_long = _kept_as(f), len(known) > _AT_ONCE
        are_own = is_long and kept_as == CODED  # each is its own value, so no two have the same
        for start in range(0, max(len(known), 1), _AT_ONCE):
            typed: list[Any] = []
            texts = known[start : start + _AT_ONCE]
            for text in texts:
                value, why = None, _SWAPPED if text in swapped else None
                if why is None:
                    try:
                        value = read(text)
                        value = default if value is None else value
                    except Unreadable as error:
                        why = reasons.setdefault((error.rule, str(error), error.fix), _bare(error))
                typed.append(value)
                wrong.append(why)
            are_own = are_own and all(v is None or v == t for v, t in zip(typed, texts, strict=True))
            pieces.append(pa.array(typed, f.arrow_type if is_long else kept_as))
        whole = pa.concat_arrays(pieces)
        del pieces
        return _each_once(whole) if are_own else whole.cast(kept_as), wrong

    def _spoil(self, f: Field, cells: Codes) -> None:
        """Note cells that could not be read, and what that is for their rows."""
        self.result.unread[f.name].add(cells)
        if self._costs_the_row(f):
            self.result.bad_rows.add(cells)
        elif f.type == "int64":
            self.result.short.add(cells)

    def _costs_the_row(self, f: Field) -> bool:
        """A bad cell costs its row, unless the field is optional and decides neither the measure nor the part."""
        return f.required or (f.type != "int64" and f.severity != "warning")

    def _report(self, f: Field, number: int, heading: str, value: str, why: Unreadable) -> None:
        message, severity = str(why), "error"
        if not self._costs_the_row(f):
            message += "; the row is used without it"
            severity = "error" if f.type == "int64" else "warning"
        fix = why.fix or f.fix
        self.result.problems.append(Problem(why.rule, severity, message, fix, number, heading, shown(value)))  # type: ignore[arg-type]

    def _merged(self, place: int) -> list[int]:
        """The rows in which a number stands only because its cell is merged over them."""
        return [n for at, first, last in self.matched.sheet.merged if at == place for n in range(first + 1, last + 1)]

    def _append_nils(self, data: dict[str, list[pa.Array]], numbers: list[Codes], headings: list[pa.Array]) -> int:
        """A row of each value that the dialect takes for nothing, for each row that says so; how many."""
        nil = self.dialect.nil
        made = [(row, number, constants) for row, number in self.body.nils for constants in (nil.rows if nil else ())]
        if nil is None or not made:
            return 0
        for f in self.contract.fields:
            values = [self._nil(f, row, constants) for row, _, constants in made]
            data[f.name].append(pa.array(values, _kept_as(f)))
        numbers.append(np.array([number for _, number, _ in made], np.int64))
        headings.append(pa.repeat(pa.scalar(nil.header, CODED), len(made)))
        return len(made)

    def _nil(self, f: Field, row: list[str], constants: Mapping[str, str]) -> Any:
        if f.name == self.contract.count_field:
            return 0
        place = self.matched.columns.get(f.name)
        text = row[place] if place is not None and place < len(row) else self.fixed.get(f.name, "")
        try:
            return self.readers[f.name](constants.get(f.name) or text or f.default or "")
        except Unreadable:
            return None

    def _place_problems(self) -> None:
        """Note the sheet of each problem, and the strike day it falls on where the row's date could be read."""
        table, contract = self.result.table, self.contract
        if not self.result.problems:
            return
        numbers, said = table["source_row"].to_numpy(), Column.of(table[contract.date_field])
        rows, order = self.result.problems.rows, None
        if (numbers[1:] < numbers[:-1]).any():  # under one heading after the other
            order = np.argsort(numbers, kind="stable")
        last = np.searchsorted(numbers, rows, "right", sorter=order) - 1
        last = last if order is None else order[last]  # of a wide row, its last heading
        days = [day and day.isoformat() for day in said.known]
        codes = np.where(numbers[last] == rows, said.codes[last], len(days))
        self.result.problems.place(self.matched.place or None, map([*days, None].__getitem__, codes))


def _kept_as(f: Field) -> pa.DataType:
    """The type of a field's column until it is filed."""
    return CODED if f.type == "string" else f.arrow_type


def _each_once(texts: pa.Array) -> pa.Array:
    """Texts of which no two are the same, as they are kept: to look for those that are takes 40 MB of a million."""
    places = np.cumsum(texts.is_valid().to_numpy(zero_copy_only=False), dtype=np.int32) - 1
    indices = pc.if_else(texts.is_valid(), pa.array(places), None)
    return pa.DictionaryArray.from_arrays(indices, texts.drop_null())


def _bare(error: Unreadable) -> Unreadable:
    """Without the frames that it was raised through, of which each would be kept with all that it holds."""
    error.__context__ = error.__cause__ = None
    return error.with_traceback(None)


_MERGED = Unreadable(
    "merged_number",
    "one number is merged over several rows, so it is counted in the first of them only",
    "Write a number into every row, and send the file again.",
)


_SWAPPED = Unreadable(
    "ambiguous_date",
    "other dates of this column have the month first, so this one may too, and is not guessed",
    "Write the dates as 2023-04-11.",
)
