"""Rows of headings: where a dialect's stand in a sheet, joined from several rows where it says so, each once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa

from strike_reporting.extracts import slug
from strike_reporting.intake.forms import joined, labelled
from strike_reporting.judging.cells import Unreadable, clean, folded, readers
from strike_reporting.judging.problems import Rejected, shown
from strike_reporting.judging.reading.document import Sheet
from strike_reporting.judging.rulebook import Candidate
from strike_reporting.settings import settings


@dataclass(frozen=True)
class Fit:
    """Headings that a dialect needs, found in a sheet: in the rows `first` to `header` (indexes into its rows).

    columns, wide: the place of each canonical and wide heading. constants: what a wide heading stands for. extra: the
    headings that nothing maps.
    """

    first: int
    header: int
    headings: tuple[str, ...]
    columns: dict[str, int]
    wide: dict[str, int]
    nil: int | None
    extra: tuple[str, ...]
    constants: dict[str, dict[str, str]]

    @property
    def score(self) -> int:
        """How many of the file's columns the dialect explains, less those it does not."""
        return 100 * (len(self.columns) + len(self.wide) + (self.nil is not None)) - len(self.extra)


def fits(candidate: Candidate, sheet: Sheet, every: frozenset[str] = frozenset()) -> list[Fit]:
    """Every place in a sheet where a dialect's headings stand; none when the first is not among the first rows.

    Args:
        candidate: the dialect.
        sheet: any.
        every: what all the dialects that will be tried need, so that a sheet is looked through once for all of them.

    Raises:
        Rejected: a heading that is read stands there twice.
    """
    if candidate.dialect.form:
        sheet = formed(sheet)
    tall = candidate.dialect.header_rows
    found: list[Fit] = []
    for index in _likely(candidate, sheet, every):
        first = index - tall + 1
        if first < 0 or (found and first <= found[-1].header):
            continue
        if not found and first >= settings().header_within_rows:
            break
        headings = tuple(joined([[clean(c) for c in row] for row in sheet.between(first, index + 1)]))
        positions: dict[str, list[int]] = {}
        for position, heading in enumerate(headings):
            if slug(heading):
                positions.setdefault(slug(heading), []).append(position)
        if all(any(h in positions for h in wanted) for wanted in candidate.needed_slugs):
            hit = _fit(candidate, sheet, first, index, headings, positions)
            found += [hit] if hit else []
    return found


def _likely(candidate: Candidate, sheet: Sheet, every: frozenset[str]) -> Iterator[int]:
    """Rows that hold at least one of the needed headings: found in each column's distinct texts."""
    wanted = candidate.wanted
    if candidate.dialect.header_rows > 1:  # a lower row holds the end of a joined heading
        yield from range(min(sheet.table.num_rows, settings().header_within_rows + candidate.dialect.header_rows))
        return
    texts = _folded(sheet)
    if wanted.isdisjoint(texts.top):
        return
    standing = texts.standing(sheet, wanted | every)
    hits: dict[int, list[int]] = {}
    for place, code in (one for text in wanted for one in standing[text]):
        hits.setdefault(place, []).append(code)
    found = [np.flatnonzero(sheet.columns[place].of_codes(codes)) for place, codes in hits.items()]
    yield from np.unique(np.concatenate(found)).tolist() if found else ()


class _Folded:
    """A sheet's texts, folded: every dialect asks for them."""

    def __init__(self, sheet: Sheet) -> None:
        """Fold those of the first rows; the others when a dialect may fit, and only what is asked for is kept."""
        self._standing: dict[str, list[tuple[int, int]]] = {}
        within = settings().header_within_rows
        tops = {c.known[n] for c in sheet.columns for n in {*c.codes[:within].tolist()}}
        self.top = frozenset(folded(text) for text in tops if text is not None)

    def standing(self, sheet: Sheet, wanted: frozenset[str]) -> dict[str, list[tuple[int, int]]]:
        """Every wanted text: the columns in which it stands, and as which of their distinct texts."""
        if new := wanted - self._standing.keys():
            self._standing.update((text, []) for text in new)
            for place, column in enumerate(sheet.columns):
                for code, text in enumerate(column.known):
                    if text and (said := folded(text)) in new:
                        self._standing[said].append((place, code))
        return self._standing


