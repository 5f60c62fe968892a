"""What somebody who starts a run by hand asks for: checked, and turned into what the ledger says is to do."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from strike_reporting.errors import StrikesError
from strike_reporting.intake.config_files import nearest
from strike_reporting.ledger import ledger_of
from strike_reporting.storage import Store

log = logging.getLogger(__name__)


def checked(given: Mapping[str, Any], form: Collection[str]) -> dict[str, Any]:
    """What was filled in, without the blanks around it.

    Raises:
        StrikesError: the form has no such field: a misspelt one would be asked for and not be done.
    """
    for name in given:
        if name not in form:
            raise StrikesError(f"the form has no field {name!r}. {nearest(name, form)} Nothing was done")
    found = {name: _stripped(value) for name, value in given.items()}
    return {name: value for name, value in found.items() if value}


def _stripped(value: Any) -> Any:
    if isinstance(value, list):
        return [part for part in map(_stripped, value) if part]
    return value.strip() if isinstance(value, str) else value


def feeds_to_pull(names: Sequence[str]) -> list[str]:
    """Ids of the feeds that these ids and ODS codes name, of those that are pulled.

    Raises:
        StrikesError: a name is none of theirs.
    """
    from strike_reporting.intake.registry import load_registry

    registry = load_registry()
    off = {f.id for f in registry.feeds if not f.enabled}
    if paused := sorted(off & set(names)):
        raise StrikesError(
            f"feeds: {', '.join(paused)}: not enabled. `strikes feed enable ID` mends it; nothing was done"
        )
    return _named(names, {f.id: f.trust or "" for f in registry.enabled})


def again(store: Store, action: str = "", feeds: Sequence[str] = (), from_landing: bool = False) -> int:
    """Put what was landed about an action, and by these feeds, back among what is to be judged; how many.

    Raises:
        StrikesError: there is no such action or feed, or what is to be done with them is not said.
    """
    from strike_reporting.judging.filing import concerned
    from strike_reporting.reference.actions import resolve

    if not from_landing:
        if action or feeds:
            raise StrikesError(
                "action and feeds choose what is judged again: set from_landing as well, or leave them empty to judge "
                "what has no outcome yet. Nothing was done"
            )
        return 0
    wanted = set(resolve(action).action_id.split(";")) if action else set()
    ledger = ledger_of(store)
    chosen = list(ledger.receiving.everything())
    if feeds:
        ids = set(_named(feeds, {r.feed_id: r.ods_code or "" for r in chosen}))
        chosen = [r for r in chosen if r.feed_id in ids]
    if action:
        about = {o.submission_id for o in ledger.judged.listed() if wanted & set(concerned(o))}
        chosen = [r for r in chosen if r.submission_id in about]
    log.info("%d submissions are judged again, as was asked for by hand.", len(chosen))
    return ledger.receiving.judge_again(r.submission_id for r in chosen)


def look_at(store: Store, action: str = "") -> None:
    """Have an action looked at by the next publication, whether it was touched or not.

    Raises:
        UnknownAction: the strike calendar has no such action.
    """
    from strike_reporting.reference.actions import resolve

    if action:
        ledger_of(store).judged.touch(resolve(action).action_id.split(";"))


def _named(names: Sequence[str], known: Mapping[str, str]) -> list[str]:
    """Ids of feeds by their ids, or by the ODS codes of their trusts."""
    found: list[str] = []
    for name in names:
        mine = [feed_id for feed_id, trust in known.items() if name in (feed_id, trust)]
        if not mine:
            options: Iterable[str] = {*known, *filter(None, known.values())}
            near = nearest(name, options, "`strikes feed list` lists them.")
            raise StrikesError(f"feeds: {name!r} is no feed and no trust that has one. {near} Nothing was done")
        found += mine
    return list(dict.fromkeys(found))
