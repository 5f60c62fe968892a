"""Object stores through fsspec: `s3://`, and Azure or Google by installing their driver."""

from __future__ import annotations

from typing import Any

import fsspec

from strike_reporting.intake.transports import PullFailed, RemoteFile, TooLarge
from strike_reporting.intake.transports.connections import Endpoint

_REFUSED = ("403", "Forbidden", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch")


class ObjectStore:
    """One account. Its login and password are the key and secret; the extra may hold `endpoint_url`.

    Without a connection the machine's own role is used.
    """

    def __init__(self, endpoint: Endpoint | None) -> None:
        """Keep how to open the store; nothing is opened before the first listing."""
        self.options: dict[str, Any] = {"use_listings_cache": False, "skip_instance_cache": True}
        if endpoint:
            client = {"endpoint_url": endpoint.extra["endpoint_url"]} if endpoint.extra.get("endpoint_url") else {}
            self.options |= {"key": endpoint.login, "secret": endpoint.password, "client_kwargs": client}

    def list(self, location: str) -> list[RemoteFile]:
        """Objects that match the location's last part, such as `s3://bucket/out/*.csv`, oldest first.

        Raises:
            PullFailed: refused (permanent), no such bucket, or unreachable.
        """
        try:
            fs, path = self._open(location)
            found = [
                RemoteFile(
                    str(info["name"]).rsplit("/", 1)[-1],
                    int(info["size"]),
                    info["LastModified"].timestamp() if "LastModified" in info else None,
                    {"transport": "object_store", "location": location, "path": str(info["name"])},
                )
                for info in fs.glob(path if "*" in path else f"{path.rstrip('/')}/*", detail=True).values()
                if info["type"] == "file"
            ]
        except Exception as error:
            raise _failed(location, error) from error
        return sorted(found, key=lambda f: (f.modified or 0, f.name))

    def fetch(self, file: RemoteFile, max_bytes: int) -> bytes:
        """One object's bytes, whole; an object is never seen half written.

        Raises:
            PullFailed: as `list`, or larger than `max_bytes` (permanent).
        """
        if file.size is not None and file.size > max_bytes:
            raise TooLarge(repr(file.name), max_bytes)
        try:
            fs, _ = self._open(file.facts["location"])
            data = bytes(fs.cat_file(file.facts["path"], start=0, end=max_bytes + 1))
        except Exception as error:
            raise _failed(file.name, error) from error
        if len(data) > max_bytes:
            raise TooLarge(repr(file.name), max_bytes)
        if file.size is not None and len(data) != file.size:
            raise PullFailed(f"{file.name!r} changed while it was read; it is left for the next round")
        return data

    def _open(self, location: str) -> tuple[Any, str]:
        if "://" not in location or location.startswith(("file:", "local:")):
            raise PullFailed(f"{location!r} is not an object store's address", permanent=True)
        found: tuple[Any, str] = fsspec.core.url_to_fs(location, **self.options)
        return found

    def acknowledge(self, file: RemoteFile) -> None:
        """Nothing: the file stays where the trust put it."""

    def close(self) -> None:
        """Nothing is held open."""


def _failed(what: str, error: Exception) -> PullFailed:
    if isinstance(error, PullFailed):
        return error
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, PermissionError) or any(word in text for word in _REFUSED):
        return PullFailed(f"the object store refused {what!r}", permanent=True)
    return PullFailed(f"the object store did not give {what!r}: {text[:200]}")
