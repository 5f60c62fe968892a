"""SFTP against OpenSSH's own server: good pulls, every failure, and recovery after it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from servers import SSHD, free_port, ssh_key, sshd
from strike_reporting.intake.collecting import collect
from strike_reporting.intake.registry import Feed
from strike_reporting.intake.transports import PullFailed
from strike_reporting.intake.transports.connections import endpoint
from strike_reporting.intake.transports.sftp import Sftp
from strike_reporting.ledger import ledger_of
from strike_reporting.settings import settings
from strike_reporting.storage import Store

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(SSHD is None, reason="OpenSSH's server is not installed"),
    pytest.mark.skipif(os.geteuid() != 0, reason="sshd needs root to log a user in"),
]
CSV = b"ods_code,activity_date,point_of_delivery,status,cancelled_count\nRHU,2023-04-11,day_case,cancelled,4\n"


class Place:
    """A running server, the folder it serves and the connection to it."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.port, self.patch = tmp_path / "out", free_port(), monkeypatch
        self.folder.mkdir()
        self.host, self.host_public = ssh_key()
        self.user, self.user_public = ssh_key()
        self.etc = tmp_path / "sshd"
        self.connect()

    def connect(self, port: int | None = None, login: str = "root", password: str = "not-it", **extra: object) -> None:
        given = {"host_key": self.host_public, "private_key": self.user, "settle": 0.05, "timeout": 3, **extra}
        value = {"conn_type": "sftp", "host": "127.0.0.1", "port": port or self.port, "login": login}
        self.patch.setenv("AIRFLOW_CONN_TRUST_SFTP", json.dumps({**value, "password": password, "extra": given}))

    def feed(self) -> Feed:
        return Feed(
            trust="RHU",
            extract="cancellations",
            transport="sftp",
            connection="trust_sftp",
            location=f"{self.folder}/*.csv",
            contact="a@b.example",
        )


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("STRIKES_RETRY_AFTER_SECONDS", "0.05")
    settings.cache_clear()
    made = Place(tmp_path, monkeypatch)
    with sshd(made.etc, made.host, made.user_public, made.port):
        yield made


def pull(store: Store, place: Place) -> tuple[str, str]:
    [pulled] = collect(store, "round", [place.feed()])
    [record] = ledger_of(store).receiving.pulls("round")
    assert record.status == pulled.status or record.status == "landed"
    return pulled.status, pulled.reason


def recovers(store: Store, place: Place) -> None:
    place.connect()
    (place.folder / "good.csv").write_bytes(CSV)
    assert pull(store, place)[0] == "landed"


def test_files_are_landed_once(place: Place, store: Store) -> None:
    (place.folder / "a.csv").write_bytes(CSV)
    (place.folder / "ignored.txt").write_bytes(b"x")
    assert pull(store, place) == ("landed", "1 new of 1 files")
    assert pull(store, place) == ("nothing_new", "all 1 files were landed before")
    (place.folder / "b.csv").write_bytes(CSV + b"RHU,2023-04-12,day_case,cancelled,1\n")
    assert pull(store, place) == ("landed", "1 new of 2 files")


def can_unshare() -> bool:
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0


def test_a_password(place: Place, store: Store, tmp_path: Path) -> None:
    if not can_unshare():
        pytest.skip("a private mount namespace, in which this server finds its own password file, is not allowed here")
    crypted = subprocess.run(["openssl", "passwd", "-6", "open sesame"], capture_output=True, check=True, text=True)
    shadow = tmp_path / "shadow"
    shadow.write_text(f"root:{crypted.stdout.strip()}:19000:0:99999:7:::\n")
    port = free_port()
    (place.folder / "a.csv").write_bytes(CSV)
    with sshd(tmp_path / "sshd2", place.host, place.user_public, port, shadow):
        place.connect(port=port, private_key=None, password="guessed")
        status, reason = pull(store, place)
        assert (status, "refused the login" in reason, "guessed" in reason) == ("failed", True, False)
        place.connect(port=port, private_key=None, password="open sesame")
        assert pull(store, place) == ("landed", "1 new of 1 files")


@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_keys_of_other_kinds(place: Place, store: Store, tmp_path: Path, kind: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1()) if kind == "ecdsa" else rsa.generate_private_key(65537, 3072)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    port = free_port()
    (place.folder / "a.csv").write_bytes(CSV)
    with sshd(tmp_path / "sshd2", place.host, public, port):
        place.connect(port=port, private_key=pem)
        assert pull(store, place) == ("landed", "1 new of 1 files")


