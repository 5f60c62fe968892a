"""Cutting releases, at the announced times or by hand with a reason: of what the draft says, which is today's figures.

An announced time is a minute of the day in London. When it has come, the actions with a draft are noted in the ledger
and cut one by one; one that could not be cut is tried again until it is: a time is neither lost nor used twice.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import TypedDict

from strike_reporting.clock import LONDON, parse_due
from strike_reporting.errors import StrikesError, each
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Damaged, Record
from strike_reporting.publishing.manifest import Release, Why
from strike_reporting.publishing.releases import build
from strike_reporting.publishing.standing import is_due
from strike_reporting.reference.actions import resolve
from strike_reporting.settings import settings
from strike_reporting.storage import Store

_FACT = "announced"
_NEW = timedelta(hours=1)  # how far a ledger that has noted no time yet looks back
log = logging.getLogger(__name__)


class CutDone(TypedDict):
    """The announced time that came, if one did; ids of new releases, actions without a change, and what went wrong."""

    announced: str
    releases: list[str]
    no_change: list[str]
    problems: list[str]


class Announced(Record):
    """The last announced time that was noted (UTC), and the actions that are still to be cut for it."""

    at: datetime
    actions: tuple[str, ...] = ()


def last_announced(now: datetime, times: Iterable[str]) -> datetime | None:
    """The last announced time until now; None where none is announced.

    A time that the clocks skip is when it would have been by the clock of before; one that comes twice is the first.
    """
    here = now.astimezone(LONDON).date()
    days = [here - timedelta(days=n) for n in (0, 1, 2)]
    found = [_moment(day, at) for day in days for t in times if (at := parse_due(t)) is not None]
    return max((m for m in found if m <= now), default=None)


def _moment(day: date, at: time) -> datetime:
    return datetime.combine(day, at, LONDON).astimezone(UTC)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def cut(store: Store, action_id: str, reason: str, who: str, now: datetime) -> Release:
    """Cut a release by hand.

    Raises:
        StrikesError: there is no reason, nothing has come for the action, or a reader would be told nothing new.
        UnknownAction: the strike calendar has no such action.
    """
    if not reason.strip():
        raise StrikesError("give a reason: it is kept with the release and shown")
    action = resolve(action_id)
    known = ledger_of(store).published.newest(action.action_id)
    if not known and not ledger_of(store).judged.has_days([*action.days, *action.closing_days]):
        raise StrikesError(f"no return has come for {action.action_id}, so there is nothing to release")
    release, is_new = build(store, action, Why(reason=reason.strip(), who=who, at=_utc(now)))
    if not is_new:
        raise StrikesError(
            f"nothing that a reader is told has changed since {release.release_id}: there is nothing to release"
        )
    return release


def cut_announced(store: Store, now: datetime) -> CutDone:
    """Cut what is due at the announced times until now; what fails is tried again at the next call."""
    done: CutDone = {"announced": "", "releases": [], "no_change": [], "problems": []}
    latest = last_announced(now, settings().release_times)
    if settings().cut_at_once or latest is None:
        return done
    before, ledger = _noted(store, now), ledger_of(store)
    if latest > before.at:
        known = [c.action_id for c in ledger.published.current()]
        drafts = [d.action_id for d in ledger.drafts.shown()]
        due = [a for a in dict.fromkeys([*drafts, *known]) if _is_due(store, a, before.at, latest)]
        drafted = [a for a in due if a in drafts]
        done["announced"] = latest.isoformat()
        done["no_change"] = [a for a in due if a not in drafts]
        for waiting in (a for a in drafts if a not in due):
            log.info("%s: its draft waits for the next scheduled revision, or for a correction by hand.", waiting)
        before = Announced(at=latest, actions=tuple(dict.fromkeys([*before.actions, *drafted])))
        ledger.keep_fact(_FACT, before.dump().decode())
    local = before.at.astimezone(LONDON)
    why = Why(how=f"cut at the announced time, {local:%H:%M on %-d %B %Y}", at=_utc(now), is_scheduled=True)

    def one(action_id: str) -> None:
        release, is_new = build(store, resolve(action_id), why)
        done["releases" if is_new else "no_change"].append(release.release_id if is_new else action_id)

    tried = list(each(before.actions, one))
    left = tuple(t.item for t in tried if t.error is not None)
    if left != before.actions:
        ledger.keep_fact(_FACT, before.model_copy(update={"actions": left}).dump().decode())
    done["problems"] = [f"{t.item}: {t.reason}" for t in tried if t.error is not None]
    for action_id in done["no_change"]:
        log.info("%s: no change at the announced time, %s.", action_id, f"{local:%H:%M on %-d %B %Y}")
    return done


def _noted(store: Store, now: datetime) -> Announced:
    """What is noted of the last announced time; a ledger that has noted none begins an hour ago, and cuts no older."""
    ledger = ledger_of(store)
    try:
        return Announced.load(ledger.fact(_FACT), _FACT)
    except Damaged:
        begun = Announced(at=now - _NEW)
        ledger.keep_fact(_FACT, begun.dump().decode())
        return begun


def _is_due(store: Store, action_id: str, since: datetime, at: datetime) -> bool:
    """Whether this time, the first since another one, cuts an action by the revisions policy."""
    is_first = not ledger_of(store).published.newest(action_id)
    last, on = (m.astimezone(LONDON).date() for m in (since, at))
    return is_due(resolve(action_id).days, last, on, is_first)
