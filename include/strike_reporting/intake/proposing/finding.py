"""Finding the table: which sheet or reading, which rows are its headings, whether it lies down."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from strike_reporting.extracts import Contract
from strike_reporting.intake.proposing.columns import Weighing
from strike_reporting.intake.proposing.dates import is_date
from strike_reporting.intake.proposing.evidence import is_count
from strike_reporting.intake.proposing.tables import Headed, Table
from strike_reporting.intake.proposing.words import Words
from strike_reporting.reference.organisations import organisations
from strike_reporting.settings import settings

_DEPTHS = (1, 2, 3)
_MORE_ROWS_COST = 0.4  # rows of headings beyond the first must explain so much more
_LEAST = 1.2  # less than that is no table of this extract


@dataclass(frozen=True)
class Located:
    """A table with its headings, and how much of the extract they show."""

    weighing: Weighing
    score: float
    days: dict[int, str]  # columns whose heading is a day

    @property
    def headed(self) -> Headed:
        """The table as it is headed."""
        return self.weighing.headed


def locate(tables: Iterable[Table], contract: Contract, words: Words, named: Collection[str] = ()) -> list[Located]:
    """Each table that can be of this extract, read by its best row of headings; the likeliest first.

    named: headings of which it was said what they are.
    """
    found = [best for table in tables if (best := _best(table, contract, words, named))]
    return sorted(found, key=lambda one: -one.score)


def _best(table: Table, contract: Contract, words: Words, named: Collection[str]) -> Located | None:
    best: Located | None = None
    for headed in _readings(table):
        weighing = Weighing(headed, contract, words)
        days = {p: h for p, h in enumerate(headed.headings) if p in weighing.numeric and is_date(h)}
        wide = {p for f in contract.fields if f.values for p in weighing.numeric if weighing.meant(f.name, p)}
        score = weighing.best() + 0.3 * min(len(wide), 4) + (1.0 if len(days) > 1 else 0.0)
        score += 2 * len({*named} & {*headed.headings})
        score -= _MORE_ROWS_COST * (headed.depth - 1) + (0.5 if headed.form else 0)
        if score >= _LEAST and (best is None or score > best.score + 1e-9):
            best = Located(weighing, score, days if len(days) > 1 else {})
    return best


def _readings(table: Table) -> Iterator[Headed]:
    """Every row that can hold headings, alone and with the rows above it."""
    most = min(len(table.rows), settings().header_within_rows)
    for header in range(most):
        cells = [c for c in table.rows[header] if c.strip()]
        if len(cells) < 2 or sum(map(_is_number, cells)) > len(cells) / 2 or _is_data(cells):
            continue
        for depth in _DEPTHS:
            rows = table.rows[header - depth + 1 : header + 1]
            if depth == 1 or (depth <= header + 1 and all(map(_can_be_joined, rows))):
                yield Headed(table, header, depth)
    if most and not table.delimiter and max(sum(bool(c.strip()) for c in r) for r in table.rows[:most]) <= 2:
        yield Headed(table, 0, form=True)


def _is_data(cells: Sequence[str]) -> bool:
    """Whether a row speaks of a day or a trust, and counts: headings may be days, but not beside a count."""
    about = any(is_date(c.strip()) or organisations().is_known(c.strip()) for c in cells)
    return about and any(map(_is_number, cells))


def _can_be_joined(row: Sequence[str]) -> bool:
    """Whether a row may be one of several rows of headings: it says something, and holds no count, so is no data."""
    return any(c.strip() for c in row) and not any(map(_is_number, row))


def _is_number(text: str) -> bool:
    return is_count(text.strip()) and any(c.isdigit() for c in text)
