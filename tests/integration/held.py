"""Processes that end with the test that started them, however it ends."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

# Its standard input is a pipe that only the test holds: when the test ends, also by SIGKILL, reading it ends. What it
# started is then asked to stop, and after a grace all that is left of it is killed, this shell included.
SUPERVISOR = """
"$@" </dev/null & child=$!
read -r _
kill -s "$HELD_STOP" $child 2>/dev/null
(sleep "$HELD_GRACE"; kill -s KILL 0) &
wait $child
[ -z "$HELD_FOLDER" ] || rm -rf "$HELD_FOLDER"
kill -s KILL 0
"""


class Held:
    """A running command with all its descendants."""

    def __init__(self, supervisor: subprocess.Popen) -> None:
        self.supervisor = supervisor

    def processes(self) -> list[psutil.Process]:
        """The command and its descendants, without the shell that holds them."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self.supervisor.pid).children(recursive=True)
        return []

    def crash(self) -> None:
        """What a power cut does: every process is killed, none is asked."""
        own = [psutil.Process(self.supervisor.pid), *self.processes()]
        for process in own:  # stopped first, so that none starts another meanwhile
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
        for process in {*own, *self.processes()}:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.supervisor.wait(10)

    def memory(self) -> int:
        """Bytes that the processes really cost: the proportional set size."""
        total = 0
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
                rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
                total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) * 1024
        return total


def ended(command: Sequence[str], log: Path, *, env: Mapping[str, str], seconds: float = 240) -> None:
    """Run a command that ends by itself, its output in `log`; fail with the end of that output where it fails."""
    with log.open("a") as out:
        code = subprocess.run(command, env=env, stdout=out, stderr=out, timeout=seconds).returncode
    assert code == 0, f"{shlex.join(map(str, command))} ended with {code}:\n{log.read_text()[-3000:]}"


@contextmanager
def held(
    command: Sequence[str],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
    stop: str = "TERM",
    grace: int = 20,
    **how: object,
) -> Iterator[Held]:
    """Run a command until the end of the block, its output in `log`.

    Args:
        command: what to run.
        log: where its output is added.
        env: its environment, by default the test's own.
        folder: a folder that is removed when it has ended.
        stop: the signal that asks it to end.
        grace: the seconds it may take to do so.
        how: more for `subprocess.Popen`.
    """
    given = {"HELD_STOP": stop, "HELD_GRACE": str(grace), "HELD_FOLDER": str(folder or "")}
    with log.open("a") as out:
        supervisor = subprocess.Popen(
            ["/bin/sh", "-c", SUPERVISOR, "held", *command],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            env={**(os.environ if env is None else env), **given},
            start_new_session=True,
            **how,
        )
    running = Held(supervisor)
    try:
        yield running
    finally:
        supervisor.stdin.close()
        try:
            supervisor.wait(grace + 10)
        except subprocess.TimeoutExpired:
            os.killpg(supervisor.pid, signal.SIGKILL)
            supervisor.wait()
