"""What a round warns of before it loses a return: in the log each time, and to the owner what is new."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from strike_reporting.clock import LONDON
from strike_reporting.errors import attempt
from strike_reporting.ledger import ledger_of
from strike_reporting.operations.troubles import Trouble, key_of
from strike_reporting.storage import Store

log = logging.getLogger(__name__)
_WATCHED = "watched"  # the day on which all feeds and servers were last looked at
# Is given troubles, and whether one of a key would be among them if it stood.
TellOwner = Callable[[Sequence[Trouble], Callable[[str], bool]], object]


def warn(store: Store, now: datetime, tell: TellOwner | None) -> list[str]:
    """Warn, and tell the owner; what was warned of. A warning that cannot be made, or told, fails nothing."""
    is_first = ledger_of(store).fact(_WATCHED) != f"{now:%Y-%m-%d}"
    warned = attempt(now, lambda at: warnings(store, at, is_first))
    found = warned.made or []
    for trouble in found:
        log.warning("%s", trouble)
    if warned.error:
        log.error("It could not be said what should be seen to: %s", warned.reason)
        return []
    if tell:
        told = attempt(found, lambda all_of_it: _tell(tell, all_of_it, now, is_first))
        if told.error:
            log.error("%s", told.reason)
    ledger_of(store).keep_fact(_WATCHED, f"{now:%Y-%m-%d}")
    return [str(trouble) for trouble in found]


def warnings(store: Store, now: datetime, is_first: bool) -> list[Trouble]:
    """What should be seen to.

    Faulty entries and feeds that fail are told each time. What changes from day to day only, and takes a look at every
    feed and server (silence, expiry), is told by the first round of a day.
    """
    from strike_reporting.intake.registry import load_registry
    from strike_reporting.operations import watch

    registry = load_registry()
    found = watch.feed_warnings(store, registry.feeds, now) if is_first else watch.failing(store, registry.feeds)
    said = [
        Trouble(key_of("registry", fault.name or f"{fault.file}", str(fault)), str(fault)) for fault in registry.faults
    ]
    for one in found:
        several = one.what if one.kind == "expiring" else ""  # a connection has more than one thing that may
        said.append(Trouble(key_of(one.kind, one.feed_id, several), f"{one.feed_id}: {one.what}", one.do))
    return said


def _tell(tell: TellOwner, found: Sequence[Trouble], now: datetime, is_first: bool) -> None:
    """Silence is told when returns are due: between strikes every feed is silent."""
    from strike_reporting.reference.due import calendar

    kinds = {"registry", "pull"} | ({"expiring"} if is_first else set())
    if is_first and calendar().returns_due(now.astimezone(LONDON).date()):
        kinds.add("silent")

    def looked_at(key: str) -> bool:
        return key.partition(" ")[0] in kinds

    tell([trouble for trouble in found if looked_at(trouble.key)], looked_at)
