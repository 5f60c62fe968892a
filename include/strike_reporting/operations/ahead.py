"""Checking ahead: what will be released at an announced time is judged before it, so that a person can decide by then.

Nothing is released ahead, and nothing depends on it: at its time everything is checked, looked at ahead or not.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import Field

from strike_reporting.clock import utc
from strike_reporting.errors import each
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Damaged, Drafted, Record
from strike_reporting.operations.cutting import CutDone, cut_announced
from strike_reporting.operations.holding import hold_ahead
from strike_reporting.publishing.announced import next_announced, next_cut
from strike_reporting.reference.actions import resolve
from strike_reporting.settings import settings
from strike_reporting.storage import Store

_FACT = "checked ahead"


class Checked(Record):
    """Which figures were judged ahead of which announced time: their hashes, by action. They are judged once."""

    at: datetime
    figures: dict[str, str] = Field(default_factory=dict)


def cut_and_check(store: Store, now: datetime) -> CutDone:
    """Cut what is due at the announced times until now, then judge what will be at the next one, if that is near."""
    done = cut_announced(store, now)
    held, problems = check_ahead(store, now)
    done["held"] += [a for a in held if a not in done["held"]]
    done["problems"] += problems
    return done


def check_ahead(store: Store, now: datetime) -> tuple[list[str], list[str]]:
    """Judge every draft that the next announced time would cut, when it is `checked_ahead_minutes` away or less.

    Returns:
        The actions that are held now and were not before; and what could not be judged, as sentences.
    """
    coming, held = next_announced(now, settings().release_times), list[str]()
    ahead = timedelta(minutes=settings().checked_ahead_minutes)
    if settings().cut_at_once or coming is None or coming - now > ahead:
        return [], []
    before, ledger = _checked(store, coming), ledger_of(store)
    todo = [d for d in ledger.drafts.shown() if before.figures.get(d.action_id) != d.identity]

    def one(draft: Drafted) -> None:
        action, is_first = resolve(draft.action_id), not ledger.published.newest(draft.action_id)
        if next_cut(action, is_first, now) != coming:
            return  # it is not cut at that time, whatever it says
        found = hold_ahead(store, action, coming, now)
        if found and found.since == utc(now):
            held.append(draft.action_id)

    tried = list(each(todo, one))
    if judged := {t.item.action_id: t.item.identity for t in tried if t.error is None}:
        after = before.model_copy(update={"figures": before.figures | judged})
        ledger.keep_fact(_FACT, after.dump().decode())
    return held, [f"{t.item.action_id}: {t.reason}" for t in tried if t.error is not None]


def _checked(store: Store, coming: datetime) -> Checked:
    """What was judged ahead of this time."""
    try:
        known = Checked.load(ledger_of(store).fact(_FACT), _FACT)
    except Damaged:
        return Checked(at=coming)
    return known if known.at == coming else Checked(at=coming)
