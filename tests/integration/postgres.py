"""PostgreSQL for tests: Debian's own, unprivileged, on loopback, gone with the test however that ends.

Fixtures (registered by `tests/conftest.py`): `postgres_server` is one server a session, `postgres_url` an empty
database of it for one test. Both are SQLAlchemy URLs.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from held import held
from servers import free_port
from sqlalchemy import URL, make_url

BINARIES = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), default=None)
SPEED = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")


def unprivileged() -> dict[str, object]:
    """What `subprocess` needs so that root starts a server as somebody else (PostgreSQL refuses root)."""
    if os.getuid() != 0:
        return {}
    names = {user.pw_name for user in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@contextmanager
def postgres() -> Iterator[str]:
    """A new server in a temporary folder: the SQLAlchemy URL of its superuser's database `postgres`."""
    if BINARIES is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql (see .ci/system-packages)")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # not below pytest's own, which only its owner may enter
    try:
        yield from _serve(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _serve(folder: Path) -> Iterator[str]:
    who, data = unprivileged(), folder / "data"
    url = URL.create("postgresql+psycopg", "strikes", secrets.token_hex(16), "127.0.0.1", free_port(), "postgres")
    (folder / "password").write_text(str(url.password))
    if who:
        for path in (folder, folder / "password"):
            shutil.chown(path, who["user"], who["group"])
    initdb = [str(BINARIES / "initdb"), "-D", str(data), "-U", "strikes", "--pwfile", str(folder / "password")]
    initdb += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd="/", **who)
    options = [f"listen_addresses={url.host}", f"port={url.port}", f"unix_socket_directories={folder}", *SPEED]
    command = [str(BINARIES / "postgres"), "-D", str(data), *(part for option in options for part in ("-c", option))]
    with held(command, folder / "log", folder=folder, stop="INT", cwd="/", **who):  # INT: without waiting for clients
        _wait(url, folder / "log")
        yield url.render_as_string(hide_password=False)


@contextmanager
def database(server: str) -> Iterator[str]:
    """An empty database on a server, dropped afterwards with whatever is still connected."""
    url = make_url(server).set(database=f"test_{secrets.token_hex(6)}")
    execute(server, f'CREATE DATABASE "{url.database}"')
    try:
        yield url.render_as_string(hide_password=False)
    finally:
        execute(server, f'DROP DATABASE "{url.database}" WITH (FORCE)')


def execute(url: str, statement: str) -> None:
    """Run one statement outside a transaction."""
    with psycopg.connect(plain(url), autocommit=True) as connection:
        connection.execute(statement)


def plain(url: str | URL) -> str:
    """The same URL as libpq and its tools know it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    with database(postgres_server) as url:
        yield url


def _wait(url: URL, log: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(plain(url)).close()
            return
        time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}")
