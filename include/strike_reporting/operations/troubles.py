"""What the owner is told: each trouble once a day with what to do next, and once when it is over.

What was told stands in the ledger's facts. A trouble is noted before it is told, so that two tasks that find it at once
tell it once; where it could not be told, the note is taken back.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from strike_reporting.clock import LONDON
from strike_reporting.errors import Away, OurFault, StrikesError, attempt
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Damaged, Record
from strike_reporting.storage import Store

_PREFIX = "trouble "
_KEPT = timedelta(days=30)  # what is over
_LISTED = 20  # in one message
_LONGEST = 1500  # characters of one trouble


@dataclass(frozen=True)
class Trouble:
    """One thing that somebody must see to. key: by which it is the same tomorrow; its first word is its kind."""

    key: str
    what: str
    do: str = ""

    def __str__(self) -> str:
        """As the log has it."""
        return self.what


@dataclass(frozen=True)
class Message:
    """What is told at once."""

    subject: str
    fresh: tuple[Trouble, ...]
    over: tuple[Trouble, ...]

    @property
    def text(self) -> str:
        """All of it, as plain text."""
        lines: list[str] = []
        for trouble in self.fresh[:_LISTED]:
            lines += [f"- {trouble.what[:_LONGEST]}", *([f"  What to do: {trouble.do}"] if trouble.do else [])]
        if more := len(self.fresh) - _LISTED:
            lines += [f"- and {more} more; the log of the task lists them"] if more > 0 else []
        if self.over:
            lines += ["", "Over:", *(f"- {trouble.what[:_LONGEST]}" for trouble in self.over[:_LISTED])]
            lines += [f"- and {len(self.over) - _LISTED} more"] if len(self.over) > _LISTED else []
        return "\n".join(lines).strip() + "\n\nThe same is told once a day, and when it is over.\n"


class Told(Record):
    """What was told of a trouble: what it was, on which day, whether it stands, and when its end was told."""

    what: str
    do: str = ""
    day: str = ""
    stands: bool = True
    over_on: str = ""


Send = Callable[[Message], None]
LookedAt = Callable[[str], bool]


def tell(
    store: Store, now: datetime, found: Iterable[Trouble], looked_at: LookedAt, channels: Callable[[], Sequence[Send]]
) -> Message | None:
    """Tell the owner what is new and what is over, by every channel there is; what was told, if anything.

    Args:
        store: the state root.
        now: the moment.
        found: what stands now.
        looked_at: whether a trouble with this key would have been found; if it was not, it is over.
        channels: asked for only where there is something to tell. Without any nothing is noted either.

    Raises:
        OurFault: no channel took it.
    """
    ledger, today = ledger_of(store), f"{now.astimezone(LONDON):%Y-%m-%d}"
    kept = {key.removeprefix(_PREFIX): text for key, text in ledger.facts(_PREFIX).items()}
    known = {key: told for key, text in kept.items() if (told := _told(text))}
    fresh = {t.key: t for t in found}
    changes: dict[str, Told] = {}
    for key, trouble in fresh.items():
        before = known.get(key)
        if before is None or before.day != today:
            over_on = before.over_on if before else ""
            changes[key] = Told(what=trouble.what, do=trouble.do, day=today, over_on=over_on)
    for key, told in known.items():
        if told.stands and key not in fresh and looked_at(key):
            changes[key] = told.model_copy(update={"stands": False, "over_on": today})
    if not changes or not (sends := channels()):
        return None
    for key, told in known.items():
        if not told.stands and told.day < f"{now.astimezone(LONDON) - _KEPT:%Y-%m-%d}" and key not in changes:
            ledger.swap_fact(_PREFIX + key, kept[key], "")
    took = [
        key for key, told in changes.items() if ledger.swap_fact(_PREFIX + key, kept.get(key, ""), told.dump().decode())
    ]
    new = tuple(fresh[key] for key in took if changes[key].stands)
    over = tuple(
        Trouble(key, known[key].what) for key in took if not changes[key].stands and known[key].over_on != today
    )
    if not new and not over:
        return None
    message = Message(_subject(new, over), new, over)
    tried = [attempt(message, send) for send in sends]
    if any(t.error is None for t in tried):
        return message
    for key in took:
        ledger.swap_fact(_PREFIX + key, changes[key].dump().decode(), kept.get(key, ""))
    raise OurFault(f"the owner was not told: {'; '.join(t.reason for t in tried)}")


def open_troubles(store: Store, begins: str) -> list[str]:
    """Keys that begin so, of the troubles that were told and stand."""
    facts = ledger_of(store).facts(_PREFIX + begins)
    return [key.removeprefix(_PREFIX) for key, text in facts.items() if (told := _told(text)) and told.stands]


def _told(text: str) -> Told | None:
    try:
        return Told.load(text, "trouble")
    except Damaged:
        return None


def _subject(new: Sequence[Trouble], over: Sequence[Trouble]) -> str:
    one = (new or over)[0].what.splitlines()[0]
    said = f"{one[:90]}{'…' if len(one) > 90 else ''}"
    more = len(new) + len(over) - 1
    return f"Strike reporting: {'' if new else 'over: '}{said}{f' (and {more} more)' if more else ''}"


def key_of(kind: str, about: str, what: str = "") -> str:
    """A key. `what` tells several troubles of one thing apart; numbers in it, such as days, do not."""
    digest = hashlib.sha256(re.sub(r"\d+", "#", what).encode()).hexdigest()[:8]
    return f"{kind} {about}" + (f" {digest}" if what else "")


def run_failed(dag_id: str, task_id: str, run_id: str, error: object) -> Trouble:
    """A task that failed for good, with what to do as far as the fault says it."""
    if isinstance(error, StrikesError):
        said, do = str(error), "as it says"
        if isinstance(error, Away):
            do = "bring it back; the next round does the rest"
    elif error:
        said = f"{type(error).__name__}: {error}" if isinstance(error, BaseException) else str(error)
        do = "see the log of the task for the traceback"
    else:
        said = "its process was killed at every try, or could not be started"
        do = "look at the memory of the worker"
    what = f"{dag_id}: the task {task_id} failed in the run {run_id}: {said}"
    table = f"“What fails which run” (docs/runs.md) says what is done all the same; trigger {dag_id} when it is mended"
    return Trouble(key_of("run", f"{dag_id} {task_id}"), what, f"{do}; {table}.")


def run_late(dag_id: str, run_id: str, minutes: float) -> Trouble:
    """A run that was not finished in its time."""
    what = f"{dag_id}: the run {run_id} was not finished {minutes:g} minutes after it was queued"
    do = "see in Airflow which task runs or waits: the scheduler, a pool, a server that does not answer; docs/runs.md."
    return Trouble(key_of("late", dag_id), what, do)
