"""How far the tables of an ODS file reach, with their repeated rows and columns, and what of them needs mending."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator

from strike_reporting.judging.reading.document import NEVER_CALCULATED
from strike_reporting.judging.reading.extent import pieces
from strike_reporting.judging.reading.limits import Limits, sheet_title
from strike_reporting.judging.reading.package import PIECE

_STARTS = re.compile(rb"<table:table-(?:cell|row)[\s/>]")
_TAG = re.compile(rb"<(/?)table:(table|table-row|table-cell|covered-table-cell)(?=[\s/>])([^>]*)>")
_REPEAT = re.compile(rb'\btable:number-(?:rows|columns)-repeated="(\d+)"')
_HAS_VALUE = re.compile(rb"\b(?:office:value-type|table:formula)=")
_NAME = re.compile(rb'\btable:name="([^"]*)"')
# Cells that are mended: of a formula, or of text.
_CELL = re.compile(
    rb"<table:table-cell\b(?=[^>]*(?:table:formula=|office:value-type=\"string\"))([^>]*?)"
    rb"(?:/>|>((?:(?!</?table:table-cell).)*)</table:table-cell>)",
    re.DOTALL,
)
_TEXT = re.compile(rb"<text:p[^>]*>(.*?)</text:p>|<text:p[^>]*/>", re.DOTALL)
_BLANK = re.compile(rb"\s|<text:(?:s|tab|line-break)\b[^>]*/>|<text:p[^>]*>|</text:p>")
_VALUE_TYPE = re.compile(rb'\s(?:office|calcext):value-type="[^"]*"')
_STRING_VALUE = re.compile(rb'\soffice:string-value="([^"]*)"')
_ATTRIBUTE = rb'\stable:formula="[^"]*"'


def prepared_ods(data: bytes, limits: Limits) -> bytes:
    """Look at every table, and mend what the parser would lose.

    Returns:
        The file for the parser: as it is, or a copy in which errors and formulas that were never calculated are texts,
        and cells of blanks are empty.

    Raises:
        Rejected: as `prepared_xlsx` does.
    """
    cells, changes = limits.max_workbook_cells, False
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        name, tables, row, column, valued, height, width = "", 0, 0, 0, 0, 0, 0
        for piece, changed in _mended(book):
            changes = changes or changed
            for closing, kind, attributes in _TAG.findall(piece):
                count = _REPEAT.search(attributes)
                if kind == b"table" and not closing:
                    found = _NAME.search(attributes)
                    name = sheet_title(found[1].decode(errors="replace") if found else "", tables + 1)
                    row = height = width = 0
                elif kind == b"table":
                    limits.check_extent(name, height, width, cells)
                    cells, tables = cells - height * width, tables + 1
                    limits.check_sheets(tables)
                elif kind == b"table-row" and not closing:
                    row, column, valued = row + (int(count[1]) if count else 1), 0, 0
                if kind == b"table-row" and (closing or attributes.endswith(b"/")):
                    if valued:
                        height, width = row, max(width, valued)
                elif kind.endswith(b"cell") and not closing:
                    column += int(count[1]) if count else 1
                    if _HAS_VALUE.search(attributes):
                        valued = column
                        limits.check_reach(name, f"row {row:,} and column {column:,}", row, column, cells)
        return _copy(book) if changes else data


def _mended(book: zipfile.ZipFile) -> Iterator[tuple[bytes, bool]]:
    """The content in pieces, and whether each had to be mended."""
    with book.open("content.xml") as stream:
        for piece in pieces(iter(lambda: stream.read(PIECE), b""), _STARTS):
            found = _CELL.sub(_cell, piece)
            yield found, found != piece


def _cell(cell: re.Match[bytes]) -> bytes:
    attributes, content = cell[1], cell[2] or b""
    said = _STRING_VALUE.search(attributes)
    if b"table:formula=" in attributes and not said and not content and b"office:value" not in attributes:
        return _written(attributes, b"<text:p>%b</text:p>" % NEVER_CALCULATED.encode())
    if b"<office:annotation" in content or b'office:value-type="string"' not in attributes:
        return cell[0]
    if said and not said[1] and _BLANK.sub(b"", content):
        return _written(attributes, content)  # an error: its name stands in the text
    if not _BLANK.sub(b"", content) and not (said and said[1].strip()):
        bare = re.sub(_ATTRIBUTE, b"", _STRING_VALUE.sub(b"", _VALUE_TYPE.sub(b"", attributes)))
        return b"<table:table-cell%b/>" % bare
    return cell[0]


def _written(attributes: bytes, content: bytes) -> bytes:
    kept = re.sub(_ATTRIBUTE, b"", _STRING_VALUE.sub(b"", _VALUE_TYPE.sub(b"", attributes)))
    return b'<table:table-cell%b office:value-type="string">%b</table:table-cell>' % (kept, content)


def _copy(book: zipfile.ZipFile) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        for name in ("mimetype", "META-INF/manifest.xml"):
            if name in book.NameToInfo:
                made.writestr(name, book.read(name))
        with made.open("content.xml", "w", force_zip64=True) as target:
            for piece, _ in _mended(book):
                target.write(piece)
    return buffer.getvalue()
