"""Numbers, dates and names as analysts in England write them."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from strike_reporting.contracts import load
from strike_reporting.reference import read_csv

NOT_AVAILABLE = "[x]"
EXTRACTS = {"cancellations": "Cancellations", "staffing": "Staffing", "planned_activity": "Planned activity"}
SETTINGS = {
    "inpatient": "Inpatient",
    "outpatient": "Outpatient",
    "community": "Community",
    "mental_health": "Mental health",
}
UNITS = {"appointment": "Appointments", "clinic_session": "Clinic sessions", "theatre_list": "Theatre lists"}


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


def moment(value: str | None) -> str:
    """A UTC moment as local time: `24 November 2026, 10:55`."""
    if not value:
        return "no return yet"
    local = datetime.fromisoformat(value).astimezone(ZoneInfo("Europe/London"))
    return f"{local:%-d %B %Y, %H:%M}"


def status(value: str) -> str:
    """A return status in words."""
    return value.replace("_", " ")


def of(returned: int | None, expected: int | None) -> str:
    """`14 of 201 trusts`."""
    if expected is None:
        return f"{returned or 0} sent; none was asked"
    return f"{returned or 0} of {expected} trust{'' if expected == 1 else 's'}"


def dimension(value: Any) -> str:
    """A coded value in words."""
    return "not stated" if value is None else str(value).replace("_", " ")


@cache
def _functions() -> dict[str, str]:
    return {r["code"]: r["name"] for r in read_csv("treatment_functions")}


def treatment_function(code: str | None) -> str:
    """`Trauma and Orthopaedics (110)`; a code we have no name for stands alone."""
    if code is None:
        return "not stated"
    return f"{_functions()[code]} ({code})" if code in _functions() else code


def priority(code: str | None) -> str:
    """`P2: within one month`."""
    labels = {v.code: v.label for v in load("cancellations").field("priority").values}
    return "not stated" if code is None else f"{code}: {labels[code].lower()}"


def cancer(value: bool | None) -> str:
    """On a cancer pathway or not."""
    return "not stated" if value is None else ("On a cancer pathway" if value else "Not on a cancer pathway")


def short(name: str) -> str:
    """A trust's name without what all trusts' names end in, for a chart."""
    return name.removesuffix(" NHS Trust").removesuffix(" NHS Foundation Trust")
