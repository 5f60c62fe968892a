"""Pulling that never starves: each file for itself, new ones first, whole ones only, over real servers."""

from __future__ import annotations

import gzip
import io
import json
import os
import resource
import shutil
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import s3fs
import sqlalchemy as sa
from conftest import judge, receipts
from s3 import S3
from servers import SSHD, authority, free_port, ssh_key, sshd
from strike_reporting import ledger
from strike_reporting.cli import app
from strike_reporting.intake import remembering
from strike_reporting.intake.collecting import Pulled, collect
from strike_reporting.intake.landing import Sender, land
from strike_reporting.intake.registry import Feed
from strike_reporting.intake.transports import PullFailed
from strike_reporting.intake.transports.connections import endpoint
from strike_reporting.intake.transports.https import Https
from strike_reporting.intake.transports.inflating import inflated
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.remote import Remote
from strike_reporting.operations.rebuild import rebuild
from strike_reporting.publishing.selection import _is_late
from strike_reporting.settings import settings
from strike_reporting.storage import Store
from test_object_store import bucket, server
from test_object_store import feed as object_feed
from typer.testing import CliRunner

__all__ = ["bucket", "server"]  # fixtures
pytestmark = pytest.mark.integration
HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
Settings = Callable[..., None]


def csv(count: int) -> bytes:
    return f"{HEAD}RHU,2023-04-11,day_case,cancelled,{count}\n".encode()


def old(path: Path, data: bytes, age: float = 3600) -> Path:
    """A file that has lain there for a while."""
    path.write_bytes(data)
    os.utime(path, (time.time() - age,) * 2)
    return path


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Settings:
    def give(**values: object) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"STRIKES_{name.upper()}", str(value))
        settings.cache_clear()

    give(retry_after_seconds="0.01")
    return give


def names(pulled: Pulled) -> list[str]:
    return [r.source_name for r in pulled.landed]


def pull(store: Store, feed: Feed, collection: str = "r", *, at_once: bool = False) -> Pulled:
    [pulled] = collect(store, collection, [feed], at_once=at_once)
    return pulled


