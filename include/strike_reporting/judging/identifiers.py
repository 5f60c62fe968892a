"""What tells a person: headings, the values of a column, and loose text of a file that no reader opens.

Pure functions on text, without contracts: the reading worker uses them too. A heading alone is no finding, for a blank
form and a sheet of instructions name identifiers as well: its values must be of its kind. A number of ten digits passes
the NHS number's check one time in eleven by chance, so what counts is how many of a column's distinct ones do.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from strike_reporting.judging.forenames import FORENAMES
from strike_reporting.nhs_number import is_nhs_number

NHS, HOSPITAL, STAFF, BIRTH = "NHS numbers", "hospital numbers", "staff numbers", "dates of birth"
NAMES, POSTCODES, CONTACT, TEXT = "names", "postcodes", "addresses", "text about people"
SAMPLE = 2_000  # of more distinct values, these show what a column is
_BY_CHANCE = 0.001  # a share of passing numbers that chance gives more seldom is none
_RATE = 1 / 11
_OWN = (
    0.3  # of so many rows, persons each have their own value; hospitals named after people, or founded long ago, repeat
)

# What a heading says, on its words in small letters, CamelCase parted. The first that fits.
_NUMBER = r"(?:no|nos|num|number|nbr|nr|id|identifier|code)"
_OF_A_PERSON = r"(?:patients?|pts?|pat|client|person|service user|employee|staff|carer|relative|kin|nok)"
_HEADINGS = [
    (kind, re.compile(pattern))
    for kind, pattern in (
        (NHS, rf"\bnhs ?{_NUMBER}\b|^(?:{_OF_A_PERSON} )?nhs$"),
        (BIRTH, r"\bd ?o ?b\b|\bdate ?(?:of ?)?birth|\bbirth ?(?:date|day|dt)|\bborn\b"),
        (
            STAFF,
            rf"\b(?:gmc|nmc|hcpc)\b|\b(?:esr|employee|assignment|payroll|staff|ni|national insurance) ?{_NUMBER}\b",
        ),
        (HOSPITAL, r"\b(?:mrn|ubrn|crn)\b|\bunique booking ref"),
        (
            HOSPITAL,
            rf"\b(?:hosp|hospital|patients?|pts?|pat|client|person|unit|case ?notes?|district|pas|epr|spell|encounter|"
            rf"episode|appointment|appt|referral|pathway|k) ?{_NUMBER}\b",
        ),
        (
            NAMES,
            r"\b(?:sur|fore|first|last|family|given|middle|full|maiden|christian) ?names?\b|\b(?:nok|next of kin)$",
        ),
        (NAMES, rf"\b{_OF_A_PERSON} (?:full )?name\b|\bname of (?:the )?{_OF_A_PERSON}\b"),
        (POSTCODES, r"\bpost ?code|\bpc\b"),
        (CONTACT, r"\be ?mail\b|\baddr(?:ess)?\b|\bmob(?:ile)?\b"),
        (CONTACT, rf"\b(?:{_OF_A_PERSON}|home)\b.*\b(?:tele ?)?phone\b"),
        (CONTACT, rf"\b(?:tele ?phone|tel)\b.*\b(?:{_OF_A_PERSON}|home)\b|\b(?:{_OF_A_PERSON}|home) tel\b"),
    )
]
# Whose postcode, address, telephone or name it may be without being a person's.
_OFFICE = re.compile(
    r"\b(?:site|hosp|hospital|trust|provider|practice|prac|gp|surgery|ward|clinic|organi[sz]ation|org|facility|location|loc|"
    r"base|unit|dept|department|centre|contact|completed|submitted|submitter|reported|reporter|sender|lead|return|"
    r"switchboard|office|service|team|system|report|specialty|theatre|shift|rota|icb|region|commissioner|type|sent)\b"
)
_MISSING = {
    *(
        "",
        "-",
        ".",
        "x",
        "xx",
        "xxx",
        "y",
        "n",
        "yes",
        "no",
        "na",
        "n/a",
        "nil",
        "none",
        "null",
        "unknown",
        "not known",
    ),
    *("not sent", "not given", "not applicable", "not recorded", "withheld", "redacted", "removed", "anonymised"),
}

_TEN = re.compile(r"\d{3}([ -]?)\d{3}\1\d{4}(?:\.0+)?")
_TENS = re.compile(r"(?<![\w.+-])(\d{3})([ -]?)(\d{3})\2(\d{4})(?:\.0+)?(?![\w-])(?!\.\d)")
_DIGITS = re.compile(r"\d{3}[ -]?\d{3}[ -]?\d{4}")  # quick to look for; `_TENS` looks closer
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE = re.compile(
    rf"(?:\d{{1,2}}[-/. ]\d{{1,2}}[-/. ](?P<a>\d{{4}})|(?P<b>\d{{4}})[-/.]\d{{1,2}}[-/.]\d{{1,2}}|"
    rf"\d{{1,2}}[- ]?{_MONTH}[- ,]*(?P<c>\d{{4}})|(?P<d>(?:19|20)\d\d)[01]\d[0-3]\d)(?:[ T][\d:.]+)?",
    re.IGNORECASE,
)
_SHORT_DATE = re.compile(rf"\d{{1,2}}[-/. ](?:\d{{1,2}}|{_MONTH})[-/. ]\d{{2}}|[1-4]\d{{4}}(?:\.0+)?", re.IGNORECASE)
_POSTCODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"(?:\+44|0)[\d ()-]{9,14}")
_MOBILE = re.compile(r"(?:\+44 ?|0)7[\d ]{9,11}")
_ADDRESS = re.compile(
    r"(?:flat |no\.? ?)?\d+[a-z]?,? [a-z].*|.*\b(?:road|street|lane|avenue|close|drive|way|court)\b.*", re.I
)
_HOUSE = re.compile(r"\d+[a-z]?,? [a-z' ]+ (?:road|street|lane|avenue|close|drive|way|court)\b.*", re.IGNORECASE)
_ID = re.compile(
    r"[A-Z]{0,4}[ /-]?\d{5,}(?:[-/]?\w)?(?:\.0+)?|\d\d[A-Z]\d{4}[A-Z]|[A-Z]{2}(?: ?\d\d){3} ?[A-D]", re.IGNORECASE
)
_PART = r"(?:[A-Z][\w'’.-]*|de|da|van|der|den|von|al|bin|ap)"
_NAME = re.compile(rf"{_PART}(?:,? {_PART}){{0,4}}|[a-z][a-z'’-]+")
_FULL = re.compile(rf"{_PART}(?:,? {_PART}){{1,3}}(?:,? \(?(?:19|20)\d\d\)?)?")
_TITLED = re.compile(r"(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Master|Sister)\.?(?: [A-Z][\w'’.-]*){1,4}", re.IGNORECASE)
_TURNED = re.compile(r"[A-Z][A-Z'’ -]+, ?[A-Z][a-z'’-]+(?: [A-Z]\w*\.?)?")
_NOBODY = re.compile(
    r"\b(?:hospital|ward|unit|clinic|trust|centre|surgery|surgical|medicine|medical|theatres?|outpatients?|day|general|"
    r"department|emergency|road|lane|street|nhs|university|health|infirmary|care|services?|text|string|optional|mandatory|"
    r"required|surname|forename|name|number|never|please|specialty|infirmary|house|building|region|north|south|east|west)\b",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"\b(?:s?he|her|him|his|(?:grand)?(?:daughter|son|mother|father)|wife|husband|mum|dad|next of kin)\b|"
    r"\bcare home\b|\b(?-i:Mr|Mrs|Ms|Miss)\.? (?-i:[A-Z])|"
    r"\b(?:pt|patient)\b(?= (?:is|was|has|had|very|aware|rang|phoned|called|told|does|did|would|wants?|asks?|asked|"
    r"unable|cannot|can|will|lives|declined|upset|informed|contacted|not|to|dna))",
    re.IGNORECASE,
)
_LABELLED_BIRTH = re.compile(
    rf"(?:\bd\.?o\.?b\b|birth|\bborn)[^\w\n]{{0,12}}(?:on )?(?:{_DATE.pattern})", re.IGNORECASE
)
_SAYS_NHS = re.compile(r"nhs[\W_]{0,3}(?:no|num|nbr|id)")
_LABELLED_NHS = re.compile(r"nhs[\W_]{0,3}(?:no|num|nbr|id|)[a-z]{0,4}[^\w\n]{0,12}$", re.IGNORECASE)
_SAYS_BIRTH = re.compile(r"birth|born|\bd\.?o\.?b\b")
_SAYS_NAME = re.compile(r"(?:sur|fore|first|last)[\W_]{0,2}name")
_CAPITALISED = re.compile(r"(?<![^\W_])[A-Z][a-z]{2,}(?![^\W_])")
_YOUNGEST = 2014  # nothing that is asked for is older; a date before is a birth where births are spoken of


def heading(text: str) -> str | None:
    """The kind of identifier that a heading says its column holds, if it says one."""
    words = _words(text)
    if len(words) > 60:
        return None
    kind = next((kind for kind, pattern in _HEADINGS if pattern.search(words)), None)
    if kind in (POSTCODES, CONTACT) and _OFFICE.search(words):
        return None
    return kind


def column(head: str, values: Mapping[str, int]) -> str | None:
    """What a column holds of persons: its heading, and each distinct value with how often it stands there."""
    filled = {v: n for raw, n in values.items() if (v := _plain(raw)).casefold() not in _MISSING}
    if not filled:
        return None
    kind = heading(head)
    if _are_nhs(map(_ten, filled), is_said=kind == NHS):
        return NHS
    sample = dict(islice(filled.items(), SAMPLE))
    if kind in _FITS and _share(sample, _FITS[kind]) >= 0.5:
        return kind
    is_office = bool(_OFFICE.search(_words(head)))
    if not is_office:
        for found, test in _TOLD:
            if _share(sample, test) > 0.5:
                return found
        if len(sample) >= 3 and _share(sample, lambda v: _like(v).mobile) > 0.5:
            return CONTACT
        if _are_names(sample):
            return NAMES
    if _are_births(sample):
        return BIRTH
    if _share(sample, lambda v: _like(v).about) > 0.2:
        return TEXT
    return search(v for v in sample if len(v) > 12)


def opaque(head: str, values: Mapping[str, int]) -> str | None:
    """What a column of opaque keys holds of persons: as `column`, and NHS numbers behind a prefix that all have."""
    digits = {re.sub(r"\D", "", re.sub(r"\.0+$", "", _plain(v))) for v in values}
    tens = [(d, False) for d in digits if len(d) == 10]
    return column(head, values) or (NHS if _are_nhs(tens, is_said=False) else None)


def search(texts: Iterable[str]) -> str | None:
    """What loose text holds of patients: cells, lines or all of a file that no reader opens, in any order."""
    texts = list(texts)
    tens: set[tuple[str, bool]] = set()
    for text in texts:
        for m in _DIGITS.finditer(text):
            found = _TENS.match(text, m.start())
            if found is None:
                continue
            number = found[1] + found[3] + found[4]
            if is_nhs_number(number) and _LABELLED_NHS.search(text[max(0, m.start() - 30) : m.start()]):
                return NHS
            tens.add((number, bool(found[2])))
    small = [text.lower() for text in texts]
    if tens and _are_nhs(tens, is_said=any("nhs" in text and _SAYS_NHS.search(text) for text in small)):
        return NHS
    if any(said in text and _SAYS_BIRTH.search(text) for text in small for said in ("birth", "born", "dob", "d.o.b")):
        years = (_year(m) for text in small for m in _DATE.finditer(text))
        if any(year and year <= _YOUNGEST for year in years) or any(map(_LABELLED_BIRTH.search, small)):
            return BIRTH
    if any("name" in text and _SAYS_NAME.search(text) for text in small):
        words = (m[0].casefold() for text in texts for m in _CAPITALISED.finditer(text))
        if len(set(islice((w for w in words if w in FORENAMES), SAMPLE))) >= 3:
            return NAMES
    return None


def _words(text: str) -> str:
    """A heading's words: CamelCase parted, dots and underscores as blanks, no possessive."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text.replace("#", " no "))
    return " ".join(re.findall(r"[a-z]+|\d+", re.sub(r"['’]s\b|['’]", "", text.casefold())))


