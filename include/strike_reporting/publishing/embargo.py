"""The embargo: with pre-release access for some, drafts are for them alone until they are released.

What is drawn of them goes to `embargoed/`, which a file share serves as little as `drafts/` and `landing/`; the pages
that everybody reads say that there is a draft, until when, and nothing of what it says.
"""

from __future__ import annotations

from datetime import datetime

from strike_reporting.clock import clocked
from strike_reporting.ledger import ledger_of
from strike_reporting.publishing.announced import is_early, next_cut
from strike_reporting.reference.actions import UnknownAction, resolve
from strike_reporting.setting_groups import people
from strike_reporting.settings import settings
from strike_reporting.storage import Store

SITE, EMBARGOED = "site", "embargoed"


def with_access() -> dict[str, str]:
    """Who sees what is not released: names by the id of an Airflow user. Without anybody there is no embargo."""
    return people(settings().pre_release_access)


def drafts_root() -> str:
    """Where the pages of drafts are."""
    return EMBARGOED if with_access() else SITE


def embargo(store: Store, action_id: str, now: datetime) -> str:
    """Until when an action's draft is under embargo, as a sentence; empty where it is not."""
    if not with_access():
        return ""
    ledger = ledger_of(store)
    last = ledger.holds.last(action_id)
    is_held = last is not None and last.is_unfinished and not is_early(last, now)
    try:
        coming = None if is_held else next_cut(resolve(action_id), not ledger.published.newest(action_id), now)
    except UnknownAction:
        coming = None  # it was taken out of the calendar; its draft is no less under embargo
    return f"A draft is under embargo until {clocked(coming) if coming else 'a person releases it'}."


class Ends(dict[str, str]):
    """Until when each action's draft is under embargo, as sentences; what comes meanwhile is under it as well."""

    def __init__(self, store: Store, now: datetime) -> None:
        """Of these, by this moment."""
        super().__init__()
        self._store, self._now = store, now

    def __missing__(self, action_id: str) -> str:
        self[action_id] = embargo(self._store, action_id, self._now)
        return self[action_id]
