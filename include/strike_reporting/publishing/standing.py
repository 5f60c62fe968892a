"""The revisions policy: from a strike's last day, until when its releases are provisional and when they are final.

Within the provisional days a release may be cut at every announced time. After them only one scheduled revision is,
and one when the figures become final; later changes wait in the draft until a person cuts a correction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from strike_reporting.catalogue.standings import CORRECTION, FINAL, PROVISIONAL, REVISED, STANDINGS
from strike_reporting.ledger.records import Part
from strike_reporting.reference.revising import revising


class Standing(Part):
    """How final a release was when it was cut, and the days on which that changes.

    notice: of a correction, why.
    """

    key: str
    provisional_until: date
    revised_on: date
    final_on: date
    notice: str = ""

    @property
    def label(self) -> str:
        """Its name; one that is not known here as it is written."""
        return STANDINGS[self.key].label if self.key in STANDINGS else self.key

    @property
    def mark(self) -> str:
        """What stands beside every figure of it; often nothing."""
        return STANDINGS[self.key].mark if self.key in STANDINGS else ""

    @property
    def sentence(self) -> str:
        """What it is, and what is still to come."""
        final, marked = _said(self.final_on), f"{self.label} {self.mark}".strip()
        if self.key == PROVISIONAL.key:
            until, revised = _said(self.provisional_until), _said(self.revised_on)
            return f"{marked}: may change until {until}; one scheduled revision on {revised}; final on {final}."
        if self.key == REVISED.key:
            return f"{marked}: scheduled revision {_said(self.revised_on)}; final on {final}."
        if self.key == CORRECTION.key:
            return f"{marked} of figures that were final on {final}. Notice: {self.notice}."
        return f"{marked} since {final}, of the returns that came; a correction will come with a notice."


def _said(day: date) -> str:
    return f"{day:%-d %B %Y}"


def standing(strike_days: Sequence[date], on: date, is_first: bool, is_scheduled: bool, notice: str) -> Standing:
    """The standing of a release.

    Args:
        strike_days: of its action.
        on: when it is cut, London's day.
        is_first: whether there is no release of the action before it.
        is_scheduled: whether it is cut because its announced time has come.
        notice: why it is cut; kept of a correction.
    """
    days = revising(strike_days)
    if on < days.final_on:
        key = PROVISIONAL if on <= days.provisional_until else REVISED
        return Standing(key=key.key, **days._asdict())
    if is_first or is_scheduled:
        return Standing(key=FINAL.key, **days._asdict())
    return Standing(key=CORRECTION.key, notice=notice.rstrip("."), **days._asdict())


def is_due(strike_days: Sequence[date], since: date, on: date, is_first: bool) -> bool:
    """Whether an announced time cuts an action's draft.

    Args:
        strike_days: of the action.
        since: the day of the announced time before this one.
        on: the day of this one.
        is_first: whether there is no release of the action yet.
    """
    days = revising(strike_days)
    is_provisional = on <= days.provisional_until or since < days.provisional_until  # or one of those was slept through
    return is_first or is_provisional or any(since < day <= on for day in days.scheduled)
