"""Rows of text to an Arrow table, in batches: at no time is a whole file held as Python lists.

What is blank does not count: rows without a text are left out, and a column is counted when it holds more than one (a
heading over nothing is none). A file may so have stray blanks far below and beside its table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice, zip_longest

import pyarrow as pa

from strike_reporting.judging.reading.limits import Limits

BATCH = 5_000
WIDEST = 16_384  # columns that any spreadsheet has
_BLANK_TIMES = 4  # blank cells cost a quarter of others


class TableBuilder:
    """Collects rows; `name` is what messages call the table."""

    def __init__(self, name: str, limits: Limits, cells: int | None = None) -> None:
        """Start an empty table of at most so many cells."""
        self.name, self.limits = name, limits
        self.cells = limits.max_cells if cells is None else cells
        self.height = 0
        self._waiting: list[Sequence[str]] = []
        self._numbers: list[int] = []
        self._chunks: list[list[pa.Array]] = []
        self._number_chunks: list[pa.Array] = []
        self._held: list[int] = []  # by column, how many texts it holds, counted to two

    def add(self, number: int, row: Sequence[str]) -> None:
        """One row with its number in the file.

        Raises:
            Rejected: the table is now larger than the limits.
        """
        if not any(cell and not cell.isspace() for cell in row):
            return
        if len(row) > self.limits.max_columns:
            row = _without_blanks_beyond(self.limits.max_columns, row)
            self._check_width(len(row))
        self._waiting.append(row)
        self._numbers.append(number)
        if len(self._waiting) * len(row) >= BATCH * self.limits.max_columns or len(self._waiting) == BATCH:
            self._flush()

    def add_columns(self, first: int, columns: Iterable[Sequence[str]], height: int) -> None:
        """Rows given by column, none of them blank, numbered from `first`."""
        self._flush()
        self._numbers += range(first, first + height)
        self._append(list(columns), height)

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return self.height + len(self._waiting)

    @property
    def width(self) -> int:
        """How many columns hold more than a heading."""
        return sum(held > 1 for held in self._held)

    def table(self) -> pa.Table:
        """All rows; the builder is empty afterwards."""
        self._flush()
        columns: list[pa.Array] = [pa.chunked_array(self._number_chunks, pa.int64()).combine_chunks()]
        self._number_chunks = []
        while self._chunks:
            texts = pa.chunked_array(self._chunks.pop(0), pa.string())
            columns.append(texts.dictionary_encode(null_encoding="encode").combine_chunks())
        names = ["row", *map(str, range(1, len(columns)))]
        return pa.table(columns, names=names)

    def _check_width(self, columns: int) -> None:
        if columns > WIDEST:
            self.limits.check_shape(self.name, self.height, columns, self.cells)

    def _flush(self) -> None:
        height = len(self._waiting)
        if height:
            columns = list(zip_longest(*self._waiting))
            self._waiting = []
            self._append(columns, height)

    def _append(self, columns: Sequence[Sequence[str | None]], height: int) -> None:
        self._check_width(len(columns))
        before, self.height = self.height, self.height + height
        self._held += [0] * (len(columns) - len(self._held))
        for place, column in enumerate(columns):
            if self._held[place] < 2:
                self._held[place] += len([*islice((c for c in column if c and not c.isspace()), 2)])
        self.limits.check_shape(self.name, self.height, self.width, self.cells)
        self.limits.check_extent(self.name, self.height, len(self._held), _BLANK_TIMES * self.cells)
        while len(self._chunks) < len(columns):
            self._chunks.append([pa.nulls(before, pa.string())] if before else [])
        for place, chunks in enumerate(self._chunks):
            chunks.append(
                pa.array(columns[place], pa.string()) if place < len(columns) else pa.nulls(height, pa.string())
            )
        self._number_chunks.append(pa.array(self._numbers, pa.int64()))
        self._numbers = []


def _without_blanks_beyond(columns: int, row: Sequence[str]) -> Sequence[str]:
    end = len(row)
    while end > columns and (not row[end - 1] or row[end - 1].isspace()):
        end -= 1
    return row[:end]
