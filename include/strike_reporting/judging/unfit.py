"""Why no dialect fits a file, in words that its sender can act on."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from strike_reporting.extracts import slug
from strike_reporting.judging.problems import Rejected, shown
from strike_reporting.judging.reading.document import Document, Sheet
from strike_reporting.judging.rulebook import Candidate
from strike_reporting.settings import settings

_QUOTED_LINES = 20


def why_nothing_fits(
    document: Document, candidates: Sequence[Candidate], tried: Sequence[tuple[Candidate, Sheet]]
) -> Rejected:
    """It is empty, has not the sheet that is read, or comes nearest to a dialect but lacks some of its headings."""
    return (
        _nothing_in(document)
        or _lines_in_quotes(document)
        or (None if tried else _no_such_sheet(candidates))
        or _lacking(tried)
    )


def _nothing_in(document: Document) -> Rejected | None:
    """A file without a row on any sheet that its sender sees."""
    holding = [s for s in document.sheets if s.table.num_rows]
    if document.unread or any(not s.hidden for s in holding):
        return None
    if holding:
        return Rejected(
            "file_empty",
            "the sheets that can be seen are empty; what the file holds stands on hidden sheets, which are not read",
            "Unhide the sheet of the extract, save the workbook and send it again.",
        )
    return Rejected(
        "file_empty",
        "the file can be read, but holds no row: its sheets are empty",
        "Send the file again with its table. Pictures, charts and text boxes are not read. If there was nothing to "
        "report, send a row for each day with a count of 0.",
    )


def _lines_in_quotes(document: Document) -> Rejected | None:
    """A text each of whose lines is one quoted cell with the columns inside: a CSV that was saved as CSV once more."""
    sheet = next((s for s in document.whole if document.is_text), None)
    if sheet is None or any(len(row) != 1 or row[0].count(",") < 2 for row in sheet.head(_QUOTED_LINES)):
        return None
    return Rejected(
        "layout",
        "each line of the file is one text in double quotes, with its columns inside: it has a single column",
        "Export the table again, and send that as it is, without opening and saving it in between.",
    )


def _no_such_sheet(candidates: Sequence[Candidate]) -> Rejected | None:
    """A workbook none of whose sheets is called what the dialects say."""
    wanted = dict.fromkeys(n for c in candidates for n in ((c.dialect.sheet or ""), *c.dialect.sheets) if n)
    if not wanted:
        return None
    return Rejected(
        "sheet",
        f"no sheet that can be seen is called {' or '.join(map(repr, wanted))}, which is the one that is read",
        "Name the sheet so, or ask for the feed's dialect to read it by its new name (`sheet`).",
    )


def _lacking(tried: Sequence[tuple[Candidate, Sheet]]) -> Rejected:
    """Name the dialect that comes nearest, what it lacks, and the heading that looks like it."""
    best: tuple[float, str, str, int] | None = None
    sheets = {id(sheet): sheet for _, sheet in tried}
    tops = {key: list(_top(sheet)) for key, sheet in sheets.items()}  # once: it may have thousands of columns
    for candidate, sheet in tried:
        needed = candidate.needed
        if not needed:
            continue
        for row, headings, number in tops[id(sheet)]:
            lacking = [n for n, hs in needed.items() if not any(slug(h) in headings for h in hs)]
            share = 1 - len(lacking) / len(needed)
            if share == 0 or (best and share <= best[0]):
                continue
            spare = set(headings) - {slug(h) for c in candidate.dialect.columns.values() for h in c.header}
            hints = []
            for name in lacking:
                wanted = needed[name][0]
                near = difflib.get_close_matches(slug(wanted), sorted(spare), n=1, cutoff=0.5)
                hints.append(f"{wanted!r}" + (f" (nearest: {_heading(row, headings[near[0]])})" if near else ""))
            best = (share, candidate.dialect.id, ", ".join(hints), number)
    if best is None:
        return Rejected(
            "header",
            "none of the headings of any known dialect stands in the first rows",
            "Fill in the template: its first row holds the headings.",
        )
    if best[0] < 0.5:
        return Rejected(
            "header",
            f"no known dialect has the headings of this file; row {best[3]} has fewer than half of any",
            "Fill in the template, or ask for a dialect that maps the file (`strikes feed new`).",
            row=best[3],
        )
    return Rejected(
        "header",
        f"the file comes nearest to dialect {best[1]}, but its header (row {best[3]}) has no column {best[2]}",
        "Rename the column to the expected heading, or ask for a dialect that maps it.",
        row=best[3],
    )


def _top(sheet: Sheet) -> Iterator[tuple[list[str], dict[str, str], int]]:
    """The first rows: the cells of each, its headings by their folded text, and its number."""
    for row, number in zip(
        sheet.head(settings().header_within_rows), sheet.numbers(0, settings().header_within_rows), strict=False
    ):
        yield row, {slug(h): h for h in row if slug(h)}, number


def _heading(row: list[str], heading: str) -> str:
    """A heading by its text, or by its place when the text is withheld."""
    text = shown(heading)
    return f"column {row.index(heading) + 1}" if text.startswith("[withheld") else repr(text)
