"""Actions that no calendar holds, for tests of what follows from a calendar."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from strike_reporting.reference.actions import Action


def action(first: date, days: int = 2, action_id: str = "A", **said: str) -> Action:
    """One that runs from 07:00 for so many days."""
    start = datetime.combine(first, time(7))
    told = {"status": "went_ahead", "announced_on": "", "daily_pattern": "continuous", **said}
    return Action(
        action_id=action_id,
        dispute="",
        staff_group="nurses",
        unions=("RCN",),
        start=start,
        end=start + timedelta(days=days),
        cover_level="",
        source_url="",
        note="",
        **told,
    )
