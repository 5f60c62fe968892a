"""Chasing: a reminder to whose return is missing before a cut-off, and at the cut-off the list of them to the analysts.

It is asked of the ledger by every round: what was to be said by now and was not is said by the first one that comes,
so that a lost round loses nothing and two say nothing twice. What has passed for longer than the setting
`mail_age_days` is left.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from strike_reporting.clock import LONDON, utc
from strike_reporting.errors import attempt
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import OUTSTANDING, REMINDER, Letter, Record
from strike_reporting.operations.due_days import DueDay, due_on
from strike_reporting.reference.due import Calendar, calendar
from strike_reporting.settings import settings
from strike_reporting.storage import Store

if TYPE_CHECKING:
    from strike_reporting.operations.outstanding import Outstanding

_FACT = "chased"


class Chased(Record):
    """What was said of late, by name."""

    said: tuple[str, ...] = ()


def chase(store: Store, now: datetime) -> list[str]:
    """Queue the reminders and lists whose time has come; their names. What is in the outbox already stays as it is."""
    todo = _to_say(calendar(), now)
    if not todo:
        return []
    from strike_reporting.operations.chase_letters import lists, reminders
    from strike_reporting.operations.outstanding import outstanding

    ledger = ledger_of(store)
    said = attempt(_FACT, lambda key: Chased.load(ledger.fact(key), key)).made or Chased()
    queued: list[Letter] = []
    found: dict[date, Outstanding] = {}
    names = [_name(kind, due) for kind, due, _ in todo]
    for (kind, due, moment), name in zip(todo, names, strict=True):
        if name in said.said:
            continue
        if due.day not in found:
            found[due.day] = outstanding(store, due)
        made = (reminders if kind == REMINDER else lists)(found[due.day], name, now)
        stamp = {"created_at": utc(now), "news_of": utc(moment)}
        queued += [letter.model_copy(update=stamp) for letter in made]
    if {*names} != {*said.said}:
        ledger.letters.add(queued)
        ledger.keep_fact(_FACT, Chased(said=tuple(names)).dump().decode())
    return [e.name for e in queued]


def _to_say(by: Calendar, now: datetime) -> list[tuple[str, DueDay, datetime]]:
    """The reminders and lists whose time came within `mail_age_days`: what, of which day, and when its time was."""
    ago = timedelta(days=settings().mail_age_days)
    ahead = timedelta(minutes=settings().remind_minutes)
    found, day = [], (now - ago).astimezone(LONDON).date() - timedelta(days=1)
    while day <= (now + ahead).astimezone(LONDON).date():
        if due := due_on(day, by):
            moments = [(REMINDER, due.cut_off - ahead)] if ahead else []
            moments.append((OUTSTANDING, due.cut_off))
            found += [(kind, due, at) for kind, at in moments if now - ago < at <= now]
        day += timedelta(days=1)
    return found


def _name(kind: str, due: DueDay) -> str:
    return f"{kind}.{due.day}.{due.cut_off.astimezone(LONDON):%H%M}"
