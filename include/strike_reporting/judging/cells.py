"""One cell's text to its typed value. What does not hold its type is `Unreadable` and never guessed at."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from functools import cache, lru_cache, partial
from typing import Any

from strike_reporting.extracts import Contract, Field, slug
from strike_reporting.intake.dialects import EXCEL_DAY_0, EXCEL_SERIAL, Dialect, spelled

SUPPRESSED = re.compile(r"^(<\s*\d+|\*+|\[c\]|suppressed)$", re.IGNORECASE)
# Spreadsheets show these where a formula fails; the last is our reader's, for one that was never calculated.
ERRORS = re.compile(
    r"^#(N/A|DIV/0!|REF!|VALUE!|NAME\?|NUM!|NULL!|SPILL!|CALC!|GETTING_DATA|UNCALCULATED!)$", re.IGNORECASE
)
_NOTHING = re.compile(r"^(nil|none|nothing|zero|no)(_.*)?$")
_MIDNIGHT = re.compile(r"[ T]0?0:00(:00(\.0+)?)?( ?(Z|[+-]\d{2}:?\d{2}))?$")  # as databases and spreadsheets write it
_ISO = re.compile(rf"^(\d{{4}}-\d{{2}}-\d{{2}})({_MIDNIGHT.pattern[:-1]})?$")
_TIMED = re.compile(r"^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}")
_YES, _NO = frozenset({"yes", "y", "true", "t", "1"}), frozenset({"no", "n", "false", "f", "0"})
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad"))
_PROTECTED = re.compile(r'^=?"([^"]*)"$')  # ="RHU", as a spreadsheet is kept from changing a code
_LABELLED = re.compile(r"^(?P<code>[A-Za-z0-9]{1,6})\s*[-\u2013\u2014:,]\s*(?P<label>[^\d\s].*)$")  # 110 - Trauma
_BRACKETED = re.compile(r"^(?P<label>\D.*)[(\[]\s*(?P<code>[A-Za-z0-9]{1,6})\s*[)\]]$")  # Trauma (110)
_LISTED = re.compile(r"\s*(?:[,;/&+]|\band\b)\s*", re.IGNORECASE)
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:[,.'’ ]\d{3})+(?:[.,]0+)?")
_EXAMPLE = date(2023, 4, 11)
_NAMED_OR_YEAR_FIRST = re.compile(r"\d{1,2}[ -][A-Za-z]{3,9}[ -](\d{4}|\d{2})|\d{4}/\d{1,2}/\d{1,2}")
_CERTAIN = ("%d %b %Y", "%d %B %Y", "%d %b %y", "%d %B %y", "%Y/%m/%d")
_MONTH_FIRST = re.compile(r"^(\d{1,2})[/.-](\d{1,2})[/.-]\d{2,4}$")


class Unreadable(ValueError):
    """A cell that is not what its field needs; `rule` names why. `fix`: what to do, where the field's own is not it."""

    def __init__(self, rule: str, message: str, fix: str = "") -> None:
        """Keep the rule's name, the message and the fix."""
        super().__init__(message)
        self.rule, self.fix = rule, fix


@lru_cache(maxsize=8_000)
def clean(text: str) -> str:
    """A cell as its sender sees it: without what cannot be seen, and without what protects a code.

    Wide digits and hard spaces become plain ones; a raised or ringed digit does not: 12¹ has a footnote and is not 121.
    """
    text = _plain(text) if not text.isascii() else text.strip()
    protected = _PROTECTED.match(text)
    return protected[1].strip() if protected else text


@lru_cache(maxsize=8_000)
def folded(text: str) -> str:
    """A cell as it is compared: cleaned, and folded as codes and headings are."""
    return slug(clean(text))


def _plain(text: str) -> str:
    seen = unicodedata.normalize("NFC", text.translate(_UNSEEN))
    return "".join(c if unicodedata.category(c) == "No" else unicodedata.normalize("NFKC", c) for c in seen).strip()


