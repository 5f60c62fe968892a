"""Who looked at what is under embargo: admitted by the list of the settings, and kept for good with moment and page.

Each look is a file of its own in landing, as people's decisions are: nothing else knows of it, so nothing could make it
again. What cannot be kept is not shown.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from strike_reporting.ledger.aside import load_each
from strike_reporting.ledger.records import Record
from strike_reporting.publishing.embargo import EMBARGOED, with_access
from strike_reporting.settings import settings
from strike_reporting.storage import Store

ACCESSES = "landing/accesses"
_EVERY = "every action"


class Access(Record):
    """One look. at: UTC, ISO 8601; user_id, name: of the Airflow user; what: the page; action_id: whose."""

    at: str
    user_id: str
    name: str
    action_id: str
    what: str


def listed_now() -> dict[str, str]:
    """`with_access` by the list as it stands at this moment: a server runs for weeks, who is taken off is off now."""
    settings.cache_clear()
    return with_access()


def is_admitted(user_id: str) -> bool | None:
    """Whether a user may see what is under embargo at this moment; None without embargo."""
    listed = listed_now()
    return user_id in listed if listed else None


def look(store: Store, path: str, user_id: str, name: str, now: datetime) -> bytes:
    """What is under embargo at a path, for somebody who is admitted. That he looked is kept before he sees it.

    Raises:
        FileNotFoundError: there is no such page.
    """
    key = f"{EMBARGOED}/{path}"
    data = store.read(key)
    note(store, key, path.partition("/")[0] if "/" in path else "", user_id, name, now)
    return data


def note(store: Store, what: str, slug: str, user_id: str, name: str, now: datetime) -> None:
    """Keep that somebody looks at something, of one action or (without `slug`) of all."""
    action_id = slug.replace("_", ";") or _EVERY
    at = now.astimezone(UTC).isoformat()  # finer than a second: looks stand in their order
    access = Access(at=at, user_id=user_id, name=name, action_id=action_id, what=what)
    digest = hashlib.sha256(f"{now.isoformat()} {user_id} {what}".encode()).hexdigest()[:12]
    store.write(f"{ACCESSES}/{slug or 'all'}/{now:%Y%m%dT%H%M%S}.{digest}.json", access.dump())


def accesses(store: Store, action_id: str = "") -> list[Access]:
    """Every look, oldest first, or those at one action."""
    contents = store.read_many(store.list(ACCESSES, ".json"), missing_ok=True)
    found = load_each(Access, "access", ((key, data.decode()) for key, data in sorted(contents.items())))
    return sorted((a for a in found if action_id in ("", a.action_id)), key=lambda a: a.at)
