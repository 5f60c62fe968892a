"""Files made to end whatever reads them. Each is made when it is asked for; none is kept in the repository.

`POISON` gives, by file name, how to make it and the rules under which it may be refused; `HEAVY` those that use up a
worker's time or memory on the way. `harmless` are as odd and must be read.
"""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
LINKS = "http://schemas.openxmlformats.org/package/2006/relationships"
ODF = "urn:oasis:names:tc:opendocument:xmlns"
MIMETYPE = "application/vnd.oasis.opendocument.spreadsheet"

Make = Callable[[], bytes]
POISON: dict[str, tuple[Make, frozenset[str]]] = {}
HEAVY: set[str] = set()


def poison(name: str, *rules: str, heavy: bool = False) -> Callable[[Make], Make]:
    def keep(make: Make) -> Make:
        POISON[name] = (make, frozenset(rules))
        if heavy:
            HEAVY.add(name)
        return make

    return keep


def good(trust: str) -> bytes:
    """A return of one trust, for beside the poison."""
    return f"{HEAD}\n{trust},2023-04-11,day_case,cancelled,4\n".encode()


def made(*, heavy: bool = False) -> Iterator[tuple[str, bytes]]:
    """Each file's name and bytes; those in `HEAVY` only when they are wanted."""
    for name, (make, _) in POISON.items():
        if heavy or name not in HEAVY:
            yield name, make()


def write(folder: Path, *, heavy: bool = False) -> dict[str, frozenset[str]]:
    """Write the corpus, each file between two good ones; the rules that each may be refused under, by name."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a_good.csv").write_bytes(good("RHU"))
    (folder / "z_good.csv").write_bytes(good("RN5"))
    for name, data in made(heavy=heavy):
        (folder / f"m_{name}").write_bytes(data)
    return {f"m_{n}": rules for n, (_, rules) in POISON.items() if heavy or n not in HEAVY}


# --- Workbooks, written by hand


def zipped(parts: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return buffer.getvalue()


def xlsx(body: str | bytes, *, after: str = "", before: str = "", sheets: str = "", **parts: str | bytes) -> bytes:
    """A workbook with one sheet of these rows; `parts` replace or add parts, `__` standing for a stop."""
    body = body.encode() if isinstance(body, str) else body
    sheets = sheets or '<sheet name="Return" sheetId="1" r:id="rId1"/>'
    named = {
        "_rels/.rels": f'<Relationships xmlns="{LINKS}"><Relationship Id="rId1" Type="{LINK}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{LINK}"><sheets>{sheets}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{LINKS}"><Relationship Id="rId1" Type="{LINK}/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}">{before}<sheetData>'.encode()
        + body
        + f"</sheetData>{after}</worksheet>".encode(),
    }
    return zipped({**named, **{f"xl/{n.replace('__', '.')}": p for n, p in parts.items()}})


def cell(ref: str, value: str = "1") -> str:
    digits = "".join(c for c in ref if c.isdigit())
    return f'<row r="{digits}"><c r="{ref}"><v>{value}</v></c></row>'


def shared_strings(inside: str | bytes, count: int = 1) -> bytes:
    inside = inside.encode() if isinstance(inside, str) else inside
    return f'<sst xmlns="{MAIN}" uniqueCount="{count}">'.encode() + inside + b"</sst>"


def ods(tables: str) -> bytes:
    names = " ".join(f'xmlns:{n}="{ODF}:{n}:1.0"' for n in ("office", "table", "text"))
    content = f"<office:document-content {names}><office:body><office:spreadsheet>{tables}</office:spreadsheet>"
    parts = {"content.xml": f"{content}</office:body></office:document-content>"}
    return zipped({"mimetype": MIMETYPE, **parts, "META-INF/manifest.xml": "<manifest/>"})


def record(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def bof(kind: int) -> bytes:
    return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0, 6))


def number(row: int, column: int) -> bytes:
    return record(0x0203, struct.pack("<HHHd", row, column, 0, 1.0))


def xls(sheet: bytes, *, globals_: bytes = b"", sheets: int = 1, loop: bool = False) -> bytes:
    """An old workbook around the records of one sheet, which `sheets` names point to."""
    name = record(0x0085, struct.pack("<IBBBB", 0, 0, 0, 6, 0) + b"Return")
    start = len(bof(5) + globals_ + record(0x000A)) + sheets * len(name)
    names = b"".join(
        record(0x0085, struct.pack("<IBBBB", start, 0, 0, 2, 0) + f"{n:02}".encode()) for n in range(sheets)
    )
    start = len(bof(5) + globals_ + names + record(0x000A))
    names = b"".join(
        record(0x0085, struct.pack("<IBBBB", start, 0, 0, 2, 0) + f"{n:02}".encode()) for n in range(sheets)
    )
    stream = bof(5) + globals_ + names + record(0x000A) + bof(0x10) + sheet + record(0x000A)
    stream = stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0")
    return compound(stream, loop=loop)


def compound(stream: bytes, *, loop: bool = False) -> bytes:
    """A compound file (OLE) that holds a workbook's stream: its sectors, then the directory, then the table."""
    sectors = len(stream) // 512
    tables = -(-(sectors + 2) // 127)
    chain = [*range(1, sectors), 0 if loop else 0xFFFFFFFE, 0xFFFFFFFE, *[0xFFFFFFFD] * tables]
    fat = struct.pack(f"<{len(chain)}I", *chain).ljust(tables * 512, b"\xff")

    def entry(name: str, kind: int, first: int, size: int, child: int) -> bytes:
        text = name.encode("utf-16-le")
        head = text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text) + 2, kind, 1, 2**32 - 1, 2**32 - 1, child)
        return head.ljust(116, b"\0") + struct.pack("<IQ", first, size)

    directory = entry("Root Entry", 5, 0xFFFFFFFE, 0, 1) + entry("Workbook", 2, 0, len(stream), 2**32 - 1)
    places = [sectors + 1 + n for n in range(tables)]
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, tables, sectors, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", *places, *[0xFFFFFFFF] * (109 - tables))
    return header + stream + directory.ljust(512, b"\0") + fat


