"""Writing rows in a dialect, the inverse of reading: for examples, the simulator and round-trip tests."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Literal

import xlsxwriter

from strike_reporting.extracts import load
from strike_reporting.intake.dialects import ISO, Dialect, spelled

Row = Mapping[str, Any]
FileType = Literal["csv", "xlsx"]


def write(
    rows: Iterable[Row],
    dialect: Dialect,
    file_type: FileType = "csv",
    *,
    preamble: Iterable[str] = (),
    totals: bool = False,
    synthetic: bool = False,
) -> bytes:
    """A file as a sender of this dialect would make it.

    Args:
        rows: contract rows (field name to value). A wide dialect needs every heading of a day and trust.
        dialect: how to write them.
        file_type: `csv` (first declared encoding and delimiter) or `xlsx` (declared sheet).
        preamble: lines above the header row.
        totals: whether to add a totals row below.
        synthetic: mark the file's metadata (workbooks only) as synthetic.

    Returns:
        The file's bytes, the same for the same rows.
    """
    table = _grid([dict(r) for r in rows], dialect)
    if totals:
        table.append(["Total", *_sums(table)])
    lines = [[p] for p in preamble] + table
    return _csv(lines, dialect) if file_type == "csv" else _xlsx(lines, dialect, synthetic)


def _sums(table: list[list[Any]]) -> list[Any]:
    columns = list(zip(*table[1:], strict=True))[1:]
    return [sum(c) if all(isinstance(v, int) and not isinstance(v, bool) for v in c) else "" for c in columns]


def _grid(rows: list[dict[str, Any]], dialect: Dialect) -> list[list[Any]]:
    given = {k for r in rows for k in r}
    fields = [f for f in dialect.columns if f in given or f in load(dialect.extract).required]
    header = [dialect.columns[f].header[0] for f in fields]
    if dialect.unpivot is None:
        return [header, *([_value(dialect, f, r.get(f)) for f in fields] for r in rows)]
    wide = list(dialect.unpivot.columns)
    lines: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row.get(f) for f in fields)
        for heading, constants in dialect.unpivot.columns.items():
            if all(row.get(k) == v for k, v in constants.items()):
                lines.setdefault(key, {})[heading] = row[dialect.unpivot.value]
    return [
        [*header, *wide],
        *(
            [
                *(_value(dialect, f, v) for f, v in zip(fields, key, strict=True)),
                *(cells.get(h) for h in wide),
            ]
            for key, cells in lines.items()
        ),
    ]


def _value(dialect: Dialect, field: str, value: Any) -> Any:
    column = dialect.columns[field]
    if isinstance(value, date):
        return spelled(value, column.format[0]) if column.format and column.format[0] != ISO else value
    for theirs, ours in column.codes.items():
        if ours == value:
            return theirs
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return value


def _csv(lines: list[list[Any]], dialect: Dialect) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=dialect.delimiters[0], lineterminator="\r\n")
    for line in lines:
        writer.writerow([_text(dialect, v) for v in line])
    return buffer.getvalue().encode(dialect.encodings[0])


def _text(dialect: Dialect, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int) and dialect.thousands:
        return f"{value:,}".replace(",", dialect.thousands)
    return value.isoformat() if isinstance(value, date) else str(value)


def _xlsx(lines: list[list[Any]], dialect: Dialect, synthetic: bool) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    properties = {"created": datetime(2000, 1, 1), "title": dialect.description}
    if synthetic:
        properties |= {
            "subject": "SYNTHETIC DATA",
            "comments": "Made by a simulator, not reported by any trust.",
        }
    book.set_properties(properties)
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    sheet = book.add_worksheet(dialect.sheet or "Return")
    for r, line in enumerate(lines):
        for c, value in enumerate(line):
            if isinstance(value, date):
                sheet.write_datetime(r, c, datetime(value.year, value.month, value.day), day)
            elif value is not None:
                sheet.write(r, c, value)
    book.close()
    return buffer.getvalue()
