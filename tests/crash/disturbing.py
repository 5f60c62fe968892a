"""Two ways to disturb a round: a process that is killed at an operation, and one that stands still there meanwhile."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from undisturbed import Point, Undisturbed, done_by, rest_of

_IDLE_SECONDS, _IDLE_TICKS = 2.0, 2  # less work than this in that time: it waits for the one that stands still


def crash(rounds: Undisturbed, point: Point, again: int = 0) -> list[str]:
    """Kill a process at a point and let another finish the round; what is not as in the undisturbed round.

    Args:
        rounds: the set-up.
        point: where.
        again: kill the process that would finish it, too, before this operation of its own; a third one finishes.
    """
    forks, log = rounds.forks, rounds.log()
    with rounds.begun(point.stage) as found:
        code = forks.wait(rounds.start(done_by(point.stage), log, point.number, point.when))
        if code != -signal.SIGKILL:
            found.append(f"it was not killed but ended with {code}: {forks.last_words()}")
        unsure = _unsure(log, is_last_done=point.when == "after")
        if again:
            log = rounds.log()
            code = forks.wait(rounds.start(rest_of(point.stage), log, again))
            unsure += _unsure(log, is_last_done=code == 0)  # it had fewer operations: it ended by itself
        found += _finished(rounds, point.stage)
    return found + rounds.differences(point.stage, unsure)


def meet(rounds: Undisturbed, point: Point) -> list[str]:
    """Let a process stand still at a point while another does the rest of the round, then go on.

    What either is told may only be that something can be had later: then the round is finished and nothing differs.
    """
    forks = rounds.forks
    with rounds.begun(point.stage) as found:
        log = rounds.log()
        slow = rounds.start(done_by(point.stage), log, point.number, point.when, stop=True, waits=True)
        if not forks.is_stopped(slow):
            found.append(f"it did not stand still: {forks.last_words()}")
        other = rounds.start(rest_of(point.stage), rounds.log(), waits=True)
        code = _ended_or_waiting(rounds, other)
        os.kill(slow, signal.SIGCONT)
        codes = [forks.wait(slow), forks.wait(other) if code is None else code]
        if any(codes):
            found.append(f"they ended with {codes}: {forks.last_words()}")
        found += _finished(rounds, point.stage)
    return found + rounds.differences(point.stage)


def together(rounds: Undisturbed, stage: str, processes: int) -> list[str]:
    """Let several processes do a stage at once; what is not as in the undisturbed round."""
    with rounds.begun(stage) as found:
        started = [rounds.start(done_by(stage), rounds.log(), waits=True) for _ in range(processes)]
        codes = [rounds.forks.wait(pid) for pid in started]
        if any(codes):
            found.append(f"they ended with {codes}: {rounds.forks.last_words()}")
        found += _finished(rounds, stage)
    return found + rounds.differences(stage)


def _finished(rounds: Undisturbed, stage: str) -> list[str]:
    code = rounds.forks.wait(rounds.start(rest_of(stage), rounds.log()))
    return [f"finishing ended with {code}: {rounds.forks.last_words()}"] if code else []


def _ended_or_waiting(rounds: Undisturbed, pid: int) -> int | None:
    """Wait until a process has ended, and say how; None once it only waits itself."""
    worked, since = 0, time.monotonic()
    while (code := rounds.forks.poll(pid)) is None:
        ticks = _worked(pid)
        if ticks > worked + _IDLE_TICKS:
            worked, since = ticks, time.monotonic()
        if time.monotonic() - since > _IDLE_SECONDS:
            return None
        time.sleep(0.02)
    return code


def _worked(pid: int) -> int:
    """Ticks of processor time that a process and its children took."""
    ticks = 0
    for place in (Path(f"/proc/{pid}/stat"), *_children(pid)):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            ticks += sum(map(int, place.read_text().rpartition(")")[2].split()[11:15]))
    return ticks


def _children(pid: int) -> list[Path]:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        tasks = Path(f"/proc/{pid}/task").glob("*/children")
        return [Path(f"/proc/{child}/stat") for task in tasks for child in task.read_text().split()]
    return []


def _unsure(log: Path, *, is_last_done: bool) -> int:
    """E-mails (none or one) that the server took and of which nothing was noted before the process ended.

    What a log names last was not done where a kill came before it.
    """
    named = log.read_text().splitlines()
    done = named if is_last_done else named[:-1]
    last = max((n for n, name in enumerate(done) if name.startswith("smtp")), default=None)
    return 0 if last is None or any(name.endswith("commit") for name in done[last:]) else 1