_known: WeakKeyDictionary[Sheet, _Folded] = WeakKeyDictionary()  # a sheet that is done with takes its own along


def _folded(sheet: Sheet) -> _Folded:
    if sheet not in _known:
        _known[sheet] = _Folded(sheet)
    return _known[sheet]


def _fit(
    candidate: Candidate,
    sheet: Sheet,
    first: int,
    last: int,
    headings: tuple[str, ...],
    positions: dict[str, list[int]],
) -> Fit | None:
    dialect, number = candidate.dialect, sheet.number(last)
    columns: dict[str, int] = {}

    def one(what: str, wanted: tuple[str, ...]) -> int | None:
        places = [p for h in dict.fromkeys(map(slug, wanted)) for p in positions.get(h, ())]
        if len(places) > 1:
            heads = " and ".join(f"{shown(headings[p])!r} (column {p + 1})" for p in places)
            raise Rejected(
                "ambiguous_column",
                f"two columns could be {what}: {heads}",
                "Keep one of them, or ask for the feed's dialect to say which to read.",
                row=number,
                column=shown(headings[places[0]]),
            )
        return places[0] if places else None

    for name, column in dialect.columns.items():
        place = one(name, column.header)
        if place is not None:
            columns[name] = place
    nil = one("the mark that there was nothing", (dialect.nil.header,)) if dialect.nil else None
    wide: dict[str, int] = {}
    constants: dict[str, dict[str, str]] = {}
    if dialect.unpivot:
        for heading, fixed in dialect.unpivot.columns.items():
            place = one(heading, (heading,))
            if place is not None:
                wide[heading], constants[heading] = place, fixed
        taken = {*columns.values(), nil}
        for place, heading, text in _said(candidate, headings):
            if place not in taken:
                if heading in wide:
                    one(heading, (heading,))
                wide[heading], constants[heading] = place, {dialect.unpivot.heading.field: text}  # type: ignore[union-attr]
        if not wide:
            return None
    used = {*columns.values(), *wide.values(), nil}
    extra = tuple(h for p, h in enumerate(headings) if h.strip() and p not in used)
    return Fit(first, last, headings, columns, wide, nil, extra, constants)


def _said(candidate: Candidate, headings: tuple[str, ...]) -> Iterator[tuple[int, str, str]]:
    """The columns whose heading says a value of the field that the headings of a wide file stand for."""
    said = candidate.dialect.unpivot.heading if candidate.dialect.unpivot else None
    if said is None:
        return
    field = candidate.contract.field(said.field)
    read = readers(candidate.contract, candidate.dialect)[said.field]
    spellings = field.lookup
    for place, heading in enumerate(headings):
        text = heading
        if said.pattern:
            found = re.search(said.pattern, heading)
            text = found[found.lastindex or 0] if found else ""
        try:
            value = read(text) if text else None
        except Unreadable:
            continue
        is_code = not spellings or value in spellings.values()
        if value is not None and is_code and (field.type != "string" or spellings or _fits(field.pattern, value)):
            yield place, heading, text


def _fits(pattern: str | None, value: str) -> bool:
    return bool(pattern and re.search(pattern, value))


def formed(sheet: Sheet) -> Sheet:
    """A form as a table: the first text of each row is a heading, and the text beside it is its value."""
    found = [(n, pair) for row, n in zip(sheet.rows, sheet.numbers(), strict=True) if (pair := labelled(row))]
    first = found[0][0] if found else 1
    columns = [pa.chunked_array([pa.array(pair, pa.string()).dictionary_encode()]) for _, pair in found]
    numbers = pa.chunked_array([pa.array([first, first], pa.int64())])
    names = ["row", *map(str, range(1, len(columns) + 1))]
    return Sheet(pa.table([numbers, *columns], names=names), sheet.name, sheet.hidden, file=sheet.file)
