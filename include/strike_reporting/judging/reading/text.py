"""Delimited text in the encodings and delimiters that a dialect declares, read as a stream."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pyarrow as pa

from strike_reporting.judging.problems import Rejected
from strike_reporting.judging.reading.build import TableBuilder
from strike_reporting.judging.reading.limits import Limits

_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def encoding(data: bytes, encodings: tuple[str, ...]) -> str:
    """A text's encoding: by its byte-order mark, else UTF-8, else the first declared one that fits.

    Raises:
        Rejected: the bytes are none of these. Nothing is guessed: Windows-1252 would decode anything.
    """
    marked = next((e for mark, e in _BOMS if data.startswith(mark)), None)
    failure: UnicodeDecodeError | None = None
    for candidate in (marked,) if marked else ("utf-8", *encodings):
        try:
            data.decode(candidate)
            return candidate
        except UnicodeDecodeError as error:
            failure = failure or error
    assert failure is not None  # noqa: S101 - one was tried
    raise _undecodable(data, failure) from failure


def _undecodable(data: bytes, error: UnicodeDecodeError) -> Rejected:
    row = data.count(b"\n", 0, error.start) + 1
    return Rejected(
        "encoding",
        f"row {row} holds the byte 0x{data[error.start]:02X}, which is not UTF-8, and the file does not say "
        "which encoding it is in (it looks like Latin-1 or Windows-1252)",
        "In Excel choose “CSV UTF-8” when saving, or ask for the feed's dialect to name the encoding.",
        row=row,
    )


def read(data: bytes, encoding: str, delimiter: str, limits: Limits) -> pa.Table:
    """All rows of delimited text. Row numbers are those a spreadsheet shows: a quoted newline is one row.

    Raises:
        Rejected: a NUL character, an unclosed quote, or more rows, columns or characters than the limits.
    """
    longest = limits.max_cell_characters
    built = TableBuilder("the file", limits)
    for number, (row, size) in enumerate(_records(data, encoding, delimiter, limits), start=1):
        if size > longest and any(len(c) > longest for c in row):
            raise limits.long_cell(number)
        if row:
            built.add(number, row)
        elif number > limits.max_rows:
            limits.check_shape("the file", number, 0)
    return built.table()


def _records(data: bytes, encoding: str, delimiter: str, limits: Limits) -> Iterator[tuple[list[str], int]]:
    """Each record and how many characters it took; none longer than the limits allow is ever held."""
    stream = io.TextIOWrapper(io.BytesIO(data), encoding, newline="")
    taken, began = 0, 1
    most = limits.max_columns * (limits.max_cell_characters + 3)  # a record within the limits, all of it quoted
    csv.field_size_limit(most)  # whatever another library of the process set: ours is checked below

    def lines() -> Iterator[str]:
        nonlocal taken
        while line := stream.readline(most + 1):
            if "\0" in line:
                raise Rejected(
                    "file_kind", "the file holds NUL characters: it is not text", "Send a CSV file or a workbook."
                )
            alone, taken = not taken, taken + len(line)
            if taken > most:
                raise _too_long(line, delimiter, began, limits) if alone else _unmatched(began, "a record does not end")
            yield line

    reader = csv.reader(lines(), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            yield row, taken
            taken, began = 0, reader.line_num + 1
    except csv.Error as error:
        raise _unmatched(began, str(error)) from error


def _unmatched(line: int, why: str) -> Rejected:
    return Rejected(
        "csv_quotes",
        f"the quotes do not match in the row that begins in line {line} ({why})",
        "Save the file again as CSV, and check for a stray double quote.",
        row=line,
    )


def _too_long(line: str, delimiter: str, number: int, limits: Limits) -> Rejected:
    if line.count(delimiter) >= limits.max_columns:
        found = f"row {number} of the file has more than {limits.max_columns:,} columns"
        return Rejected("column_limit", found, "Remove them.", row=number)
    return limits.long_cell(number)
