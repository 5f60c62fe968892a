"""Totals among parts: a row that says what other rows say together is left out, and said.

A word for a total is believed when it equals its parts; where it does not, the day is marked. A row without a word, or
with an unknown one, that equals the others is a question to its sender. Nothing that may be a total counts in silence.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np

from strike_reporting.extracts import slug
from strike_reporting.judging.cells import Unreadable, clean, folded, readers
from strike_reporting.judging.columns import Codes, alike, is_filled, least, sums
from strike_reporting.judging.lines import Counts, Lines, label_places, of_which
from strike_reporting.judging.matching import Matched
from strike_reporting.judging.problems import Problem, shown
from strike_reporting.judging.rows import Body
from strike_reporting.settings import settings

Sums = tuple[int, ...]
Lost = tuple[str | None, date | None]
_OddAndParts = tuple[set[str], set[str]]
_DONE = "Nothing need be done; it is better to send the parts only."
_FIX = "Send the parts only, or ask for the feed's dialect to know the word (`totals`)."


def without_totals(matched: Matched, body: Body) -> list[Lost]:
    """Take totals out of a table's rows, and say so in its problems.

    Returns:
        Trust and day of each total that its parts contradict, where it says them.
    """
    words = frozenset(slug(w) for w in matched.dialect.totals)
    labels = label_places(matched)
    totals = _totals(matched, body, labels, words)
    held = of_which(matched, body, labels)
    for at in np.flatnonzero(held).tolist():
        message = "this row is a part of another (“of which”), and is not added"
        body.problems.append(Problem("of_which", "warning", message, _DONE, int(body.numbers[at])))
    out, marked = held.copy(), list[Lost]()
    asked = _asked(matched, body, labels)
    if totals or asked:
        # Only where a label is given in some rows only, or is not known, can a total hide among them.
        lines = Lines(matched, body, labels)
        is_plain = ~held
        is_plain[[*totals]] = False
        parts = _Parts(lines, np.flatnonzero(is_plain))
        for at, places in totals.items():
            said = _said(matched, body, lines, at, {p: labels[p] for p in places}, parts, words)
            if said is None:  # no part of it was sent: it is the figure itself
                body.blank(at, places)
                continue
            out[at] = True
            body.problems.append(said)
            if said.severity == "error":
                marked.append(
                    (_value(matched, body, at, "ods_code"), _value(matched, body, at, matched.contract.date_field))
                )
        asked = _asked(matched, body, labels) if totals else asked  # some labels are blank now
        for said, at in _unnamed(matched, body, lines, np.flatnonzero(is_plain), labels, asked):
            body.problems.append(said)
            if said.severity == "warning":
                out[at] = True
    body.drop(out)
    return marked


@lru_cache(maxsize=5_000)
def _is_total(text: str, words: frozenset[str], *, is_label: bool) -> bool:
    """Whether a cell is a word for a total, alone or (in a column that is read) with what it is the total of."""
    said = folded(text)
    if said in words:
        return True
    return is_label and any(
        said.startswith(f"{w}_") or said.endswith(f"_{w}") for w in words if w.endswith(("total", "totals"))
    )


def _totals(matched: Matched, body: Body, labels: dict[int, str], words: frozenset[str]) -> dict[int, list[int]]:
    """The rows with a word for a total, and in which columns."""
    found: dict[int, list[int]] = defaultdict(list)
    named = np.zeros(body.height, np.bool_)
    for place, name in labels.items():
        known, column = matched.contract.field(name).lookup if name else {}, body.column(place)
        filled = column.of_each(is_filled)
        named |= filled[column.codes]
        hits = [
            has_text and slug(t) not in known and _is_total(t, words, is_label=bool(name))
            for t, has_text in zip(column.known, filled, strict=True)
        ]
        for at in np.flatnonzero(np.array(hits, np.bool_)[column.codes]).tolist() if any(hits) else ():
            found[at].append(place)
    for at in np.flatnonzero(~named).tolist():  # a total that has no word for it either
        found[at] = []
    return found


def _equal(counts: Counts, sums: Sums | None) -> bool:
    """Whether a row's numbers, those that it gives, are these sums."""
    return sums is not None and all(n is None or n == s for n, s in zip(counts, sums, strict=True))


