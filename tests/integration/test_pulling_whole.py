"""Whole files only, unpacked within limits, from the feed's own server alone, and dated by when they were put there."""

from __future__ import annotations

import gzip
import io
import json
import os
import resource
import shutil
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import s3fs
from conftest import judge, receipts
from pulling import Settings, Web, csv, feed_at, given, inbox, names, old, open_the_way_to, pull, web
from s3 import S3
from servers import SSHD, free_port, ssh_key, sshd
from strike_reporting.intake.transports import PullFailed
from strike_reporting.intake.transports.connections import endpoint
from strike_reporting.intake.transports.https import Https
from strike_reporting.intake.transports.inflating import inflated
from strike_reporting.ledger import ledger_of
from strike_reporting.operations.rebuild import rebuild
from strike_reporting.publishing.selection import _is_late
from strike_reporting.storage import Store
from test_object_store import bucket, server
from test_object_store import feed as object_feed

__all__ = ["bucket", "given", "inbox", "server", "web"]  # fixtures
pytestmark = pytest.mark.integration


# --- whole files only


def test_half_a_file_of_a_folder_waits_until_it_is_whole(inbox: Path, store: Store, given: Settings) -> None:
    given(folder_settle_seconds=0.4)
    path, going, whole = inbox / "a.csv", threading.Event(), csv(1) + b"RHU,2023-04-12,day_case,cancelled,1\n" * 40

    def copy() -> None:
        with path.open("wb", buffering=0) as file:
            for n in range(0, len(whole), 40):
                file.write(whole[n : n + 40])
                going.wait(0.05)

    old(inbox / "b.csv", csv(2))
    writer = threading.Thread(target=copy)
    writer.start()
    time.sleep(0.05)
    first = pull(store, feed_at(inbox))
    assert (names(first), first.reason) == (["b.csv"], "1 new of 2 files, 1 still being written")
    writer.join()
    assert names(pull(store, feed_at(inbox))) == ["a.csv"]
    assert receipts(store)[1].size == len(whole)


def test_a_file_that_was_just_put_there_is_landed_in_the_same_round(inbox: Path, store: Store, given: Settings) -> None:
    given(folder_settle_seconds=0.5)
    (inbox / "a.csv").write_bytes(csv(1))
    began = time.monotonic()
    assert names(pull(store, feed_at(inbox))) == ["a.csv"]
    assert time.monotonic() - began >= 0.4
    os.utime(inbox / "a.csv", (time.time() + 9000,) * 2)  # a share whose clock is ahead
    assert pull(store, feed_at(inbox)).status == "nothing_new"


@pytest.mark.parametrize("name", ["a.csv.part", "a.csv.filepart", "a.tmp", "~$a.xlsx", "a.csv.crdownload"])
def test_a_name_of_an_upload_waits_for_its_own(inbox: Path, store: Store, name: str) -> None:
    old(inbox / name, csv(1)[:30])
    assert (pull(store, feed_at(inbox)).status, receipts(store)) == ("no_file", [])
    old(inbox / name, csv(1)).rename(inbox / "a.csv")
    assert names(pull(store, feed_at(inbox))) == ["a.csv"]


def test_a_replaced_file_is_fetched_again(inbox: Path, store: Store) -> None:
    old(inbox / "a.csv", csv(1))
    assert names(pull(store, feed_at(inbox))) == ["a.csv"]
    mtime = (inbox / "a.csv").stat().st_mtime
    (inbox / "a.csv").write_bytes(csv(1000))
    os.utime(inbox / "a.csv", (mtime, mtime))  # as copying programs keep it
    assert names(pull(store, feed_at(inbox))) == ["a.csv"]
    assert pull(store, feed_at(inbox)).status == "nothing_new"


def test_a_file_that_changes_within_the_tick_of_a_clock_is_looked_into_again(inbox: Path, store: Store) -> None:
    second = int(time.time())
    for count in (1, 2):
        (inbox / "a.csv").write_bytes(csv(count))
        os.utime(inbox / "a.csv", (second, second))
        assert len(pull(store, feed_at(inbox)).landed) == 1