class Web:
    """An HTTPS server whose every answer the test gives, and which writes down what it was asked."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.files: dict[str, bytes] = {}
        self.answers: dict[str, int] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.index: Any = None
        self.asked: list[tuple[str, str]] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.removeprefix("/files/")
                web.asked.append((self.path, self.headers.get("Authorization", "")))
                if not name:
                    return self.send(200, json.dumps(web.listed()).encode(), {})
                code = web.answers.get(name, 200 if name in web.files else 404)
                headers = web.headers.get(name, {})
                if code == 200 and headers.get("ETag", "") == self.headers.get("If-None-Match", "none"):
                    return self.send(304, b"", headers)
                return self.send(code, web.files.get(name, b"") if code == 200 else b"", headers)

            def send(self, code: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(code)
                for key, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """What was asked is in `asked`."""

        ca, certificate, key = authority(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        value = {"conn_type": "http", "host": "127.0.0.1", "port": self.port, "login": "trust", "password": "sesame"}
        patch.setenv("AIRFLOW_CONN_WEB", json.dumps({**value, "extra": {"ca": str(ca), "timeout": 3}}))

    def listed(self) -> Any:
        if self.index is not None:
            return self.index
        return [self.entry(n, len(d)) for n, d in self.files.items()]

    def entry(self, name: str, size: int) -> dict[str, object]:
        return {"name": name, "type": "file", "mtime": "Tue, 11 Apr 2023 09:00:00 GMT", "size": size}

    def fetched(self) -> list[str]:
        """Names that were asked for since the last call."""
        asked, self.asked = self.asked, []
        return [path.removeprefix("/files/") for path, _ in asked if path != "/files/"]

    def feed(self, location: str = "files/") -> Feed:
        return Feed(
            trust="RHU",
            extract="cancellations",
            transport="https",
            connection="web",
            location=location,
            contact="a@b.example",
        )


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: Settings) -> Iterator[Web]:
    made = Web(tmp_path / "ca", monkeypatch)
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def inbox(tmp_path: Path, given: Settings) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def folder_feed(inbox: Path, **more: object) -> Feed:
    return Feed(trust="RHU", extract="cancellations", location=str(inbox), contact="a@b.example", **more)


# --- each file for itself


def test_a_503_and_a_404_hold_back_none_of_the_others(web: Web, store: Store) -> None:
    web.files = {"1.csv": csv(1), "2.csv": csv(2), "3.csv": csv(3), "4.csv": csv(4)}
    web.answers = {"1.csv": 503, "2.csv": 404}
    first = pull(store, web.feed())
    assert (first.status, names(first)) == ("failed", ["3.csv", "4.csv"])
    assert "answered 503 for 'files/1.csv'" in first.reason and "answered 404 for 'files/2.csv'" in first.reason
    web.fetched()
    web.files["5.csv"], web.answers = csv(5), {"2.csv": 404}
    second = pull(store, web.feed())
    assert web.fetched() == ["5.csv", "1.csv", "2.csv"], "new ones first, and what is landed is not asked for"
    assert (second.status, names(second)) == ("failed", ["5.csv", "1.csv"])
    web.answers = {}
    assert names(pull(store, web.feed())) == ["2.csv"]
    assert pull(store, web.feed()).status == "nothing_new"


def test_a_file_that_comes_late_by_our_fault_keeps_its_place_in_the_order(web: Web, store: Store) -> None:
    """The corrected return is in the order after the first one, whichever of them could be fetched first."""
    web.files, web.answers = {"v1.csv": csv(1), "v2.csv": csv(2)}, {"v1.csv": 503}
    assert names(pull(store, web.feed())) == ["v2.csv"]
    web.files["v3.csv"], web.answers = csv(3), {"v1.csv": 500, "v3.csv": 503}
    assert names(pull(store, web.feed())) == []
    web.answers = {}
    assert names(pull(store, web.feed())) == ["v1.csv", "v3.csv"]
    assert [r.source_name for r in receipts(store)] == ["v1.csv", "v2.csv", "v3.csv"]
    assert [r.sequence for r in receipts(store)] == sorted({r.sequence for r in receipts(store)})
    kept = json.loads(store.read(f"landing/receipts/{receipts(store)[0].submission_id}.json"))
    assert kept["sequence"] == receipts(store)[0].sequence
    judge(store)
    rebuild(store)
    assert [r.source_name for r in receipts(store)] == ["v1.csv", "v2.csv", "v3.csv"]


def test_a_pull_that_dies_does_not_change_the_order(web: Web, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    web.files, web.answers = {"v1.csv": csv(1), "v2.csv": csv(2)}, {"v1.csv": 503}
    with monkeypatch.context() as patch:
        patch.setattr(type(ledger_of(store).receiving), "pulled", lambda *_: 1 / 0)
        assert names(pull(store, web.feed())) == ["v2.csv"]
    web.answers = {}
    assert names(pull(store, web.feed())) == ["v2.csv", "v1.csv"], "v2 was landed in this round and not told of"
    assert [r.source_name for r in receipts(store)] == ["v1.csv", "v2.csv"]


def test_a_share_that_is_away_for_a_moment(inbox: Path, store: Store) -> None:
    old(inbox / "a.csv", csv(1))
    pull(store, folder_feed(inbox), "1")
    away = inbox.rename(inbox.with_name("away"))
    assert pull(store, folder_feed(inbox), "2").status == "no_file"
    inbox.mkdir()
    assert pull(store, folder_feed(inbox), "3").status == "no_file"
    inbox.rmdir()
    away.rename(inbox)
    (inbox / "a.csv").chmod(0)
    with unprivileged(store, Path(store.base), inbox):
        assert pull(store, folder_feed(inbox), "4").status == "nothing_new", "it is not read again"
    (inbox / "a.csv").unlink()
    old(inbox / "b.csv", csv(2))
    pull(store, folder_feed(inbox), "5")
    remembered = ledger_of(store).receiving.remotes.of("RHU.cancellations").values()
    assert {r.name for r in remembered if r.state == "landed"} == {"b.csv"}


def test_a_file_that_fails_in_round_after_round_is_left_alone_for_longer_and_longer(
    web: Web, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.files, web.answers = {"a.csv": csv(1), "b.csv": csv(2)}, {"a.csv": 404}
    start, tried = datetime.now(UTC), []
    for minutes in range(0, 300, 10):
        monkeypatch.setattr(remembering, "moment", lambda now=start + timedelta(minutes=minutes): now)
        assert pull(store, web.feed(), f"{minutes}").status == "failed", "also in the rounds that do not ask for it"
        tried += [minutes] * ("a.csv" in web.fetched())
    assert tried == [0, 10, 20, 30, 50, 90, 150, 210, 270]
    web.answers = {}
    assert names(pull(store, web.feed(), "by hand", at_once=True)) == ["a.csv"]


def test_an_unreadable_file_of_a_folder(inbox: Path, store: Store) -> None:
    old(inbox / "a.csv", csv(1), 7200)
    old(inbox / "b.csv", csv(2))
    (inbox / "a.csv").chmod(0)
    with unprivileged(store, Path(store.base), inbox):
        pulled = pull(store, folder_feed(inbox))
    assert (pulled.status, pulled.reason) == ("failed", "'a.csv' could not be read: Permission denied")
    assert names(pulled) == ["b.csv"]
    listed = CliRunner().invoke(app, ["feed", "files"], env={"COLUMNS": "250"}).output
    assert "RHU.cancellations" in listed and "Permission denied" in listed and "b.csv" not in listed
    (inbox / "a.csv").chmod(0o644)
    assert names(pull(store, folder_feed(inbox))) == ["a.csv"]
    assert [r.source_name for r in receipts(store)] == ["a.csv", "b.csv"]


@contextmanager
def unprivileged(store: Store, *folders: Path) -> Iterator[None]:
    """Without root's right to read everything."""
    if os.geteuid() != 0:
        yield
        return
    ledger_of(store)
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, 65534, 65534)
        for above in folder.parents[:3]:
            above.chmod(0o755)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_more_files_than_a_round_has_time_for(inbox: Path, store: Store, given: Settings) -> None:
    for n in range(60):
        old(inbox / f"{n:02}.csv", csv(n), 7200 - n)
    given(round_seconds=0.3)
    landed: list[str] = []
    for round_number in range(100):
        pulled = pull(store, folder_feed(inbox), str(round_number))
        landed += names(pulled)
        if pulled.status != "failed":
            break
        assert "minutes were over; the next round" in pulled.reason
    assert landed == [f"{n:02}.csv" for n in range(60)]
    assert round_number > 0


