"""The harness: a round undisturbed, its operations, and the same round with a kill at one of them and then finished."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any

import world
from forks import Forks
from setups import Setup, differences, everything

BEGIN = "begin"  # collecting in an empty root: the ledger is made
STAGES = (BEGIN, *world.STAGES)


@dataclass(frozen=True)
class Point:
    """Where a process is killed: in a stage, just before or after its n-th operation."""

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


class Crashing:
    """One set-up of the world, with the round run in it undisturbed."""

    def __init__(self, setup: Setup, forks: Forks, inbox: Inbox, place: Path) -> None:
        """Run the round once: what it leaves, after each stage, is what every killed round must leave in the end."""
        self.setup, self._forks, self._inbox, self._place = setup, forks, inbox, place
        self.operations: dict[str, list[str]] = {}
        self._before: dict[str, Any] = {BEGIN: None}
        self._runs = 0
        stages = list(world.STAGES)
        for name in (*world.BEFORE, *world.NEW):
            (place / "inbox" / name).unlink(missing_ok=True)
        world.send(place, world.BEFORE)
        setup.put_back(None)
        self._run(stages, "2023-04-11")
        told = {a: [self._told(a)] for a in world.ACTIONS[:1]}
        world.send(place, world.NEW)
        inbox.messages.clear()
        for stage in stages:
            self._before[stage] = setup.keep()
            self._counted(stage)
        self._wanted, self._letters = everything(setup), Counter(map(_letter, inbox.messages))
        self._known = {a: [*told.get(a, []), self._told(a)] for a in world.ACTIONS}
        setup.put_back(None)
        self._counted(BEGIN)
        self._wanted_of_begin = everything(setup)

    @property
    def counted(self) -> dict[str, int]:
        """How many operations each stage has."""
        return {stage: len(operations) for stage, operations in self.operations.items()}

    @property
    def in_all(self) -> int:
        """How many operations there are."""
        return sum(self.counted.values())

    def points(self) -> Iterator[Point]:
        """Every operation, before and after it."""
        for stage, operations in self.operations.items():
            for number, operation in enumerate(operations, start=1):
                for when in ("before", "after"):
                    yield Point(stage, number, when, operation)

    def crash(self, point: Point, again: int = 0) -> list[str]:
        """Kill a round at a point, finish it with another process; what is not as in the undisturbed round.

        Args:
            point: where.
            again: kill the process that would finish it, too, before this operation of its own; a third one finishes.
        """
        begins = point.stage == BEGIN
        rest = ["collect"] if begins else list(world.STAGES)
        self.setup.put_back(self._before[point.stage])
        self._inbox.messages.clear()
        logs = [self._log()]
        with self._reader(begins) as found:
            code = self._forks.wait(self._start([self._stage(point.stage)], logs[0], point.number, point.when))
            if code != -9:
                found.append(f"it was not killed but ended with {code}: {self._forks.last_words()}")
            if again:
                logs.append(self._log())
                self._forks.wait(self._start(rest, logs[1], again))
            if code := self._forks.wait(self._forks.start("work", self._environment(), stages=rest)):
                found.append(f"finishing ended with {code}: {self._forks.last_words()}")
        found += differences(everything(self.setup), self._wanted_of_begin if begins else self._wanted)
        if begins:
            return found
        done = [log.read_text().splitlines() for log in logs]
        # What is named last in a log was not done where the kill came before it.
        unsure = _unsure(done[0] if point.when == "after" else done[0][:-1]) + sum(_unsure(d[:-1]) for d in done[1:])
        return found + self._mailed(unsure)

    @contextmanager
    def _reader(self, begins: bool) -> Iterator[list[str]]:
        """What went wrong, while a reader looks on; there is nothing to read in an empty root."""
        found: list[str] = []
        if begins:
            yield found
            return
        stop = self._place / "stop"
        stop.unlink(missing_ok=True)
        reader = self._forks.start("read", self._environment(), stop=str(stop), known=self._known)
        try:
            yield found
        finally:
            stop.touch()
            if self._forks.wait(reader):
                found.append(f"the reader saw what is not whole: {self._forks.last_words()}")

    def _mailed(self, unsure: int) -> list[str]:
        """What is wrong with the e-mails: each is sent once, but for one whose server's yes we had not yet noted."""
        sent = Counter(map(_letter, self._inbox.messages))
        wrong = [f"not mailed: {letter}" for letter in self._letters - sent]
        more = sent - self._letters
        if more.total() != unsure or not sent.keys() <= self._letters.keys():
            wrong.append(f"{more.total()} e-mails too many, {unsure} may be: {[*more]}")
        return wrong

    def _counted(self, stage: str) -> None:
        log = self._log()
        code = self._forks.wait(self._start([self._stage(stage)], log))
        assert code == 0, f"{stage} ended with {code}: {self._forks.last_words()}"
        self.operations[stage] = log.read_text().splitlines()

    def _start(self, stages: list[str], log: Path, kill_at: int = 0, when: str = "before") -> int:
        counted = {"root": self.setup.root, "log": str(log), "kill_at": kill_at, "when": when}
        return self._forks.start("work", self._environment(), stages=stages, **counted)

    def _run(self, stages: list[str], collection: str) -> None:
        self._forks.run("work", self._environment(collection), stages=stages)

    def _environment(self, collection: str = "2023-04-12") -> dict[str, str]:
        return {**self.setup.environment, "CRASH_COLLECTION": collection}

    def _log(self) -> Path:
        self._runs += 1
        return self._place / f"operations-{self.setup.name}-{self._runs}"

    def _told(self, action_id: str) -> str:
        said = self._place / "told"
        self._forks.run("tell", self._environment(), action_id=action_id, to=str(said))
        return said.read_text()

    @staticmethod
    def _stage(stage: str) -> str:
        return "collect" if stage == BEGIN else stage


def _unsure(done: list[str]) -> int:
    """E-mails (none or one) that the server took and of which nothing was noted before the kill."""
    last = max((n for n, name in enumerate(done) if name.startswith("smtp")), default=None)
    return 0 if last is None or any(name.endswith("commit") for name in done[last:]) else 1


def _letter(message: bytes) -> str:
    """What an e-mail says: its boundaries are drawn by lot."""
    read = message_from_bytes(message)
    parts = [p.get_payload(decode=True) for p in read.walk() if not p.is_multipart()]
    said = hashlib.sha256(b"\0".join(p for p in parts if isinstance(p, bytes))).hexdigest()
    return " ".join(str(read[h]) for h in ("Message-ID", "To", "Subject")) + f" {said[:8]}"
