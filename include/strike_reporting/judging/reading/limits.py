"""How large anything that a trust sends may be; beyond, a file is refused with the limit named.

The numbers are settings. The worker, which loads nothing that it does not need, is given them.
"""

from __future__ import annotations

from dataclasses import dataclass

from strike_reporting.judging.problems import Rejected, shown

_SMALLER = "Split the file by day, and delete what stands beside and below the table."


@dataclass(frozen=True)
class Limits:
    """The settings of the same names."""

    max_file_bytes: int
    max_expanded_bytes: int
    max_parquet_bytes: int
    max_expansion_ratio: int
    max_rows: int
    max_columns: int
    max_cells: int
    max_workbook_cells: int
    max_cell_characters: int
    max_sheets: int
    max_archive_depth: int
    max_archive_files: int
    read_memory_bytes: int
    read_seconds: float

    def check_shape(self, name: str, rows: int, columns: int, cells: int | None = None) -> None:
        """Raise `Rejected` when a table is larger than any trust's extract can be."""
        if columns > self.max_columns:
            found = f"{name} has {columns:,} columns; the limit is {self.max_columns:,}"
            raise Rejected("column_limit", found, "Remove them.")
        self.check_extent(name, rows, columns, self.max_cells if cells is None else cells)

    def check_extent(self, name: str, rows: int, columns: int, cells: int) -> None:
        """Raise `Rejected` when the rectangle around a table, with what is blank in it, is too large to be held."""
        if rows > self.max_rows:
            raise Rejected("row_limit", f"{name} has more than {self.max_rows:,} rows", "Split the file by day.")
        if rows * columns > cells:
            found = f"{name} has {rows:,} rows of {columns:,} columns"
            raise Rejected("row_limit", f"{found}, which is more than {cells:,} cells", _SMALLER)

    def check_reach(self, name: str, where: str, row: int, column: int, cells: int) -> None:
        """Raise `Rejected` when a value stands so far out that the rectangle up to it is too large."""
        if row > self.max_rows or (column > self.max_columns and row * column > cells):
            raise self.far(name, where, row, column)

    def check_sheets(self, number: int) -> None:
        """Raise `Rejected` when a workbook has more sheets than are read."""
        if number > self.max_sheets:
            found = f"the workbook has {number:,} sheets"
            raise Rejected("sheet_limit", found, f"At most {self.max_sheets} are read.")

    def long_cell(self, row: int | None = None) -> Rejected:
        """The refusal of a cell with too many characters."""
        found = f"a cell holds more than {self.max_cell_characters:,} characters"
        return Rejected("cell_limit", found, "Remove notes from the extract.", row=row)

    def far(self, name: str, where: str, row: int, column: int) -> Rejected:
        """The refusal of a sheet with a value beyond the limits."""
        far = [f"{self.max_rows:,} rows"] * (row > self.max_rows)
        far += [f"{self.max_columns:,} columns"] * (column > self.max_columns)
        return Rejected(
            "row_limit" if row > self.max_rows else "column_limit",
            f"{name} has a value in {where}, far outside any table; at most {' and '.join(far)} are read",
            "Select the rows below and the columns beside the table, delete them, save and send the file again.",
        )


def sheet_title(name: str, number: int) -> str:
    """What messages call a worksheet: its name where it may be repeated, else its place."""
    text = shown(name)
    return f"sheet {number}" if text.startswith("[withheld") else f"sheet {text!r}"
