"""Delimited text."""

from __future__ import annotations

from poison.corpus import HEAD, poison


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


@poison("empty_cells.csv", "header")
def empty_cells() -> bytes:
    return (b"," * 199 + b"\n") * 220_000 + b"x\n"


@poison("one_wide_row.csv", "header")
def one_wide_row() -> bytes:
    """999,999 rows of one cell, and one of two hundred that are blank: as a rectangle 200 million cells."""
    return b"a\n" * 999_998 + b"," * 199 + b"\n"


@poison("wide_characters.csv", "cell_limit")
def wide_characters() -> bytes:
    return ("\ufeff,," + "\U0001f600" * 11_000_000).encode("utf-16-le")
