"""Finding which dialect a file is written in, and where its header row is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from strike_reporting.extracts import Contract, slug
from strike_reporting.intake.dialects import Dialect
from strike_reporting.judging.problems import Problem, Rejected, shown
from strike_reporting.judging.reading.document import Document, Layout, Sheet
from strike_reporting.judging.rulebook import Candidate
from strike_reporting.settings import settings


@dataclass(frozen=True)
class Matched:
    """A sheet read by a dialect: `columns` gives each canonical (or wide) heading's position."""

    dialect: Dialect
    contract: Contract
    sheet: Sheet
    header: int  # index into sheet.rows
    columns: dict[str, int]
    wide: dict[str, int]
    nil: int | None
    extra: tuple[str, ...]

    @property
    def score(self) -> int:
        """How many of the file's columns the dialect explains, less those it does not."""
        return 100 * (len(self.columns) + len(self.wide) + (self.nil is not None)) - len(self.extra)


def layouts(candidates: Iterable[Candidate]) -> list[Layout]:
    """Every way in which the candidates would read delimited text, each once."""
    return list(dict.fromkeys(layout for c in candidates for layout in _layouts(c.dialect)))


def _layouts(dialect: Dialect) -> list[Layout]:
    return [Layout(dialect.encodings, delimiter) for delimiter in dialect.delimiters]


def match(document: Document, candidates: Iterable[Candidate]) -> Matched:
    """Read a file with the one dialect that fits it.

    Raises:
        Rejected: unreadable as text; no dialect's required headings are there (the nearest are named); or two
            dialects, sheets or columns fit equally well.
    """
    sheets, failure = _sheets(document, list(candidates))
    folded = {key: _folded(s) for key, s in {id(s): s for _, s in sheets}.items()}
    found = [hit for candidate, sheet in sheets if (hit := _first_fit(candidate, sheet, folded[id(sheet)]))]
    if not found:
        raise failure or _nothing_fits(sheets)
    best = max(m.score for m in found)
    first, *rest = [m for m in found if m.score == best]
    for other in rest:
        if other.dialect.id != first.dialect.id or other.sheet.name != first.sheet.name:
            raise Rejected(
                "ambiguous_layout",
                f"the file fits {_named(first)} and {_named(other)} equally well",
                "Ask for the feed to name its dialect; nothing is guessed.",
            )
    return first


def _named(m: Matched) -> str:
    return f"dialect {m.dialect.id}" + (f" on sheet {shown(m.sheet.name)!r}" if m.sheet.name else "")


def _sheets(document: Document, candidates: list[Candidate]) -> tuple[list[tuple[Candidate, Sheet]], Rejected | None]:
    """The sheets that each dialect would read, and why the first reading that failed did."""
    if not document.is_text:
        visible = document.visible
        wanted = [(c, slug(c.dialect.sheet) if c.dialect.sheet else None) for c in candidates]
        return [(c, s) for c, name in wanted for s in visible if name in (None, slug(s.name))], None
    pairs: list[tuple[Candidate, Sheet]] = []
    failure: Rejected | None = None
    for candidate in candidates:
        for layout in _layouts(candidate.dialect):
            found = document.under(layout)
            if isinstance(found, Sheet):
                pairs.append((candidate, found))
            elif found is not None:
                failure = failure or Rejected.of(found)
    if not pairs and failure is None:
        failure = Rejected("layout", "the file has no columns that a known dialect could read", "Fill in the template.")
    return pairs, failure


def _first_fit(candidate: Candidate, sheet: Sheet, folded: list[dict[str, list[int]]]) -> Matched | None:
    for index, positions in enumerate(folded):
        if all(any(h in positions for h in headings) for headings in candidate.needed_slugs):
            return _fit(candidate, sheet, index, positions)
    return None


