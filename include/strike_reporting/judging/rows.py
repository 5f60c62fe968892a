"""Which rows below the headings are data. Notes, totals and repeated headings cost themselves, never the file."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import lru_cache, partial

import numpy as np

from strike_reporting.extracts import slug
from strike_reporting.judging.cells import ERRORS, clean
from strike_reporting.judging.columns import Codes, Column, Mask, Places, any_of, is_filled, many_of
from strike_reporting.judging.findings import Findings
from strike_reporting.judging.matching import Matched
from strike_reporting.judging.problems import Problem, Rejected

_CONTRADICTED = -1
_DIGIT, _COUNT = re.compile(r"\d"), re.compile("[1-9]")
_BEFORE_COMMA, _AFTER_COMMA, _WHOLE = re.compile(r"\s*\d{1,3}"), re.compile(r"\d{3}\s*"), re.compile(r"\s*\d+\s*")


@dataclass
class Body:
    """The rows of a table that are data: their texts by column, and their numbers in the file.

    bad: what is wrong with each as a whole: 0 for nothing, how many cells it has where they are too many, or
    `_CONTRADICTED`. nils: rows that the dialect reads as “none”. problems: what was left out and why.
    """

    columns: list[Column]
    numbers: Codes
    bad: Places
    nils: list[tuple[list[str], int]] = field(default_factory=list)
    problems: Findings = field(default_factory=Findings)

    @property
    def height(self) -> int:
        """How many rows there are."""
        return len(self.numbers)

    def column(self, place: int) -> Column:
        """The texts of a column; empty ones where the table has none."""
        if place < len(self.columns):
            return self.columns[place]
        return Column([""], np.zeros(self.height, np.int32))

    def text(self, at: int, place: int) -> str:
        """One cell."""
        found: str = self.column(place).value(at)
        return found

    def blank(self, at: int, places: Iterable[int]) -> None:
        """Take texts out of a row."""
        for place in places:
            column, codes = self.columns[place], self.columns[place].codes.copy()
            codes[at] = len(column.known)
            self.columns[place] = Column([*column.known, ""], codes)

    def drop(self, out: Mask) -> None:
        """Take rows out."""
        if not out.any():
            return
        self.columns = [c.taken(~out) for c in self.columns]
        self.numbers, self.bad = self.numbers[~out], self.bad[~out]

    def faults(self, matched: Matched) -> Iterator[Problem]:
        """What is wrong with whole rows."""
        for at in np.flatnonzero(self.bad):  # one after the other: there may be a million
            number, cells = int(self.numbers[at]), int(self.bad[at])
            yield _contradicted(number) if cells == _CONTRADICTED else _long(matched, cells, number)


def counted(matched: Matched) -> list[int]:
    """Where the numbers of a row stand."""
    fields = [n for n in matched.contract.whole_numbers if n in matched.columns]
    return [*matched.wide.values(), *(matched.columns[n] for n in fields)]


def body(matched: Matched) -> Body:
    """The data rows of a table: without blank rows, notes, and what the dialect says is none of it."""
    dialect = matched.dialect
    cells = matched.cells
    numbers = matched.sheet.table.column(0).to_numpy()[matched.below]
    texts = [c.changed(lambda text: text or "") if None in c.known else c for c in cells]
    found = Body(texts, numbers, np.zeros(len(numbers), np.int32))
    filled = [c.where(is_filled) for c in found.columns]
    many = many_of(filled, len(numbers))
    widths = _widths(cells, len(numbers))
    is_none = (many == 0) | _begin(found, filled, dialect.not_data)
    ends = ~is_none & _begin(found, filled, dialect.stop)
    is_none |= np.logical_or.accumulate(ends)
    is_data = _is_data(found, matched, many)
    is_note = ~is_none & ~is_data
    _check_one_table(matched, found, is_note, is_data & ~is_none)
    notes = found.numbers[is_note]
    usual = int(np.bincount(widths[many > 0]).argmax()) if many.any() else 0
    out = is_none | ~is_data
    widths = widths[~out]
    found.drop(out)
    found.problems = Findings(_note(int(number)) for number in notes)
    for place in (matched.columns[n] for n in dialect.fill_down):
        found.columns[place] = _filled_down(found.columns[place])
    nils, contradicted = _nils(matched, found)
    long = ~nils & ~contradicted & _is_long(matched, found, widths, usual)
    found.bad[long], found.bad[contradicted] = widths[long], _CONTRADICTED
    marked = np.flatnonzero(nils).tolist()
    found.nils = [([found.text(at, p) for p in range(len(found.columns))], int(found.numbers[at])) for at in marked]
    found.drop(nils)
    return found


def _check_one_table(matched: Matched, body: Body, is_note: Mask, is_data: Mask) -> None:
    """Look whether the rows below a note are of something else than those that the headings are of.

    Raises:
        Rejected: it repeats some of the headings beside others, or names a value that the dialect fixes for all rows.
    """
    data, notes = np.flatnonzero(is_data), np.flatnonzero(is_note)
    if not len(data) or not len(notes):
        return
    columns = [c.taken(notes) for c in body.columns]
    heads = [slug(h) for h in matched.headings]
    is_again = [c.where(partial(_folds_to, {h})) for c, h in zip(columns, heads, strict=False) if h]
    others = [columns[p].where(is_filled) & ~columns[p].where(partial(_folds_to, {heads[p]})) for p in counted(matched)]
    again = notes[(many_of(is_again, len(notes)) > 1) & any_of(others, len(notes))]
    for at in again[(again > data[0]) & (again < data[-1])].tolist():
        raise _another(body, at, "has some of the headings again, and others above the numbers")
    alone = many_of([c.where(is_filled) for c in columns], len(notes)) == 1
    for name, fixed in matched.dialect.constants.items():
        known = matched.contract.field(name).lookup
        named = any_of([c.where(partial(_folds_to, known)) for c in columns], len(notes))
        for at in notes[alone & named & (notes < data[-1])].tolist():
            said = next(known[slug(t)] for p in range(len(columns)) if is_filled(t := body.text(at, p)))
            if at > data[0] or said != known.get(slug(fixed)):
                raise _another(body, at, f"says {said} of the rows below it")


def _folds_to(known: Container[str], text: str) -> bool:
    return slug(text) in known


def _another(body: Body, at: int, what: str) -> Rejected:
    row = int(body.numbers[at])
    fix = "Send one table, or ask for the feed's dialect to say where it ends (`stop`), or what is no row (`not_data`)."
    return Rejected("several_tables", f"row {row} {what}, so these may be of something else", fix, row=row)


def _has_digit(text: str) -> bool:
    return bool(_DIGIT.search(text))


def _widths(cells: list[Column], rows: int) -> Codes:
    """How many cells each row has, as its file ends it."""
    found = np.zeros(rows, np.int64)
    for place, column in enumerate(cells, start=1):
        found[column.where(lambda text: text is not None)] = place
    return found


def _begin(body: Body, filled: list[Mask], patterns: tuple[str, ...]) -> Mask:
    """The rows whose first text is like one of some patterns."""
    found, before = np.zeros(body.height, np.bool_), np.zeros(body.height, np.bool_)
    for column, has_text in zip(body.columns, filled, strict=True) if patterns else ():
        found |= ~before & has_text & column.where(lambda text: _is_like(text, patterns))
        before |= has_text
    return found


def _is_like(text: str, patterns: tuple[str, ...]) -> bool:
    folded = clean(text).casefold()
    return any(fnmatch(folded, p.casefold()) for p in patterns)


def _is_data(body: Body, matched: Matched, filled: Codes) -> Mask:
    """A row without a number and without a day says nothing that could be counted: it is a note, or a form's end.

    One text alone in a row is a note even where it holds digits, unless it stands where a number belongs.
    """

    def is_number(text: str) -> bool:
        return _has_digit(text) or bool(ERRORS.match(text.strip()))

    numbers = any_of([body.column(p).where(is_number) for p in counted(matched)], body.height)
    day_at = matched.columns.get(matched.contract.date_field)
    if day_at is None:
        return numbers
    return numbers | ((filled > 1) & body.column(day_at).where(_has_digit))


def _filled_down(column: Column) -> Column:
    """An empty cell means the one above."""
    above = np.maximum.accumulate(np.where(column.where(is_filled), np.arange(len(column.codes)), -1))
    return Column(column.known, np.where(above >= 0, column.codes[above], column.codes))


def _nils(matched: Matched, body: Body) -> tuple[Mask, Mask]:
    """The rows that say there was nothing, and those that say so and hold counts."""
    nil, place = matched.dialect.nil, matched.nil
    if nil is None or place is None:
        return np.zeros(body.height, np.bool_), np.zeros(body.height, np.bool_)
    said = {slug(v) for v in nil.values}
    marked = body.column(place).where(lambda text: slug(text) in said)
    counts = [body.column(p).where(lambda text: bool(_COUNT.search(text))) for p in counted(matched)]
    has_counts = any_of(counts, body.height)
    return marked & ~has_counts, marked & has_counts


def _is_long(matched: Matched, body: Body, widths: Codes, usual: int) -> Mask:
    """Whether a row has cells beyond its headings: a number with a comma in it, say, that was cut in two.

    A separator at the end of every row is no further cell.
    """
    headed = max((n + 1 for n, h in enumerate(matched.headings) if h.strip()), default=0)
    beyond = any_of([c.where(_has_digit) for c in body.columns[headed:]], body.height)
    filled = any_of([c.where(is_filled) for c in body.columns[headed:]], body.height)
    is_over = filled | (widths > len(matched.headings))
    is_cut = is_over & _looks_cut(matched, body) if is_over.any() else is_over
    return beyond | is_cut | (widths > max(len(matched.headings), usual))


def _looks_cut(matched: Matched, body: Body) -> Mask:
    """Whether a row's numbers may be one more than their columns, for the comma of one has parted it.

    Where every row of a file is so, or ends with a separator, no row is longer than is usual. A column of totals beside
    the numbers holds a number in any case.
    """
    words = {slug(w) for w in matched.dialect.totals}
    places = {*counted(matched), *(p for p, h in enumerate(matched.headings) if slug(h) in words)}
    found = np.zeros(body.height, np.bool_)
    parted = found
    for place in sorted(places):
        number, after = body.column(place), body.column(place + 1)
        halves = number.where(lambda t: bool(_BEFORE_COMMA.fullmatch(t))) & after.where(
            lambda t: bool(_AFTER_COMMA.fullmatch(t))
        )
        parted = (parted | halves) if place - 1 in places else halves
        if place + 1 not in places:  # what stood in the last column of numbers is now in the one after
            found |= parted & after.where(lambda t: bool(_WHOLE.fullmatch(t)))
    return found


def _note(number: int) -> Problem:
    message = "this row holds neither a number nor a day, so it is taken for a note and left out"
    fix = "If it is none, fill in its day and its number. If it is, the feed's dialect can say so (`not_data`)."
    return Problem("no_data_row", "warning", message, fix, number)


def _contradicted(number: int) -> Problem:
    message = "the row says that there was nothing, and holds counts: one of the two is wrong"
    fix = "Correct the counts, or the mark that says there was nothing."
    return Problem("nil_contradicted", "error", message, fix, number)


def _long(matched: Matched, width: int, number: int) -> Problem:
    fix = "Put a number that holds a comma into quotes, or write it without, and send the file again."
    return Problem("long_row", "error", _too_many(width, len(matched.headings)), fix, number)


@lru_cache(maxsize=100)
def _too_many(cells: int, headings: int) -> str:
    """One text for all rows of that width: there may be a million."""
    return f"this row has {cells} cells and the headings only {headings}, so its numbers may be cut in two"
