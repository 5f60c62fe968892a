"""A matched file to the contract's typed table, column by column.

A cell that does not hold its type becomes null and a `Problem`: the row is quarantined, never guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pyarrow as pa

from strike_reporting.extracts import Contract, Field, slug
from strike_reporting.intake.dialects import EXCEL_SERIAL, Dialect
from strike_reporting.judging.matching import Matched
from strike_reporting.judging.problems import Problem, Rejected, shown

SUPPRESSED = re.compile(r"^(<\s*\d+|\*+|\[c\]|suppressed)$", re.IGNORECASE)
_ISO = re.compile(r"^(\d{4}-\d{2}-\d{2})([ T]00:00(:00)?)?$")
_EXCEL_DAY_0 = date(1899, 12, 30)  # so that serials after February 1900 are right, as in Excel
_YES, _NO = frozenset({"yes", "y", "true", "t", "1"}), frozenset({"no", "n", "false", "f", "0"})


class Unreadable(ValueError):
    """A cell that is not what its field needs; `rule` names why."""

    def __init__(self, rule: str, message: str) -> None:
        """Keep the rule's name and the message."""
        super().__init__(message)
        self.rule = rule


@dataclass
class Normalised:
    """One submission as typed rows (contract fields, source_row, source_column) and what was found on the way.

    Last in `table` stands `is_nil`: the row is the dialect's mark that there was nothing, and no count.
    """

    contract: Contract
    table: pa.Table
    problems: list[Problem] = field(default_factory=list)
    bad_rows: set[int] = field(default_factory=set)  # indexes into `table`
    blanks: dict[str, set[int]] = field(default_factory=dict)  # by column: cells whose value is not kept


def normalise(matched: Matched, ods_code: str | None = None) -> Normalised:
    """Apply the dialect.

    Args:
        matched: the file and the dialect that fits it.
        ods_code: the feed's trust, for a file that does not name its trust.

    Raises:
        Rejected: no rows below the header.
    """
    dialect, contract = matched.dialect, matched.contract
    rows, numbers, nils, contradicted = _body(matched)
    if not rows and not nils:
        raise Rejected(
            "no_rows",
            "there are no rows below the header",
            "If nothing was cancelled or nobody was absent, send a row for each day with a count of 0.",
            row=matched.sheet.numbers[matched.header],
        )
    blocks = list(_blocks(matched))
    data: dict[str, list[Any]] = {name: [] for name in contract.field_names}
    result = Normalised(contract, pa.table({}))
    height = len(rows)
    fixed = {"ods_code": ods_code or "", **dialect.constants}
    done: dict[str, tuple[list[Any], set[int]]] = {}
    for block, (constants, heading, position) in enumerate(blocks):
        for f in contract.fields:
            constant = constants.get(f.name)
            if constant is None and f.name not in matched.columns and not (position is not None and _wide(dialect, f)):
                constant = fixed.get(f.name) or f.default or ""
            if constant is not None:
                data[f.name] += [_cell(f, dialect, constant) if constant else None] * height
                continue
            place = position if position is not None and _wide(dialect, f) else matched.columns[f.name]
            shared = place == matched.columns.get(f.name)
            if shared and f.name in done:  # the same cells under every wide heading: read and reported once
                data[f.name] += done[f.name][0]
                result.bad_rows |= {i + block * height for i in done[f.name][1]}
                continue
            raw = [r[place] if place < len(r) else "" for r in rows]
            title = heading if not shared else matched.sheet.rows[matched.header][place]
            column, bad = _column(f, dialect, raw, numbers, title or f.name, result.problems)
            data[f.name] += column
            result.bad_rows |= {i + block * height for i in bad}
            if shared:
                done[f.name] = (column, bad)
    lineage: dict[str, list[Any]] = {
        "source_row": numbers * len(blocks),
        "source_column": [h for _, h, _ in blocks for _ in rows],
    }
    given = len(lineage["source_row"])
    _append_nils(matched, nils, fixed, data, lineage)
    schema = contract.schema
    arrays = [pa.array(data[n], type=schema.field(n).type) for n in contract.field_names]
    arrays += [pa.array(lineage["source_row"], pa.int64()), pa.array(lineage["source_column"], pa.string())]
    arrays.append(pa.array([n >= given for n in range(len(lineage["source_row"]))], pa.bool_()))
    result.table = pa.table(arrays, names=[*contract.field_names, "source_row", "source_column", "is_nil"])
    for number in contradicted:
        message = "the row says that there was nothing, and holds counts: one of the two is wrong"
        fix = "Correct the counts, or the mark that says there was nothing."
        result.problems.append(Problem("nil_contradicted", "error", message, fix, number))
    result.bad_rows |= {i for i, n in enumerate(lineage["source_row"]) if n in contradicted}
    _day_of_problems(result)
    return result


