"""Which rows below the headings are data. Notes, totals and repeated headings cost themselves, never the file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch

from strike_reporting.extracts import slug
from strike_reporting.judging.cells import ERRORS, clean
from strike_reporting.judging.matching import Matched
from strike_reporting.judging.problems import Problem

_DIGIT = re.compile(r"\d")


@dataclass
class Body:
    """The rows of a table that are data, with their numbers in the file.

    nils: rows that the dialect reads as “none”. bad: what is wrong with whole rows, by their place in `rows`. problems:
    what was left out and why.
    """

    rows: list[list[str]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    nils: list[tuple[list[str], int]] = field(default_factory=list)
    bad: dict[int, Problem] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def drop(self, places: set[int]) -> None:
        """Take rows out."""
        kept = [n for n in range(len(self.rows)) if n not in places]
        self.bad = {new: self.bad[old] for new, old in enumerate(kept) if old in self.bad}
        self.rows, self.numbers = [self.rows[n] for n in kept], [self.numbers[n] for n in kept]


def counted(matched: Matched) -> list[int]:
    """Where the numbers of a row stand."""
    fields = [n for n in matched.contract.whole_numbers if n in matched.columns]
    return [*matched.wide.values(), *(matched.columns[n] for n in fields)]


def body(matched: Matched) -> Body:
    """The data rows of a table: without blank rows, notes, and what the dialect says is none of it."""
    found, dialect = Body(), matched.dialect
    numbers_at, day_at = counted(matched), matched.columns.get(matched.contract.date_field)
    filled_from = [matched.columns[n] for n in dialect.fill_down]
    above: dict[int, str] = {}
    said = {slug(v) for v in dialect.nil.values} if dialect.nil else set()
    usual, headed = _usual_width(matched), max((n + 1 for n, h in enumerate(matched.headings) if h.strip()), default=0)
    for row, number in _below(matched):
        filled = [c for c in row if c.strip()]
        if not filled or _is_like(filled[0], dialect.not_data):
            continue
        if _is_like(filled[0], dialect.stop):
            break
        if not _is_data(row, filled, numbers_at, day_at):
            found.problems.append(_note(number))
            continue
        for place in filled_from:
            if place < len(row) and row[place].strip():
                above[place] = row[place]
            elif place in above:
                row = [*row, *[""] * (place + 1 - len(row))]
                row[place] = above[place]
        nil_at = matched.nil
        if nil_at is not None and nil_at < len(row) and slug(row[nil_at]) in said:
            if not any(p < len(row) and re.search("[1-9]", row[p]) for p in numbers_at):
                found.nils.append((row, number))
                continue
            found.bad[len(found.rows)] = _contradicted(number)
        elif _is_long(matched, row, usual, headed):
            found.bad[len(found.rows)] = _long(matched, row, number)
        found.rows.append(row)
        found.numbers.append(number)
    return found


def _below(matched: Matched) -> Iterator[tuple[list[str], int]]:
    sheet = matched.sheet
    for start, end in matched.spans:
        yield from zip(sheet.rows[start:end], sheet.numbers[start:end], strict=True)


def _is_like(text: str, patterns: tuple[str, ...]) -> bool:
    folded = clean(text).casefold() if patterns else ""
    return any(fnmatch(folded, p.casefold()) for p in patterns)


def _is_data(row: list[str], filled: list[str], numbers_at: list[int], day_at: int | None) -> bool:
    """A row without a number and without a day says nothing that could be counted: it is a note, or a form's end.

    One text alone in a row is a note even where it holds digits, unless it stands where a number belongs.
    """
    cells = [row[p] for p in numbers_at if p < len(row) and row[p].strip()]
    if any(_DIGIT.search(c) or ERRORS.match(c.strip()) for c in cells):
        return True
    if len(filled) == 1:
        return False
    return day_at is not None and day_at < len(row) and bool(_DIGIT.search(row[day_at]))


def _usual_width(matched: Matched) -> int:
    """How many cells most rows have: a separator at the end of every row is no further cell."""
    widths = Counter(len(row) for row, _ in _below(matched) if any(c.strip() for c in row))
    return max(widths, key=lambda w: (widths[w], -w), default=0)


def _is_long(matched: Matched, row: list[str], usual: int, headed: int) -> bool:
    """Whether a row has cells beyond its headings: a number with a comma in it, say, that was cut in two."""
    if any(_DIGIT.search(c) for c in row[headed:]):
        return True
    return len(row) > max(len(matched.headings), usual)


def _note(number: int) -> Problem:
    message = "this row holds neither a number nor a day, so it is taken for a note and left out"
    fix = "If it is none, fill in its day and its number. If it is, the feed's dialect can say so (`not_data`)."
    return Problem("no_data_row", "warning", message, fix, number)


def _contradicted(number: int) -> Problem:
    message = "the row says that there was nothing, and holds counts: one of the two is wrong"
    fix = "Correct the counts, or the mark that says there was nothing."
    return Problem("nil_contradicted", "error", message, fix, number)


def _long(matched: Matched, row: list[str], number: int) -> Problem:
    message = (
        f"this row has {len(row)} cells and the headings only {len(matched.headings)}, so its numbers may be cut in two"
    )
    fix = "Put a number that holds a comma into quotes, or write it without, and send the file again."
    return Problem("long_row", "error", message, fix, number)
