"""XLS and ODS."""

from __future__ import annotations

import struct

from poison.corpus import poison
from poison.formats import VALUE, number, ods, record, xls


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