@lru_cache(maxsize=5_000)
def _plain(value: str) -> str:
    """A value without what spreadsheets put round a text."""
    return value.replace("\N{NO-BREAK SPACE}", " ").strip().removeprefix("=").strip("\"'").strip()


@lru_cache(maxsize=5_000)
def _ten(value: str) -> tuple[str, bool] | None:
    """Ten digits of a value that is nothing else, and whether they are written 3-3-4."""
    m = _TEN.fullmatch(value)
    return (re.sub(r"\D", "", value.partition(".")[0]), bool(m[1])) if m else None


def _are_nhs(found: Iterable[tuple[str, bool] | None], *, is_said: bool) -> bool:
    """Whether distinct numbers of ten digits are NHS numbers; `is_said`: something names them so."""
    numbers = {f for f in found if f is not None and len(set(f[0])) > 1}
    passing = {f for f in numbers if is_nhs_number(f[0])}
    if not passing:
        return False
    n, k = len(numbers), len(passing)
    if k / n > 0.5 and (is_said or any(is_spaced for _, is_spaced in passing)):
        return True
    if k == n == 2:
        return all(number[0] in "34679" for number, _ in passing)  # those that are given out
    return k / n > 2 * _RATE and _chance(n, k) < _BY_CHANCE


def _chance(n: int, k: int) -> float:
    """How often at least k of n numbers pass by chance."""
    if n > 300:  # twice the rate of chance among so many is none
        return 0.0
    return sum(math.comb(n, i) * _RATE**i * (1 - _RATE) ** (n - i) for i in range(k, n + 1))


