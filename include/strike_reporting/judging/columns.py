"""A column as what is to be told apart in it: each distinct value once, and by row which of them stands there.

What is asked of values is asked of each distinct one, however many rows hold it; what follows for rows is arithmetic on
whole columns of numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, overload

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Places = NDArray[np.int32]  # as Arrow keeps a dictionary's, so that a column it has read takes no memory of its own
Mask = NDArray[np.bool_]
_WIDEST = 2**62  # numbers beyond it would not fit
_AT_ONCE = 20_000  # rows whose cells are looked up together, values that are objects at the same time
_MANY = 100_000  # distinct values that are kept as objects at most
CODED = pa.dictionary(pa.int32(), pa.string())  # how texts are kept: each once, and by row which of them stands there


class Values(Sequence[Any]):
    """A great many distinct values as Arrow keeps them: as objects, a million texts would take six times the memory."""

    def __init__(self, kept: pa.Array) -> None:
        self._kept = kept

    def __len__(self) -> int:
        return len(self._kept)

    @overload
    def __getitem__(self, at: int) -> Any: ...
    @overload
    def __getitem__(self, at: slice) -> list[Any]: ...
    def __getitem__(self, at: int | slice) -> Any:
        return self._kept[at].to_pylist() if isinstance(at, slice) else self._kept[int(at)].as_py()

    def __iter__(self) -> Iterator[Any]:
        for start in range(0, len(self), _AT_ONCE):
            yield from self._kept.slice(start, _AT_ONCE).to_pylist()

    def where(self, mask: Mask) -> Values:
        """Some of them."""
        return Values(self._kept.filter(pa.array(mask)))


@dataclass(frozen=True, eq=False)
class Column:
    """`known`: distinct values (None may be one). codes: of each row, the place in `known` of what it holds."""

    known: Sequence[Any]
    codes: Places

    @classmethod
    def of(cls, column: pa.ChunkedArray | pa.Array) -> Column:
        """A column of Arrow's, encoded as a dictionary or not."""
        told = coded(column)
        known = told.dictionary
        return cls(known.to_pylist() if len(known) <= _MANY else Values(known), _places(told))

    @classmethod
    def numbered(cls, column: pa.ChunkedArray) -> Column:
        """A column of Arrow's of which only that is asked, which rows hold the same: its values are numbers."""
        told = coded(column)
        return cls(range(len(told.dictionary)), _places(told))

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
        places = np.cumsum(stands, dtype=np.int32) - 1
        if isinstance(self.known, Values):
            return Column(self.known.where(stands), places[codes])
        return Column([v for v, does in zip(self.known, stands, strict=True) if does], places[codes])

    def changed(self, to: Callable[[Any], Any]) -> Column:
        """The column of what each distinct value becomes; those that become equal are one."""
        known: dict[Any, int] = {}
        places = np.fromiter((known.setdefault(to(v), len(known)) for v in self.known), np.int32, len(self.known))
        return Column([*known], places[self.codes])


def coded(column: pa.ChunkedArray | pa.Array) -> pa.DictionaryArray:
    """A column of Arrow's encoded as a dictionary of what stands in it, of which a null may be one value.

    Of one that is a dictionary already the values stand in its order, which need not be that of the rows.
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if not pa.types.is_dictionary(array.type):
        return array.dictionary_encode(null_encoding="encode")
    indices, known, is_changed = array.indices, array.dictionary, bool(array.null_count)
    if is_changed:
        indices, known = indices.fill_null(len(known)), pa.concat_arrays([known, pa.nulls(1, known.type)])
    stands = np.zeros(len(known), np.bool_)
    stands[indices.to_numpy()] = True
    if not stands.all():  # values of rows that were taken out
        places = np.cumsum(stands, dtype=np.int32) - 1
        indices, known, is_changed = pa.array(places[indices.to_numpy()]), known.filter(pa.array(stands)), True
    return pa.DictionaryArray.from_arrays(indices, known) if is_changed else array


def plain(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """A column of Arrow's without codes."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def values(column: pa.ChunkedArray | pa.Array) -> list[Any]:
    """What a column of Arrow's holds, row by row: one of codes would make an object of each cell first."""
    found: list[Any] = plain(column).to_pylist()
    return found


def cells(table: pa.Table, names: Sequence[str], rows: Codes) -> Iterator[tuple[Any, ...]]:
    """What some rows hold in some columns, looked up some thousand at a time: there may be a million."""
    for start in range(0, len(rows), _AT_ONCE):
        some = table.select(names).take(pa.array(rows[start : start + _AT_ONCE]))
        yield from zip(*map(values, some.columns), strict=True)


def distinct(columns: Sequence[pa.ChunkedArray]) -> pa.Table:
    """Every combination of what rows hold in some columns, once."""
    told = pa.table(columns, [*map(str, range(len(columns)))])
    return told.group_by(told.column_names, use_threads=False).aggregate([])


def _places(told: pa.DictionaryArray) -> Places:
    found: Places = told.indices.to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    return found


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
        if not len(rows):
            return
        new, (first, *others) = np.asarray(rows, np.int64), self._parts
        is_first = not others and not len(first)
        if is_first and (new[1:] > new[:-1]).all():  # no copy is made of them
            self._parts = [new]
        else:
            self._parts.append(new)

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
        codes *= len(column.known)  # in place: there may be a million
        codes += column.codes
        many *= max(len(column.known), 1)
    return dense(codes)[0]


def dense(codes: Codes) -> tuple[Codes, int]:
    """Numbers renumbered from 0 without gaps, in the order of their size, and how many there are."""
    distinct, numbered = np.unique(codes, return_inverse=True)
    return numbered.astype(np.int64, copy=False), len(distinct)


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


def many_of(masks: Iterable[Mask], rows: int) -> Codes:
    """How many of some are so of each row; one after the other, for side by side they take eight times the memory."""
    found = np.zeros(rows, np.int64)
    for mask in masks:
        found += mask
    return found


def any_of(masks: Sequence[Mask], rows: int) -> Mask:
    """Where one of some is so."""
    return reduce(np.logical_or, masks, np.zeros(rows, np.bool_))
