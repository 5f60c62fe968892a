"""Where a round is tried: a folder with SQLite, and S3 with PostgreSQL; each can be set back to how it was.

`Setup.everything` is all that a round leaves: every stored file and every row of the ledger, as values to compare.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from postgres import execute
from s3 import ACCOUNT, S3, s3_backends
from sqlalchemy.pool import NullPool

BUCKET = "crash"
# Who did something, when, and how often it was tried differs from run to run; nothing else may.
# A feed's `last_pull` is that of the newest round, which another process did.
_VARYING = {"releases": ("owner", "claimed_at"), "touched": ("mark",), "feeds": ("last_pull",)}
_VARYING_IN_RECORDS = {"owner", "tries"}


class Setup(Protocol):
    """A place for the state."""

    name: str
    root: str
    environment: dict[str, str]
    ledger: str

    def keep(self) -> Any:
        """The state as it is now."""

    def put_back(self, kept: Any) -> None:
        """Make the state what it was."""

    def files(self) -> dict[str, bytes]:
        """Every stored file by key, temporary ones too."""


class Folder:
    """A folder with SQLite."""

    name = "folder"

    def __init__(self, place: Path) -> None:
        self.place, self.home = place, place / "home"
        self.root = str(self.home)
        self.environment = {"STRIKES_HOME": self.root}
        self.ledger = f"sqlite:///{self.home}/ledger/ledger.sqlite"
        self._kept = 0

    def keep(self) -> Path:
        self._kept += 1
        kept = self.place / f"kept-{self._kept}"
        shutil.copytree(self.home, kept)
        return kept

    def put_back(self, kept: Path | None) -> None:
        if self.home.exists():
            shutil.rmtree(self.home)
        if kept is not None:
            shutil.copytree(kept, self.home)

    def files(self) -> dict[str, bytes]:
        every = (p for p in self.home.rglob("*") if p.is_file())
        found = {p.relative_to(self.home).as_posix(): p.read_bytes() for p in every}
        return {k: v for k, v in found.items() if not k.startswith("ledger/")}


class ObjectStore:
    """S3 with PostgreSQL."""

    name = "s3"

    def __init__(self, server: S3, postgres: str) -> None:
        self._server, self._postgres = server, postgres
        self.root = f"s3://{BUCKET}/home"
        self._database = f"crash_{secrets.token_hex(4)}"
        self.ledger = self._url(self._database)
        self.environment = {**server.environment, "STRIKES_HOME": self.root, "STRIKES_LEDGER": self.ledger}
        execute(self._postgres, f"CREATE DATABASE {self._database}")

    def keep(self) -> tuple[str, dict[str, bytes]]:
        name = f"kept_{secrets.token_hex(4)}"
        execute(self._postgres, f"CREATE DATABASE {name} TEMPLATE {self._database}")
        return name, self._objects()

    def put_back(self, kept: tuple[str, dict[str, bytes]] | None) -> None:
        name, objects = kept or ("template1", {})
        execute(self._postgres, f"DROP DATABASE {self._database} WITH (FORCE)")
        execute(self._postgres, f"CREATE DATABASE {self._database} TEMPLATE {name}")
        backend = s3_backends[ACCOUNT]["aws"]
        for key in self._objects():
            backend.delete_object(BUCKET, key)
        for key, data in objects.items():
            backend.put_object(BUCKET, key, data)

    def files(self) -> dict[str, bytes]:
        return {k.removeprefix("home/"): v for k, v in self._objects().items()}

    def _objects(self) -> dict[str, bytes]:
        return {k.name: k.value for k in s3_backends[ACCOUNT]["aws"].buckets[BUCKET].keys.values()}

    def _url(self, database: str) -> str:
        return sa.make_url(self._postgres).set(database=database).render_as_string(hide_password=False)


def everything(setup: Setup) -> dict[str, Any]:
    """All that is kept. Numbers of the order of landing are counted from one: a gap in them is no difference."""
    tables = _tables(setup.ledger)
    rank = {r["sequence"]: n for n, r in enumerate(sorted(tables["receipts"], key=lambda r: r["sequence"]), start=1)}

    def same(value: Any, key: str = "") -> Any:
        if key == "sequence":
            return rank.get(value, f"unknown {value}")
        if isinstance(value, dict):
            return {k: same(v, k) for k, v in value.items() if k not in _VARYING_IN_RECORDS}
        return [same(v) for v in value] if isinstance(value, list) else value

    found: dict[str, Any] = {}
    for key, data in setup.files().items():
        found[f"file {key}"] = same(json.loads(data)) if key.endswith(".json") else data
    for table, rows in tables.items():
        for row in rows:
            kept = {k: v for k, v in row.items() if k not in _VARYING.get(table, ())}
            kept = same({k: json.loads(v) if k in ("record", "summary") and v else v for k, v in kept.items()})
            if table == "facts" and row["key"] == "host":
                continue
            name = " ".join(str(kept[k]) for k in _KEYS[table])
            found[f"{table} {name}"] = kept
    return found


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """What is missing, left over or different, as sentences."""
    lost = [f"missing: {k}" for k in wanted if k not in found]
    left = [f"left over: {k}" for k in found if k not in wanted]
    other = ((k, list(_differing(found[k], wanted[k]))) for k in found if k in wanted)
    return lost + left + [f"{k}: {'; '.join(wrong)}" for k, wrong in other if wrong]


def _differing(found: Any, wanted: Any) -> Iterator[str]:
    if not isinstance(found, dict):
        if found != wanted:
            yield f"{_shown(found)}, not {_shown(wanted)}"
        return
    for name in sorted({*found, *wanted}):
        if found.get(name) != wanted.get(name):
            yield f"{name} is {_shown(found.get(name))}, not {_shown(wanted.get(name))}"


def _shown(value: Any) -> str:
    return f"{len(value)} bytes" if isinstance(value, bytes) else str(value)[:200]


_KEYS: dict[str, tuple[str, ...]] = {}


def _tables(ledger: str) -> dict[str, list[dict[str, Any]]]:
    engine = sa.create_engine(ledger, poolclass=NullPool)
    meta = sa.MetaData()
    with engine.connect() as connection:
        meta.reflect(connection)
        _KEYS.update({t.name: tuple(c.name for c in t.primary_key) or ("version_num",) for t in meta.sorted_tables})
        return {t.name: [dict(r._mapping) for r in connection.execute(sa.select(t))] for t in meta.sorted_tables}
