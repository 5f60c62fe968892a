"""The announced times of releases: minutes of the day in London, and which of them would cut an action's draft."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from strike_reporting.clock import LONDON, comes, parse_due
from strike_reporting.ledger.gated import Hold
from strike_reporting.publishing.standing import is_due
from strike_reporting.reference.actions import ActionSet
from strike_reporting.reference.revising import revising
from strike_reporting.settings import settings

_DAY = timedelta(days=1)


def announced_on(day: date, times: Iterable[str]) -> list[datetime]:
    """The announced times of a day, in order."""
    clock = (at for t in times if (at := parse_due(t)) is not None)
    return sorted(comes(datetime.combine(day, at)) for at in clock)


def last_announced(now: datetime, times: Iterable[str]) -> datetime | None:
    """The last announced time until now; None where none is announced.

    One that the clocks skip or show twice is as `clock.comes` says.
    """
    return max((m for m in _around(now, times) if m <= now), default=None)


def next_announced(now: datetime, times: Iterable[str]) -> datetime | None:
    """The first announced time after now; None where none is announced."""
    return min((m for m in _around(now, times) if m > now), default=None)


def next_cut(action: ActionSet, is_first: bool, now: datetime) -> datetime | None:
    """The first announced time after now that would cut an action's draft; None where only a person cuts it.

    Args:
        action: whose draft.
        is_first: whether there is no release of it yet.
        now: with its time zone.
    """
    times, final = settings().release_times, revising(action.days).final_on
    last, coming = last_announced(now, times), next_announced(now, times)
    while last is not None and coming is not None:
        since, on = (m.astimezone(LONDON).date() for m in (last, coming))
        if is_due(action.days, since, on, is_first):
            return coming
        if since > final:
            return None
        last, coming = coming, next_announced(coming, times)
    return None


def is_early(hold: Hold, now: datetime) -> bool:
    """Whether what was held ahead of its announced time still waits for one; by the times that are announced today."""
    if not hold.not_before:
        return False
    coming = next_announced(datetime.fromisoformat(hold.since), settings().release_times)
    return now < (coming or datetime.fromisoformat(hold.not_before))


def _around(now: datetime, times: Iterable[str]) -> list[datetime]:
    """The announced times of two days before and after."""
    here, times = now.astimezone(LONDON).date(), list(times)
    return [m for n in (-2, -1, 0, 1, 2) for m in announced_on(here + n * _DAY, times)]
