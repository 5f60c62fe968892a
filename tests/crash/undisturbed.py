"""A round that nothing disturbs: its operations, what each stage begins with, and what is there in the end."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any

import world
from forks import Forks
from setups import Setup, differences, everything

BEGIN = "begin"  # collecting in an empty root, where the ledger is made
DRAW_OLD = "draw old"  # drawing the release that is out, which the round supersedes
STAGES = (BEGIN, *world.STAGES)


@dataclass(frozen=True)
class Point:
    """A place in a round: just before or after the n-th operation of a stage."""

    stage: str
    number: int
    when: str
    operation: str

    def __str__(self) -> str:
        return f"{self.stage} {self.number} {self.when} ({self.operation})"


@dataclass
class Inbox:
    """What the SMTP server said yes to."""

    messages: list[bytes] = field(default_factory=list)

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:
        self.messages.append(envelope.content)
        return "250 OK"


class Undisturbed:
    """One set-up of the world, in which the round was run; every disturbed round must end as that one did."""

    def __init__(self, setup: Setup, forks: Forks, inbox: Inbox, place: Path) -> None:
        """Run the round, stage by stage."""
        self.setup, self.forks, self._inbox, self._place = setup, forks, inbox, place
        self.operations: dict[str, list[str]] = {}
        self._begins_with: dict[str, Any] = {BEGIN: None}
        self._runs = 0
        world.forget(place)
        world.send(place, world.BEFORE)
        setup.put_back(None)
        forks.run("work", self.environment("2023-04-11"), stages=["collect", "judge", "publish", "mail"])
        told = {a: [self._told(a)] for a in world.ACTIONS[:1]}
        inbox.messages.clear()
        for stage in (DRAW_OLD, *world.STAGES):
            self._begins_with[stage] = setup.keep()
            self._count(stage)
            if stage == DRAW_OLD:
                world.send(place, world.NEW)
        self._ends, self._letters = everything(setup), Counter(map(_letter, inbox.messages))
        self._known = {a: [*told.get(a, []), self._told(a)] for a in world.ACTIONS}
        setup.put_back(None)
        self._count(BEGIN)
        self._begun = everything(setup)

    @property
    def counted(self) -> dict[str, int]:
        """How many operations each stage of the round has."""
        return {stage: len(self.operations[stage]) for stage in STAGES}

    @property
    def in_all(self) -> int:
        """How many operations there are."""
        return sum(self.counted.values())

    def left(self, point: Point) -> int:
        """About how many operations a process has that finishes what was killed there; at least one."""
        stages = STAGES[1:2] if point.stage == BEGIN else STAGES[STAGES.index(point.stage) :]
        return max(1, sum(self.counted[s] for s in stages) - point.number)

    def points(self, *whens: str, stages: Collection[str] = STAGES) -> Iterator[Point]:
        """Every operation of some stages, `before` and `after` it or only one of them."""
        for stage in stages:
            for number, operation in enumerate(self.operations[stage], start=1):
                yield from (Point(stage, number, when, operation) for when in whens or ("before", "after"))

    def start(self, stages: list[str], log: Path, kill_at: int = 0, when: str = "before", **given: Any) -> int:
        """A process that does stages of the round with its operations counted; its id."""
        counted = {"root": self.setup.root, "log": str(log), "kill_at": kill_at, "when": when}
        return self.forks.start("work", self.environment(), stages=stages, **counted, **given)

    def environment(self, collection: str = "2023-04-12") -> dict[str, str]:
        """What a process of the round is told."""
        return {**self.setup.environment, "CRASH_COLLECTION": collection}

    def log(self) -> Path:
        """A new file for a process to say its operations in."""
        self._runs += 1
        return self._place / f"operations-{self.setup.name}-{self._runs}"

    @contextmanager
    def begun(self, stage: str) -> Iterator[list[str]]:
        """All as it was before a stage; what goes wrong from then on. A reader looks on, where there is a release."""
        self.setup.put_back(self._begins_with[stage])
        self._inbox.messages.clear()
        found: list[str] = []
        if stage == BEGIN:
            yield found
            return
        stop = self._place / "stop"
        stop.unlink(missing_ok=True)
        reader = self.forks.start("read", self.environment(), stop=str(stop), known=self._known)
        try:
            yield found
        finally:
            stop.touch()
            if self.forks.wait(reader):
                found.append(f"the reader saw what is not whole: {self.forks.last_words()}")

    def differences(self, stage: str, unsure: int = 0) -> list[str]:
        """What is not as in the undisturbed round.

        Args:
            stage: where it was disturbed.
            unsure: how many e-mails may have come twice.
        """
        found = differences(everything(self.setup), self._begun if stage == BEGIN else self._ends)
        if stage == BEGIN:
            return found
        sent = Counter(map(_letter, self._inbox.messages))
        found += [f"not mailed: {letter}" for letter in self._letters - sent]
        more = sent - self._letters
        if more.total() != unsure or not sent.keys() <= self._letters.keys():
            found.append(f"{more.total()} e-mails too many, {unsure} may be: {[*more]}")
        return found

    def _count(self, stage: str) -> None:
        log = self.log()
        code = self.forks.wait(self.start(done_by(stage), log))
        assert code == 0, f"{stage} ended with {code}: {self.forks.last_words()}"
        self.operations[stage] = log.read_text().splitlines()

    def _told(self, action_id: str) -> str:
        said = self._place / "told"
        self.forks.run("tell", self.environment(), action_id=action_id, to=str(said))
        return said.read_text()


def done_by(stage: str) -> list[str]:
    """What a process does in a stage."""
    return [{BEGIN: "collect", DRAW_OLD: "draw"}.get(stage, stage)]


def rest_of(stage: str) -> list[str]:
    """What a process does that finishes a round cut short in a stage: the whole of it again."""
    return ["collect"] if stage == BEGIN else list(world.STAGES)


def _letter(message: bytes) -> str:
    """What an e-mail says: its boundaries are drawn by lot."""
    read = message_from_bytes(message)
    parts = [p.get_payload(decode=True) for p in read.walk() if not p.is_multipart()]
    said = hashlib.sha256(b"\0".join(p for p in parts if isinstance(p, bytes))).hexdigest()
    return " ".join(str(read[h]) for h in ("Message-ID", "To", "Subject")) + f" {said[:8]}"
