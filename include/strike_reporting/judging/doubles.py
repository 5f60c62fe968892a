"""What one file may not count twice: identical rows, unsited rows beside sited ones, a whole beside its parts.

Decided on the rows that every other rule let through, one rule after the other, so that a row which is left out decides
nothing. How severe each is, the contract says; an error leaves the rows out, which the sender reads row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from strike_reporting.extracts import Contract, Inside
from strike_reporting.extracts.contract import BETWEEN
from strike_reporting.judging.problems import Problem
from strike_reporting.settings import settings

FIXES: dict[Inside, str] = {
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


def _identical(contract: Contract, rows: pa.Table) -> Iterator[Double]:
    """Rows that are alike in every field. A count of one is a person or an appointment, of which two may be alike."""
    if contract.record_field:
        rows = rows.filter(pc.is_null(rows[contract.record_field]))
    rows = rows.filter(rows["_says"])
    keys = [n for n in (*contract.field_names, "source_column") if n != contract.record_field]
    groups = rows.group_by(keys, use_threads=False).aggregate([(_AT, "list"), ("source_row", "list")])
    groups = groups.filter(pc.greater(pc.list_value_length(groups[f"{_AT}_list"]), 1))
    warned = 0
    for group in sorted(groups.to_pylist(), key=lambda g: g[f"{_AT}_list"]):
        places, numbers = group[f"{_AT}_list"], group["source_row_list"]
        message = f"this row is identical with row {numbers[0]}"
        if group[contract.count_field] > 1:
            for at, number in zip(places[1:], numbers[1:], strict=True):
                row = {**group, _AT: at, "source_row": number}
                yield _double(contract, "identical_rows", row, contract.count_field, message)
        elif warned < settings().repeated_rows_listed:
            warned += 1
            message = f"rows {numbers[0]} and {numbers[-1]} are identical; both are counted"
            fix = "If one is a copy, remove it and send the file again."
            yield Double(places[-1], Problem("identical_rows", "warning", message, fix, numbers[-1]))


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
    keys = [contract.date_field, "_base", *([contract.site_field] if contract.site_field else [])]
    if contract.site_field:  # a join finds no null
        place = rows.schema.get_field_index(contract.site_field)
        rows = rows.set_column(place, contract.site_field, rows[contract.site_field].fill_null(""))
    for field in contract.fields:
        for value in field.values:
            if not value.whole_of:
                continue
            names = pa.array(value.whole_of, pa.string())
            parts = rows.filter(pc.is_in(rows[field.name], value_set=names)).group_by(keys)
            wholes = rows.filter(pc.equal(rows[field.name], value.code))
            beside = wholes.join(parts.aggregate([("source_row", "min")]), keys, join_type="inner", use_threads=False)
            for row in beside.sort_by(_AT).to_pylist():
                message = f"row {row['source_row_min']} of the same day is of a part of it"
                message += f" ({', '.join(value.whole_of)})"
                yield _double(contract, "whole_beside_parts", row, field.name, message)


_LOOKS: dict[Inside, Callable[[Contract, pa.Table], Iterator[Double]]] = {
    "identical_rows": _identical,
    "unsited_beside_sited": _unsited,
    "whole_beside_parts": _wholes,
}
