"""XML Spreadsheet 2003, which report servers and some systems save under the name of a workbook."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from xml.sax.handler import ContentHandler, feature_namespaces
from xml.sax.xmlreader import AttributesNSImpl

from defusedxml.sax import make_parser

from strike_reporting.judging.problems import Rejected, damaged
from strike_reporting.judging.reading.build import WIDEST, TableBuilder
from strike_reporting.judging.reading.document import NEVER_CALCULATED, RAISED, Sheet
from strike_reporting.judging.reading.limits import Limits, sheet_title
from strike_reporting.judging.reading.merging import Merged

_SPACE = "urn:schemas-microsoft-com:office:spreadsheet"
_MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)T00:00:00(?:\.0*)?$")
_PIECE = 1 << 20
_DEEPEST = 100


def read(data: bytes, limits: Limits) -> Iterator[Sheet]:
    """Every worksheet, hidden ones marked.

    Raises:
        Rejected: damaged, or beyond the limits.
    """
    book, parser = _Book(limits), make_parser()
    parser.setFeature(feature_namespaces, True)
    parser.setContentHandler(book)
    source = io.BytesIO(data)
    said, fix = "the file is an XML spreadsheet that is cut short or damaged", "Open it in Excel, save it as .xlsx"
    with damaged(said, f"{fix} and send that."):
        while piece := source.read(_PIECE):
            parser.feed(piece)
        parser.close()
    yield from book.sheets()


class _Book(ContentHandler):
    """The worksheets while their elements come."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self.limits = limits
        self._done: list[tuple[str, TableBuilder, Merged]] = []
        self._hidden: list[bool] = []
        self._cells = limits.max_workbook_cells
        self._depth = self._number = self._column = self._next = self._skip = 0
        self._row: dict[int, str] = {}
        self._said: list[str] | None = None
        self._raised = self._struck = 0
        self._size = self._down = self._across = 0
        self._kind, self._formula, self._value = "", False, ""

    def sheets(self) -> Iterator[Sheet]:
        """The sheets, when all was read."""
        for (name, built, merged), hidden in zip(self._done, self._hidden, strict=True):
            yield Sheet(built.table(), name, hidden, merged=merged.numbers)

    def startElementNS(self, name: tuple[str | None, str], qname: str | None, attrs: AttributesNSImpl) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Rejected("file_damaged", "the file's elements are nested far too deep", "Save it as .xlsx.")
        tag = name[1] if name[0] == _SPACE else ""
        given = {k: v for (space, k), v in attrs.items() if space == _SPACE}
        if tag == "Worksheet":
            number = len(self._done) + 1
            self.limits.check_sheets(number)
            title = sheet_title(given.get("Name", ""), number)
            built = TableBuilder(title, self.limits, self._cells)
            self._done.append((given.get("Name", ""), built, Merged(title)))
            self._hidden.append(False)
            self._number = self._skip = 0
        elif not self._done:
            return
        elif tag == "Row":
            self._number = _whole(given.get("Index"), self._number + 1 + self._skip)
            self._skip, self._row, self._next = _whole(given.get("Span"), 0), {}, 0
        elif tag == "Cell":
            self._column = _whole(given.get("Index"), self._next + 1) - 1
            self._across, self._down = _whole(given.get("MergeAcross"), 0), _whole(given.get("MergeDown"), 0)
            self._next = self._column + 1 + self._across
            self._formula, self._kind, self._value = bool(given.get("Formula")), "", ""
        elif tag == "Data":
            self._kind, self._said, self._size = given.get("Type", ""), [], 0
        self._mark(name[1], 1)

    def _mark(self, tag: str, by: int) -> None:
        """What is raised in a cell is a footnote, and what is struck out is not said."""
        if self._said is not None:
            self._raised += by * (tag == "Sup")
            self._struck += by * (tag in ("S", "Del"))

    def characters(self, content: str) -> None:
        if self._said is not None and not self._struck:
            self._said.append(content.translate(RAISED) if self._raised else content)
            self._size += len(content)
            if self._size > self.limits.max_cell_characters:
                raise self.limits.long_cell(self._number)

    def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:
        self._depth -= 1
        tag = name[1]
        self._mark(tag, -1)
        if tag == "Data" and self._said is not None:
            self._value, self._said = "".join(self._said), None
        elif tag == "Cell" and self._done and name[0] == _SPACE:
            self._end_cell()
        elif tag == "Row" and self._done and name[0] == _SPACE:
            self._end_row()
        elif tag == "Visible" and self._done:
            self._hidden[-1] = True
        elif tag == "Worksheet" and self._done:
            built = self._done[-1][1]
            self._cells = max(self._cells - built.rows * built.width, 0)

    def _end_cell(self) -> None:
        value = _read(self._kind, self._value)
        if not value and self._formula and not self._kind:
            value = NEVER_CALCULATED
        if not value or value.isspace():
            return
        _, built, merged = self._done[-1]
        if self._number > self.limits.max_rows or self._column >= WIDEST:
            where = f"row {self._number:,} and column {self._column + 1:,}"
            raise self.limits.far(built.name, where, self._number, self._column + 1)
        self._row[self._column] = value
        if self._down and self._kind != "Number":
            merged.begin(self._column, self._number, self._number + self._down, value)

    def _end_row(self) -> None:
        _, built, merged = self._done[-1]
        width = max(*self._row, *merged.columns, -1, -1) + 1
        row = merged.filled(self._number, [self._row.get(c, "") for c in range(width)])
        built.add(self._number, row)


def _whole(said: str | None, otherwise: int) -> int:
    return int(said) if said and said.isascii() and said.isdigit() and len(said) < 16 else otherwise


def _read(kind: str, value: str) -> str:
    """A value as a CSV file would hold it."""
    if kind == "DateTime":
        value = value.strip()
        day = _MIDNIGHT.match(value)
        return day[1] if day else value.replace("T", " ").removesuffix(".000")
    if kind == "Boolean":
        return "yes" if value.strip() == "1" else "no"
    if kind == "Number":
        try:
            number = float(value)
        except ValueError:
            return value
        return str(int(number)) if number.is_integer() else value.strip()
    return value
