"""Many findings as columns: a file may be wrong in every one of a million rows.

What findings share is kept once. As an object each would take four times the memory, and take it from the rows.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from operator import eq
from typing import Any, NamedTuple, overload

import numpy as np
import pyarrow as pa

from strike_reporting.extracts import Severity
from strike_reporting.judging.columns import Codes
from strike_reporting.judging.problems import Problem
from strike_reporting.judging.texts import Texts

RANK: dict[str, int] = {"critical": 0, "error": 1, "warning": 2}
_NONE = -1  # no row
_MESSAGES, _VALUES = 100_000, 500  # texts that are known again: many messages name the row that another repeats
SCHEMA = pa.schema(
    [("row", pa.int64())]
    + [(n, pa.string()) for n in ("column", "value", "rule", "severity", "message", "fix", "day", "sheet")]
)


class _Kind(NamedTuple):
    """What many findings share."""

    rule: str
    severity: Severity
    fix: str
    column: str | None
    sheet: str | None


class Findings(Sequence[Problem]):
    """Findings in order; each is made an object when it is asked for."""

    def __init__(self, problems: Iterable[Problem] = ()) -> None:
        """Take some over."""
        self._kinds: dict[_Kind, int] = {}
        self._kind, self._row = array("i"), array("q")
        self._message, self._value, self._day = Texts(_MESSAGES), Texts(_VALUES), Texts(_VALUES)
        self += problems

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(eq, self, other))

    __hash__ = None  # type: ignore[assignment]  # it grows

    def __len__(self) -> int:
        return len(self._kind)

    @overload
    def __getitem__(self, at: int) -> Problem: ...
    @overload
    def __getitem__(self, at: slice) -> list[Problem]: ...
    def __getitem__(self, at: int | slice) -> Problem | list[Problem]:
        kinds = [*self._kinds]
        if isinstance(at, slice):
            return [self._made(kinds, n) for n in range(len(self))[at]]
        return self._made(kinds, at)

    def __iter__(self) -> Iterator[Problem]:
        kinds = [*self._kinds]
        return (self._made(kinds, n) for n in range(len(self)))

    def _made(self, kinds: Sequence[_Kind], at: int) -> Problem:
        rule, severity, fix, column, sheet = kinds[self._kind[at]]
        row = None if (number := self._row[at]) == _NONE else number
        message = self._message[at] or ""
        return Problem(rule, severity, message, fix, row, column, self._value[at], self._day[at], sheet)

    def __iadd__(self, problems: Iterable[Problem]) -> Findings:
        if not isinstance(problems, Findings):
            for problem in problems:
                self.append(problem)
            return self
        to = [self._kinds.setdefault(kind, len(self._kinds)) for kind in problems._kinds]
        self._kind.extend(map(to.__getitem__, problems._kind))
        self._row += problems._row
        self._message += problems._message
        self._value += problems._value
        self._day += problems._day
        return self

    def append(self, problem: Problem) -> None:
        """One more."""
        kind = _Kind(problem.rule, problem.severity, problem.fix, problem.column, problem.sheet)
        self._kind.append(self._kinds.setdefault(kind, len(self._kinds)))
        self._row.append(_NONE if problem.row is None else problem.row)
        self._message.append(problem.message)
        self._value.append(problem.value)
        self._day.append(problem.day)

    @property
    def rows(self) -> Codes:
        """The row of each; -1 where it is about the file."""
        return np.array(self._row, np.int64)

    @property
    def sheets(self) -> list[str | None]:
        """The sheet of each."""
        kinds = [*self._kinds]
        return [kinds[n].sheet for n in self._kind]

    def tally(self, *fields: str) -> Counter[tuple[Any, ...]]:
        """How many there are by some of the fields of their kinds."""
        found = Counter[tuple[Any, ...]]()
        often = np.bincount(np.array(self._kind, np.int32), minlength=len(self._kinds)).tolist()
        for kind, n in zip(self._kinds, often, strict=True):
            if n:
                found[tuple(getattr(kind, field) for field in fields)] += n
        return found

    def first(self, severity: Severity) -> Problem | None:
        """The first of a severity."""
        mine = [n for kind, n in self._kinds.items() if kind.severity == severity]
        is_mine = np.isin(np.array(self._kind, np.int32), mine)
        return self[int(is_mine.argmax())] if is_mine.any() else None

    def place(self, sheet: str | None, days: Iterable[str | None]) -> None:
        """Say the sheet of all, and the day of each where there is one to say."""
        moved: dict[_Kind, int] = {}
        to = [moved.setdefault(kind._replace(sheet=sheet), len(moved)) for kind in self._kinds]
        self._kind = array("i", map(to.__getitem__, self._kind))
        self._kinds = moved
        self._day.become(new or old for new, old in zip(days, self._day, strict=True))

    def order(self) -> None:
        """Put the most serious first, then by row, column and rule."""
        kind, rows = np.asarray(self._kind), np.asarray(self._row)  # views: there may be a million
        last = [(k.column or "", k.rule) for k in self._kinds]
        rank = {told: n for n, told in enumerate(sorted({*last}))}
        key = np.array([RANK[k.severity] for k in self._kinds], np.int64)[kind]
        key *= rows.max(initial=0) + 1
        key += np.maximum(rows, 0)
        key *= len(rank)
        key += np.array([rank[told] for told in last], np.int64)[kind]
        order = np.argsort(key, kind="stable")
        if (order[1:] > order[:-1]).all():
            return
        self._kind, self._row = array("i", kind[order]), array("q", rows[order])
        del kind, rows, key
        for texts in (self._message, self._value, self._day):
            texts.take(order)

    def table(self, first: int, end: int) -> pa.Table:
        """Some of them as they are kept."""
        kinds = [*self._kinds]
        told: dict[str, list[str | None] | list[int | None]] = {
            "row": [None if n == _NONE else n for n in self._row[first:end]],
            "message": self._message[first:end],
            "value": self._value[first:end],
            "day": self._day[first:end],
        }
        of = [kinds[n] for n in self._kind[first:end]]
        told |= {name: [getattr(kind, name) for kind in of] for name in _Kind._fields}
        return pa.table(told, SCHEMA)

    @classmethod
    def kept(cls, table: pa.Table) -> Findings:
        """Findings as they were kept."""
        return cls(Problem(**row) for batch in table.to_batches(10_000) for row in batch.to_pylist())
