"""A file that no reader opens is searched for patients before it is answered, and no value is echoed."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from poison.formats import compound, ods, shared_strings, xlsx, zipped
from strike_reporting.judging.problems import Rejected
from strike_reporting.judging.reading.document import Layout
from strike_reporting.judging.reading.reader import Reader, limits_set


# Numbers of the range that the NHS keeps for tests.
def check_digit(nine: str) -> int:
    return -sum(int(c) * w for c, w in zip(nine, range(10, 1, -1), strict=True)) % 11


NUMBERS = [f"99900{n:04}{d}" for n in range(300) if (d := check_digit(f"99900{n:04}")) < 10]
PATIENTS = ["NHS number,Date of birth", *(f"{n},01/02/1950" for n in NUMBERS[:20])]
HARMLESS = ["Trust,Cancelled", *(f"RHU,{n}" for n in range(20))]
HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count"


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Reader() as made:
        yield made


def text(lines: list[str]) -> bytes:
    return "\r\n".join(lines).encode()


def cells(lines: list[str]) -> str:
    return "".join(f"<si><t>{c}</t></si>" for line in lines for c in line.split(","))


def mail(lines: list[str]) -> bytes:
    attached = base64.encodebytes(text(lines))
    return (
        b"From: a@nhs.example\r\nTo: b@nhs.example\r\nSubject: return\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + attached
    )


def quoted_mail(lines: list[str]) -> bytes:
    body = text(lines).replace(b"0", b"=30").replace(b"\r\n", b"=\r\n=0D=0A")
    return b"From: a@nhs.example\r\nTo: b@nhs.example\r\nSubject: return\r\nMIME-Version: 1.0\r\n\r\n=3D" + body


def pdf(lines: list[str]) -> bytes:
    shown = "\n".join(f"[({line[:4]})-3({line[4:]})]TJ" for line in lines).encode()
    return b"%PDF-1.7\n1 0 obj <</Filter /FlateDecode>>\nstream\r\n" + zlib.compress(shown) + b"\nendstream"


def nested(lines: list[str]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"a": pa.array([lines])}), buffer, compression="none", use_dictionary=False)
    return buffer.getvalue()


def rows_xlsx(lines: list[str], sheets: int = 1) -> bytes:
    names = "".join(f'<sheet name="s{n}" sheetId="{n}" r:id="rId1"/>' for n in range(1, sheets + 1))
    return xlsx("<row/>", sheets=names, sharedStrings__xml=shared_strings(cells(lines), 2 * len(lines)))


def cut(data: bytes) -> bytes:
    return data[:-30]


KINDS = {
    "a database": (lambda x: b"SQLite format 3\0" + bytes(84) + text(x), "file_kind"),
    "JSON": (lambda x: json.dumps([dict(enumerate(line.split(","))) for line in x]).encode(), "file_kind"),
    "JSON in UTF-16": (lambda x: json.dumps({"a": x}).encode("utf-16"), "file_kind"),
    "XML": (lambda x: ("<rows>" + "".join(f"<r><a>{c}</a></r>" for c in x) + "</rows>").encode(), "file_kind"),
    "a mail with an attachment": (mail, "file_kind"),
    "a mail in quoted-printable": (quoted_mail, "file_kind"),
    "a mail of Outlook": (
        lambda x: compound("\n".join(x).encode("utf-16-le").ljust(5120, b"\0")).replace(
            "Workbook".encode("utf-16-le"), "WordDocu".encode("utf-16-le")
        ),
        "file_kind",
    ),
    "a document": (lambda x: zipped({"word/document.xml": f"<w><p>{'</p><p>'.join(x)}</p></w>"}), "file_kind"),
    "a PDF": (pdf, "file_kind"),
    "a web page": (lambda x: f"<html><p>{'<br>'.join(x)}".encode(), "file_kind"),
    "32 sheets": (lambda x: rows_xlsx(x, 32), "sheet_limit"),
    "a stray quote": (lambda x: f'{HEAD}\nRHU,"2023\n'.encode() + text(x), "csv_quotes"),
    "a nested column": (nested, "nested_column"),
    "a workbook cut short": (lambda x: cut(rows_xlsx(x)), "file_damaged"),
    "a workbook that lies": (
        lambda x: xlsx("<row/>", sharedStrings__xml=shared_strings(cells(x), 4_000_000_000)),
        "file_damaged",
    ),
    "an ODS beyond the limits": (
        lambda x: ods(
            "<table:table>"
            + "".join(
                f'<table:table-row><table:table-cell office:value-type="string"><text:p>{c}</text:p></table:table-cell>'
                "</table:table-row>"
                for c in x
            )
            + '<table:table-row table:number-rows-repeated="2000000"><table:table-cell office:value-type="float" '
            'office:value="1"/></table:table-row></table:table>'
        ),
        "row_limit",
    ),
    "an archive of a document": (lambda x: zipped({"a.csv": HEAD, "b.json": json.dumps({"a": x})}), "file_kind"),
    "a JSON packed by gzip": (lambda x: gzip.compress(json.dumps({"a": x}).encode()), "file_kind"),
    "gzip cut short": (lambda x: gzip.compress(text(x) + b"\n" + bytes(range(256)) * 9)[:-9], "file_damaged"),
    "an archive too deep": (
        lambda x: zipped({"a.zip": zipped({"b.zip": zipped({"c.csv": text(x)})})}),
        "archive_nesting",
    ),
    "a cell far too long": (lambda x: text([*x, "y" * 3_000]), "cell_limit"),
}


@pytest.mark.parametrize("name", KINDS)
def test_what_is_refused_is_searched_and_what_it_holds_is_not_said(name: str, reader: Reader) -> None:
    make, _ = KINDS[name]
    said = refusal(reader, make(PATIENTS))
    assert said.problem.rule == "patient_data"
    assert "it could not be read either: " in str(said)
    assert not [n for n in NUMBERS if n in str(said) + said.problem.fix]


@pytest.mark.parametrize("name", KINDS)
def test_and_is_refused_for_its_own_reason_where_it_holds_none(name: str, reader: Reader) -> None:
    make, rule = KINDS[name]
    assert refusal(reader, make(HARMLESS)).problem.rule == rule


def test_a_file_of_nothing_is_refused_as_such(reader: Reader) -> None:
    assert refusal(reader, b"").problem.rule == "file_empty"
    assert refusal(reader, zipped({"a.csv": b""})).problem.rule == "file_empty"


def refusal(reader: Reader, data: bytes) -> Rejected:
    try:
        found = reader.read(data, [Layout(("utf-8",), ",")])
    except Rejected as refused:
        return refused
    return Rejected.of(found.unread[0].problem)


def test_a_file_that_ends_its_reader_is_searched_by_another(reader: Reader) -> None:
    row = "<row><c r='A1'><v>1</v></c><c r='XFD1048576'><v>1</v></c></row>"
    data = xlsx(row, sharedStrings__xml=shared_strings(cells(PATIENTS), 2 * len(PATIENTS)))
    assert refusal(reader, data).problem.rule == "patient_data"
    assert refusal(reader, xlsx(row)).problem.rule == "too_large_to_read"


def test_the_search_is_bounded() -> None:
    from strike_reporting.judging.reading.loose import texts

    limits = limits_set()
    bomb = zipped({f"{n}.json": b"{" + b"0" * 40_000_000 for n in range(4)})
    assert sum(map(len, texts(bomb, limits))) < 2 * limits.max_file_bytes
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as archive:
        for n in range(3_000):
            archive.writestr(f"{n}.json", b"{}")
    assert len(list(texts(many.getvalue(), limits))) < 5_000
