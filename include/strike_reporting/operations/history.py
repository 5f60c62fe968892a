"""Replaying the past: the releases that would have been cut, had the pipeline run while the files came.

What landed long ago, or all at once into a new installation with the times at which it was received, is cut at the
announced times that were then, each of only what had been received by it, by the rules of today. Nobody is mailed of
the past, and the gate holds nothing of it: what it finds is kept with each release.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from strike_reporting.clock import LONDON, clocked, utc
from strike_reporting.errors import StrikesError
from strike_reporting.ledger import ledger_of
from strike_reporting.operations.rounds import reported_with
from strike_reporting.publishing.announced import announced_on
from strike_reporting.publishing.manifest import Why
from strike_reporting.publishing.releases import build, cut_at, decision_of, latest
from strike_reporting.publishing.selection import window
from strike_reporting.publishing.standing import is_due
from strike_reporting.reference.actions import ActionSet, resolve, touching
from strike_reporting.settings import settings
from strike_reporting.storage import Store

_BEGUN, _DONE = "begun", "done"
log = logging.getLogger(__name__)


def to_replay(store: Store, action_id: str = "") -> list[str]:
    """Actions, alone and jointly, that something was received about and no release was cut of, by their days; or one.

    Raises:
        UnknownAction: the strike calendar has no such action.
        StrikesError: it has releases, which stay as they are.
    """
    ledger = ledger_of(store)
    has_release = {c.action_id for c in ledger.published.current() if ledger.fact(_fact(c.action_id)) != _BEGUN}
    if action_id:
        wanted = resolve(action_id).action_id
        if wanted in has_release:
            raise StrikesError(
                f"{wanted} has releases already, which nothing changes. Its past is shown by "
                f"`strikes release as-at MOMENT --action {wanted}`; replay it into an empty STRIKES_HOME instead"
            )
        return [wanted]
    told = {i for a in touching(ledger.judged.strike_days()) for i in reported_with(store, a)}
    return sorted(told - has_release, key=lambda i: (resolve(i).days, i))


def replay(store: Store, action_id: str, until: datetime) -> list[str]:
    """Cut the releases of an action at the announced times of the past; their ids in order.

    A time at which nothing new had come cuts none. What was broken off is taken up again where it was.

    Raises:
        CheckFailed: the figures of a moment do not add up by today's rules.
    """
    action, ledger = resolve(action_id), ledger_of(store)
    made: list[str] = []
    before = latest(store, action)
    last = datetime.fromisoformat(cut_at(before, decision_of(store, before))) if before else None
    ledger.keep_fact(_fact(action_id), _BEGUN)
    for moment in _moments(store, action, until):
        if last and moment <= last:
            continue
        why = Why(
            how=f"cut at the announced time, {clocked(moment)}, in a replay of what was received",
            at=utc(moment),
            is_scheduled=True,
        )
        release, is_new = build(store, action, why, moment, as_known=True)
        if is_new:
            made.append(release.release_id)
            log.info("%s: release %d of %s.", action_id, release.number, clocked(moment))
    ledger.keep_fact(_fact(action_id), _DONE)
    return made


def _fact(action_id: str) -> str:
    return f"replaying {action_id}"


def _moments(store: Store, action: ActionSet, until: datetime) -> Iterator[datetime]:
    """The announced times at which the action's draft would have been cut: by the policy, and when something had come.

    Before the first file there is nothing to cut, and between two files nothing new.
    """
    about = ledger_of(store).judged.about(
        [*action.days, *action.closing_days], action.action_id.split(";"), window(action.days)
    )
    came = sorted(datetime.fromisoformat(o.received_at) for o in about)
    if not came:
        return
    is_first, is_waiting, seen = True, False, 0
    day, last = came[0].astimezone(LONDON).date(), until.astimezone(LONDON).date()
    while day <= last and (is_waiting or seen < len(came)):
        for moment in announced_on(day, settings().release_times):
            arrived = sum(c <= moment for c in came)
            is_waiting = is_waiting or arrived > seen
            seen = arrived
            if is_waiting and moment <= until and is_due(action.days, day - timedelta(days=1), day, is_first):
                yield moment
                is_first = is_waiting = False
        day += timedelta(days=1)
