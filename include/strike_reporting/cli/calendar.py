"""`strikes calendar`: the industrial actions, what is not known of them, their rounds, and edits with their source."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from strike_reporting.cli.output import print_table, say

if TYPE_CHECKING:
    from strike_reporting.operations.calendar_edits import Edited
    from strike_reporting.reference.actions import Action
    from strike_reporting.reference.due import Calendar, Round

app = typer.Typer(help="The strike calendar: the actions, the rounds that they ask for, and edits with their source.")
_HEADS = ("Day", "London time", "Rounds", "For")

Source = Annotated[str, typer.Option("--source", help="Where it was said: a web address, or who said it and how")]
On = Annotated[str, typer.Option("--on", help="The day on which it was said, such as 2026-06-12")]
Unions = Annotated[list[str] | None, typer.Option("--union", help="Again for each of several")]
Cover = Annotated[str | None, typer.Option("--cover", help="Such as full_walkout, christmas_day, emergency_care_only")]
Pattern = Annotated[str | None, typer.Option("--pattern", help="Its hours on each day, where it is not continuous")]
Status = Annotated[str | None, typer.Option("--status", help="announced, went_ahead, suspended or called_off")]
Note = Annotated[str | None, typer.Option("--note", help="What else is to be known of it")]


@app.callback(invoke_without_command=True)
def calendar(
    context: typer.Context,
    doubtful: Annotated[bool, typer.Option("--doubtful", help="List what is not known of each action")] = False,
    days: Annotated[
        int, typer.Option("--days", min=0, max=3660, help="List the rounds of pulling of so many days to come")
    ] = 0,
    as_at: Annotated[
        datetime | None,
        typer.Option("--as-at", formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d"], help="As it was known then (London time)"),
    ] = None,
) -> None:
    """List the industrial actions of the strike calendar, what is not known of them, or the rounds to come."""
    if context.invoked_subcommand:
        return
    from strike_reporting.clock import LONDON
    from strike_reporting.reference.actions import actions, actions_as_at
    from strike_reporting.reference.checking import check_reference
    from strike_reporting.reference.doubts import doubts
    from strike_reporting.reference.due import calendar as strike_calendar
    from strike_reporting.reference.facts import require

    require(check_reference())
    if days:
        print_table("Rounds to come", _HEADS, coming(strike_calendar(), datetime.now(UTC), days))
    elif doubtful:
        found = doubts(datetime.now(UTC).date())
        print_table("Not known", ("Action", "What is not known"), [(d.action_id, d.what) for d in found])
        say(f"{len({d.action_id for d in found})} of {len(actions())} actions.")
    elif as_at:
        _print_actions(f"Strike calendar as it was known at {as_at:%Y-%m-%d %H:%M}",
                       actions_as_at(as_at.replace(tzinfo=LONDON)).values())  # fmt: skip
    else:
        _print_actions("Strike calendar", actions().values())


@app.command()
def add(
    action_id: Annotated[str, typer.Argument(help="Letters and the first day, such as RD-2026-06-15")],
    source: Source = "",
    on: On = "",
    staff_group: Annotated[str, typer.Option("--staff-group", help="Who strikes, as in expected_returns.csv")] = "",
    union: Unions = None,
    dispute: Annotated[str, typer.Option("--dispute", help="What about, such as “2025-26 pay”")] = "",
    start: Annotated[str, typer.Option("--start", help="London time, such as 2026-06-15T07:00")] = "",
    end: Annotated[str, typer.Option("--end", help="London time, such as 2026-06-19T07:00")] = "",
    cover: Cover = "unknown",
    pattern: Pattern = "continuous",
    status: Status = "announced",
    note: Note = "",
) -> None:
    """Add an action that was announced: a row more in your configuration's overlay of the calendar."""
    from strike_reporting.operations.calendar_edits import edit

    said = {
        "dispute": dispute,
        "staff_group": staff_group,
        "unions": ";".join(union or ()),
        "start": start,
        "end": end,
        "cover_level": cover,
        "daily_pattern": pattern,
        "status": status,
        "note": note,
    }
    given = {k: v or "" for k, v in said.items()}
    _say_edited(edit(action_id, given, source, on, datetime.now(UTC), is_new=True))


