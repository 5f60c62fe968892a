"""The rows of a table as totals are told by, and those that say of themselves that they are a part of another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

import numpy as np

from strike_reporting.extracts import slug
from strike_reporting.judging.cells import Unreadable, folded, readers
from strike_reporting.judging.columns import Column, Mask, alike, any_of, least
from strike_reporting.judging.matching import Matched
from strike_reporting.judging.problems import Problem
from strike_reporting.judging.rows import Body, counted
from strike_reporting.settings import settings

Counts = tuple[int | None, ...]
_MOST = 10**12  # more than anything that is counted; sums of a file's numbers then fit
_OF_WHICH = ("of_which", "including", "incl_")


def label_places(matched: Matched) -> dict[int, str]:
    """Where the labels of a row stand, each with its field; empty for a column that nothing maps."""
    contract, numbers = matched.contract, {*counted(matched), matched.nil}
    names = {place: name for name, place in matched.columns.items()}
    left_out = {contract.record_field, *(f.name for f in contract.fields if f.type == "date32" and not f.required)}
    width = len(matched.headings)
    return {p: names.get(p, "") for p in range(width) if p not in numbers and names.get(p, "") not in left_out}


class Lines:
    """The rows of a table as totals are told by: their labels by column (folded), and their numbers.

    values: by number, of each row (0 where it gives none); given: which rows give it.
    """

    def __init__(self, matched: Matched, body: Body, labels: Iterable[int]) -> None:
        read = readers(matched.contract, matched.dialect)[matched.contract.count_field]

        def count(text: str) -> int | None:
            try:
                found: int | None = read(text)
            except Unreadable:
                return None
            return found

        self.labels = {p: body.column(p).changed(folded) for p in labels}
        columns = [body.column(p).changed(count) for p in counted(matched)]
        known = [np.array([min(n or 0, _MOST) for n in c.known], np.int64) for c in columns]
        self.values = [k[c.codes] for k, c in zip(known, columns, strict=True)]
        self.given = [c.where(lambda n: n is not None) for c in columns]

    def counts(self, at: int) -> Counts:
        """The numbers of one row; None where it gives none."""
        return tuple(int(v[at]) if g[at] else None for v, g in zip(self.values, self.given, strict=True))

    def label(self, at: int, place: int) -> str:
        """One label of one row."""
        found: str = self.labels[place].value(at)
        return found

    def with_defaults(self, defaults: Mapping[int, str]) -> dict[int, Column]:
        """The labels where an empty cell says a field's default."""
        return {p: c.changed(partial(_or_else, defaults.get(p, ""))) for p, c in self.labels.items()}


def _or_else(default: str, label: str) -> str:
    return label or default


def of_which(matched: Matched, body: Body, labels: dict[int, str]) -> Mask:
    """The rows that are a part of another (“of which”).

    In a column that nothing reads the words may be a comment on the row (“including 9 cancer patients”): it is a part
    only of another row that is alike in all that is read, and no less.
    """

    def say(is_read: bool) -> Mask:
        columns = [c for p, c in enumerate(body.columns) if (p in matched.filled) == is_read]
        return any_of([c.where(lambda t: slug(t).startswith(_OF_WHICH)) for c in columns], body.height)

    found = say(is_read=True)
    maybe = say(is_read=False) & ~found
    if not maybe.any():
        return found
    lines = Lines(matched, body, [p for p, name in labels.items() if name])
    groups, others = alike(lines.labels.values(), body.height), ~(found | maybe)
    may = np.isin(groups, groups[others])
    for values, given in zip(lines.values, lines.given, strict=True):
        most = np.zeros(int(groups.max()) + 1, np.int64)
        np.maximum.at(most, groups[others], values[others])
        may &= ~given | (values <= most[groups])
    return found | (maybe & may)


def told_twice(matched: Matched, body: Body) -> Iterator[Problem]:
    """A question for each line of a wide return that is alike another in all but its numbers."""
    if matched.dialect.unpivot is None:
        return
    lines = Lines(matched, body, label_places(matched))
    said = alike(lines.labels.values(), body.height)
    before = least(said, np.arange(body.height), int(said.max(initial=-1)) + 1)[said]
    differs = any_of([values != values[before] for values in lines.values], body.height)
    for at in np.flatnonzero(differs)[: settings().repeated_rows_listed].tolist():
        message = f"this row is alike row {body.numbers[before[at]]} in all but its numbers; both are counted"
        fix = "If one replaces the other, send that only. If both count, say in a column how they differ."
        yield Problem("told_twice", "warning", message, fix, int(body.numbers[at]))
