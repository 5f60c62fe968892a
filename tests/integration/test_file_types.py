"""The same rows in every file type come to the same accepted rows."""

from __future__ import annotations

import gzip
import io
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from strike_reporting.feeds import dialects, template
from strike_reporting.feeds.writing import write
from strike_reporting.matching import match
from strike_reporting.normalise import normalise
from strike_reporting.problems import Rejected
from strike_reporting.reading.archive import unwrap

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
    table = normalise(match(data, dialects().values())).table
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
        (zipped(a__csv=CSV, b__csv=CSV), "archive_files"),
        (zipped(), "archive_files"),
        (gzip.compress(gzip.compress(gzip.compress(CSV))), "archive_nesting"),
        (gzip.compress(CSV)[:-6], "file_damaged"),
        (gzip.compress(b"0" * 60_000_000), "file_expansion"),
        (zipped(a__csv=b"0" * 60_000_000), "file_expansion"),
        (parquet()[:100], "file_damaged"),
        (b"PAR1" + b"\0" * 50 + b"PAR1", "file_damaged"),
    ],
    ids=["two files", "no file", "nested", "cut gzip", "gzip bomb", "zip bomb", "cut parquet", "broken parquet"],
)
def test_archives_end_in_a_clear_refusal(data: bytes, rule: str) -> None:
    with pytest.raises(Rejected) as refused:
        match(data, dialects().values())
    assert refused.value.problem.rule == rule


def test_content_not_the_name_decides() -> None:
    assert unwrap(XLSX)[1] == "xlsx"
    assert unwrap(CSV)[1] == "csv"
