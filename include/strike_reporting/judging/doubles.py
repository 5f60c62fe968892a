"""What one file may not count twice: what was pasted again, unsited rows beside sited ones, a whole beside its parts.

Decided on the rows that every other rule let through, one rule after the other, so that a row which is left out decides
nothing. How severe each is, the contract says; an error leaves the rows out, which the sender reads row by row.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from strike_reporting.extracts import Contract, Inside
from strike_reporting.extracts.contract import BETWEEN
from strike_reporting.judging.problems import Problem
from strike_reporting.settings import settings

FIXES: dict[Inside, str] = {
    "pasted_again": "Remove the copy. If it is none, say in another field how its rows differ from the others.",
    "identical_rows": "If it is a copy, remove it. If not, add the two up, or say in another field how they differ.",
    "unsited_beside_sited": "Name the site in every row of a day, or in none, and send the file again.",
    "whole_beside_parts": "Send the whole or its parts for one day, and not both.",
}
_AT = "_at"  # a row's place in the table


@dataclass(frozen=True)
class Double:
    """A row that may count twice: its place in the table that was looked at, and what is said of it."""

    at: int
    problem: Problem


def doubles(contract: Contract, good: pa.Table) -> list[Double]:
    """Rows of one submission that repeat what other rows of it say; the sender is told of each that is left out.

    Args:
        contract: its contract.
        good: its usable rows, with `source_row` and `source_column`.
    """
    found: list[Double] = []
    rows = good.append_column(_AT, pa.array(range(good.num_rows), pa.int64()))
    rows = rows.append_column("_base", _base(contract, rows)).append_column("_says", _says(contract, rows))
    for rule in contract.once:
        new = list(_LOOKS[rule](contract, rows))
        found += new
        out = pa.array([d.at for d in new if d.problem.severity != "warning"], pa.int64())
        rows = rows.filter(pc.invert(pc.is_in(rows[_AT], value_set=out)))
    return found


def _base(contract: Contract, rows: pa.Table) -> pa.ChunkedArray:
    """Each row's part without its site."""
    names = [n for n in contract.part if n != contract.site_field]
    start = pa.array([""] * rows.num_rows, pa.string())
    return pc.binary_join_element_wise(start, *(contract.part_column(rows, n) for n in names), BETWEEN)


def _says(contract: Contract, rows: pa.Table) -> pa.ChunkedArray:
    """Whether a row counts anything: a template's zeros beside a number contradict nobody."""
    return reduce(pc.or_, (pc.greater(rows[n].fill_null(0), 0) for n in contract.whole_numbers))


def _double(
    contract: Contract,
    rule: Inside,
    row: dict[str, Any],
    column: str,
    message: str,
    *,
    is_doubt: bool = False,
) -> Double:
    """What is said of a row. `is_doubt`: it cannot count twice, and the sender is only asked."""
    severity = "warning" if is_doubt else contract.once[rule]
    end = "it is counted all the same" if severity == "warning" else "it is not counted"
    heading = row["source_column"] if column == contract.count_field else None
    value, day = (None if row[n] is None else str(row[n]) for n in (column, contract.date_field))
    problem = Problem(
        rule, severity, f"{message}; {end}", FIXES[rule], row["source_row"], heading or column, value, day
    )
    return Double(row[_AT], problem)


@dataclass
class _Line:
    """A row of the file as its sender sees it: in a wide file it holds a count in each of several columns."""

    day: date
    number: int
    says: tuple[int, ...] = ()  # what it says, as numbers that are equal where the rows are
    places: tuple[int, ...] = ()
    total: int = 0


def _lines(contract: Contract, rows: pa.Table) -> tuple[pa.Table, list[_Line]]:
    """The rows that may repeat one another, and the lines of the file that they are; none when no two are alike."""
    rows = rows.filter(rows["_says"])
    if contract.record_field:
        rows = rows.filter(pc.is_null(rows[contract.record_field]))
    told = (*contract.field_names, "source_column", *(n for n in ("beside",) if n in rows.column_names))
    cells = [rows[n].cast(pa.string()).fill_null("") for n in told]
    texts = pc.binary_join_element_wise(*cells, "\0")
    if pc.count_distinct(texts).as_py() == rows.num_rows:
        return rows, []
    found: dict[tuple[date, int], _Line] = {}
    numbers: dict[str, int] = {}
    whose = zip(rows[contract.date_field].to_pylist(), rows["source_row"].to_pylist(), strict=True)
    totals = reduce(pc.add, (rows[n].fill_null(0) for n in contract.whole_numbers)).to_pylist()
    for place, (key, text) in enumerate(zip(whose, texts.to_pylist(), strict=True)):
        line = found.setdefault(key, _Line(*key))
        line.total += totals[place]
        line.says += (numbers.setdefault(text, len(numbers)),)
        line.places += (place,)
    return rows, sorted(found.values(), key=lambda one: one.number)


