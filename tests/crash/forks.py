"""A process that has imported everything, started nothing, and forks a child for each piece of work it is told of.

`python forks.py`, with commands as lines of JSON on standard input: importing takes some ten seconds, forking none.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

_USED = (
    "alembic.command",
    "alembic.config",
    "altair",
    "duckdb",
    "gptables",
    "great_expectations",
    "pandas.core.reshape.reshape",
    "psycopg",
    "pyarrow.acero",
    "pyarrow.dataset",
    "pyarrow.fs",
    "s3fs",
    "vl_convert",
    "strike_reporting.operations.mail",
    "strike_reporting.operations.rounds",
)


class Forks:
    """The test's side."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        """Start the process; what children print goes to the log."""
        self.log = log
        with log.open("a") as said:
            self._process = subprocess.Popen(
                [sys.executable, __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                env={**os.environ, **environment, "OPENBLAS_NUM_THREADS": "1", "GX_ANALYTICS_ENABLED": "false"},
            )
        self._ask({})  # it has imported everything

    def start(self, what: str, environment: dict[str, str], **given: Any) -> int:
        """Fork a child that does one thing; its process id."""
        return int(self._ask({"what": what, "environment": environment, "given": given}))

    def wait(self, pid: int) -> int:
        """Wait for a child: its exit code, or minus the signal that ended it."""
        return int(self._ask({"wait": pid}))

    def run(self, what: str, environment: dict[str, str], **given: Any) -> None:
        """Fork a child and wait; it must end well."""
        code = self.wait(self.start(what, environment, **given))
        if code:
            raise AssertionError(f"{what} {given} ended with {code}: {self.last_words()}")

    def last_words(self) -> str:
        """The end of what children printed."""
        return self.log.read_text(errors="replace")[-1500:]

    def close(self) -> None:
        """End the process, and with it its children."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def _ask(self, command: dict[str, Any]) -> Any:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise AssertionError(f"the forking process ended: {self.last_words()}")
        return json.loads(answer)


def main() -> None:
    """Answer commands until standard input ends."""
    _preload()
    for line in sys.stdin:
        command = json.loads(line)
        answer: int = 0
        if "wait" in command:
            answer = os.waitstatus_to_exitcode(os.waitpid(command["wait"], 0)[1])
        elif "what" in command:
            answer = _fork(command["what"], command["environment"], command["given"])
        print(answer, flush=True)


def _fork(what: str, environment: dict[str, str], given: dict[str, Any]) -> int:
    parent, pid = os.getpid(), os.fork()
    if pid:
        return pid
    code = 1
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # end with the parent
        if os.getppid() != parent:
            os._exit(1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        os.environ.update(environment)
        _TASKS[what](**given)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _preload() -> None:
    """Import and make ready what a round uses, without a thread, a connection or a process."""
    for name in _USED:
        import_module(name)
    import world
    from strike_reporting.extracts import EXTRACTS, load
    from strike_reporting.intake import registry
    from strike_reporting.judging import rules
    from strike_reporting.publishing import manifest
    from strike_reporting.site import draw, pages

    world.freeze()
    for extract in EXTRACTS:
        rules._definition(load(extract))
    registry.load_feeds()
    manifest.commit(), manifest.code_sha256(), manifest.libraries(), draw.site_version()
    for name in pages.environment().list_templates(["jinja"]):
        pages.environment().get_template(name)


def _work(stages: list[str], root: str = "", log: str = "", kill_at: int = 0, when: str = "before") -> None:
    """Some stages of a round, counted or killed where a log is given."""
    import world
    from drivers import Drivers

    if log:
        Drivers(root, Path(log), kill_at, when).hook()
    world.work(stages)


def _read(stop: str, known: dict[str, list[str]]) -> None:
    """Look at releases again and again, until a file appears."""
    from reader import Reader

    reader = Reader(known)
    while not Path(stop).exists():
        reader.look()
        time.sleep(0.1)
    reader.look()


def _tell(action_id: str, to: str) -> None:
    """What a reader is told of an action now."""
    from reader import digest

    Path(to).write_text(digest(action_id))


_TASKS = {"work": _work, "read": _read, "tell": _tell}

if __name__ == "__main__":
    main()
