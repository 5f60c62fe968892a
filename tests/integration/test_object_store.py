"""Object stores against a moto server over HTTP, and the same submission over four transports."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import s3fs
from moto.server import ThreadedMotoServer
from servers import free_port
from strike_reporting.intake.collecting import collect, collect_drop
from strike_reporting.intake.registry import Feed
from strike_reporting.intake.transports import PullFailed
from strike_reporting.intake.transports.connections import Endpoint
from strike_reporting.intake.transports.object_store import ObjectStore
from strike_reporting.judging.settle import to_validate, validate
from strike_reporting.publishing.releases import build, read_table, reproduce
from strike_reporting.reference.actions import resolve
from strike_reporting.storage import Store

pytestmark = pytest.mark.integration
CSV = b"ods_code,activity_date,point_of_delivery,status,cancelled_count\nRHU,2023-04-11,day_case,cancelled,4\n"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[s3fs.S3FileSystem]:
    monkeypatch.setattr("strike_reporting.intake.collecting.RETRY_AFTER", (0.05,))
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    value = {"conn_type": "aws", "login": "testing-key", "password": "testing-secret", "extra": {"endpoint_url": url}}
    monkeypatch.setenv("AIRFLOW_CONN_TRUST_S3", json.dumps(value))
    fs = s3fs.S3FileSystem(
        key="testing-key", secret="testing-secret", client_kwargs={"endpoint_url": url}, skip_instance_cache=True
    )
    fs.mkdir("extracts")
    yield fs
    fs.rm("extracts", recursive=True)  # moto keeps its buckets for the whole process
    server.stop()


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


def test_too_large(bucket: s3fs.S3FileSystem) -> None:
    bucket.pipe("extracts/RHU/a.csv", b"x" * 100)
    end = Endpoint("", None, "testing-key", "testing-secret", {"endpoint_url": bucket.client_kwargs["endpoint_url"]})
    transport = ObjectStore(end)
    [file] = transport.list("s3://extracts/RHU/")
    with pytest.raises(PullFailed, match="larger than 99") as failed:
        transport.fetch(file, 99)
    assert failed.value.permanent


def test_all_state_on_an_object_store(
    bucket: s3fs.S3FileSystem, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The whole path with `STRIKES_HOME=s3://...`: the same release as on a local folder."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", bucket.client_kwargs["endpoint_url"])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing-secret")
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "a.csv").write_bytes(CSV)
    remote = Store("s3://extracts/home")
    assert not remote.local
    collect_drop(remote, drop, "JD-2023-04-11")
    validate(remote, to_validate(remote))
    manifest, is_new = build(remote, resolve("JD-2023-04-11"))
    assert is_new
    assert build(remote, resolve("JD-2023-04-11"))[1] is False
    assert reproduce(remote, "JD-2023-04-11") == []
    totals = read_table(remote, resolve("JD-2023-04-11"), manifest["number"], "action_totals").to_pylist()
    assert next(r for r in totals if r["area_code"] == "ENG")["inpatient_cancelled"] == 4
    assert [remote.create("x.json", text) for text in (b"1", b"2")] == [True, False]
    assert remote.read("x.json") == b"1"