def test_a_dead_endpoint_does_not_hold_the_others(place: Place, store: Store) -> None:
    (place.folder / "a.csv").write_bytes(CSV)
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        place.connect(port=silent.getsockname()[1], timeout=1.5)
        place.patch.setenv("AIRFLOW_CONN_DEAD_SFTP", os.environ["AIRFLOW_CONN_TRUST_SFTP"])
        place.connect()
        place.patch.setenv("STRIKES_ROUND_SECONDS", "4")
        settings.cache_clear()
        dead = [place.feed().model_copy(update={"trust": f"R{n:02}", "connection": "dead_sftp"}) for n in range(10, 40)]
        started = time.monotonic()
        *lost, good = collect(store, "round", [*dead, place.feed()])
        assert time.monotonic() - started < 12
    assert good.status == "landed"
    assert {p.status for p in lost} == {"failed"}
    assert len(ledger_of(store).receiving.pulls("round")) == 31
    assert "the connection to 127.0.0.1 was lost" in lost[0].reason
    assert lost[-1].reason.startswith("the round's 0.0666667 minutes were over")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"private_key": "no key at all"}, "not an Ed25519, ECDSA or RSA key"),
        ({"host_key": "wrong"}, "the host key of 127.0.0.1 has changed"),
        ({"host_key": ""}, "pins no host key"),
        ({"private_key": "wrong"}, "refused the login of 'root'"),
        ({"private_key": None}, "refused the login of 'root'"),
    ],
)
def test_refusals_are_permanent_and_say_why(place: Place, store: Store, change: dict, says: str) -> None:
    if change.get("host_key") == "wrong":
        change = {"host_key": ssh_key()[1]}
    if change.get("private_key") == "wrong":
        change = {"private_key": ssh_key()[0]}
    place.connect(**change)
    status, reason = pull(store, place)
    assert status == "failed"
    assert says in reason
    with pytest.raises(PullFailed) as failed:
        Sftp(endpoint("trust_sftp")).list(f"{place.folder}/*")
    assert failed.value.permanent
    assert "not-it" not in reason
    recovers(store, place)


def test_a_file_still_being_written_is_left_for_the_next_round(place: Place, store: Store) -> None:
    place.connect(settle=0.6)
    path, going = place.folder / "growing.csv", threading.Event()

    def grow() -> None:
        with path.open("ab", buffering=0) as file:
            while not going.wait(0.05):
                file.write(b"x")

    path.write_bytes(b"x")
    writer = threading.Thread(target=grow)
    writer.start()
    try:
        assert pull(store, place)[0] == "no_file"
    finally:
        going.set()
        writer.join()
    assert pull(store, place)[0] == "landed"


def test_a_done_marker_needs_no_waiting(place: Place, store: Store) -> None:
    place.connect(settle=30)
    (place.folder / "a.csv").write_bytes(CSV)
    (place.folder / "a.csv.done").write_bytes(b"")
    started = time.monotonic()
    assert pull(store, place)[0] == "landed"
    assert time.monotonic() - started < 15


def test_a_file_that_changes_while_it_is_read_is_not_landed(place: Place, store: Store) -> None:
    path = place.folder / "a.csv"
    path.write_bytes(CSV)
    transport = Sftp(endpoint("trust_sftp"))
    [file] = transport.list(f"{place.folder}/*.csv")
    path.write_bytes(CSV * 2)
    with pytest.raises(PullFailed, match="changed while it was read"):
        transport.fetch(file, 10_000)
    transport.close()


def test_too_large_is_refused_while_reading(place: Place) -> None:
    (place.folder / "a.csv").write_bytes(b"x" * 2_000_000)
    transport = Sftp(endpoint("trust_sftp"))
    [file] = transport.list(f"{place.folder}/*.csv")
    with pytest.raises(PullFailed, match="larger than 1,000,000") as failed:
        transport.fetch(file, 1_000_000)
    assert failed.value.permanent
    transport.close()


def test_names_never_become_paths_here(place: Place, store: Store, home: Path) -> None:
    name = "a..\\..\\con\u202e.csv"
    (place.folder / name).write_bytes(CSV)
    assert pull(store, place)[0] == "landed"
    assert not [p for p in home.rglob("*") if "con" in p.name and p.suffix == ".csv"]


def test_a_server_that_stalls_does_not_hold_the_round(place: Place, store: Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place.connect(port=silent.getsockname()[1], timeout=0.5)
        started = time.monotonic()
        status, reason = pull(store, place)
    assert status == "failed"
    assert "lost" in reason
    assert time.monotonic() - started < 20
    recovers(store, place)


def test_a_connection_cut_mid_file(place: Place, store: Store) -> None:
    (place.folder / "big.csv").write_bytes(b"x" * 5_000_000)
    with Cutter(place.port, after=1_500_000) as cutter:
        place.connect(port=cutter.port)
        status, reason = pull(store, place)
    assert status == "failed"
    assert "lost" in reason
    assert ledger_of(store).receiving.pulls("round")[0].files == ()
    (place.folder / "big.csv").unlink()
    recovers(store, place)


class Cutter:
    """A relay that cuts every connection after so many bytes from the server."""

    def __init__(self, target: int, after: int) -> None:
        self.target, self.after = target, after
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self) -> Cutter:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self._copy, args=(client, server, 1 << 60), daemon=True).start()
            threading.Thread(target=self._copy, args=(server, client, self.after), daemon=True).start()

    @staticmethod
    def _copy(source: socket.socket, sink: socket.socket, limit: int) -> None:
        passed = 0
        try:
            while passed < limit and (data := source.recv(65536)):
                sink.sendall(data)
                passed += len(data)
        except OSError:
            passed = limit
        for plug in (source, sink):
            try:
                plug.shutdown(socket.SHUT_RDWR)
            except OSError:
                plug.close()
