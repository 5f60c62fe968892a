"""The error tree, and the one boundary of fault: whatever happens to one item is that item's outcome.

`SenderFault`: the trust must do something. `OurFault`: an engineer must. `Transient`: again later. Anything else that
derives from `StrikesError` is about how a command was called. Each kind has its own exit code.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

log = logging.getLogger(__name__)
Item = TypeVar("Item")
Made = TypeVar("Made")
_NAMED = 20  # problems in one message, and items that failed together
_IDS = ("submission_id", "feed_id", "release_id", "action_id", "id", "slug", "key", "name")
_HOLD_ONE = ("receipt", "opened", "outcome", "record", "file")  # fields of what is known by another's id


class StrikesError(Exception):
    """A known fault: its message says what is wrong and what to do, and no traceback is shown."""

    exit_code = 2


class SenderFault(StrikesError):
    """What a sender did: the trust must mend something."""

    exit_code = 3


class OurFault(StrikesError):
    """What we did or failed to do: an engineer must mend something."""

    exit_code = 4


class Transient(StrikesError):
    """It may work later without anybody doing anything."""

    exit_code = 75  # EX_TEMPFAIL of sysexits.h


class Away(Transient):
    """What every item needs, the ledger or the store, cannot be used now: to go on with the next is of no use."""


@dataclass(frozen=True)
class Attempt(Generic[Item, Made]):
    """What became of one item: `made`, or the `error` that stopped it and nothing else."""

    item: Item
    made: Made | None
    error: Exception | None

    @property
    def reason(self) -> str:
        """Why it failed, in one line; empty when it did not."""
        if self.error is None:
            return ""
        if isinstance(self.error, StrikesError):
            return str(self.error)
        return f"the fault is ours ({type(self.error).__name__}: {self.error}); see the log"


def attempt(item: Item, stage: Callable[[Item], Made]) -> Attempt[Item, Made]:
    """Do one item. An unknown error is logged with its traceback; a known one speaks for itself.

    Raises:
        Away: it is no fault of this item's.
    """
    try:
        return Attempt(item, stage(item), None)
    except Away:
        raise
    except StrikesError as error:
        return Attempt(item, None, error)
    except Exception as error:
        log.exception("%s: %s failed", getattr(stage, "__name__", "stage"), named(item))
        return Attempt(item, None, error)


def named(item: object) -> str:
    """What a log calls an item: by its id and nothing else, for it may hold rows of a file, or the whole of it."""
    if isinstance(item, str):
        return repr(item)
    if isinstance(item, Sequence) and not isinstance(item, bytes):
        more = f" and {len(item) - _NAMED} more" if len(item) > _NAMED else ""
        return f"{', '.join(map(named, item[:_NAMED]))}{more}"
    for name in _IDS:
        if isinstance(value := getattr(item, name, None), str):
            return f"{type(item).__name__} {value!r}"
    inner = (getattr(item, name, None) for name in _HOLD_ONE)
    return next((named(one) for one in inner if one is not None), type(item).__name__)


def each(items: Iterable[Item], stage: Callable[[Item], Made]) -> Iterator[Attempt[Item, Made]]:
    """Do every item, whatever happens to the others: collect, judge, publish, draw and mail all go through here.

    Raises:
        Away: the rest is left for later; what was done stays done.
    """
    for item in items:
        yield attempt(item, stage)


def together(items: Sequence[Item], stage: Callable[[Sequence[Item]], object]) -> list[Attempt[Item, None]]:
    """Do items in one go; where that fails, each by itself, so that a fault costs the one that has it.

    Raises:
        Away: it is no fault of these items'.
    """
    if not items:
        return []
    tried = attempt(items, stage)
    if tried.error is not None and len(items) > 1:
        return [one for item in items for one in together([item], stage)]
    return [Attempt(item, None, tried.error) for item in items]


def fail_for(problems: Sequence[str], what: str) -> None:
    """End with what went wrong, if anything did: after all the rest was done.

    Raises:
        OurFault: the message names the first twenty.
    """
    if problems:
        more = f"; and {len(problems) - _NAMED} more" if len(problems) > _NAMED else ""
        raise OurFault(f"{what}: {'; '.join(problems[:_NAMED])}{more}")
