"""XLSX, XLSB, XLS and ODS through calamine: values only (a formula gives what it last computed; macros are left)."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from itertools import chain, islice
from typing import Any

import python_calamine as calamine

from strike_reporting.judging.problems import damaged
from strike_reporting.judging.reading.biff import Texts, checked_xls
from strike_reporting.judging.reading.binary import prepared_xlsb
from strike_reporting.judging.reading.build import TableBuilder
from strike_reporting.judging.reading.document import Sheet
from strike_reporting.judging.reading.extent import prepared_xlsx
from strike_reporting.judging.reading.limits import Limits, sheet_title
from strike_reporting.judging.reading.merging import Merged
from strike_reporting.judging.reading.opendocument import prepared_ods
from strike_reporting.judging.reading.package import lying

_TOGETHER = 500_000  # cells that become texts together
_PREPARED = {"xlsx": prepared_xlsx, "xlsb": prepared_xlsb, "ods": prepared_ods}


def read(data: bytes, kind: str, limits: Limits) -> Iterator[Sheet]:
    """Every worksheet, hidden ones marked, its cells as text: dates as ISO 8601, whole numbers plain.

    Raises:
        Rejected: damaged, or beyond the limits.
    """
    said = "the workbook cannot be opened: it is damaged or protected, or holds what is not known here"
    mend = "Open it in Excel to see that it is whole, save it anew as .xlsx, without a password, and send that."
    with damaged(said, mend):
        lost: list[Texts] = []
        if kind == "xls":
            lost = checked_xls(data, limits)
        else:
            data = _PREPARED[kind](data, limits)
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = [(i, s) for i, s in enumerate(book.sheets_metadata) if s.typ == calamine.SheetTypeEnum.WorkSheet]
        limits.check_sheets(len(sheets))
        for number, (place, sheet) in enumerate(sheets, start=1):
            hidden = sheet.visible != calamine.SheetVisibleEnum.Visible
            texts = lost[place] if place < len(lost) else {}
            title = sheet_title(sheet.name, number)
            yield _sheet(book.get_sheet_by_name(sheet.name), title, hidden, texts, limits)


def _sheet(sheet: calamine.CalamineSheet, title: str, hidden: bool, texts: Texts, limits: Limits) -> Sheet:
    built = TableBuilder(title, limits, limits.max_workbook_cells)
    if sheet.start is None or sheet.end is None:
        return Sheet(built.table(), sheet.name, hidden)
    height, width = sheet.end[0] + 1, sheet.end[1] + 1
    limits.check_extent(title, height, width, limits.max_workbook_cells)
    margin = [""] * sheet.start[1]
    rows = (margin + row for row in sheet.iter_rows()) if margin else sheet.iter_rows()
    merged, ranges = Merged(title), _ranges(sheet, height, width, limits)
    rows = _with(texts, rows) if texts else rows
    rows = _filled(merged, ranges, rows) if ranges else rows

    def is_long(text: str) -> bool:
        return len(text) > limits.max_cell_characters

    first = 1
    while some := [*islice(rows, max(_TOGETHER // width, 1))]:
        columns, distinct = zip(*map(_texts, zip(*some, strict=True)), strict=True)
        if not hidden and any(map(is_long, chain(*distinct))):
            lines = enumerate(zip(*columns, strict=True), first)
            raise limits.long_cell(next(n for n, cells in lines if any(map(is_long, cells))))
        # Where a column has no gap no row is blank; else each is looked at.
        if width <= limits.max_columns and any(all(t and not t.isspace() for t in texts) for texts in distinct):
            built.add_columns(first, columns, len(some))
        else:
            for number, cells in enumerate(zip(*columns, strict=True), first):
                built.add(number, cells)
        first += len(some)
    return Sheet(built.table(), sheet.name, hidden, merged=merged.numbers)


def _filled(merged: Merged, ranges: dict[int, list[tuple[int, int]]], rows: Iterator[list[Any]]) -> Iterator[list[Any]]:
    """The rows with what is merged down into them."""
    for number, row in enumerate(rows, start=1):
        for column, last in ranges.pop(number, ()):
            if isinstance(row[column], str | date):
                merged.begin(column, number, last, row[column])
        yield merged.filled(number, row)


def _texts(column: Sequence[object]) -> tuple[Sequence[str], set[str]]:
    """The texts of a column's cells, and the distinct ones: each distinct value is written once."""
    kinds = {*map(type, column)}
    if bool in kinds and len(kinds) > 1:  # a yes is equal to a 1
        texts = [_text(cell) for cell in column]
        return texts, {*texts}
    known = {cell: _text(cell) for cell in {*column}}
    return [known[cell] for cell in column], {*known.values()}


def _ranges(sheet: calamine.CalamineSheet, height: int, width: int, limits: Limits) -> dict[int, list[tuple[int, int]]]:
    """The ranges merged downwards by the number of their first row: column, and the last row's number."""
    found: dict[int, list[tuple[int, int]]] = {}
    area = 0
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        area += (bottom - top + 1) * (right - left + 1)
        if area > limits.max_workbook_cells:
            raise lying("its merged cells are more than the sheet can have")
        if top < bottom < height and left < width:
            found.setdefault(top + 1, []).append((left, bottom + 1))
    return found


def _with(texts: Texts, rows: Iterator[list[Any]]) -> Iterator[list[Any]]:
    """The rows with what the parser lost."""
    by_row: dict[int, list[tuple[int, str]]] = {}
    for (row, column), text in texts.items():
        by_row.setdefault(row, []).append((column, text))
    for number, cells in enumerate(rows):
        for column, text in by_row.get(number, ()):
            if column < len(cells):
                cells[column] = text
        yield cells


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
