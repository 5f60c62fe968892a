"""Structural checks: can the file be read, whose is it, and does it hold what its feed says?"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from heapq import nlargest

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from strike_reporting.errors import SenderFault
from strike_reporting.extracts import EXTRACTS
from strike_reporting.judging.cells import clean
from strike_reporting.judging.columns import Codes, Column, Mask, cells
from strike_reporting.judging.findings import Findings
from strike_reporting.judging.guard import guard, guard_rest, guard_unread
from strike_reporting.judging.matching import Matched, extra_columns, layouts, match, unread
from strike_reporting.judging.normalise import Named, Normalised, normalise
from strike_reporting.judging.problems import Problem, Rejected, beside, shown
from strike_reporting.judging.reading.document import Document, Sheet
from strike_reporting.judging.reading.reader import Reader, shared_reader
from strike_reporting.judging.rulebook import Asked
from strike_reporting.judging.titles import doubts
from strike_reporting.ledger.records import EVERY, Receipt
from strike_reporting.settings import settings

_CODE = re.compile(r"[A-Z][A-Z0-9]{2,4}")  # what an ODS code of a trust can be
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})|(\d{1,2})/(\d{1,2})/(\d{4})")
_NOBODY = -1
_CODES = 300  # distinct codes in one file: more than there are trusts


@dataclass(frozen=True)
class Part:
    """What one trust says of one extract in a file."""

    trust: str
    dialect: str
    rows: Normalised


@dataclass
class Opened:
    """A file that could be read. `problems` are of the file and of no part; a collective return has several parts."""

    parts: list[Part] = field(default_factory=list)
    problems: Findings = field(default_factory=Findings)

    @property
    def is_collective(self) -> bool:
        """Whether it speaks for several trusts, or of several extracts."""
        return len(self.parts) > 1


@dataclass(frozen=True)
class Known:
    """What is known of a file that was refused: its trust, its extract and the strike days that it names."""

    trust: str | None = None
    extract: str | None = None
    days: tuple[date, ...] = ()


class Refused(SenderFault):
    """A file that cannot be used, with what is known of it all the same."""

    def __init__(self, why: Rejected, known: Known) -> None:
        """Keep both."""
        super().__init__(str(why))
        self.why, self.known = why, known


def open_submission(receipt: Receipt, data: bytes, asked: Asked, reader: Reader | None = None) -> Opened:
    """Read, guard and normalise one submission.

    Args:
        receipt: what is known of it.
        data: its bytes.
        asked: what it is judged by.
        reader: what parses it, in another process; by default this process's own.

    Returns:
        Its typed rows by trust and extract.

    Raises:
        Refused: for any structural reason; the file as a whole cannot be used.
        OurFault: no reader could be started.
    """
    known, document = _claimed(receipt, asked), Document(())
    try:
        candidates = asked.candidates(receipt.dialect)
        try:
            document = (reader or shared_reader()).read(data, layouts(candidates))
            del data  # what it says is in the document
            try:
                tables = match(document, candidates)
            except Rejected:
                guard_rest(document.whole)
                raise
        except Rejected:
            asked.refused(receipt.dialect)
            raise
        for table in tables:
            asked.fitted(table.dialect)
        known = Known(known.trust, known.extract or tables[0].contract.name, known.days)
        persons = [p for table in tables for p in guard(table)]
        persons += guard_unread(_beside(document, {id(t.sheet) for t in tables}))
        said = {p.column for p in persons}
        dropped = [p for t in tables for p in extra_columns(t) if p.column not in said]
        opened = Opened()
        with beside(persons):
            _check_rows(tables)
            doubtful = [p for t in tables for p in doubts(t)]
            for extract in dict.fromkeys(t.contract.name for t in tables):
                mine = [t for t in tables if t.contract.name == extract]
                rows = normalise(mine, Named(receipt.ods_code or "", receipt.source_name))
                _split(opened, receipt, mine[0].dialect.id, rows, asked)
        owner = opened.problems if opened.is_collective else opened.parts[0].rows.problems
        owner += [*persons, *doubtful, *unread(document, tables), *dropped]
    except Rejected as rejected:
        raise Refused(rejected, _found(document, known, asked)) from rejected
    return opened


def _check_rows(tables: Sequence[Matched]) -> None:
    """Raises `Rejected` when the tables of a file, of which each alone may be read, have too many rows together."""
    many, most = sum(t.typed_rows for t in tables), settings().max_rows
    if many > most:
        is_wide = any(len(t.wide) > 1 for t in tables)
        how = "each row counted once under each heading that holds counts" if is_wide else "all its tables together"
        message = f"the file has {many:,} rows, {how}; the limit is {most:,}"
        raise Rejected("row_limit", message, "Split the file by day.")


def _beside(document: Document, read: set[int]) -> Iterator[Sheet]:
    """What a file holds beside the sheets that are read; a text that is read is read whole."""
    for file in document.files:
        if not (file.is_text and any(id(s) in read for s in file.sheets)):
            yield from (s for s in file.whole if id(s) not in read)


def _claimed(receipt: Receipt, asked: Asked) -> Known:
    """Trust and extract by the feed; else by what the file's name begins with: for the board, never for a figure."""
    words = receipt.source_name.casefold()
    named = [e for e in EXTRACTS if e in words]
    first = re.split(r"[^A-Z0-9]+", receipt.source_name, maxsplit=1)[0]
    trust = first if _CODE.fullmatch(first) and asked.trust(first) else None
    return Known(receipt.ods_code or trust, receipt.extract or (named[0] if len(named) == 1 else None))


