"""Totals among parts: a row that says what other rows say together is left out, and said.

A word for a total is believed when it equals its parts; where it does not, the day is marked. A row without a word, or
with an unknown one, that equals the others is a question to its sender. Nothing that may be a total counts in silence.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import accumulate
from typing import Any

from strike_reporting.extracts import slug
from strike_reporting.judging.cells import Unreadable, clean, reader
from strike_reporting.judging.matching import Matched
from strike_reporting.judging.problems import Problem, shown
from strike_reporting.judging.rows import Body, counted
from strike_reporting.settings import settings

Counts = tuple[int | None, ...]
Sums = tuple[int, ...]
Lost = tuple[str | None, date | None]
_OF_WHICH = ("of_which", "including", "incl_")
_DONE = "Nothing need be done; it is better to send the parts only."
_FIX = "Send the parts only, or ask for the feed's dialect to know the word (`totals`)."


@dataclass(frozen=True)
class _Line:
    """A row: its place in the body, its labels by column (folded), and its numbers."""

    at: int
    labels: dict[int, str]
    counts: Counts


def without_totals(matched: Matched, body: Body) -> list[Lost]:
    """Take totals out of a table's rows, and say so in its problems.

    Returns:
        Trust and day of each total that its parts contradict, where it says them.
    """
    words = {slug(w) for w in matched.dialect.totals}
    labels = _label_places(matched)
    totals = _totals(matched, body, labels, words)
    hits = {c for c in {c for row in body.rows for c in row} if slug(c).startswith(_OF_WHICH)}
    of_which = {n for n, row in enumerate(body.rows) if hits and not hits.isdisjoint(row)}
    for at in sorted(of_which):
        message = "this row is a part of another (“of which”), and is not added"
        body.problems.append(Problem("of_which", "warning", message, _DONE, body.numbers[at]))
    lines = _lines(matched, body, labels) if totals or _has_gaps(matched, body, labels) else []
    plain = [line for line in lines if line.at not in totals and line.at not in of_which]
    parts = _Parts(plain)
    out, marked = set(of_which), list[Lost]()
    for at, places in totals.items():
        said = _said(matched, body, lines[at], {p: labels[p] for p in places}, parts, words)
        if said is None:  # no part of it was sent: it is the figure itself
            body.rows[at] = ["" if p in places else text for p, text in enumerate(body.rows[at])]
            continue
        out.add(at)
        body.problems.append(said)
        if said.severity == "error":
            row = body.rows[at]
            marked.append((_value(matched, row, "ods_code"), _value(matched, row, matched.contract.date_field)))
    for said, at in _unnamed(matched, body, plain, labels):
        body.problems.append(said)
        if said.severity == "warning":
            out.add(at)
    body.drop(out)
    return marked


def _label_places(matched: Matched) -> dict[int, str]:
    """Where the labels of a row stand, each with its field; empty for a column that nothing maps."""
    contract, numbers = matched.contract, {*counted(matched), matched.nil}
    names = {place: name for name, place in matched.columns.items()}
    left_out = {contract.record_field, *(f.name for f in contract.fields if f.type == "date32" and not f.required)}
    width = len(matched.headings)
    return {p: names.get(p, "") for p in range(width) if p not in numbers and names.get(p, "") not in left_out}


def _is_total(text: str, words: set[str], *, is_label: bool) -> bool:
    """Whether a cell is a word for a total, alone or (in a column that is read) with what it is the total of."""
    said = slug(clean(text))
    if said in words:
        return True
    return is_label and any(
        said.startswith(f"{w}_") or said.endswith(f"_{w}") for w in words if w.endswith(("total", "totals"))
    )


def _totals(matched: Matched, body: Body, labels: dict[int, str], words: set[str]) -> dict[int, list[int]]:
    """The rows with a word for a total, and in which columns."""
    found: dict[int, list[int]] = defaultdict(list)
    for place, name in labels.items():
        known = matched.contract.field(name).lookup if name else {}
        column = [row[place] if place < len(row) else "" for row in body.rows]
        hits = {t for t in {*column} if t.strip() and slug(t) not in known and _is_total(t, words, is_label=bool(name))}
        for at, text in enumerate(column) if hits else ():
            if text in hits:
                found[at].append(place)
    for at, row in enumerate(body.rows):  # a total that has no word for it either
        if not any(row[p].strip() for p in labels if p < len(row)):
            found[at] = []
    return found


def _lines(matched: Matched, body: Body, labels: Iterable[int]) -> list[_Line]:
    number = reader(matched.contract.field(matched.contract.count_field), matched.dialect)
    numbers_at = counted(matched)

    @cache
    def count(text: str) -> int | None:
        try:
            found: int | None = number(text)
        except Unreadable:
            return None
        return found

    @cache
    def folded(text: str) -> str:
        return slug(clean(text))

    return [
        _Line(
            at,
            {p: folded(row[p]) if p < len(row) else "" for p in labels},
            tuple(count(row[p]) if p < len(row) else None for p in numbers_at),
        )
        for at, row in enumerate(body.rows)
    ]


def _sum(lines: Iterable[_Line]) -> Sums:
    """The sums of each number; one that a row does not give adds nothing."""
    return tuple(sum(n or 0 for n in numbers) for numbers in zip(*(line.counts for line in lines), strict=True))


def _equal(counts: Counts, sums: Sums | None) -> bool:
    """Whether a row's numbers, those that it gives, are these sums."""
    return sums is not None and all(n is None or n == s for n, s in zip(counts, sums, strict=True))