# --- XLSX


@poison("far_cell.xlsx", "row_limit")
def far_cell() -> bytes:
    return xlsx(cell("A1") + cell("XFD1048576"))


@poison("many_texts_claimed.xlsx", "file_damaged")
def many_texts_claimed() -> bytes:
    return xlsx(cell("A1"), sharedStrings__xml=shared_strings("<si><t>a</t></si>", 4_000_000_000))


@poison("dense_within_the_limits.xlsx", "row_limit")
def dense() -> bytes:
    """A million rows by two hundred columns: each within its limit, together 6 GB."""
    return xlsx(cell("A1") + cell("GR999999"))


@poison("far_cell_hidden.xlsx", "row_limit")
def far_cell_hidden() -> bytes:
    return xlsx(cell("A1") + cell("B1048576"), sheets='<sheet name="x" sheetId="1" r:id="rId1" state="veryHidden"/>')


@poison("far_cell_in_single_quotes.xlsx", "too_large_to_read", heavy=True)
def far_cell_in_single_quotes() -> bytes:
    """Written so that the look at the sheet's extent is misled."""
    return xlsx("<row><c r='A1'><v>1</v></c><c r='XFD1048576'><v>1</v></c></row>")


@poison("far_cell_out_of_order.xlsx", "row_limit", "column_limit")
def far_cell_out_of_order() -> bytes:
    return xlsx('<row r="1"><c r="GS1000001"><v>1</v></c><c r="A1"><v>1</v></c></row>')


@poison("cells_without_names.xlsx", "too_large_to_read", heavy=True)
def cells_without_names() -> bytes:
    return xlsx(
        "<row>" + "<c><v>1</v></c>" * 30_000 + "</row>" + "<row><c><v>1</v></c></row>" * 100_000,
        padding__bin=noise(50_000),
    )


@poison("column_of_many_letters.xlsx", "column_limit", "file_damaged")
def column_of_many_letters() -> bytes:
    return xlsx(cell("A1") + cell("Z" * 5_000 + "1"))