@app.command()
def change(
    action_id: Annotated[str, typer.Argument(help="Which action, as `strikes calendar` lists it")],
    source: Source = "",
    on: On = "",
    status: Status = None,
    start: Annotated[str | None, typer.Option("--start", help="London time, such as 2026-06-15T07:00")] = None,
    end: Annotated[str | None, typer.Option("--end", help="London time, such as 2026-06-19T07:00")] = None,
    cover: Cover = None,
    pattern: Pattern = None,
    union: Unions = None,
    staff_group: Annotated[str | None, typer.Option("--staff-group", help="Who strikes")] = None,
    dispute: Annotated[str | None, typer.Option("--dispute", help="What about")] = None,
    announced_on: Annotated[str | None, typer.Option("--announced-on", help="The day of its announcement")] = None,
    note: Note = None,
) -> None:
    """Say otherwise of an action: suspended, called off, escalated, other hours. What was known before stays."""
    from strike_reporting.operations.calendar_edits import edit

    said = {
        "dispute": dispute,
        "staff_group": staff_group,
        "unions": None if union is None else ";".join(union),
        "start": start,
        "end": end,
        "cover_level": cover,
        "daily_pattern": pattern,
        "status": status,
        "announced_on": announced_on,
        "note": note,
    }
    given = {k: v for k, v in said.items() if v is not None}
    _say_edited(edit(action_id, given, source, on, datetime.now(UTC)))


@app.command()
def history(action_id: Annotated[str, typer.Argument(help="Which action, as `strikes calendar` lists it")]) -> None:
    """List what was known of an action, since when and by which source; the newest version is the last."""
    from strike_reporting.reference.actions import resolve
    from strike_reporting.reference.facts import read_versions

    for one in resolve(action_id).actions:
        rows: list[tuple[str, str, str, str]] = []
        before: dict[str, str] = {}
        for row in (r for r in read_versions("strike_calendar") if r["action_id"] == one.action_id):
            other = [(c, v) for c, v in row.items() if v != before.get(c, "") and c not in _OF_THE_EDIT]
            what = "; ".join(f"{c}: {v or 'empty'}" for c, v in other)
            rows.append((row.get("known_from") or "always", row.get("told_on", ""), what, row["source_url"]))
            before = row
        print_table(f"What was known of {one.action_id}", ("Known from (UTC)", "Said on", "What", "Source"), rows)


_OF_THE_EDIT = ("action_id", "source_url", "told_on", "known_from")


def _print_actions(title: str, found: Iterable[Action]) -> None:
    from strike_reporting.reference.actions import days_text

    rows = [
        (a.action_id, days_text(a.days), a.group_name.rstrip("’"), a.status.replace("_", " "), a.cover_level)
        for a in found
    ]
    print_table(title, ("Action", "Strike days", "Of", "Status", "Cover"), rows)


def _say_edited(edited: Edited) -> None:
    """Before and after, and the rounds that come or go with it."""
    from strike_reporting.reference.due import calendar as strike_calendar

    action_id, every = edited.after["action_id"], strike_calendar().hours.every
    other = [(c, edited.before.get(c, ""), v) for c, v in edited.after.items() if v != edited.before.get(c, "")]
    print_table(action_id, ("What", "Before", "After"), [r for r in other if r[0] != "action_id"])
    for title, rounds in (("Rounds that it adds", edited.added), ("Rounds that it takes away", edited.gone)):
        if rounds:
            print_table(title, _HEADS, by_reason(rounds, every))
    say(f"It adds {len(edited.added):,} rounds and takes away {len(edited.gone):,}. Written to {edited.path}.")
    say(f"What was known before stays: `strikes calendar history {action_id}`.")


def coming(of: Calendar, now: datetime, days: int) -> list[tuple[str, str, str, str]]:
    """The rounds of so many days to come; those that follow one another for the same reason are one row."""
    return by_reason(of.rounds_between(now, now + timedelta(days=days)), of.hours.every)


def by_reason(rounds: Iterable[Round], every: int) -> list[tuple[str, str, str, str]]:
    """Rounds in order, as a table says them; those within a step of one another for the same reason are one row."""
    rows: list[list[Round]] = []
    step = timedelta(minutes=every)
    for one in rounds:
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