def _share(values: Mapping[str, int], test: Callable[[str], object]) -> float:
    return sum(n for v, n in values.items() if test(v)) / sum(values.values())


def _is_name(value: str) -> bool:
    letters = sum(c.isalpha() for c in value)
    return letters > 1 and _NAME.fullmatch(value) is not None and not _NOBODY.search(value)


class _Like(NamedTuple):
    """What one text is like.

    titled: with a title, or surname first. full: a name of several words; known: with a forename among them. year: of a
    date. about: it tells of somebody.
    """

    postcode: bool
    email: bool
    house: bool
    mobile: bool
    titled: bool
    full: bool
    known: bool
    year: int | None
    about: bool


@lru_cache(maxsize=5_000)  # the files of a round hold the same sites, days and numbers
def _like(v: str) -> _Like:
    is_nobody = bool(_NOBODY.search(v))
    is_full = not is_nobody and bool(_FULL.fullmatch(v))
    on = _DATE.fullmatch(v)
    return _Like(
        postcode=bool(_POSTCODE.fullmatch(v)),
        email=bool(_EMAIL.fullmatch(v)),
        house=bool(_HOUSE.fullmatch(v)),
        mobile=bool(_MOBILE.fullmatch(v)),
        titled=not is_nobody and bool(_TITLED.fullmatch(v) or _TURNED.fullmatch(v)),
        full=is_full,
        known=is_full and not FORENAMES.isdisjoint(w.casefold() for w in re.findall(r"[^\W\d_]+", v)),
        year=_year(on) if on else None,
        about=_is_about_someone(v),
    )


