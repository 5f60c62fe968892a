"""A table that may hold an extract: where its headings are, and what stands under each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from strike_reporting.extracts import slug
from strike_reporting.intake.dialects import TOTALS
from strike_reporting.intake.forms import joined, labelled

_LOOKED_AT = 2_000  # rows below the headings: what a column holds shows in fewer


@dataclass(frozen=True)
class Table:
    """One sheet, or a text read in one way. `name`: of the sheet; `delimiter` and `encoding`: of the text."""

    name: str
    rows: Sequence[Sequence[str]]
    delimiter: str = ""
    encoding: str = ""


@dataclass(frozen=True)
class Headed:
    """A table read with some of its rows as headings. header: the last of them; depth: how many; form: lying down."""

    table: Table
    header: int
    depth: int = 1
    form: bool = False

    @cached_property
    def headings(self) -> list[str]:
        """One a column; of several rows joined, the upper ones reaching to the right."""
        return joined([self._rows[i] for i in range(self.header - self.depth + 1, self.header + 1)])

    @cached_property
    def _rows(self) -> list[list[str]]:
        if not self.form:
            return [[c.strip() for c in row] for row in self.table.rows]
        pairs = [pair for row in self.table.rows if (pair := labelled(row))]
        return [[label for label, _ in pairs], [value for _, value in pairs]]

    @cached_property
    def body(self) -> list[list[str]]:
        """The rows below, as wide as the headings; empty ones are left out."""
        width = len(self.headings)
        rows = self._rows[self.header + 1 : self.header + 1 + _LOOKED_AT]
        return [(row + [""] * width)[:width] for row in rows if any(row)]

    @property
    def above(self) -> list[str]:
        """The texts above the headings: titles."""
        return [c for row in self._rows[: self.header - self.depth + 1] for c in row if c]

    @cached_property
    def lowest(self) -> list[str]:
        """What the last row of headings alone says, as wide as the headings."""
        own = self._rows[self.header]
        return (own + [""] * len(self.headings))[: len(self.headings)]

    def column(self, place: int) -> list[str]:
        """What stands under a heading in rows that may be data: no empty cells, notes or totals."""
        return [row[place] for row in self._likely if row[place]]

    @cached_property
    def totals(self) -> list[list[str]]:
        """Rows that say at their beginning that they are a total."""
        totals = {slug(t) for t in TOTALS}
        return [r for r in self.body if any(slug(c) in totals for c in r[:3] if c)]

    @cached_property
    def _likely(self) -> list[list[str]]:
        least = min(2, sum(map(bool, self.headings)))
        return [r for r in self.body if sum(map(bool, r)) >= least and r not in self.totals]
