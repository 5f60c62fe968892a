"""Which stage of a round is under way: what looks behind it waits for the whole of it, instead of doing a part.

It is a word in the ledger, and a hint: nothing is lost and nothing is done twice by one that is wrong or missing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from strike_reporting.clock import utc
from strike_reporting.ledger import ledger_of
from strike_reporting.settings import settings
from strike_reporting.storage import Store

COLLECTING, JUDGING = "collecting", "judging"


def begin(store: Store, stage: str, now: datetime) -> None:
    """Note that a stage has begun."""
    ledger_of(store).keep_fact(_key(stage), utc(now))


def end(store: Store, stage: str) -> None:
    """Note that all of it is done that will be, before its event is emitted."""
    ledger_of(store).keep_fact(_key(stage), "")


def until(store: Store, stage: str, asked: datetime, now: datetime) -> datetime | None:
    """Until when to wait for a stage that had begun when somebody asked for what follows it; None: not at all.

    One that begins later is not waited for, or rounds without a pause would be waited for for ever. One that does not
    say its end within the time of a round has died.
    """
    since = ledger_of(store).fact(_key(stage))
    if not since or (began := datetime.fromisoformat(since)) > asked:
        return None
    last = began + timedelta(seconds=settings().round_seconds)
    return last if now < last else None


def _key(stage: str) -> str:
    return f"{stage} since"
