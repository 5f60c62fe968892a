"""Web pages and XML saved under a workbook's name, and binary workbooks."""

from __future__ import annotations

import struct
from itertools import pairwise

from poison.corpus import poison
from poison.formats import binary_cell, binary_record, binary_row, spreadsheet_xml, xlsb

_ONE = struct.pack("<d", 1.0)


@poison("cell_over_all_rows.html", "header")
def cell_over_all_rows() -> bytes:
    return b"<table><tr><td rowspan=1000000000>7<td>8" + b"<tr><td>9" * 20_000


@poison("cells_over_all_columns.html", "column_limit")
def cells_over_all_columns() -> bytes:
    return b"<table>" + (b"<tr>" + b"<td colspan=1000000000>7" * 17) * 2_000


@poison("cells_over_rows_and_columns.html", "column_limit")
def cells_over_rows_and_columns() -> bytes:
    return b"<table>" + (b"<tr>" + b"<td rowspan=65000 colspan=1000>7" * 16) * 3_000


@poison("tables_in_tables.html", "file_damaged")
def tables_in_tables() -> bytes:
    return b"<table><tr><td>" * 1_000_000


@poison("many_tables.html", "sheet_limit")
def many_tables() -> bytes:
    return b"<table><tr><td>1</table>" * 100_000


@poison("deep.html", "file_kind")
def deep_page() -> bytes:
    return b"<html>" + b"<div>" * 500_000


@poison("tags_without_end.html", "file_kind", "too_large_to_read")
def tags_without_end() -> bytes:
    return b"<html>" + b"<a<!" * 20_000


@poison("long_cell.html", "cell_limit")
def long_cell() -> bytes:
    return b"<table><tr><td>" + b"x" * 20_000_000


@poison("merged_numbers.html", "merged_cells", "row_limit")
def merged_numbers() -> bytes:
    return b"<table>" + b"<tr><td rowspan=2>7" * 1_000_000


@poison("far_row.xml", "row_limit")
def far_row() -> bytes:
    return spreadsheet_xml('<Row ss:Index="1000000000"><Cell><Data ss:Type="Number">1</Data></Cell></Row>')


@poison("far_column.xml", "column_limit")
def far_column() -> bytes:
    return spreadsheet_xml('<Row><Cell ss:Index="1000000000"><Data ss:Type="Number">1</Data></Cell></Row>')


@poison("far_columns.xml", "column_limit", "row_limit")
def far_columns() -> bytes:
    cell = '<Cell ss:Index="16000"><Data ss:Type="Number">1</Data></Cell>'
    return spreadsheet_xml(f"<Row>{cell}</Row>" * 100_000)


@poison("merged_without_end.xml", "header")
def merged_without_end() -> bytes:
    merged = '<Cell ss:MergeDown="1000000000" ss:MergeAcross="1000000000"><Data ss:Type="String">7</Data></Cell>'
    return spreadsheet_xml(f"<Row>{merged}</Row>" + "<Row/>" * 100_000)


@poison("entities.xml", "file_damaged")
def entities() -> bytes:
    grown = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise("abcdefghi"))
    before = f'<!DOCTYPE x [<!ENTITY a "{"ha" * 50}">{grown}]>'
    return spreadsheet_xml('<Row><Cell><Data ss:Type="String">&i;</Data></Cell></Row>', before=before)


@poison("deep.xml", "file_damaged")
def deep() -> bytes:
    return spreadsheet_xml("<x>" * 3_000_000)


@poison("long_text.xml", "cell_limit")
def long_text() -> bytes:
    return spreadsheet_xml(f'<Row><Cell><Data ss:Type="String">{"x" * 30_000_000}</Data></Cell></Row>')


@poison("many_sheets.xml", "sheet_limit")
def many_sheets() -> bytes:
    return spreadsheet_xml("</Table></Worksheet>" + "<Worksheet><Table/></Worksheet>" * 100_000 + "<Worksheet><Table>")


@poison("far_cell.xlsb", "row_limit")
def far_cell() -> bytes:
    return xlsb(binary_row(0) + binary_cell(5, 0, _ONE) + binary_row(1_048_575) + binary_cell(5, 16_383, _ONE))


@poison("far_column.xlsb", "column_limit")
def far_binary_column() -> bytes:
    return xlsb(binary_row(0) + binary_cell(5, 2**32 - 1, _ONE))


@poison("texts_claimed.xlsb", "file_damaged")
def texts_claimed() -> bytes:
    texts = binary_record(159, struct.pack("<II", 1, 4_000_000_000)) + binary_record(160)
    return xlsb(binary_row(0) + binary_cell(5, 0, _ONE), texts=texts)


@poison("long_record.xlsb", "file_damaged")
def long_record() -> bytes:
    return xlsb(binary_row(0) + b"\x06\xff\xff\xff\x7f" + bytes(1_000))


@poison("long_text.xlsb", "file_damaged", "header", "too_large_to_read")
def text_that_claims() -> bytes:
    return xlsb(binary_row(0) + binary_cell(6, 0, struct.pack("<I", 2**32 - 1)))
