"""HTTPS against nginx with TLS and a private authority: good pulls, every failure, and recovery after it."""

from __future__ import annotations

import base64
import json
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import receipts
from pulling import feed_at
from servers import NGINX, authority, free_port, nginx
from strike_reporting.intake.collecting import collect
from strike_reporting.intake.registry import Feed
from strike_reporting.intake.transports import PullFailed, Unchanged
from strike_reporting.intake.transports.connections import endpoint
from strike_reporting.intake.transports.https import Https
from strike_reporting.ledger import ledger_of
from strike_reporting.settings import settings
from strike_reporting.storage import Store

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
    pytest.mark.skipif(os.geteuid() != 0, reason="nginx is started as root here"),
]
CSV = b"ods_code,activity_date,point_of_delivery,status,cancelled_count\nRHU,2023-04-11,day_case,cancelled,4\n"
BEARER = base64.b64encode(b"not a real token").decode()


class Place:
    """The folder that nginx serves, and the connection to it."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.port, self.patch = tmp_path / "out", free_port(), monkeypatch
        self.folder.mkdir()
        self.ca, self.certificate, self.key = authority(tmp_path / "ca")
        self.connect()

    def connect(self, port: int | None = None, password: str = "open sesame", **extra: object) -> None:
        value = {
            "conn_type": "http",
            "host": "127.0.0.1",
            "port": port or self.port,
            "login": "trust",
            "password": password,
            "extra": {"ca": str(self.ca), "timeout": 2, **extra},
        }
        self.patch.setenv("AIRFLOW_CONN_TRUST_HTTPS", json.dumps(value))

    def feed(self, location: str = "files/") -> Feed:
        return feed_at(location, transport="https", connection="trust_https")

    def locations(self, tmp_path: Path) -> str:
        (tmp_path / "passwords").write_text("trust:{PLAIN}open sesame\n")
        (tmp_path / "passwords").chmod(0o644)
        codes = "\n".join(f"  location /answer/{c} {{ return {c}; }}" for c in (403, 404, 503))
        return f"""
  location /files/ {{ alias {self.folder}/; autoindex on; autoindex_format json;
    auth_basic "trusts"; auth_basic_user_file {tmp_path}/passwords; }}
  location /token/ {{ if ($http_authorization != "Bearer {BEARER}") {{ return 401; }}
    alias {self.folder}/; autoindex on; autoindex_format json; }}
  ssl_client_certificate {self.ca}; ssl_verify_client optional;
  location /certified/ {{ if ($ssl_client_verify != SUCCESS) {{ return 403; }} alias {self.folder}/; }}
  location /slow/ {{ alias {self.folder}/; limit_rate 2k; }}
  location = /moved.csv {{ return 302 /token/a.csv; }}
  location = /away.csv {{ return 302 https://127.0.0.2:{self.port}/files/a.csv; }}
  location = /round.csv {{ return 302 /round.csv; }}
  location = /answer/429 {{ add_header Retry-After 30 always; return 429; }}
{codes}"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("STRIKES_RETRY_AFTER_SECONDS", "0.05")
    settings.cache_clear()
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    made = Place(tmp_path, monkeypatch)
    with nginx(tmp_path / "nginx", made.certificate, made.key, made.port, made.locations(tmp_path)):
        yield made


def pull(store: Store, place: Place, location: str = "files/") -> tuple[str, str]:
    [pulled] = collect(store, "round", [place.feed(location)])
    assert ledger_of(store).receiving.pulls("round")
    return pulled.status, pulled.reason


def recovers(store: Store, place: Place) -> None:
    place.connect()
    (place.folder / "good.csv").write_bytes(CSV)
    assert pull(store, place)[0] == "landed"


def test_an_index_is_pulled_once(place: Place, store: Store) -> None:
    (place.folder / "a b%20&c.csv").write_bytes(CSV)
    assert pull(store, place) == ("landed", "1 new of 1 files")
    assert pull(store, place) == ("nothing_new", "all 1 files were landed before")
    assert [r.source_name for r in receipts(store)] == ["a b%20&c.csv"]


def test_bearer_and_a_redirect_within_the_host(place: Place, store: Store) -> None:
    place.connect(bearer=BEARER)
    (place.folder / "a.csv").write_bytes(CSV)
    assert pull(store, place, "moved.csv")[0] == "landed"
    assert pull(store, place, "token/") == ("nothing_new", "all 1 files were landed before")


def test_an_unchanged_file_is_not_sent_again(place: Place, store: Store) -> None:
    place.connect(bearer=BEARER)
    (place.folder / "a.csv").write_bytes(CSV)
    assert pull(store, place, "token/a.csv") == ("landed", "1 new of 1 files")
    [receipt] = receipts(store)
    assert set(receipt.transport) == {"transport", "host", "etag", "last_modified"}
    transport = Https(endpoint("trust_https"))
    [file] = transport.list("token/a.csv")
    with pytest.raises(Unchanged):
        transport.fetch(replace(file, seen={"etag": receipt.transport["etag"]}), 1000)
    with pytest.raises(Unchanged):
        transport.fetch(replace(file, seen={"last_modified": receipt.transport["last_modified"]}), 1000)
    transport.close()
    assert pull(store, place, "token/a.csv")[0] == "nothing_new"
    (place.folder / "a.csv").write_bytes(CSV + b"RHU,2023-04-12,day_case,cancelled,1\n")
    assert pull(store, place, "token/a.csv") == ("landed", "1 new of 1 files")


def test_a_client_certificate(place: Place, store: Store) -> None:
    (place.folder / "a.csv").write_bytes(CSV)
    status, reason = pull(store, place, "certified/a.csv")
    assert (status, "answered 403" in reason) == ("failed", True)
    place.connect(client_cert=str(place.certificate), client_key=str(place.key))
    assert pull(store, place, "certified/a.csv") == ("landed", "1 new of 1 files")


@pytest.mark.parametrize(
    ("location", "says", "permanent"),
    [
        ("answer/403", "answered 403", True),
        ("answer/404", "answered 404", True),
        ("answer/429", "answered 429 for 'answer/429' (it asks to wait 30)", False),
        ("answer/503", "answered 503", False),
        ("away.csv", "redirects to another host", True),
        ("round.csv", "redirects in a circle", True),
    ],
)
def test_refusals(place: Place, store: Store, location: str, says: str, permanent: bool) -> None:
    status, reason = pull(store, place, location)
    assert status == "failed"
    assert says in reason
    transport = Https(endpoint("trust_https"))
    [file] = transport.list(location)
    with pytest.raises(PullFailed) as failed:
        transport.fetch(file, 1000)
    assert failed.value.permanent is permanent
    transport.close()
    recovers(store, place)


def test_a_bad_password(place: Place, store: Store) -> None:
    place.connect(password="guessed")
    status, reason = pull(store, place)
    assert (status, "answered 401" in reason, "guessed" in reason) == ("failed", True, False)
    recovers(store, place)


def test_an_unknown_authority_and_an_expired_certificate(place: Place, store: Store, tmp_path: Path) -> None:
    place.connect(ca=None)
    status, reason = pull(store, place)
    assert (status, "is not valid" in reason) == ("failed", True)
    ca, certificate, key = authority(tmp_path / "old", expired=True)
    port = free_port()
    with nginx(tmp_path / "nginx2", certificate, key, port, "location / { return 200; }"):
        place.connect(port=port, ca=str(ca))
        status, reason = pull(store, place)
    assert (status, "certificate has expired" in reason) == ("failed", True)
    recovers(store, place)


def test_too_large_is_refused_while_streaming(place: Place) -> None:
    place.connect(bearer=BEARER)
    (place.folder / "a.csv").write_bytes(b"x" * 3_000_000)
    transport = Https(endpoint("trust_https"))
    [file] = [f for f in transport.list("token/") if f.name == "a.csv"]
    with pytest.raises(PullFailed, match="larger than 1,000,000") as failed:
        transport.fetch(file, 1_000_000)
    assert failed.value.permanent
    transport.close()


def test_a_trickle_ends_at_the_deadline(place: Place) -> None:
    place.connect(deadline=1)
    (place.folder / "a.csv").write_bytes(b"x" * 200_000)
    transport = Https(endpoint("trust_https"))
    [file] = transport.list("slow/a.csv")
    started = time.monotonic()
    with pytest.raises(PullFailed, match="took longer than 1 seconds"):
        transport.fetch(file, 1_000_000)
    assert time.monotonic() - started < 10
    transport.close()


def test_a_server_that_stalls_or_is_gone(place: Place, store: Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place.connect(port=silent.getsockname()[1], timeout=0.5)
        assert pull(store, place) == ("failed", "127.0.0.1 did not answer in time")
    place.connect(port=free_port())
    status, reason = pull(store, place)
    assert (status, "no connection" in reason) == ("failed", True)
    recovers(store, place)
