"""All state under one root URL: a local folder, or any fsspec store such as `s3://bucket/prefix`.

Every write is whole or absent: locally through a temporary file and a rename, on an object store by the
store's own atomic put. A root with a connection id (`s3://my_conn@bucket/prefix`) is opened through Airflow.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fsspec


def home() -> str:
    """`STRIKES_HOME`, or the git-ignored `.strikes-home` folder of the clone."""
    default = Path(__file__).parent.parent.parent / ".strikes-home"
    return os.environ.get("STRIKES_HOME") or str(default)


class Store:
    """Bytes by relative key under one root. Keys use `/` and never come from a remote name."""

    def __init__(self, root: str | Path | None = None) -> None:
        """Open the root (default: `home()`)."""
        url = str(root or home())
        if "@" in urlsplit(url).netloc:
            from airflow.sdk import ObjectStoragePath

            path = ObjectStoragePath(url)
            self.fs, self.base = path.fs, path.path.rstrip("/")
        else:
            if "://" not in url:
                url = str(Path(url).resolve())
            self.fs, base = fsspec.core.url_to_fs(url)
            self.base = str(base).rstrip("/")
        self.local = "file" in self.fs.protocol if isinstance(self.fs.protocol, tuple) else self.fs.protocol == "file"

    def path(self, key: str) -> str:
        """The store's own full path of a key."""
        if key.startswith("/") or ".." in key.split("/"):
            raise ValueError(f"not a key: {key!r}")
        return f"{self.base}/{key}"

    def exists(self, key: str) -> bool:
        """Whether something is stored under the key."""
        return bool(self.fs.exists(self.path(key)))

    def read(self, key: str) -> bytes:
        """The bytes stored under the key; FileNotFoundError if there are none."""
        return bytes(self.fs.cat_file(self.path(key)))

    def write(self, key: str, data: bytes, *, private: bool = False) -> None:
        """Store bytes under the key, replacing what was there in one step."""
        target = self.path(key)
        if not self.local:
            self.fs.pipe_file(target, data)
            return
        folder = Path(target).parent
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".writing-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(0o600 if private else 0o644)
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def create(self, key: str, data: bytes) -> bool:
        """Store bytes under the key unless something is there; False when it was. Two that try at once: one wins."""
        target = self.path(key)
        if not self.local:
            try:
                self.fs.pipe_file(target, data, mode="create")
            except FileExistsError:
                return False
            return True
        mine = f".new-{os.getpid()}-{threading.get_ident()}"
        self.write(f"{key}{mine}", data)
        temporary = Path(f"{target}{mine}")
        try:
            os.link(temporary, target)
        except FileExistsError:
            return False
        finally:
            temporary.unlink()
        return True

    def list(self, prefix: str, suffix: str = "") -> list[str]:
        """Keys under a folder (all depths) that end with the suffix, sorted. Half-written files are not keys."""
        folder = self.path(prefix)
        if not self.fs.exists(folder):
            return []
        start = len(self.base) + 1
        keys = (str(p)[start:] for p in self.fs.find(folder))
        return sorted(k for k in keys if k.endswith(suffix) and "/.writing-" not in k)

    def delete(self, key: str) -> None:
        """Remove one key, if it is there."""
        if self.exists(key):
            self.fs.rm_file(self.path(key))

    def read_json(self, key: str) -> dict[str, Any]:
        """A stored JSON object."""
        return dict(json.loads(self.read(key)))

    def write_json(self, key: str, value: dict[str, Any]) -> bool:
        """Store a JSON object with sorted keys; False when exactly that was there already."""
        data = to_json(value)
        if self.exists(key) and self.read(key) == data:
            return False
        self.write(key, data)
        return True

    def each_json(self, prefix: str) -> Iterator[dict[str, Any]]:
        """Every JSON object under a folder, in key order."""
        for key in self.list(prefix, ".json"):
            yield self.read_json(key)


def to_json(value: Any) -> bytes:
    """The one JSON form used for every record: sorted keys, UTF-8, a final newline."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
