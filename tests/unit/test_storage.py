"""Storage in a folder: whole or absent, durable, private where asked, and nothing left behind by who was killed."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from killing import killed_at_every_step, process
from strike_reporting import storage
from strike_reporting.errors import StrikesError
from strike_reporting.storage import Store, _folder

WRITTEN = {"landing/objects/one": b"Featherstonehaugh" * 10_000, "kept": b"new", "claim": b"mine"}


def write_all(root: str) -> None:
    store = Store(root)
    store.write("landing/objects/one", WRITTEN["landing/objects/one"], private=True)
    store.write("kept", WRITTEN["kept"])
    store.create("claim", WRITTEN["claim"])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "root")


@pytest.fixture
def waiting(store: Store) -> Iterator[int]:
    """A stopped writer: it has made and locked its first temporary file."""
    pid = process(lambda: write_all(store.base), signal.SIGSTOP, "fchmod")
    assert os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1])
    yield pid
    with contextlib.suppress(ProcessLookupError):  # it may have gone on and ended
        os.kill(pid, signal.SIGKILL)


def temporary(store: Store) -> list[Path]:
    return list((Path(store.base) / "tmp").iterdir())


def test_what_is_written_is_read_listed_and_deleted(store: Store) -> None:
    store.write_many({"b/2.json": b"2", "a.txt": b"", "b/c/1.json": b"1"})
    assert store.list("") == ["a.txt", "b/2.json", "b/c/1.json"]
    assert store.list("b", ".json") == ["b/2.json", "b/c/1.json"]
    assert store.read_many(store.list("b")) == {"b/2.json": b"2", "b/c/1.json": b"1"}
    store.delete("b/2.json")
    store.delete("b/2.json")
    assert [store.exists(k) for k in ("b/2.json", "b/c/1.json", "b")] == [False, True, False]
    assert store.list("b/2.json") == store.list("nowhere") == []


def test_a_missing_key_is_a_file_not_found(store: Store) -> None:
    store.write("folder/file", b"")
    for key in ("nothing", "nowhere/nothing", "folder", "folder/file/inside"):
        with pytest.raises(FileNotFoundError) as missing:
            store.read(key)
        assert missing.value.filename == key
    with pytest.raises(FileNotFoundError):
        store.read_many(["folder/file", "nothing"])
    assert store.read_many(["folder/file", "nothing"], missing_ok=True) == {"folder/file": b""}


def test_files_of_others_and_half_written_ones_are_not_keys(store: Store) -> None:
    store.write("records/a.json", b"{}")
    for name in ("records/._a.json", "records/.snapshot/a.json", "tmp/x.json", ".DS_Store"):
        path = Path(store.base, name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\0")
    assert store.list("") == store.list("", ".json") == ["records/a.json"]


@pytest.mark.parametrize("key", ["/etc/passwd", "../x", "a/../../x"])
def test_a_key_never_leaves_the_root(store: Store, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        store.write(key, b"")


def test_private_files_and_their_folders_are_the_owners_only(store: Store) -> None:
    store.write("landing/objects/ab/abc", b"", private=True)
    store.write("releases/index.html", b"")
    modes = {str(p.relative_to(store.base)): p.stat().st_mode & 0o777 for p in Path(store.base).rglob("*")}
    owners = {"landing", "landing/objects", "landing/objects/ab", "tmp"}
    assert {name for name, mode in modes.items() if mode == 0o700} == owners
    assert modes["landing/objects/ab/abc"] == 0o600
    assert modes["releases/index.html"] == 0o644
    assert Path(store.base).stat().st_mode & 0o055, "the root itself is open: releases are for others to read"


def test_a_file_is_private_while_it_is_written(store: Store, waiting: int) -> None:
    [half] = temporary(store)
    assert half.stat().st_mode & 0o777 == 0o600


def test_bytes_and_names_are_on_disk_before_a_write_returns(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    sync = os.fsync

    def seen(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink().relative_to(Path(store.base).parent)
        synced.append("root/tmp/…" if path.parts[:2] == ("root", "tmp") and len(path.parts) == 3 else str(path))
        sync(handle)

    monkeypatch.setattr(os, "fsync", seen)
    store.write("a/b", b"1")
    assert synced == [".", "root", "root", "root/tmp/…", "root/a"], "the root, a new folder, tmp, the bytes, the name"
    synced.clear()
    store.write_many({"a/b": b"2", "a/c": b"3"})  # side by side
    assert synced == ["root/tmp/…", "root/tmp/…", "root/a"], "a folder is synced once for all that is written"
    synced.clear()
    assert store.create("a/d", b"4")
    store.delete("a/d")
    assert synced == ["root/tmp/…", "root/a", "root/a"]


def test_of_many_that_create_one_key_one_wins(store: Store) -> None:
    for key in map(str, range(20)):
        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(lambda n, key=key: store.create(key, b"%d" % n), range(8)))
        assert won.count(True) == 1
        assert store.read(key) == b"%d" % won.index(True)
    assert temporary(store) == []


def test_a_failed_write_leaves_what_was_there_and_nothing_else(store: Store) -> None:
    store.write("a", b"old")
    with pytest.raises(TypeError):
        store.write("a", "no bytes")  # type: ignore[arg-type]
    assert store.read("a") == b"old"
    assert temporary(store) == []


def test_killed_at_every_step_a_write_is_whole_or_absent_and_its_leftovers_are_cleared(tmp_path: Path) -> None:
    def work(step: int) -> None:
        write_all(str(tmp_path / str(step)))

    leftovers = 0
    for step in range(1, 100):
        Store(tmp_path / str(step)).write("kept", b"old")
    for step in killed_at_every_step(work):
        store = Store(tmp_path / str(step))
        found = store.read_many(store.list(""))
        assert found["kept"] in (b"old", b"new")
        assert {**found, "kept": b"new"}.items() <= WRITTEN.items()
        left = temporary(store)
        leftovers += len(left)
        assert store.clear_leftovers() == len(left)
        assert temporary(store) == []
        assert store.read_many(store.list("")) == found, "clearing takes nothing that has a name"
    assert found == WRITTEN
    assert step > 25
    assert leftovers > 8


def test_a_write_that_is_going_on_is_no_leftover(store: Store, waiting: int) -> None:
    assert len(temporary(store)) == 1
    assert store.clear_leftovers() == 0
    os.kill(waiting, signal.SIGCONT)
    assert os.waitpid(waiting, 0)[1] == 0
    assert store.read_many(store.list("")) == WRITTEN


def test_a_temporary_file_older_than_a_day_is_nobodys(store: Store, waiting: int) -> None:
    [half] = temporary(store)
    os.utime(half, (time.time() - 90_000,) * 2)
    assert store.clear_leftovers() == 1


def test_without_locks_a_leftover_is_known_by_its_age(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(_folder.fcntl, "flock", no_locks)
    store.write("a", b"1")
    left = Path(store.base, "tmp", "left")
    left.write_bytes(b"")
    assert store.clear_leftovers() == 0
    os.utime(left, (time.time() - 90_000,) * 2)
    assert store.clear_leftovers() == 1
    assert store.read("a") == b"1"


def test_a_writer_whose_file_was_cleared_before_its_lock_begins_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, cleared = _folder._lock, []

    def late(handle: int) -> bool | None:
        if not cleared:
            cleared.append(True)
            for path in temporary(store):
                path.unlink()
        return lock(handle)

    monkeypatch.setattr(_folder, "_lock", late)
    store.write("a", b"1")
    assert store.read("a") == b"1"


def test_a_folder_that_vanishes_while_it_is_listed_hides_no_other(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write_many({"a/1": b"", "b/1": b"", "c/1": b""})
    scan = os.scandir

    def gone(path: str) -> object:
        if Path(path).name == "b":
            Path(path, "1").unlink()
            Path(path).rmdir()
        return scan(path)

    monkeypatch.setattr(os, "scandir", gone)
    assert store.list("") == ["a/1", "c/1"]


def test_the_root_is_a_folder_or_s3() -> None:
    with pytest.raises(StrikesError, match=r"neither a folder nor an s3:// address"):
        Store("gs://bucket")


def test_home_is_the_clone_or_the_users_data_folder_never_the_installed_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STRIKES_HOME", raising=False)
    assert storage.home() == str(Path(__file__).parents[2] / ".strikes-home")
    installed = tmp_path / "site-packages" / "strike_reporting" / "storage" / "__init__.py"
    monkeypatch.setattr(storage, "__file__", str(installed))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert storage.home() == str(tmp_path / ".local/share/strike-reporting")
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert storage.home() == str(tmp_path / ".local/share/strike-reporting")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert storage.home() == "/data/strike-reporting"
    monkeypatch.setenv("STRIKES_HOME", "s3://bucket")
    assert storage.home() == "s3://bucket"
