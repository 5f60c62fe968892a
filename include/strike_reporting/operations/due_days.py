"""The days on which returns are due, by the strike calendar: each of one strike day, until the cut-off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from strike_reporting.clock import LONDON, comes, parse_due
from strike_reporting.reference.actions import ActionSet, resolve
from strike_reporting.reference.due import Calendar
from strike_reporting.settings import settings


@dataclass(frozen=True)
class DueDay:
    """A day on which returns are due: of which strike day, by which actions, and until when."""

    day: date
    strike_day: date
    actions: ActionSet
    cut_off: datetime


def due_on(day: date, calendar: Calendar) -> DueDay | None:
    """What is due on a day; None where nothing is. Days not struck, as the calendar now knows, are not asked about."""
    found = calendar.returns_due(day)
    at = parse_due(settings().cut_off)
    if not found or at is None:
        return None
    cut_off = comes(datetime.combine(day, at))
    return DueDay(day, day - timedelta(days=settings().arrears_days), resolve(";".join(found)), cut_off)


def shown_day(now: datetime, by: Calendar) -> DueDay | None:
    """The day that a person asks about: today where something is due, else the last before it, else the next."""
    today = now.astimezone(LONDON).date()
    near = [today, *(today - timedelta(days=n) for n in range(1, 15)), *(today + timedelta(days=n) for n in range(29))]
    return next((due for day in near if (due := due_on(day, by))), None)
