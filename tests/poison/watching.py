"""The memory that a run and its readers take, watched while it runs."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

READER_MB = 1024  # the limit that the settings give a reader


@dataclass
class Peaks:
    """The most that any reader, and any other process, had in memory at once, in MB."""

    reader: int = 0
    other: int = 0


@contextmanager
def looking(look: Callable[[], None], seconds: float) -> Iterator[None]:
    """Look again and again, during the block."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(seconds):
            look()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


@contextmanager
def memory(pid: int) -> Iterator[Peaks]:
    """The peaks of a process and all that it starts, during the block; of the test's own only what it starts."""
    peaks, root = Peaks(), psutil.Process(pid)

    def look() -> None:
        try:
            family = root.children(recursive=True) + [root] * (pid != os.getpid())
        except psutil.NoSuchProcess:
            return
        for process in family:
            note(process.pid)

    def note(pid: int) -> None:
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:  # it has ended
            return
        if "VmHWM:" in status:
            peak = int(status.split("VmHWM:")[1].split()[0]) >> 10
            if b"reading.worker" in command:
                peaks.reader = max(peaks.reader, peak)
            else:
                peaks.other = max(peaks.other, peak)

    with looking(look, 0.02):
        yield peaks
