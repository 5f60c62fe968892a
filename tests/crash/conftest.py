"""What the crash tests share: one forking process, one SMTP server, and the two set-ups with a round run in each."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import world
from aiosmtpd.controller import Controller
from forks import Forks
from s3 import S3, s3
from servers import free_port
from setups import BUCKET, Folder, ObjectStore
from undisturbed import Inbox, Undisturbed


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
def bucket() -> Iterator[S3]:
    with s3(BUCKET) as server:
        yield server


@pytest.fixture(scope="session")
def on_folder(forks: Forks, inbox: tuple[Inbox, int], place: Path) -> Undisturbed:
    return Undisturbed(Folder(place), forks, inbox[0], place)


@pytest.fixture(scope="session")
def on_s3(forks: Forks, inbox: tuple[Inbox, int], place: Path, bucket: S3, postgres_server: str) -> Undisturbed:
    return Undisturbed(ObjectStore(bucket, postgres_server), forks, inbox[0], place)


@pytest.fixture(scope="session", params=["folder", "s3"])
def rounds(request: pytest.FixtureRequest) -> Undisturbed:
    """The round on a folder with SQLite, and on S3 with PostgreSQL."""
    return request.getfixturevalue(f"on_{request.param}")
