"""All state under one root: a local folder, or `s3://bucket/prefix`. Bytes by key, each whole or absent.

Listings are never cached, because other processes write too. A root with a connection id
(`s3://my_conn@bucket/prefix`) is opened through Airflow.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import fsspec

from strike_reporting.errors import StrikesError
from strike_reporting.storage._folder import TEMPORARY, Folder
from strike_reporting.storage._objects import Objects


def home() -> str:
    """`STRIKES_HOME`; else `.strikes-home` in the clone, or the user's data folder where the package is installed."""
    if given := os.environ.get("STRIKES_HOME"):
        return given
    package = Path(__file__).resolve().parent.parent
    if package.parent.name == "include" and (package.parent.parent / "pyproject.toml").is_file():
        return str(package.parent.parent / ".strikes-home")
    data = Path(os.environ.get("XDG_DATA_HOME", ""))
    return str((data if data.is_absolute() else Path.home() / ".local" / "share") / "strike-reporting")


class Store:
    """Bytes by relative key under one root. Keys use `/` and never come from a remote name.

    No part of a key begins with a dot, and none is in `tmp/`: such files are somebody else's and are not listed.
    """

    def __init__(self, root: str | Path | None = None) -> None:
        """Open the root (default: `home()`)."""
        url = str(root or home())
        self.local, self.url = "://" not in url, url
        self._kept: _Kept
        if self.local:
            self.base = self.url = str(Path(url).resolve())
            self.fs = fsspec.filesystem("file")
            self._kept = Folder(Path(self.base))
            return
        if urlsplit(url).scheme not in ("s3", "s3a"):
            raise StrikesError(f"the root {url!r} is neither a folder nor an s3:// address; set STRIKES_HOME")
        if "@" in urlsplit(url).netloc:
            from airflow.sdk import ObjectStoragePath

            path = ObjectStoragePath(url)
            self.fs, self.base = path.fs, path.path.rstrip("/")
            self.fs.dircache.use_listings_cache = False  # Airflow hands one instance to everybody
            self.fs.invalidate_cache()
        else:
            self.fs, base = fsspec.core.url_to_fs(url, use_listings_cache=False)
            self.base = str(base).rstrip("/")
        self._kept = Objects(self.fs, self.base)

    @property
    def is_home(self) -> bool:
        """Whether it is the root that `home()` names, whose ledger `STRIKES_LEDGER` may name."""
        named = home()
        return self.url == (named if "://" in named else str(Path(named).resolve()))

    def path(self, key: str) -> str:
        """The store's own full path of a key."""
        return f"{self.base}/{_checked(key)}"

    def exists(self, key: str) -> bool:
        """Whether bytes are stored under the key."""
        return self._kept.exists(_checked(key))

    def read(self, key: str) -> bytes:
        """The bytes stored under the key; FileNotFoundError if there are none."""
        return self._kept.read_many([_checked(key)], missing_ok=False)[key]

    def read_many(self, keys: Iterable[str], *, missing_ok: bool = False) -> dict[str, bytes]:
        """The bytes under each key, side by side on an object store.

        Args:
            keys: what to read.
            missing_ok: leave out a key with nothing under it (another process removed it) instead of raising
                FileNotFoundError.
        """
        return self._kept.read_many([_checked(k) for k in keys], missing_ok)

    def write(self, key: str, data: bytes, *, private: bool = False) -> None:
        """Store bytes under the key, replacing what was there in one step; private: readable by the owner only."""
        self.write_many({key: data}, private=private)

    def write_many(self, files: Mapping[str, bytes], *, private: bool = False) -> None:
        """Store bytes under each key, each in one step, side by side on an object store."""
        self._kept.write_many({_checked(k): v for k, v in files.items()}, private)

    def create(self, key: str, data: bytes) -> bool:
        """Store bytes under the key unless something is there; False when it was. Two that try at once: one wins."""
        return self._kept.create(_checked(key), data)

    def list(self, prefix: str, suffix: str = "") -> list[str]:
        """Keys under a folder (all depths) that end with the suffix, sorted."""
        return sorted(k for k in self._kept.list(_checked(prefix)) if k.endswith(suffix) and not _reserved(k))

    def delete(self, key: str) -> None:
        """Remove one key, if it is there."""
        self._kept.delete(_checked(key))

    def move(self, key: str, to: str, *, private: bool = False) -> bool:
        """Give bytes another key; False when there are none. Cut short on S3 it leaves both, and can be repeated."""
        return self._kept.move(_checked(key), _checked(to), private)

    def erase(self, key: str) -> int:
        """Delete one key for good, every earlier version of it too; returns how many copies there were."""
        return self._kept.erase(_checked(key))

    def traces(self, prefix: str) -> Sequence[str]:
        """Keys under a folder of which anything is left, if only an earlier version of what was deleted; sorted."""
        return sorted(k for k in self._kept.traces(_checked(prefix)) if not _reserved(k))

    def clear_leftovers(self) -> int:
        """Remove the temporary files of writers that died; how many. A write that is going on is left alone."""
        return self._kept.clear_leftovers()

    def leftovers(self) -> Sequence[str]:
        """Names of the temporary files that `clear_leftovers` would remove."""
        return self._kept.leftovers()


def _checked(key: str) -> str:
    if key.startswith("/") or ".." in key.split("/"):
        raise ValueError(f"not a key: {key!r}")
    return key


def _reserved(key: str) -> bool:
    return key.startswith((f"{TEMPORARY}/", ".")) or "/." in key


class _Kept(Protocol):
    """What both kinds of root can do."""

    def exists(self, key: str) -> bool: ...

    def read_many(self, keys: Sequence[str], missing_ok: bool) -> dict[str, bytes]: ...

    def write_many(self, files: Mapping[str, bytes], private: bool) -> None: ...

    def create(self, key: str, data: bytes) -> bool: ...

    def list(self, prefix: str) -> Iterable[str]: ...

    def delete(self, key: str) -> None: ...

    def move(self, key: str, to: str, private: bool) -> bool: ...

    def erase(self, key: str) -> int: ...

    def traces(self, prefix: str) -> Iterable[str]: ...

    def clear_leftovers(self) -> int: ...

    def leftovers(self) -> Sequence[str]: ...