@poison("many_sheets.xlsx", "sheet_limit")
def many_sheets() -> bytes:
    names = "".join(f'<sheet name="s{n}" sheetId="{n}" r:id="rId1"/>' for n in range(1, 100_001))
    return xlsx(cell("A1"), sheets=names)


@poison("many_merged_cells.xlsx", "file_damaged")
def many_merged_cells() -> bytes:
    """A million ranges, each a million rows high."""
    ranges = '<mergeCell ref="A1:A900000"/>' * 1_000_000
    return xlsx(cell("A1") + cell("A900000"), after=f"<mergeCells>{ranges}</mergeCells>", padding__bin=noise(200_000))


@poison("huge_text.xlsx", "too_large_to_read", "cell_limit", "file_expansion", heavy=True)
def huge_text() -> bytes:
    return xlsx(
        '<row r="1"><c r="A1" t="s"><v>0</v></c></row>',
        sharedStrings__xml=shared_strings(b"<si><t>" + b"x" * 450_000_000 + b"</t></si>"),
    )


@poison("long_text_in_every_cell.xlsx", "too_large_to_read", "cell_limit", heavy=True)
def long_text_in_every_cell() -> bytes:
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 100_001))
    return xlsx(rows, sharedStrings__xml=shared_strings(f"<si><t>{'x' * 1_000_000}</t></si>"))


@poison("deep.xlsx", "file_damaged", "header", "too_large_to_read")
def deep() -> bytes:
    return xlsx("<row>" * 1_000_000 + "</row>" * 1_000_000, padding__bin=noise(100_000))


@poison("entities_in_the_workbook.xlsx", "file_damaged")
def entities_in_the_workbook() -> bytes:
    return xlsx(cell("A1"), workbook__xml=laughs() + f'<workbook xmlns="{MAIN}"><sheets>&i;</sheets></workbook>')


@poison("entities_in_the_texts.xlsx", "file_damaged", "header")
def entities_in_the_texts() -> bytes:
    texts = shared_strings("<si><t>&i;</t></si>").decode()
    return xlsx('<row r="1"><c r="A1" t="s"><v>0</v></c></row>', sharedStrings__xml=laughs() + texts)


def laughs() -> str:
    """A billion laughs."""
    names = "abcdefghi"
    grown = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise(names))
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "{"ha" * 50}">{grown}]>'


@poison("endless_tag.xlsx", "file_damaged", "file_expansion")
def endless_tag() -> bytes:
    return xlsx(b'<row r="1"><c r="A1" x="' + b"y" * 3_000_000 + b'"><v>1</v></c></row>', padding__bin=noise(100_000))


@poison("many_styles.xlsx", "header")
def many_styles() -> bytes:
    formats = "".join(f'<numFmt numFmtId="{n}" formatCode="{"y" * 200}"/>' for n in range(200, 20_200))
    used = "".join(f'<xf numFmtId="{n}"/>' for n in range(200, 20_200))
    rows = "".join(f'<row r="{n}"><c r="A{n}" s="{n % 20_000}"><v>1</v></c></row>' for n in range(1, 20_001))
    styles = f'<styleSheet xmlns="{MAIN}"><numFmts>{formats}</numFmts><cellXfs>{used}</cellXfs></styleSheet>'
    return xlsx(rows, styles__xml=styles, padding__bin=noise(100_000))


@poison("sheet_that_is_the_workbook.xlsx", "file_damaged", "header")
def sheet_that_is_the_workbook() -> bytes:
    links = f'<Relationships xmlns="{LINKS}"><Relationship Id="rId1" Type="{LINK}/worksheet" Target="workbook.xml"/>'
    return xlsx(cell("A1"), **{"_rels/workbook.xml.rels": f"{links}</Relationships>"})


@poison("larger_than_it_says.xlsx", "file_damaged", "too_large_to_read")
def larger_than_it_says() -> bytes:
    """The directory gives a part's size as 100 bytes; it holds 300 MB of rows."""
    book = xlsx(cell("A1") + "<row/>" * 50_000_000)
    at = book.rindex(b"PK\x01\x02")  # the sheet's entry is the last
    return book[: at + 24] + struct.pack("<I", 100) + book[at + 28 :]


