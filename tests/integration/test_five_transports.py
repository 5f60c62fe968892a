"""The same submission over every transport lands once and gives the same accepted bytes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import s3fs
from conftest import judge, receipts
from servers import NGINX, SSHD, authority, free_port, nginx, ssh_key, sshd
from strike_reporting.intake.collecting import collect
from strike_reporting.storage import Store
from test_mesh import PYTHON, TRUST, exchange, send
from test_object_store import CSV, bucket, feed, server

__all__ = ["bucket", "exchange", "server"]  # fixtures
pytestmark = pytest.mark.integration


@pytest.mark.skipif(not PYTHON.exists(), reason="the MESH sandbox is not installed: run `make test`")
@pytest.mark.skipif(SSHD is None or NGINX is None, reason="OpenSSH's server or nginx is not installed")
@pytest.mark.skipif(os.geteuid() != 0, reason="the servers need root here")
def test_one_submission_over_five_transports_lands_once(
    exchange: str, bucket: s3fs.S3FileSystem, store: Store, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.csv").write_bytes(CSV)
    bucket.pipe("extracts/RHU/a.csv", CSV)
    (host, host_public), (user, user_public) = ssh_key(), ssh_key()
    ssh, web = free_port(), free_port()
    ca, certificate, key = authority(tmp_path / "ca")
    extra = {"host_key": host_public, "private_key": user, "settle": 0.05}
    reached = {"conn_type": "sftp", "host": "127.0.0.1", "port": ssh, "login": "root", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_TRUST_SFTP", json.dumps(reached))
    reached = {"conn_type": "http", "host": "127.0.0.1", "port": web, "extra": {"ca": str(ca)}}
    monkeypatch.setenv("AIRFLOW_CONN_TRUST_HTTPS", json.dumps(reached))
    ways = [
        feed(transport="folder", location=f"{out}/*.csv"),
        feed(transport="sftp", connection="trust_sftp", location=f"{out}/*.csv"),
        feed(transport="https", connection="trust_https", location="files/a.csv"),
        feed(location="s3://extracts/RHU/*.csv"),
        feed(transport="mesh", connection="mesh", location=f"STRIKE_EXTRACT/{TRUST}"),
    ]
    accepted = set()
    with (
        sshd(tmp_path / "sshd", host, user_public, ssh),
        nginx(tmp_path / "nginx", certificate, key, web, f"location /files/ {{ alias {out}/; }}"),
    ):
        send(exchange, TRUST, CSV)
        statuses = [collect(store, "r", [way])[0].status for way in ways]
        for n, way in enumerate(ways):
            if way.transport == "mesh":
                send(exchange, TRUST, CSV)
            alone = Store(tmp_path / f"alone{n}")
            assert collect(alone, "r", [way])[0].status == "landed"
            judge(alone)
            rows = next((tmp_path / f"alone{n}" / "accepted" / "cancellations").glob("*.parquet"))
            accepted.add((rows.name, rows.read_bytes()))
    assert statuses == ["landed", *["nothing_new"] * 4]
    assert len(receipts(store)) == 1
    assert len(accepted) == 1
