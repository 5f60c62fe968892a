"""Numbers, dates and names as analysts in England write them."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from strike_reporting.extracts import EXTRACTS as _EXTRACTS
from strike_reporting.extracts import care_settings, load
from strike_reporting.reference.facts import read_csv

NOT_AVAILABLE = "[x]"
EXTRACTS = {e: e.replace("_", " ").capitalize() for e in _EXTRACTS}


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
    return f"{_local(value):%-d %B %Y, %H:%M}"


def short_moment(value: str) -> Markup:
    """`24 Nov 2026, 10:55` in two parts that do not break, for a table."""
    local = _local(value)
    return Markup('<span class="w">{},</span> {}').format(f"{local:%-d %b %Y}", f"{local:%H:%M}")


def _local(value: str) -> datetime:
    return datetime.fromisoformat(value).astimezone(ZoneInfo("Europe/London"))


def of(returned: int | None, expected: int | None) -> str:
    """`14 of 201 trusts`."""
    if expected is None:
        return f"{returned or 0} sent; none was asked"
    return f"{returned or 0} of {expected} trust{'' if expected == 1 else 's'}"


def dimension(value: Any) -> str:
    """A coded value in words."""
    return "not stated" if value is None else str(value).replace("_", " ")


def settings() -> dict[str, str]:
    """Care settings in words, in the contract's order: `Mental health`."""
    return {s: dimension(s).capitalize() for s in care_settings().values()}


@cache
def _functions() -> dict[str, str]:
    return {r["code"]: r["name"] for r in read_csv("treatment_functions")}


def treatment_function(code: str | None) -> str:
    """`Trauma and Orthopaedics (110)`; a code we have no name for stands alone."""
    if code is None:
        return "Not stated"
    return f"{_functions()[code]} ({code})" if code in _functions() else code


def coded(extract: str, field: str, code: str | None) -> str:
    """A coded value by the contract's label for it: `Foundation year 1`."""
    if code is None:
        return "Not stated"
    return next((v.label for v in load(extract).field(field).values if v.code == code), code)


def priority(code: str | None) -> str:
    """`P2: within one month`."""
    return "Not stated" if code is None else f"{code}: {coded('cancellations', 'priority', code).lower()}"


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
    for extract in _EXTRACTS:
        contract = load(extract)
        for rule in contract.rules:
            kind = rule.name.removeprefix(f"{rule.column}_")
            if kind in _FAULTS:
                found[rule.name] = f"{contract.field(rule.column).title}: {_FAULTS[kind]}"
    return found


def rule(name: str) -> str:
    """A rule in words: `Staff group: not a known code`."""
    return _rules().get(name) or dimension(name).capitalize()


def cancer(value: bool | None) -> str:
    """On a cancer pathway or not."""
    return "Not stated" if value is None else ("On a cancer pathway" if value else "Not on a cancer pathway")


def short(name: str) -> str:
    """The name of a trust or board without what all such names have in common."""
    for ending in (" NHS Trust", " NHS Foundation Trust", " Integrated Care Board"):
        name = name.removesuffix(ending)
    return name.removeprefix("NHS ")
