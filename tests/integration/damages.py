"""Records of every kind, and six ways to damage one."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from roots import A, Root, sql
from strike_reporting.storage.parquet import read_parquet

DAMAGES = ("truncated", "empty", "other", "less", "more", "stray")


class InFile:
    """Where a record is kept as a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> bytes:
        return self.path.read_bytes()

    def write(self, data: bytes) -> None:
        self.path.write_bytes(data)

    def stray(self) -> None:
        """What other programs leave beside it: a Mac's fork, and somebody's copy."""
        (self.path.parent / f"._{self.path.name}").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X")
        shutil.copy(self.path, self.path.parent / f"copy of {self.path.name}")


@dataclass(frozen=True)
class InRow:
    """Where a record is kept as a column of a row."""

    table: str
    column: str
    where: str

    def read(self) -> bytes:
        return str(sql(f"SELECT {self.column} FROM {self.table} WHERE {self.where}")[0][0]).encode()

    def write(self, data: bytes) -> None:
        sql(f"UPDATE {self.table} SET {self.column} = :data WHERE {self.where}", data=data.decode())

    def stray(self) -> None:
        """A row has nothing beside it: JSON of something else is in it."""
        self.write(b"[]")


def current_release(root: Root) -> Path:
    number = sql("SELECT number FROM releases WHERE action_id = :a AND is_current", a=A)[0][0]
    return root.home / "releases" / A / f"{number:04d}"


def landed(root: Root) -> Path:
    kept = json.loads((root.home / f"landing/receipts/{root.submission('RHU')}.json").read_text())
    return root.home / "landing" / "objects" / kept["sha256"][:2] / kept["sha256"]


REBUILD, ASIDE, BACKUP, REMOVE = "strikes ledger rebuild", "strikes release set-aside", "", ""


@dataclass(frozen=True)
class Kind:
    """One kind of record: where one of them is, how the doctor names it, and the command that mends it.

    field: one that it cannot do without. quiet: damages that are none. stops: what a round says while it is damaged.
    unflags: the returns board reads its flags by it.
    """

    place: Callable[[Root], InFile | InRow]
    says: str
    mend: str
    field: str = ""
    quiet: str = "more stray"
    stops: str = ""
    unflags: bool = False


def in_release(name: str) -> Callable[[Root], InFile]:
    return lambda root: InFile(current_release(root) / name)


def in_row(table: str, column: str, where: str) -> Callable[[Root], InRow]:
    return lambda root: InRow(table, column, where)


def file_of(key: str) -> Callable[[Root], InFile]:
    return lambda root: InFile(root.folder / key.format(root.submission("RHU")))


RHU, OF_A = "feed_id = 'RHU.cancellations'", f"action_id = '{A}' AND is_current"
ROWS = {
    "receipt row": Kind(in_row("receipts", "record", RHU), "ledger, receipts", REBUILD, "sha256", "more"),
    "outcome row": Kind(in_row("outcomes", "record", RHU), "ledger, outcomes", REBUILD, "status", "more"),
    "pull row": Kind(in_row("feeds", "last_pull", RHU), "ledger, feeds RHU.cancel", REBUILD, "status", "more"),
    "letter row": Kind(
        in_row("outbox", "record", f"name LIKE '{A}.r%.england'"), "ledger, outbox", REBUILD, "kind", "more"
    ),
    "release row": Kind(in_row("releases", "summary", OF_A), f"ledger, release {A}", REBUILD, "tables", "more"),
    "rules row": Kind(
        in_row("rules", "content", "content LIKE '%DataContract%'"), "ledger, rules", REBUILD, "schema", ""
    ),
}
KINDS = ROWS | {
    "receipt": Kind(file_of("home/landing/receipts/{}.json"), "landing/receipts/", REBUILD, "sha256", "more"),
    "manifest": Kind(
        in_release("manifest.json"), "/manifest.json", ASIDE, "identity", "more", "/manifest.json cannot", True
    ),
    "decision": Kind(in_release("decision.json"), "/decision.json", ASIDE, "reason", ""),
    "frame": Kind(in_release("kept/frame.json"), "/kept/frame.json", ASIDE, "days", ""),
    "rules": Kind(in_release("kept/rules.json"), "/kept/rules.json", ASIDE, "pins", ""),
    "facts": Kind(in_release("kept/facts.parquet"), "/kept/facts.parquet", ASIDE, "", ""),
    "table": Kind(
        in_release("action_totals.parquet"), "/action_totals.parquet", ASIDE, "", "", "/action_totals.parquet cannot"
    ),
    "pointer": Kind(file_of(f"home/releases/{A}/latest.json"), f"{A}/latest.json", REBUILD, "number"),
    "pages": Kind(file_of(f"home/site/{A}/0002/drawn.json"), "/drawn.json", REBUILD, "pages", "less more stray"),
    "landed": Kind(lambda root: InFile(landed(root)), "landing/objects/", BACKUP, "", ""),
    "accepted": Kind(file_of("home/accepted/cancellations/{}.parquet"), "accepted/cancellations/", REBUILD),
    "feed": Kind(file_of("config/feeds/RHU.yaml"), "RHU.yaml", BACKUP, "extract", ""),
    "dialect": Kind(file_of("config/dialects/plain.yaml"), "plain", BACKUP, "columns", ""),
    "flags": Kind(in_release("flags.parquet"), "/flags.parquet", ASIDE, "", "", "/flags.parquet cannot", True),
}


def damaged(kind: Kind, place: InFile | InRow, damage: str) -> None:
    data = place.read()
    if damage == "stray":
        place.stray()
    elif damage == "truncated":
        place.write(data[: len(data) // 2])
    elif damage == "empty":
        place.write(b"")
    elif damage == "other":
        place.write(b"<html>503 Service Unavailable {")
    else:
        place.write(changed(place, data, kind.field, is_more=damage == "more"))


def changed(place: InFile | InRow, data: bytes, field: str, *, is_more: bool) -> bytes:
    """The record without one of its fields, or of a newer version with one more."""
    name = place.path.name if isinstance(place, InFile) else ".json"
    if name.endswith(".parquet"):
        table = read_parquet(data)
        extra = pa.array(["x"] * table.num_rows)
        table = table.append_column("of_tomorrow", extra) if is_more else table.drop_columns(table.column_names[-2:])
        written = io.BytesIO()
        pq.write_table(table, written)
        return written.getvalue()
    if name.endswith(".yaml"):
        text = data.decode()
        more = text + ("  of_tomorrow: x\n" if text.startswith("-") else "of_tomorrow: x\n")
        return (more if is_more else re.sub(rf"(?m)^ *{field}:.*\n", "", text)).encode()
    if not name.endswith(".json"):
        return data + b"\n" if is_more else data[:-1]
    record = json.loads(data)
    if is_more:
        return json.dumps({**record, "schema_version": 99, "of_tomorrow": {"x": 1}}).encode()
    return json.dumps({k: v for k, v in record.items() if k != field}).encode()
