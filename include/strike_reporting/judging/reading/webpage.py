"""Tables of a web page, as report servers save them under a workbook's name: each table is a sheet.

A cell over several rows stands in each of them and one over several columns in the first, like merged cells. A table
in another one's cell is a table of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from strike_reporting.judging.problems import Rejected
from strike_reporting.judging.reading import text
from strike_reporting.judging.reading.build import WIDEST, TableBuilder
from strike_reporting.judging.reading.document import RAISED, Sheet
from strike_reporting.judging.reading.limits import Limits
from strike_reporting.judging.reading.merging import Merged

_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset=[\"']?\s*([\w-]+)", re.IGNORECASE)
_DIGITS = re.compile(r"\s*([0-9]{1,12})")
_SPACE = re.compile(r"[\s\xa0]+")
_ROWS, _COLUMNS = 65_534, 1_000  # what HTML lets a cell reach over
_DEEPEST = 50
_UNSEEN = frozenset({"script", "style"})
_STRUCK, _CELL = frozenset({"del", "s", "strike"}), frozenset({"table", "tr", "td", "th"})


def read(data: bytes, limits: Limits) -> Iterator[Sheet]:
    """Every table that holds anything, in the order in which they begin.

    Raises:
        Rejected: no table does, or they are beyond the limits.
    """
    page = _Page(limits)
    page.feed(_decoded(data))
    page.close()
    page.end()
    tables = sorted(page.tables, key=lambda t: t.place)
    if not tables:
        raise Rejected(
            "file_kind",
            "this is a web page without a table: a page to sign in on, say, or an error message",
            "Send the extract itself, as a CSV file or an Excel workbook (.xlsx).",
        )
    limits.check_sheets(len(tables))
    for number, table in enumerate(tables, start=1):
        yield Sheet(table.built.table(), f"Table {number}", merged=table.merged.numbers)


def _decoded(data: bytes) -> str:
    """By its mark, else as it declares itself, else UTF-8, else Windows-1252: what the standard for pages says."""
    said = _CHARSET.search(data[:4_000])
    declared = text.marked(data) or text.unmarked_utf_16(data) or (said[1].decode() if said else "utf-8")
    for encoding in (declared, "utf-8"):
        try:
            return data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode("cp1252", errors="replace")


class _Table:
    """A table while its rows come."""

    def __init__(self, place: int, limits: Limits, cells: int) -> None:
        self.place, self.limits = place, limits
        name = f"table {place} of the page"
        self.built, self.merged = TableBuilder(name, limits, cells), Merged(name)
        self.number = 0
        self._row: dict[int, str] | None = None
        self._taken: dict[int, int] = {}  # by column, the last row that a cell from above covers
        self._column = 0
        self._cell: list[str] | None = None
        self._size = 0
        self._across, self._down = 1, 1

    def begin_row(self) -> None:
        self.end_row()
        self.number += 1
        self._row, self._column = {}, 0

    def begin_cell(self, attributes: dict[str, str | None]) -> None:
        self.end_cell()
        if self._row is None:
            self.begin_row()
        self._across = _span(attributes.get("colspan"), _COLUMNS)
        self._down = _span(attributes.get("rowspan"), _ROWS)
        self._cell, self._size = [], 0

    def add(self, said: str) -> None:
        if self._cell is not None:
            self._cell.append(said)
            self._size += len(said)
            if self._size > 20 * self.limits.max_cell_characters:  # with what is only layout
                raise self.limits.long_cell(self.number)

    def end_cell(self) -> None:
        if self._cell is None or self._row is None:
            return
        said, self._cell = _SPACE.sub(" ", "".join(self._cell)).strip(), None
        if len(said) > self.limits.max_cell_characters:
            raise self.limits.long_cell(self.number)
        while self._taken.get(self._column, 0) >= self.number:
            self._column += 1
        last = self.number + self._down - 1
        self._row[self._column] = said
        if last > self.number:
            for column in range(self._column, self._column + self._across):
                self._taken[column] = last
            if said:
                self.merged.begin(self._column, self.number, last, said)
        self._column += self._across
        if self._column > WIDEST:
            self.limits.check_shape(self.built.name, 1, self._column)

    def end_row(self) -> None:
        self.end_cell()
        if self._row is None:
            return
        row, self._row = self._row, None
        width = max(self._column, *(column + 1 for column in self.merged.columns), 0)
        self.built.add(self.number, self.merged.filled(self.number, [row.get(c, "") for c in range(width)]))
        if self.number > self.limits.max_rows:
            self.limits.check_extent(self.built.name, self.number, 0, 0)


class _Page(HTMLParser):
    def __init__(self, limits: Limits) -> None:
        super().__init__(convert_charrefs=True)
        self.limits = limits
        self.tables: list[_Table] = []
        self._open: list[_Table] = []
        self._begun = self._unseen = self._raised = self._struck = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        table = self._open[-1] if self._open else None
        self._mark(tag, 1)
        if tag == "table":
            if len(self._open) == _DEEPEST:
                found = f"the page has tables in tables, more than {_DEEPEST} deep"
                raise Rejected("file_damaged", found, "Open it in Excel, save it as .xlsx and send that.")
            self._begun += 1
            left = self.limits.max_workbook_cells - sum(
                t.built.rows * t.built.width for t in (*self.tables, *self._open)
            )
            self._open.append(_Table(self._begun, self.limits, max(left, 0)))
        elif table and tag == "tr":
            table.begin_row()
        elif table and tag in ("td", "th"):
            table.begin_cell(dict(attrs))
        elif table and tag in ("br", "p", "div"):
            table.add(" ")
        if tag in _UNSEEN:
            self._unseen += 1

    def handle_endtag(self, tag: str) -> None:
        table = self._open[-1] if self._open else None
        self._mark(tag, -1)
        if tag in _UNSEEN:
            self._unseen = max(self._unseen - 1, 0)
        elif table and tag == "table":
            self._close()
        elif table and tag == "tr":
            table.end_row()
        elif table and tag in ("td", "th"):
            table.end_cell()

    def _mark(self, tag: str, by: int) -> None:
        """What is raised is a footnote, and what is struck out is not said; neither goes on into another cell."""
        if tag in _CELL:
            self._raised = self._struck = 0
        self._raised = max(self._raised + by * (tag == "sup"), 0)
        self._struck = max(self._struck + by * (tag in _STRUCK), 0)

    def handle_data(self, data: str) -> None:
        if self._open and not self._unseen and not self._struck:
            self._open[-1].add(data.translate(RAISED) if self._raised else data)

    def end(self) -> None:
        """What is still open at the end is closed."""
        while self._open:
            self._close()

    def _close(self) -> None:
        table = self._open.pop()
        table.end_row()
        if table.built.rows:
            self.tables.append(table)
            self.limits.check_sheets(len(self.tables))


def _span(said: str | None, most: int) -> int:
    digits = _DIGITS.match(said or "")
    return min(max(int(digits[1]), 1), most) if digits else 1
