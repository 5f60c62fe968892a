"""Folder transport: file shares and manual drops."""

from __future__ import annotations

import os
import time
from fnmatch import fnmatchcase
from pathlib import Path

from strike_reporting.intake.transports import PullFailed, RemoteFile, TooLarge
from strike_reporting.settings import settings
from strike_reporting.storage import home


class Folder:
    """Reads a folder, or a glob pattern in it. Relative locations start at `STRIKES_HOME/inbox`."""

    def list(self, location: str) -> list[RemoteFile]:
        """Files of the folder (no sub-folders, no hidden files), oldest first, then by name."""
        path = Path(location) if Path(location).is_absolute() else Path(home()) / "inbox" / location
        folder, pattern = (path, "*") if path.is_dir() else (path.parent, path.name)
        if not folder.is_dir():
            raise PullFailed(f"the folder {folder.name!r} of {location!r} does not exist")
        try:
            with os.scandir(folder) as entries:
                found = [_file(e) for e in entries if not e.name.startswith(".") and fnmatchcase(e.name, pattern)]
        except OSError as error:
            raise PullFailed(
                f"the folder {folder.name!r} of {location!r} cannot be listed: {error.strerror}"
            ) from error
        return sorted((f for f in found if f), key=lambda f: (f.modified or 0, f.name))

    def fetch(self, file: RemoteFile, max_bytes: int) -> bytes:
        """The file's bytes."""
        try:
            with Path(file.facts["path"]).open("rb") as handle:
                data = handle.read(max_bytes + 1)
                now = os.fstat(handle.fileno())
        except OSError as error:
            raise PullFailed(f"{file.name!r} could not be read: {error.strerror}") from error
        if len(data) > max_bytes:
            raise TooLarge(repr(file.name), max_bytes)
        if (len(data), now.st_mtime) != (file.size, file.modified):
            raise PullFailed(f"{file.name!r} changed while it was read; it is left for the next round")
        return data

    def acknowledge(self, file: RemoteFile) -> None:
        """Nothing: the file stays where the trust put it."""

    def close(self) -> None:
        """Nothing is held open."""


def _file(entry: os.DirEntry[str]) -> RemoteFile | None:
    """What an entry of a folder is; nothing where it is no file, or gone meanwhile."""
    facts = {"transport": "folder", "path": entry.path}
    try:
        if not entry.is_file(follow_symlinks=False):
            return None
        stat = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    except OSError as error:
        return RemoteFile(
            entry.name, None, None, facts, problem=f"{entry.name!r} could not be looked at: {error.strerror}"
        )
    settle = settings().folder_settle_seconds
    left = min(settle, max(0.0, settle - (time.time() - stat.st_mtime)))  # a share's clock may be ahead of ours
    return RemoteFile(entry.name, stat.st_size, stat.st_mtime, facts, settles=left)
