"""Files as programs really write them: read as their sender sees them, or named."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from poison.formats import (
    LINK,
    LINKS,
    MAIN,
    binary_cell,
    binary_row,
    cell,
    ods,
    record,
    shared_strings,
    spreadsheet_xml,
    wide,
    xls,
    xlsb,
    xlsx,
    zipped,
)
from strike_reporting.judging.problems import Problem, Rejected
from strike_reporting.judging.reading.document import NEVER_CALCULATED, Document, Layout, Sheet
from strike_reporting.judging.reading.parsing import parse
from strike_reporting.judging.reading.reader import limits_set

LIMITS = limits_set()
COMMA = Layout(("utf-8",), ",")


def read(data: bytes, *layouts: Layout) -> Document:
    return Document.of(parse(data, layouts or (COMMA,), LIMITS))


def rows(data: bytes, sheet: int = 0) -> list[list[str]]:
    return read(data).sheets[sheet].rows


def refused(data: bytes) -> Problem:
    with pytest.raises(Rejected) as rejected:
        read(data)
    assert rejected.value.problem.fix
    return rejected.value.problem


def written(fill: Callable[[xlsxwriter.Workbook], None]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        fill(book)
    return buffer.getvalue()


def test_a_formula_that_a_program_never_worked_out_is_not_its_zero() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["a", "b", "c", "d"])
        sheet.write_formula(1, 0, "=1+1")
        sheet.write_formula(1, 1, "=1+1", None, 2)
        sheet.write_formula(1, 2, '=""', None, "")
        sheet.write(1, 3, 0)

    assert rows(written(fill))[1] == [NEVER_CALCULATED, "2", NEVER_CALCULATED, "0"]
    buffer, book = io.BytesIO(), openpyxl.Workbook()
    book.active.append(["=1+1", 0, "x"])
    book.save(buffer)
    assert rows(buffer.getvalue()) == [[NEVER_CALCULATED, "0", "x"]]


def test_a_zero_that_excel_worked_out_stays_and_so_does_an_empty_text() -> None:
    zero = (
        '<c r="A1"><f>1-1</f><v>0</v></c><c r="B1" t="str"><f>""</f><v></v></c><c r="C1" t="b"><f>TRUE</f><v>1</v></c>'
    )
    data = xlsx(f'<row r="1">{zero}<c r="D1"><f t="shared" si="0"/><v>7</v></c></row>')
    assert rows(data) == [["0", "", "yes", "7"]]


def test_errors_arrive_as_their_own_text_wherever_they_stand() -> None:
    named = ["#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!"]
    cells = "".join(f'<c r="{c}1" t="e"><f>x</f><v>{e}</v></c>' for c, e in zip("ABCDEFG", named, strict=True))
    assert rows(xlsx(f'<row r="1">{cells}<c r="H1"><v>1</v></c></row>')) == [[*named, "1"]]
    codes = [0x2A, 0x07, 0x17, 0x0F, 0x1D, 0x24, 0x00]
    body = binary_row(0) + b"".join(binary_cell(3, n, bytes([c])) for n, c in enumerate(codes[:4]))
    body += b"".join(binary_cell(11, n, bytes([c]) + bytes(6)) for n, c in enumerate(codes[4:], start=4))
    assert rows(xlsb(body)) == [named]
    old = b"".join(record(0x0205, struct.pack("<HHHBB", 0, n, 0, c, 1)) for n, c in enumerate(codes))
    assert rows(xls(old)) == [named]
    open_document = "".join(
        '<table:table-cell table:formula="of:=x" office:value-type="string" office:string-value="">'
        f"<text:p>{e}</text:p></table:table-cell>"
        for e in named
    )
    table = f'<table:table table:name="R"><table:table-row>{open_document}</table:table-row></table:table>'
    assert rows(ods(table)) == [named]
    xml = "".join(f'<Cell><Data ss:Type="Error">{e}</Data></Cell>' for e in named)
    assert rows(spreadsheet_xml(f"<Row>{xml}</Row>")) == [named]


def test_old_and_open_workbooks_say_when_a_formula_waits() -> None:
    formula = struct.pack("<HHH", 0, 0, 0) + bytes(8) + struct.pack("<HIH", 2, 0, 0)
    calm = struct.pack("<HHH", 0, 1, 0) + bytes(8) + struct.pack("<HIH", 0, 0, 0)
    assert rows(xls(record(0x0006, formula) + record(0x0006, calm))) == [[NEVER_CALCULATED, "0"]]
    waiting = '<table:table-cell table:formula="of:=1+1"/>'
    empty = '<table:table-cell table:formula="of:=x"><text:p/></table:table-cell>'
    last = '<table:table-cell office:value-type="float" office:value="1"/>'
    table = f'<table:table table:name="R"><table:table-row>{waiting}{empty}{last}</table:table-row></table:table>'
    assert rows(ods(table)) == [[NEVER_CALCULATED, "", "1"]]
    assert rows(spreadsheet_xml('<Row><Cell ss:Formula="=1+1"/></Row>')) == [[NEVER_CALCULATED]]


@pytest.mark.parametrize("where", ["A1048576", "XFD1", "XFD1048576"])
def test_a_blank_far_outside_the_table_is_nothing(where: str) -> None:
    digits = "".join(filter(str.isdigit, where))
    blanks = {
        "shared": f'<c r="{where}" t="s"><v>0</v></c>',
        "own": f'<c r="{where}" t="inlineStr"><is><t xml:space="preserve">  </t></is></c>',
        "computed": f'<c r="{where}" t="str"><f>""</f><v></v></c>',
    }
    for blank in blanks.values():
        body = "".join(cell(f"A{n}", str(n)) for n in range(2, 900)) + f'<row r="{digits}">{blank}</row>'
        data = xlsx(body, sharedStrings__xml=shared_strings('<si><t xml:space="preserve"> </t></si>'))
        assert len(rows(data)) == 898
    row, column = int(digits) - 1, 16_383 if where.startswith("X") else 0
    body = b"".join(binary_row(n) + binary_cell(5, 0, struct.pack("<d", n)) for n in range(900))
    assert len(rows(xlsb(body + binary_row(row + 900) + binary_cell(6, column, wide(" "))))) == 900


def test_a_value_far_outside_is_still_refused() -> None:
    assert refused(xlsx(cell("A1") + cell("A1048576"))).rule == "row_limit"
    wide_table = "".join(cell(f"A{n}", str(n)) for n in range(1, 900)) + '<row r="900"><c r="XFD900"><v>1</v></c></row>'
    assert refused(xlsx(wide_table)).rule == "column_limit"


def test_columns_count_when_they_hold_more_than_a_heading_and_blank_rows_do_not() -> None:
    heads = ",".join(["a", "b", *(f"extra{n}" for n in range(400))])
    data = f"{heads}\n1,2{',' * 400}\n3,4\n".encode() + b", ,\t\n" * 1_100_000
    assert [r[:2] for r in rows(data)] == [["a", "b"], ["1", "2"], ["3", "4"]]
    full = f"{heads}\n{','.join('1' * 402)}\n".encode()
    assert read(full).unread[0].problem.rule == "column_limit"


def test_parts_are_found_by_their_links_and_in_any_encoding() -> None:
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/a/book.xml" '
    )
    types += 'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'

    def links(*targets: tuple[str, str]) -> str:
        said = "".join(f'<Relationship Id="r{n}" Type="{LINK}/{k}" Target="{t}"/>' for n, (k, t) in enumerate(targets))
        return f'<Relationships xmlns="{LINKS}">{said}</Relationships>'

    book = (
        f'<workbook xmlns="{MAIN}" xmlns:r="{LINK}"><sheets><sheet name="R" sheetId="1" r:id="r0"/></sheets></workbook>'
    )
    sheet = (
        '<?xml version="1.0" encoding="UTF-16"?>' + f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1" t="s">'
    )
    sheet += '<v>0</v></c><c r="B1"><v>5</v></c></row></sheetData></worksheet>'
    data = zipped(
        {
            "[Content_Types].xml": types,
            "_rels/.rels": links(("officeDocument", "/a/book.xml")),
            "a/book.xml": book,
            "a/_rels/book.xml.rels": links(("worksheet", "../b/one.xml"), ("sharedStrings", "words.xml")),
            "b/one.xml": sheet.encode("utf-16"),
            "a/words.xml": shared_strings("<si><t>RHU</t></si>"),
            "xl/vbaProject.bin": b"macros are left",
        }
    )
    assert rows(data) == [["RHU", "5"]]


def test_binary_workbooks_are_read_hidden_ones_marked() -> None:
    texts = wide("RHU")
    body = binary_row(0) + binary_cell(6, 0, texts) + binary_cell(5, 1, struct.pack("<d", 12))
    [sheet] = read(xlsb(body, state=1)).sheets
    assert (sheet.name, sheet.hidden, sheet.rows, sheet.numbers()) == ("Return", True, [["RHU", "12"]], [1])


def test_a_number_kept_as_text_and_merged_is_told_and_a_real_one_is_not_repeated() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet, plain = book.add_worksheet(), book.add_format()
        for c, value in enumerate(["110", "RHU", 40, "1,204", "12 %"]):
            sheet.merge_range(1, c, 3, c, "", plain)
            (sheet.write_number if isinstance(value, int) else sheet.write_string)(1, c, value, plain)
        sheet.write_column(1, 5, [1, 2, 3])

    [sheet] = read(written(fill)).sheets
    assert [r[:5] for r in sheet.rows] == [["110", "RHU", v, "1,204", "12 %"] for v in ("40", "", "")]
    assert sheet.merged == ((0, 2, 4), (3, 2, 4), (4, 2, 4))


PAGE = """<!doctype html><html><head><meta charset="windows-1252"><style>td {color: red}</style></head><body>
<table><tr><td><table border=1><caption>Return</caption>
<thead><tr><th rowspan=2>Trust<th colspan="2">Cancelled</tr><tr><th>Day<br>case<th>Out&shy;patient</thead>
<tr><td rowspan="2">RH\xdc</td><td rowspan=2>12</td><td>&nbsp;3 </td></tr><tr><td>4</table></table>
<p>Page 1 of 1</p><table><tr><td>  </table><table><tr><td>Printed<script>var x = "<td>"</script></table>"""


def test_each_table_of_a_page_is_a_sheet_with_its_spans() -> None:
    outer = read(PAGE.encode("cp1252")).sheets
    assert [s.name for s in outer] == ["Table 1", "Table 2"]
    assert outer[0].rows == [
        ["Trust", "Cancelled", ""],
        ["Trust", "Day case", "Out\xadpatient"],
        ["RHÜ", "12", "3"],
        ["RHÜ", "12", "4"],
    ]
    assert outer[0].merged == ((1, 3, 4),)
    assert outer[1].rows == [["Printed"]]
    for encoding in ("utf-16", "utf-8-sig"):
        assert read(PAGE.encode(encoding)).sheets[0].rows == outer[0].rows


def test_xml_of_2003_is_read_as_its_sender_sees_it() -> None:
    table = """<Row><Cell><Data ss:Type="String">Trust</Data></Cell><Cell ss:Index="3"><Data ss:Type="String">Day</Data>
    </Cell></Row><Row ss:Index="5"><Cell ss:MergeDown="1"><Data ss:Type="String">RHU</Data></Cell>
    <Cell ss:MergeDown="1"><Data ss:Type="Number">1.1E1</Data></Cell>
    <Cell><Data ss:Type="DateTime">2023-04-11T00:00:00.000</Data></Cell></Row>
    <Row><Cell ss:Index="3"><ss:Data ss:Type="DateTime" xmlns="http://www.w3.org/TR/REC-html40"><B>
    2023-04-12T09:30:00.000</B></ss:Data></Cell><Cell><Data ss:Type="Boolean">1</Data></Cell></Row>"""
    options = "<x:WorksheetOptions><x:Visible>SheetHidden</x:Visible></x:WorksheetOptions>"
    [sheet] = read(spreadsheet_xml(table, options=options)).sheets
    assert (sheet.name, sheet.hidden, sheet.numbers()) == ("Return", True, [1, 5, 6])
    assert [[c.strip() for c in r] for r in sheet.rows] == [
        ["Trust", "", "Day"],
        ["RHU", "11", "2023-04-11"],
        ["RHU", "", "2023-04-12 09:30:00", "yes"],
    ]


def test_an_archives_files_are_read_one_after_another_without_what_is_left_over() -> None:
    leftovers = ["__MACOSX/a/._RHU.csv", ".DS_Store", "a/._x.csv", "a/Thumbs.db", "desktop.ini", "a/~$RHU.xlsx"]
    inner = zipped({"b.csv": "c,d\n3,4\n", ".~lock.b.csv#": "x"})
    data = zipped(
        {
            **{n: b"junk" for n in leftovers},
            "a/": b"",
            "../a/RHU.csv": "a,b\n1,2\n",
            "z.zip": inner,
            "r.csv.gz": gzip.compress(b"e,f\n", mtime=0),
        }
    )
    found = read(data, COMMA, Layout(("utf-8",), ";"))
    assert [f.sheets[0].file for f in found.files] == ["../a/RHU.csv", "z.zip/b.csv", "r.csv.gz"]
    assert [f.under(COMMA).rows[0] for f in found.files if isinstance(f.under(COMMA), Sheet)] == [
        ["a", "b"],
        ["c", "d"],
        ["e", "f"],
    ]
    assert [s.rows[0] for s in found.whole] == [["a", "b"], ["c", "d"], ["e", "f"]]
    alone = read(b"a,b\n")
    assert alone.files == [alone]


def test_one_bad_file_refuses_an_archive_and_is_named() -> None:
    problem = refused(zipped({"report.csv": "a,b\n1,2\n", "site.csv": b"%PDF-1.7"}))
    assert (problem.rule, problem.message) == ("file_kind", "file 2 of the archive (site.csv): this is a PDF")
    smith = refused(zipped({"a.csv": "a,b\n", "Smith John.csv": b""}))
    assert (smith.rule, smith.message) == ("file_empty", "file 2 of the archive: the file is empty")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("report.csv", "a,b\n" * 99)
        archive.writestr("site.csv", "c,d\n" * 99)
    data = buffer.getvalue()
    at = data.index(b"site.csv") + 12
    assert refused(data[:at] + b"\xff" * 4 + data[at + 4 :]).message.startswith("file 2 of the archive (site.csv): ")


def test_parts_of_a_workbook_packed_anew_are_told_from_an_archive() -> None:
    with zipfile.ZipFile(io.BytesIO(xlsx(cell("A1")))) as book:
        inside = {f"Return/{n}": book.read(n) for n in book.namelist()}
    assert refused(zipped(inside)).message.startswith("the archive holds parts of a workbook")
    locked = ods("").replace(b"x", b"x")
    assert rows(ods('<table:table table:name="R"><table:table-row/></table:table>')) == []
    with zipfile.ZipFile(io.BytesIO(locked)) as book:
        parts = {n: book.read(n) for n in book.namelist()}
    assert refused(zipped({**parts, "META-INF/manifest.xml": "<m:encryption-data/>"})).rule == "file_encrypted"
    assert refused(xls(b"", globals_=record(0x002F, bytes(54)))).rule == "file_encrypted"


def test_encodings_are_tried_in_the_declared_order() -> None:
    text = "Trust;Né\nRHU;1\n"

    def under(data: bytes, *encodings: str) -> list[list[str]] | str:
        layout = Layout(encodings, ";")
        found = read(data, layout).under(layout)
        assert found is not None
        return found.rows if isinstance(found, Sheet) else f"{found.rule}: {found.message}"

    good = [["Trust", "Né"], ["RHU", "1"]]
    assert under(text.encode("cp1252"), "cp1252") == good
    assert under(text.encode(), "cp1252") == good  # UTF-8 first, where the dialect does not place it
    assert under(text.encode(), "cp1252", "utf-8") == [["Trust", "NÃ©"], ["RHU", "1"]]
    assert under(text.encode("utf-16-le"), "utf-8", "utf-16-le") == good
    assert under(text.encode("utf-16-be"), "latin-1", "utf-16-be") == good
    assert under(text.encode("utf-16"), "utf-8") == good
    assert under(text.encode("utf-32"), "utf-8") == good
    assert "UTF-16 without a byte-order mark" in under(text.encode("utf-16-le"), "cp1252")
    assert "looks like Latin-1" in under(text.encode("cp1252"), "utf-8")
    assert "mixes two encodings" in under(text.encode() + "é".encode("cp1252"), "utf-8")
    assert "cut short" in under(text.encode("utf-16")[:-1], "utf-8")


def test_parquet_columns_are_read_however_they_are_kept() -> None:
    moment = datetime(2023, 4, 10, 23, 0, tzinfo=UTC)
    columns = {
        "ns": pa.array([moment], pa.timestamp("ns", "Europe/London")),
        "us": pa.array([moment], pa.timestamp("us", "+01:00")),
        "utc": pa.array([moment], pa.timestamp("ms", "UTC")),
        "decimal": pa.array([Decimal("44.00")]),
        "large": pa.array(["a"], pa.large_string()),
        "view": pa.array(["b"], pa.string_view()),
        "kept": pa.array(["c"], pa.large_string()).dictionary_encode(),
        "numbers": pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), pa.array([7])),
        "bytes": pa.array([b"RHU"]),
        "nothing": pa.nulls(1),
        "none": pa.array([float("nan")]),
        "__index_level_0__": pa.array([5]),
    }
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    head, row = rows(buffer.getvalue())
    assert head == list(columns)[:-1]
    assert row == ["2023-04-11", "2023-04-11", "2023-04-10 23:00:00", "44", "a", "b", "c", "7", "RHU", "", ""]
    buffer = io.BytesIO()
    pq.write_table(pa.table({"a": pa.array([{"b": 1}])}), buffer)
    assert refused(buffer.getvalue()).rule == "nested_column"
