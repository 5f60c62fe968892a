"""What the tests of pulling share: feeds, files as senders leave them, and a web server that does as it is told."""

from __future__ import annotations

import json
import os
import ssl
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from servers import authority
from strike_reporting.intake.collecting import Pulled, collect
from strike_reporting.intake.registry import Feed
from strike_reporting.ledger import ledger_of
from strike_reporting.settings import settings
from strike_reporting.storage import Store

HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
Settings = Callable[..., None]


def csv(count: int) -> bytes:
    return f"{HEAD}RHU,2023-04-11,day_case,cancelled,{count}\n".encode()


def old(path: Path, data: bytes, age: float = 3600) -> Path:
    """A file that has lain there for a while."""
    path.write_bytes(data)
    os.utime(path, (time.time() - age,) * 2)
    return path


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Settings:
    def give(**values: object) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"STRIKES_{name.upper()}", str(value))
        settings.cache_clear()

    give(retry_after_seconds="0.01")
    return give


def names(pulled: Pulled) -> list[str]:
    return [r.source_name for r in pulled.landed]


def pull(store: Store, feed: Feed, collection: str = "r", *, at_once: bool = False) -> Pulled:
    [pulled] = collect(store, collection, [feed], at_once=at_once)
    return pulled


class Web:
    """An HTTPS server whose every answer the test gives, and which writes down what it was asked."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, connection: str = "web", timeout: int = 3) -> None:
        self.connection, self.slow = connection, 0.0
        self.meanwhile: Callable[[], object] = lambda: None  # what is done while a question waits for its answer
        self.busy: list[tuple[float, int]] = []  # when a question came (1) and was answered (-1)
        self.files: dict[str, bytes] = {}
        self.answers: dict[str, int] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.index: Any = None
        self.asked: list[tuple[str, str]] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.removeprefix("/files/")
                web.busy.append((time.monotonic(), 1))
                time.sleep(web.slow)
                web.meanwhile()
                web.asked.append((self.path, self.headers.get("Authorization", "")))
                if not name:
                    return self.send(200, json.dumps(web.listed()).encode(), {})
                code = web.answers.get(name, 200 if name in web.files else 404)
                headers = web.headers.get(name, {})
                if code == 200 and headers.get("ETag", "") == self.headers.get("If-None-Match", "none"):
                    return self.send(304, b"", headers)
                return self.send(code, web.files.get(name, b"") if code == 200 else b"", headers)

            def send(self, code: int, body: bytes, headers: dict[str, str]) -> None:
                web.busy.append((time.monotonic(), -1))
                self.send_response(code)
                for key, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """What was asked is in `asked`."""

        ca, certificate, key = authority(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        value = {"conn_type": "http", "host": "127.0.0.1", "port": self.port, "login": "trust", "password": "sesame"}
        value = {**value, "extra": {"ca": str(ca), "timeout": timeout}}
        patch.setenv(f"AIRFLOW_CONN_{connection.upper()}", json.dumps(value))

    def listed(self) -> Any:
        if self.index is not None:
            return self.index
        return [self.entry(n, len(d)) for n, d in self.files.items()]

    def entry(self, name: str, size: int) -> dict[str, object]:
        return {"name": name, "type": "file", "mtime": "Tue, 11 Apr 2023 09:00:00 GMT", "size": size}

    def fetched(self) -> list[str]:
        """Names that were asked for since the last call."""
        asked, self.asked = self.asked, []
        return [path.removeprefix("/files/") for path, _ in asked if path != "/files/"]

    def feed(self, location: str = "files/") -> Feed:
        return feed_at(location, transport="https", connection=self.connection)


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: Settings) -> Iterator[Web]:
    made = Web(tmp_path / "ca", monkeypatch)
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def inbox(tmp_path: Path, given: Settings) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def feed_at(location: Path | str, **more: object) -> Feed:
    """A feed of one trust's cancellations; of a folder, unless more is said."""
    return Feed(trust="RHU", extract="cancellations", location=str(location), contact="a@b.example", **more)


def open_the_way_to(folder: Path) -> None:
    """Let others than us reach a folder: a test's lie below one that only its owner may enter."""
    for above in folder.parents:
        if not above.stat().st_mode & stat.S_IXOTH:
            above.chmod(above.stat().st_mode | stat.S_IXGRP | stat.S_IXOTH)


@contextmanager
def unprivileged(store: Store, *folders: Path) -> Iterator[None]:
    """Without root's right to read everything."""
    if os.geteuid() != 0:
        yield
        return
    ledger_of(store)
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, 65534, 65534)
        open_the_way_to(folder)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
