"""CSV in the encodings and delimiters that a dialect declares."""

from __future__ import annotations

import csv
import io

from strike_reporting.judging.problems import Rejected
from strike_reporting.judging.reading import MAX_CELL, Sheet, check_shape

_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def decode(data: bytes, encodings: tuple[str, ...]) -> str:
    """Text of a file: by its byte-order mark, else UTF-8, else the first declared encoding that fits.

    Raises:
        Rejected: the bytes are none of these. Nothing is guessed: Windows-1252 would decode anything.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError as error:
                raise _undecodable(data, error) from error
    failure: UnicodeDecodeError | None = None
    for encoding in ("utf-8", *encodings):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            failure = failure or error
    assert failure is not None  # noqa: S101 - utf-8 was tried
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


def read(text: str, delimiter: str) -> Sheet:
    """All rows of delimited text. Row numbers are those a spreadsheet shows: a quoted newline is one row.

    Raises:
        Rejected: a NUL character, an unclosed quote, or more rows, columns or characters than the limits.
    """
    if "\0" in text:
        raise Rejected("file_kind", "the file holds NUL characters: it is not text", "Send a CSV file or a workbook.")
    rows, numbers, widest = [], [], 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for number, row in enumerate(reader, start=1):
            if row:
                rows.append(row)
                numbers.append(number)
                widest = max(widest, len(row))
                if number % 10_000 == 0:
                    check_shape("the file", number, widest)
    except csv.Error as error:
        raise Rejected(
            "csv_quotes",
            f"the quotes do not match near line {reader.line_num} ({error})",
            "Save the file again as CSV, and check for a stray double quote.",
            row=reader.line_num,
        ) from error
    check_shape("the file", len(rows), widest)
    if len(text) > MAX_CELL and any(len(c) > MAX_CELL for r in rows for c in r):
        raise Rejected(
            "cell_limit", f"a cell holds more than {MAX_CELL:,} characters", "Remove notes from the extract."
        )
    return Sheet("", rows, numbers)
