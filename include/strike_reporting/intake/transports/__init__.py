"""Transports: list what a trust has put somewhere and fetch it. Nothing else; landing is shared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from importlib import import_module
from typing import Any, Protocol

from strike_reporting.errors import Transient
from strike_reporting.intake.transports.kinds import KINDS
from strike_reporting.showing import safe_name


class PullFailed(Transient):
    """A pull did not work. `permanent` means that retrying cannot help; the message says what to do."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        """Keep the message and whether a retry is pointless."""
        super().__init__(message)
        self.permanent = permanent


class TooLarge(PullFailed):
    """A file is larger than we take, and is not landed: its sender must send another one."""

    def __init__(self, name: str, max_bytes: int, how: str = "is larger than") -> None:
        """Say which file, as it is shown."""
        super().__init__(f"{name} {how} {max_bytes:,} bytes", permanent=True)


VALIDATORS = ("etag", "last_modified")  # facts by which a server can say that a file is as it was


class Unchanged(Exception):
    """The server says that a file is as it was when it was last landed."""


@dataclass(frozen=True)
class RemoteFile:
    """One file on the other side. `name` is a fact to show, never a path to write to.

    facts: with `path`, by which the transport fetches it: it tells files of one server apart and is kept nowhere.
    seen: the `VALIDATORS` of its last landing; `fetch` adds the present ones to `facts`.
    settles: seconds for which it must stay as it is, or it may be half of a file; 0 where it is known to be whole.
    problem: why it cannot be fetched, where the listing says so.
    """

    name: str
    size: int | None
    modified: float | None
    facts: dict[str, Any]
    seen: dict[str, str] = field(default_factory=dict)
    settles: float = 0
    problem: str = ""

    def __str__(self) -> str:
        """As a log may name it."""
        return safe_name(self.name)

    @cached_property
    def key(self) -> str:
        """What tells it apart at its feed."""
        where = (self.facts.get("transport"), self.facts.get("host"), self.facts.get("path"))
        return sha256(repr(where).encode("utf-8", "backslashreplace")).hexdigest()[:24]


class Transport(Protocol):
    """What every transport does."""

    def list(self, location: str) -> Iterable[RemoteFile]:
        """Files matching the location, oldest first. Raises `PullFailed`."""

    def fetch(self, file: RemoteFile, max_bytes: int) -> bytes:
        """One file's bytes. Raises `Unchanged`, or `PullFailed`, also when it is larger than `max_bytes`."""

    def acknowledge(self, file: RemoteFile) -> None:
        """Called once a file's landing is durable; only a message exchange has something to do."""

    def close(self) -> None:
        """End what was opened."""


def open_transport(kind: str, connection: str | None) -> Transport:
    """The transport of a feed.

    Raises:
        PullFailed: this build has no such transport (permanent).
    """
    from strike_reporting.intake.transports.connections import endpoint

    if kind not in KINDS:
        raise PullFailed(f"there is no transport called {kind!r}", permanent=True)
    known = KINDS[kind]
    opens: Callable[..., Transport] = getattr(import_module(f"{__name__}.{kind}"), known.opens)
    if known.connection == "none":
        return opens()
    return opens(endpoint(connection) if connection or known.connection == "must" else None)
