"""What is wrong with a submission, in words its sender can act on."""

from __future__ import annotations

from dataclasses import dataclass

from strike_reporting.contracts import Severity
from strike_reporting.nhs_number import is_nhs_number


@dataclass(frozen=True)
class Problem:
    """One finding. `row` is the row of the file as a spreadsheet numbers it; None when it is about the file."""

    rule: str
    severity: Severity
    message: str
    fix: str
    row: int | None = None
    column: str | None = None
    value: str | None = None
    day: str | None = None


class Rejected(Exception):
    """The whole submission cannot be used."""

    def __init__(self, rule: str, message: str, fix: str, **where: object) -> None:
        """Say which rule, what was found and what to do about it."""
        super().__init__(message)
        self.problem = Problem(rule, "critical", message, fix, **where)  # type: ignore[arg-type]


def shown(value: object) -> str:
    """A value as it may be shown: shortened, and withheld when it looks like an NHS number."""
    text = str(value)
    if is_nhs_number(text):
        return "[withheld: looks like an NHS number]"
    return text if len(text) <= 60 else text[:57] + "..."
