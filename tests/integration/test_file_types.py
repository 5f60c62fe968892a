"""The same rows in every file type come to the same accepted rows."""

from __future__ import annotations

import gzip
import io
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from parsed import matched, normalised
from strike_reporting.intake.registry import template
from strike_reporting.judging.problems import Rejected
from strike_reporting.judging.reading.archive import members
from strike_reporting.judging.reading.reader import limits_set
from strike_reporting.simulator.writing import write

ROWS = [
    {
        "ods_code": "RHU",
        "activity_date": date(2023, 4, d),
        "point_of_delivery": "day_case",
        "status": "cancelled",
        "cancelled_count": d,
        "is_cancer": d % 2 == 0,
    }
    for d in (11, 12)
]
CSV = write(ROWS, template("cancellations"))
XLSX = write(ROWS, template("cancellations"), "xlsx")


def parquet() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), buffer)
    return buffer.getvalue()


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "."), data)
    return buffer.getvalue()


def counts(data: bytes) -> list[tuple]:
    table = normalised(data).table
    return [(r["activity_date"], r["cancelled_count"], r["is_cancer"], r["source_row"]) for r in table.to_pylist()]


TYPES: dict[str, Callable[[], bytes]] = {
    "csv": lambda: CSV,
    "xlsx": lambda: XLSX,
    "parquet": parquet,
    "gzip of csv": lambda: gzip.compress(CSV),
    "zip of csv": lambda: zipped(a__csv=CSV),
    "zip of xlsx": lambda: zipped(a__xlsx=XLSX),
    "gzip of parquet": lambda: gzip.compress(parquet()),
    "zip in zip": lambda: zipped(a__zip=zipped(a__csv=CSV)),
}


@pytest.mark.parametrize("name", TYPES)
def test_every_type_gives_the_same_rows(name: str) -> None:
    assert counts(TYPES[name]()) == [(date(2023, 4, 11), 11, False, 2), (date(2023, 4, 12), 12, True, 3)]


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice, which makes the files, is missing")
@pytest.mark.parametrize("kind", ["xls", "ods"])
def test_old_and_open_workbooks(kind: str, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(XLSX)
    command = ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to", kind]
    subprocess.run([*command, "--outdir", str(tmp_path), str(tmp_path / "a.xlsx")], check=True, capture_output=True)
    assert counts((tmp_path / f"a.{kind}").read_bytes()) == counts(XLSX)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (zipped(**{f"{n}__csv": CSV for n in range(41)}), "archive_files"),
        (zipped(), "archive_files"),
        (gzip.compress(gzip.compress(gzip.compress(CSV))), "archive_nesting"),
        (gzip.compress(CSV)[:-6], "file_damaged"),
        (gzip.compress(b"0" * 60_000_000), "file_expansion"),
        (zipped(a__csv=b"0" * 60_000_000), "file_expansion"),
        (parquet()[:100], "file_damaged"),
        (b"PAR1" + b"\0" * 50 + b"PAR1", "file_damaged"),
    ],
    ids=["too many files", "no file", "nested", "cut gzip", "gzip bomb", "zip bomb", "cut parquet", "broken parquet"],
)
def test_archives_end_in_a_clear_refusal(data: bytes, rule: str) -> None:
    with pytest.raises(Rejected) as refused:
        matched(data)
    assert refused.value.problem.rule == rule


def test_content_not_the_name_decides() -> None:
    assert [m.kind for m in members(zipped(a__csv=XLSX, b__xlsx=CSV), limits_set())] == ["xlsx", "csv"]


def workbook(fill: Callable[[Any], None], **options: object) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, **options})
    fill(book)
    book.close()
    return buffer.getvalue()


def put(book: Any, sheet: Any, top: int = 0, *, formula: bool = False) -> None:
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    for c, name in enumerate(
        ["ods_code", "activity_date", "point_of_delivery", "status", "cancelled_count", "is_cancer"]
    ):
        sheet.write(top, c, name)
    for r, row in enumerate(ROWS, start=top + 1):
        sheet.write(r, 0, row["ods_code"])
        sheet.write_datetime(r, 1, datetime(2023, 4, row["cancelled_count"]), day)
        sheet.write(r, 2, row["point_of_delivery"])
        sheet.write(r, 3, row["status"])
        if formula:
            sheet.write_formula(r, 4, "=1+1", None, row["cancelled_count"])
        else:
            sheet.write(r, 4, row["cancelled_count"])
        sheet.write_boolean(r, 5, row["is_cancer"])


