"""Object stores against a moto server over HTTP, and the same submission over four transports."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import s3fs
from conftest import judge
from s3 import S3, s3
from servers import free_port
from strike_reporting.errors import Away
from strike_reporting.intake.collecting import collect, collect_drop
from strike_reporting.intake.landing import Arrived, Sender, land
from strike_reporting.intake.registry import Feed
from strike_reporting.intake.transports import PullFailed
from strike_reporting.intake.transports.connections import Endpoint
from strike_reporting.intake.transports.object_store import ObjectStore
from strike_reporting.operations import rounds
from strike_reporting.publishing.releases import build, read_table
from strike_reporting.publishing.reproduce import reproduce
from strike_reporting.reference.actions import resolve
from strike_reporting.settings import settings
from strike_reporting.site.draw import draw
from strike_reporting.storage import Store

pytestmark = pytest.mark.integration
CSV = b"ods_code,activity_date,point_of_delivery,status,cancelled_count\nRHU,2023-04-11,day_case,cancelled,4\n"
ROOT = "s3://extracts/home"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    monkeypatch.setenv("STRIKES_RETRY_AFTER_SECONDS", "0.05")
    settings.cache_clear()
    with s3("extracts") as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AIRFLOW_CONN_TRUST_S3", running.connection())
        yield running


@pytest.fixture
def bucket(server: S3) -> s3fs.S3FileSystem:
    return server.client()


@pytest.fixture
def remote(server: S3, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("STRIKES_HOME", ROOT)
    monkeypatch.setenv("STRIKES_LEDGER", postgres_url)
    return Store()


def feed(**given: str) -> Feed:
    base = {"trust": "RHU", "extract": "cancellations", "contact": "a@b.example"}
    return Feed.model_validate({**base, "transport": "object_store", "connection": "trust_s3", **given})


def test_objects_are_landed_once(bucket: s3fs.S3FileSystem, store: Store) -> None:
    bucket.pipe("extracts/RHU/a.csv", CSV)
    bucket.pipe("extracts/RHU/other.txt", b"x")
    mine = feed(location="s3://extracts/RHU/*.csv")
    assert collect(store, "r", [mine])[0].reason == "1 new of 1 files"
    assert collect(store, "r", [mine])[0].status == "nothing_new"


def test_failures_say_why(bucket: s3fs.S3FileSystem, store: Store) -> None:
    [pulled] = collect(store, "r", [feed(location="s3://nowhere/RHU/*.csv")])
    assert pulled.status in ("failed", "no_file")
    [pulled] = collect(store, "r", [feed(location="/etc/*")])
    assert (pulled.status, pulled.reason) == ("failed", "'/etc/*' is not an object store's address")
    gone = Endpoint("", None, "testing-key", "testing-secret", {"endpoint_url": f"http://127.0.0.1:{free_port()}"})
    with pytest.raises(PullFailed, match="did not give") as failed:
        ObjectStore(gone).list("s3://extracts/RHU/*.csv")
    assert not failed.value.permanent


def test_too_large(server: S3, bucket: s3fs.S3FileSystem) -> None:
    bucket.pipe("extracts/RHU/a.csv", b"x" * 100)
    end = Endpoint("", None, "testing-key", "testing-secret", {"endpoint_url": server.url})
    transport = ObjectStore(end)
    [file] = transport.list("s3://extracts/RHU/")
    with pytest.raises(PullFailed, match="larger than 99") as failed:
        transport.fetch(file, 99)
    assert failed.value.permanent


def test_all_state_on_an_object_store(remote: Store, tmp_path: Path) -> None:
    """The whole path with `STRIKES_HOME=s3://...`: the same release as on a local folder."""
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "a.csv").write_bytes(CSV)
    assert not remote.local
    collect_drop(remote, drop, "JD-2023-04-11")
    judge(remote)
    manifest, is_new = build(remote, resolve("JD-2023-04-11"))
    assert is_new
    assert build(remote, resolve("JD-2023-04-11"))[1] is False
    assert reproduce(remote, "JD-2023-04-11").files == ()
    totals = read_table(remote, manifest, "action_totals").to_pylist()
    assert next(r for r in totals if r["area_code"] == "ENG")["inpatient_cancelled"] == 4


def test_a_round_with_nothing_to_do_asks_the_store_next_to_nothing(server: S3, remote: Store, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    for n in range(3):
        (drop / f"RHU-{n}.csv").write_bytes(CSV.replace(b",4", f",{n}".encode()))
    collect_drop(remote, drop, "JD-2023-04-11")

    def work() -> list[str]:
        groups = rounds.validate_plan()
        done = [p for group in groups for p in rounds.validate_group(group)["problems"]]
        done += [p for group in rounds.publish_plan() for p in rounds.publish_group(group)["problems"]]
        return done + [d.reason for d in draw(remote) if d.error is not None]

    assert work() == []
    with server.counted() as count:
        assert work() == []
        rounds.returns_board(remote, "JD-2023-04-11", datetime.now(UTC))
    assert count.total() <= 5, "to do is asked of the ledger, which lists nothing"


@pytest.mark.parametrize("root", ["s3://extracts/home", "s3://extracts", "s3://extracts/deep/er/"])
def test_keys_on_s3_are_as_in_a_folder(server: S3, root: str) -> None:
    store = Store(root)
    store.write_many({"b/2.json": b"2", "a.txt": b"", "b/c/1.json": b"1", "bb.json": b"", "b/._2.json": b"\0"})
    assert store.list("") == ["a.txt", "b/2.json", "b/c/1.json", "bb.json"]
    assert store.list("b", ".json") == ["b/2.json", "b/c/1.json"]
    assert store.read_many(store.list("b")) == {"b/2.json": b"2", "b/c/1.json": b"1"}
    store.delete("b/2.json")
    store.delete("b/2.json")
    assert [store.exists(k) for k in ("b/2.json", "b/c/1.json", "b")] == [False, True, False]
    assert store.list("nowhere") == []
    for key in ("nothing", "b", "a.txt/inside"):
        with pytest.raises(FileNotFoundError) as missing:
            store.read(key)
        assert missing.value.filename == key
    with pytest.raises(FileNotFoundError):
        store.read_many(["a.txt", "nothing"])
    assert store.read_many(["a.txt", "nothing"], missing_ok=True) == {"a.txt": b""}


def test_every_call_is_one_request(server: S3, remote: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing is one for each page: here ten keys, on S3 a thousand."""
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")
    calls = {
        "PUT": lambda: remote.write("a/1", b"x" * 1000),
        "GET": lambda: remote.read("a/1"),
        "HEAD": lambda: (remote.exists("a/1"), remote.exists("a/2")),
        "DELETE": lambda: remote.delete("a/1"),
    }
    for method, call in calls.items():
        with server.counted() as count:
            call()
        assert count == {method: 2 if method == "HEAD" else 1}
    with server.counted() as count:
        assert [remote.create("x", text) for text in (b"1", b"2")] == [True, False]
    assert count == {"PUT": 2}
    assert remote.read("x") == b"1"
    with server.counted() as count:
        assert remote.list("a") == []
    assert count == {"GET": 1}
    remote.write_many({f"many/{n:04}": b"%d" % n for n in range(12)})
    with server.counted() as count:
        assert len(remote.list("many")) == 12
    assert count == {"GET": 2}
    with server.counted() as count:
        assert len(remote.read_many(f"many/{n:04}" for n in range(12))) == 12
    assert count == {"GET": 12}


