"""All state under one root: a local folder, or `s3://bucket/prefix`. Bytes by key, each whole or absent.

A folder: bytes go to a temporary file under `tmp/`, are synced, and get their name in one step; then the folder is
synced, so what was written is there after a power cut. The root is therefore one file system. A writer holds a lock
on its temporary file, so that whoever clears leftovers can tell them from a write that is going on.
S3: one conditional or plain PUT. Listings are never cached, because other processes write too. A root with a
connection id (`s3://my_conn@bucket/prefix`) is opened through Airflow.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import socket
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import fsspec

from strike_reporting.errors import StrikesError

TEMPORARY = "tmp"
ABANDONED = 24 * 3600.0  # seconds after which a temporary file is nobody's, whatever its lock says
AT_ONCE = 32  # requests to an object store side by side
ONE_PUT = 5 * 2**30  # bytes: an upload in parts is not atomic and can be left half done
CONFLICT_WAITS = (0.05, 0.2, 0.8)  # seconds before a conditional write that met another one is tried again


def home() -> str:
    """`STRIKES_HOME`; else `.strikes-home` in the clone, or the user's data folder where the package is installed."""
    if given := os.environ.get("STRIKES_HOME"):
        return given
    package = Path(__file__).resolve().parent
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
        self.local = "://" not in url
        self._kept: _Kept
        if self.local:
            self.base = str(Path(url).resolve())
            self.fs = fsspec.filesystem("file")
            self._kept = _Folder(Path(self.base))
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
        self._kept = _Objects(self.fs, self.base)

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

    def clear_leftovers(self) -> int:
        """Remove the temporary files of writers that died; how many. A write that is going on is left alone."""
        return self._kept.clear_leftovers()

    def read_json(self, key: str) -> dict[str, Any]:
        """A stored JSON object."""
        return dict(json.loads(self.read(key)))

    def write_json(self, key: str, value: dict[str, Any]) -> bool:
        """Store a JSON object with sorted keys; False when exactly that was there already."""
        data = to_json(value)
        if self.read_many([key], missing_ok=True).get(key) == data:
            return False
        self.write(key, data)
        return True

    def each_json(self, prefix: str) -> Iterator[dict[str, Any]]:
        """Every JSON object under a folder, in key order."""
        for data in self.read_many(self.list(prefix, ".json"), missing_ok=True).values():
            yield dict(json.loads(data))


def to_json(value: Any) -> bytes:
    """The one JSON form used for every record: sorted keys, UTF-8, a final newline."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _checked(key: str) -> str:
    if key.startswith("/") or ".." in key.split("/"):
        raise ValueError(f"not a key: {key!r}")
    return key


def _nothing(key: str) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, "nothing is stored under this key", key)


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

    def clear_leftovers(self) -> int: ...


class _Folder:
    """A root on a file system."""

    def __init__(self, base: Path) -> None:
        self.base = base

    def exists(self, key: str) -> bool:
        return (self.base / key).is_file()

    def read_many(self, keys: Sequence[str], missing_ok: bool) -> dict[str, bytes]:
        found = {}
        for key in keys:
            try:
                found[key] = (self.base / key).read_bytes()
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
                if not missing_ok:
                    raise _nothing(key) from error
        return found

    def write_many(self, files: Mapping[str, bytes], private: bool) -> None:
        folders = set()
        for key, data in files.items():
            target = self.base / key
            with self._temporary(data, private) as written:
                self._make(target.parent, private)
                written.replace(target)
            folders.add(target.parent)
        for folder in folders:
            _sync(folder)

    def create(self, key: str, data: bytes) -> bool:
        target = self.base / key
        if target.exists():
            return False
        with self._temporary(data, private=False) as written:
            self._make(target.parent, private=False)
            try:
                target.hardlink_to(written)
            except FileExistsError:
                return False
        _sync(target.parent)
        return True

    def list(self, prefix: str) -> Iterator[str]:
        for folder, _, names in os.walk(self.base / prefix, onerror=_unless_gone, followlinks=True):
            inside = Path(folder).relative_to(self.base)
            yield from ((inside / name).as_posix() for name in names)

    def delete(self, key: str) -> None:
        target = self.base / key
        try:
            target.unlink()
        except (FileNotFoundError, NotADirectoryError):
            return
        _sync(target.parent)

    def clear_leftovers(self) -> int:
        cleared = 0
        for path in self._leftovers():
            path.unlink(missing_ok=True)
            cleared += 1
        return cleared

    def _leftovers(self) -> Iterator[Path]:
        folder = self.base / TEMPORARY
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            try:
                with path.open("rb+") as file:
                    if time.time() - os.fstat(file.fileno()).st_mtime > ABANDONED or _lock(file.fileno()):
                        yield path
            except FileNotFoundError:
                continue  # its writer has finished

    @contextmanager
    def _temporary(self, data: bytes, private: bool) -> Iterator[Path]:
        """A synced temporary file with these bytes, locked as long as it is in use."""
        self._make(self.base / TEMPORARY, private=True)
        while True:
            path = self.base / TEMPORARY / f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(8)}"
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            if _lock(handle) is not False and os.fstat(handle).st_nlink:
                break
            os.close(handle)  # taken for a leftover before it was locked
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fchmod(handle, 0o600 if private else 0o644)
                os.fsync(handle)
                yield path
        finally:
            path.unlink(missing_ok=True)

    def _make(self, folder: Path, private: bool) -> None:
        """Make a folder and those above it, each synced into its own; only below the root can one be private."""
        if folder.is_dir():
            return
        self._make(folder.parent, private)
        folder.mkdir(mode=0o700 if private and self.base in folder.parents else 0o777, exist_ok=True)
        _sync(folder.parent)


def _lock(handle: int) -> bool | None:
    """Take the lock of a temporary file: False if its writer has it, None where the file system has no locks."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems cannot sync a folder
            raise
    finally:
        os.close(handle)


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
        raise error


