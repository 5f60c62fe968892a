"""A file's bytes to the parts of a document. Runs in the worker: it may be killed by what it reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from strike_reporting.judging.problems import Problem, Rejected
from strike_reporting.judging.reading import columnar, spreadsheet_xml, text, webpage, workbook
from strike_reporting.judging.reading.archive import Member, members
from strike_reporting.judging.reading.document import Layout, Sheet, Unread
from strike_reporting.judging.reading.limits import Limits
from strike_reporting.judging.reading.loose import with_patients

# For the guard, which looks at a text that fits nothing: Latin-1 decodes anything.
_ANY_ENCODING = ("cp1252", "latin-1")
_ANY_DELIMITER = ",;\t|"
_MARKED_UP = {"html": webpage.read, "xml": spreadsheet_xml.read}


def parse(data: bytes, layouts: Sequence[Layout], limits: Limits) -> Iterator[Sheet | Unread]:
    """The sheets of a file, or of each file of an archive, one after another; the limits are for all together.

    A text comes under every layout, each distinct reading once.

    Raises:
        Rejected: the file as a whole cannot be read; of an archive, one of its files.
    """
    for member in members(data, limits):
        used, texts = 0, 0
        try:
            for part in _parts(member, layouts, limits):
                if isinstance(part, Sheet):
                    cells = _last(part) * (part.table.num_columns - 1)
                    used, texts = (used, max(texts, cells)) if member.kind == "csv" else (used + cells, texts)
                yield replace(part, file=member.name)
        except Rejected as rejected:
            raise member.refused(rejected) from rejected
        left = limits.max_cells - used - texts, limits.max_workbook_cells - used
        limits = replace(limits, max_cells=max(left[0], 0), max_workbook_cells=max(left[1], 0))


def _last(sheet: Sheet) -> int:
    """The number of a sheet's last row: what is blank above it had to be held as well."""
    rows = sheet.table.num_rows
    return int(sheet.table.column(0)[rows - 1].as_py()) if rows else 0


def _parts(member: Member, layouts: Sequence[Layout], limits: Limits) -> Iterator[Sheet | Unread]:
    data = member.data
    if member.kind == "parquet":
        yield Sheet(columnar.read(data, limits))
    elif member.kind == "csv":
        yield from _readings(data, layouts, limits)
    elif member.kind in _MARKED_UP:
        yield from _MARKED_UP[member.kind](data, limits)
    else:
        yield from workbook.read(data, member.kind, limits)


def _readings(data: bytes, layouts: Sequence[Layout], limits: Limits) -> Iterator[Sheet | Unread]:
    known: dict[tuple[str, ...], str | Problem] = {}
    wanted: dict[tuple[str, str], list[Layout]] = {}
    failure: Rejected | None = None
    for layout in layouts:
        if layout.encodings not in known:
            known[layout.encodings] = _encoding(data, layout.encodings)
        encoding = known[layout.encodings]
        if isinstance(encoding, Problem):
            failure = failure or Rejected.of(encoding)
            yield Unread(encoding, (layout,))
        else:
            wanted.setdefault((encoding, layout.delimiter), []).append(layout)
    commonest = _commonest(data)
    for encoding in {e: None for e, _ in wanted}:
        body = data.decode(encoding)
        absent = [key for key in wanted if key[0] == encoding and key[1] not in body]
        for key in absent:
            del wanted[key]
    if commonest and commonest not in wanted:
        wanted[commonest] = []
    whole = False
    for key, asked in wanted.items():
        try:
            yield Sheet(text.read(data, *key, limits), layouts=tuple(asked), commonest=key == commonest)
            whole = whole or key == commonest
        except Rejected as rejected:
            yield Unread(rejected.problem, tuple(asked))
            failure = failure or rejected
    if not whole and failure:  # nobody will see all of it as a table: it is searched as it is
        found = with_patients(data, limits, failure)
        if found is not failure:
            raise found


def _encoding(data: bytes, encodings: tuple[str, ...]) -> str | Problem:
    try:
        return text.encoding(data, encodings)
    except Rejected as rejected:
        return rejected.problem


def _commonest(data: bytes) -> tuple[str, str] | None:
    """The encoding and delimiter that a text most probably has; None for one that is not text."""
    wide = text.unmarked_utf_16(data)
    encoding = _encoding(data, (wide,) if wide else _ANY_ENCODING)
    if isinstance(encoding, Problem):
        return None
    first = data.decode(encoding)[:20_000]
    return encoding, max(_ANY_DELIMITER, key=first.count)
