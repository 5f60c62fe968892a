"""The Celery stack of `docker-compose.yaml`, run by hand: what dies on the way loses nothing and changes no figure."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import poison
import pytest
import s3fs
import yaml
from conftest import ROOT
from strike_reporting.ledger import ledger_of
from strike_reporting.simulator.examples import ACTIONS, write_examples
from strike_reporting.storage import Store

from cluster.comparing import differences, tables
from cluster.objects import Gate, object_store

pytest.importorskip("celery", reason="the cluster extra is not installed: `make cluster` does that")
if not shutil.which("redis-server"):
    pytest.skip(
        "Redis is not installed: apt-get install redis-server (see .ci/system-packages)", allow_module_level=True
    )

from cluster.cluster import DAGS, WORKERS, Cluster, cluster

pytestmark = [pytest.mark.exhaustive, pytest.mark.airflow]
COLLECT, VALIDATE, PUBLISH = DAGS
BESIDE = ("R1F", "RTP")  # two feeds that send nothing in the example round
WORKER_MB = 2_500  # of two slots, each reading in a process that may take 1 GiB
SMALL_GROUPS = "tasks_at_once = 99\nfeeds_in_group = 15\nsubmissions_in_group = 25\nactions_in_group = 4\n"
ALONE = """
from conftest import TODAY
from strike_reporting.intake.collecting import collect
from strike_reporting.intake.registry import load_feeds
from strike_reporting.judging.settle import to_validate, validate
from strike_reporting.publishing.releases import build
from strike_reporting.reference.actions import resolve
from strike_reporting.ledger import ledger_of
from strike_reporting.simulator.examples import ACTIONS
from strike_reporting.storage import Store

store = Store()
collect(store, "alone", load_feeds())
validate(store, to_validate(store))
for action in ACTIONS:
    build(store, resolve(action))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's files in an inbox, and a configuration whose feeds are read from there."""
    folder = tmp_path_factory.mktemp("cluster")
    write_examples(folder / "inbox")
    shutil.copytree(ROOT / "include" / "config", folder / "config")
    (folder / "config" / "settings.toml").write_text(SMALL_GROUPS)
    for trust in BESIDE:
        (folder / "inbox" / trust).mkdir()
    more = [{"trust": t, "extract": "cancellations", "location": t, "dialect": "template"} for t in BESIDE]
    (folder / "config" / "feeds" / "beside.yaml").write_text(
        yaml.safe_dump([{**f, "contact": "a@b.example"} for f in more])
    )
    for file in (folder / "config" / "feeds").glob("*.yaml"):
        feeds = yaml.safe_load(file.read_text())
        for feed in feeds:
            feed["location"] = str(folder / "inbox" / feed["location"])
        file.write_text(yaml.safe_dump(feeds))
    return folder


@pytest.fixture(scope="module")
def objects() -> Iterator[tuple[dict[str, str], Gate]]:
    """An object store with an empty bucket: what the compose file is given for it, and its gate."""
    with object_store() as (url, gate):
        s3fs.S3FileSystem(key="key", secret="secret", client_kwargs={"endpoint_url": url}).mkdir("strikes")
        given = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL": url}
        yield {**given, "STRIKES_HOME": "s3://strikes/home"}, gate


@pytest.fixture(scope="module")
def stack(folder: Path, objects: tuple[dict[str, str], Gate]) -> Iterator[Cluster]:
    with cluster(folder, {**objects[0], "CONFIG_FOLDER": str(folder / "config")}) as running:
        yield running
        print(f"\nMB of each service at the end: {running.memory()}")


@pytest.fixture
def root(stack: Cluster, objects: tuple[dict[str, str], Gate], monkeypatch: pytest.MonkeyPatch) -> Store:
    """The cluster's state, with its ledger."""
    for name, value in {**objects[0], "STRIKES_LEDGER": stack.environment("worker")["STRIKES_LEDGER"]}.items():
        monkeypatch.setenv(name, value)
    return Store()


