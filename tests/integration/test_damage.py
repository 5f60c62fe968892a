"""Every kind of record damaged in six ways: only itself stops, `strikes doctor` names it and what mends it."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_england import FILES, HEAD, A, B, Root, round_of, small_england, small_root, use
from strike_reporting.cli import app
from strike_reporting.intake.dialects import reload_dialects
from strike_reporting.ledger import ledger_of
from strike_reporting.operations import rounds
from strike_reporting.operations.doctor import Finding, examine
from strike_reporting.operations.mail import Post, deliver
from strike_reporting.publishing.releases import find, read_table
from strike_reporting.storage import Store
from typer.testing import CliRunner

LATER = f"{HEAD}R1F,2023-04-11,day_case,cancelled,300\nR1F,2025-11-14,day_case,cancelled,300\n"
DAMAGES = ("truncated", "empty", "other", "less", "more", "stray")


def cancelled(action_id: str) -> int:
    """England's cancellations in an action's current release."""
    store = Store()
    totals = read_table(store, find(store, action_id), "action_totals").to_pylist()
    return next(r["acute_cancelled"] for r in totals if r["area_type"] == "england")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Root]:
    """Three trusts, two actions, three releases, everything drawn."""
    root = small_root(tmp_path_factory.mktemp("damage"))
    with small_england(root.folder / "reference"), pytest.MonkeyPatch.context() as patch:
        use(root, patch)
        for number, (trust, content) in enumerate(FILES.items()):
            root.send(trust, content)
            assert round_of(f"2026-11-2{number}") == []
        assert [r.release_id for r in map(lambda a: find(Store(), a), (A, B))] == [f"{A}.r2", f"{B}.r1"]
        assert examine(Store()) == []
        yield root


@pytest.fixture
def root(prepared: Root, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Root:
    """A copy of the prepared root, for one test to damage."""
    for name in ("home", "config"):
        shutil.copytree(prepared.folder / name, tmp_path / name)
    copy = Root(tmp_path)
    use(copy, monkeypatch)
    return copy


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

    root: Root
    table: str
    column: str
    where: str

    def read(self) -> bytes:
        return self.root.sql(f"SELECT {self.column} FROM {self.table} WHERE {self.where}")[0][0].encode()

    def write(self, data: bytes) -> None:
        self.root.sql(f"UPDATE {self.table} SET {self.column} = ? WHERE {self.where}", data.decode())

    def stray(self) -> None:
        """A row has nothing beside it: JSON of something else is in it."""
        self.write(b"[]")


def submission(root: Root, trust: str) -> str:
    return root.sql("SELECT submission_id FROM receipts WHERE feed_id = ?", f"{trust}.cancellations")[0][0]


def current_release(root: Root) -> Path:
    number = root.sql("SELECT number FROM releases WHERE action_id = ? AND is_current", A)[0][0]
    return root.home / "releases" / A / f"{number:04d}"


def landed(root: Root) -> Path:
    kept = json.loads((root.home / f"landing/receipts/{submission(root, 'RHU')}.json").read_text())
    return root.home / "landing" / "objects" / kept["sha256"][:2] / kept["sha256"]


REBUILD, ASIDE, BACKUP, REMOVE, NOTHING = "`strikes ledger rebuild`", "set-aside", "restore it", "remove", ""


@dataclass(frozen=True)
class Kind:
    """One kind of record: where one of them is, which field it cannot do without, and what is said of it.

    says: what the doctor's finding names; mend: how it is mended. `quiet`: damages that need no mending.
    stops: what the round says while it is damaged; nothing where nothing stops.
    """

    place: Callable[[Root], InFile | InRow]
    field: str
    says: str
    mend: str
    quiet: tuple[str, ...] = ("more", "stray")
    stops: str = ""
    special: tuple[tuple[str, str], ...] = ()  # damages that are mended in another way


def in_release(name: str) -> Callable[[Root], InFile]:
    return lambda root: InFile(current_release(root) / name)


def in_row(table: str, column: str, where: str) -> Callable[[Root], InRow]:
    return lambda root: InRow(
        root, table, column, where.format(rhu=submission(root, "RHU"), current=f"action_id = '{A}' AND is_current")
    )


def file_of(key: str) -> Callable[[Root], InFile]:
    return lambda root: InFile(root.folder / key.format(rhu=submission(root, "RHU")))


MINE = "feed_id = 'RHU.cancellations'"
KINDS = {
    "receipt": Kind(
        file_of("home/landing/receipts/{rhu}.json"),
        "sha256",
        "landing/receipts/",
        REBUILD,
        ("more",),
        special=(("stray", REMOVE),),
    ),
    "receipt row": Kind(in_row("receipts", "record", MINE), "sha256", "ledger, receipts", REBUILD, ("more",)),
    "outcome row": Kind(in_row("outcomes", "record", MINE), "status", "ledger, outcomes", REBUILD, ("more",)),
    "pull row": Kind(
        in_row("feeds", "last_pull", MINE), "status", "ledger, feeds RHU.cancellations", REBUILD, ("more",)
    ),
    "letter row": Kind(
        in_row("outbox", "record", f"name = '{A}.r2.england'"), "kind", "ledger, outbox", REBUILD, ("more",)
    ),
    "release row": Kind(
        in_row("releases", "summary", "{current}"), "tables", f"ledger, release {A}", REBUILD, ("more",)
    ),
    "manifest": Kind(
        in_release("manifest.json"),
        "identity",
        "/manifest.json",
        ASIDE,
        ("more",),
        "/manifest.json cannot be read",
        (("stray", REMOVE),),
    ),
    "decision": Kind(in_release("decision.json"), "reason", "/decision.json", ASIDE, (), special=(("stray", REMOVE),)),
    "frame": Kind(in_release("kept/frame.json"), "days", "/kept/frame.json", ASIDE, (), special=(("stray", REMOVE),)),
    "rules": Kind(in_release("kept/rules.json"), "pins", "/kept/rules.json", ASIDE, (), special=(("stray", REMOVE),)),
    "pointer": Kind(file_of(f"home/releases/{A}/latest.json"), "number", f"releases/{A}/latest.json", REBUILD),
    "drawn pages": Kind(
        file_of(f"home/site/{A}/0002/drawn.json"),
        "pages",
        f"site/{A}/0002/drawn.json",
        REBUILD,
        ("less", "more", "stray"),
    ),
    "landed object": Kind(
        lambda root: InFile(landed(root)), "", "landing/objects/", BACKUP, (), special=(("stray", REMOVE),)
    ),
    "accepted rows": Kind(file_of("home/accepted/cancellations/{rhu}.parquet"), "", "accepted/cancellations/", REBUILD),
    "feed": Kind(
        file_of("config/feeds/RHU.yaml"), "extract", "feeds/RHU.yaml", BACKUP, ("empty",), special=(("stray", REMOVE),)
    ),
    "dialect": Kind(
        file_of("config/dialects/plain.yaml"), "columns", "plain", BACKUP, (), special=(("stray", REMOVE),)
    ),
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
        table = pq.read_table(io.BytesIO(data))
        extra = pa.array(["x"] * table.num_rows)
        table = table.append_column("of_tomorrow", extra) if is_more else table.drop_columns(["cancelled_count"])
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


def mended(root: Root, finding: Finding, before: dict[Path, bytes]) -> None:
    """Do what a finding says."""
    if command := re.search(r"`strikes (release set-aside .+|ledger rebuild)`", finding.mend):
        done = CliRunner().invoke(app, shlex.split(command[1]))
        assert done.exit_code == 0, done.output
        return
    for path in [p for p in root.folder.rglob("copy of *") if p.is_file()]:
        path.unlink()
    for path, data in before.items():
        path.write_bytes(data)


def cases(step: int) -> list[object]:
    """Every kind with every damage; of each `step`-th kind one also where time is short."""
    found = []
    for n, kind in enumerate(KINDS):
        for d, damage in enumerate(DAMAGES):
            is_sample = d == n % len(DAMAGES) and n % step == 0
            found.append(pytest.param(kind, damage, marks=() if is_sample else pytest.mark.exhaustive))
    return found


@pytest.mark.parametrize(("name", "damage"), cases(1))
def test_the_doctor_names_a_damaged_record_and_doing_what_it_says_mends_it(root: Root, name: str, damage: str) -> None:
    kind, store = KINDS[name], Store()
    place = kind.place(root)
    before = {place.path: place.read()} if isinstance(place, InFile) else {}
    mails = [e.name for e in ledger_of(store).letters.listed()]
    damaged(kind, place, damage)
    found = look(store)
    if damage in kind.quiet:
        assert found == []
        return
    says, mend = kind.says, dict(kind.special).get(damage, kind.mend)
    if mend == REMOVE and isinstance(place, InFile):
        says = f"copy of {place.path.name}"
    assert any(says in f.what and mend_words(mend) in f.mend for f in found), found
    for finding in found:
        mended(root, finding, before)
    assert look(store) == []
    assert [e.name for e in ledger_of(store).letters.listed()] == mails


@pytest.mark.parametrize(("name", "damage"), cases(3))
def test_a_damaged_record_stops_only_itself(root: Root, name: str, damage: str) -> None:
    kind, store = KINDS[name], Store()
    damaged(kind, kind.place(root), damage)
    root.send("R1F", LATER)
    wrong = round_of("2026-11-25")
    assert cancelled(B) == 305
    if kind.stops and damage not in ("more", "stray"):
        assert 1 <= len(wrong) <= 2, "its action is not published and, where it was to be drawn, not drawn"
        assert all(kind.stops in w and "`strikes release set-aside" in w for w in wrong)
    else:
        assert wrong == []
        assert cancelled(A) == 349
    now = datetime.now(UTC)
    assert all("R1F" in rounds.returns_board(store, action, now) for action in (A, B))
    sent: list[EmailMessage] = []
    counts = deliver(store, Post("s@nhs.example", sent.append, {"england": "e@nhs.example"}), now)
    assert counts["sent"] >= 3
    assert counts["failed"] <= int(bool(kind.stops)), "at most the letter about the damaged release itself"


def mend_words(mend: str) -> str:
    return "" if mend in (BACKUP, REMOVE) else mend


def look(store: Store) -> list[Finding]:
    reload_dialects()
    return examine(store)