class _Parts:
    """The rows that a total may be of, in order. Each way of asking is worked out once, however many totals ask so."""

    def __init__(self, lines: list[_Line]) -> None:
        self._lines = lines
        self._at = [line.at for line in lines]
        self._texts: dict[int, set[str]] = {}
        self._alike: dict[tuple[int, ...], dict[tuple[str, ...], Sums]] = {}
        nothing = (0,) * (len(lines[0].counts) if lines else 0)
        sums = accumulate((_sum([line]) for line in lines), _add, initial=nothing)
        self._before = list(sums)  # the sums of all lines before each
        self._begins: list[int] = []  # by line, the first of the block that it stands in
        for n, at in enumerate(self._at):
            goes_on = n > 0 and self._at[n - 1] == at - 1
            self._begins.append(self._begins[-1] if goes_on else n)

    def have(self, place: int, label: str) -> bool:
        """Whether any of them has this label."""
        if place not in self._texts:
            self._texts[place] = {line.labels.get(place, "") for line in self._lines}
        return label in self._texts[place]

    def like(self, wanted: dict[int, str]) -> Sums | None:
        """The sums of those with these labels; None where there are none."""
        places = tuple(sorted(wanted))
        if places not in self._alike:
            found = self._alike[places] = {}
            for line in self._lines:
                key = tuple(line.labels.get(p, "") for p in places)
                own = _sum([line])
                found[key] = _add(found[key], own) if key in found else own
        return self._alike[places].get(tuple(wanted[p] for p in places))

    def above(self, at: int) -> Sums | None:
        """The sums of the block of rows right above one, without another total between; None where there is none."""
        last = bisect_left(self._at, at) - 1
        if last < 0:
            return None
        return tuple(a - b for a, b in zip(self._before[last + 1], self._before[self._begins[last]], strict=True))


def _add(a: Sums, b: Sums) -> Sums:
    return tuple(x + y for x, y in zip(a, b, strict=True))


def _said(
    matched: Matched, body: Body, total: _Line, places: dict[int, str], parts: _Parts, words: set[str]
) -> Problem | None:
    """What is said of a row with a word for a total; None where it has no parts and counts itself.

    `places`: the columns with such a word, each with its field.
    """
    wanted = {p: v for p, v in total.labels.items() if v and p not in places}
    for place in places:  # “11/04/2023 Total” is the total of that day
        rest = slug(clean(body.rows[total.at][place]))
        for word in sorted(words, key=len, reverse=True):
            rest = rest.removesuffix(f"_{word}").removeprefix(f"{word}_")
        if rest not in words and parts.have(place, rest):
            wanted[place] = rest
    number, own = body.numbers[total.at], parts.like(wanted)
    is_equal = any(_equal(total.counts, sums) for sums in (own, parts.above(total.at)))
    if not places:
        if not is_equal:
            return None
        message = "this row names nothing and equals the rows above together; it is their total and not added"
        return Problem("total_row", "warning", message, _DONE, number)
    is_detail = not any(n and matched.contract.field(n).required for n in places.values())
    if own is None and is_detail and any(n is not None for n in total.counts):
        return None
    first = next(iter(places))
    text, column = shown(clean(body.rows[total.at][first])), matched.headings[first]
    if is_equal:
        message = f"{text!r} is the total of other rows and equals them; it is not added"
        return Problem("total_row", "warning", message, _DONE, number, column)
    against = own or parts.above(total.at) or ()
    pairs = (
        f"{s:,} by its parts, {n:,} here"
        for s, n in zip(against, total.counts, strict=False)
        if n is not None and s != n
    )
    how = ", ".join(pairs) or "it has none"
    message = f"{text!r} is the total of other rows and differs from them ({how}); it is not added"
    fix = "Send the rows that are missing, or correct the total, and send the file again."
    return Problem("total_differs", "error", message, fix, number, column)


