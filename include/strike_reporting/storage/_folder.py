"""A root in a folder: bytes go to a temporary file under `tmp/`, are synced and get their name in one step.

Then the folder is synced too, so what was written is there after a power cut. A writer holds a lock on its temporary
file: so whoever clears leftovers can tell them from a write that is going on, also of another container.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import socket
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

TEMPORARY = "tmp"
AT_ONCE = 8  # files written side by side
ABANDONED = 24 * 3600.0  # seconds after which a temporary file is nobody's, whatever its lock says


def nothing(key: str) -> FileNotFoundError:
    """The error for a key with nothing under it, the same for every kind of root."""
    return FileNotFoundError(errno.ENOENT, "nothing is stored under this key", key)


class Folder:
    """Files below one folder, which is on one file system."""

    def __init__(self, base: Path) -> None:
        self.base = base

    def exists(self, key: str) -> bool:
        # Asked of every old file in every round: a Path for each costs five times the look.
        return os.path.isfile(f"{self.base}/{key}")  # noqa: PTH113

    def read_many(self, keys: Sequence[str], missing_ok: bool) -> dict[str, bytes]:
        found = {}
        for key in keys:
            try:
                found[key] = (self.base / key).read_bytes()
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
                if not missing_ok:
                    raise nothing(key) from error
        return found

    def write_many(self, files: Mapping[str, bytes], private: bool) -> None:
        targets = {key: self.base / key for key in files}
        folders = {target.parent for target in targets.values()}

        def put(key: str) -> None:
            with self._temporary(files[key], private) as written:
                written.replace(targets[key])

        self._make(folders, private)
        if len(files) < 2:
            for key in files:
                put(key)
        else:
            with ThreadPoolExecutor(AT_ONCE) as pool:  # they wait for the disk together
                list(pool.map(put, files))
        for folder in folders:
            _sync(folder)

    def create(self, key: str, data: bytes) -> bool:
        target = self.base / key
        if target.exists():
            return False
        with self._temporary(data, private=False) as written:
            self._make([target.parent], private=False)
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
        self.erase(key)

    def move(self, key: str, to: str, private: bool) -> bool:
        source, target = self.base / key, self.base / to
        try:
            if private:
                source.chmod(0o600)
            self._make([target.parent], private)
            source.replace(target)
        except FileNotFoundError:
            return False
        _sync(target.parent)
        _sync(source.parent)
        return True

    def erase(self, key: str) -> int:
        target = self.base / key
        try:
            target.unlink()
        except (FileNotFoundError, NotADirectoryError):
            return 0
        _sync(target.parent)
        return 1

    def traces(self, prefix: str) -> Iterator[str]:
        return self.list(prefix)

    def clear_leftovers(self) -> int:
        cleared = 0
        for path in self._leftovers():
            path.unlink(missing_ok=True)
            cleared += 1
        return cleared

    def leftovers(self) -> Sequence[str]:
        """Names of the temporary files that `clear_leftovers` would remove."""
        return [path.name for path in self._leftovers()]

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
        self._make([self.base / TEMPORARY], private=True)
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

    def _make(self, folders: Iterable[Path], private: bool) -> None:
        """Make folders and those above them, synced into theirs; only below the root can one be private."""
        missing = [folder for folder in folders if not folder.is_dir()]
        if not missing:
            return
        above = {folder.parent for folder in missing}
        self._make(above, private)
        for folder in missing:
            folder.mkdir(mode=0o700 if private and self.base in folder.parents else 0o777, exist_ok=True)
        for folder in above:
            _sync(folder)


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
