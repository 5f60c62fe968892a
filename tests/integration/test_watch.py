from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from servers import NGINX, authority, free_port, nginx, ssh_key
from strike_reporting.cli import app
from strike_reporting.intake import landing
from strike_reporting.intake.registry import Feed
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Pull
from strike_reporting.ledger.remote import Change
from strike_reporting.operations.watch import feed_warnings
from strike_reporting.storage import Store
from typer.testing import CliRunner

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def feed(transport: str = "sftp", connection: str | None = "trust") -> Feed:
    return Feed.model_validate(
        {
            "trust": "RHU",
            "extract": "cancellations",
            "transport": transport,
            "connection": connection,
            "location": "x",
            "contact": "a@b.example",
        }
    )


def connect(monkeypatch: pytest.MonkeyPatch, port: int = 22, **extra: str) -> None:
    value = {"conn_type": "x", "host": "127.0.0.1", "port": port, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_TRUST", json.dumps(value))


@pytest.mark.parametrize(
    ("expires", "says"),
    [
        ("2026-12-08", "the credential of connection 'trust' expires on 8 December 2026"),
        ("2026-11-20", "the credential of connection 'trust' expired on 20 November 2026"),
        ("2026-12-09", None),
    ],
)
def test_credentials(store: Store, monkeypatch: pytest.MonkeyPatch, expires: str, says: str | None) -> None:
    connect(monkeypatch, expires=expires)
    assert [w.what for w in feed_warnings(store, [feed()], NOW)] == ([says] if says else [])


def test_client_certificate(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _, certificate, _ = authority(tmp_path / "ca")
    connect(monkeypatch, client_cert=str(certificate))
    [warned] = feed_warnings(store, [feed()])
    assert "our client certificate of connection 'trust' expires on" in warned.what


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_the_certificate_a_server_shows(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _, certificate, key = authority(tmp_path / "ca")
    port = free_port()
    connect(monkeypatch, port=port)
    with nginx(tmp_path / "nginx", certificate, key, port, "location / { return 200; }"):
        [warned] = feed_warnings(store, [feed("https")])
    assert "the server's certificate of connection 'trust' expires on" in warned.what
    assert feed_warnings(store, [feed("https")]) == []


def test_a_missing_connection_and_a_changed_host_key(store: Store) -> None:
    reason = f"the host key of h has changed: pinned {ssh_key()[1][:20]}"
    pull = Pull(feed_id="RHU.cancellations", collection="2026-11-24", status="failed", reason=reason)
    ledger_of(store).receiving.pulled([(pull, Change())])
    found = [w.what for w in feed_warnings(store, [feed(connection="nowhere")], NOW)]
    assert found == ["Airflow has no connection called 'nowhere'", f"the last pull failed: {reason}"]


def test_a_silent_feed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in (10, 11, 12, 13):
        monkeypatch.setattr(landing, "_now", lambda day=day: f"2026-11-{day}T09:00:00.000000+00:00")
        landing.land(store, [landing.Arrived(f"{day}".encode(), "a.csv", landing.Sender("RHU.cancellations"))])
    mine = feed("folder", None)
    assert [w.what for w in feed_warnings(store, [mine], NOW)] == ["silent for 10 days; it usually sends every day"]
    assert feed_warnings(store, [mine], NOW - timedelta(days=8)) == []


def test_the_command(home: Path) -> None:
    done = CliRunner().invoke(app, ["feeds"])
    assert done.exit_code == 0
    assert "Nothing to see to" in done.output
