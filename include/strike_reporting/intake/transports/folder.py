"""Folder transport: file shares and manual drops."""

from __future__ import annotations

from pathlib import Path

from strike_reporting.intake.transports import PullFailed, RemoteFile
from strike_reporting.storage import home


class Folder:
    """Reads a folder, or a glob pattern in it. Relative locations start at `STRIKES_HOME/inbox`."""

    def list(self, location: str) -> list[RemoteFile]:
        """Files of the folder (no sub-folders, no hidden files), oldest first, then by name."""
        path = Path(location) if Path(location).is_absolute() else Path(home()) / "inbox" / location
        folder, pattern = (path, "*") if path.is_dir() else (path.parent, path.name)
        if not folder.is_dir():
            raise PullFailed(f"the folder {folder.name!r} of {location!r} does not exist")
        found = []
        for file in folder.glob(pattern):
            if file.name.startswith(".") or file.is_symlink() or not file.is_file():
                continue
            stat = file.stat()
            facts = {"transport": "folder", "path": str(file)}
            found.append(RemoteFile(file.name, stat.st_size, stat.st_mtime, facts))
        return sorted(found, key=lambda f: (f.modified or 0, f.name))

    def fetch(self, file: RemoteFile, max_bytes: int) -> bytes:
        """The file's bytes."""
        try:
            with Path(file.facts["path"]).open("rb") as handle:
                data = handle.read(max_bytes + 1)
        except OSError as error:
            raise PullFailed(f"{file.name!r} could not be read: {error.strerror}") from error
        if len(data) > max_bytes:
            raise PullFailed(f"{file.name!r} is larger than {max_bytes:,} bytes", permanent=True)
        return data

    def acknowledge(self, file: RemoteFile) -> None:
        """Nothing: the file stays where the trust put it."""

    def close(self) -> None:
        """Nothing is held open."""
