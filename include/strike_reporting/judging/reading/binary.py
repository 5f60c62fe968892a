"""XLSB: how far its sheets reach, found in their records before the parser allocates them, and what needs mending."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from functools import partial

from strike_reporting.judging.reading.biff import ERRORS
from strike_reporting.judging.reading.limits import Limits, sheet_title
from strike_reporting.judging.reading.package import PIECE, Package, lying, records

_ROW, _BLANK, _ERROR, _TEXT, _SHARED, _FORMULA_TEXT, _FORMULA_ERROR = 0, 1, 3, 6, 7, 8, 11
_CELLS = range(_BLANK, _FORMULA_ERROR + 1)
_SHARED_ITEM, _SHARED_LIST = 19, 159
_HEAD = 8  # of a cell's record: column and style
_SMALLEST_TEXT = 7


def prepared_xlsb(data: bytes, limits: Limits) -> bytes:
    """Look at every worksheet, and mend what the parser would lose: errors become texts, far blanks go.

    Raises:
        Rejected: as `prepared_xlsx` does.
    """
    cells = limits.max_workbook_cells
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        package = Package(book)
        _check_texts(package)
        limits.check_sheets(len(package.sheets))
        anew: dict[str, Callable[[], Iterator[bytes]]] = {}
        blanks: frozenset[int] | None = None
        for number, sheet in enumerate(package.sheets, start=1):
            name, read = sheet_title(sheet.name, number), partial(_cells, package, sheet.part, frozenset())
            height, width, changes = _extent(read())
            if height > limits.max_rows or height * width > cells:
                blanks = _blank_texts(package) if blanks is None else blanks
                read, changes = partial(_cells, package, sheet.part, blanks | {-1}), True
                height, width, _ = _extent(read(), partial(limits.check_reach, name, cells=cells))
                limits.check_extent(name, height, width, cells)
            cells -= height * width
            if changes:
                anew[sheet.part.filename] = partial(_written, read)
        return data if package.usual and not anew else package.copy(anew)


def _check_texts(package: Package) -> None:
    for kind, record in records(package.book, package.texts) if package.texts else ():
        if kind == _SHARED_LIST:
            (claimed,) = struct.unpack_from("<I", record, 4)
            if package.texts and claimed > package.texts.file_size // _SMALLEST_TEXT:
                raise lying(f"its list of texts claims {claimed:,} of them")
            return


def _cells(package: Package, part: zipfile.ZipInfo, blanks: frozenset[int]) -> Iterator[tuple[int, bytes, int, int]]:
    """A sheet's records, with row and column where one is a cell; `blanks` given, cells of blanks are empty."""
    row = 0
    for kind, record in records(package.book, part):
        if kind == _ROW and len(record) >= 4:
            (row,) = struct.unpack_from("<I", record)
        if kind not in _CELLS or len(record) < _HEAD:
            yield kind, record, 0, 0
            continue
        (column,) = struct.unpack_from("<I", record)
        if blanks and _is_blank(kind, record[_HEAD:], blanks):
            kind, record = _BLANK, record[:_HEAD]
        yield kind, record, row + 1, column + 1


def _is_blank(kind: int, value: bytes, blanks: frozenset[int]) -> bool:
    if kind == _SHARED:
        return int.from_bytes(value[:4], "little") in blanks
    return kind in (_TEXT, _FORMULA_TEXT) and not _text(value).strip()


def _text(value: bytes) -> str:
    length = int.from_bytes(value[:4], "little")
    return value[4 : 4 + 2 * length].decode("utf-16-le", errors="replace")


def _blank_texts(package: Package) -> frozenset[int]:
    read = records(package.book, package.texts) if package.texts else iter(())
    items = (record for kind, record in read if kind == _SHARED_ITEM)
    return frozenset(n for n, record in enumerate(items) if not _text(record[1:]).strip())


def _extent(
    read: Iterator[tuple[int, bytes, int, int]], check: Callable[..., None] | None = None
) -> tuple[int, int, bool]:
    height = width = 0
    changes = False
    for kind, _, row, column in read:
        if kind > _BLANK and row:
            height, width = max(height, row), max(width, column)
            changes = changes or kind in (_ERROR, _FORMULA_ERROR)
            if check:
                check(where=f"row {row:,} and column {column:,}", row=height, column=column)
    return height, width, changes


def _written(read: Callable[[], Iterator[tuple[int, bytes, int, int]]]) -> Iterator[bytes]:
    """The records again, errors as texts."""
    piece = bytearray()
    for kind, record, row, _ in read():
        if row and kind in (_ERROR, _FORMULA_ERROR):
            text = ERRORS.get(record[_HEAD] if len(record) > _HEAD else 0, "#N/A")
            record = record[:_HEAD] + struct.pack("<I", len(text)) + text.encode("utf-16-le")
            kind = _TEXT
        piece += _number(kind) + _number(len(record)) + record
        if len(piece) > PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


def _number(value: int) -> bytes:
    said = bytearray()
    while value > 0x7F:
        said.append(value & 0x7F | 0x80)
        value >>= 7
    said.append(value)
    return bytes(said)
