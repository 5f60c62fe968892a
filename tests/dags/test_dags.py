"""The DAGs: exact ids and tasks, each run by `dag.test()`, and all three by a real scheduler."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT

TASKS = {
    "collect_extracts": ["collect", "landed", "plan", "warn"],
    "validate_extracts": ["judged", "plan", "tell_trusts", "validate"],
    "publish_disruption": ["announce", "plan", "publish", "published"],
}
AIRFLOW = Path(sys.executable).parent / "airflow"
pytestmark = pytest.mark.airflow


def environment(home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "STRIKES_HOME": str(home),
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": "18793",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": "http://127.0.0.1:18793/execution/",
        "PATH": f"{AIRFLOW.parent}:{os.environ['PATH']}",
    }


@pytest.fixture(scope="module")
def report_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`make report`'s own script, run for real: the three DAGs by `dag.test()`."""
    home = tmp_path_factory.mktemp("report")
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "report.py")],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (home / "said.txt").write_text(done.stdout)
    return home


def test_report_says_where_and_how_complete(report_home: Path) -> None:
    said = (report_home / "said.txt").read_text()
    assert "Nurses’ strike, 15 and 20 December 2022" in said
    assert "cancellations 14 of 201 trusts" in said
    pages = [line.split("report:")[1].strip() for line in said.splitlines() if "report:" in line]
    assert len(pages) == 7
    assert all(Path(p).is_file() for p in pages)


def test_dag_bag(report_home: Path) -> None:
    code = (
        "import json\nfrom airflow.dag_processing.dagbag import DagBag\n"
        f"b=DagBag({str(ROOT / 'dags')!r})\nassert not b.import_errors, b.import_errors\n"
        "print(json.dumps({i: [sorted(t.task_id for t in d.tasks), d.doc_md is not None, sorted(d.tags), "
        "d.max_active_runs, sorted({t.owner for t in d.tasks}), min(t.retries for t in d.tasks)] "
        "for i, d in b.dags.items()}))"
    )
    env = {**environment(report_home), "PYTHONPATH": str(ROOT / "dags")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    import json

    found = json.loads(done.stdout.splitlines()[-1])
    assert found == {i: [t, True, ["strike-reporting"], 1, ["strike-reporting"], 2] for i, t in TASKS.items()}


def test_the_real_scheduler_runs_the_three_dags(tmp_path: Path) -> None:
    """Trigger the first; assets start the other two; a release appears."""
    home = tmp_path / "home"
    env = environment(home)
    sys.path.insert(0, str(ROOT / "include"))
    from strike_reporting.simulator.examples import write_examples

    write_examples(home / "inbox")
    log = (tmp_path / "airflow.log").open("w")
    subprocess.run([AIRFLOW, "db", "migrate"], env=env, check=True, stdout=log, stderr=log, timeout=180)
    services = [
        subprocess.Popen([AIRFLOW, *command], env=env, stdout=log, stderr=log, start_new_session=True)
        for command in (["api-server", "--workers", "1"], ["dag-processor"], ["scheduler"])
    ]
    try:
        _until(lambda: _listed(env), 180, "the DAGs were not listed", tmp_path)
        subprocess.run(
            [AIRFLOW, "dags", "trigger", "collect_extracts"], env=env, check=True, stdout=log, stderr=log, timeout=120
        )
        wanted = home / "releases" / "JD-2023-04-11" / "latest.json"
        _until(wanted.exists, 240, "no release was published", tmp_path)
        assert "673" in (home / "releases/JD-2023-04-11/0001/report.html").read_text()
    finally:
        for service in services:
            os.killpg(service.pid, signal.SIGTERM)
        for service in services:
            try:
                service.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(service.pid, signal.SIGKILL)
                service.wait()
        log.close()


def _listed(env: dict[str, str]) -> bool:
    done = subprocess.run([AIRFLOW, "dags", "list"], env=env, capture_output=True, text=True, timeout=120, check=False)
    return all(dag_id in done.stdout for dag_id in TASKS)


def _until(test, seconds: float, message: str, tmp_path: Path) -> None:
    deadline = time.monotonic() + seconds
    while not test():
        if time.monotonic() > deadline:
            pytest.fail(f"{message} in {seconds} s:\n" + (tmp_path / "airflow.log").read_text()[-4000:])
        time.sleep(1)
