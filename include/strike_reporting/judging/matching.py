"""Finding which dialect a file is written in, and where its header row is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from strike_reporting.extracts import load, slug
from strike_reporting.intake.registry import Dialect, dialects
from strike_reporting.judging.problems import Problem, Rejected, shown
from strike_reporting.judging.reading import Sheet, columnar, text, workbook
from strike_reporting.judging.reading.archive import unwrap

HEADER_WITHIN = 40


@dataclass(frozen=True)
class Matched:
    """A sheet read by a dialect: `columns` gives each canonical (or wide) heading's position."""

    dialect: Dialect
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


def match(data: bytes, candidates: Iterable[Dialect]) -> Matched:
    """Read a file with the one dialect that fits it.

    Raises:
        Rejected: unreadable; no dialect's required headings are there (the nearest are named); or two
            dialects, sheets or columns fit equally well.
    """
    candidates = list(candidates)
    sheets = _sheets(data, candidates)
    folded = {id(s): _folded(s) for _, s in sheets}
    found = [hit for dialect, sheet in sheets if (hit := _first_fit(dialect, sheet, folded[id(sheet)]))]
    if not found:
        raise _nothing_fits(sheets)
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


def _sheets(data: bytes, candidates: list[Dialect]) -> list[tuple[Dialect, Sheet]]:
    data, found = unwrap(data)
    if found != "csv":
        sheets = [columnar.read(data)] if found == "parquet" else workbook.read(data)
        return [(d, s) for d in candidates for s in sheets if d.sheet is None or slug(d.sheet) == slug(s.name)]
    pairs, parsed, failures = [], {}, []
    decoded: dict[tuple[str, ...], str | Rejected] = {}
    for dialect in candidates:
        if dialect.encodings not in decoded:
            try:
                decoded[dialect.encodings] = text.decode(data, dialect.encodings)
            except Rejected as rejected:
                decoded[dialect.encodings] = rejected
        body = decoded[dialect.encodings]
        if isinstance(body, Rejected):
            failures.append(body)
            continue
        for delimiter in dialect.delimiters:
            if delimiter not in body:
                continue
            key = (body, delimiter)
            if key not in parsed:
                try:
                    parsed[key] = text.read(body, delimiter)
                except Rejected as rejected:
                    failures.append(rejected)
                    continue
            pairs.append((dialect, parsed[key]))
    if not pairs and failures:
        raise failures[0]
    if not pairs or (failures and not any(_first_fit(d, s, _folded(s)) for d, s in pairs)):
        if failures:
            raise failures[0]
        raise Rejected("layout", "the file has no columns that a known dialect could read", "Fill in the template.")
    return pairs


def every_sheet(data: bytes) -> list[Sheet]:
    """Whatever a file holds, hidden sheets too, for the patient-data guard; nothing when it cannot be read at all."""
    try:
        data, found = unwrap(data)
        if found == "parquet":
            return [columnar.read(data)]
        if found != "csv":
            return workbook.read(data, hidden=True)
        body = text.decode(data, ("cp1252", "latin-1"))
        first = body[:20_000]
        return [text.read(body, max(",;\t|", key=first.count))]
    except Rejected:
        return []


def _first_fit(dialect: Dialect, sheet: Sheet, folded: list[dict[str, list[int]]]) -> Matched | None:
    needed = _needed_slugs(dialect.id)
    for index, positions in enumerate(folded):
        if all(any(h in positions for h in headings) for headings in needed):
            return _fit(dialect, sheet, index, positions)
    return None


def _folded(sheet: Sheet) -> list[dict[str, list[int]]]:
    """The first rows as headings: where each folded text stands."""
    found = []
    for row in sheet.rows[:HEADER_WITHIN]:
        positions: dict[str, list[int]] = {}
        for position, heading in enumerate(row):
            if slug(heading):
                positions.setdefault(slug(heading), []).append(position)
        found.append(positions)
    return found


@cache
def _needed_slugs(dialect_id: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(map(slug, h)) for h in _needed(dialects()[dialect_id]).values())


def _needed(dialect: Dialect) -> dict[str, tuple[str, ...]]:
    """Canonical field (or wide heading) to the headings that may stand for it; only those that must be there."""
    required = load(dialect.extract).required
    needed = {n: c.header for n, c in dialect.columns.items() if n in required or n == "ods_code"}
    if dialect.unpivot:
        needed |= {h: (h,) for h in dialect.unpivot.columns}
    return needed


def _fit(dialect: Dialect, sheet: Sheet, index: int, positions: dict[str, list[int]]) -> Matched:
    row = sheet.rows[index]
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
    return Matched(dialect, sheet, index, columns, wide, nil, extra)


def _nothing_fits(sheets: list[tuple[Dialect, Sheet]]) -> Rejected:
    """Name the dialect that comes nearest, what it lacks, and the heading that looks like it."""
    best: tuple[float, str, str, int] | None = None
    for dialect, sheet in sheets:
        needed = _needed(dialect)
        for index, row in enumerate(sheet.rows[:HEADER_WITHIN]):
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
    known = [f for f in load(matched.dialect.extract).field_names if f not in matched.columns]
    found = []
    header = matched.sheet.rows[matched.header]
    for heading in matched.extra:
        near = difflib.get_close_matches(slug(heading), known, n=1, cutoff=0.7)
        hint = f"If it is {near[0]}, rename it so." if near else "Remove it, or ask for a dialect that maps it."
        message = "this column is not in the contract and was dropped"
        column = f"{header.index(heading) + 1}: {shown(heading)}"
        found.append(Problem("extra_column", "warning", message, hint, row=row, column=column))
    return found
