"""The patient-data guard: what is said of persons in a file is never kept, and the file's bytes are locked away.

An identifier in a column that a dialect reads refuses the file. Anywhere else (a column that nothing maps, rows above
the header, notes, sheets that are not read) it is dropped and said, and the rows count: nothing of it is kept. What
identifies a person is in `identifiers`; here stands only what follows from where it was found. No value is echoed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise

import numpy as np

from strike_reporting.extracts import slug
from strike_reporting.judging import identifiers
from strike_reporting.judging.columns import Column, Mask, is_filled, many_of
from strike_reporting.judging.matching import Matched
from strike_reporting.judging.problems import DROPPED, HELD, Problem, Rejected, shown
from strike_reporting.judging.reading.document import Sheet

_TOP = 40  # rows of a sheet that nothing reads in which a heading is looked for
_LISTED = 3  # so many headings of identifiers in one column are a list of what not to send
_LOCKED = "What you sent is locked away and can be purged."
# A field of known values or of dates keeps no name and no date of birth; the contract's rules see to the others.
_NOT_KEPT = (identifiers.NAMES, identifiers.BIRTH, identifiers.HOSPITAL, identifiers.STAFF)
_SPACED = re.compile(r"\b\d{3}[ -]\d{3}[ -]\d{4}\b")
_BY_LABEL = (identifiers.NHS, identifiers.BIRTH, identifiers.HOSPITAL)  # a form also names who filled it in


def guard(matched: Matched) -> list[Problem]:
    """Look at every column of the sheet that is read, at its header and the rows above.

    Returns:
        A warning for each place that holds what identifies persons and that nothing needs.

    Raises:
        Rejected: a column that is read holds it.
    """
    sheet, at = matched.sheet, matched.header
    above = zip(sheet.between(matched.begins, at + 1), sheet.numbers(matched.begins, at + 1), strict=True)
    found = [
        _dropped(f"row {number}, above the figures, looks like {what}", number)
        for row, number in above
        if (what := _in_rows([row]))
    ]
    names, row, body = matched.filled, sheet.number(at), matched.cells
    for place, column in enumerate(body):
        head = matched.headings[place] if place < len(matched.headings) else ""
        label = f"{place + 1}: {shown(head)}"
        if place in names:
            what = _in_kept(matched, names[place], head, _distinct(column))
            if what and _in_kept(matched, names[place], head, _distinct(column.taken(_without_notes(body)))):
                raise Rejected(
                    HELD,
                    f"column {place + 1} of the file looks like {what}",
                    f"Remove them and send the file again. {_LOCKED}",
                    row=row,
                    column=label,
                )
            if what:
                found.append(_dropped(f"a note in column {place + 1} looks like {what}", row, label))
        elif what := identifiers.column(head, _distinct(column)):
            found.append(_dropped(f"column {place + 1} of the file looks like {what}", row, label))
    return found


def guard_unread(sheets: Iterable[Sheet]) -> list[Problem]:
    """A warning for each column of persons in sheets that are not read, hidden ones too."""
    return [
        _dropped(f"sheet {number}, {place} of the file looks like {what}")
        for number, sheet in enumerate(sheets, start=1)
        for place, what in _in_sheet(sheet)
    ]


def guard_rest(sheets: Iterable[Sheet]) -> None:
    """Look at a file that fits no dialect.

    Raises:
        Rejected: it holds what identifies persons: its sender must hear that first.
    """
    for found in guard_unread(sheets):
        message = found.message.partition(";")[0]
        raise Rejected(HELD, message, f"Remove it and send the file again. {_LOCKED}")


def _dropped(message: str, row: int | None = None, column: str | None = None) -> Problem:
    said = f"{message}; it was dropped, and what you sent is locked away"
    return Problem(DROPPED, "warning", said, "Leave it out of the next file.", row, column)


def _in_kept(matched: Matched, name: str, head: str, values: Counter[str]) -> str | None:
    """What a column that is read holds of persons; values that contract or dialect know are none of it."""
    if name and name == matched.contract.record_field:
        return identifiers.opaque(head, values)
    known = {*map(slug, matched.dialect.columns[name].codes)} if name in matched.dialect.columns else set[str]()
    if name:
        known.update(matched.contract.field(name).lookup)
    what = identifiers.column("", {v: n for v, n in values.items() if slug(v) not in known})
    return None if what in _NOT_KEPT else what


def _in_sheet(sheet: Sheet) -> Iterator[tuple[str, str]]:
    """Where a sheet that nothing reads holds persons. Its header is not known, so each likely heading is tried."""
    top = sheet.head(_TOP)
    found = False
    for place in range(len(sheet.columns)):
        cells = [row[place].strip() if place < len(row) else "" for row in top]
        filled = [n for n, cell in enumerate(cells) if cell]
        heads = [n for n in filled if identifiers.heading(cells[n])]
        if len({slug(cells[n]) for n in heads}) >= _LISTED:
            continue
        for at in dict.fromkeys([*filled[:1], *heads]):
            values = _distinct(sheet.columns[place].taken(slice(at + 1, None)))
            below = {v: n for v, n in values.items() if not identifiers.heading(v)}
            if what := identifiers.column(cells[at], below):
                yield f"column {place + 1}", what
                found = True
                break
    if not found and (what := _in_rows(top)):
        yield "the first rows", what


def _in_rows(rows: Sequence[Sequence[str]]) -> str | None:
    """What rows without a header hold: labels with a value beside them, and loose text."""
    for row in rows:
        for label, value in pairwise(row):
            kind = identifiers.heading(label)
            if kind in _BY_LABEL and identifiers.column(label, {value: 1}) == kind:
                return kind
    return identifiers.search(" ".join(row) for row in rows)


def _distinct(column: Column) -> Counter[str]:
    """How often each text stands in a column; empty cells are none.

    Of a great many texts, some evenly spread and all that are written as NHS numbers are show what the column is.
    """
    counts = np.bincount(column.codes, minlength=len(column.known)).tolist()
    some: Iterable[int] = range(len(counts))
    if (step := len(counts) // identifiers.SAMPLE + 1) > 1:
        written = (at for at, text in enumerate(column.known) if text and _SPACED.search(text))
        some = [*range(0, len(counts), step), *islice(written, identifiers.SAMPLE)]
    pairs = ((column.known[at], counts[at]) for at in some)
    found: Counter[str] = Counter()
    for text, n in pairs:
        if text and (said := text.strip()):
            found[said if step == 1 else _copied(said)] += n
    return found


def _copied(text: str) -> str:
    """The same text elsewhere: what is looked at is remembered, and one of many would keep all memory around it."""
    return text[:1] + text[1:]


def _without_notes(body: Sequence[Column]) -> Mask:
    """The rows with more than one filled cell: a lonely cell is a note or a total, and no row of figures."""
    return many_of((c.where(is_filled) for c in body), len(body[0].codes)) > 1
