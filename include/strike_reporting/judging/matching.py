"""Finding which dialect a file is written in, and the tables that it holds."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from strike_reporting.extracts import Contract, slug
from strike_reporting.judging.columns import Codes, Column
from strike_reporting.judging.headings import Fit, fits, formed
from strike_reporting.judging.problems import Problem, Rejected, shown
from strike_reporting.judging.reading.document import Document, Layout, Sheet
from strike_reporting.judging.rulebook import Candidate
from strike_reporting.judging.unfit import why_nothing_fits

if TYPE_CHECKING:
    from strike_reporting.intake.dialects import Dialect


@dataclass(frozen=True)
class Matched(Fit):
    """A table of a sheet, read by a dialect.

    spans: the rows below its headings, as pairs of indexes, without where these are repeated. begins: where what stands
    above it begins. titles: the rows of text right above it. origin: the sheet as it was read, where `sheet` is a form
    made into a table.
    """

    dialect: Dialect
    contract: Contract
    sheet: Sheet
    origin: Sheet
    spans: tuple[tuple[int, int], ...]
    begins: int
    titles: tuple[int, int]
    is_declared: bool  # the dialect says that it belongs with the others
    place: str = ""  # the sheet or the archive's file that it stands in, where there are several

    @property
    def below(self) -> Codes | slice:
        """The places of the rows below its headings."""
        if len(self.spans) == 1:
            return slice(*self.spans[0])
        return np.concatenate([np.arange(start, end) for start, end in self.spans])

    @cached_property
    def cells(self) -> list[Column]:
        """The texts of those rows, by column."""
        return [column.taken(self.below) for column in self.sheet.columns]

    @property
    def typed_rows(self) -> int:
        """The most rows that it can become: those of a wide table count under each of its headings, a nil's by part."""
        nil = self.dialect.nil
        times = max(len(self.wide), len(nil.rows) if nil else 0, 1)
        return times * sum(end - start for start, end in self.spans)

    def forget(self) -> None:
        """Its cells are needed no more: of a million rows they take as much as what they become."""
        self.__dict__.pop("cells", None)
        self.sheet.forget()

    @property
    def filled(self) -> dict[int, str]:
        """The columns that are read, by place: the field that each fills; empty for the mark that there was nothing."""
        unpivot = self.dialect.unpivot
        wide = {place: unpivot.value for place in self.wide.values()} if unpivot else {}
        mark = {} if self.nil is None else {self.nil: ""}
        return {**mark, **wide, **{place: name for name, place in self.columns.items()}}


def layouts(candidates: Iterable[Candidate]) -> list[Layout]:
    """Every way in which the candidates would read delimited text, each once."""
    return list(dict.fromkeys(layout for c in candidates for layout in _layouts(c.dialect)))


@lru_cache(maxsize=500)
def _layouts(dialect: Dialect) -> tuple[Layout, ...]:
    return tuple(Layout(dialect.encodings, delimiter) for delimiter in dialect.delimiters)


def match(document: Document, candidates: Iterable[Candidate]) -> list[Matched]:
    """The tables of a file, each with the one dialect that fits its sheet.

    Raises:
        Rejected: unreadable as text; no dialect's required headings are there (the nearest are named); or two
            dialects or columns fit equally well.
    """
    known = list(candidates)
    every = frozenset(heading for c in known for heading in c.wanted)
    found: list[Matched] = []
    tried: list[tuple[Candidate, Sheet]] = []
    failure: Rejected | None = None
    for file in document.files:
        pairs, failed = _sheets(file, known)
        failure = failure or failed
        tried += pairs
        of_sheet: dict[int, list[tuple[Candidate, Sheet, list[Fit]]]] = {}
        for candidate, sheet in pairs:
            if hits := fits(candidate, sheet, every):
                key = 0 if file.is_text else id(sheet)  # a text's sheets are readings of the same characters
                of_sheet.setdefault(key, []).append((candidate, sheet, hits))
        for hits_of_one in of_sheet.values():
            found += _tables(*_best(hits_of_one))
    if not found:
        raise failure or why_nothing_fits(document, known, tried)
    places = _places(document)
    return [replace(t, place=places.get((t.sheet.file, t.sheet.name), "")) for t in found]


def _places(document: Document) -> dict[tuple[str, str], str]:
    """What to call each sheet of several: by its name, but by its number where the name may be about a person."""
    files = document.files
    named: dict[tuple[str, str], str] = {}
    for n, file in enumerate(files, start=1):
        sheets = [s for s in file.sheets if s.name]
        for m, sheet in enumerate(sheets or file.sheets[:1], start=1):
            words = [_called(sheet.file.rpartition("/")[2], f"file {n}")] if len(files) > 1 else []
            words += [_called(sheet.name, f"sheet {m}")] if len(sheets) > 1 else []
            named[(sheet.file, sheet.name)] = ": ".join(words)
    return named


def _called(name: str, otherwise: str) -> str:
    text = shown(name)
    return otherwise if text.startswith("[withheld") else text


def unread(document: Document, tables: list[Matched]) -> list[Problem]:
    """A warning for each sheet that has the headings of a table that is read, and is not read itself."""
    read = {id(t.origin) for t in tables}
    found = []
    for file in document.files:
        for number, sheet in enumerate(() if file.is_text else file.sheets, start=1):
            if id(sheet) in read:
                continue
            for table in {t.dialect.id: t for t in tables}.values():
                if fits(Candidate(table.dialect, table.contract), sheet):
                    hidden = "a hidden sheet" if sheet.hidden else "a sheet"
                    message = f"{hidden} ({number}: {shown(sheet.name)!r}) has the same headings and was not read"
                    fix = "Remove it, or ask for the feed's dialect to read it (`sheets`)."
                    found.append(Problem("sheet_not_read", "warning", message, fix))
                    break
    return found


