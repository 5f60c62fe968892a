"""XLSX, XLS and ODS through calamine: values only (a formula gives what it last computed), visible sheets only."""

from __future__ import annotations

import io
from datetime import date, datetime, time, timedelta
from typing import Any

import python_calamine as calamine

from strike_reporting.judging.problems import Rejected, shown
from strike_reporting.judging.reading import MAX_CELL, MAX_SHEETS, Sheet, check_shape


def read(data: bytes, *, hidden: bool = False) -> list[Sheet]:
    """Every visible worksheet (or `hidden`, all of them), its cells as text: dates as ISO 8601, whole numbers plain.

    Raises:
        Rejected: damaged, or beyond the limits.
    """
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        visible = [
            s.name
            for s in book.sheets_metadata
            if (hidden or s.visible == calamine.SheetVisibleEnum.Visible) and s.typ == calamine.SheetTypeEnum.WorkSheet
        ]
        if len(visible) > MAX_SHEETS:
            raise Rejected("sheet_limit", f"the workbook has {len(visible)} sheets", f"At most {MAX_SHEETS} are read.")
        return [_sheet(name, book.get_sheet_by_name(name)) for name in visible]
    except Rejected:
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


def _sheet(name: str, sheet: calamine.CalamineSheet) -> Sheet:
    check_shape(f"sheet {shown(name)!r}", sheet.total_height, sheet.total_width)
    rows, numbers = [], []
    grid = sheet.to_python(skip_empty_area=False)
    _fill_down(grid, sheet.merged_cell_ranges or [])
    for number, row in enumerate(grid, start=1):
        cells = [_text(cell) for cell in row]
        if any(cells):
            rows.append(cells)
            numbers.append(number)
    return Sheet(name, rows, numbers)


def _fill_down(grid: list[list[Any]], merged: list[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    """A text or a date merged downwards stands in each of its rows, as a reader sees it; a number is never repeated."""
    for (top, left), (bottom, _) in merged:
        if bottom < len(grid) and left < len(grid[top]) and isinstance(grid[top][left], str | date):
            for row in range(top + 1, bottom + 1):
                grid[row][left] = grid[top][left]


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    if isinstance(cell, date | time | timedelta):
        return cell.isoformat() if not isinstance(cell, timedelta) else str(cell)
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    text = str(cell)
    if len(text) > MAX_CELL:
        raise Rejected(
            "cell_limit", f"a cell holds more than {MAX_CELL:,} characters", "Remove notes from the extract."
        )
    return text
