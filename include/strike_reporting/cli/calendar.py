"""`strikes calendar`: the industrial actions, what is not known of them, and the rounds that they ask for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from strike_reporting.cli.output import print_table, say

if TYPE_CHECKING:
    from strike_reporting.reference.due import Calendar, Round


def calendar(
    doubtful: Annotated[bool, typer.Option("--doubtful", help="List what is not known of each action")] = False,
    days: Annotated[
        int, typer.Option("--days", min=0, max=3660, help="List the rounds of pulling of so many days to come")
    ] = 0,
) -> None:
    """List the industrial actions of the strike calendar, what is not known of them, or the rounds to come."""
    from strike_reporting.reference.actions import actions, days_text
    from strike_reporting.reference.checking import check_reference
    from strike_reporting.reference.doubts import doubts
    from strike_reporting.reference.due import calendar as strike_calendar
    from strike_reporting.reference.facts import require

    require(check_reference())
    if days:
        heads = ("Day", "London time", "Rounds", "For")
        print_table("Rounds to come", heads, coming(strike_calendar(), datetime.now(UTC), days))
        return
    if doubtful:
        found = doubts(datetime.now(UTC).date())
        print_table("Not known", ("Action", "What is not known"), [(d.action_id, d.what) for d in found])
        say(f"{len({d.action_id for d in found})} of {len(actions())} actions.")
        return
    rows = [
        (a.action_id, days_text(a.days), a.group_name.rstrip("’"), a.status.replace("_", " "), a.cover_level)
        for a in actions().values()
    ]
    print_table("Strike calendar", ("Action", "Strike days", "Of", "Status", "Cover"), rows)


def coming(of: Calendar, now: datetime, days: int) -> list[tuple[str, str, str, str]]:
    """The rounds of so many days to come; those that follow one another for the same reason are one row."""
    rows: list[list[Round]] = []
    step = timedelta(minutes=of.hours.every)
    for one in of.rounds_between(now, now + timedelta(days=days)):
        last = rows[-1][-1] if rows else None
        same = last and (last.local.date(), last.why) == (one.local.date(), one.why)
        if last and same and one.local - last.local <= step:
            rows[-1].append(one)
        else:
            rows.append([one])
    return [
        (
            f"{r[0].local:%a %-d %B %Y}",
            f"{r[0].local:%H:%M}" + (f" to {r[-1].local:%H:%M}" if len(r) > 1 else ""),
            str(len(r)),
            r[0].why,
        )
        for r in rows
    ]
