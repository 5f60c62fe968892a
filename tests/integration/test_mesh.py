"""MESH against the public sandbox, run from its own environment (`make test` installs it)."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator

import pytest
from conftest import ROOT, receipts
from mesh_client import MeshClient
from servers import free_port, wait_for
from strike_reporting.intake.collecting import collect
from strike_reporting.intake.registry import Feed
from strike_reporting.intake.transports import PullFailed
from strike_reporting.intake.transports.mesh import Mesh
from strike_reporting.settings import settings
from strike_reporting.storage import Store

PYTHON = ROOT / ".tools" / "mesh" / "bin" / "python"
KEY = "TestKey"
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not PYTHON.exists(), reason="the MESH sandbox is not installed: run `make test`"),
]
CSV = b"ods_code,activity_date,point_of_delivery,status,cancelled_count\nRHU,2023-04-11,day_case,cancelled,4\n"
OURS, TRUST, STRANGER = "X26ABC1", "X26ABC2", "X26ABC3"


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("STRIKES_RETRY_AFTER_SECONDS", "0.05")
    settings.cache_clear()
    port = free_port()
    env = {**os.environ, "STORE_MODE": "memory", "AUTH_MODE": "full", "SHARED_KEY": KEY}
    command = [str(PYTHON), "-m", "uvicorn", "mesh_sandbox.api:app", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen([*command, "--workers", "1", "--log-level", "error"], env=env)
    try:
        wait_for(port, process)
        url = f"http://127.0.0.1:{port}"
        connect(monkeypatch, url)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def connect(monkeypatch: pytest.MonkeyPatch, url: str, password: str = "password") -> None:
    value = {"conn_type": "http", "host": url, "login": OURS, "password": password, "extra": {"shared_key": KEY}}
    monkeypatch.setenv("AIRFLOW_CONN_MESH", json.dumps(value))


def feed() -> Feed:
    return Feed(
        trust="RHU",
        extract="cancellations",
        transport="mesh",
        connection="mesh",
        location=f"STRIKE_EXTRACT/{TRUST}",
        contact="a@b.example",
    )


def send(url: str, sender: str, data: bytes, workflow: str = "STRIKE_EXTRACT", chunk: int = 10_000_000) -> None:
    with MeshClient(url, sender, "password", shared_key=KEY.encode(), verify=False, max_chunk_size=chunk) as client:
        client.send_message(OURS, data, workflow_id=workflow, filename="a.csv")


def waiting(url: str) -> int:
    with MeshClient(url, OURS, "password", shared_key=KEY.encode(), verify=False) as client:
        return len(client.list_messages())


def test_chunked_messages_are_landed_then_acknowledged(exchange: str, store: Store) -> None:
    big = CSV + CSV.splitlines(keepends=True)[1] * 2000
    send(exchange, TRUST, big, chunk=10_000)
    [pulled] = collect(store, "r", [feed()])
    assert (pulled.status, pulled.reason) == ("landed", "1 new of 1 files")
    assert pulled.landed[0].size == len(big)
    assert pulled.landed[0].transport["sender"] == TRUST
    assert waiting(exchange) == 0


def test_only_the_trusts_own_mailbox_and_workflow_are_read(exchange: str, store: Store) -> None:
    send(exchange, STRANGER, CSV)
    send(exchange, TRUST, CSV, workflow="SOMETHING_ELSE")
    assert collect(store, "r", [feed()])[0].status == "no_file"
    assert waiting(exchange) == 2
    assert receipts(store) == []


def test_a_crash_before_the_acknowledgement_loses_and_doubles_nothing(
    exchange: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(exchange, TRUST, CSV)
    with monkeypatch.context() as patch:
        patch.setattr(Mesh, "acknowledge", lambda *_: (_ for _ in ()).throw(PullFailed("cut off")))
        assert collect(store, "r", [feed()])[0].status == "failed"
    assert (waiting(exchange), len(receipts(store))) == (1, 1)
    assert collect(store, "r", [feed()])[0].status == "nothing_new"
    assert (waiting(exchange), len(receipts(store))) == (0, 1)


def test_nothing_is_acknowledged_when_landing_fails(
    exchange: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(exchange, TRUST, CSV)
    with monkeypatch.context() as patch:
        patch.setattr("strike_reporting.intake.landing.land", lambda *_, **__: 1 / 0)
        [pulled] = collect(store, "r", [feed()])
        assert (pulled.status, "the fault is ours" in pulled.reason) == ("failed", True)
    assert waiting(exchange) == 1
    assert collect(store, "r", [feed()])[0].status == "landed"


def test_a_bad_password_and_no_exchange(exchange: str, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, exchange, password="guessed")
    [pulled] = collect(store, "r", [feed()])
    assert (pulled.status, "refused our mailbox" in pulled.reason) == ("failed", True)
    connect(monkeypatch, f"http://127.0.0.1:{free_port()}")
    [pulled] = collect(store, "r", [feed()])
    assert (pulled.status, "no connection to the exchange" in pulled.reason) == ("failed", True)
    connect(monkeypatch, exchange)
    send(exchange, TRUST, CSV)
    assert collect(store, "r", [feed()])[0].status == "landed"
