"""A reader of releases, who looks again and again and must only ever see whole ones, and none go back."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import strike_reporting
import world
from strike_reporting.publishing.manifest import MANIFEST, Release
from strike_reporting.publishing.releases import NoRelease, find
from strike_reporting.storage import Store

TABLE = "action_totals"


def digest(action_id: str) -> str:
    """What a reader of an action's current release is told, as one word."""
    return hashlib.sha256(strike_reporting.read(action_id, TABLE).to_csv().encode()).hexdigest()


def read_slowly(begun: Path, go: Path) -> None:
    """Find an action's current release, and read it when somebody says so: all of it is still there."""
    store = Store()
    release = find(store, next(iter(world.ACTIONS)))
    begun.touch()
    while not go.exists():
        time.sleep(0.02)
    for name, fact in release.files.items():
        assert hashlib.sha256(store.read(f"{release.folder}/{name}")).hexdigest() == fact.sha256, name
    assert find(store, release.action_id).number == release.number + 1
    assert len(strike_reporting.read(release.release_id, TABLE)) == release.rows[TABLE]


class Reader:
    """Remembers what it saw."""

    def __init__(self, known: dict[str, list[str]]) -> None:
        """`known` says, for each action, what its releases tell, by number."""
        self._known, self._store = known, Store()
        self.pause = 0.1 if self._store.local else 0.4  # seconds: a look is a dozen requests to S3
        self._newest = dict.fromkeys(known, 0)
        self._whole: set[bytes] = set()

    def look(self) -> None:
        """Look once at every release, and at what the pointers lead to."""
        for action_id, told in self._known.items():
            try:
                number = told.index(digest(action_id)) + 1
                release = find(self._store, action_id)
            except NoRelease:
                number, release = 0, None
            assert number >= self._newest[action_id], f"{action_id} went back to {number}"
            self._newest[action_id] = number
            if release is not None:
                assert release.number in (number, number + 1), f"{release.release_id} is not what was read"
        keys = set(self._store.list("releases"))
        for key in sorted(k for k in keys if k.endswith(f"/{MANIFEST}")):
            self._is_whole(key, keys)

    def _is_whole(self, key: str, keys: set[str]) -> None:
        """A folder with a manifest holds every file that it lists; a new one's files are read and compared."""
        data = self._store.read(key)
        release = Release.load(data, key)
        paths = {f"{release.folder}/{name}": fact for name, fact in release.files.items()}
        assert paths.keys() <= keys, f"{key} lists what is not there: {sorted(paths.keys() - keys)}"
        if data in self._whole:
            return
        for path, content in self._store.read_many(paths).items():
            assert hashlib.sha256(content).hexdigest() == paths[path].sha256, f"{path} is not what {key} says"
        self._whole.add(data)
