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

_PLUGINS = Path(__file__).parents[2] / "plugins"
_USED = (  # beside what Airflow's own forks have
    "duckdb",
    "pyarrow.dataset",
    "pyarrow.fs",
    "s3fs",
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
        return os.waitstatus_to_exitcode(self._ask({"wait": pid, "options": 0})[1])

    def poll(self, pid: int) -> int | None:
        """The same of a child that may not have ended: None."""
        ended, status = self._ask({"wait": pid, "options": os.WNOHANG})
        return os.waitstatus_to_exitcode(status) if ended else None

    def is_stopped(self, pid: int) -> bool:
        """Wait until a child stands still; False when it ended instead."""
        return os.WIFSTOPPED(self._ask({"wait": pid, "options": os.WUNTRACED})[1])

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
        answer: Any = None
        if "wait" in command:
            answer = os.waitpid(command["wait"], command["options"])
        elif "what" in command:
            answer = _fork(command["what"], command["environment"], command["given"])
        print(json.dumps(answer), flush=True)


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
    sys.path.append(str(_PLUGINS))
    from airflow_local_settings import warm

    warm()
    for name in _USED:
        import_module(name)
    import world
    from strike_reporting.extracts import EXTRACTS, load
    from strike_reporting.intake import registry
    from strike_reporting.judging import rules
    from strike_reporting.publishing import manifest
    from strike_reporting.site import draw, rendering

    world.freeze()
    for extract in EXTRACTS:
        rules._definition(load(extract))
    registry.load_feeds()
    manifest.commit(), manifest.code_sha256(), manifest.libraries(), draw.site_version()
    for name in rendering.environment().list_templates(["jinja"]):
        rendering.environment().get_template(name)


def _work(stages: list[str], waits: bool = False, root: str = "", log: str = "", **kill: Any) -> None:
    """Some stages of a round; where a log is given, its operations are counted."""
    import world
    from drivers import Drivers

    if log:
        Drivers(root, Path(log), **kill).hook()
    world.work(stages, waits)


def _read(stop: str, known: dict[str, list[str]]) -> None:
    """Look at releases again and again, until a file appears."""
    from reader import Reader

    reader = Reader(known)
    while not Path(stop).exists():
        reader.look()
        time.sleep(reader.pause)
    reader.look()


def _tell(action_id: str, to: str) -> None:
    """What a reader is told of an action now."""
    from reader import digest

    Path(to).write_text(digest(action_id))


def _read_slowly(begun: str, go: str) -> None:
    """Find the current release, and read it when somebody says so."""
    from reader import read_slowly

    read_slowly(Path(begun), Path(go))


def _board(to: str, stop: str = "") -> None:
    """The returns board, once, or again and again in one process until a file appears."""
    import world
    from strike_reporting.operations.rounds import returns_board
    from strike_reporting.storage import Store

    store = Store()
    while True:
        page = returns_board(store, world.ACTIONS[0], world.NOW)
        Path(f"{to}.new").write_text(page)
        Path(f"{to}.new").rename(to)
        if not stop or Path(stop).exists():
            return


def _take(name: str, to: str) -> None:
    """Try to be the first to write each of some keys."""
    from strike_reporting.storage import Store

    store = Store()
    keys = [f"claims/{n}" for n in range(12)]
    Path(to).write_text("\n".join(key for key in keys if store.create(key, name.encode())))


_TASKS = {f.__name__.lstrip("_"): f for f in (_work, _read, _read_slowly, _tell, _board, _take)}

if __name__ == "__main__":
    main()
