"""Rows of text to an Arrow table, in batches: at no time is a whole file held as Python lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

import pyarrow as pa

from strike_reporting.judging.reading.limits import Limits

BATCH = 5_000


class TableBuilder:
    """Collects rows; `name` is what messages call the table."""

    def __init__(self, name: str, limits: Limits, cells: int | None = None) -> None:
        """Start an empty table of at most so many cells."""
        self.name, self.limits, self.cells = name, limits, cells
        self.height = 0
        self._waiting: list[Sequence[str]] = []
        self._numbers: list[int] = []
        self._chunks: list[list[pa.Array]] = []
        self._number_chunks: list[pa.Array] = []

    def add(self, number: int, row: Sequence[str]) -> None:
        """One row with its number in the file.

        Raises:
            Rejected: the table is now larger than the limits.
        """
        self._waiting.append(row)
        self._numbers.append(number)
        if len(row) > self.limits.max_columns:
            self.limits.check_shape(self.name, self.height, len(row), self.cells)
        if len(self._waiting) == BATCH:
            self._flush()

    def add_columns(self, first: int, columns: Iterable[list[str]], height: int) -> None:
        """Rows given by column, numbered from `first`."""
        self._numbers += range(first, first + height)
        self._append([pa.array(c, pa.string()) for c in columns], height)

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

    def _flush(self) -> None:
        height = len(self._waiting)
        if height:
            columns = [pa.array(c, pa.string()) for c in zip_longest(*self._waiting)]
            self._waiting = []
            self._append(columns, height)

    def _append(self, columns: list[pa.Array], height: int) -> None:
        before, self.height = self.height, self.height + height
        self.limits.check_shape(self.name, self.height, max(len(self._chunks), len(columns)), self.cells)
        while len(self._chunks) < len(columns):
            self._chunks.append([pa.nulls(before, pa.string())] if before else [])
        columns += [pa.nulls(height, pa.string())] * (len(self._chunks) - len(columns))
        for chunks, column in zip(self._chunks, columns, strict=True):
            chunks.append(column)
        self._number_chunks.append(pa.array(self._numbers, pa.int64()))
        self._numbers = []
