"""How far the sheets of an XLSX or ODS workbook reach, found in its XML before the parser allocates them.

The parser makes a dense range up to the last cell with a value, whatever lies between: one value in XFD1048576 asks
for 512 GiB. What a sheet says of its own size is not believed. The XML is passed through in pieces, never held.
A file made so that this look is misled still meets the worker's limits.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring

from strike_reporting.judging.problems import Rejected
from strike_reporting.judging.reading.limits import Limits, sheet_title

_PIECE = 1 << 20
_LONGEST_TAG = 1 << 20
_SMALL_PART = 20_000_000  # the list of sheets; an honest one has some kilobytes
_SMALLEST_TEXT = len("<si/>")
_REF = re.compile(rb' r="([A-Za-z]+)\d')
_ROW = re.compile(rb'<(?:\w+:)?row [^>]*?\br="(\d+)"')
_VALUED = re.compile(rb'<(?:\w+:)?c [^>]*?\br="([A-Za-z]+)(\d+)"[^>]*(?<!/)>(?!</)')
_CELL = re.compile(rb"<(?:\w+:)?c[\s>]")
_COUNT = re.compile(rb'<(?:\w+:)?sst\b[^>]*?\buniqueCount="(\d+)"')
_ODS = re.compile(rb"<(/?)table:(table|table-row|table-cell|covered-table-cell)(?=[\s/>])([^>]*)>")
_ODS_REPEAT = re.compile(rb'\btable:number-(?:rows|columns)-repeated="(\d+)"')
_ODS_VALUE = re.compile(rb"\b(?:office:value-type|table:formula)=")
_ODS_NAME = re.compile(rb'\btable:name="([^"]*)"')


def check_xlsx(data: bytes, limits: Limits) -> None:
    """Look at every worksheet.

    Raises:
        Rejected: a sheet reaches further than the limits, all together hold too many cells, or the list of
            texts claims more than it can hold.
    """
    cells = limits.max_workbook_cells
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        parts = {e.filename.lower(): e for e in book.infolist()}  # as the parser looks them up
        texts = parts.get("xl/sharedstrings.xml")
        if texts:
            with book.open(texts) as stream:
                claimed = _COUNT.search(stream.read(10_000))
            if claimed and int(claimed[1]) > texts.file_size // _SMALLEST_TEXT:
                raise lying(f"its list of texts claims {int(claimed[1]):,} of them")
        sheets = list(_worksheets(book, parts))
        limits.check_sheets(len(sheets))
        for number, (name, part) in enumerate(sheets, start=1):
            if part in parts:
                cells -= _sheet(book, parts[part], sheet_title(name, number), cells, limits)


def _sheet(book: zipfile.ZipFile, part: zipfile.ZipInfo, name: str, cells: int, limits: Limits) -> int:
    """How many cells a sheet's range has."""
    letters: set[bytes] = set()
    height = tags = 0
    for piece in _pieces(book, part):
        letters.update(_REF.findall(piece))
        rows = _ROW.findall(piece)
        tags += piece.count(b"<row") + piece.count(b":row")
        height = max(height, *map(int, rows[-1:]), *(int(r) for r in rows if len(r) > 6), 0)
    width, height = max(map(_column, letters), default=0), max(height, tags)
    if height > limits.max_rows or width > limits.max_columns or height * width > cells:
        # Formatted cells without a value stand in the XML too, often far out; the parser leaves them out.
        height, width = _valued(book, part, name, limits)
        limits.check_shape(name, height, width, cells)
    return height * width


def _valued(book: zipfile.ZipFile, part: zipfile.ZipInfo, name: str, limits: Limits) -> tuple[int, int]:
    height = width = 0
    known: dict[bytes, int] = {}
    for piece in _pieces(book, part):
        for letters, digits in _VALUED.findall(piece):
            if letters not in known:
                known[letters] = _column(letters)
            row, column = int(digits), known[letters]
            if row > limits.max_rows or column > limits.max_columns:
                raise limits.far(name, f"cell {letters.decode().upper()[:10]}{row}", row, column)
            height, width = max(height, row), max(width, column)
    return height, width


def check_ods(data: bytes, limits: Limits) -> None:
    """Look at every table of an ODS file, with its repeated rows and columns.

    Raises:
        Rejected: as for `check_xlsx`.
    """
    cells = limits.max_workbook_cells
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        name, tables, row, column, valued, height, width = "", 0, 0, 0, 0, 0, 0
        for piece in _pieces(book, book.getinfo("content.xml")):
            for closing, kind, attributes in _ODS.findall(piece):
                count = _ODS_REPEAT.search(attributes)
                if kind == b"table" and not closing:
                    found = _ODS_NAME.search(attributes)
                    name = sheet_title(found[1].decode(errors="replace") if found else "", tables + 1)
                    row = height = width = 0
                elif kind == b"table":
                    limits.check_shape(name, height, width, cells)
                    cells, tables = cells - height * width, tables + 1
                    limits.check_sheets(tables)
                elif kind == b"table-row" and not closing:
                    row, column, valued = row + (int(count[1]) if count else 1), 0, 0
                if kind == b"table-row" and (closing or attributes.endswith(b"/")):
                    if valued:
                        height, width = row, max(width, valued)
                elif kind.endswith(b"cell") and not closing:
                    column += int(count[1]) if count else 1
                    if _ODS_VALUE.search(attributes):
                        valued = column
                        if row > limits.max_rows or column > limits.max_columns:
                            raise limits.far(name, f"row {row:,} and column {column:,}", row, column)


def _pieces(book: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """A part's XML in pieces that end before a tag."""
    with book.open(part) as stream:
        rest = b""
        while piece := stream.read(_PIECE):
            piece = rest + piece
            cut = max(piece.rfind(b"<"), 0)
            before = max(piece.rfind(b"<", 0, cut), 0)
            if _CELL.match(piece, before):  # whether it has a value shows in the tag after it
                cut = before
            rest = piece[cut:]
            if len(rest) > _LONGEST_TAG:
                if b">" not in rest:
                    raise lying("a tag of it has no end")
                cut = len(piece)  # a long text: no tag is cut
                rest = b""
            yield piece[:cut]
        yield rest


def _worksheets(book: zipfile.ZipFile, parts: dict[str, zipfile.ZipInfo]) -> Iterator[tuple[str, str]]:
    """Each worksheet's name and the part that holds it; a chart on a sheet of its own is none."""
    links = {e.get("Id", ""): e for e in _tree(book, parts["xl/_rels/workbook.xml.rels"])}
    for element in _tree(book, parts["xl/workbook.xml"]).iter():
        if element.tag.rpartition("}")[2] == "sheet":
            link = next((v for k, v in element.items() if k.rpartition("}")[2] == "id"), "")
            if link not in links or links[link].get("Type", "").endswith("/chartsheet"):
                continue
            target = posixpath.join("/xl", links[link].get("Target", ""))
            yield element.get("name", ""), posixpath.normpath(target).lstrip("/").lower()


def _tree(book: zipfile.ZipFile, part: zipfile.ZipInfo) -> Element:
    if part.file_size > _SMALL_PART:
        raise lying("its list of sheets is far too long")
    found: Element = fromstring(book.read(part))
    return found


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper()[:10]:
        number = number * 26 + letter - 64
    return number


def lying(how: str) -> Rejected:
    """The refusal of a workbook that claims what it cannot hold."""
    found = f"the workbook contradicts itself: {how}"
    return Rejected("file_damaged", found, "Open it in Excel, save it under a new name and send that.")