def _are_names(values: Mapping[str, int]) -> bool:
    """Whether a column that does not say so holds names of people: titles, SURNAME and forename, or known forenames."""
    if _share(values, lambda v: _like(v).titled) > 0.5:
        return True
    full, known = sum(_like(v).full for v in values), sum(_like(v).known for v in values)
    return full > max(len(values) / 2, sum(values.values()) * _OWN) and known >= max(2, full * 0.25)


def _year(m: re.Match[str]) -> int | None:
    year = next((int(y) for y in (m["a"], m["b"], m["c"], m["d"]) if y), None)
    return year if year and 1900 < year < 2100 else None


def _are_births(values: Mapping[str, int]) -> bool:
    """Whether dates are spread over lives rather than over a year's work."""
    years = sorted(year for v in values if (year := _like(v).year))
    if len(years) < max(5, len(values) / 2, sum(values.values()) * _OWN):
        return False
    return years[-1] - years[0] >= 20 and years[len(years) // 2] <= _YOUNGEST


def _is_about_someone(value: str) -> bool:
    return len(value) > 25 and value.count(" ") >= 4 and _ABOUT.search(value) is not None


def _is_date(value: str) -> bool:
    return bool(_DATE.fullmatch(value) or _SHORT_DATE.fullmatch(value))


def _is_contact(value: str) -> bool:
    return bool(_EMAIL.fullmatch(value) or _PHONE.fullmatch(value) or (len(value) > 8 and _ADDRESS.fullmatch(value)))


_FITS: Mapping[str | None, Callable[[str], object]] = {
    NHS: _ten,
    HOSPITAL: _ID.fullmatch,
    STAFF: _ID.fullmatch,
    BIRTH: _is_date,
    NAMES: _is_name,
    POSTCODES: _POSTCODE.fullmatch,
    CONTACT: _is_contact,
}
_TOLD: tuple[tuple[str, Callable[[str], object]], ...] = (
    (POSTCODES, lambda v: _like(v).postcode),
    (CONTACT, lambda v: _like(v).email),
    (CONTACT, lambda v: _like(v).house),
)