class _Parts:
    """The rows that a total may be of, in order. Each way of asking is worked out once, however many totals ask so."""

    def __init__(self, lines: Lines, plain: Codes) -> None:
        self._lines, self._at = lines, plain
        self._texts: dict[int, set[str]] = {}
        self._alike: dict[tuple[int, ...], dict[tuple[str, ...], Sums]] = {}
        # The sums of all lines before each.
        self._before = [np.concatenate([[0], np.cumsum(v[plain])]) for v in lines.values]
        goes_on = np.diff(plain, prepend=-2) == 1
        # By line, the first of the block that it stands in.
        self._begins = np.maximum.accumulate(np.where(goes_on, 0, np.arange(len(plain))))

    def have(self, place: int, label: str) -> bool:
        """Whether any of them has this label."""
        if place not in self._texts:
            self._texts[place] = {*self._lines.labels[place].taken(self._at).known}
        return label in self._texts[place]

    def like(self, wanted: dict[int, str]) -> Sums | None:
        """The sums of those with these labels; None where there are none."""
        places = tuple(sorted(wanted))
        if places not in self._alike:
            columns = [self._lines.labels[p].taken(self._at) for p in places]
            groups = alike(columns, len(self._at))
            _, first = np.unique(groups, return_index=True)
            told = zip(*([c.known[n] for n in c.codes[first]] for c in columns), strict=True)
            added = [sums(groups, v[self._at], len(first)) for v in self._lines.values]
            by_group = np.array(added, np.int64).reshape(len(added), len(first)).T.tolist()
            self._alike[places] = dict(zip(told if places else [()], map(tuple, by_group), strict=False))
        return self._alike[places].get(tuple(wanted[p] for p in places))

    def above(self, at: int) -> Sums | None:
        """The sums of the block of rows right above one, without another total between; None where there is none."""
        last = int(np.searchsorted(self._at, at)) - 1
        if last < 0:
            return None
        return tuple(int(before[last + 1] - before[self._begins[last]]) for before in self._before)


def _said(
    matched: Matched,
    body: Body,
    lines: Lines,
    at: int,
    places: dict[int, str],
    parts: _Parts,
    words: frozenset[str],
) -> Problem | None:
    """What is said of a row with a word for a total; None where it has no parts and counts itself.

    `places`: the columns with such a word, each with its field.
    """
    counts = lines.counts(at)
    wanted = {p: v for p in lines.labels if p not in places and (v := lines.label(at, p))}
    for place in places:  # “11/04/2023 Total” is the total of that day
        rest = folded(body.text(at, place))
        for word in sorted(words, key=len, reverse=True):
            rest = rest.removesuffix(f"_{word}").removeprefix(f"{word}_")
        if rest not in words and parts.have(place, rest):
            wanted[place] = rest
    number, own = int(body.numbers[at]), parts.like(wanted)
    is_equal = any(_equal(counts, found) for found in (own, parts.above(at)))
    if not places:
        if not is_equal:
            return None
        message = "this row names nothing and equals the rows above together; it is their total and not added"
        return Problem("total_row", "warning", message, _DONE, number)
    is_detail = not any(n and matched.contract.field(n).required for n in places.values())
    if own is None and is_detail and any(n is not None for n in counts):
        return None
    first = next(iter(places))
    text, column = shown(clean(body.text(at, first))), matched.headings[first]
    if is_equal:
        message = f"{text!r} is the total of other rows and equals them; it is not added"
        return Problem("total_row", "warning", message, _DONE, number, column)
    against = own or parts.above(at) or ()
    pairs = (
        f"{s:,} by its parts, {n:,} here" for s, n in zip(against, counts, strict=False) if n is not None and s != n
    )
    how = ", ".join(pairs) or "it has none"
    message = f"{text!r} is the total of other rows and differs from them ({how}); it is not added"
    fix = "Send the rows that are missing, or correct the total, and send the file again."
    return Problem("total_differs", "error", message, fix, number, column)


def _default(matched: Matched, name: str) -> str:
    """What an empty cell of a column says."""
    return (matched.contract.field(name).default or "") if name else ""


def _odd_and_parts(matched: Matched, body: Body, place: int, name: str) -> _OddAndParts | None:
    """Among a column's texts, those that may hide a total, and those that may be its parts (both folded).

    An empty cell of a field with a default is no gap: it says the default.
    """
    if name in (matched.contract.date_field, "ods_code"):
        return None
    default = _default(matched, name)
    raw = {folded(t) or slug(default): clean(t) or default for t in body.column(place).known}
    if len(raw) < 2:
        return None
    if not name:
        return ({""}, raw.keys() - {""}) if "" in raw else None
    read = readers(matched.contract, matched.dialect)[name]
    field = matched.contract.field(name)
    known = set(field.lookup.values())

    def is_known(text: str) -> bool:
        try:
            value = read(text)
        except Unreadable:
            return False
        return value in known if known else field.pattern is None or bool(re.search(field.pattern, str(value)))

    odd = {text for text, written in raw.items() if not text or not is_known(written)}
    return (odd, raw.keys() - odd) if 0 < len(odd) < len(raw) else None


def _asked(matched: Matched, body: Body, labels: dict[int, str]) -> dict[int, _OddAndParts]:
    """The columns that are asked about, with their odd texts and those that may be parts."""
    return {p: found for p, name in labels.items() if (found := _odd_and_parts(matched, body, p, name))}


