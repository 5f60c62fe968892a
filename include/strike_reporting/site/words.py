"""Numbers, dates and names as analysts in England write them."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import Any

from markupsafe import Markup

from strike_reporting.clock import LONDON, dated
from strike_reporting.extracts import EXTRACTS, load
from strike_reporting.extracts.measures import BREAKDOWNS
from strike_reporting.reference.facts import read_csv

NOT_AVAILABLE = "[x]"
NOT_APPLICABLE = "[z]"
UNRELIABLE = "[u]"


def number(value: float | None, places: int = 0) -> str:
    """`1,234`, `93.4`, or [x] when it is not available: never a zero for something missing."""
    return NOT_AVAILABLE if value is None else f"{value:,.{places}f}"


def percent(value: float | None) -> str:
    """`93.4%` or [x]. A share that is neither none nor all never rounds to 0.0% or 100.0%."""
    if value is None:
        return NOT_AVAILABLE
    if 0 < value < 0.05:
        return "under 0.1%"
    return "over 99.9%" if 99.95 <= value < 100 else f"{value:.1f}%"


def day(value: date) -> str:
    """`Tue 11 April 2023`."""
    return f"{value:%a %-d %B %Y}"


def short_day(value: date) -> Markup:
    """`Tue 11 Apr 2023` on one line, for a table."""
    return Markup('<span class="w">{}</span>').format(f"{value:%a %-d %b %Y}")


def moment(value: str | None) -> str:
    """A UTC moment as local time: `24 November 2026, 10:55`."""
    if not value:
        return "no return yet"
    return dated(value)


def london_minute(value: str) -> str:
    """A UTC moment as the field for a day and time writes it: `2026-11-24T10:55`, in London."""
    return f"{_local(value):%Y-%m-%dT%H:%M}"


def short_moment(value: str) -> Markup:
    """`24 Nov 2026, 10:55` in two parts that do not break, for a table."""
    local = _local(value)
    return Markup('<span class="w">{},</span> {}').format(f"{local:%-d %b %Y}", f"{local:%H:%M}")


def _local(value: str) -> datetime:
    return datetime.fromisoformat(value).astimezone(LONDON)


def counted(n: float | None, noun: str) -> str:
    """`1 trust`, `2 trusts`: the noun alone is in the plural unless there is one."""
    return noun if n == 1 else f"{noun}s"


def dimension(value: Any) -> str:
    """A coded value in words."""
    return "not stated" if value is None else str(value).replace("_", " ")


@cache
def _names(file: str) -> dict[str, str]:
    return {r["code"]: r["name"] for r in read_csv(file)}


@cache
def _labels(field: str) -> dict[str, str]:
    """What the values of a contract field are called, over all extracts."""
    fields = (f for e in EXTRACTS for f in load(e).fields if f.name == field)
    return {v.code: v.label for f in fields for v in f.values}


def value_of(breakdown: str, value: str | bool | None) -> str:
    """A value of a breakdown in words: `Trauma and Orthopaedics (110)`; one that has no name stands alone."""
    b = BREAKDOWNS[breakdown]
    if value is None:
        return "Not stated"
    if isinstance(value, bool):
        return b.yes if value else b.no
    if b.names:
        return f"{_names(b.names)[value]} ({value})" if value in _names(b.names) else value
    label = _labels(b.field).get(value, dimension(value).capitalize() if not b.field else value)
    return f"{value}: {label.lower()}" if b.is_code_shown else label


_FAULTS = {
    "required": "not given",
    "known": "not a known code",
    "format": "not in the right form",
    "range": "out of range",
    "length": "too long",
}


@cache
def _rules() -> dict[str, str]:
    found = {}
    for extract in EXTRACTS:
        contract = load(extract)
        for rule in contract.rules:
            kind = rule.name.removeprefix(f"{rule.column}_")
            if kind in _FAULTS:
                found[rule.name] = f"{contract.field(rule.column).title}: {_FAULTS[kind]}"
    return found


def rule(name: str) -> str:
    """A rule in words: `Staff group: not a known code`."""
    return _rules().get(name) or dimension(name).capitalize()


def short(name: str) -> str:
    """The name of a trust or board without what all such names have in common."""
    for ending in (" NHS Trust", " NHS Foundation Trust", " Integrated Care Board"):
        name = name.removesuffix(ending)
    return name.removeprefix("NHS ")
