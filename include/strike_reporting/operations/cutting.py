"""Cutting releases, at the announced times or by hand with a reason: of what the draft says, which is today's figures.

An announced time is a minute of the day in London. When it has come, the actions with a draft are noted in the ledger
and cut one by one; one that could not be cut is tried again until it is: a time is neither lost nor used twice. What
the gate holds waits for a person; when its figures are other ones, those are judged at once, for their time has come.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TypedDict

from strike_reporting.clock import LONDON, clocked, utc
from strike_reporting.errors import StrikesError, attempt, each
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.gated import Hold
from strike_reporting.ledger.records import Damaged, Record
from strike_reporting.operations.holding import by_hand, cut_or_hold
from strike_reporting.publishing.announced import is_early, last_announced
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
    """What came of the announced time, if one came.

    releases: ids of new ones. no_change, held: actions. problems: what went wrong, as sentences.
    """

    announced: str
    releases: list[str]
    no_change: list[str]
    held: list[str]
    problems: list[str]


class Announced(Record):
    """The last announced time that was noted (UTC), and the actions that are still to be cut for it."""

    at: datetime
    actions: tuple[str, ...] = ()


def cut(store: Store, action_id: str, reason: str, who: str, now: datetime) -> Release:
    """Cut a release by hand, whatever the gate finds; the decision keeps it.

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
    release, is_new = build(store, action, by_hand(store, action.action_id, reason.strip(), who, now))
    if not is_new:
        raise StrikesError(
            f"nothing that a reader is told has changed since {release.release_id}: there is nothing to release"
        )
    return release


def cut_announced(store: Store, now: datetime) -> CutDone:
    """Cut what is due at the announced times until now; what fails is tried again at the next call."""
    done: CutDone = {"announced": "", "releases": [], "no_change": [], "held": [], "problems": []}
    latest = last_announced(now, settings().release_times)
    if settings().cut_at_once or latest is None:
        return done
    before, ledger = _noted(store, now), ledger_of(store)
    if latest > before.at:
        known = [c.action_id for c in ledger.published.current()]
        drafts = [d.action_id for d in ledger.drafts.shown()]
        asked = list(each(dict.fromkeys([*drafts, *known]), lambda a: _is_due(store, a, before.at, latest)))
        due = [t.item for t in asked if t.made]
        done["problems"] = [f"{t.item}: {t.reason}" for t in asked if t.error is not None]
        drafted = [a for a in due if a in drafts]
        done["announced"] = latest.isoformat()
        done["no_change"] = [a for a in due if a not in drafts]
        for waiting in (a for a in drafts if a not in due):
            log.info("%s: its draft waits for the next scheduled revision, or for a correction by hand.", waiting)
        before = Announced(at=latest, actions=tuple(dict.fromkeys([*before.actions, *drafted])))
        ledger.keep_fact(_FACT, before.dump().decode())
    why = Why(how=f"cut at the announced time, {clocked(before.at)}", at=utc(now), is_scheduled=True)

    def one(action_id: str) -> None:
        made = cut_or_hold(store, resolve(action_id), why, now)
        if isinstance(made, Release):
            done["releases"].append(made.release_id)
        elif made is None:
            done["no_change"].append(action_id)
        elif made.since == utc(now):
            done["held"].append(action_id)
        else:
            log.info("%s: not released at the announced time: %s.", action_id, made.sentence)

    tried = list(each(dict.fromkeys([*before.actions, *_moved_on(store, now)]), one))
    left = tuple(t.item for t in tried if t.error is not None)
    if left != before.actions:
        ledger.keep_fact(_FACT, before.model_copy(update={"actions": left}).dump().decode())
    done["problems"] += [f"{t.item}: {t.reason}" for t in tried if t.error is not None]
    for action_id in done["no_change"]:
        log.info("%s: no change at the announced time, %s.", action_id, clocked(before.at))
    return done


def _moved_on(store: Store, now: datetime) -> list[str]:
    """Actions whose held figures are other ones now, or were decided about and not yet released.

    Where a draft waits for the next scheduled revision, so do figures that are other ones than those held. What was
    held ahead of its announced time waits for that.
    """
    ledger = ledger_of(store)
    drafted = {d.action_id: d.identity for d in ledger.drafts.everything()}

    def is_as_seen(hold: Hold) -> bool:
        return hold.state == "held" and drafted.get(hold.action_id) == hold.identity

    def is_waiting(hold: Hold) -> bool:
        asked = attempt(hold.action_id, lambda action_id: _is_due(store, action_id, now - timedelta(days=1), now))
        return hold.state == "held" and asked.made is False

    return [h.action_id for h in ledger.holds.unfinished() if not (is_as_seen(h) or is_waiting(h) or is_early(h, now))]


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
