"""The services of `docker-compose.yaml` as processes on loopback: what it says is what runs, without Docker."""

from __future__ import annotations

import os
import secrets
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
from conftest import ROOT
from cryptography.fernet import Fernet
from held import Held, ended, held
from poison.watching import looking
from postgres import execute, postgres
from servers import free_port, wait_for
from sqlalchemy import make_url

from cluster.compose import services

BIN = Path(sys.executable).parent
ENTRYPOINT = ROOT / "scripts" / "entrypoint"
DAGS = ("collect_extracts", "validate_extracts", "publish_disruption")
WORKERS = ("worker-1", "worker-2")
# A dead worker is noticed in seconds here, after five minutes by default. Tasks are tried again at once.
IMPATIENT = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "8",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "1",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
}
POLICY = """
from datetime import timedelta
def task_policy(task):
    task.retry_delay, task.retry_exponential_backoff = timedelta(seconds=1), False
"""


class Cluster:
    """A running stack: its API, and each service as a process that can be killed."""

    def __init__(self, folder: Path, variables: dict[str, str], hosts: dict[str, str], extra: dict[str, str]) -> None:
        self.folder, self.hosts, self.extra = folder, hosts, extra
        self.services = services(variables)
        self.running: dict[str, Held] = {}
        self.stack = ExitStack()  # of what runs
        self.api = httpx.Client(timeout=60)

    def environment(self, service: str, **more: str) -> dict[str, str]:
        """A service's environment as the compose file gives it, with this machine's addresses and folders."""
        said, given = self.services[service], {}
        mounts = {m["target"]: m["source"] for m in said.get("volumes", ()) if isinstance(m, dict)}
        for name, value in said["environment"].items():
            for there, here in {**self.hosts, **mounts}.items():
                value = str(value).replace(there, here)
            given[name] = value
        return {**os.environ, **given, **self.extra, **more}

    def command(self, service: str) -> list[str]:
        """A service's command, through the image's entry point when it is our image."""
        ours = self.services[service]["image"].startswith("strike-reporting")
        return [*([str(ENTRYPOINT)] if ours else []), *self.services[service]["command"]]

    def run(self, service: str) -> None:
        """A service that ends by itself."""
        ended(self.command(service), self.folder / f"{service}.log", env=self.environment(service))

    def start(self, name: str, service: str, *, helm: bool = False, **more: str) -> None:
        """Start a service; with `helm` in the form that the official chart uses."""
        command = self.command(service)
        if helm:
            command = [command[0], "bash", "-c", f"exec airflow {shlex.join(command[1:])}"]
        self.running[name] = self.stack.enter_context(
            held(command, self.folder / f"{name}.log", env=self.environment(service, **more))
        )

    def start_worker(self, name: str) -> None:
        """Start a worker, as another machine would: with a name and a log server of its own."""
        port = str(free_port())
        self.start(name, "worker", helm=name == WORKERS[-1], AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT=port)

    def listed(self) -> set[str]:
        """Ids of the DAGs that the stack knows."""
        return {d["dag_id"] for d in self.api.get("/api/v2/dags").json()["dags"]}

    def unpause(self, dag_id: str) -> None:
        """Let the scheduler run a DAG."""
        assert self.api.patch(f"/api/v2/dags/{dag_id}", json={"is_paused": False}).status_code == 200

    def trigger(self, dag_id: str) -> str:
        """Start a run of a DAG; its id."""
        made = self.api.post(f"/api/v2/dags/{dag_id}/dagRuns", json={"logical_date": None})
        assert made.status_code == 200, made.text
        return str(made.json()["dag_run_id"])

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """Runs of a DAG, oldest first."""
        return list(self.api.get(f"/api/v2/dags/{dag_id}/dagRuns", params={"order_by": "run_after"}).json()["dag_runs"])

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Task instances of a run."""
        return list(
            self.api.get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances", params={"limit": 100}).json()[
                "task_instances"
            ]
        )

    def finished(self, dag_id: str, run_id: str, seconds: float = 300) -> str:
        """Wait for a run's end; its state."""

        def ended() -> str | None:
            run = self.api.get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}").json()
            return run["state"] if run["state"] in ("success", "failed") else None

        return self.until(ended, seconds, f"{dag_id} did not end")

    def idle(self, seconds: float = 300) -> None:
        """Wait until nothing runs and nothing is queued."""

        def quiet() -> bool:
            states = [r["state"] for d in DAGS for r in self.runs(d)]
            return bool(states) and not {"running", "queued"} & set(states)

        self.until(lambda: quiet() and (time.sleep(3) or quiet()), seconds, "the DAGs did not come to rest")

    def worker_of(self, dag_id: str, run_id: str, task_id: str) -> str:
        """Name of the worker that works on a task now."""

        def found() -> str | None:
            pids = {t["pid"] for t in self.tasks(dag_id, run_id) if t["task_id"] == task_id and t["state"] == "running"}
            for name in WORKERS:
                if pids & {p.pid for p in self.running[name].processes()}:
                    return name
            return None

        return self.until(found, 60, f"no worker runs {task_id}")

    def until(self, found: Callable[[], Any], seconds: float, message: str) -> Any:
        """Wait for something true; fail with the ends of the logs."""
        deadline = time.monotonic() + seconds
        while not (value := found()):
            if time.monotonic() > deadline:
                ends = [f"--- {p.name}\n{p.read_text()[-3000:]}" for p in sorted(self.folder.glob("*.log"))]
                raise AssertionError(f"{message} in {seconds} s\n" + "\n".join(ends))
            time.sleep(0.3)
        return value

    def memory(self) -> dict[str, int]:
        """Proportional set size of each service in MB."""
        return {name: round(service.memory() / 1e6) for name, service in self.running.items()}

    @contextmanager
    def watched(self) -> Iterator[dict[str, int]]:
        """The most memory in MB that each service takes during the block."""
        peaks: dict[str, int] = self.memory()

        def look() -> None:
            for name, now in self.memory().items():
                peaks[name] = max(now, peaks.get(name, 0))

        with looking(look, 0.5):
            yield peaks