class _Objects:
    """A root on S3. What S3 answers is taken from the request itself, so each call is one request."""

    def __init__(self, fs: Any, base: str) -> None:
        self.fs, self.base = fs, base
        self.bucket, self.prefix, _ = fs.split_path(f"{base}/")

    def exists(self, key: str) -> bool:
        try:
            self.fs.call_s3("head_object", **self._object(key))
        except FileNotFoundError:
            return False
        return True

    def read_many(self, keys: Sequence[str], missing_ok: bool) -> dict[str, bytes]:
        def one(key: str) -> bytes | None:
            try:
                return bytes(self.fs.cat_file(f"{self.base}/{key}", max_concurrency=1))  # else its size is asked first
            except FileNotFoundError as error:
                if missing_ok:
                    return None
                raise _nothing(key) from error

        if len(keys) < 2:
            found = [one(key) for key in keys]
        else:
            with ThreadPoolExecutor(min(AT_ONCE, len(keys))) as pool:
                found = list(pool.map(one, keys))
        return {key: data for key, data in zip(keys, found, strict=True) if data is not None}

    def write_many(self, files: Mapping[str, bytes], private: bool) -> None:
        if files:
            whole = {f"{self.base}/{key}": data for key, data in files.items()}
            self.fs.pipe(whole, batch_size=AT_ONCE, chunksize=ONE_PUT)

    def create(self, key: str, data: bytes) -> bool:
        for wait in (*CONFLICT_WAITS, None):
            try:
                self.fs.pipe_file(f"{self.base}/{key}", data, mode="create", chunksize=ONE_PUT)
            except OSError as error:
                status = _status(error)
                if isinstance(error, FileExistsError) or status == 412:
                    return False
                if status != 409:
                    raise
                if self.exists(key):
                    return False
                if wait is None:
                    raise
                time.sleep(wait)  # the other one may have failed too
            else:
                return True
        raise AssertionError("unreachable")

    def list(self, prefix: str) -> Iterator[str]:
        start = self.prefix + (f"{prefix}/" if prefix else "")
        after: dict[str, str] = {}
        while True:
            page = self.fs.call_s3("list_objects_v2", Bucket=self.bucket, Prefix=start, **after)
            found = (str(o["Key"]) for o in page.get("Contents", ()))
            yield from (name.removeprefix(self.prefix) for name in found if not name.endswith("/"))
            if not page.get("IsTruncated"):
                return
            after = {"ContinuationToken": page["NextContinuationToken"]}

    def delete(self, key: str) -> None:
        self.fs.call_s3("delete_object", **self._object(key))

    def clear_leftovers(self) -> int:
        return 0

    def _object(self, key: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self.prefix + key}


def _status(error: OSError) -> int | None:
    """The HTTP status behind an error of S3."""
    response = getattr(error.__cause__, "response", {})
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return None if status is None else int(status)
