"""What is not known of an action: derived from the calendar and from who was asked, so it cannot go stale."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta

from strike_reporting.reference.actions import Action, actions
from strike_reporting.reference.facts import read_csv

# The words in which a note of the calendar owns to a doubt.
_DOUBTFUL = re.compile(r"sources disagree|from memory|assumed|awaited", re.IGNORECASE)


@dataclass(frozen=True)
class Doubt:
    """One thing that is not known of an action."""

    action_id: str
    what: str


def doubts(today: date) -> tuple[Doubt, ...]:
    """What is not known of each action, in calendar order."""
    return tuple(Doubt(a.action_id, what) for a in actions().values() for what in doubts_of(a, today))


def doubts_of(action: Action, today: date) -> Iterator[str]:
    """What is not known of one action, as sentences without a full stop."""
    if action.is_outcome_unknown(today):
        yield "announced, its days are gone, and no source says whether it took place"
    if action.is_off and not action.status_date:
        yield f"the day on which it was {action.status.replace('_', ' ')}"
    if action.cover_level == "unknown":
        yield "the level of cover"
    if action.daily_pattern == "varies by trust":
        yield "the hours: they varied by trust"
    elif (action.start.time(), action.end.time()) == (time(0, 0), time(23, 59)):
        yield "the hours: whole days stand for them"
    if _spans_weekend(action) and action.daily_pattern != "continuous" and "weekday" not in action.daily_pattern:
        yield "whether its weekend days were strike days: they are counted as such"
    if action.status in ("announced", "went_ahead"):
        yield from _asked(action)
    if _DOUBTFUL.search(action.note):
        yield f"as its note says: {action.note}"


def _spans_weekend(action: Action) -> bool:
    span = (action.end.date() - action.start.date()).days
    return any((action.start.date() + timedelta(days=n)).weekday() >= 5 for n in range(span + 1))


def _asked(action: Action) -> Iterator[str]:
    """Trusts strike one by one where any action of the staff group has a row of who was asked."""
    rows = read_csv("asked")
    mine = [r for r in rows if r["action_id"] == action.action_id]
    for row in mine:
        if not row["ods_codes"]:
            about = "about " if row["qualifier"] == "approximate" else ""
            yield f"which {about}{row['trusts']} trusts were asked for {row['extract']}"
    groups = {actions()[r["action_id"]].staff_group for r in rows}
    if not mine and action.staff_group in groups:
        yield "which trusts were asked for staffing: all of the types in expected_returns.csv are expected"
