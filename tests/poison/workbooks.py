"""XLSX."""

from __future__ import annotations

import struct
from itertools import pairwise

from poison.corpus import poison
from poison.formats import LINK, LINKS, MAIN, cell, noise, shared_strings, xlsx


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


@poison("far_cell_in_single_quotes.xlsx", "too_large_to_read")
def far_cell_in_single_quotes() -> bytes:
    """Written so that the look at the sheet's extent is misled."""
    return xlsx("<row><c r='A1'><v>1</v></c><c r='XFD1048576'><v>1</v></c></row>")


@poison("far_cell_out_of_order.xlsx", "row_limit", "column_limit")
def far_cell_out_of_order() -> bytes:
    return xlsx('<row r="1"><c r="GS1000001"><v>1</v></c><c r="A1"><v>1</v></c></row>')


@poison("cells_without_names.xlsx", "too_large_to_read")
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


@poison("huge_text.xlsx", "too_large_to_read", "cell_limit", heavy=True)
def huge_text() -> bytes:
    return xlsx(
        '<row r="1"><c r="A1" t="s"><v>0</v></c></row>',
        sharedStrings__xml=shared_strings(b"<si><t>" + b"x" * 400_000_000 + b"</t></si>"),
        padding__bin=noise(2_100_000),
    )


@poison("long_text_in_every_cell.xlsx", "too_large_to_read", "cell_limit", heavy=True)
def long_text_in_every_cell() -> bytes:
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 100_001))
    return xlsx(rows, sharedStrings__xml=shared_strings(f"<si><t>{'x' * 1_000_000}</t></si>"))


@poison("deep.xlsx", "file_empty", "file_damaged", "header", "too_large_to_read")
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


@poison("sheet_that_is_the_workbook.xlsx", "file_empty", "file_damaged", "header")
def sheet_that_is_the_workbook() -> bytes:
    links = f'<Relationships xmlns="{LINKS}"><Relationship Id="rId1" Type="{LINK}/worksheet" Target="workbook.xml"/>'
    return xlsx(cell("A1"), **{"_rels/workbook.xml.rels": f"{links}</Relationships>"})


@poison("larger_than_it_says.xlsx", "file_damaged", "too_large_to_read")
def larger_than_it_says() -> bytes:
    """The directory gives a part's size as 100 bytes; it holds 120 MB of rows."""
    book = xlsx(cell("A1") + "<row/>" * 20_000_000)
    at = book.rindex(b"PK\x01\x02")  # the sheet's entry is the last
    return book[: at + 24] + struct.pack("<I", 100) + book[at + 28 :]
