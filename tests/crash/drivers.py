"""Counts what a process asks of its drivers, and kills it at one of these operations.

An operation is a call that changes something outside the process: of the operating system on a path below the root, of
`sqlite3` or `psycopg`, a request to S3, a message given to an SMTP server. What only reads changes nothing, so a kill
before it is the kill after the change before it.
"""

from __future__ import annotations

import builtins
import io
import os
import signal
import smtplib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PATHS = ("mkdir", "rename", "replace", "link", "symlink", "unlink", "remove", "rmdir", "chmod", "truncate", "utime")
_HANDLES = ("fsync", "fdatasync", "fchmod", "ftruncate", "write")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CHANGING = ("insert", "update", "delete", "create", "alter", "drop", "pragma journal_mode")


class Drivers:
    """Hooks for this process, until it ends."""

    def __init__(self, root: str, log: Path, kill_at: int = 0, when: str = "before", stop: bool = False) -> None:
        """Write each operation's name to a log; kill (or stop) `before` or `after` the `kill_at`-th."""
        self.root, self._at = root.rstrip("/") + "/", (kill_at, when)
        self._signal = signal.SIGSTOP if stop else signal.SIGKILL
        self.done, self._lock = 0, threading.Lock()
        self._say, self._log = os.write, os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    @contextmanager
    def operation(self, name: str) -> Iterator[None]:
        """One operation."""
        with self._lock:
            self.done += 1
            mine = self.done
            self._say(self._log, f"{name}\n".encode())
        if self._at == (mine, "before"):
            os.kill(os.getpid(), self._signal)
        try:
            yield
        finally:
            if self._at == (mine, "after"):
                os.kill(os.getpid(), self._signal)

    def hook(self) -> None:
        """Hook every driver."""
        self._hook_files()
        self._hook_sqlite()
        self._hook_psycopg()
        self._hook_s3()
        self._wrap(smtplib.SMTP, "send_message", lambda *_: "smtp send_message")

    def _wrap(self, place: Any, name: str, named: Callable[..., str | None]) -> None:
        """Count a callable; `named` says what the call is, and None for one that changes nothing here."""
        real = getattr(place, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            operation = named(*args)
            if operation is None:
                return real(*args, **kwargs)
            with self.operation(operation):
                return real(*args, **kwargs)

        setattr(place, name, counted)

    def _hook_files(self) -> None:
        def below(path: Any) -> str | None:
            """The path below the root; None for another one. A handle is looked up."""
            if isinstance(path, int):
                try:
                    path = Path(f"/proc/self/fd/{path}").readlink()
                except OSError:
                    return None
            text = os.fsdecode(path)
            return text.removeprefix(self.root) if text.startswith(self.root) else None

        for name in _PATHS:

            def of_path(*args: Any, name: str = name) -> str | None:
                found = below(args[1] if name in ("rename", "replace", "link", "symlink") else args[0])
                return found and f"os.{name} {found}"

            self._wrap(os, name, of_path)
        for name in _HANDLES:

            def of_handle(handle: int, *_: Any, name: str = name) -> str | None:
                found = below(handle)
                return found and f"os.{name} {found}"

            self._wrap(os, name, of_handle)

        def opened(path: Any, flags: int, *_: Any) -> str | None:
            found = below(path) if flags & _WRITES else None
            return found and f"os.open {found}"

        self._wrap(os, "open", opened)
        real = io.open

        def watched(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            found = below(file) if {*mode} & {*"wax+"} else None
            if found is None:
                return real(file, mode, *args, **kwargs)
            if isinstance(file, int):
                return _File(self, real(file, mode, *args, **kwargs), found)
            with self.operation(f"open {found}"):
                return _File(self, real(file, mode, *args, **kwargs), found)

        io.open = builtins.open = watched  # type: ignore[assignment]

    def _hook_sqlite(self) -> None:
        drivers, real = self, sqlite3.dbapi2.connect

        class Cursor(sqlite3.Cursor):
            def execute(self, sql: str, *args: Any) -> Any:
                return drivers.statement("sqlite", sql, super().execute, sql, *args)

            def executemany(self, sql: str, *args: Any) -> Any:
                return drivers.statement("sqlite", sql, super().executemany, sql, *args)

        class Connection(sqlite3.Connection):
            def cursor(self, factory: Any = Cursor) -> Any:
                return super().cursor(factory)

            def execute(self, sql: str, *args: Any) -> Any:
                return self.cursor().execute(sql, *args)

            def commit(self) -> None:
                if not self.in_transaction:
                    return super().commit()
                with drivers.operation("sqlite commit"):
                    return super().commit()

        def connect(*args: Any, **kwargs: Any) -> sqlite3.Connection:
            return real(*args, **{**kwargs, "factory": Connection})

        sqlite3.dbapi2.connect = connect  # type: ignore[assignment]

    def _hook_psycopg(self) -> None:
        import psycopg

        def named(_: Any, sql: Any, *__: Any) -> str | None:
            return _changing("postgres", str(sql))

        self._wrap(psycopg.Cursor, "execute", named)
        self._wrap(psycopg.Cursor, "executemany", named)
        idle = psycopg.pq.TransactionStatus.IDLE
        self._wrap(
            psycopg.Connection,
            "commit",
            lambda one: None if one.info.transaction_status == idle else "postgres commit",
        )

    def _hook_s3(self) -> None:
        from aiobotocore.httpsession import AIOHTTPSession

        real = AIOHTTPSession.send

        async def send(session: Any, request: Any) -> Any:
            if request.method in ("GET", "HEAD"):
                return await real(session, request)
            with self.operation(f"s3 {request.method} {request.url.partition('?')[0].split('/', 3)[3]}"):
                return await real(session, request)

        AIOHTTPSession.send = send

    def statement(self, driver: str, sql: str, do: Callable[..., Any], *args: Any) -> Any:
        """Run one statement, counted where it changes something."""
        name = _changing(driver, sql)
        if name is None:
            return do(*args)
        with self.operation(name):
            return do(*args)


def _changing(driver: str, sql: str) -> str | None:
    text = " ".join(sql.split())
    return f"{driver} {text[:60]}" if text.casefold().startswith(_CHANGING) else None


class _File:
    """A file open for writing, whose every `write` counts and reaches the operating system at once."""

    def __init__(self, drivers: Drivers, file: Any, name: str) -> None:
        self._drivers, self._file, self._name = drivers, file, name

    def write(self, data: Any) -> int:
        with self._drivers.operation(f"write {self._name}"):
            written = self._file.write(data)
            self._file.flush()
            return int(written)

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
