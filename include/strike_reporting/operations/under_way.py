"""Which stage of a round is under way: what looks behind it waits for the whole of it, instead of doing a part.

It is a word in the ledger, and a hint: nothing is lost and nothing is done twice by one that is wrong or missing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Damaged, Record
from strike_reporting.settings import settings
from strike_reporting.storage import Store

COLLECTING, JUDGING = "collecting", "judging"


class Begun(Record):
    """A stage under way: since when, and by which run of which DAG; none where no run does it."""

    at: datetime
    dag_id: str = ""
    run_id: str = ""


def begin(store: Store, stage: str, now: datetime, dag_id: str = "", run_id: str = "") -> None:
    """Note that a stage has begun."""
    ledger_of(store).keep_fact(_key(stage), Begun(at=now, dag_id=dag_id, run_id=run_id).dump().decode())


def end(store: Store, stage: str) -> None:
    """Note that all of it is done that will be, before its event is emitted."""
    ledger_of(store).keep_fact(_key(stage), "")


def until(
    store: Store,
    stage: str,
    asked: datetime,
    now: datetime,
    is_running: Callable[[str, str], bool] = lambda dag_id, run_id: True,
) -> datetime | None:
    """Until when to wait for a stage that had begun when somebody asked for what follows it; None: not at all.

    One that begins later is not waited for, or rounds without a pause would be waited for for ever. One that does not
    say its end within the time of a round has died, and so has one whose run is over.

    Args:
        store: the state root.
        stage: which.
        asked: when somebody asked.
        now: with its time zone.
        is_running: whether a run of a DAG is not over.
    """
    try:
        begun = Begun.load(ledger_of(store).fact(_key(stage)), stage)
    except Damaged:
        return None  # nothing, or what an older version noted
    last = begun.at + timedelta(seconds=settings().round_seconds)
    if begun.at > asked or now >= last or (begun.run_id and not is_running(begun.dag_id, begun.run_id)):
        return None
    return last


def _key(stage: str) -> str:
    return f"{stage} since"
