"""The DAGs: exact ids and tasks, each run by `dag.test()`. On a real scheduler they are in `test_runs`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from scheduler import ASKING, DAGS, REPLAYING, environment
from servers import free_port
from strike_reporting.reference.actions import actions

FORMS = {
    "collect_extracts": {"feeds": []},
    "validate_extracts": {"from_landing": False, "action": "", "feeds": []},
    "publish_disruption": {"action": ""},
    "approve_release": {"action": "", "since": ""},
    "replay_history": {"action": ""},
}
# By DAG: tasks whose failure fails the run, with their retries; beside them what may fail for itself.
TASKS = {
    "collect_extracts": ({"plan": 3, "collect": 3, "landed": 3, "verdict": 3}, {"chase": 0}),
    "validate_extracts": ({"plan": 3, "validate": 3, "judged": 3, "verdict": 3}, {"tell_trusts": 0}),
    "publish_disruption": (
        {
            "plan": 3,
            "publish": 3,
            "cut": 3,
            "held": 3,
            "ask_a_person": 3,
            "published": 3,
            "released": 3,
            "verdict": 3,
            "draw": 3,
        },
        {"announce": 0},
    ),
    "approve_release": ({"ask": 3, "decide": 3, "released": 3, "draw": 3}, {"announce": 0}),
    "replay_history": ({"plan": 3, "replay": 3, "released": 3, "draw": 3}, {}),
}
BAG = """
import json, sys
from types import SimpleNamespace
from airflow.dag_processing.dagbag import DagBag
from strike_reporting.errors import Away, OurFault, SenderFault, StrikesError, Transient
bag = DagBag(sys.argv[1])
assert not bag.import_errors, bag.import_errors
heavy = sorted({"duckdb", "great_expectations", "pyarrow", "pandas", "paramiko"} & set(sys.modules))
def tried_again(task):
    decide = lambda error: task.retry_policy.evaluate(error("x"), 1, 3).action.value
    return [decide(e) for e in (Transient, Away, OurFault, SenderFault, StrikesError, KeyError)]
def refuses(dag, task):
    hook = task.partial_kwargs["pre_execute"] if task.is_mapped else task._pre_execute_hook
    run = lambda kind: {"dag_run": SimpleNamespace(dag_id=dag.dag_id, run_type=kind)}
    [hook(run(kind)) for kind in ("manual", "scheduled", "asset_triggered")]
    try:
        hook(run("backfill"))
    except OurFault as refused:
        return str(refused)
    return f"{task.task_id} would run"
def hears(task):
    found = task.partial_kwargs["on_failure_callback"] if task.is_mapped else task.on_failure_callback
    return found if isinstance(found, list) else [found]
print(json.dumps({"heavy": heavy, "dags": {dag_id: {
    "tasks": {t.task_id: t.retries for t in dag.tasks if not t.is_teardown},
    "beside": {t.task_id: t.retries for t in dag.tasks if t.is_teardown and not t.on_failure_fail_dagrun},
    "tried_again": sorted({tuple(tried_again(t)) for t in dag.tasks}),
    "owners": sorted({t.owner for t in dag.tasks}),
    "form": dag.params.dump(),
    "offered": dag.params.get_param("action").schema.get("examples", [None])[0] if "action" in dag.params else None,
    "backfill": sorted({refuses(dag, t)[:60] for t in dag.tasks}),
    "late": [(alert.reference.reference_name, alert.interval.total_seconds(), alert.callback.path)
        for alert in (dag.deadline if isinstance(dag.deadline, (list, tuple)) else [dag.deadline]) if alert],
    "hears": sum(any(type(c).__name__ == "OwnerNotifier" for c in hears(t)) for t in dag.tasks),
    "tags": sorted(dag.tags), "runs": dag.max_active_runs, "documented": bool(dag.doc_md)}
    for dag_id, dag in bag.dags.items()}}))
