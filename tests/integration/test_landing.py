"""Files that are landed together: killed at every operation, and where one of them cannot be landed."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import aiobotocore.httpsession  # noqa: F401 - each fork would import what its hooks are hung on
import psycopg  # noqa: F401
import pytest
from drivers import Drivers
from strike_reporting.errors import Away
from strike_reporting.intake import landing
from strike_reporting.intake.landing import Arrived, Desk, Sender, content, finish, land
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Receipt
from strike_reporting.storage import Store

FILES = [Arrived(f"file {n}".encode(), f"{n}.csv", Sender(f"T{n:02}.cancellations")) for n in range(3)]
BEFORE = FILES[1]  # its feed delivered it before


def whole(store: Store) -> None:
    """Every file is landed once, its bytes and its receipt are there, and nothing half written is."""
    receipts = ledger_of(store).receiving.to_judge()
    assert sorted(r.source_name for r in receipts) == [one.source_name for one in FILES]
    assert {content(store, r) for r in receipts} == {one.data for one in FILES}
    assert len(store.list("landing/receipts")) == len(FILES) == len({r.sequence for r in receipts})
    assert not store.leftovers()


def killed(root: Path, at: int) -> bool:
    """Land the files in a process that is killed before its so-manyth operation; whether it came so far."""
    pid = os.fork()
    if pid == 0:
        try:
            Drivers(str(root), root.parent / "operations", at).hook()
            land(Store(root), FILES)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


def test_landing_together_is_finished_wherever_it_is_killed(tmp_path: Path) -> None:
    at, was_killed = 1, True
    land(Store(tmp_path / "before"), [BEFORE])
    while was_killed:
        shutil.copytree(tmp_path / "before", tmp_path / str(at) / "home")
        store = Store(tmp_path / str(at) / "home")
        was_killed = killed(Path(store.base), at)
        begun = {r.submission_id: r.sequence for r in ledger_of(store).receiving.unfinished()}
        finish(store)
        found = land(store, FILES)
        whole(store)
        assert all(begun.get(r.submission_id, r.sequence) == r.sequence for r, _ in found), "it keeps its number"
        assert not found[1][1], "what was landed before is not new"
        at += 1
    assert at > 30


def test_who_comes_meanwhile_is_landed_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, served, may_go = Store(tmp_path / "home"), list[int](), Event()
    ledger_of(store)

    def slowly(store: Store, files: Sequence[Arrived]) -> list[tuple[Receipt, bool]]:
        served.append(len(files))
        assert may_go.wait(60)
        return land(store, files)

    monkeypatch.setattr(landing, "land", slowly)
    desk = Desk(store)
    with ThreadPoolExecutor(len(FILES)) as pool:
        told = [pool.submit(desk.land, FILES[0])]
        while not served:
            assert not told[0].done()
        told += [pool.submit(desk.land, one) for one in FILES[1:]]
        while len(desk._waiting) < len(FILES) - 1:
            assert not any(one.done() for one in told)
        may_go.set()
        found = [one.result(60) for one in told]
    assert served == [1, 2]
    assert [(r.source_name, is_new) for r, is_new in found] == [(one.source_name, True) for one in FILES]
    whole(store)


def test_a_file_that_cannot_be_landed_fails_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store, real, at_once = Store(tmp_path / "home"), Store.write_many, Barrier(len(FILES))
    ledger_of(store)
    lost = landing.object_key(FILES[1].sha256)

    def written(self: Store, files: dict[str, bytes], *, private: bool = False) -> None:
        if lost in files:
            raise OSError("this place of the disk is broken")
        real(self, files, private=private)

    def landed(one: Arrived) -> bool | str:
        at_once.wait(60)
        try:
            return desk.land(one)[1]
        except OSError as error:
            return str(error)

    monkeypatch.setattr(Store, "write_many", written)
    desk = Desk(store)
    with ThreadPoolExecutor(len(FILES)) as pool:
        assert list(pool.map(landed, FILES)) == [True, "this place of the disk is broken", True]
    assert {r.source_name for r in ledger_of(store).receiving.to_judge()} == {"0.csv", "2.csv"}
    assert not any(one.data.decode() in caplog.text for one in FILES), "nobody knows what is in them"
    monkeypatch.undo()
    assert land(store, [FILES[1]])[0][1]
    whole(store)


def test_the_same_content_twice_in_one_go_is_landed_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "home")
    again = Arrived(FILES[0].data, "again.csv", FILES[0].sender)
    (first, _), (second, _), *_ = land(store, [FILES[0], again, *FILES[1:]])
    assert first == second
    assert len(ledger_of(store).receiving.to_judge()) == len(FILES)


def test_a_ledger_that_is_away_is_said_to_everyone(tmp_path: Path) -> None:
    store = Store(tmp_path / "home")
    ledger_of(store)
    kept = sqlite3.connect(store.path("ledger/ledger.sqlite"))
    kept.execute("DROP TABLE receipts")
    kept.commit()
    desk = Desk(store)
    with ThreadPoolExecutor(len(FILES)) as pool:
        told = [pool.submit(desk.land, one) for one in FILES]
    assert all(isinstance(one.exception(), Away) for one in told)
