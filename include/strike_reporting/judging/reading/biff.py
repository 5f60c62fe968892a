"""How far the sheets of an old Excel workbook (.xls) reach, found in its records before the parser allocates them.

The parser reserves what a sheet's DIMENSIONS record claims, and makes a dense range up to the last cell.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from strike_reporting.judging.problems import Rejected
from strike_reporting.judging.reading.limits import Limits

_BOF, _EOF, _DIMENSIONS, _MULRK, _WORKSHEET = 0x0809, 0x000A, 0x0200, 0x00BD, 0x0010
_ONE_CELL = frozenset({0x0006, 0x0203, 0x0204, 0x0205, 0x00D6, 0x00FD, 0x027E})
_LAST_SECTOR = 0xFFFFFFFA  # from here on a sector number is a mark
_SECTOR, _MINI_SECTOR, _SMALL_STREAM = 512, 64, 4096


def check_xls(data: bytes, limits: Limits) -> None:
    """Look at every worksheet.

    Raises:
        Rejected: a sheet reaches further than the limits, or all together hold or claim too many cells.
    """
    cells = limits.max_workbook_cells
    sheet = height = width = claimed = depth = 0
    for kind, record in _records(_workbook(data)):
        if kind == _BOF:
            depth += 1
            if depth == 1 and record[2:4] == struct.pack("<H", _WORKSHEET):
                sheet, height, width, claimed = sheet + 1, 0, 0, 0
        elif kind == _EOF:
            depth -= 1
            if depth == 0:
                cells -= max(height * width, claimed)
                height = width = claimed = 0
        elif kind == _DIMENSIONS and len(record) in (10, 14):
            first, last, left, right = struct.unpack_from("<IIHH" if len(record) == 14 else "<HHHH", record)
            rows, columns = max(last - first, 0), max(right - (left if left < right else 0), 0)
            claimed = rows * columns
            if claimed > cells:
                raise _claims(sheet, last, right, cells)
        elif (kind in _ONE_CELL or kind == _MULRK) and len(record) >= 6:
            row, column = struct.unpack_from("<HH", record)
            if kind == _MULRK:
                (column,) = struct.unpack_from("<H", record, len(record) - 2)
            if column >= limits.max_columns:
                raise limits.far(f"sheet {sheet}", f"row {row + 1:,} and column {column + 1:,}", row + 1, column + 1)
            height, width = max(height, row + 1), max(width, column + 1)
            if height * width > cells:
                limits.check_shape(f"sheet {sheet}", height, width, cells)


def _claims(sheet: int, rows: int, columns: int, cells: int) -> Rejected:
    return Rejected(
        "row_limit",
        f"sheet {sheet} says that it reaches to row {rows:,} and column {columns:,}; at most {cells:,} cells are read",
        "Delete the rows below and the columns beside the table, or save the file as .xlsx, and send it again.",
    )


def _records(stream: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        yield kind, stream[at + 4 : at + 4 + size]
        at += 4 + size


def _workbook(data: bytes) -> bytes:
    """The workbook's stream out of the compound file; empty where the file is not as it should be: the parser says."""
    if len(data) < _SECTOR:
        return b""
    shift, fat_sectors, directory, first_small = (
        *struct.unpack_from("<H", data, 30),
        *struct.unpack_from("<II", data, 44),
        *struct.unpack_from("<I", data, 60),
    )
    if shift not in (9, 12):
        return b""
    sector = 1 << shift
    heads = [n for n in struct.unpack_from("<109I", data, 76)[:fat_sectors] if n < _LAST_SECTOR]
    table = b"".join(data[(n + 1) * sector : (n + 2) * sector] for n in heads)
    fat = struct.unpack(f"<{len(table) // 4}I", table[: len(table) // 4 * 4])
    entries = _chain(data, fat, directory, sector, sector)
    small_entries, found = b"", None
    for at in range(0, len(entries) - 127, 128):
        length, kind = struct.unpack_from("<HB", entries, at + 64)
        name = entries[at : at + max(min(length, 64) - 2, 0)].decode("utf-16-le", errors="replace")
        start, size = struct.unpack_from("<II", entries, at + 116)
        if kind == 5:
            small_entries = _chain(data, fat, start, sector, sector)
        elif name.casefold() in ("workbook", "book") and found is None:
            found = (start, size)
    if found is None:
        return b""
    start, size = found
    if size >= _SMALL_STREAM:
        return _chain(data, fat, start, sector, sector)[:size]
    small = _chain(data, fat, first_small, sector, sector)
    small_fat = struct.unpack(f"<{len(small) // 4}I", small[: len(small) // 4 * 4])
    return _chain(small_entries, small_fat, start, _MINI_SECTOR, 0)[:size]


def _chain(data: bytes, fat: tuple[int, ...], sector: int, size: int, skip: int) -> bytes:
    """The bytes of a chain of sectors; a chain that runs in a circle ends when every sector was passed."""
    found = []
    for _ in range(len(fat)):
        if sector >= len(fat):
            break
        found.append(data[skip + sector * size : skip + (sector + 1) * size])
        sector = fat[sector]
    return b"".join(found)