def test_files_that_stall_do_not_take_the_whole_round(web: Web, store: Store, given: Settings) -> None:
    given(failing_seconds=0.05)
    web.files = {f"{n}.csv": csv(n) for n in range(8)}
    web.answers = dict.fromkeys(list(web.files)[:6], 503)
    slow, real = threading.Event(), Https.fetch

    def fetch(self: Https, file: Any, max_bytes: int) -> bytes:
        if file.name in web.answers:
            slow.wait(0.04)
        return real(self, file, max_bytes)

    Https.fetch = fetch  # type: ignore[method-assign]
    try:
        found = [pull(store, web.feed(), str(n)) for n in range(7)]
    finally:
        Https.fetch = real  # type: ignore[method-assign]
    assert "files that could not be fetched took" in found[0].reason
    assert sorted(n for p in found for n in names(p)) == ["6.csv", "7.csv"]


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
    first = pull(store, folder_feed(inbox))
    assert (names(first), first.reason) == (["b.csv"], "1 new of 2 files, 1 still being written")
    writer.join()
    assert names(pull(store, folder_feed(inbox))) == ["a.csv"]
    assert receipts(store)[1].size == len(whole)


def test_a_file_that_was_just_put_there_is_landed_in_the_same_round(inbox: Path, store: Store, given: Settings) -> None:
    given(folder_settle_seconds=0.5)
    (inbox / "a.csv").write_bytes(csv(1))
    began = time.monotonic()
    assert names(pull(store, folder_feed(inbox))) == ["a.csv"]
    assert time.monotonic() - began >= 0.4
    os.utime(inbox / "a.csv", (time.time() + 9000,) * 2)  # a share whose clock is ahead
    assert pull(store, folder_feed(inbox)).status == "nothing_new"


