"""What an action of the strike calendar cannot be, asked before an edit of it is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from strike_reporting.clock import LONDON
from strike_reporting.intake.config_files import nearest
from strike_reporting.reference.facts import OFF, STATUSES, Row, read_csv

# The option that says a column.
OPTIONS = {
    "source_url": "--source",
    "told_on": "--on",
    "dispute": "--dispute",
    "staff_group": "--staff-group",
    "unions": "--union",
    "start": "--start",
    "end": "--end",
    "cover_level": "--cover",
    "daily_pattern": "--pattern",
    "status": "--status",
    "announced_on": "--announced-on",
    "note": "--note",
}
_ID = re.compile(r"[A-Z]{2,6}-(\d{4}-\d{2}-\d{2})", re.ASCII)
_LONGEST = timedelta(days=31)
_FARTHEST = timedelta(days=366)  # from its announcement to its start: no ballot's mandate is longer


def wrong(before: Row | None, after: Mapping[str, str], others: Sequence[Row], now: datetime) -> Iterator[str]:
    """What is wrong with an action as it would be: each time the option, its value and what mends it."""

    def said(column: str, what: str) -> str:
        return f"{OPTIONS[column]} = {after[column]!r}: {what}"

    if not after["source_url"]:
        yield "--source is empty: say where it was announced, as a web address or as who said it and how"
    today = now.astimezone(LONDON).date()
    days = {c: _day(after[c]) for c in ("told_on", "announced_on")}
    for column, day in days.items():
        if day is None and (after[column] or column == "told_on"):
            yield said(column, "it is no day; write it as 2026-06-12")
        elif day and day > today:
            yield said(column, f"it is still to come; today is {today}")
    told, announced = days["told_on"], days["announced_on"]
    if before and told and announced and told < announced:
        yield said("told_on", f"the action was announced only on {announced}; mend one of them")
    yield from _unknown(after, others, before, said)
    start, end = (_minute(after[c]) for c in ("start", "end"))
    for column, moment in (("start", start), ("end", end)):
        if moment is None:
            yield said(column, "it is no London time; write it as 2026-06-15T07:00")
        elif not _is_shown(moment):
            yield said(column, "the clocks skip this time; write it an hour later")
    if start and end:
        if end <= start:
            yield said("end", f"it is not after the start, {after['start']}; mend one of them")
        elif end - start > _LONGEST:
            yield said("end", f"it is {(end - start).days} days after the start; add an action for each walk-out")
        elif any(_is_other(before, after, c) for c in ("start", "end", "status", "staff_group", "unions")):
            yield from _overlapping(after, start, end, others, said)
        if not before:
            yield from _misnamed(after["action_id"], start)
        if announced and announced > start.date():
            yield said("announced_on" if before else "told_on", f"it is after the first day, {start.date()}")
        elif announced and start.date() - announced > _FARTHEST:
            yield said("start", f"it is more than a year after the announcement, {announced}; look at the year")
        status = after["status"]
        if status in OFF and _is_other(before, after, "status") and told and told > end.date():
            yield said("status", f"it was over at {after['end']}, before {told}; say went_ahead, or an earlier --on")
        if status == "went_ahead" and start.replace(tzinfo=LONDON).astimezone(UTC) > now:
            yield said("status", f"it begins only at {after['start']}")
    if before and not any(_is_other(before, after, c) for c in before if c not in ("source_url", *_EDIT)):
        given = ", ".join(f"{c} is {v!r}" for c, v in before.items() if c in ("status", "start", "end"))
        yield f"{after['action_id']} would stay as it is: {given}; say what is another, as --status or --end"


_EDIT = ("told_on", "known_from", "status_date")
_Said = Callable[[str, str], str]


def _unknown(after: Mapping[str, str], others: Sequence[Row], before: Row | None, said: _Said) -> Iterator[str]:
    """Values that no reader of the calendar knows, and those that are lacking."""
    known = {
        "status": set(STATUSES),
        "staff_group": {r["staff_group"] for r in read_csv("expected_returns")},
        "cover_level": {r["cover_level"] for r in others},
        "daily_pattern": {r["daily_pattern"] for r in others},
    }
    for column, options in known.items():
        if after[column] not in options and _is_other(before, after, column):
            yield said(column, f"it is not known. {nearest(after[column], options)}".rstrip("."))
    for column in ("dispute", "unions"):
        if not all(part.strip() for part in after[column].split(";")):
            yield said(column, "it is empty; say it")


def _overlapping(
    after: Mapping[str, str], start: datetime, end: datetime, others: Sequence[Row], said: _Said
) -> Iterator[str]:
    """Actions of the same people at the same time: one of them is meant. Those of others may well overlap."""
    if after["status"] in OFF:
        return
    unions = set(after["unions"].split(";"))
    for row in others:
        same = row["staff_group"] == after["staff_group"] and unions & set(row["unions"].split(";"))
        if not same or row["status"] in OFF:
            continue
        if datetime.fromisoformat(row["start"]) < end and start < datetime.fromisoformat(row["end"]):
            times = f"{row['start']} to {row['end']}"
            yield said("start", f"the same people are on strike then, by {row['action_id']} ({times}); change that one")


def _misnamed(action_id: str, start: datetime) -> Iterator[str]:
    found = _ID.fullmatch(action_id)
    if not found or found[1] != f"{start:%Y-%m-%d}":
        yield f"the id {action_id!r} is not letters and the first day; write it as RD-{start:%Y-%m-%d}"


def _is_other(before: Row | None, after: Mapping[str, str], column: str) -> bool:
    return before is None or before.get(column, "") != after[column]


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None


def _minute(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if f"{moment:%Y-%m-%dT%H:%M}" == text else None


def _is_shown(moment: datetime) -> bool:
    """Whether London's clocks show this time on that day."""
    return moment.replace(tzinfo=LONDON).astimezone(UTC).astimezone(LONDON).replace(tzinfo=None) == moment
