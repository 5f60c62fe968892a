"""The clock that strikes go by: moments as they are kept and said, and times of day as they are configured."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def utc(moment: datetime) -> str:
    """A moment as records keep it: in UTC to the second, so that texts sort as time does."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def dated(moment: str) -> str:
    """A kept moment in London: `24 November 2026, 10:55`."""
    return f"{datetime.fromisoformat(moment).astimezone(LONDON):%-d %B %Y, %H:%M}"


def clocked(moment: datetime) -> str:
    """A moment in London: `09:30 on 13 April 2023`."""
    return f"{moment.astimezone(LONDON):%H:%M on %-d %B %Y}"


def comes(wall: datetime) -> datetime:
    """When London's clocks show a time (naive), in UTC: the first time where they show it twice.

    What they skip comes when they are put forward, so that it is not behind what is later on the wall.
    """
    said = wall.replace(tzinfo=LONDON, fold=0)
    shown = said.astimezone(UTC).astimezone(LONDON).replace(tzinfo=None, fold=0)
    if shown != wall:  # the hour from a full one on
        said = said.replace(minute=0, second=0, microsecond=0)
    return said.astimezone(UTC)


def parse_due(text: object) -> time | None:
    """The time of day of `HH:MM`; None for anything else, as a receipt of an older version may hold it."""
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", text, re.ASCII) if isinstance(text, str) else None
    return time(int(found[1]), int(found[2])) if found else None