def crash_in(stack: Cluster, gate: Gate, dag_id: str, task_id: str, part: str) -> str:
    """Start a DAG, kill the worker that is in the middle of a task, start another in its place; the run's state."""
    gate.hold(part, after=5)
    stack.unpause(dag_id)
    [run] = stack.until(lambda: stack.runs(dag_id), 60, f"{dag_id} did not start")
    assert gate.reached.wait(300), f"{task_id} wrote nothing"
    worker = stack.worker_of(dag_id, run["dag_run_id"], task_id)
    stack.running[worker].crash()
    gate.open()
    stack.start_worker(worker)
    state = stack.finished(dag_id, run["dag_run_id"], 300)
    tries = [t["try_number"] for t in stack.tasks(dag_id, run["dag_run_id"]) if t["task_id"] == task_id]
    assert max(tries) == 2, f"no task of {worker} was lost: {tries}"
    return state


def test_a_worker_killed_in_collect_and_one_in_validate_change_nothing(
    stack: Cluster, objects: tuple[dict[str, str], Gate], root: Store, folder: Path
) -> None:
    """The example round on the cluster is that of one process: every table, cell by cell."""
    gate = objects[1]
    assert crash_in(stack, gate, COLLECT, "collect", "/landing/") == "success"
    assert crash_in(stack, gate, VALIDATE, "validate", "/accepted/") == "success"
    stack.unpause(PUBLISH)
    stack.idle()
    assert {run["state"] for dag_id in DAGS for run in stack.runs(dag_id)} == {"success"}
    env = {k: v for k, v in os.environ.items() if k != "STRIKES_LEDGER"}
    env |= {"STRIKES_HOME": str(folder / "alone"), "STRIKES_CONFIG": str(folder / "config")}
    subprocess.run([sys.executable, "-c", ALONE], env=env, cwd=ROOT / "tests", check=True)
    alone = tables(Store(folder / "alone"))
    assert {key.split("/")[1] for key in alone if key.startswith("releases/")} == {a.replace(";", "_") for a in ACTIONS}
    assert differences(tables(root), alone) == []


def test_poison_between_good_files_costs_a_refusal_each_and_no_worker(
    stack: Cluster, root: Store, folder: Path
) -> None:
    """Every poison file has a good file before and after it; all good ones are used, and the workers stay."""
    expected: dict[str, frozenset[str]] = {}
    for number, (name, data) in enumerate(poison.made()):
        inbox = folder / "inbox" / BESIDE[number % 2]
        expected[f"{number:03}_m_{name}"] = poison.POISON[name][1]
        for place, content in (
            ("a_good.csv", poison.good(inbox.name, 100 + number)),
            (f"m_{name}", data),
            ("z_good.csv", poison.good(inbox.name, 600 + number)),
        ):
            (inbox / f"{number:03}_{place}").write_bytes(content)
    before = {name: {p.pid for p in stack.running[name].processes()[:1]} for name in WORKERS}
    with stack.watched() as peaks:
        assert stack.finished(COLLECT, stack.trigger(COLLECT)) == "success"
        stack.idle(600)
    print(f"\nMB at most, with {len(expected)} poison files: {peaks}")
    assert {name: {p.pid for p in stack.running[name].processes()[:1]} for name in WORKERS} == before
    found = {o.source_name: o for o in ledger_of(root).judged.listed() if o.ods_code in BESIDE}
    assert found.keys() == {*expected, *(f"{n:03}_{end}_good.csv" for n in range(len(expected)) for end in "az")}
    assert {n: o.status for n, o in found.items() if n.endswith("_good.csv") and o.status != "accepted"} == {}
    refused = {n: (o.status, set(o.rules), o.reason, o.fix) for n, o in found.items() if n in expected}
    assert {
        n: r for n, r in refused.items() if r[0] != "rejected" or not r[1] <= expected[n] or not (r[2] and r[3])
    } == {}
    assert {run["state"] for dag_id in DAGS for run in stack.runs(dag_id)} == {"success"}
    assert max(peaks[name] for name in WORKERS) < WORKER_MB
