"""What reading hands on: a file as tables of text, each row with the number that its sender sees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa

from strike_reporting.judging.problems import Problem

if TYPE_CHECKING:
    from strike_reporting.judging.columns import Column

NEVER_CALCULATED = (
    "#UNCALCULATED!"  # stands where a formula has no result: whoever wrote the file left it to be worked out
)

RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")  # 12 with the footnote 1 is not 121


@dataclass(frozen=True)
class Layout:
    """One way to read delimited text: the encodings to try in this order, and the delimiter."""

    encodings: tuple[str, ...]
    delimiter: str


@dataclass(frozen=True, eq=False)
class Sheet:
    """One table of text: a worksheet, a Parquet file, or delimited text under each of `layouts`.

    `table` has the rows' numbers in the file (1 is the first) and then the columns, dictionaries of text; a null is
    a cell that a shorter row does not have. `commonest` marks a text's table under its most frequent delimiter.
    `file` names the member of an archive that it is from. `merged` tells which cells only repeat the one above: column
    (0 is the first), first and last row number of each merged range whose text reads as a number. Such a text may be a
    code, which stands for every row, or a count, which stands once; real numbers are never repeated.
    """

    table: pa.Table
    name: str = ""
    hidden: bool = False
    layouts: tuple[Layout, ...] = ()
    commonest: bool = False
    file: str = ""
    merged: tuple[tuple[int, int, int], ...] = ()

    def number(self, at: int) -> int:
        """The number in the file of one row."""
        found: int = self.table.column(0)[at].as_py()
        return found

    def numbers(self, first: int = 0, end: int | None = None) -> list[int]:
        """The numbers in the file of some rows, or of all."""
        found: list[int] = self.table.column(0)[first:end].to_pylist()
        return found

    @cached_property
    def columns(self) -> list[Column]:
        """The texts of each column; None where a shorter row has no cell."""
        from strike_reporting.judging.columns import Column  # the reading worker, which fills sheets, has no numpy

        return [Column.of(column) for column in self.table.columns[1:]]

    def forget(self) -> None:
        """Let go of the texts; whoever asks for them again has them made again."""
        self.__dict__.pop("columns", None)

    @property
    def rows(self) -> list[list[str]]:
        """Every row's cells."""
        return self.between(0, self.table.num_rows)

    def between(self, first: int, end: int) -> list[list[str]]:
        """The cells of some rows."""
        cells = [[c.known[n] for n in c.codes[first:end].tolist()] for c in self.columns]
        return list(_trimmed(zip(*cells, strict=True)))

    def head(self, rows: int) -> list[list[str]]:
        """The first rows' cells."""
        return self.between(0, rows)


@dataclass(frozen=True)
class Unread:
    """Layouts under which a text cannot be read, and why."""

    problem: Problem
    layouts: tuple[Layout, ...]
    file: str = ""


@dataclass(frozen=True, eq=False)
class Document:
    """A file, parsed once: for the guard, for matching and for normalising."""

    sheets: tuple[Sheet, ...]
    unread: tuple[Unread, ...] = ()
    members: tuple[str, ...] = ()  # of an archive, in its order

    @classmethod
    def of(cls, parts: Iterable[Sheet | Unread]) -> Document:
        """A document of what a parser yields."""
        found = list(parts)
        sheets = tuple(p for p in found if isinstance(p, Sheet))
        return cls(
            sheets, tuple(p for p in found if isinstance(p, Unread)), tuple(dict.fromkeys(p.file for p in found))
        )

    @property
    def files(self) -> list[Document]:
        """A document for each member of an archive, in its order; a plain file is its only one."""
        return self._members if len(self.members) > 1 else [self]  # not kept: what holds itself is freed late

    @cached_property
    def _members(self) -> list[Document]:
        parts: list[Sheet | Unread] = [*self.sheets, *self.unread]
        return [Document.of(p for p in parts if p.file == name) for name in self.members]

    @property
    def is_text(self) -> bool:
        """Whether it is delimited text, so that its sheets are readings of the same characters."""
        return bool(self.unread) or any(s.layouts or s.commonest for s in self.sheets)

    @property
    def visible(self) -> list[Sheet]:
        """The sheets of a workbook that its sender sees."""
        return [s for s in self.sheets if not s.hidden]

    @property
    def whole(self) -> list[Sheet]:
        """All that the file holds, once: hidden sheets too, and a text under its most frequent delimiter."""
        if len(self.files) > 1:
            return [sheet for document in self.files for sheet in document.whole]
        return [s for s in self.sheets if s.commonest] if self.is_text else list(self.sheets)

    def under(self, layout: Layout) -> Sheet | Problem | None:
        """A text under one layout: its table, why it cannot be read so, or None when it lacks the delimiter."""
        for sheet in self.sheets:
            if layout in sheet.layouts:
                return sheet
        return next((u.problem for u in self.unread if layout in u.layouts), None)


def _trimmed(rows: Iterable[tuple[str | None, ...]]) -> Iterator[list[str]]:
    for cells in rows:
        row = list(cells)
        while row and row[-1] is None:
            row.pop()
        yield row  # type: ignore[misc]  # a missing cell is always at the end