def _found(document: Document, known: Known, asked: Asked) -> Known:
    """What the cells of a file say of its trust and days, whatever becomes of it."""
    texts: set[str] = set()
    for sheet in document.whole:
        for column in sheet.columns:
            texts.update(t for t in column.known if t and len(t) <= 40)
    trust = known.trust
    if trust is None:
        codes = {t.strip() for t in texts if _CODE.fullmatch(t.strip())}
        owners = {c for c in sorted(codes)[:_CODES] if asked.trust(c)}
        trust = owners.pop() if len(owners) == 1 else None
    days = asked.every_strike_day() & {d for t in texts if (d := _day(t))}
    return Known(trust, known.extract, tuple(sorted(days)[:100]))


def _day(text: str) -> date | None:
    found = _DAY.match(text.strip())
    if not found:
        return None
    year, month, day = (found[1], found[2], found[3]) if found[1] else (found[6], found[5], found[4])
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _split(opened: Opened, receipt: Receipt, dialect: str, rows: Normalised, asked: Asked) -> None:
    """Give each trust its rows. Raises `Rejected` when none says a trust, or the feed may not speak for one."""
    said, row_of = Column.of(rows.table["ods_code"]), rows.table["source_row"].to_numpy()
    often = zip(np.bincount(said.codes, minlength=len(said.known)).tolist(), said.known, strict=True)
    named = nlargest(_CODES, ((n, c) for n, c in often if c))
    known = {c for _, c in named if asked.trust(c)}
    if not named:
        raise Rejected(
            "trust",
            "the file does not say which trust it is from",
            "Give the ODS code on every row.",
            column="ods_code",
        )
    if not known:
        raise _not_a_trust(said.value(int(np.argmax(said.where(bool)))), said, row_of)
    _check_allowed(receipt, known, said, row_of)
    is_strange = said.where(lambda c: c not in known)
    silent = said.where(lambda c: c is None) & _says_something(rows)
    if len(known) == 1 and silent.any():
        row = int(row_of[np.argmax(silent)])
        raise Rejected(
            "trust",
            f"row {row} does not say which trust it is of",
            "Give the ODS code on every row. If an empty cell means the one above, a dialect can say so (`fill_down`).",
            row=row,
            column="ods_code",
        )
    strange = np.flatnonzero(is_strange)
    rows.bad_rows.add(strange)
    rows.unread["ods_code"].add(strange)
    if len(strange):  # what is no trust's code is not judged once more as a code
        place = rows.table.schema.get_field_index("ods_code")
        kept = pc.if_else(pa.array(is_strange), None, rows.table["ods_code"])
        rows.table = rows.table.set_column(place, "ods_code", kept)
    held = cells(rows.table, ["source_row", rows.contract.date_field, "source_sheet"], strange)
    for at, (row, day, sheet) in zip(map(int, strange), held, strict=True):
        rows.problems.append(_no_trust(said.value(at), row, day, sheet))
    if len(known) == 1:
        opened.parts.append(Part(known.pop(), dialect, rows))
        return
    # A row without a code is left out, and most probably the trust's above: it is told, and its day is marked.
    gap = said.where(lambda c: c is None)
    above = np.maximum.accumulate(np.where(said.where(known.__contains__), np.arange(len(row_of)), -1))
    owner = np.where(gap & (above >= 0), said.codes[above], said.codes)
    owners = _owners(rows, row_of, np.array([c in known for c in said.known])[owner], owner)
    of: dict[str | None, Findings] = defaultdict(Findings)
    for problem, code in zip(rows.problems, owners, strict=True):
        of[None if code == _NOBODY else said.known[code]].append(problem)
    rows.problems = Findings()  # there may be a million
    opened.problems += of[None]
    for code in sorted(known):
        lost = [(c, d) for c, d in rows.lost if c == code]
        mine = np.flatnonzero(owner == said.known.index(code))
        opened.parts.append(Part(code, dialect, rows.taken(mine, of[code], lost)))


def _says_something(rows: Normalised) -> Mask:
    """The rows that say a day, or of what they are: others are none of anybody's figures, and cost themselves."""
    found: Mask = rows.table[rows.contract.date_field].is_valid().to_numpy().copy()
    for f in (f for f in rows.contract.fields if f.required and f.values):
        known = {v.code for v in f.values}
        found |= Column.of(rows.table[f.name]).where(known.__contains__)
    return found