def _wide(dialect: Dialect, f: Field) -> bool:
    return dialect.unpivot is not None and f.name == dialect.unpivot.value


def _blocks(matched: Matched) -> list[tuple[dict[str, str], str | None, int | None]]:
    if matched.dialect.unpivot is None:
        return [({}, None, None)]
    return [(c, h, matched.wide[h]) for h, c in matched.dialect.unpivot.columns.items()]


def _body(matched: Matched) -> tuple[list[list[str]], list[int], list[tuple[list[str], int]], set[int]]:
    """Rows below the header: ordinary ones with their numbers, and nil rows. Totals and blanks are left out.

    Last come the numbers of ordinary rows that also say that they are nil.
    """
    rows, numbers, nils, contradicted = [], [], [], set()
    counts = [*matched.wide.values(), matched.columns.get(matched.contract.count_field, -1)]
    totals = {slug(t) for t in matched.dialect.totals}
    nil = matched.dialect.nil
    said = {slug(v) for v in nil.values} if nil else set()
    header = matched.sheet.rows[matched.header]
    for row, number in zip(
        matched.sheet.rows[matched.header + 1 :], matched.sheet.numbers[matched.header + 1 :], strict=True
    ):
        filled = [c for c in row if c.strip()]
        if not filled or slug(filled[0]) in totals or row == header:
            continue
        if matched.nil is not None and matched.nil < len(row) and slug(row[matched.nil]) in said:
            if not any(0 <= c < len(row) and re.search("[1-9]", row[c]) for c in counts):
                nils.append((row, number))
                continue
            contradicted.add(number)
        rows.append(row)
        numbers.append(number)
    return rows, numbers, nils, contradicted


def _append_nils(
    matched: Matched,
    nils: list[tuple[list[str], int]],
    fixed: dict[str, str],
    data: dict[str, list[Any]],
    lineage: dict[str, list[Any]],
) -> None:
    contract = matched.contract
    for row, number in nils:
        assert matched.dialect.nil is not None  # noqa: S101 - only a dialect with `nil` finds nil rows
        for constants in matched.dialect.nil.rows:
            for f in contract.fields:
                place = matched.columns.get(f.name)
                text = row[place] if place is not None and place < len(row) else fixed.get(f.name, "")
                if f.name == contract.count_field:
                    data[f.name].append(0)
                    continue
                text = constants.get(f.name) or text or f.default or ""
                try:
                    data[f.name].append(_cell(f, matched.dialect, text))
                except Unreadable:
                    data[f.name].append(None)
            lineage["source_row"].append(number)
            lineage["source_column"].append(matched.dialect.nil.header)


