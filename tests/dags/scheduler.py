"""A real Airflow on loopback: API server, DAG processor and scheduler (LocalExecutor, SQLite), and what they say."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
from conftest import ROOT
from held import ended, held
from servers import free_port, wait_for

AIRFLOW = Path(sys.executable).parent / "airflow"
DAGS = ("collect_extracts", "validate_extracts", "publish_disruption")
ASKING = "approve_release"  # started by another, and by nobody else
REPLAYING = "replay_history"  # started by hand
Found = TypeVar("Found")


def environment(folder: Path, port: int) -> dict[str, str]:
    """The environment of an Airflow that keeps its own things in a folder. What is tried again is tried at once."""
    return {
        **os.environ,
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__MAX_TASK_RETRY_DELAY": "1",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "passwords.json"),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(free_port()),
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.25",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "GX_ANALYTICS_ENABLED": "false",
        "PATH": f"{AIRFLOW.parent}:{os.environ['PATH']}",
    }


@dataclass(frozen=True)
class Run:
    """How a run ended: its state, each task's states, one a mapped instance, and each task's tries."""

    dag_id: str
    run_id: str
    state: str
    seconds: float
    tasks: dict[str, list[str]]
    tries: dict[str, list[int]]
    logs: Path

    def one(self, state: str) -> set[str]:
        """Tasks one instance of which ended so."""
        return {task for task, states in self.tasks.items() if state in states}

    def said(self, task: str) -> str:
        """What all tries of a task logged."""
        return "".join(p.read_text() for p in sorted((self.logs / f"task_id={task}").rglob("attempt=*.log")))


class Airflow:
    """The running services, by their API.

    every: seconds between two looks of who waits for something.
    """

    every = 0.3

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.api = httpx.Client(base_url=f"{url}/api/v2", timeout=60)
        self.api.headers["Authorization"] = f"Bearer {httpx.get(f'{url}/auth/token').json()['access_token']}"

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """What the API answers, once it can: Airflow 3.3 fails (500) on an event whose run is still queued."""

        def answered() -> httpx.Response | None:
            answer = self.api.get(path, params=params)
            return None if answer.is_server_error else answer

        message = f"nothing but server errors from {path}"
        return dict(self.until(answered, message, seconds=60).raise_for_status().json())

    def unpause(self) -> None:
        """Let the scheduler run the DAGs, as soon as it knows them; each then makes up for its last scheduled run."""
        every = {*DAGS, ASKING, REPLAYING}
        self.until(lambda: {d["dag_id"] for d in self.get("/dags")["dags"]} >= every, "the DAGs were not listed")
        for dag_id in every:
            self.api.patch(f"/dags/{dag_id}", json={"is_paused": False}).raise_for_status()
        self.until(self._has_run, "the DAGs did not come to rest")

    def _has_run(self) -> bool:
        states = [{r["state"] for r in self.get(f"/dags/{dag_id}/dagRuns")["dag_runs"]} for dag_id in DAGS]
        return all(of_one and not of_one & {"queued", "running"} for of_one in states)

    def trigger(self, dag_id: str, **form: Any) -> str:
        """Start a run, its form filled in; its id."""
        made = self.api.post(f"/dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": form})
        return str(made.raise_for_status().json()["dag_run_id"])

    def run(self, dag_id: str, **form: Any) -> Run:
        """Start a run, its form filled in, and wait for its end."""
        return self.ended(dag_id, self.trigger(dag_id, **form))

    def events(self, run: Run) -> list[dict[str, Any]]:
        """What the events of a run tell."""
        found = self.get("/assets/events", source_dag_id=run.dag_id, source_run_id=run.run_id)["asset_events"]
        return [dict(e["extra"]) for e in found]

    def backfill(self, dag_id: str, first: str, last: str) -> list[Run]:
        """Have Airflow fill in the runs of some days; each at its end."""
        asked = {"dag_id": dag_id, "from_date": f"{first}T00:00:00Z", "to_date": f"{last}T23:59:00Z"}
        made = self.api.post("/backfills", json={**asked, "max_active_runs": 2}).raise_for_status().json()["id"]

        def runs() -> list[str] | None:
            done = self.get(f"/backfills/{made}")["completed_at"]
            found = self.get(f"/dags/{dag_id}/dagRuns", limit=100, run_type="backfill")["dag_runs"]
            return sorted(r["dag_run_id"] for r in found) if done else None

        return [self.ended(dag_id, run_id) for run_id in self.until(runs, f"{dag_id} was not filled in")]

    def ended(self, dag_id: str, run_id: str) -> Run:
        """Wait for a run's end."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}"

        def end() -> dict[str, Any] | None:
            run = self.get(path)
            return run if run["state"] in ("success", "failed") else None

        run = self.until(end, f"{dag_id} did not end")
        tasks: dict[str, list[str]] = {}
        tries: dict[str, list[int]] = {}
        for task in sorted(self.instances(dag_id, run_id), key=lambda t: (t["task_id"], t["map_index"])):
            tasks.setdefault(task["task_id"], []).append(task["state"])
            tries.setdefault(task["task_id"], []).append(task["try_number"])
        began, ended = (datetime.fromisoformat(run[k]) for k in ("start_date", "end_date"))
        logs = self.folder / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}"
        return Run(dag_id, run_id, run["state"], (ended - began).total_seconds(), tasks, tries, logs)

    def nudged(self, dag_id: str, cause: Run) -> Run:
        """The run that an asset event of another run started, at its end."""

        def found() -> str | None:
            events = self.get("/assets/events", source_dag_id=cause.dag_id, source_run_id=cause.run_id)["asset_events"]
            made = [r["run_id"] for e in events for r in e["created_dagruns"] if r["dag_id"] == dag_id]
            return made[0] if made else None

        return self.ended(dag_id, self.until(found, f"{cause.dag_id} started no run of {dag_id}"))

    def instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a run."""
        return list(self.get(f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances", limit=100)["task_instances"])

    def kill(self, dag_id: str, run_id: str, task: str, *, times: int = 1, instance: int | None = None) -> None:
        """Kill the process of a task (or of one mapped instance) with SIGKILL, in each of so many tries."""
        seen: set[int] = set()

        def running() -> int | None:
            tried = [t for t in self.instances(dag_id, run_id) if t["task_id"] == task and t["state"] == "running"]
            pids = {t["pid"] for t in tried if t["pid"] and instance in (None, t["map_index"])} - seen
            return pids.pop() if pids else None

        for _ in range(times):
            pid = self.until(running, f"{task} does not run", every=0.05)
            seen.add(pid)
            os.kill(pid, signal.SIGKILL)

    def until(
        self, found: Callable[[], Found | None], message: str, seconds: float = 400, every: float | None = None
    ) -> Found:
        """Wait for something; fail with the ends of the logs."""
        deadline = time.monotonic() + seconds
        while not (value := found()):
            if time.monotonic() > deadline:
                ends = [f"--- {p.name}\n{p.read_text()[-3000:]}" for p in sorted(self.folder.glob("*.log"))]
                raise AssertionError(f"{message} in {seconds} s\n" + "\n".join(ends))
            time.sleep(every or self.every)
        return value


@contextmanager
def airflow(folder: Path, more: Mapping[str, str]) -> Iterator[Airflow]:
    """The services with more environment, until the end of the block, their logs in the folder."""
    folder.mkdir(parents=True)
    port = free_port()
    env = {**environment(folder, port), **more}
    with ExitStack() as stack:
        ended([AIRFLOW, "db", "migrate"], folder / "migrate.log", env=env)
        for command in ("api-server", "dag-processor", "scheduler"):
            stack.enter_context(held([str(AIRFLOW), command], folder / f"{command}.log", env=env, stop="KILL", grace=1))
        wait_for(port, None, 180)
        one = Airflow(folder, f"http://127.0.0.1:{port}")
        stack.callback(one.api.close)
        one.unpause()
        yield one