@pytest.mark.parametrize("name", ["a.csv.part", "a.csv.filepart", "a.tmp", "~$a.xlsx", "a.csv.crdownload"])
def test_a_name_of_an_upload_waits_for_its_own(inbox: Path, store: Store, name: str) -> None:
    old(inbox / name, csv(1)[:30])
    assert (pull(store, folder_feed(inbox)).status, receipts(store)) == ("no_file", [])
    old(inbox / name, csv(1)).rename(inbox / "a.csv")
    assert names(pull(store, folder_feed(inbox))) == ["a.csv"]


def test_a_replaced_file_is_fetched_again(inbox: Path, store: Store) -> None:
    old(inbox / "a.csv", csv(1))
    assert names(pull(store, folder_feed(inbox))) == ["a.csv"]
    mtime = (inbox / "a.csv").stat().st_mtime
    (inbox / "a.csv").write_bytes(csv(1000))
    os.utime(inbox / "a.csv", (mtime, mtime))  # as copying programs keep it
    assert names(pull(store, folder_feed(inbox))) == ["a.csv"]
    assert pull(store, folder_feed(inbox)).status == "nothing_new"


def test_a_file_that_changes_within_the_tick_of_a_clock_is_looked_into_again(inbox: Path, store: Store) -> None:
    second = int(time.time())
    for count in (1, 2):
        (inbox / "a.csv").write_bytes(csv(count))
        os.utime(inbox / "a.csv", (second, second))
        assert len(pull(store, folder_feed(inbox)).landed) == 1


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
    web.index = [{"type": "file", "name": "a.csv", "size": None, "mtime": "yesterday"}, web.entry("b.csv", len(csv(2)))]
    assert names(pull(store, web.feed())) == ["a.csv", "b.csv"]


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


# --- a vanished landing


def test_a_vanished_landing_is_filled_again(inbox: Path, store: Store) -> None:
    for n in range(3):
        old(inbox / f"{n}.csv", csv(n), 7200 - n)
    first = pull(store, folder_feed(inbox), "1")
    judge(store)
    shutil.rmtree(store.path("landing"))
    again = pull(store, folder_feed(inbox), "2")
    assert (again.status, [r.sequence for r in again.landed]) == ("landed", [r.sequence for r in first.landed])
    assert {o.status for o in judge(store)} == {"accepted"}
    Path(store.path(f"landing/objects/{first.landed[1].sha256[:2]}/{first.landed[1].sha256}")).unlink()
    assert names(pull(store, folder_feed(inbox), "3")) == ["1.csv"]
    assert pull(store, folder_feed(inbox), "4").status == "nothing_new"


def test_purged_bytes_are_not_fetched_again(inbox: Path, store: Store) -> None:
    old(inbox / "a.csv", b"ods_code,nhs_number,activity_date\nRHU,943 476 5919,2023-04-11\n")
    pull(store, folder_feed(inbox), "1")
    assert [o.status for o in judge(store)] == ["rejected"]
    assert CliRunner().invoke(app, ["purge", "--yes"]).exit_code == 0
    assert pull(store, folder_feed(inbox), "2").status == "nothing_new"
    assert not list(Path(store.path("landing")).glob("objects/*/*"))
    assert CliRunner().invoke(app, ["feed", "files"]).exit_code == 0


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
    assert len(pull(store, folder_feed(inbox), "1").landed) == 4
    with server.counted() as quiet:
        assert pull(store, folder_feed(inbox), "2").status == "nothing_new"
    assert quiet["PUT"] == 0 and quiet.total() <= 3, "one look for the newest, and for leftovers"
    bucket.rm("extracts/home/landing", recursive=True)
    assert len(pull(store, folder_feed(inbox), "3").landed) == 4
    assert pull(store, folder_feed(inbox), "4").status == "nothing_new"