def _folded(sheet: Sheet) -> list[dict[str, list[int]]]:
    """The first rows as headings: where each folded text stands."""
    found = []
    for row in sheet.head(settings().header_within_rows):
        positions: dict[str, list[int]] = {}
        for position, heading in enumerate(row):
            if slug(heading):
                positions.setdefault(slug(heading), []).append(position)
        found.append(positions)
    return found


def _fit(candidate: Candidate, sheet: Sheet, index: int, positions: dict[str, list[int]]) -> Matched:
    dialect, row = candidate.dialect, sheet.head(index + 1)[index]
    columns: dict[str, int] = {}
    for name, column in dialect.columns.items():
        places = [p for h in dict.fromkeys(map(slug, column.header)) for p in positions.get(h, ())]
        if len(places) > 1:
            heads = " and ".join(f"{shown(row[p])!r} (column {p + 1})" for p in places)
            raise Rejected(
                "ambiguous_column",
                f"two columns could be {name}: {heads}",
                "Keep one of them, or ask for the feed's dialect to say which to read.",
                row=sheet.numbers[index],
                column=shown(row[places[0]]),
            )
        if places:
            columns[name] = places[0]
    wide = {h: positions[slug(h)][0] for h in (dialect.unpivot.columns if dialect.unpivot else ())}
    nil = positions.get(slug(dialect.nil.header), [None])[0] if dialect.nil else None
    used = {*columns.values(), *wide.values(), nil}
    extra = tuple(h for p, h in enumerate(row) if h.strip() and p not in used)
    return Matched(dialect, candidate.contract, sheet, index, columns, wide, nil, extra)


def _nothing_fits(sheets: list[tuple[Candidate, Sheet]]) -> Rejected:
    """Name the dialect that comes nearest, what it lacks, and the heading that looks like it."""
    best: tuple[float, str, str, int] | None = None
    for candidate, sheet in sheets:
        dialect, needed = candidate.dialect, candidate.needed
        for index, row in enumerate(sheet.head(settings().header_within_rows)):
            headings = {slug(h): h for h in row if slug(h)}
            lacking = [n for n, hs in needed.items() if not any(slug(h) in headings for h in hs)]
            share = 1 - len(lacking) / len(needed)
            if share == 0 or (best and share <= best[0]):
                continue
            spare = set(headings) - {slug(h) for c in dialect.columns.values() for h in c.header}
            hints = []
            for name in lacking:
                wanted = needed[name][0]
                near = difflib.get_close_matches(slug(wanted), sorted(spare), n=1, cutoff=0.5)
                hints.append(f"{wanted!r}" + (f" (nearest: {_heading(row, headings[near[0]])})" if near else ""))
            best = (share, dialect.id, ", ".join(hints), sheet.numbers[index])
    if best is None:
        return Rejected(
            "header",
            "no header row of any known dialect was found in the first rows",
            "Fill in the template: its first row holds the headings.",
        )
    return Rejected(
        "header",
        f"the file comes nearest to dialect {best[1]}, but its header (row {best[3]}) has no column {best[2]}",
        "Rename the column to the expected heading, or ask for a dialect that maps it.",
        row=best[3],
    )


def _heading(row: list[str], heading: str) -> str:
    """A heading by its text, or by its place when the text is withheld."""
    text = shown(heading)
    return f"column {row.index(heading) + 1}" if text.startswith("[withheld") else repr(text)


def extra_columns(matched: Matched) -> list[Problem]:
    """A warning for each column that nothing maps: it is dropped."""
    row = matched.sheet.numbers[matched.header]
    known = [f for f in matched.contract.field_names if f not in matched.columns]
    found = []
    header = matched.sheet.rows[matched.header]
    for heading in matched.extra:
        near = difflib.get_close_matches(slug(heading), known, n=1, cutoff=0.7)
        hint = f"If it is {near[0]}, rename it so." if near else "Remove it, or ask for a dialect that maps it."
        message = "this column is not in the contract and was dropped"
        column = f"{header.index(heading) + 1}: {shown(heading)}"
        found.append(Problem("extra_column", "warning", message, hint, row=row, column=column))
    return found