def _sheets(file: Document, candidates: list[Candidate]) -> tuple[list[tuple[Candidate, Sheet]], Rejected | None]:
    """The sheets that each dialect would read, and why the first reading that failed did."""
    if not file.is_text:
        return [(c, s) for c in candidates for s in file.visible if _is_wanted(c.dialect, s)], None
    pairs: list[tuple[Candidate, Sheet]] = []
    failure: Rejected | None = None
    for candidate in candidates:
        for layout in _layouts(candidate.dialect):
            found = file.under(layout)
            if isinstance(found, Sheet):
                pairs += [(candidate, found)] if _is_wanted(candidate.dialect, found) else []
            elif found is not None:
                failure = failure or Rejected.of(found)
    if not pairs and failure is None:
        failure = Rejected(
            "layout",
            "the file is text without columns: none of the marks that a known dialect parts them by stands in it",
            "Fill in the template, or save the table as CSV: columns set apart by spaces are not read. If there was "
            "nothing to report, send a row for each day with a count of 0.",
        )
    return pairs, failure


def _is_wanted(dialect: Dialect, sheet: Sheet) -> bool:
    if dialect.sheet and sheet.name:
        return slug(dialect.sheet) == slug(sheet.name)
    names = [n.casefold() for n in (sheet.name, sheet.file.rpartition("/")[2]) if n]
    return not (dialect.sheets and names) or any(fnmatch(n, p.casefold()) for n in names for p in dialect.sheets)


def _best(found: list[tuple[Candidate, Sheet, list[Fit]]]) -> tuple[Candidate, Sheet, list[Fit]]:
    """The one reading that explains most of a sheet's columns.

    Raises:
        Rejected: two dialects do equally well, or two of different extracts fit: headings that they share do not
            say which is meant.
    """
    best = max(hits[0].score for _, _, hits in found)
    first, *rest = [f for f in found if f[2][0].score == best]
    others = [*rest, *(f for f in found if f[0].contract.name != first[0].contract.name)]
    for candidate, sheet, _ in others:
        if candidate.dialect.id != first[0].dialect.id:
            place = f" on sheet {shown(sheet.name)!r}" if sheet.name else ""
            raise Rejected(
                "ambiguous_layout",
                f"the file fits dialect {first[0].dialect.id} and dialect {candidate.dialect.id}{place}",
                "Ask for the feed to name its dialect; nothing is guessed.",
            )
    return first


def _tables(candidate: Candidate, sheet: Sheet, hits: list[Fit]) -> Iterator[Matched]:
    """The tables of a sheet. One whose headings are repeated, with nothing but blank rows before, goes on."""
    dialect, origin = candidate.dialect, sheet
    if dialect.form:
        sheet = formed(sheet)
    ends = [*(h.first for h in hits[1:]), sheet.table.num_rows]
    found: list[Matched] = []
    above = 0
    for hit, end in zip(hits, ends, strict=True):
        start = hit.header + 1
        top = hit.first
        while top > above and _is_text(sheet.between(top - 1, top)[0]):
            top -= 1
        has_title = any(_says_something(r) for r in sheet.between(top, hit.first))
        if found and hit.headings == found[-1].headings and not has_title:
            found[-1] = replace(found[-1], spans=(*found[-1].spans, (start, end)))
        else:
            if found:  # its titles are no rows of the table above
                *before, (began, _) = found[-1].spans
                found[-1] = replace(found[-1], spans=(*before, (began, max(top, began))))
            found.append(
                Matched(
                    **vars(hit),
                    dialect=dialect,
                    contract=candidate.contract,
                    sheet=sheet,
                    origin=origin,
                    spans=((start, end),),
                    begins=top if found else 0,
                    titles=(top, hit.first),
                    is_declared=bool(dialect.sheets) or dialect.tables == "together",
                )
            )
        above = start
    yield from found


_PAGES = frozenset({"page", "printed", "continued", "generated"})  # how what a page says of itself begins


def _is_text(row: list[str]) -> bool:
    """Whether a row above a table may be its title: a text or two, or nothing."""
    filled = [c for c in row if c.strip()]
    return len(filled) <= 2 and not any(c.strip().isdigit() for c in filled)


def _says_something(row: list[str]) -> bool:
    words = [slug(c) for c in row if slug(c)]
    return bool(words) and words[0].partition("_")[0] not in _PAGES


def extra_columns(matched: Matched) -> list[Problem]:
    """A warning for each column that nothing maps: it is dropped."""
    row = matched.sheet.number(matched.header)
    known = [f for f in matched.contract.field_names if f not in matched.columns]
    harmless = {slug(h) for h in matched.dialect.ignored}
    found = []
    for heading in matched.extra:
        if slug(heading) in harmless:
            continue
        near = difflib.get_close_matches(slug(heading), known, n=1, cutoff=0.7)
        hint = f"If it is {near[0]}, rename it so." if near else "Remove it, or ask for a dialect that maps it."
        message = "this column is not in the contract and was dropped"
        column = f"{matched.headings.index(heading) + 1}: {shown(heading)}"
        found.append(Problem("extra_column", "warning", message, hint, row=row, column=column))
    return found