@pytest.mark.skipif(SSHD is None, reason="OpenSSH's server is not installed")
@pytest.mark.skipif(os.geteuid() != 0, reason="sshd needs root to log a user in")
def test_sftp_files_each_for_itself(
    tmp_path: Path, store: Store, given: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    out, port = tmp_path / "out", free_port()
    out.mkdir()
    (host, host_public), (user, user_public) = ssh_key(), ssh_key()
    extra = {"host_key": host_public, "private_key": user, "settle": 0.05}
    reached = {"conn_type": "sftp", "host": "127.0.0.1", "port": port, "login": "nobody", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_TRUST_SFTP", json.dumps(reached))
    feed = Feed(
        trust="RHU",
        extract="cancellations",
        transport="sftp",
        connection="trust_sftp",
        location=f"{out}/*.csv",
        contact="a@b.example",
    )
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
    feed = folder_feed(inbox, due="10:00")
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
    pull(store, folder_feed(inbox), "1")
    looked = datetime.now(UTC)
    old(inbox / "b.csv", csv(2), 7200)  # two hours old on the sender's disk
    os.utime(old(inbox / "c.csv", csv(3)), (time.time() + 900,) * 2)  # a clock that is ahead
    pull(store, folder_feed(inbox), "2")
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


# --- what a round costs


def test_old_files_cost_a_listing(inbox: Path, store: Store) -> None:
    many = 2000
    for n in range(many):
        old(inbox / f"{n:05}.csv", csv(n), 90_000 - n)
    feed, engine, said = folder_feed(inbox), ledger_of(store).engine, [0]
    pull(store, feed, "1")

    @sa.event.listens_for(engine, "before_cursor_execute")
    def count(*_: object) -> None:
        said[0] += 1

    began = time.process_time()
    assert pull(store, feed, "2").status == "nothing_new"
    assert said[0] < 25, "statements do not go with the number of files"
    assert time.process_time() - began < 2
    sa.event.remove(engine, "before_cursor_execute", count)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_ledger_of_before_is_brought_along(
    inbox: Path, home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    """And the round after it lands nothing twice, in the order that numbers were kept for, on both databases."""
    if database == "postgresql":
        monkeypatch.setenv("STRIKES_LEDGER", request.getfixturevalue("postgres_url"))
    store = Store()
    old(inbox / "a.csv", csv(1), 7200)
    pull(store, folder_feed(inbox), "1")
    with ledger_of(store).engine.begin() as connection:
        for statement in (
            "DROP TABLE remote_files",
            "ALTER TABLE feeds ADD COLUMN validators TEXT",
            "UPDATE alembic_version SET version_num = '0002'",
        ):
            connection.execute(sa.text(statement))
    ledger._opened.clear()
    old(inbox / "b.csv", csv(2), 3600)
    assert names(pull(store, folder_feed(inbox), "2")) == ["b.csv"]
    engine = ledger_of(store).engine
    assert "validators" not in {c["name"] for c in sa.inspect(engine).get_columns("feeds")}
    [kept] = ledger_of(store).receiving.reserve("RHU.cancellations", [Remote("x", "late.csv", "failed")])
    old(inbox / "c.csv", csv(3), 1800)
    pull(store, folder_feed(inbox), "3")
    land(store, csv(4), "late.csv", Sender("RHU.cancellations"), kept.sequence)
    assert [r.source_name for r in receipts(store)] == ["a.csv", "b.csv", "late.csv", "c.csv"]
    assert pull(store, folder_feed(inbox), "4").status == "nothing_new"
    ledger_of(store).receiving.remotes.forget("RHU.cancellations")
    assert pull(store, folder_feed(inbox), "5").status == "nothing_new"
    assert len(ledger_of(store).receiving.remotes.of("RHU.cancellations")) == 4
