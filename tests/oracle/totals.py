"""Which rows of a file are data, and which say what other rows say together: decision 0020, on the text as it was sent.

A label is a cell of any column but numbers, the record's key and a second date; two labels are one when they differ in
case and punctuation only. An empty cell of a column with a default means that default.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from oracle.fields import FIELDS, KNOWN, NUMBERS, count, day_of, is_code
from oracle.rounds import DAY, Row

ASKED_FROM = 10  # smaller numbers are equal by chance
DEFAULTS = {"activity_unit": "appointment"}
NO_LABELS = {*NUMBERS, "record_key", "rebooked_date"}
NEVER_ODD = {"ods_code", *DAY.values()}
MUST = NEVER_ODD | {"point_of_delivery", "status", "staff_group"}
YES_OR_NO = {"is_cancer", "patient_notified"}
WORDS = {
    *("total", "totals", "grand total", "sub total", "subtotal", "sum", "overall", "all", "all sites", "all grades"),
    *("all specialties", "all wards", "all staff", "all patients", "all trusts", "trust total", "england", "999"),
    *("england total", "national total", "total all"),
}
Counts = tuple[int | None, ...]


@dataclass
class Sifted:
    """What is left of a file's rows. asked: of these, the places of rows that may be the total of others.

    lost: trust and day of each total that its parts contradict.
    """

    rows: list[Row] = field(default_factory=list)
    asked: set[int] = field(default_factory=set)
    lost: list[tuple[str, date | None]] = field(default_factory=list)


@dataclass
class _Line:
    row: Row
    labels: dict[str, str]
    counts: Counts

    def gives(self, total: Counts) -> bool:
        """Whether its numbers are these, as far as it has any."""
        return all(n is None or n == t for n, t in zip(self.counts, total, strict=True))


def fold(text: str) -> str:
    """A label without what does not tell it from another."""
    return " ".join(re.findall("[a-z0-9]+", text.casefold()))


def sift(rows: Iterable[Row], extract: str) -> Sifted:
    """Leave out notes, totals and “of which” rows."""
    rows = [r for r in rows if _is_data(r, extract)]
    columns = list(dict.fromkeys(c for r in rows for c in r))
    names = [c for c in columns if c not in NO_LABELS]
    numbers = [c for c in columns if c in NUMBERS]
    lines = [_line(r, names, numbers) for r in rows]
    words = {n: {c for c in names if _is_word(c, line.labels[c])} for n, line in enumerate(lines)}
    totals = {n for n, line in enumerate(lines) if words[n] or not any(line.labels.values())}
    held = _held(lines, names)
    plain = [line for n, line in enumerate(lines) if n not in totals | held]
    found = Sifted()
    out = held
    for n in sorted(totals):
        becomes = _of_a_word(lines, n, words[n], plain, totals | held)
        if becomes == "itself":
            lines[n].row = {c: "" if c in words[n] else v for c, v in lines[n].row.items()}
            continue
        out = out | {n}
        if becomes == "contradicted":
            found.lost.append((lines[n].row.get("ods_code", ""), day_of(lines[n].row.get(DAY[extract], ""))))
    asked = []
    for line, is_asked in _without_a_word(plain, names):
        place = next(n for n, other in enumerate(lines) if other is line)
        if is_asked:
            asked.append(place)
        else:
            out = out | {place}
    kept = [n for n in range(len(lines)) if n not in out]
    found.rows = [lines[n].row for n in kept]
    found.asked = {kept.index(n) for n in asked}
    return found


def _held(lines: list[_Line], names: list[str]) -> set[int]:
    """The “of which” rows; by a column that no field is, only beside a row that is alike in all fields and no less."""

    def by(is_field: bool) -> set[int]:
        columns = {n: [v for c, v in line.row.items() if (c in FIELDS) == is_field] for n, line in enumerate(lines)}
        return {n for n, of in columns.items() if any(fold(v).startswith(("of which", "including")) for v in of)}

    def is_part(line: _Line) -> bool:
        fields = [c for c in names if c in FIELDS]
        alike = [o.counts for o in others if all(o.labels[c] == line.labels[c] for c in fields)]
        most = [max(n or 0 for n in of) for of in zip(*alike, strict=True)]
        return bool(alike) and all(n is None or n <= m for n, m in zip(line.counts, most, strict=True))

    sure, maybe = by(is_field=True), by(is_field=False)
    others = [line for n, line in enumerate(lines) if n not in sure | maybe]
    return sure | {n for n in maybe if is_part(lines[n])}


def _line(row: Row, names: list[str], numbers: list[str]) -> _Line:
    labels = {c: fold(row.get(c, "")) for c in names}
    return _Line(row, labels, tuple(count(row.get(c, "")) for c in numbers))


def _is_data(row: Row, extract: str) -> bool:
    """A row without a number and without a day is a note, as is a single text that stands where no number belongs."""
    if any(re.search(r"\d", row.get(c, "")) for c in NUMBERS):
        return True
    filled = [v for v in row.values() if v.strip()]
    return len(filled) > 1 and bool(re.search(r"\d", row.get(DAY[extract], "")))


def _is_word(column: str, label: str) -> bool:
    """A word for a total, or one beside what it is the total of; some are codes, such as `all` of a shift."""
    first_and_last = {*label.split()[:1], *label.split()[-1:]}
    said = label in WORDS or bool(first_and_last & {"total", "totals", "subtotal"} and column in FIELDS)
    return said and not (column in KNOWN and is_code(column, label))


def _sum(lines: Iterable[_Line]) -> Counts:
    found = [line.counts for line in lines]
    return tuple(sum(n or 0 for n in of) for of in zip(*found, strict=True))


def _of_a_word(lines: list[_Line], n: int, words: set[str], plain: list[_Line], others: set[int]) -> str:
    """What a row with a word for a total is: the total of its parts, contradicted by them, or a figure itself."""
    line = lines[n]
    wanted = {c: v for c, v in line.labels.items() if v and c not in words}
    parts = [p for p in plain if all(p.labels[c] == v for c, v in wanted.items())]
    end = max((m for m in range(n) if m not in others), default=-1)
    block = []
    while end >= 0 and end not in others:
        block.append(lines[end])
        end -= 1
    if any(of and line.gives(_sum(of)) for of in (parts, block)):
        return "total"
    is_figure = not parts and not words & MUST and any(c is not None for c in line.counts)
    return "itself" if not words or is_figure else "contradicted"


def _without_a_word(plain: Sequence[_Line], names: list[str]) -> Iterator[tuple[_Line, bool]]:
    """Rows without a label, or with an unknown one, beside rows alike in all else; and whether they are asked about."""
    for line in plain:
        line.labels = {c: v or DEFAULTS.get(c, "") for c, v in line.labels.items()}
    done: list[_Line] = []
    for column in names:
        if column in NEVER_ODD:
            continue
        groups: dict[tuple[str, ...], list[_Line]] = defaultdict(list)
        for line in plain:
            groups[tuple(v for c, v in line.labels.items() if c != column)].append(line)
        for group in groups.values():
            parts = [x for x in group if x.labels[column] and is_code(column, x.row.get(column) or DEFAULTS[column])]
            odd = [x for x in group if not any(x is p for p in (*parts, *done))]
            if len(odd) != 1 or not parts or sum(n or 0 for n in odd[0].counts) < ASKED_FROM:
                continue
            total, one = _sum(parts), odd[0]
            is_blank, is_equal = not one.labels[column], one.gives(total)
            if is_equal and is_blank and len(parts) > 1:
                done.append(one)
                yield one, False
            elif (
                (is_equal and len(parts) > 1)
                or (is_equal and is_blank and column != "site_code")
                or _is_all_beside_yes(column, one, parts, total)
            ):
                done.append(one)
                yield one, True


def _is_all_beside_yes(column: str, odd: _Line, parts: list[_Line], total: Counts) -> bool:
    """All patients beside those with cancer, say: one value of yes and no, and a row without that is not less."""
    is_one_value = len({p.labels[column] for p in parts}) == 1
    is_more = all(n is None or n >= (t or 0) for n, t in zip(odd.counts, total, strict=True))
    return column in YES_OR_NO and not odd.labels[column] and is_one_value and is_more
