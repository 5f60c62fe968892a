"""A record that cannot be read is set aside by its name, and whoever asked goes on with the others."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TypeVar

from strike_reporting.ledger.records import Damaged, Record

log = logging.getLogger(__name__)
R = TypeVar("R", bound=Record)


class Found(list[R]):
    """The records that could be read; `set_aside` names the others."""

    set_aside: tuple[str, ...] = ()


def load_each(kind: type[R], what: str, rows: Iterable[tuple[str, str]]) -> Found[R]:
    """Load records, each given as its name and its text; `what` says in the log of what kind they are."""
    found: Found[R] = Found()
    aside = []
    for name, text in rows:
        try:
            found.append(kind.load(text, f"{what} {name}"))
        except Damaged as error:
            log.error("set aside: %s; `strikes doctor` says what mends it", error)
            aside.append(name)
    found.set_aside = tuple(aside)
    return found
