"""A fixture: a file of a sample's shape with made-up values, so that the configuration can be tested for good."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date

import xlsxwriter

from strike_reporting.errors import StrikesError
from strike_reporting.extracts import Contract, load, slug
from strike_reporting.extracts import Field as ContractField
from strike_reporting.intake.dialects import ISO, Dialect, spelled
from strike_reporting.intake.proposing import Table
from strike_reporting.intake.proposing.tables import Headed
from strike_reporting.reference.actions import actions
from strike_reporting.settings import settings

LABEL = "SYNTHETIC DATA: made up for testing, not reported by any trust"
_LINES = 6


def fixture(tables: Sequence[Table], dialect: Dialect, trusts: Sequence[str]) -> tuple[str, bytes]:
    """A made-up file of the shape that a dialect reads in a sample.

    Args:
        tables: the sample's.
        dialect: what reads it.
        trusts: whom it speaks for.

    Returns:
        How its name ends, and its bytes.

    Raises:
        StrikesError: the headings are not found again.
    """
    found = [(t, h) for t in tables if (h := _headed(t, dialect))]
    if not found:
        raise StrikesError("no fixture can be made: the headings of the dialect are not found in the sample")
    made = [(t.name, _rows(h, dialect, trusts)) for t, h in found]
    table = found[0][0]
    if table.delimiter:
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=table.delimiter, lineterminator="\r\n").writerows(made[0][1])
        return ".csv", text.getvalue().encode(table.encoding, "replace")
    return ".xlsx", _workbook(made)


def _workbook(sheets: Sequence[tuple[str, list[list[str]]]]) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": LABEL, "subject": "SYNTHETIC DATA"})
    for name, rows in sheets:
        sheet = book.add_worksheet(name or None)
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                if cell.isdecimal():
                    sheet.write_number(number, place, int(cell))
                elif cell:
                    sheet.write_string(number, place, cell)
    book.close()
    return buffer.getvalue()


def _headed(table: Table, dialect: Dialect) -> Headed | None:
    """A table by the row of headings that the dialect needs."""
    if dialect.form:
        return Headed(table, 0, form=True)
    required = set(load(dialect.extract).required)
    needed = [
        {slug(h) for h in c.header} for n, c in dialect.columns.items() if c.header and n in required - {"ods_code"}
    ]
    needed += [{slug(h)} for h in (dialect.unpivot.columns if dialect.unpivot else ())]
    for header in range(dialect.header_rows - 1, min(len(table.rows), settings().header_within_rows)):
        headed = Headed(table, header, dialect.header_rows)
        there = {slug(h) for h in headed.headings}
        if all(options & there for options in needed):
            return headed
    return None


def _rows(headed: Headed, dialect: Dialect, trusts: Sequence[str]) -> list[list[str]]:
    """The label where titles were, the headings as they are, and made-up rows."""
    contract = load(dialect.extract)
    by_heading = {slug(h): contract.field(n) for n, c in dialect.columns.items() for h in c.header}
    columns = [_cells(h, by_heading.get(slug(h)), contract, dialect, trusts) for h in headed.headings]
    if headed.form:
        return [[LABEL], *([h, cells[0]] for h, cells in zip(headed.headings, columns, strict=True) if h)]
    first = headed.header - headed.depth + 1
    heads = [list(map(str, row)) for row in headed.table.rows[first : headed.header + 1]]
    return [[LABEL], [], *heads, *map(list, zip(*columns, strict=True))]


def _cells(
    heading: str, f: ContractField | None, contract: Contract, dialect: Dialect, trusts: Sequence[str]
) -> list[str]:
    if f is None:
        wide = dialect.unpivot is not None and (dialect.unpivot.heading or heading in dialect.unpivot.columns)
        return [str(3 + 2 * n) if wide else "" for n in range(_LINES)]
    codes = list(dialect.columns[f.name].codes)
    if f.name == "ods_code":
        theirs = {ours: code for code, ours in dialect.columns[f.name].codes.items()}
        return [theirs.get(t, t) for t in (trusts[n % len(trusts)] for n in range(_LINES))]
    if f.type == "date32":
        formats = dialect.columns[f.name].format or (ISO,)
        return [spelled(d, formats[0]) for d in _days()]
    if f.type == "int64":
        return [str(10 + 3 * n) for n in range(_LINES)]
    if f.type == "bool":
        return [("yes", "no")[n % 2] for n in range(_LINES)]
    if f.values:
        options = codes or [v.code for v in f.values]
        return [options[n // 2 % len(options)] for n in range(_LINES)]
    return [f"made-up-{n + 1}" if f.name == contract.record_field else "" for n in range(_LINES)]


def _days() -> list[date]:
    """Strike days of the newest action that has been, two rows a day."""
    past = sorted(a.days[0] for a in actions().values() if a.status == "went_ahead")
    action = next(a for a in actions().values() if a.status == "went_ahead" and a.days[0] == past[-1])
    return [action.days[n // 2 % len(action.days)] for n in range(_LINES)]
