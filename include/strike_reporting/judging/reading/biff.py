"""How far the sheets of an old Excel workbook (.xls) reach, found in its records before the parser allocates them.

The parser reserves what a sheet's DIMENSIONS record claims, and makes a dense range up to the last cell.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from strike_reporting.judging.problems import Rejected
from strike_reporting.judging.reading.compound import Compound
from strike_reporting.judging.reading.document import NEVER_CALCULATED
from strike_reporting.judging.reading.limits import Limits

Texts = dict[tuple[int, int], str]  # by row and column, 0 the first

ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
_BOF, _EOF, _DIMENSIONS, _MULRK, _WORKSHEET = 0x0809, 0x000A, 0x0200, 0x00BD, 0x0010
_LOCKED, _SHEET, _FORMULA, _ERROR = 0x002F, 0x0085, 0x0006, 0x0205
_ONE_CELL = frozenset({0x0006, 0x0203, 0x0204, 0x0205, 0x00D6, 0x00FD, 0x027E})
_WIDEST = 256
_NO_NUMBER, _IS_ERROR, _IS_EMPTY, _ON_LOADING = 0xFFFF, 2, 3, 2


def checked_xls(data: bytes, limits: Limits) -> list[Texts]:
    """Look at every worksheet.

    Returns:
        By sheet, in the workbook's order, what the parser would lose: errors, and formulas that were never calculated.

    Raises:
        Rejected: a sheet reaches further than the limits, or all together hold or claim too many cells; or a password.
    """
    cells = limits.max_workbook_cells
    sheet = height = width = claimed = depth = 0
    places: list[int] = []
    lost: dict[int, Texts] = {}
    began = 0
    for at, kind, record in _records(Compound.of(data).stream("workbook", "book")):
        if kind == _BOF:
            depth += 1
            if depth == 1:
                began = at
                if record[2:4] == struct.pack("<H", _WORKSHEET):
                    sheet, height, width, claimed = sheet + 1, 0, 0, 0
        elif kind == _EOF:
            depth -= 1
            if depth == 0:
                cells -= max(height * width, claimed)
                height = width = claimed = 0
        elif kind == _LOCKED:
            raise Rejected("file_encrypted", "the workbook has a password", "Save it without a password.")
        elif kind == _SHEET and len(record) >= 4:
            places += struct.unpack_from("<I", record)
        elif kind == _DIMENSIONS and len(record) in (10, 14):
            first, last, left, right = struct.unpack_from("<IIHH" if len(record) == 14 else "<HHHH", record)
            rows, columns = max(last - first, 0), max(right - (left if left < right else 0), 0)
            claimed = rows * columns
            if claimed > cells:
                raise _claims(sheet, last, right, cells)
        elif (kind in _ONE_CELL or kind == _MULRK) and len(record) >= 6:
            row, column = struct.unpack_from("<HH", record)
            text = _lost(kind, record)
            if text:
                lost.setdefault(began, {})[row, column] = text
            if kind == _MULRK:
                (column,) = struct.unpack_from("<H", record, len(record) - 2)
            height, width = max(height, row + 1), max(width, column + 1)
            if column >= _WIDEST:
                raise limits.far(f"sheet {sheet}", f"row {row + 1:,} and column {column + 1:,}", row + 1, column + 1)
            if height * width > cells:
                limits.check_extent(f"sheet {sheet}", height, width, cells)
    return [lost.get(place, {}) for place in places]


def _lost(kind: int, record: bytes) -> str | None:
    """The text that a cell should have: an error's, or that of a formula which waits to be worked out on opening."""
    if kind == _ERROR and len(record) >= 8 and record[7]:
        return ERRORS.get(record[6])
    if kind != _FORMULA or len(record) < 16:
        return None
    special, options = struct.unpack_from("<HH", record, 12)
    if special == _NO_NUMBER and record[6] == _IS_ERROR:
        return ERRORS.get(record[8])
    nothing = record[6:14] == bytes(8) or (special == _NO_NUMBER and record[6] == _IS_EMPTY)
    return NEVER_CALCULATED if nothing and options & _ON_LOADING else None


def _claims(sheet: int, rows: int, columns: int, cells: int) -> Rejected:
    return Rejected(
        "row_limit",
        f"sheet {sheet} says that it reaches to row {rows:,} and column {columns:,}; at most {cells:,} cells are read",
        "Delete the rows below and the columns beside the table, or save the file as .xlsx, and send it again.",
    )


def _records(stream: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        yield at, kind, stream[at + 4 : at + 4 + size]
        at += 4 + size