@lru_cache(maxsize=40)
def readers(contract: Contract, dialect: Dialect) -> dict[str, Callable[[str], Any]]:
    """By field, what reads its cells: a typed value, None for an empty cell. A text that was read is not read again.

    Raises (when one is called):
        Unreadable: the text is not of the field's type.
    """
    return {f.name: lru_cache(maxsize=2_000)(_reader(f, dialect)) for f in contract.fields}


def _reader(f: Field, dialect: Dialect) -> Callable[[str], Any]:
    column = dialect.columns.get(f.name)
    heading = dialect.unpivot.heading if dialect.unpivot else None
    codes, formats = (column.codes, column.format) if column else ({}, ())
    if column is None and heading and heading.field == f.name:
        codes, formats = heading.codes, heading.format
    folded = {slug(k): v for k, v in codes.items()}
    missing, convert = {m.casefold() for m in dialect.missing}, _convert(f, dialect, formats)

    def read(value: str) -> Any:
        text = clean(value)
        if f.type == "int64" and slug(text) in zeros and text:
            return 0
        if text.casefold() in missing:
            return None
        if ERRORS.match(text):
            raise _error_value(text)
        return convert(folded.get(slug(text), text))

    zeros = {slug(z) for z in dialect.zeros}
    if "-" in dialect.zeros:
        missing.discard("-")
        zeros.add("")  # what "-" folds to; an empty cell is not text
    return read


def _error_value(text: str) -> Unreadable:
    if text.upper() == "#UNCALCULATED!":
        return Unreadable(
            "not_calculated",
            "a formula stands here that was never calculated, so its value is unknown",
            "Open the workbook in a spreadsheet program, let it calculate, save it and send it again.",
        )
    return Unreadable(
        "error_value",
        f"the spreadsheet shows the error {text.upper()} here, so the value is unknown",
        "Correct the formula, or type the value, and send the file again.",
    )


def _convert(f: Field, dialect: Dialect, formats: tuple[str, ...]) -> Callable[[str], Any]:
    if f.type == "int64":
        return partial(_integer, dialect)
    if f.type == "date32":
        return partial(_date, formats)
    if f.type == "bool":
        return _boolean
    return partial(_coded, f, f.lookup if f.values else None, re.compile(f.pattern) if f.pattern else None)


def _coded(f: Field, lookup: dict[str, str] | None, pattern: re.Pattern[str] | None, text: str) -> str:
    """A code as tools write it: in small letters, as the number 110.0, or with its label beside it."""
    shown = text[:-2] if re.fullmatch(r"\d+\.0", text) else text
    labelled = ((m["code"], m["label"].strip()) for p in (_LABELLED, _BRACKETED) if (m := p.match(shown)))
    tries = [shown, *(one for one, label in labelled if not _says_another(f, one, label, lookup, pattern))]
    for one in tries:
        if lookup is not None and slug(one) in lookup:
            return lookup[slug(one)]
        for written in (one, one.upper()) if pattern is not None else ():
            if pattern is not None and pattern.search(written):
                return written
    return shown.upper() if f.name in ("ods_code", "site_code") else shown


def _says_another(
    f: Field, code: str, label: str, lookup: dict[str, str] | None, pattern: re.Pattern[str] | None
) -> bool:
    """Whether what stands beside a code is no label of it, but another code or value: “IP, OP” is not inpatients.

    Values that roll up to the same are none other: “IP - Inpatient” is the code with a coarser word.
    """
    others = _LISTED.split(label)
    if slug(label).startswith(("non_", "not_")):
        return True
    if lookup is not None:
        meant = [lookup[slug(text)] for text in (code, *others) if slug(text) in lookup]
        return len({f.roll_ups.get(m) or m for m in meant}) > 1
    # A name in capitals may be written as a code is; one of the same length, or with a digit, is one.
    codes = (o for o in others if any(map(str.isdigit, o)) or (o.isupper() and len(o) == len(code)))
    return pattern is not None and any(pattern.search(other.upper()) for other in codes)


