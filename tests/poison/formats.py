"""Workbooks and archives written by hand, as no honest program would."""

from __future__ import annotations

import io
import struct
import zipfile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
LINKS = "http://schemas.openxmlformats.org/package/2006/relationships"
ODF = "urn:oasis:names:tc:opendocument:xmlns"
MIMETYPE = "application/vnd.oasis.opendocument.spreadsheet"
VALUE = 'office:value-type="float" office:value="1"'


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


def noise(size: int) -> bytes:
    """Bytes that do not pack, so that the limit of expansion does not speak first."""
    return b"".join(struct.pack("<I", (n * 2_654_435_761) % 2**32) for n in range(size // 4))


def binary_record(kind: int, body: bytes = b"") -> bytes:
    """A record of a binary workbook: kind and size are numbers of seven bits a byte."""

    def said(value: int) -> bytes:
        return bytes([value]) if value < 0x80 else bytes([value & 0x7F | 0x80]) + said(value >> 7)

    return said(kind) + said(len(body)) + body


def wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def binary_row(row: int) -> bytes:
    return binary_record(0, struct.pack("<IIHBBBI", row, 0, 300, 0, 0, 0, 0))


def binary_cell(kind: int, column: int, value: bytes) -> bytes:
    return binary_record(kind, struct.pack("<II", column, 0) + value)


def xlsb(rows: bytes, *, state: int = 0, texts: bytes = b"") -> bytes:
    """A binary workbook with one sheet of these records."""
    bundle = binary_record(156, struct.pack("<II", state, 1) + wide("rId1") + wide("Return"))
    book = binary_record(131) + binary_record(143) + bundle + binary_record(144) + binary_record(132)
    size = binary_record(148, struct.pack("<IIII", 0, 9, 0, 9))
    sheet = binary_record(129) + size + binary_record(145) + rows + binary_record(146) + binary_record(130)
    links = f'<Relationship Id="rId1" Type="{LINK}/worksheet" Target="worksheets/sheet1.bin"/>'
    parts: dict[str, bytes | str] = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Override PartName="/xl/workbook.bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/>'
        "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{LINKS}"><Relationship Id="rId1" Type="{LINK}/officeDocument" '
        'Target="xl/workbook.bin"/></Relationships>',
        "xl/workbook.bin": book,
        "xl/_rels/workbook.bin.rels": f'<Relationships xmlns="{LINKS}">{links}</Relationships>',
        "xl/worksheets/sheet1.bin": sheet,
    }
    return zipped({**parts, **({"xl/sharedStrings.bin": texts} if texts else {})})


def spreadsheet_xml(table: str, *, before: str = "", options: str = "") -> bytes:
    """XML Spreadsheet 2003 with one worksheet of these rows."""
    space = "urn:schemas-microsoft-com:office:spreadsheet"
    return (
        f'<?xml version="1.0"?>{before}<?mso-application progid="Excel.Sheet"?><Workbook xmlns="{space}" '
        f'xmlns:ss="{space}" xmlns:x="urn:schemas-microsoft-com:office:excel"><Worksheet ss:Name="Return">'
        f"<Table>{table}</Table>{options}</Worksheet></Workbook>"
    ).encode()
