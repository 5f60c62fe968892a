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
from xlsxwriter.format import Format
from xlsxwriter.utility import cell_autofit_width, xl_col_to_name, xl_range
from xlsxwriter.workbook import Workbook

_LONGEST = 20  # texts of a column that are measured: its widest is among its longest
_NO_NUMBER = "["  # what stands for a missing number begins so


_Cells = tuple[Format, list[str]]  # a column's format, and how each of its cells ends


class _Sheet(GPWorksheet):  # type: ignore[misc]  # gptables has no types
    """A sheet whose table is written by column."""

    _below: tuple[int, list[_Cells]] = 0, []  # the first row of the table, and its columns

    def _parse_table_urls(self, gptable: gpt.GPTable) -> None:
        """What a trust sent is text, never a link."""
        if gptable.index_columns:  # the contents lead to the sheets
            super()._parse_table_urls(gptable)

    def _write_table_elements(self, pos: list[int], gptable: gpt.GPTable, auto_width: bool) -> list[int]:
        """Headings, rows, widths, and the mark that makes them a table to a spreadsheet program."""
        if gptable.index_columns:
            return list(super()._write_table_elements(pos, gptable, auto_width))
        frame, top, theme = gptable.table, gptable.data_range[0], self.theme
        heads, cells = [], list[_Cells]()
        for place, name in enumerate(frame.columns):
            values = frame[name].tolist()
            distinct = [*dict.fromkeys(values)]
            side = {"align": "right" if place and _is_number(distinct) else "left"}
            head, body = {**theme.column_heading_format, **side}, {**theme.data_format, **side}
            heads.append(head)
            self._smart_write(top, place, name, head)
            ends = {v: self._end_of(v) for v in distinct}
            cells.append((self._workbook.add_format(body), [ends[v] for v in values]))
            self.set_column_pixels(
                place, place, max(self._width(name, head), *(self._width(text, body) for text in longest(distinct)))
            )
        self._check_dimensions(top + len(frame), len(frame.columns) - 1)
        self._below = top + 1, cells
        self._mark_data_as_worksheet_table(gptable, pd.DataFrame([pd.Series(heads, index=frame.columns)]))
        return [gptable.data_range[2] + 1, 0]

    def add_table(self, first_row: int, first_col: int, last_row: int, last_col: int, options: dict[str, Any]) -> int:
        """Mark a table. A sheet has one, so none overlaps another, which XlsxWriter would look for cell by cell."""
        done: int = super().add_table(first_row, first_col, min(first_row + 1, last_row), last_col, options)
        self.tables[-1]["range"] = self.tables[-1]["a_range"] = xl_range(first_row, first_col, last_row, last_col)
        return done

    def _write_rows(self) -> None:
        """The rows that XlsxWriter holds (title and headings), then the table's: each value is written out once."""
        first, columns = self._below
        last = self.dim_rowmax  # type: ignore[has-type]  # XlsxWriter says no types
        self.dim_rowmax = first - 1 if columns else last
        super()._write_rows()
        self.dim_rowmax = last
        written = []
        for place, (cell, ends) in enumerate(columns):
            begin, style = xl_col_to_name(place), cell._get_xf_index()
            written.append([f'<c r="{begin}{row}" s="{style}"{end}' for row, end in enumerate(ends, start=first + 1)])
        for row, line in enumerate(zip(*written, strict=True), start=first + 1):
            self.fh.write(f'<row r="{row}">{"".join(line)}</row>')

    def _end_of(self, value: object) -> str:
        """A cell's XML from its type on; texts stand in the workbook once."""
        if isinstance(value, str):
            return f' t="s"><v>{self.str_table._get_shared_string_index(value)}</v></c>'
        return f"><v>{value:.16G}</v></c>"

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


def longest(values: list[Any]) -> list[str]:
    """The texts of a column that are measured: the same ones in every process, whatever order a set has there."""
    return sorted({str(v) for v in values}, key=lambda text: (len(text), text))[-_LONGEST:]


def _is_number(values: list[Any]) -> bool:
    """Whether a column holds numbers, and else only what stands for missing ones."""
    texts = {v for v in values if isinstance(v, str)}
    return any(not isinstance(v, str) for v in values) and all(t.startswith(_NO_NUMBER) for t in texts)