@cache
def _numbers(decimal: str, thousands: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """How a whole number is written with these marks, and how one that elsewhere is a thousand times as much."""
    point, between = re.escape(decimal), re.escape(thousands)
    grouped = rf"\d{{1,3}}(?:{between}\d{{3}})+" if thousands else r"(?!)"
    return re.compile(rf"([+-]?)({grouped}|\d{{1,15}})(?:{point}0+)?"), re.compile(rf"[+-]?\d{{1,3}}{point}000")


def _integer(dialect: Dialect, text: str) -> int:
    if SUPPRESSED.match(text):
        raise Unreadable("suppressed_value", "the number is hidden, so it is unknown; it is not counted as zero")
    if _NOTHING.match(slug(text)):
        raise Unreadable(
            "nil_in_words", "this says in words that there was nothing", "Write the number 0 where there was nothing."
        )
    whole, thousandfold = _numbers(dialect.decimal, dialect.thousands)
    found = whole.fullmatch(text)
    if not found:
        if _GROUPED.fullmatch(text):
            raise Unreadable(
                "number",
                "this is not a whole number as this file may write one: a mark stands between its digits",
                "Write the number without a mark between thousands, such as 1234.",
            )
        raise Unreadable("number", "this is not a whole number")
    # 1.000 is one here and a thousand on the continent.
    if not dialect.thousands and thousandfold.fullmatch(text):
        raise Unreadable("ambiguous_number", "this may be a thousand times as much, so it is not guessed")
    digits = re.sub(r"\D", "", found[2])
    return -int(digits) if found[1] == "-" else int(digits)


def _date(patterns: tuple[str, ...], text: str) -> date:
    """A day. A midnight is a day; another time of day is none, since the day it counts to is not said.

    With its month as a word, or its year first, a date can be read in one way only, whatever is declared.
    """
    iso = _ISO.match(text)
    if iso:
        try:
            return date.fromisoformat(iso[1])
        except ValueError as error:
            raise Unreadable("date", "there is no such day") from error
    if _TIMED.match(text):
        raise Unreadable("date", "this holds a time of day, so the strike day that it counts to is not certain")
    plain = _MIDNIGHT.sub("", text)
    if EXCEL_SERIAL in patterns and re.fullmatch(r"[2-9]\d{4}(\.0)?", plain):
        return EXCEL_DAY_0 + timedelta(days=int(plain[:5]))
    if day := _first_of((p for p in patterns if p != EXCEL_SERIAL), plain):
        return day
    if _NAMED_OR_YEAR_FIRST.fullmatch(plain) and (day := _first_of(_CERTAIN, plain.replace("-", " "))):
        return day
    if not patterns:
        raise Unreadable(
            "ambiguous_date",
            "this date's order of day and month is not declared, so it is not guessed; write it as 2023-04-11",
        )
    if re.fullmatch(r"[2-9]\d{4}(\.\d+)?", plain):
        raise Unreadable(
            "date",
            "this is the number by which a spreadsheet keeps a date, which this file is not said to hold",
            "Format the column as dates, save the file again and send that.",
        )
    shown = dict.fromkeys(spelled(_EXAMPLE, p) for p in patterns)
    raise Unreadable("date", f"this is not a date written as {' or '.join(shown)}")


def _first_of(patterns: Iterable[str], text: str) -> date | None:
    """The day that a text says under the first pattern that reads it."""
    for pattern in patterns:
        try:
            return datetime.strptime(text, pattern).date()
        except ValueError:
            continue
    return None


def month_first(texts: set[str], patterns: tuple[str, ...]) -> set[str]:
    """Dates that a day-first reading takes although the column is month-first: others of it can only be so."""
    parts = {t: m for t in texts if (m := _MONTH_FIRST.match(clean(t)))}
    is_day_first = any(p.startswith("%d") or p.startswith("%-d") for p in patterns)
    if not is_day_first or not any(int(m[1]) <= 12 < int(m[2]) for m in parts.values()):
        return set()
    return {t for t, m in parts.items() if int(m[1]) <= 12 and int(m[2]) <= 12 and m[1] != m[2]}


def _boolean(text: str) -> bool:
    folded = text.casefold()
    if folded in _YES:
        return True
    if folded in _NO:
        return False
    raise Unreadable("yes_no", "this is neither yes nor no")