def test_a_large_file_is_one_put_and_so_whole_or_absent(server: S3, remote: Store) -> None:
    with server.counted() as count:
        remote.write("large", b"x" * 101 * 2**20)
    assert count == {"PUT": 1}


def test_landing_a_file_and_landing_it_again(server: S3, remote: Store) -> None:
    with server.counted() as first:
        land(remote, [Arrived(CSV, "a.csv", Sender("f"))])
    with server.counted() as again:
        land(remote, [Arrived(CSV, "a.csv", Sender("f"))])
    assert first["PUT"] == 2 and first.total() <= 3, "bytes and receipt; a new ledger looks once for receipts"
    assert again.total() == 0, "the ledger knows it"


@pytest.mark.parametrize("status", [409, 412])
def test_what_another_process_creates_at_the_same_time_is_taken(server: S3, remote: Store, status: int) -> None:
    def they_win(method: str, path: str) -> int | None:
        if method != "PUT" or "mine" not in path:
            return None
        server.refuse = lambda method, path: None
        server.client().pipe_file("extracts/home/mine", b"theirs")
        return status

    server.refuse = they_win
    assert remote.create("mine", b"mine") is False
    assert remote.read("mine") == b"theirs"


def test_a_conflict_that_nobody_won_is_tried_again(server: S3, remote: Store) -> None:
    answers = iter([409, 409])
    server.refuse = lambda method, path: next(answers, None) if method == "PUT" else None
    assert remote.create("mine", b"mine") is True
    assert remote.read("mine") == b"mine"
    server.refuse = lambda method, path: 409 if method == "PUT" else None
    with pytest.raises(Away, match="Conflict"):
        remote.create("other", b"")
    assert not remote.exists("other")


