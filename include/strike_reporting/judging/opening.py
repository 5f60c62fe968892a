"""Structural checks: can the file be read, whose is it, and does it hold what its feed says?"""

from __future__ import annotations

import re

from strike_reporting.extracts import EXTRACTS
from strike_reporting.intake.dialects import Dialect
from strike_reporting.judging.guard import guard, guard_rest
from strike_reporting.judging.matching import extra_columns, layouts, match
from strike_reporting.judging.normalise import Normalised, normalise
from strike_reporting.judging.problems import Problem, Rejected, shown
from strike_reporting.judging.reading.reader import Reader, shared_reader
from strike_reporting.judging.rulebook import Asked
from strike_reporting.ledger.records import Receipt

_CODE = re.compile(r"[A-Z][A-Z0-9]{2,4}")  # what an ODS code of a trust can be
_CODES = 50  # of several codes in one file, more need not be looked at: it is refused anyway


def open_submission(
    receipt: Receipt, data: bytes, asked: Asked, reader: Reader | None = None
) -> tuple[Normalised, str, Dialect]:
    """Read, guard and normalise one submission.

    Args:
        receipt: what is known of it.
        data: its bytes.
        asked: what it is judged by.
        reader: what parses it, in another process; by default this process's own.

    Returns:
        Its typed rows, the trust it is from, and the dialect it is in.

    Raises:
        Rejected: for any structural reason; the file as a whole cannot be used.
        OurFault: no reader could be started.
    """
    try:
        candidates = asked.candidates(receipt.dialect)
        document = (reader or shared_reader()).read(data, layouts(candidates))
        try:
            matched = match(document, candidates)
        except Rejected:
            guard_rest(document.whole)
            raise
    except Rejected:
        asked.refused(receipt.dialect)
        raise
    asked.fitted(matched.dialect)
    guard(matched)
    if not document.is_text:  # a workbook: it may hold more than the sheet that is read
        guard_rest(s for s in document.whole if s is not matched.sheet)
    named = _code_in_name(receipt.source_name, asked)
    result = normalise(matched, receipt.ods_code or named)
    result.problems += extra_columns(matched)
    trust = _whose(receipt, result, named, asked)
    return result, trust, matched.dialect


def claimed(receipt: Receipt, asked: Asked) -> tuple[str | None, str | None]:
    """Trust and extract by the feed, else by the file's name: for a file that cannot be read."""
    words = receipt.source_name.casefold()
    named = [e for e in EXTRACTS if e in words]
    extract = receipt.extract or (named[0] if len(named) == 1 else None)
    return receipt.ods_code or _code_in_name(receipt.source_name, asked), extract


def _code_in_name(name: str, asked: Asked) -> str | None:
    """The one ODS code a file's name holds, if it holds exactly one."""
    parts = {t for t in re.split(r"[^A-Z0-9]+", name) if _CODE.fullmatch(t)}
    found = {t for t in parts if asked.trust(t)}
    return found.pop() if len(found) == 1 else None


def _whose(receipt: Receipt, result: Normalised, named: str | None, asked: Asked) -> str:
    """The trust of a submission. Raises `Rejected` unless file, feed and file name agree on one."""
    codes = sorted({str(c) for c in result.table["ods_code"].to_pylist() if c})
    unknown = [c for c in codes[:_CODES] if not asked.trust(c)]
    column = "ods_code"
    if not codes:
        raise Rejected(
            "trust",
            "the file does not say which trust it is from",
            "Give the ODS code on every row.",
            column=column,
        )
    if unknown:
        row = _first_row(result, unknown[0])
        raise Rejected(
            "trust",
            f"{shown(unknown[0])!r} is not the ODS code of an NHS trust",
            "Give the trust's own code, such as RHU for Portsmouth.",
            row=row,
            column=column,
            value=shown(unknown[0]),
        )
    expected = receipt.ods_code or named
    if expected:
        wrong = [c for c in codes if c != expected]
        if wrong:
            source = "this feed belongs to" if receipt.ods_code else "the file's name says"
            raise Rejected(
                "trust",
                f"{source} {expected}, but row {_first_row(result, wrong[0])} says {wrong[0]}",
                "Send each trust's file through its own feed, with its own code.",
                row=_first_row(result, wrong[0]),
                column=column,
                value=wrong[0],
            )
    if len(codes) > 1:
        raise Rejected(
            "trust",
            f"the file holds rows of {len(codes)} trusts: {', '.join(codes[:5])}",
            "Send one file for each trust.",
            row=_first_row(result, codes[1]),
            column=column,
        )
    return codes[0]


def _first_row(result: Normalised, code: str) -> int:
    index = result.table["ods_code"].to_pylist().index(code)
    return int(result.table["source_row"][index].as_py())


def code_not_current(result: Normalised, code: str, asked: Asked) -> list[Problem]:
    """A problem for each row dated when the trust's code did not exist."""
    standing, found = asked.trust(code), []
    rows = result.table.select(["source_row", result.contract.date_field]).to_pylist()
    for index, row in enumerate(rows):
        day = row[result.contract.date_field]
        if day and standing and not standing.is_trust(day):
            fix = f"Use the code of that day (today's is {standing.successor})."
            message = f"{code} was not a trust on {day}"
            found.append(
                Problem(
                    "trust_not_current",
                    "error",
                    message,
                    fix,
                    row["source_row"],
                    "ods_code",
                    code,
                    day.isoformat(),
                )
            )
            result.bad_rows.add(index)
    return found


def site_elsewhere(result: Normalised, code: str, asked: Asked) -> list[Problem]:
    """A warning for each row at a site that another trust runs: the row is used without its site."""
    standing, found, column = asked.trust(code), list[Problem](), result.contract.site_field
    if not column:
        return []
    mine, sites = standing.successor if standing else code, result.table[column].to_pylist()
    foreign = {c: s for c, s in asked.sites(c for c in sites if c).items() if s.ods_code != mine}
    for index, site_code in enumerate(sites) if foreign else ():
        if site_code in foreign:
            site, row = foreign[site_code], int(result.table["source_row"][index].as_py())
            message = f"{site_code} ({site.name}) is a site of {site.ods_code}; the row is used without its site"
            fix = "Give a site of your own trust, or leave the cell empty."
            found.append(Problem("site_elsewhere", "warning", message, fix, row, column, site_code))
            result.blanks.setdefault(column, set()).add(index)
    return found