def _unnamed(
    matched: Matched,
    body: Body,
    lines: Lines,
    plain: Codes,
    labels: dict[int, str],
    asked: dict[int, _OddAndParts],
) -> Iterator[tuple[Problem, int]]:
    """Rows without a label, or with an unknown one, beside rows that differ from them in nothing else."""
    defaults = {p: slug(_default(matched, n)) for p, n in labels.items()}
    asked = asked if len(plain) and lines.values else {}
    told = {p: c.taken(plain) for p, c in lines.with_defaults(defaults).items()} if asked else {}
    values, given = [v[plain] for v in lines.values], [g[plain] for g in lines.given]
    is_done = np.zeros(len(plain), np.bool_)
    for place, (odd, parts) in asked.items():
        groups = alike((c for p, c in told.items() if p != place), len(plain))
        many = int(groups.max()) + 1
        mine = told[place].where(odd.__contains__) & ~is_done
        theirs = told[place].where(parts.__contains__)
        beside = [sums(groups[theirs], v[theirs], many) for v in values]
        # One odd row among parts, and one that may hold them: of these there are few, whatever the file's length.
        alone = mine & (np.bincount(groups[mine], minlength=many) == 1)[groups]
        alone &= (np.bincount(groups[theirs], minlength=many) > 0)[groups]
        alone &= np.sum(values, axis=0) >= max(settings().total_asked_from, 1)  # small numbers are equal by chance
        pairs = [(~g | (v == b[groups]), ~g | (b[groups] <= v)) for v, g, b in zip(values, given, beside, strict=True)]
        is_equal, is_within = (np.logical_and.reduce(masks) for masks in zip(*pairs, strict=True))
        is_flag = bool(labels[place]) and matched.contract.field(labels[place]).type == "bool"
        may = np.flatnonzero(alone & (is_equal | is_within if is_flag else is_equal))
        first = least(groups, np.arange(len(plain)), many)
        parts_at = np.flatnonzero(theirs)
        parts_at = parts_at[np.argsort(groups[parts_at], kind="stable")]
        begins = np.searchsorted(groups[parts_at], np.arange(many + 1))
        for at in may[np.argsort(first[groups[may]])].tolist():
            of = parts_at[begins[groups[at]] : begins[groups[at] + 1]]
            question = _Question(
                place=place,
                name=labels[place],
                at=int(plain[at]),
                parts=plain[of],
                is_equal=bool(is_equal[at]),
                is_within=bool(is_within[at]),
                is_blank=not told[place].value(at),
                is_one_value=len({*told[place].codes[of].tolist()}) == 1,
            )
            if said := _question(matched, body, question):
                is_done[at] = True
                yield said, int(plain[at])


@dataclass(frozen=True)
class _Question:
    """A row that may hold others: its column and field, its place, theirs, and how its numbers stand to their sums.

    is_blank: its label is empty. is_one_value: theirs are all the same.
    """

    place: int
    name: str
    at: int
    parts: Codes
    is_equal: bool
    is_within: bool
    is_blank: bool
    is_one_value: bool


def _question(matched: Matched, body: Body, asked: _Question) -> Problem | None:
    number, parts = int(body.numbers[asked.at]), body.numbers[asked.parts].tolist()
    rows = ", ".join(map(str, parts[:5])) + (" and others" if len(parts) > 5 else "")
    column = matched.headings[asked.place] or f"column {asked.place + 1}"
    if asked.is_equal and len(parts) > 1 and asked.is_blank:
        message = (
            f"this row has no {column!r} and equals rows {rows} together, which have: it is their total and not added"
        )
        return Problem("total_row", "warning", message, _DONE, number, column)
    if asked.is_equal and len(parts) > 1:
        text = shown(clean(body.text(asked.at, asked.place)))
        message = f"{text!r} is not known and the row equals rows {rows} together: is it their total?"
        return Problem("part_or_whole", "critical", message, _FIX, number, column)
    if asked.name and matched.contract.field(asked.name).type == "bool":  # all patients, and those of them who …
        may_hold = asked.is_one_value and asked.is_within
    else:  # a total of one part, or the same number by chance; of sites, the contract's own rule decides
        may_hold = asked.is_equal and asked.name != matched.contract.site_field
    if asked.is_blank and may_hold:
        message = f"this row has no {column!r} and is not less than row {rows}, which has: is that a part of it?"
        fix = f"Fill in {column!r} in every row of the day, so that they can be added; or send the whole only."
        return Problem("part_or_whole", "critical", message, fix, number, column)
    return None


def _value(matched: Matched, body: Body, at: int, name: str) -> Any:
    """What a row says of a field; None when it says nothing that can be read."""
    place = matched.columns.get(name)
    if place is None:
        return None
    try:
        return readers(matched.contract, matched.dialect)[name](body.text(at, place))
    except Unreadable:
        return None
