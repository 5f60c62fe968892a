"""Delimited text in the encodings and delimiters that a dialect declares, read as a stream."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator

import pyarrow as pa

from strike_reporting.judging.problems import Rejected
from strike_reporting.judging.reading import plain
from strike_reporting.judging.reading.build import TableBuilder
from strike_reporting.judging.reading.limits import Limits

_MARKS = (  # the longer first: UTF-32 begins as UTF-16 does
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_SAMPLE = 4_000
_LINE_END = re.compile(rb"[\r\n]")


def marked(data: bytes) -> str | None:
    """The encoding that a byte-order mark tells."""
    return next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)


def unmarked_utf_16(data: bytes) -> str | None:
    """UTF-16 without a mark, as it shows in a text of mostly Latin letters: every other byte is NUL."""
    sample = data[:_SAMPLE]
    first, second = sample[::2].count(0), sample[1::2].count(0)
    few, many = len(sample) // 40, len(sample) // 4
    if second > many and first <= few:
        return "utf-16-le"
    return "utf-16-be" if first > many and second <= few else None


def encoding(data: bytes, encodings: tuple[str, ...]) -> str:
    """A text's encoding: by its byte-order mark, else the first declared one that fits.

    UTF-8 comes before the declared ones where they do not list it: what is valid UTF-8 is hardly ever anything else.
    What decodes to NUL characters does not fit.

    Raises:
        Rejected: the bytes are none of these. Nothing is guessed: Windows-1252 would decode anything.
    """
    mark = marked(data)
    if mark is None and data.isascii() and b"\0" not in data:
        return "utf-8"
    names = [codecs.lookup(name).name for name in encodings]
    candidates = [mark] if mark else names if {"utf-8", "utf-8-sig"} & {*names} else ["utf-8", *names]
    failure: UnicodeDecodeError | None = None
    for candidate in candidates:
        try:
            if "\0" not in data.decode(candidate):
                return "utf-8" if candidate == "utf-8-sig" and not mark else candidate
        except UnicodeDecodeError as error:
            failure = failure or error
    if mark and failure:
        found = f"the file is marked as {mark.upper()}, but is cut short or damaged at byte {failure.start + 1:,}"
        raise Rejected("encoding", found, "Save it again and send it again.") from failure
    if b"\0" in data:
        raise _with_nul(data)
    assert failure is not None  # noqa: S101 - one was tried
    raise _undecodable(data, failure) from failure


def _with_nul(data: bytes) -> Rejected:
    if unmarked_utf_16(data):
        return Rejected(
            "encoding",
            "the file is in UTF-16 without a byte-order mark, and its dialect does not say so",
            "Save it as “CSV UTF-8”, or ask for the feed's dialect to name utf-16-le or utf-16-be.",
        )
    found = "the file holds NUL characters: it is not text"
    return Rejected("file_kind", found, "Send a CSV file or a workbook.")


def _undecodable(data: bytes, error: UnicodeDecodeError) -> Rejected:
    row = data.count(b"\n", 0, error.start) + 1
    if data.decode("utf-8", errors="ignore").isascii():
        looks = "and the file does not say which encoding it is in (it looks like Latin-1 or Windows-1252)"
    else:
        looks = "though other characters of the file are: it mixes two encodings"
    return Rejected(
        "encoding",
        f"row {row} holds the byte 0x{data[error.start]:02X}, which is not UTF-8, {looks}",
        "In Excel choose “CSV UTF-8” when saving, or ask for the feed's dialect to name the encoding.",
        row=row,
    )


def read(data: bytes, encoding: str, delimiter: str, limits: Limits) -> pa.Table:
    """All rows of delimited text. Row numbers are those a spreadsheet shows: a quoted newline is one row.

    Raises:
        Rejected: an unclosed quote, or more rows, columns or characters than the limits.
    """
    if encoding != "utf-8":
        data = data.decode(encoding).encode()
    data = _without_blank_end(data, delimiter.encode() if delimiter.isascii() else b"")
    if whole := plain.table(data, delimiter, limits):
        return whole
    longest, built = limits.max_cell_characters, TableBuilder("the file", limits)
    for number, (row, size) in enumerate(_records(data, delimiter, limits), start=1):
        if size > longest and any(len(c) > longest for c in row):
            raise limits.long_cell(number)
        if number > limits.max_rows:
            limits.check_shape("the file", number, 0)
        built.add(number, row)
    return built.table()


def _without_blank_end(data: bytes, delimiter: bytes) -> bytes:
    """Without the rows at the end that hold nothing: a spreadsheet may write a million of them."""
    line = _LINE_END.search(data, len(data.rstrip(b" \t\r\n" + delimiter)))
    return data[: line.start()] if line else data


def _records(data: bytes, delimiter: str, limits: Limits) -> Iterator[tuple[list[str], int]]:
    """Each record and how many characters it took; none longer than the limits allow is ever held."""
    stream = io.TextIOWrapper(io.BytesIO(data), "utf-8", newline="")
    taken, began = 0, 1
    most = limits.max_columns * (limits.max_cell_characters + 3)  # a record within the limits, all of it quoted
    csv.field_size_limit(most)  # whatever another library of the process set: ours is checked below

    def lines() -> Iterator[str]:
        nonlocal taken
        while line := stream.readline(most + 1):
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
