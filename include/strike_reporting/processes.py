"""Which process left something behind, and whether it still lives: for claims, temporary files and letters in hand."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from strike_reporting.settings import settings


@cache
def _boot() -> str:
    """This boot of this machine; containers of one machine share it."""
    place = Path("/proc/sys/kernel/random/boot_id")
    return place.read_text(encoding="ascii").strip()[:8] if place.exists() else socket.gethostname()


def _started(pid: int) -> str | None:
    """When a process began, in clock ticks since boot, so that a number used again is not taken for it; None: gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else fields[19]


def _namespace() -> str:
    """The process namespace: numbers of another container mean nothing here."""
    try:
        return str(Path("/proc/self/ns/pid").readlink()).strip("pid:[]")
    except OSError:
        return "0"


def me() -> str:
    """This process, as one word that is also good in a file's name."""
    pid = os.getpid()
    return f"{_boot()}-{_namespace()}-{pid}-{_started(pid) or 0}"


def is_alive(owner: str) -> bool | None:
    """Whether that process lives; None when it is of another machine, or container, and cannot be asked."""
    try:
        boot, namespace, pid, started = owner.rsplit("-", 3)
    except ValueError:
        return None
    if (boot, namespace) != (_boot(), _namespace()):
        return None
    now = _started(int(pid))
    return now is not None and now == started


def is_free(owner: str, claimed_at: str, now: datetime) -> bool:
    """Whether whoever claimed something is known to be dead, or has been silent for longer than the lease."""
    alive = is_alive(owner)
    if alive is not None:
        return not alive or owner == me()
    lease = timedelta(seconds=settings().claim_lease_seconds)
    return now - datetime.fromisoformat(claimed_at) > lease