def _has_gaps(matched: Matched, body: Body, labels: dict[int, str]) -> bool:
    """Whether a label is given in some rows only, or is not known: only then can a total hide among them."""
    return any(_odd_and_parts(matched, body, place, name) for place, name in labels.items())


def _odd_and_parts(matched: Matched, body: Body, place: int, name: str) -> tuple[set[str], set[str]] | None:
    """Among a column's texts, those that may hide a total, and those that may be its parts (both folded)."""
    raw = {slug(clean(t)): clean(t) for t in {row[place] if place < len(row) else "" for row in body.rows}}
    texts = {*raw}
    if len(texts) < 2 or name in (matched.contract.date_field, "ods_code"):
        return None
    if not name:
        return ({""} & texts, texts - {""}) if "" in texts else None
    read = reader(matched.contract.field(name), matched.dialect)
    field = matched.contract.field(name)
    known = set(field.lookup.values())

    def is_known(text: str) -> bool:
        try:
            value = read(text)
        except Unreadable:
            return False
        return value in known if known else field.pattern is None or bool(re.search(field.pattern, str(value)))

    parts = {t for t in texts if t and is_known(raw[t])}
    odd = texts - parts
    return (odd, parts) if odd and parts else None


def _unnamed(matched: Matched, body: Body, lines: list[_Line], labels: dict[int, str]) -> Iterator[tuple[Problem, int]]:
    """Rows without a label, or with an unknown one, beside rows that differ from them in nothing else.

    An empty cell of a field with a default is no gap: it says the default.
    """
    defaults = {p: slug(matched.contract.field(n).default or "") for p, n in labels.items() if n}
    asked = {p: f for p, n in labels.items() if (f := _odd_and_parts(matched, body, p, n))} if lines else {}
    if any(defaults.values()) and asked:
        lines = [replace(x, labels={p: v or defaults.get(p, "") for p, v in x.labels.items()}) for x in lines]
    done: set[int] = set()
    for place, (odd, parts) in asked.items():
        name, groups = labels[place], defaultdict[tuple[str, ...], list[_Line]](list)
        for line in lines:
            groups[tuple(v for p, v in line.labels.items() if p != place)].append(line)
        for group in groups.values():
            mine = [x for x in group if x.labels[place] in odd and x.at not in done]
            theirs = [x for x in group if x.labels[place] in parts]
            if len(mine) == 1 and theirs and sum(n or 0 for n in mine[0].counts) > 0:
                said = _question(matched, body, place, name, mine[0], theirs)
                if said:
                    done.add(mine[0].at)
                    yield said, mine[0].at


def _question(matched: Matched, body: Body, place: int, name: str, odd: _Line, parts: list[_Line]) -> Problem | None:
    sums, number = _sum(parts), body.numbers[odd.at]
    rows = ", ".join(str(body.numbers[p.at]) for p in parts[:5]) + (" and others" if len(parts) > 5 else "")
    column = matched.headings[place] or f"column {place + 1}"
    if sum(n or 0 for n in odd.counts) < settings().total_asked_from:  # small numbers are equal by chance
        return None
    is_blank, is_equal = not odd.labels[place], _equal(odd.counts, sums)
    if is_equal and len(parts) > 1 and is_blank:
        message = (
            f"this row has no {column!r} and equals rows {rows} together, which have: it is their total and not added"
        )
        return Problem("total_row", "warning", message, _DONE, number, column)
    if is_equal and len(parts) > 1:
        text = shown(clean(body.rows[odd.at][place]))
        message = f"{text!r} is not known and the row equals rows {rows} together: is it their total?"
        return Problem("part_or_whole", "critical", message, _FIX, number, column)
    if name and matched.contract.field(name).type == "bool":  # all patients, and those of them who …
        is_one_value = len({p.labels[place] for p in parts}) == 1
        may_hold = is_one_value and all(n is None or s <= n for s, n in zip(sums, odd.counts, strict=True))
    else:  # a total of one part, or the same number by chance; of sites, the contract's own rule decides
        may_hold = is_equal and name != matched.contract.site_field
    if is_blank and may_hold:
        message = f"this row has no {column!r} and is not less than row {rows}, which has: is that a part of it?"
        fix = f"Fill in {column!r} in every row of the day, so that they can be added; or send the whole only."
        return Problem("part_or_whole", "critical", message, fix, number, column)
    return None


def _value(matched: Matched, row: list[str], name: str) -> Any:
    """What a row says of a field; None when it says nothing that can be read."""
    place = matched.columns.get(name)
    if place is None or place >= len(row):
        return None
    try:
        return reader(matched.contract.field(name), matched.dialect)(row[place])
    except Unreadable:
        return None