def _repeats(contract: Contract, rule: Inside, rows: pa.Table, lines: list[tuple[_Line, str]]) -> Iterator[Double]:
    """What is said of lines that repeat others."""
    told = [(place, message) for line, message in lines for place in line.places]
    places = pa.array([place for place, _ in told], pa.int64())
    for row, (_, message) in zip(rows.take(places).to_pylist(), told, strict=True):
        yield _double(contract, rule, row, contract.count_field, message)


def _pasted(contract: Contract, rows: pa.Table) -> Iterator[Double]:
    """A block of rows that stands in the file again: that several in a row are alike by chance, nobody believes.

    The same goes for a file every row of which stands in it equally often, in whatever order, and for a single row of
    such large numbers that no two wards would share them.
    """
    rows, lines = _lines(contract, rows)
    least = settings().pasted_at_least_rows
    first: dict[tuple[int, ...], int] = {}
    days: dict[date, list[_Line]] = defaultdict(list)
    for line in lines:
        first.setdefault(line.says, line.number)
        days[line.day].append(line)
    times = {*Counter(line.says for line in lines).values()}
    if len(first) >= least and len(times) == 1:
        again = [line for line in lines if first[line.says] != line.number]
    else:
        copies = {id(line) for of_day in days.values() for line in _blocks_again(of_day, least)}
        large = settings().pasted_at_least_count
        again = [x for x in lines if id(x) in copies or (x.total >= large and first[x.says] != x.number)]
    said = "this row repeats row {} in every cell: it was pasted again"
    yield from _repeats(contract, "pasted_again", rows, [(one, said.format(first[one.says])) for one in again])


def _blocks_again(lines: list[_Line], least: int) -> Iterator[_Line]:
    """The lines of every block of so many different ones that stood there before, in the same order."""
    seen: set[tuple[tuple[int, ...], ...]] = set()
    for start in range(len(lines) - least + 1):
        block = lines[start : start + least]
        says = tuple(line.says for line in block)
        if says in seen:
            yield from block
        elif len({*says}) == least:
            seen.add(says)


def _identical(contract: Contract, rows: pa.Table) -> Iterator[Double]:
    """A row that is another's copy, or of another ward with the same numbers: nobody but its sender can say."""
    rows, lines = _lines(contract, rows)
    first: dict[tuple[int, ...], int] = {}
    again = [line for line in lines if first.setdefault(line.says, line.number) != line.number]
    if contract.once["identical_rows"] == "warning":
        again = again[: settings().repeated_rows_listed]
    told = [(line, f"this row is identical with row {first[line.says]}") for line in again]
    yield from _repeats(contract, "identical_rows", rows, told)


def _unsited(contract: Contract, rows: pa.Table) -> Iterator[Double]:
    """Rows that name no site, where the file has sited ones of the same day and part: they may be the total of those.

    Fewer than the sited ones cannot be their total: they are what happened elsewhere, and are counted.
    """
    site, count = contract.site_field, contract.count_field
    rows = rows.filter(rows["_says"])
    keys = [contract.date_field, "_base"]
    sited, others = rows.filter(pc.is_valid(rows[site])), rows.filter(pc.is_null(rows[site]))
    held = sited.group_by(keys).aggregate([("source_row", "min"), (count, "sum")])
    total = others.group_by(keys).aggregate([(count, "sum")]).rename_columns({f"{count}_sum": "_total"})
    beside = others.join(held, keys, join_type="inner", use_threads=False).join(total, keys, use_threads=False)
    for row in beside.sort_by(_AT).to_pylist():
        message = f"this row names no site, and row {row['source_row_min']} of the same day and part does"
        is_rest = row["_total"] < row[f"{count}_sum"]
        if is_rest:
            message += f"; {row['_total']:,} cannot be the total of {row[f'{count}_sum']:,}"
        yield _double(contract, "unsited_beside_sited", row, site, message, is_doubt=is_rest)


def _wholes(contract: Contract, rows: pa.Table) -> Iterator[Double]:
    """Rows of a value that is the total of others, where the file has those for the same day, part and site."""
    rows = rows.filter(rows["_says"])
    for field in contract.fields:
        near = [n for n in (contract.site_field, *field.whole_within) if n]
        keys = [contract.date_field, "_base", *(f"_of_{n}" for n in near)]
        placed = rows
        for name in near:  # a join finds no null
            placed = placed.append_column(f"_of_{name}", rows[name].fill_null(""))
        for value in field.values:
            if not value.whole_of:
                continue
            names = pa.array(value.whole_of, pa.string())
            parts = placed.filter(pc.is_in(placed[field.name], value_set=names)).group_by(keys)
            wholes = placed.filter(pc.equal(placed[field.name], value.code))
            beside = wholes.join(parts.aggregate([("source_row", "min")]), keys, join_type="inner", use_threads=False)
            for row in beside.sort_by(_AT).to_pylist():
                message = f"row {row['source_row_min']} of the same day is of a part of it"
                message += f" ({', '.join(value.whole_of)})"
                yield _double(contract, "whole_beside_parts", row, field.name, message)


_LOOKS: dict[Inside, Callable[[Contract, pa.Table], Iterator[Double]]] = {
    "pasted_again": _pasted,
    "identical_rows": _identical,
    "unsited_beside_sited": _unsited,
    "whole_beside_parts": _wholes,
}