def hidden(book: Any) -> None:
    old = book.add_worksheet("Old return")
    put(book, old)
    put(book, book.add_worksheet("Return"))
    book.worksheets()[1].activate()
    book.worksheets()[1].set_first_sheet()
    old.hide()


def merged(book: Any) -> None:
    sheet = book.add_worksheet()
    sheet.merge_range(0, 0, 0, 5, "Industrial action return")
    put(book, sheet, 1)


def merged_header(book: Any) -> None:
    """A heading over several columns, the others merged over both header rows, and one trust merged over its days."""
    sheet = book.add_worksheet()
    put(book, sheet, 1)
    for c, name in ((0, "ods_code"), (1, "activity_date"), (5, "is_cancer")):
        sheet.merge_range(0, c, 1, c, name)
    sheet.merge_range(0, 2, 0, 4, "Activity cancelled")
    sheet.merge_range(2, 0, 3, 0, "RHU")


WORKBOOKS: dict[str, bytes] = {
    "the 1904 date system": workbook(lambda b: put(b, b.add_worksheet()), date_1904=True),
    "a formula's last value": workbook(lambda b: put(b, b.add_worksheet(), formula=True)),
    "a hidden sheet is not read": workbook(hidden),
    "merged cells above the header": workbook(merged),
    "merged cells in the header and the data": workbook(merged_header),
}


@pytest.mark.parametrize("name", WORKBOOKS)
def test_workbooks_as_people_make_them(name: str) -> None:
    found = counts(WORKBOOKS[name])
    assert [c[:3] for c in found] == [(date(2023, 4, 11), 11, False), (date(2023, 4, 12), 12, True)]


def test_a_number_merged_downwards_is_never_counted_twice() -> None:
    def fill(book: Any) -> None:
        sheet = book.add_worksheet()
        put(book, sheet)
        sheet.merge_range(1, 4, 2, 4, 40, book.add_format())  # with a format, the covered cell is written as blank

    back = normalised(workbook(fill))
    assert back.table["cancelled_count"].to_pylist() == [40, None]


def test_excel_day_numbers_decimal_commas_and_thousands_points() -> None:
    data = b"Provider;Day No;Care;Stood down\r\nRHU;45027;INP;1.234,0\r\nRHU;45028;OUT;12,0\r\nRHU;45028;OUT;1,5\r\n"
    back = normalised(data)
    assert back.table["activity_date"].to_pylist() == [date(2023, 4, 11), date(2023, 4, 12), date(2023, 4, 12)]
    assert back.table["cancelled_count"].to_pylist() == [1234, 12, None]
    assert [(p.rule, p.row, p.value) for p in back.problems] == [("number", 4, "1,5")]


def test_an_external_entity_is_never_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("9990000018-secret")
    entity = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}"><!ENTITY b "{"b" * 999}">]>'
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(XLSX)) as source, zipfile.ZipFile(buffer, "w") as made:
        for name in source.namelist():
            text = source.read(name)
            if name == "xl/sharedStrings.xml":
                text = entity.encode() + text.split(b"?>", 1)[1].replace(b">day_case<", b">&e;&b;day_case<")
            made.writestr(name, text)
    try:
        table = normalised(buffer.getvalue()).table
    except Rejected as refused:
        assert "secret" not in str(refused)
    else:
        assert "secret" not in str(table.to_pylist())
        assert "bbb" not in str(table.to_pylist())


def test_a_small_parquet_that_unpacks_to_much_is_refused_before_it_fills_the_memory() -> None:
    column = pa.array(["x" * 1_900]).take(pa.array([0] * 150_000, pa.int32()))
    buffer = io.BytesIO()
    pq.write_table(pa.table({"a": column, "b": column}), buffer)
    assert len(buffer.getvalue()) < 100_000
    with pytest.raises(Rejected) as refused:
        matched(buffer.getvalue())
    assert refused.value.problem.rule == "file_expansion"