def _column(
    f: Field, dialect: Dialect, raw: list[str], numbers: list[int], heading: str, problems: list[Problem]
) -> tuple[list[Any], set[int]]:
    """One column's typed values and the rows it spoils. Each distinct text is read once: extracts repeat themselves."""
    memo: dict[str, Any] = {}
    wrong: dict[str, Unreadable] = {}
    bad: set[int] = set()
    for value in set(raw):
        try:
            memo[value] = _cell(f, dialect, value)
        except Unreadable as error:
            memo[value] = None
            wrong[value] = error
    if wrong:
        for index, value in enumerate(raw):
            if value in wrong:
                why = wrong[value]
                bad.add(index)
                problems.append(Problem(why.rule, "error", str(why), f.fix, numbers[index], heading, shown(value)))
    default = _cell(f, dialect, f.default) if f.default else None
    return [default if (v := memo[value]) is None and value not in wrong else v for value in raw], bad


def _cell(f: Field, dialect: Dialect, value: str) -> Any:
    """One cell's typed value, None for an empty one.

    Raises:
        Unreadable: the text is not of the field's type.
    """
    text = value.strip().replace("\u00a0", " ").strip()
    if text.casefold() in dialect.missing:
        return None
    column = dialect.columns.get(f.name)
    if column and column.codes:
        folded = {slug(k): v for k, v in column.codes.items()}
        text = folded.get(slug(text), text)
    return _readers(f, dialect)(text)


def _readers(f: Field, dialect: Dialect) -> Callable[[str], Any]:
    if f.type == "int64":
        return partial(_integer, dialect)
    if f.type == "date32":
        column = dialect.columns.get(f.name)
        return partial(_date, column.format if column else None)
    if f.type == "bool":
        return _boolean
    if f.values:
        lookup = f.lookup
        return lambda text: lookup.get(slug(text), text)
    if f.name in ("ods_code", "site_code"):
        return str.upper
    return str


def _integer(dialect: Dialect, text: str) -> int:
    if SUPPRESSED.match(text):
        raise Unreadable("suppressed_value", "the number is hidden, so it is unknown; it is not counted as zero")
    plain = text.replace(dialect.thousands, "") if dialect.thousands else text
    plain = plain.replace(dialect.decimal, ".") if dialect.decimal != "." else plain
    if dialect.thousands and not re.fullmatch(
        rf"-?\d{{1,3}}({re.escape(dialect.thousands)}\d{{3}})*({re.escape(dialect.decimal)}0+)?|-?\d+({re.escape(dialect.decimal)}0+)?",
        text,
    ):
        raise Unreadable("number", "this is not a whole number")
    if not re.fullmatch(r"[+-]?\d{1,15}(\.0+)?", plain):
        raise Unreadable("number", "this is not a whole number")
    return int(float(plain)) if "." in plain else int(plain)


def _date(pattern: str | None, text: str) -> date:
    iso = _ISO.match(text)
    if iso:
        try:
            return date.fromisoformat(iso[1])
        except ValueError as error:
            raise Unreadable("date", "there is no such day") from error
    if pattern == EXCEL_SERIAL and re.fullmatch(r"[2-9]\d{4}", text):
        return _EXCEL_DAY_0 + timedelta(days=int(text))
    if pattern is None:
        raise Unreadable(
            "ambiguous_date",
            "this date's order of day and month is not declared, so it is not guessed; write it as 2023-04-11",
        )
    try:
        return datetime.strptime(text, pattern).date()
    except ValueError as error:
        raise Unreadable("date", f"this is not a date written as {pattern}") from error


def _boolean(text: str) -> bool:
    folded = text.casefold()
    if folded in _YES:
        return True
    if folded in _NO:
        return False
    raise Unreadable("yes_no", "this is neither yes nor no")


def _day_of_problems(result: Normalised) -> None:
    """Note the strike day each problem falls on, where the row's date could be read."""
    if not result.problems:
        return
    days = dict(
        zip(
            result.table["source_row"].to_pylist(),
            result.table[result.contract.date_field].to_pylist(),
            strict=True,
        )
    )
    result.problems = [
        Problem(p.rule, p.severity, p.message, p.fix, p.row, p.column, p.value, day.isoformat() if day else None)
        for p in result.problems
        for day in [days.get(p.row) if p.row is not None else None]
    ]