def noise(size: int) -> bytes:
    """Bytes that do not pack, so that the limit of expansion does not speak first."""
    return b"".join(struct.pack("<I", (n * 2_654_435_761) % 2**32) for n in range(size // 4))


# --- Old workbooks and ODS


@poison("claims_four_thousand_million_rows.xls", "row_limit")
def claims_rows() -> bytes:
    return xls(record(0x0200, struct.pack("<IIHHH", 0, 4_000_000_000, 0, 256, 0)) + number(0, 0))


@poison("claims_every_cell.xls", "row_limit")
def claims_every_cell() -> bytes:
    return xls(record(0x0200, struct.pack("<IIHHH", 0, 65_536, 0, 256, 0)) + number(0, 0))


@poison("far_cell.xls", "column_limit")
def far_cell_xls() -> bytes:
    return xls(number(0, 0) + number(65_535, 65_535))


@poison("dense.xls", "row_limit")
def dense_xls() -> bytes:
    return xls(number(0, 0) + number(65_535, 199))


@poison("many_sheets_at_one_place.xls", "row_limit", "sheet_limit", "too_large_to_read", heavy=True)
def many_sheets_at_one_place() -> bytes:
    return xls(number(0, 0) + number(65_535, 70), sheets=99)


@poison("sectors_in_a_circle.xls", "file_damaged", "header", "too_large_to_read")
def sectors_in_a_circle() -> bytes:
    return xls(number(0, 0), loop=True)


@poison("claims_texts.xls", "file_damaged", "header", "too_large_to_read")
def claims_texts() -> bytes:
    return xls(number(0, 0), globals_=record(0x00FC, struct.pack("<II", 2**31 - 1, 2**31 - 1)))


VALUE = 'office:value-type="float" office:value="1"'


@poison("repeated_columns.ods", "column_limit")
def repeated_columns() -> bytes:
    one = f'<table:table-row><table:table-cell table:number-columns-repeated="16384" {VALUE}/></table:table-row>'
    return ods(f'<table:table table:name="Return">{one * 5_000}</table:table>')


@poison("repeated_rows.ods", "row_limit")
def repeated_rows() -> bytes:
    one = f'<table:table-cell table:number-columns-repeated="150" {VALUE}/>'
    rows = f'<table:table-row table:number-rows-repeated="1000000">{one}</table:table-row>'
    return ods(f'<table:table table:name="Return">{rows}</table:table>')


@poison("rows_without_end.ods", "row_limit")
def rows_without_end() -> bytes:
    row = f'<table:table-row table:number-rows-repeated="99999999999"><table:table-cell {VALUE}/></table:table-row>'
    return ods(f'<table:table table:name="Return">{row}</table:table>')


@poison("spaces_without_end.ods", "too_large_to_read", heavy=True)
def spaces_without_end() -> bytes:
    text = '<text:p>a<text:s text:c="2000000000"/>b</text:p>'
    one = f'<table:table-cell office:value-type="string">{text}</table:table-cell>'
    return ods(f'<table:table table:name="Return"><table:table-row>{one}</table:table-row></table:table>')


@poison("many_tables.ods", "sheet_limit")
def many_tables() -> bytes:
    return ods('<table:table table:name="x"><table:table-row/></table:table>' * 20_000)


# --- Text


@poison("one_row.csv", "column_limit")
def one_row() -> bytes:
    return b"a," * 22_500_000


@poison("one_cell.csv", "cell_limit")
def one_cell() -> bytes:
    return HEAD.encode() + b"\n" + b"a" * 45_000_000 + b",\n"


@poison("million_columns.csv", "column_limit")
def million_columns() -> bytes:
    return (b"a," * 1_000_000 + b"\n") * 2


@poison("quote_without_end.csv", "csv_quotes")
def quote_without_end() -> bytes:
    return (
        f'{HEAD}\nRHU,2023-04-11,"day_case,cancelled,4\n'.encode()
        + b"RHU,2023-04-11,day_case,cancelled,4\n" * 1_100_000
    )


@poison("fields_over_lines.csv", "csv_quotes", "column_limit")
def fields_over_lines() -> bytes:
    """One record of ten million short fields, each with a line end in it."""
    return b'"\n",' * 9_000_000


@poison("quotes_only.csv", "csv_quotes", "cell_limit")
def quotes_only() -> bytes:
    return b'a,"' + b'"' * 45_000_000


@poison("nul.csv", "file_kind")
def nul() -> bytes:
    return HEAD.encode() + b"\n" + b"\0" * 40_000_000


@poison("empty_lines.csv", "row_limit")
def empty_lines() -> bytes:
    return HEAD.encode() + b"\n" * 45_000_000 + b"x"


@poison("empty_cells.csv", "row_limit")
def empty_cells() -> bytes:
    return (b"," * 199 + b"\n") * 220_000 + b"x\n"


@poison("one_wide_row.csv", "row_limit")
def one_wide_row() -> bytes:
    """999,999 rows of one cell, and one of two hundred: as a rectangle 200 million cells."""
    return b"a\n" * 999_998 + b"," * 199 + b"\n"


@poison("wide_characters.csv", "cell_limit")
def wide_characters() -> bytes:
    return ("\ufeff,," + "\U0001f600" * 11_000_000).encode("utf-16-le")


# --- Archives


@poison("many_members.csv.gz", "header", "file_damaged", "layout", "too_large_to_read")
def many_members() -> bytes:
    return gzip.compress(b"a,b\n") * 200_000


@poison("bomb.csv.gz", "file_expansion")
def gzip_bomb() -> bytes:
    return gzip.compress(bytes(49_000_000)) * 900


@poison("in_each_other.zip", "archive_nesting")
def in_each_other() -> bytes:
    data = HEAD.encode()
    for _ in range(50):
        data = zipped({"a.zip": data})
    return data


@poison("tight.zip", "file_expansion")
def tight() -> bytes:
    return zipped({"a.csv": bytes(900_000_000)}, zipfile.ZIP_LZMA)


@poison("many_files.zip", "archive_files")
def many_files() -> bytes:
    return zipped({f"{n}": b"" for n in range(65_000)}, zipfile.ZIP_STORED)


@poison("larger_than_it_says.zip", "file_damaged", "file_expansion")
def zip_larger_than_it_says() -> bytes:
    data = zipped({"a.csv": b"a," * 100_000_000})
    at = data.rindex(b"PK\x01\x02")
    return data[: at + 24] + struct.pack("<I", 100) + data[at + 28 :]


# --- Parquet


def parquet(table: pa.Table, **options: object) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **options)
    return buffer.getvalue()


@poison("dictionary.parquet", "file_expansion")
def dictionary() -> bytes:
    column = pa.array(["x" * 1_900]).take(pa.array([0] * 150_000, pa.int32()))
    return parquet(pa.table({"a": column, "b": column}))


@poison("many_rows.parquet", "row_limit")
def many_rows() -> bytes:
    return parquet(pa.table({"a": pa.nulls(20_000_000, pa.int8())}))


@poison("many_columns.parquet", "column_limit")
def many_columns() -> bytes:
    return parquet(pa.table({f"c{n}": pa.array([1]) for n in range(20_000)}))


@poison("long_text.parquet", "cell_limit", "file_expansion")
def long_text() -> bytes:
    return parquet(pa.table({"a": ["x" * 150_000_000]}))


@poison("wide_batch.parquet", "file_expansion")
def wide_batch() -> bytes:
    """Two hundred columns of the same long text: small until it is read."""
    column = pa.array(["x" * 1_900]).take(pa.array([0] * 2_000, pa.int32()))
    return parquet(pa.table({f"c{n}": column for n in range(200)}))


@poison("nested.parquet", "nested_column", "file_damaged")
def nested() -> bytes:
    kind, value = pa.int8(), 1
    for _ in range(60):
        kind, value = pa.list_(kind), [value]  # type: ignore[assignment]
    return parquet(pa.table({"a": pa.array([value], kind)}))
