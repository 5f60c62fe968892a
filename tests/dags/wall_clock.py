"""A wall clock that a test moves, for all processes of an Airflow at once: they run as ever, at another time.

A few lines of C stand before the system's functions (`wall_clock.c`). Debian's libfaketime (0.9.10) cannot do it: with
the monotonic clock left alone, Python's `time.sleep` fails under it.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

COMPILER = shutil.which("cc")


class WallClock:
    """Runs on from where it was last set. Measured spans (the monotonic clock) are the real ones."""

    def __init__(self, folder: Path, begin: datetime) -> None:
        self._file, library = folder / "wall_clock", folder / "wall_clock.so"
        source = Path(__file__).with_suffix(".c")
        command = [str(COMPILER), "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", str(library)]
        subprocess.run([*command, str(source)], check=True, timeout=60)
        self._file.write_bytes(bytes(8))
        self._set(begin)
        self.environment = {"LD_PRELOAD": str(library), "WALL_CLOCK_FILE": str(self._file)}

    def now(self) -> datetime:
        """What the processes take the time to be."""
        return datetime.fromtimestamp(time.time() + self._ahead, UTC)

    def jump(self, moment: datetime) -> None:
        """Move it on to a moment, unless it is past it: it never goes back."""
        if self.now() < moment:
            self._set(moment)

    def _set(self, moment: datetime) -> None:
        self._ahead = int(moment.timestamp() - time.time()) + 1
        with self._file.open("r+b") as file:
            file.write(struct.pack("=q", self._ahead))
