"""A column as what is to be told apart in it: each distinct value once, and by row which of them stands there.

What is asked of values is asked of each distinct one, however many rows hold it; what follows for rows is arithmetic on
whole columns of numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]
_WIDEST = 2**62  # numbers beyond it would not fit


@dataclass(frozen=True, eq=False)
class Column:
    """`known`: distinct values (None may be one). codes: of each row, the place in `known` of what it holds."""

    known: list[Any]
    codes: Codes

    @classmethod
    def of(cls, column: pa.ChunkedArray | pa.Array) -> Column:
        """A column of Arrow's, encoded as a dictionary or not."""
        array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        if isinstance(array, pa.ChunkedArray):  # there are no rows
            return cls([], np.zeros(0, np.int64))
        is_coded = pa.types.is_dictionary(array.type)
        if is_coded and array.indices.null_count:
            array, is_coded = array.dictionary_decode(), False
        coded = array if is_coded else array.dictionary_encode(null_encoding="encode")
        return cls(coded.dictionary.to_pylist(), coded.indices.to_numpy(zero_copy_only=False).astype(np.int64))

    def value(self, at: int) -> Any:
        """What one row holds."""
        return self.known[self.codes[at]]

    def of_each(self, ask: Callable[[Any], bool]) -> Mask:
        """Of every distinct value, whether something is so."""
        return np.fromiter(map(ask, self.known), np.bool_, len(self.known))

    def where(self, ask: Callable[[Any], bool]) -> Mask:
        """Of every row, whether something is so of its value."""
        return self.of_each(ask)[self.codes]

    def of_codes(self, codes: Sequence[int]) -> Mask:
        """Of every row, whether it holds one of the distinct values that stand at some places."""
        found = np.zeros(len(self.known), np.bool_)
        found[[*codes]] = True
        return found[self.codes]

    def taken(self, rows: Codes | Mask | slice) -> Column:
        """Some of the rows; known is then only what stands in them. Of a slice, the codes may be the same memory."""
        codes = self.codes[rows]
        stands = np.zeros(len(self.known), np.bool_)
        stands[codes] = True
        if stands.all():
            return Column(self.known, codes)
        places = np.cumsum(stands) - 1
        return Column([v for v, does in zip(self.known, stands, strict=True) if does], places[codes])

    def changed(self, to: Callable[[Any], Any]) -> Column:
        """The column of what each distinct value becomes; those that become equal are one."""
        known: dict[Any, int] = {}
        places = np.fromiter((known.setdefault(to(v), len(known)) for v in self.known), np.int64, len(self.known))
        return Column([*known], places[self.codes])


class Marked:
    """Some rows of a table by their numbers, each once and in order: eight bytes a row, where a set takes seventy."""

    def __init__(self, rows: Codes | Sequence[int] = ()) -> None:
        self._parts = [np.asarray(rows, np.int64)]

    @property
    def rows(self) -> Codes:
        """Their numbers."""
        if len(self._parts) > 1:
            self._parts = [np.unique(np.concatenate(self._parts))]
        return self._parts[0]

    def add(self, rows: Codes | Sequence[int]) -> None:
        """Mark more of them."""
        if len(rows):
            self._parts.append(np.asarray(rows, np.int64))

    def among(self, rows: Codes) -> Mask:
        """Of some numbers, which are marked."""
        return np.isin(rows, self.rows) if len(self.rows) else np.zeros(len(rows), np.bool_)

    def __iter__(self) -> Iterator[int]:
        return iter(self.rows.tolist())

    def __sub__(self, other: Marked) -> Marked:
        return Marked(self.rows[~other.among(self.rows)]) if len(self.rows) else self

    def __len__(self) -> int:
        return len(self.rows)


def is_filled(text: str | None) -> bool:
    """Whether a cell's text says anything."""
    return bool(text and text.strip())


def alike(columns: Iterable[Column], rows: int) -> Codes:
    """A number for each row from 0, the same where rows hold the same in every one of some columns."""
    codes, many = np.zeros(rows, np.int64), 1
    for column in columns:
        if many * max(len(column.known), 1) >= _WIDEST:
            codes, many = dense(codes)
        codes = codes * len(column.known) + column.codes
        many *= max(len(column.known), 1)
    return dense(codes)[0]


def dense(codes: Codes) -> tuple[Codes, int]:
    """Numbers renumbered from 0 without gaps, in the order of their size, and how many there are."""
    distinct, numbered = np.unique(codes, return_inverse=True)
    return numbered.astype(np.int64), len(distinct)


def sums(codes: Codes, values: Codes, groups: int) -> Codes:
    """What the values of each group's rows add up to."""
    found = np.zeros(groups, np.int64)
    np.add.at(found, codes, values)
    return found


def least(codes: Codes, values: Codes, groups: int) -> Codes:
    """The least value of each group's rows; the greatest number there is of a group without any."""
    found = np.full(groups, np.iinfo(np.int64).max)
    np.minimum.at(found, codes, values)
    return found


def any_of(masks: Sequence[Mask], rows: int) -> Mask:
    """Where one of some is so."""
    return reduce(np.logical_or, masks, np.zeros(rows, np.bool_))