@contextmanager
def cluster(folder: Path, given: dict[str, str]) -> Iterator[Cluster]:
    """The whole stack, DAGs listed and unpaused; `given` are variables of the compose file."""
    (folder / "airflow" / "config").mkdir(parents=True)
    (folder / "airflow" / "config" / "airflow_local_settings.py").write_text(POLICY)
    variables = {
        "POSTGRES_PASSWORD": secrets.token_hex(16),
        "REDIS_PASSWORD": secrets.token_hex(16),
        "AIRFLOW_FERNET_KEY": Fernet.generate_key().decode(),
        "AIRFLOW_JWT_SECRET": secrets.token_urlsafe(48),
        "AIRFLOW_API_SECRET_KEY": secrets.token_urlsafe(48),
        **given,
    }
    with postgres() as server, ExitStack() as stack:
        port, redis, api = make_url(server).port, free_port(), free_port()
        execute(server, f"CREATE ROLE airflow SUPERUSER LOGIN PASSWORD '{variables['POSTGRES_PASSWORD']}'")
        execute(server, "CREATE DATABASE airflow OWNER airflow")
        hosts = {
            "@postgres/": f"@127.0.0.1:{port}/",
            "@redis:6379": f"@127.0.0.1:{redis}",
            "http://api-server:8080": f"http://127.0.0.1:{api}",
        }
        extra = {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(port),
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "include"),
            "AIRFLOW_HOME": str(folder / "airflow"),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "passwords.json"),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(api),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(free_port()),
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
            "GX_ANALYTICS_ENABLED": "false",
            **IMPATIENT,
        }
        one = Cluster(folder, variables, hosts, extra)
        stack.callback(one.api.close)
        stack.enter_context(one.stack)
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(redis), "--save", "", "--dir", str(folder)]
        command += ["--requirepass", variables["REDIS_PASSWORD"]]
        one.running["redis"] = one.stack.enter_context(held(command, folder / "redis.log"))
        one.run("ledger-database")
        one.run("airflow-init")
        one.start("api-server", "api-server")
        one.start("scheduler", "scheduler")
        one.start("dag-processor", "dag-processor")
        for name in WORKERS:
            one.start_worker(name)
        wait_for(api, None, 120)
        one.api.base_url = f"http://127.0.0.1:{api}"
        one.api.headers["Authorization"] = f"Bearer {one.api.get('/auth/token').json()['access_token']}"
        one.until(lambda: one.listed() >= set(DAGS), 120, "the DAGs were not listed")
        yield one
