"""The days on which the standing of an action's releases changes, counted from its last strike day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from strike_reporting.settings import Settings, settings


class Revising(NamedTuple):
    """Until when releases are provisional, when the one scheduled revision is, and from when they are final."""

    provisional_until: date
    revised_on: date
    final_on: date

    @property
    def scheduled(self) -> tuple[date, date]:
        """The days after the provisional ones on which a release is cut."""
        return self.revised_on, self.final_on


def revising(strike_days: Sequence[date], given: Settings | None = None) -> Revising:
    """Of an action with these strike days."""
    s, last = given or settings(), max(strike_days)
    return Revising(*(last + timedelta(days=n) for n in (s.provisional_days, s.revision_day, s.final_day)))
