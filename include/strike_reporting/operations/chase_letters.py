"""What a reminder and the list at the cut-off say, and to whom."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date, datetime

from strike_reporting.clock import clocked
from strike_reporting.extracts import load
from strike_reporting.extracts.measures import LABELS
from strike_reporting.intake.registry import Feed
from strike_reporting.ledger.records import OUTSTANDING, REMINDER, Letter
from strike_reporting.operations.due_days import DueDay
from strike_reporting.operations.outstanding import LANDED, Missing, Outstanding
from strike_reporting.publishing.embargo import with_access
from strike_reporting.reference.areas import mailed


def _day(day: date) -> str:
    return f"{day:%-d %B %Y}"


def reminders(found: Outstanding, name: str, now: datetime) -> list[Letter]:
    """One letter to each contact, of all that is missing by its feeds; nothing about a file that was just landed."""
    mine: dict[str, list[tuple[Missing, Feed]]] = {}
    for one in found.missing:
        for feed in one.feeds if one.status != LANDED else ():
            mine.setdefault(feed.contact, []).append((one, feed))
    due, letters = found.due, []
    for contact, asked in sorted(mine.items()):
        digest = hashlib.sha256(contact.encode()).hexdigest()[:12]
        letters.append(
            Letter(
                name=f"{name}.{digest}",
                kind=REMINDER,
                about=f"{due.day}",
                to=contact,
                subject=f"Strike reporting: returns for {_day(due.strike_day)} are due at {clocked(due.cut_off)}",
                text=_reminder(due, asked, now),
            )
        )
    return letters


def _reminder(due: DueDay, asked: list[tuple[Missing, Feed]], now: datetime) -> str:
    is_past = now >= due.cut_off
    lines = [
        f"For the strike day {_day(due.strike_day)} ({due.actions.title}) we have not received, as of {clocked(now)}:",
        "",
    ]
    for one, feed in asked:
        lines.append(f"- {one.trust_name} ({one.ods_code}): {LABELS[one.extract].lower()}")
        own = f"; the time of your feed is {feed.due}" if feed.due else ""
        lines.append(f"  {'was due' if is_past else 'due'} at {clocked(due.cut_off)}, London time{own}")
        lines.append(f"  how to send: as before, by {feed.transport} ({feed.location}), in the form {feed.dialect!r}")
        if one.failure:
            lines.append(f"  what went wrong last: {one.failure}")
    lines += ["", "If there is nothing to report, say so: a nil return is a return."]
    for extract in sorted({one.extract for one, _ in asked}):
        count = load(extract).count_field
        lines.append(
            f"- {LABELS[extract]}: a file with a row for {_day(due.strike_day)} whose count ({count}) is 0, or your "
            "system's own mark for none."
        )
    late = "What comes now is counted as late. " if is_past else ""
    lines += ["", f"{late}If you have sent it since, there is nothing to do."]
    return "\n".join(lines) + "\n"


def lists(found: Outstanding, name: str, now: datetime) -> list[Letter]:
    """One letter to each list of whose trusts a return is expected."""
    letters = []
    for area_type, to in mailed().items():
        if not (expected := found.expected_of(area_type)):
            continue
        missing, day = found.of(area_type), _day(found.due.strike_day)
        said = f"{len(missing)} of {expected} returns are outstanding" if missing else "all have returned"
        letters.append(
            Letter(
                name=f"{name}.{area_type}",
                kind=OUTSTANDING,
                about=f"{found.due.day}",
                area=area_type,
                subject=f"Strike reporting: {to.area.area_name}, {day}: {said}",
                text=_list(found, missing, expected, to.area.area_name, now),
            )
        )
    return letters


def _list(found: Outstanding, missing: Iterable[Missing], expected: int, area: str, now: datetime) -> str:
    due, missing = found.due, tuple(missing)
    head = f"{area}, strike day {_day(due.strike_day)} ({due.actions.title}), cut-off at {clocked(due.cut_off)}."
    lines = [head, ""]
    if missing:
        lines.append(f"Not returned as of {clocked(now)}: {len(missing)} of {expected} expected returns.")
    else:
        lines.append(f"All {expected} expected returns have come.")
    names = {one.ods_code: f"{one.trust_name} ({one.ods_code})" for one in missing}
    for code, name in names.items():
        if mine := [one for one in missing if one.ods_code == code and one.feeds]:
            lines += ["", name, *(line for one in mine for line in _item(one))]
    if lost := [one for one in missing if not one.feeds]:
        lines += ["", "Without a feed, so nobody was reminded (`strikes feed new` adds one):"]
        for code in dict.fromkeys(one.ods_code for one in lost):
            of = ", ".join(LABELS[one.extract].lower() for one in lost if one.ods_code == code)
            lines.append(f"- {names[code]}: {of}")
    lines += [
        f"\nOf {number} trusts that are asked for {LABELS[extract].lower()} it is not known which they are; they are "
        "not listed."
        for extract, number in found.asked_number.items()
    ]
    return "\n".join(lines) + "\n"


def _item(one: Missing) -> list[str]:
    lines = [f"- {LABELS[one.extract]}: {what(one)}"]
    lines += [f"  feed {feed.id} ({feed.transport}), contact {feed.contact}" for feed in one.feeds]
    lines.append(f"  last success: {clocked(datetime.fromisoformat(one.last_used)) if one.last_used else 'never'}")
    is_told = one.failure and not with_access()  # under embargo no list is told what may name a figure
    return [*lines, *([f"  last failure: {one.failure}"] if is_told else [])]


def what(one: Missing) -> str:
    """What is with a return that is not there, in words."""
    if not one.feeds:
        return "no feed, so nobody is reminded"
    return {LANDED: "came, and is being judged", "rejected": "came, and could not be used"}.get(
        one.status, "nothing was received"
    )