# --- HTTPS


def test_an_index_that_says_another_size(web: Web, store: Store) -> None:
    web.files = {"a.csv": csv(1), "b.csv": csv(2)}
    web.index = [web.entry("a.csv", 7), web.entry("b.csv", len(csv(2)))]
    pulled = pull(store, web.feed())
    assert names(pulled) == ["b.csv"]
    assert f"'a.csv' came with {len(csv(1))} bytes and the index says 7" in pulled.reason
    web.index = None
    assert names(pull(store, web.feed())) == ["a.csv"]


def test_an_index_that_names_another_server(
    web: Web, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Web(tmp_path / "there", monkeypatch)
    there.files = {"a.csv": csv(9)}
    ours = Web(tmp_path / "ours", monkeypatch)  # AIRFLOW_CONN_WEB is this one's
    ours.files = {"b.csv": csv(2), "c.csv": csv(3)}
    bad = [f"https://127.0.0.1:{there.port}/files/a.csv", f"//127.0.0.1:{there.port}/files/a.csv", "https://[/x.csv"]
    good = f"https://127.0.0.1:{ours.port}/files/c.csv"
    ours.index = [*(ours.entry(n, 99) for n in bad), ours.entry("b.csv", len(csv(2))), ours.entry(good, len(csv(3)))]
    pulled = pull(store, ours.feed())
    assert (pulled.status, sorted(names(pulled))) == ("failed", ["b.csv", "c.csv"])
    assert "on another server, which is not asked" in pulled.reason
    transport = Https(endpoint("web"))
    for location in (bad[0], bad[0].replace("a.csv", "")):
        with pytest.raises(PullFailed, match="is on another server than"):
            transport.fetch(transport.list(location)[0], 1000)
    transport.close()
    assert there.asked == []
    there.server.shutdown()
    ours.server.shutdown()


def test_an_entry_of_an_index_that_says_nothing_useful_stops_no_other(web: Web, store: Store) -> None:
    web.files = {"a.csv": csv(1), "b.csv": csv(2)}
    web.files["c.csv"] = csv(3)
    bare = {"type": "file", "size": len(csv(1))}
    web.index = [
        {**bare, "name": "a.csv", "mtime": "yesterday"},
        {**bare, "name": "c.csv", "size": None, "mtime": "2023-04-11T10:00:00+01:00"},
        web.entry("b.csv", len(csv(2))),
    ]
    assert names(pull(store, web.feed())) == ["a.csv", "b.csv", "c.csv"]
    assert [r.sent_at for r in receipts(store)] == [None, *["2023-04-11T09:00:00+00:00"] * 2]
    web.files["a.csv"], _ = csv(7), web.fetched()
    assert names(pull(store, web.feed())) == ["a.csv"], "its size alone does not say that it is the same"
    assert web.fetched() == ["a.csv"]


@pytest.mark.parametrize("layers", [1, 2])
def test_what_is_packed_for_the_way_is_unpacked_within_limits(web: Web, store: Store, layers: int) -> None:
    codings = ", ".join(["gzip"] * layers)
    with gzip.GzipFile(fileobj=(out := io.BytesIO()), mode="wb") as packed:
        for _ in range(400 if layers == 2 else 60):
            packed.write(bytes(1024**2))
    bomb = gzip.compress(out.getvalue()) if layers == 2 else out.getvalue()
    good = gzip.compress(csv(1)) if layers == 1 else gzip.compress(gzip.compress(csv(1)))
    web.files = {"good.csv": good, "bomb.csv": bomb}
    web.headers = {name: {"Content-Encoding": codings} for name in web.files}
    web.index = [web.entry("bomb.csv", len(bomb)), web.entry("good.csv", len(good))]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pulled = pull(store, web.feed())
    assert names(pulled) == ["good.csv"] and receipts(store)[0].size == len(csv(1))
    assert "unpacks to more than 50,000,000 bytes" in pulled.reason or "is larger than 50,000,000" in pulled.reason
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000, "kB"


@pytest.mark.parametrize(
    ("codings", "body", "says"),
    [
        ("gzip, gzip, gzip", b"", "in a way that is not read"),
        ("br", b"", "in a way that is not read"),
        ("gzip", b"not packed", "damaged"),
        ("gzip", gzip.compress(b"x" * 1000)[:-12], "cut short"),
    ],
)
def test_what_cannot_be_unpacked_says_so(codings: str, body: bytes, says: str) -> None:
    with pytest.raises(PullFailed, match=says):
        list(inflated([body], codings, 1000))
    whole = gzip.compress(b"a" * 70_000) + gzip.compress(b"b" * 65_536)
    pieces = [whole[i : i + 7] for i in range(0, len(whole), 7)]
    assert b"".join(inflated(pieces, "identity, gzip", 10**6)) == b"a" * 70_000 + b"b" * 65_536


def test_what_a_server_said_is_forgotten_with_the_landing(web: Web, store: Store) -> None:
    web.files, web.headers = {"a.csv": csv(1)}, {"a.csv": {"ETag": '"1"'}}
    feed = web.feed("files/a.csv")
    assert pull(store, feed, "1").status == "landed"
    assert (pull(store, feed, "2").status, web.fetched()) == ("nothing_new", ["a.csv", "a.csv"])
    shutil.rmtree(store.path("landing"))
    assert pull(store, feed, "3").status == "landed", "a 304 would have told nothing new"
    assert store.exists(f"landing/receipts/{receipts(store)[0].submission_id}.json")
    [outcome] = judge(store)
    assert outcome.status == "accepted"
    rebuild(store)
    assert ledger_of(store).receiving.remotes.of(feed.id) == {}
    assert pull(store, feed, "4").status == "nothing_new"


# --- S3 and SFTP


def test_objects_each_for_itself_and_a_landing_on_s3_that_is_lost(
    server: S3, bucket: s3fs.S3FileSystem, store: Store, given: Settings
) -> None:
    for n in range(3):
        bucket.pipe(f"extracts/RHU/{n}.csv", csv(n))
    feed = object_feed(location="s3://extracts/RHU/*.csv")
    server.refuse = lambda method, path: 403 if method == "GET" and "RHU/1.csv" in path else None
    pulled = pull(store, feed)
    assert (pulled.status, names(pulled)) == ("failed", ["0.csv", "2.csv"])
    assert "the object store refused '1.csv'" in pulled.reason
    server.refuse = lambda method, path: None
    assert names(pull(store, feed)) == ["1.csv"]
    bucket.pipe("extracts/RHU/0.csv", csv(77))
    assert names(pull(store, feed)) == ["0.csv"]
    shutil.rmtree(store.path("landing"))
    assert len(pull(store, feed).landed) == 3


def test_a_root_on_s3_that_lost_its_landing(
    server: S3,
    bucket: s3fs.S3FileSystem,
    inbox: Path,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STRIKES_HOME", "s3://extracts/home")
    monkeypatch.setenv("STRIKES_LEDGER", postgres_url)
    store = Store()
    for n in range(4):
        old(inbox / f"{n}.csv", csv(n), 7200 - n)
    assert len(pull(store, feed_at(inbox), "1").landed) == 4
    with server.counted() as quiet:
        assert pull(store, feed_at(inbox), "2").status == "nothing_new"
    assert quiet["PUT"] == 0 and quiet.total() <= 3, "one look for the newest, and for leftovers"
    bucket.rm("extracts/home/landing", recursive=True)
    assert len(pull(store, feed_at(inbox), "3").landed) == 4
    assert pull(store, feed_at(inbox), "4").status == "nothing_new"


@pytest.mark.skipif(SSHD is None, reason="OpenSSH's server is not installed")
@pytest.mark.skipif(os.geteuid() != 0, reason="sshd needs root to log a user in")
def test_sftp_files_each_for_itself(
    tmp_path: Path, store: Store, given: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_the_way_to(tmp_path / "out")
    out, port = tmp_path / "out", free_port()
    out.mkdir()
    (host, host_public), (user, user_public) = ssh_key(), ssh_key()
    extra = {"host_key": host_public, "private_key": user, "settle": 0.05}
    reached = {"conn_type": "sftp", "host": "127.0.0.1", "port": port, "login": "nobody", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_TRUST_SFTP", json.dumps(reached))
    feed = feed_at(f"{out}/*.csv", transport="sftp", connection="trust_sftp")
    old(out / "a.csv", csv(1), 9000).chmod(0)
    old(out / "b.csv", csv(2), 8000)
    with sshd(tmp_path / "sshd", host, user_public, port):
        (tmp_path / "sshd").chmod(0o755)
        (tmp_path / "sshd" / "authorized_keys").chmod(0o644)
        pulled = pull(store, feed, "1")
        assert (pulled.status, names(pulled)) == ("failed", ["b.csv"])
        assert pulled.reason == "'a.csv' may not be read by our account"
        (out / "a.csv").chmod(0o644)
        assert names(pull(store, feed, "2")) == ["a.csv"]
        assert [r.source_name for r in receipts(store)] == ["a.csv", "b.csv"]
        began = time.monotonic()
        monkeypatch.setenv("AIRFLOW_CONN_TRUST_SFTP", json.dumps({**reached, "extra": {**extra, "settle": 30}}))
        assert pull(store, feed, "3").status == "nothing_new"
        assert time.monotonic() - began < 15, "nothing is waited for where everything is known"


# --- lateness


def test_a_return_is_late_by_when_it_was_put_there(inbox: Path, store: Store) -> None:
    """Due at 10:00 in London: in April that is 09:00 UTC. It was put there in time, and fetched years later."""
    feed = feed_at(inbox, due="10:00")
    for name, moment in (("a.csv", "2023-04-12T08:59:00+00:00"), ("b.csv", "2023-04-12T09:01:00+00:00")):
        path = old(inbox / name, csv(len(name) + ord(name[0])))
        os.utime(path, (datetime.fromisoformat(moment).timestamp(),) * 2)
    pull(store, feed)
    outcomes = judge(store)
    day = datetime(2023, 4, 11, tzinfo=UTC).date()
    assert [(o.source_name, _is_late(o, day)) for o in outcomes] == [("a.csv", False), ("b.csv", True)]


def test_a_time_that_copying_kept_is_not_believed_where_the_file_was_not_there(
    inbox: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    old(inbox / "a.csv", csv(1))
    pull(store, feed_at(inbox), "1")
    looked = datetime.now(UTC)
    old(inbox / "b.csv", csv(2), 7200)  # two hours old on the sender's disk
    os.utime(old(inbox / "c.csv", csv(3)), (time.time() + 900,) * 2)  # a clock that is ahead
    pull(store, feed_at(inbox), "2")
    sent = {r.source_name: datetime.fromisoformat(str(r.sent_at)) for r in receipts(store)}
    assert abs((sent["b.csv"] - looked).total_seconds()) < 60
    assert sent["c.csv"] <= datetime.now(UTC)
    assert (looked - sent["a.csv"]).total_seconds() > 3000


def test_when_a_file_that_failed_was_put_there(web: Web, store: Store) -> None:
    web.files, web.answers = {"a.csv": csv(1)}, {"a.csv": 503}
    pull(store, web.feed(), "1")
    web.answers = {}
    pull(store, web.feed(), "2")
    assert [r.sent_at for r in receipts(store)] == ["2023-04-11T09:00:00+00:00"]
    web.headers = {"b.csv": {"Last-Modified": "Wed, 12 Apr 2023 08:00:00 GMT"}}
    web.files["b.csv"] = csv(2)
    other = web.feed("files/b.csv").model_copy(update={"trust": "RHM"})
    pull(store, other, "1")
    assert receipts(store)[1].sent_at == "2023-04-12T08:00:00+00:00"
