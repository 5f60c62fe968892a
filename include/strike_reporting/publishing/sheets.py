"""gptables' workbook with tables written by column: it formats, measures and looks for links cell by cell.

All that the guidance asks of a sheet (title, notes, source, scope, headings, the table's name, contents, cover) stays
gptables'; a test compares the sheets with what gptables writes by itself.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from math import ceil
from typing import Any

import gptables as gpt
import pandas as pd
from gptables.core.wrappers import GPWorkbook, GPWorksheet
from xlsxwriter.utility import cell_autofit_width
from xlsxwriter.workbook import Workbook

_LONGEST = 20  # texts of a column that are measured: its widest is among its longest
_NO_NUMBER = "["  # what stands for a missing number begins so


class _Sheet(GPWorksheet):  # type: ignore[misc]  # gptables has no types
    """A sheet whose table is written by column."""

    def _parse_table_urls(self, gptable: gpt.GPTable) -> None:
        """What a trust sent is text, never a link."""
        if gptable.index_columns:  # the contents lead to the sheets
            super()._parse_table_urls(gptable)

    def _write_table_elements(self, pos: list[int], gptable: gpt.GPTable, auto_width: bool) -> list[int]:
        """Headings, rows, widths, and the mark that makes them a table to a spreadsheet program."""
        if gptable.index_columns:
            return list(super()._write_table_elements(pos, gptable, auto_width))
        frame, top, theme = gptable.table, gptable.data_range[0], self.theme
        heads = []
        for place, name in enumerate(frame.columns):
            values = frame[name].tolist()
            side = {"align": "right" if place and _is_number(values) else "left"}
            head, body = {**theme.column_heading_format, **side}, {**theme.data_format, **side}
            heads.append(head)
            self._smart_write(top, place, name, head)
            cell = self._workbook.add_format(body)
            for row, value in enumerate(values, start=top + 1):
                if isinstance(value, str):
                    self.write_string(row, place, value, cell)
                else:
                    self.write(row, place, value, cell)
            longest = sorted({str(v) for v in values}, key=len)[-_LONGEST:]
            self.set_column_pixels(
                place, place, max(self._width(name, head), *(self._width(text, body) for text in longest))
            )
        self._mark_data_as_worksheet_table(gptable, pd.DataFrame([pd.Series(heads, index=frame.columns)]))
        return [gptable.data_range[2] + 1, 0]

    def _width(self, text: object, of: Mapping[str, Any]) -> int:
        line = self._get_longest_line(text)
        factor: float = self._get_scaling_factor(of, line)
        width: int = cell_autofit_width(line)
        return ceil(width * factor)


class _Book(GPWorkbook):  # type: ignore[misc]  # gptables has no types
    """A workbook of such sheets."""

    def add_worksheet(self, name: str | None = None, gridlines: str = "hide_all") -> _Sheet:
        """A sheet without lines between its cells."""
        sheet: _Sheet = Workbook.add_worksheet(self, name, _Sheet)
        sheet.theme, sheet._workbook = self.theme, self
        sheet.hide_gridlines(2)
        return sheet


def produced(
    buffer: io.BytesIO, sheets: Mapping[str, gpt.GPTable], cover: gpt.Cover, notes: pd.DataFrame
) -> GPWorkbook:
    """As `gptables.produce_workbook`: a workbook with a cover, contents, notes and one table on each sheet, not closed.

    Args:
        buffer: what it is written to.
        sheets: tables by the name of their sheets.
        cover: the first sheet.
        notes: texts by reference.
    """
    book = _Book(buffer)
    book.add_worksheet(cover.cover_label).write_cover(cover)
    contents = book.make_table_of_contents(sheets)
    book._update_annotations(sheets)
    for name, table in {"Contents": contents, "Notes": book.make_notesheet(notes), **sheets}.items():
        book.add_worksheet(name).write_gptable(table, True, book._annotations)
    return book


def _is_number(values: list[Any]) -> bool:
    """Whether a column holds numbers, and else only what stands for missing ones."""
    texts = {v for v in values if isinstance(v, str)}
    return any(not isinstance(v, str) for v in values) and all(t.startswith(_NO_NUMBER) for t in texts)