CREATES = """
for n in range(15):
    print(int(store.create(f"claims/{n}", b"%d" % os.getpid())))
"""
WRITES = """
for n in range(30):
    store.write(f"busy/{n}", b"%d" % n)
    if n > 3:
        store.delete(f"busy/{n - 3}")
"""


def process(does: str) -> subprocess.Popen[str]:
    """Another process with the same root, which begins when it is told to."""
    program = f"import os\nfrom strike_reporting.storage import Store\nstore = Store({ROOT!r})\ninput(){does}"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", program], **pipes, text=True)


def test_of_several_processes_that_create_one_key_one_wins(remote: Store) -> None:
    others = [process(CREATES) for _ in range(3)]
    with ThreadPoolExecutor(3) as side_by_side:
        told = side_by_side.map(lambda other: other.communicate("go\n")[0].split(), others)
    won = {other.pid: claims for other, claims in zip(others, told, strict=True)}
    for n in range(15):
        [winner] = [pid for pid, claims in won.items() if claims[n] == "1"]
        assert remote.read(f"claims/{n}") == b"%d" % winner


def test_a_long_lived_reader_sees_at_once_what_other_processes_do(remote: Store, bucket: s3fs.S3FileSystem) -> None:
    assert (remote.list("seen"), remote.exists("seen/a")) == ([], False)
    bucket.pipe_file("extracts/home/seen/a", b"1")
    assert (remote.list("seen"), remote.exists("seen/a"), remote.read("seen/a")) == (["seen/a"], True, b"1")
    assert Store(ROOT).list("seen") == ["seen/a"], "a second store of the process shares the client, not a memory"
    bucket.pipe_file("extracts/home/seen/a", b"2")
    bucket.pipe_file("extracts/home/seen/b", b"")
    assert (remote.list("seen"), remote.read("seen/a")) == (["seen/a", "seen/b"], b"2")
    bucket.rm_file("extracts/home/seen/a")
    assert (remote.list("seen"), remote.exists("seen/a")) == (["seen/b"], False)


def test_a_key_that_vanishes_between_list_and_read_stops_nothing(remote: Store) -> None:
    with process(WRITES) as other:
        assert other.stdin is not None
        other.stdin.write("go\n")
        other.stdin.flush()
        read: set[str] = set()
        while other.poll() is None:
            for key, data in remote.read_many(remote.list("busy"), missing_ok=True).items():
                assert data == key.removeprefix("busy/").encode()
                read.add(key)
    assert other.returncode == 0
    assert len(read) > 3
    assert remote.list("busy") == sorted(f"busy/{n}" for n in (0, 27, 28, 29))


def test_a_root_opened_through_an_airflow_connection_keeps_no_listings(
    server: S3, bucket: s3fs.S3FileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow's Amazon provider, which reads connections, is not locked here: a client stands for what it makes."""
    from airflow.sdk.io import store as attached

    theirs = s3fs.S3FileSystem(key="k", secret="s", client_kwargs={"endpoint_url": server.url})
    monkeypatch.setattr(attached, "_STORE_CACHE", {})
    attached.attach("s3", conn_id="trust_s3", fs=theirs)
    theirs.find("extracts/home")
    theirs.ls("extracts")
    store = Store("s3://trust_s3@extracts/home")
    assert (store.base, store.list("a")) == ("extracts/home", [])
    bucket.pipe_file("extracts/home/a/b", b"1")
    assert (store.list("a"), store.exists("a/b"), store.fs.exists(store.path("a/b"))) == (["a/b"], True, True)
    bucket.rm_file("extracts/home/a/b")
    assert (store.list("a"), store.fs.exists(store.path("a/b"))) == ([], False)
