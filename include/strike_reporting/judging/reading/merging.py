"""Merged cells: what stands in one stands in each of its rows, as a reader sees it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from strike_reporting.judging.problems import Rejected

_READS_AS_NUMBER = re.compile(r"[\s\xa3$\u20ac]*[-+(]?[\d.,'\s]*\d[\d.,'\s]*[)%]?\s*")
_MOST = 50_000


class Merged:
    """The merged ranges of a table that are open while its rows come, and those whose text reads as a number."""

    def __init__(self, name: str) -> None:
        """Start; `name` is what messages call the table."""
        self._name = name
        self._open: dict[int, tuple[int, Any]] = {}  # by column: the last row, and what stands there
        self._numbers: list[tuple[int, int, int]] = []

    def begin(self, column: int, first: int, last: int, value: Any) -> None:
        """A range that goes down to a row, and what stands in it.

        Raises:
            Rejected: there are more than any table has.
        """
        self._open[column] = (last, value)
        if isinstance(value, str) and _READS_AS_NUMBER.fullmatch(value):
            self._numbers.append((column, first, last))
            if len(self._numbers) > _MOST:
                found = f"{self._name} has more than {_MOST:,} merged cells"
                raise Rejected("merged_cells", found, "Undo the merging, and give every row its own values.")

    def filled(self, number: int, row: list[Any]) -> list[Any]:
        """A row with what is merged down into it."""
        for column, (last, value) in list(self._open.items()):
            if number <= last and column < len(row):
                row[column] = value
            if number >= last:
                del self._open[column]
        return row

    @property
    def columns(self) -> Iterable[int]:
        """The columns in which something is merged down into the next row."""
        return self._open

    @property
    def numbers(self) -> tuple[tuple[int, int, int], ...]:
        """Column, first and last row of each range that only repeats a number."""
        return tuple(self._numbers)
