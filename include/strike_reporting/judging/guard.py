"""The patient-data guard: an identifier in a column rejects the file before anything of it is written.

A single ten-digit number passes the NHS check one time in eleven by chance, so the signal is a column's pass
rate.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable

from strike_reporting.extracts import slug
from strike_reporting.judging.matching import Matched
from strike_reporting.judging.problems import Rejected, shown
from strike_reporting.judging.reading.document import Sheet
from strike_reporting.nhs_number import TEN_DIGITS, holds_nhs_number, is_nhs_number

_POSTCODE = re.compile(r"^[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}$", re.IGNORECASE)
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
# Headings of identifiers, and of what may hold more about a person in a column that nothing maps.
_IDENTIFIER = (
    r"\b(nhs|patient|hospital|pseudo nhs) ?(no|num|number|id)\b|\bsurname\b|\bforename\b|\bpatient ?name\b|"
    r"\bdate of birth\b|\bdob\b|\bbirth ?date\b"
)
_IDENTIFIERS = re.compile(_IDENTIFIER, re.IGNORECASE)
_HEADINGS = re.compile(
    rf"{_IDENTIFIER}|\b(first|last|family|full) ?name\b|\bpost ?code\b|\be ?mail\b|\bmrn\b|\bubrn\b|\bgmc\b|"
    r"\b(free ?text|comments?|narrative|notes?)\b|\baddress\b|\b(tele)?phone\b|\bmobile\b",
    re.IGNORECASE,
)
# Written 3-3-4 it is meant as one, wherever it stands; ten plain digits may be anything.
_SPACED = re.compile(r"(?<!\d)\d{3} \d{3} \d{4}(?!\d)")
_BIRTH = re.compile(r"\b(dob|birth)\b", re.IGNORECASE)


def guard(matched: Matched) -> None:
    """Look at every column of the file, mapped or not.

    Raises:
        Rejected: a column looks like NHS numbers, postcodes, e-mail addresses or free text, or its heading
            says that it holds an identifier. No value is echoed.
    """
    sheet, header = matched.sheet, matched.sheet.rows[matched.header]
    for row, number in zip(sheet.rows[: matched.header + 1], sheet.numbers, strict=False):
        if any(holds_nhs_number(cell) for cell in row):
            raise Rejected(
                "patient_data",
                f"row {number}, above the figures, holds what looks like an NHS number",
                "Remove it and send the file again. What you sent is locked away and can be purged.",
                row=number,
            )
    width = max(map(len, sheet.rows))
    for place in range(width):
        heading = header[place] if place < len(header) else ""
        values = [r[place].strip() for r in sheet.rows[matched.header + 1 :] if place < len(r) and r[place].strip()]
        coded = _coded(matched, place)
        counted = Counter(v for v in values if slug(v) not in coded)
        known = place in {*matched.columns.values(), *matched.wide.values()}
        what = _what(heading if not known else "", counted)
        if what:
            raise Rejected(
                "patient_data",
                f"column {place + 1} of the file looks like {what}",
                "Remove the column and send the file again. What you sent is locked away and can be purged.",
                row=sheet.numbers[matched.header],
                column=f"{place + 1}: {shown(heading)}",
            )


def guard_rest(sheets: Iterable[Sheet]) -> None:
    """Look at what no dialect reads: a file that fits none, and a workbook's other sheets, hidden ones too.

    Only for NHS numbers and headings of identifiers: such sheets often hold instructions, so text and e-mail
    addresses say nothing.

    Raises:
        Rejected: as `guard`.
    """
    for number, sheet in enumerate(sheets, start=1):
        for place in range(max(map(len, sheet.rows), default=0)):
            cells = [r[place].strip() if place < len(r) else "" for r in sheet.rows]
            heads = (i for i, c in enumerate(cells[:40]) if _IDENTIFIERS.search(re.sub(r"[^A-Za-z0-9]+", " ", c)))
            head = next(heads, None)
            named = head is not None and len(cells[head]) < 40 and any(cells[head + 1 :])
            if named or _numbers(Counter(c for c in cells if c)):
                raise Rejected(
                    "patient_data",
                    f"sheet {number}, column {place + 1} of the file looks like names or numbers of patients",
                    "Remove it and send the file again. What you sent is locked away and can be purged.",
                )


def _numbers(values: Counter[str]) -> bool:
    """Whether a column's values hold NHS numbers."""
    ten = sum(n for v, n in values.items() if TEN_DIGITS.match(v))
    passing = sum(n for v, n in values.items() if is_nhs_number(v))
    if passing and (ten == values.total() == passing or (passing >= 2 and passing > ten / 2)):
        return True
    return any(is_nhs_number(m[0]) for v in values for m in _SPACED.finditer(v))


def _coded(matched: Matched, place: int) -> set[str]:
    """What the dialect says this column may hold: long names of trusts, say, are not free text."""
    for name, where in matched.columns.items():
        if where == place:
            return {slug(c) for c in matched.dialect.columns[name].codes}
    return set()


def _what(heading: str, values: Counter[str]) -> str | None:
    words = re.sub(r"[^A-Za-z0-9]+", " ", heading)
    if values and _HEADINGS.search(words):
        return "dates of birth" if _BIRTH.search(words) else "names, numbers or text about patients"
    if not values:
        return None
    if _numbers(values):
        return "NHS numbers"
    for pattern, name in ((_POSTCODE, "postcodes"), (_EMAIL, "e-mail addresses")):
        if _share(values, pattern.match) > 0.5:
            return name
    if _share(values, lambda v: len(v) > 40 and v.count(" ") >= 5) > 0.3:
        return "free text"
    return None


def _share(values: Counter[str], test: Callable[[str], object]) -> float:
    return sum(n for v, n in values.items() if test(v)) / values.total()
