"""The parent's side of reading: a worker process, started when it is needed and replaced when a file ends it."""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import IO, Any

import strike_reporting
from strike_reporting.errors import OurFault, Transient
from strike_reporting.judging.problems import Problem, Rejected, vocabulary
from strike_reporting.judging.reading.document import Document, Layout, Sheet, Unread
from strike_reporting.judging.reading.limits import Limits
from strike_reporting.judging.reading.wire import Broken, Late, layouts_out, part_in, receive, send
from strike_reporting.settings import settings

log = logging.getLogger(__name__)
_START_SECONDS = 120.0
# The limit is of processor time. A worker that has not used it up by this many times as long was kept from working.
_CLOCK = 5
_LEAST_CLOCK_SECONDS = 30.0
# No secret of ours goes where a file from outside is parsed.
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONHOME", "PYTHONPATH")


class Reader:
    """Reads files in a worker process, one at a time. Use it as a context manager, or `close` it."""

    def __init__(self, limits: Limits | None = None) -> None:
        """Set what one file may hold and take: by default the settings. No process is started yet."""
        self.limits = limits or limits_set()
        self._worker: _Worker | None = None
        self._lock = threading.Lock()
        self.owner = os.getpid()

    def begin(self) -> None:
        """Have the worker get ready beside what is done until the first read, which says if it cannot be started."""
        with self._lock, contextlib.suppress(OurFault):
            self._started()

    def read(self, data: bytes, layouts: Sequence[Layout]) -> Document:
        """Parse a file once.

        Args:
            data: its bytes.
            layouts: the ways in which delimited text may be read.

        Raises:
            Rejected: it cannot be read. A worker that ends while it reads is tried once more with a fresh one that
                has read nothing else, before the file is blamed.
            OurFault: no worker can be started, or a reader has a fault.
            Transient: the machine gave the worker too little of its time.
        """
        asked = {"layouts": layouts_out(list(layouts))}
        with self._lock:
            for _ in range(2):
                try:
                    return self._attempt(data, asked)
                except _Died as died:
                    log.warning("a reading worker ended (%s) on a file of %d bytes", died, len(data))
            refused = self._too_large()
            with contextlib.suppress(_Died):  # only what is at hand can be searched
                self._attempt(data, {"refused": asdict(refused.problem)})
        raise refused

    def _too_large(self) -> Rejected:
        return Rejected(
            "too_large_to_read",
            f"the file could not be read within {self.limits.read_memory_bytes >> 20:,} MB of memory and "
            f"{self.limits.read_seconds:g} seconds: it is far larger than it looks, or damaged",
            "Copy only the table, its headings and its rows, into a new file and send that; if it is long, split it "
            "by day.",
        )

    def _started(self) -> _Worker:
        if self.owner != os.getpid():  # a fork's: that worker is its parent's
            self._worker, self.owner = None, os.getpid()
        if self._worker is None or not self._worker.alive:
            self.close()
            self._worker = _Worker(self.limits)
        return self._worker

    def _attempt(self, data: bytes, asked: dict[str, Any]) -> Document:
        worker = self._started()
        try:
            return Document.of(worker.read(data, asked))
        except (Rejected, OurFault):
            raise
        except Late as late:
            self.close()
            waited = f"{_clock_seconds(self.limits):g} seconds"
            raise Transient(f"this machine was too busy to read a file within {waited}; it is tried again") from late
        except BaseException:  # an interrupted answer would be taken for the next file's
            self.close()
            raise

    def close(self) -> None:
        """End the worker."""
        worker, self._worker = self._worker, None
        if worker and self.owner == os.getpid():
            worker.end()

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Died(Exception):
    """The worker ended, or was ended, before it had answered."""


class _Worker:
    """One worker process."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        command = [sys.executable, "-P", "-m", f"{__package__}.worker", str(os.getpid()), json.dumps(asdict(limits))]
        said = tempfile.TemporaryFile()  # noqa: SIM115 - closed as soon as the worker has said that it is ready
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, bufsize=0, env=_environment()
            )
        except OSError as error:
            said.close()
            raise OurFault(f"no reading worker can be started: {error}") from error
        assert self._process.stdin and self._process.stdout  # noqa: S101 - they are pipes
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._in, False)
        self._said: IO[bytes] | None = said

    def _wait_ready(self) -> None:
        if self._said is None:
            return
        with self._said as said:
            self._said = None
            try:
                until = monotonic() + _START_SECONDS
                with self._told_apart():
                    send(self._in, {}, " ".join(sorted(vocabulary())).encode(), until)
                    receive(self._out, 0, until)
            except (_Died, Late) as error:
                self.end()
                raise OurFault(f"the reading worker does not start ({error}): {_last_line(said)}") from None

    @property
    def alive(self) -> bool:
        """Whether the process runs; one that ended while idle is no file's fault."""
        return self._process.poll() is None

    def read(self, data: bytes, asked: dict[str, Any]) -> Iterator[Sheet | Unread]:
        """The parts of a document, as they come."""
        self._wait_ready()
        until = monotonic() + _clock_seconds(self.limits)
        with self._told_apart():
            send(self._in, asked, data, until)
            while True:
                head, payload = receive(self._out, self.limits.read_memory_bytes, until)
                if "end" in head:
                    return
                if "rejected" in head:
                    raise Rejected.of(Problem(**head["rejected"]))
                if "fault" in head:
                    raise OurFault(f"a reader failed: {head['fault']}")
                yield part_in(head, payload)

    @contextlib.contextmanager
    def _told_apart(self) -> Iterator[None]:
        try:
            yield
        except Broken as error:
            self._process.kill()
            raise _Died(f"{error}; exit code {self._process.wait()}") from error

    def end(self) -> None:
        """Kill the process and free what it held."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._said):
            if pipe:
                pipe.close()


def _clock_seconds(limits: Limits) -> float:
    return max(limits.read_seconds * _CLOCK, _LEAST_CLOCK_SECONDS)


def limits_set() -> Limits:
    """The limits that the settings give."""
    known = settings()
    return Limits(**{f.name: getattr(known, f.name) for f in fields(Limits)})


def _environment() -> dict[str, str]:
    kept = {n: os.environ[n] for n in _ENVIRONMENT if n in os.environ}
    package = str(Path(strike_reporting.__file__).parent.parent)
    path = os.pathsep.join(p for p in (package, kept.get("PYTHONPATH", "")) if p)
    return {**kept, "PYTHONPATH": path, "ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "2"}


def _last_line(said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read()[-2_000:].decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


_shared: Reader | None = None


def shared_reader() -> Reader:
    """This process's own reader, ended with it; never that of a process which it was forked from."""
    global _shared
    if _shared is None or _shared.owner != os.getpid() or _shared.limits != limits_set():
        if _shared:
            _shared.close()
        _shared = Reader()
        atexit.register(_shared.close)
    return _shared
