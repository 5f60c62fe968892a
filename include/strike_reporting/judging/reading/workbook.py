"""XLSX, XLS and ODS through calamine: values only (a formula gives what it last computed)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

import python_calamine as calamine

from strike_reporting.judging.problems import Rejected
from strike_reporting.judging.reading.biff import check_xls
from strike_reporting.judging.reading.build import TableBuilder
from strike_reporting.judging.reading.document import Sheet
from strike_reporting.judging.reading.extent import check_ods, check_xlsx, lying
from strike_reporting.judging.reading.limits import Limits, sheet_title

_EXTENT = {"xlsx": check_xlsx, "ods": check_ods, "xls": check_xls}


def read(data: bytes, kind: str, limits: Limits) -> Iterator[Sheet]:
    """Every worksheet, hidden ones marked, its cells as text: dates as ISO 8601, whole numbers plain.

    Raises:
        Rejected: damaged, or beyond the limits.
    """
    try:
        _EXTENT[kind](data, limits)
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = [s for s in book.sheets_metadata if s.typ == calamine.SheetTypeEnum.WorkSheet]
        limits.check_sheets(len(sheets))
        for number, sheet in enumerate(sheets, start=1):
            hidden = sheet.visible != calamine.SheetVisibleEnum.Visible
            yield _sheet(book.get_sheet_by_name(sheet.name), sheet_title(sheet.name, number), hidden, limits)
    except (Rejected, MemoryError, GeneratorExit):
        raise
    except BaseException as error:
        # The parser may raise anything on hostile bytes, and a panic in it is not an Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise Rejected(
            "file_damaged",
            "the workbook cannot be opened: it is damaged or protected",
            "Open it in Excel to see that it is whole, save it without a password and send it again.",
        ) from error


def _sheet(sheet: calamine.CalamineSheet, title: str, hidden: bool, limits: Limits) -> Sheet:
    built = TableBuilder(title, limits, limits.max_workbook_cells)
    if sheet.start is None or sheet.end is None:
        return Sheet(built.table(), sheet.name, hidden)
    height, width = sheet.end[0] + 1, sheet.end[1] + 1
    limits.check_shape(title, height, width, limits.max_workbook_cells)
    longest = limits.max_cell_characters
    margin = [""] * sheet.start[1]
    rows = (margin + row for row in sheet.iter_rows()) if margin else sheet.iter_rows()
    for number, row in enumerate(_filled_down(rows, _ranges(sheet, height, width, limits)), start=1):
        cells = [_text(cell) for cell in row]
        if any(cells):
            if not hidden and any(len(c) > longest for c in cells):
                raise limits.long_cell(number)
            built.add(number, cells)
    return Sheet(built.table(), sheet.name, hidden)


def _ranges(sheet: calamine.CalamineSheet, height: int, width: int, limits: Limits) -> dict[int, list[tuple[int, int]]]:
    """The ranges merged downwards by their first row: column and last row."""
    found: dict[int, list[tuple[int, int]]] = {}
    area = 0
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        area += (bottom - top + 1) * (right - left + 1)
        if area > limits.max_workbook_cells:
            raise lying("its merged cells are more than the sheet can have")
        if top < bottom < height and left < width:
            found.setdefault(top, []).append((left, bottom))
    return found


def _filled_down(rows: Iterator[list[Any]], starting: dict[int, list[tuple[int, int]]]) -> Iterator[list[Any]]:
    """A text or a date merged downwards stands in each of its rows, as a reader sees it; a number is never repeated."""
    open_ranges: dict[int, tuple[int, Any]] = {}  # by column: the last row, and what stands there
    for number, row in enumerate(rows):
        for left, (bottom, value) in list(open_ranges.items()):
            row[left] = value
            if number == bottom:
                del open_ranges[left]
        for left, bottom in starting.get(number, ()):
            if isinstance(row[left], str | date):
                open_ranges[left] = (bottom, row[left])
        yield row


def _text(cell: object) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)
