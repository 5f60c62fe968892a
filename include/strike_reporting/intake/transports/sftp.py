"""SFTP: pinned host key, password or private key, and whole files only."""

from __future__ import annotations

import base64
import fnmatch
import io
import posixpath
import socket
import stat
import time
from contextlib import suppress

import paramiko

from strike_reporting.intake.transports import PullFailed, RemoteFile, TooLarge
from strike_reporting.intake.transports.connections import Endpoint
from strike_reporting.settings import settings


class Sftp:
    """One server and account. The connection's extra holds `host_key` (as in known_hosts: type and base64).

    Optional in the extra: `private_key` (PEM text), `timeout`, `deadline` and `settle` in seconds.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        """Keep where to connect; nothing is opened before the first listing."""
        self.endpoint = endpoint
        self.timeout = float(endpoint.extra.get("timeout", settings().sftp_timeout_seconds))
        self.deadline = float(endpoint.extra.get("deadline", settings().sftp_deadline_seconds))
        self.settle = float(endpoint.extra.get("settle", settings().sftp_settle_seconds))
        self.client: paramiko.SFTPClient | None = None
        self.transport: paramiko.Transport | None = None

    def list(self, location: str) -> list[RemoteFile]:
        """Files that match the location's last part, oldest first. `NAME.done` beside NAME says that it is whole.

        Raises:
            PullFailed: cannot connect, wrong host key or password (permanent), or no such folder.
        """
        folder, pattern = posixpath.split(location)
        client = self._open()
        try:
            seen = self._look(client, folder or ".", pattern or "*")
        except FileNotFoundError as error:
            raise PullFailed(f"the folder of {location!r} is not on the server") from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise self._lost(error) from error
        facts = {"transport": "sftp", "host": self.endpoint.host, "folder": folder}
        found = [
            RemoteFile(
                name,
                size,
                modified,
                {**facts, "path": posixpath.join(folder, name)},
                settles=0 if f"{name}.done" in seen else self.settle,
            )
            for name, (size, modified) in seen.items()
            if not name.endswith(".done")
        ]
        return sorted(found, key=lambda f: (f.modified or 0, f.name))

    def _look(self, client: paramiko.SFTPClient, folder: str, pattern: str) -> dict[str, tuple[int, float]]:
        listed = client.listdir_attr(folder)
        return {
            a.filename: (a.st_size or 0, a.st_mtime or 0)
            for a in listed
            if stat.S_ISREG(a.st_mode or 0)
            and not a.filename.startswith(".")
            and (fnmatch.fnmatchcase(a.filename, pattern) or a.filename.endswith(".done"))
        }

    def fetch(self, file: RemoteFile, max_bytes: int) -> bytes:
        """One file's bytes, whole.

        Raises:
            PullFailed: the connection was lost or stalled, the file changed while it was read, or it is larger
                than `max_bytes` (permanent).
        """
        client = self._open()
        path = file.facts["path"]
        buffer, chunk_bytes, until = io.BytesIO(), settings().sftp_chunk_bytes, time.monotonic() + self.deadline
        try:
            with client.open(path, "rb", bufsize=chunk_bytes) as remote:
                while chunk := remote.read(chunk_bytes):
                    buffer.write(chunk)
                    if buffer.tell() > max_bytes:
                        raise TooLarge(repr(file.name), max_bytes)
                    if time.monotonic() > until:
                        raise PullFailed(f"{file.name!r} took longer than {self.deadline:.0f} seconds")
            size = client.stat(path).st_size
        except (FileNotFoundError, PermissionError) as error:
            why = "is gone" if isinstance(error, FileNotFoundError) else "may not be read by our account"
            raise PullFailed(f"{file.name!r} {why}", permanent=True) from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            if type(error) is OSError and error.errno is None and str(error) != "Socket is closed":
                raise PullFailed(f"the server did not give {file.name!r}: {error}") from error
            raise self._lost(error) from error
        if size != buffer.tell() or (file.size is not None and size != file.size):
            raise PullFailed(f"{file.name!r} changed while it was read; it is left for the next round")
        return buffer.getvalue()

    def _open(self) -> paramiko.SFTPClient:
        if self.client is not None:
            return self.client
        end = self.endpoint
        key = _host_key(end)
        try:
            plug = socket.create_connection((end.host, end.port or 22), self.timeout)
        except OSError as error:
            raise PullFailed(f"no connection to {end.host}: {error.strerror or error}") from error
        self.transport = paramiko.Transport(plug)
        self.transport.banner_timeout = self.transport.auth_timeout = self.timeout
        try:
            self.transport.start_client(timeout=self.timeout)
            self._check(key)
            self._log_in()
            client = paramiko.SFTPClient.from_transport(self.transport)
        except paramiko.AuthenticationException as error:
            self.close()
            raise PullFailed(f"{end.host} refused the login of {end.login!r}", permanent=True) from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            self.close()
            raise self._lost(error) from error
        except PullFailed:
            self.close()
            raise
        if client is None:
            raise PullFailed(f"{end.host} offers no SFTP", permanent=True)
        channel = client.get_channel()
        if channel is not None:
            channel.settimeout(self.timeout)
        self.client = client
        return client

    def _check(self, key: paramiko.PKey) -> None:
        """Before any secret is sent: is it the server we know?"""
        assert self.transport is not None  # noqa: S101 - called by _open
        shown = self.transport.get_remote_server_key()
        if shown != key:
            raise PullFailed(
                f"the host key of {self.endpoint.host} has changed: pinned {_print(key)}, shown {_print(shown)}. "
                "Ask the trust before changing the connection",
                permanent=True,
            )

    def _log_in(self) -> None:
        assert self.transport is not None  # noqa: S101 - called by _open
        end = self.endpoint
        if pem := end.extra.get("private_key"):
            self.transport.auth_publickey(end.login or "", _private_key(pem))
        else:
            self.transport.auth_password(end.login or "", end.password or "")

    def _lost(self, error: Exception) -> PullFailed:
        self.close()
        why = "timed out" if isinstance(error, TimeoutError) else (str(error) or type(error).__name__)
        return PullFailed(f"the connection to {self.endpoint.host} was lost: {why}")

    def acknowledge(self, file: RemoteFile) -> None:
        """Nothing: the file stays where the trust put it."""

    def close(self) -> None:
        """End the connection; it is opened again when needed."""
        with suppress(Exception):
            if self.transport is not None:
                self.transport.close()
        self.client = self.transport = None


def _private_key(pem: str) -> paramiko.PKey:
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(pem))
        except (paramiko.SSHException, ValueError):
            continue
    raise PullFailed(
        "the connection's private key is not an Ed25519, ECDSA or RSA key without a pass phrase", permanent=True
    )


def _host_key(end: Endpoint) -> paramiko.PKey:
    text = str(end.extra.get("host_key", "")).split()
    if len(text) < 2:
        raise PullFailed(f"the connection to {end.host} pins no host key (extra: host_key)", permanent=True)
    try:
        return paramiko.PKey.from_type_string(text[0], base64.b64decode(text[1]))
    except (ValueError, paramiko.SSHException) as error:
        raise PullFailed(f"the host key pinned for {end.host} cannot be read", permanent=True) from error


def _print(key: paramiko.PKey) -> str:
    return str(key.fingerprint)