def _owners(rows: Normalised, row_of: Codes, is_known: Mask, owner: Codes) -> list[int]:
    """Whose row of the file each problem is of; nobody's where that row speaks for several trusts."""
    sheets = Column.of(rows.table["source_sheet"])
    places = {sheet: n for n, sheet in enumerate(sheets.known)}
    high = int(row_of.max(initial=0)) + 1
    keys = sheets.codes.astype(np.int64) * high + row_of
    order = np.argsort(keys, kind="stable")
    distinct, starts = np.unique(keys[order], return_index=True)
    whose = np.where(is_known, owner, _NOBODY)[order]
    first, last = (f.reduceat(whose, starts) if len(starts) else whose for f in (np.minimum, np.maximum))
    told = np.array([places.get(sheet, -1) for sheet in rows.problems.sheets], np.int64) * high + rows.problems.rows
    at = np.searchsorted(distinct, told).clip(max=max(len(distinct) - 1, 0))
    is_one = (distinct[at] == told) & (first[at] == last[at]) & (rows.problems.rows >= 0)
    found: list[int] = np.where(is_one, first[at], _NOBODY).tolist()
    return found


def _first(said: Column, code: str | None, row_of: Codes) -> int:
    """The first row that says a code."""
    return int(row_of[np.argmax(said.codes == said.known.index(code))])


def _check_allowed(receipt: Receipt, known: set[str], said: Column, row_of: Codes) -> None:
    """Raises `Rejected` when a feed's file speaks for a trust that the feed does not."""
    allowed = {receipt.ods_code} if receipt.ods_code else set(receipt.speaks_for)
    if not allowed or EVERY in allowed:
        return
    wrong = sorted(known - allowed)
    if wrong:
        row = _first(said, wrong[0], row_of)
        whose = receipt.ods_code or f"{len(allowed)} trusts that do not include it"
        raise Rejected(
            "trust",
            f"this feed belongs to {whose}, but row {row} says {wrong[0]}",
            "Send each trust's file through its own feed, with its own code.",
            row=row,
            column="ods_code",
            value=wrong[0],
        )


def _not_a_trust(first: str, said: Column, row_of: Codes) -> Rejected:
    return Rejected(
        "trust",
        f"{shown(first)!r} is not the ODS code of an NHS trust",
        _near(first),
        row=_first(said, first, row_of),
        column="ods_code",
        value=shown(first),
    )


def _near(code: str) -> str:
    """The letter O and the figure 0, I and 1 are easily taken for one another."""
    text = clean(code).upper()
    swapped = {text.translate(str.maketrans(a, b)) for a, b in (("O", "0"), ("0", "O"), ("I", "1"), ("1", "I"))} - {
        text
    }
    near = [s for s in sorted(swapped) if _CODE.fullmatch(s)]
    hint = f" Is {' or '.join(near)} meant?" if near and len(text) <= 5 else ""
    return f"Give the trust's own code, such as RHU for Portsmouth.{hint}"


def _no_trust(code: str | None, row: int, day: date | None, sheet: str | None) -> Problem:
    message = (
        "the row does not say which trust it is of" if code is None else "this is not the ODS code of an NHS trust"
    )
    return Problem(
        "trust",
        "error",
        message,
        _near(code) if code else "Give the trust's ODS code on every row.",
        row,
        "ods_code",
        None if code is None else shown(code),
        day.isoformat() if day else None,
        sheet,
    )


def code_not_current(result: Normalised, code: str, asked: Asked) -> list[Problem]:
    """A problem for each row dated when the trust's code did not exist."""
    standing, found, days = asked.trust(code), list[Problem](), Column.of(result.table[result.contract.date_field])
    wrong = days.where(lambda day: bool(day and standing and not standing.is_trust(day)))
    rows = np.flatnonzero(wrong)
    result.bad_rows.add(rows)
    for day, row in cells(result.table, [result.contract.date_field, "source_row"], rows):
        fix = f"Use the code of that day (today's is {standing.successor})." if standing else ""
        message = f"{code} was not a trust on {day}"
        found.append(Problem("trust_not_current", "error", message, fix, row, "ods_code", code, day.isoformat()))
    return found


def site_elsewhere(result: Normalised, code: str, asked: Asked) -> list[Problem]:
    """A warning for each row at a site that another trust runs: the row is used without its site."""
    standing, found, column = asked.trust(code), list[Problem](), result.contract.site_field
    if not column:
        return []
    mine, sites = standing.successor if standing else code, Column.of(result.table[column])
    foreign = {c: s for c, s in asked.sites(c for c in sites.known if c).items() if s.ods_code != mine}
    rows = np.flatnonzero(sites.where(foreign.__contains__))
    result.blanks[column].add(rows)
    for named, row in cells(result.table, [column, "source_row"], rows):
        site = foreign[named]
        message = f"{named} ({site.name}) is a site of {site.ods_code}; the row is used without its site"
        fix = "Give a site of your own trust, or leave the cell empty."
        found.append(Problem("site_elsewhere", "warning", message, fix, row, column, named))
    return found
