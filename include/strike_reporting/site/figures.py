"""Figures: published numbers that carry the question they answer, so a page can be checked against its Parquet.

A query reads `[release/]table?column=value&column=a|b#field`; `#max:field` takes the highest instead of the sum,
`#count` counts rows, `#rank:field:code` is an area's place by the field, highest first. An empty value means null;
`left - right`, `left + right` and `left / right` (in percent) mean what they say. Each number on a page carries its
query in `data-q`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import Any
from urllib.parse import quote

from markupsafe import Markup, escape

from strike_reporting.site import words

Rows = list[dict[str, Any]]
_Asked = tuple[Callable[[dict[str, Any]], Any], dict[Any, Rows]]  # the key of a row or a question, and rows by it


@dataclass(frozen=True)
class Figure:
    """A number, its text, and the query that gives it."""

    value: float | None
    text: str
    query: str

    def __html__(self) -> Markup:
        """The text, with the query beside it for whoever checks it."""
        return Markup(f'<span data-q="{escape(self.query)}">{escape(self.text)}</span>')  # noqa: S704 - both are escaped

    def __bool__(self) -> bool:
        """Whether it is known."""
        return self.value is not None


class Figures:
    """Looks figures up in the tables of one release."""

    def __init__(self, tables: dict[str, Rows], release: str = "") -> None:
        """`release` is written into queries when it is not the page's own release."""
        self._prefix = f"{release}/" if release else ""
        self._rows = tables
        self._indexes: dict[tuple[str, tuple[str, ...]], dict[Any, Rows]] = {}
        self._asked: dict[tuple[str, tuple[str, ...]], _Asked] = {}

    def rows(self, table: str, **where: Any) -> Rows:
        """Rows whose columns equal `where`; a tuple means any of its values."""
        return list(self._found(table, where))

    def _found(self, table: str, where: dict[str, Any]) -> Rows:
        """The same, not to be changed: they may be what the index holds."""
        several = [(k, frozenset(v)) for k, v in where.items() if isinstance(v, tuple)]
        one = {k: v for k, v in where.items() if not isinstance(v, tuple)} if several else where
        names = (table, tuple(one))
        if names not in self._asked:
            self._asked[names] = self._asking(table, tuple(sorted(one)))
        key, index = self._asked[names]
        found = index.get(key(one), [])
        for name, values in several:
            found = [r for r in found if r[name] in values]
        return found

    def _asking(self, table: str, columns: tuple[str, ...]) -> _Asked:
        """How the rows of a table are looked up by columns that a page asks by: thousands of cells ask the same."""
        key: Callable[[dict[str, Any]], Any] = itemgetter(*columns) if columns else _nothing
        if (table, columns) not in self._indexes:
            index = self._indexes[table, columns] = defaultdict(list)
            for row in self._rows[table]:
                index[key(row)].append(row)
        return key, self._indexes[table, columns]

    def total(
        self, table: str, field: str, *, take: str = "sum", percent: bool = False, places: int = 0, **where: Any
    ) -> Figure:
        """The sum (or `take="max"`) of a field over the known values; [x] when none is known."""
        known = [r[field] for r in self._found(table, where) if r[field] is not None]
        value = (max(known) if take == "max" else sum(known)) if known else None
        text = words.percent(value) if percent else words.number(value, places)
        return Figure(value, text, self._query(table, where, field if take == "sum" else f"{take}:{field}"))

    def count(self, table: str, **where: Any) -> Figure:
        """How many rows there are: none is a true nought."""
        number = len(self._found(table, where))
        return Figure(number, words.number(number), self._query(table, where, "count"))

    def rank(self, table: str, field: str, code: str, **where: Any) -> Figure:
        """An area's place among areas by a field, highest first; equal values share a place."""
        values = {r["area_code"]: r[field] for r in self._found(table, where) if r[field] is not None}
        place = 1 + sum(v > values[code] for v in values.values()) if code in values else None
        return Figure(place, words.number(place), self._query(table, where, f"rank:{field}:{code}"))

    def _query(self, table: str, where: dict[str, Any], field: str) -> str:
        parts = "&".join(f"{k}={_text(v)}" for k, v in where.items())
        return f"{self._prefix}{table}?{parts}#{field}"


def change(now: Figure, before: Figure) -> Figure | None:
    """`up 12`, `down 3`, `up by under 0.1` or `no change`; None unless both are known."""
    if now.value is None or before.value is None:
        return None
    value = now.value - before.value
    if not value:
        return Figure(value, "no change", f"{now.query} - {before.query}")
    size = words.number(abs(value), 0 if float(value).is_integer() else 1)
    if not float(size.replace(",", "")):
        size = "by under 0.1"
    unit = " percentage points" if "%" in now.text else ""
    return Figure(value, f"{'up' if value > 0 else 'down'} {size}{unit}", f"{now.query} - {before.query}")


def less(whole: Figure, part: Figure) -> Figure:
    """What is left of a whole without a part; [x] unless both are known."""
    known = whole.value is not None and part.value is not None
    value = (whole.value or 0) - (part.value or 0) if known else None
    return Figure(value, words.number(value), f"{whole.query} - {part.query}")


def ratio(part: Figure, whole: Figure) -> Figure:
    """A part in percent of its whole; [x] unless both are known and there is a whole."""
    value = 100 * part.value / whole.value if part.value is not None and whole.value else None
    return Figure(value, words.percent(value), f"{part.query} / {whole.query}")


def together(figures: Sequence[Figure]) -> Figure:
    """The sum of the known ones; [x] when none is known."""
    known = [f for f in figures if f.value is not None]
    value = sum(f.value or 0 for f in known) if known else None
    return Figure(value, words.number(value), " + ".join(f.query for f in known))


def _nothing(_: dict[str, Any]) -> None:
    """The key of all rows together."""


@lru_cache(maxsize=100_000, typed=True)
def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "|".join(_text(v) for v in value)
    if value is None:
        return ""
    return quote(value.isoformat() if isinstance(value, date) else str(value), safe="")


@dataclass(frozen=True)
class Head:
    """One heading of a table: its words, whether it stands over numbers, and the key of the term that explains it."""

    text: str
    is_number: bool = True
    term: str = ""


@dataclass(frozen=True)
class Row:
    """One row of a table on a page: its heading, its cells, and what a filter may look for besides its text."""

    head: str | Markup
    cells: Sequence[Figure | str | Markup]
    id: str = ""
    tags: str = ""


@dataclass(frozen=True)
class Table:
    """A table on a page.

    heads: the headings; a text that starts with `#` stands over numbers. behind: a link to the submissions that its
    figures come from, where its rows do not lead there themselves. says: how much of a whole it explains.
    """

    id: str
    caption: str | Markup
    heads: Sequence[str | Head]
    rows: Sequence[Row]
    search: str = ""  # label of the search box; none when empty
    choices: tuple[tuple[str, str], ...] = ()  # (tag, name) that a list box filters by
    choice_label: str = ""
    behind: str = ""
    says: Sequence[Markup] = ()

    @cached_property
    def columns(self) -> list[Head]:
        """The headings."""
        return [h if isinstance(h, Head) else Head(h.removeprefix("#"), h.startswith("#")) for h in self.heads]
