"""What the crash tests share: one forking process, one SMTP server, and the two set-ups with a round run in each."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import world
from aiosmtpd.controller import Controller
from crashing import Crashing, Inbox
from forks import Forks
from s3 import s3
from servers import free_port
from setups import BUCKET, Folder, ObjectStore


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    """A folder in memory where there is one: a round syncs hundreds of files, and here nobody pulls the plug."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def inbox() -> Iterator[tuple[Inbox, int]]:
    held, port = Inbox(), free_port()
    server = Controller(held, hostname="127.0.0.1", port=port)
    server.start()
    yield held, port
    server.stop()


@pytest.fixture(scope="session")
def forks(place: Path, inbox: tuple[Inbox, int]) -> Iterator[Forks]:
    made = Forks({**world.make(place), "CRASH_SMTP_PORT": str(inbox[1])}, place / "log")
    yield made
    made.close()


@pytest.fixture(scope="session")
def on_folder(forks: Forks, inbox: tuple[Inbox, int], place: Path) -> Crashing:
    return Crashing(Folder(place), forks, inbox[0], place)


@pytest.fixture(scope="session")
def on_s3(forks: Forks, inbox: tuple[Inbox, int], place: Path, postgres_server: str) -> Iterator[Crashing]:
    with s3(BUCKET) as server:
        yield Crashing(ObjectStore(server, postgres_server), forks, inbox[0], place)


@pytest.fixture(scope="session", params=["folder", pytest.param("s3", marks=pytest.mark.exhaustive)])
def crashing(request: pytest.FixtureRequest) -> Crashing:
    """The round on a folder with SQLite; only where every case is asked for, on S3 with PostgreSQL too."""
    return request.getfixturevalue(f"on_{request.param}")