"""
LATE = [["DagRunQueuedAtDeadline", 45 * 60, "strikes_notify.late_run"]]
pytestmark = pytest.mark.airflow


@pytest.fixture(scope="module")
def airflow_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home = tmp_path_factory.mktemp("report")
    return {**environment(home / "airflow", free_port()), "STRIKES_HOME": str(home)}


@pytest.fixture(scope="module")
def said(airflow_environment: dict[str, str]) -> str:
    """`make report`'s own script, run for real: the three DAGs by `dag.test()`."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "report.py")],
        env=airflow_environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_report_says_where_and_how_complete(said: str) -> None:
    assert "Nurses’ strike, 15 and 20 December 2022" in said
    assert "cancellations 14 of 201 trusts" in said
    pages = [Path(line.split("report:")[1].strip()) for line in said.splitlines() if "report:" in line]
    assert len(pages) == 7 and all(p.is_file() for p in pages)
    [april] = [p for p in pages if "JD-2023-04-11" in str(p)]
    assert "673" in april.read_text()


def test_dag_bag(airflow_environment: dict[str, str]) -> None:
    command = [sys.executable, "-c", BAG, str(ROOT / "dags")]
    env = {**airflow_environment, "PYTHONPATH": f"{ROOT / 'dags'}:{ROOT / 'include'}"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["heavy"] == [], "imports belong into the tasks"
    assert set(TASKS) == {*DAGS, ASKING, REPLAYING}
    assert found["dags"] == {
        dag_id: {
            "tasks": tasks,
            "beside": beside,
            "tried_again": [["retry", "retry", "fail", "fail", "fail", "default"]],
            "owners": ["strike-reporting"],
            "form": FORMS[dag_id],
            "offered": list(actions())[-1] if "action" in FORMS[dag_id] and dag_id != ASKING else None,
            "backfill": [f"{dag_id} takes no backfill, and nothing was done: it pulls, judges"[:60]],
            "late": []
            if dag_id in (ASKING, REPLAYING)
            else [["DagRunQueuedAtDeadline", 45 * 60, "strikes_notify.late_run"]],
            "hears": len(tasks) + len(beside) - (dag_id == ASKING),  # of a refusal nobody does
            "tags": ["strike-reporting"],
            "runs": 16 if dag_id == ASKING else 1,  # one that waits for a person holds no other
            "documented": True,
        }
        for dag_id, (tasks, beside) in TASKS.items()
    }


@pytest.mark.parametrize(
    ("command", "is_warm"), [(["scheduler"], True), (["celery", "worker"], True), (["api-server"], False)]
)
def test_what_forks_tasks_has_imported_what_they_use(command: list[str], is_warm: bool) -> None:
    """Of ours only what has read nothing: settings, contracts and reference data are those of the task's beginning."""
    asked = (
        f"import sys, threading; sys.argv = ['airflow', *{command!r}]; import airflow_local_settings\n"
        "names = [m for m in sys.modules if m.startswith('strike')]\n"
        "print('great_expectations' in sys.modules, 'strike_reporting.judging.settle' in names)\n"
        "print(len(threading.enumerate()))\n"
        "caches = [v for m in names for v in vars(sys.modules[m]).values() if hasattr(v, 'cache_info')]\n"
        "print({c.__name__ for c in caches if c.__module__ in names and c.cache_info().currsize})"
    )
    path = {**os.environ, "PYTHONPATH": str(ROOT / "plugins")}
    run = subprocess.run([sys.executable, "-c", asked], env=path, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == [f"{is_warm} {is_warm}", "1", "set()"]


def test_a_task_has_the_modules_that_are_on_the_disk_when_it_begins(tmp_path: Path) -> None:
    """All of the new version, or all of the one before."""
    shutil.copytree(ROOT / "include" / "strike_reporting", tmp_path / "strike_reporting")
    asked = f"""
import os, sys
sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT / "plugins")!r}]
import airflow_local_settings
airflow_local_settings.LIBRARIES = ()
airflow_local_settings.warm()
from strike_reporting import clock, storage

def child(task=None):
    pid = os.fork()
    if pid == 0:
        from strike_reporting import clock as now, storage as beside
        print(getattr(now, "VERSION", "before"), now is clock, beside is storage, flush=True)
        if task:
            sys.modules["strikes_common"] = sys
            task()
            child()
        os._exit(0)
    os.waitpid(pid, 0)

def another_version():
    with open(clock.__file__, "a") as file:
        file.write("VERSION = 'after'")

child(another_version)
child()
"""
    run = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["before True True", "before True True", "after False False"]
