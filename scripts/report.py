"""`make report`: run the embedded real strikes through the three DAGs, with nothing to edit and no server."""

from __future__ import annotations

import gc
import logging
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.setdefault("STRIKES_HOME", str(ROOT / ".strikes-home")))
os.environ.update(
    AIRFLOW_HOME=str(HOME / "airflow-report"),
    AIRFLOW__CORE__DAGS_FOLDER=str(ROOT / "dags"),
    AIRFLOW__CORE__PLUGINS_FOLDER=str(ROOT / "plugins"),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__UNIT_TEST_MODE="False",
    AIRFLOW__LOGGING__LOGGING_LEVEL="WARNING",
    AIRFLOW__USAGE_DATA_COLLECTION__ENABLED="False",
    GX_ANALYTICS_ENABLED="false",
)
sys.path.insert(0, str(ROOT / "dags"))
DAGS = ("collect_extracts", "validate_extracts", "publish_disruption")
started = time.monotonic()


def say(text: str) -> None:
    print(f"[{time.monotonic() - started:5.1f} s] {text}", flush=True)


def prepare() -> None:
    """Make Airflow's database, or bring it to the version of Airflow that is here: looking alone takes a second."""
    from airflow import __version__

    place = HOME / "airflow-report"
    database, ready = place / "airflow.db", place / f"ready-{__version__}"
    if database.exists() and ready.exists():
        return
    say("Preparing Airflow's database (first time: some seconds)")
    from airflow.utils.db import initdb, upgradedb

    (upgradedb if database.exists() else initdb)()
    ready.touch()


def hasten() -> None:
    """Spare what Airflow does for others than three short runs in this one process; it is more than half of the time.

    The API within it makes routes for the workers of nine older versions, and here the worker is of the same: the
    newest two are kept, for a route of the newest stands in the one before. `DAG.test` naps a second wherever a mapped
    task turns out to be empty, though nothing else runs that it could wait for.
    """
    from airflow.api_fastapi.execution_api.versions import bundle

    bundle.versions = bundle.versions[:2]
    sleep = time.sleep

    def nap(seconds: float) -> None:
        if sys._getframe(1).f_globals["__name__"] != "airflow.sdk.definitions.dag":
            sleep(seconds)

    time.sleep = nap


def main() -> int:
    gc.set_threshold(100_000, 50, 50)  # what is imported stays: looking through it for garbage takes two seconds
    from strike_reporting.simulator.examples import write_examples

    HOME.mkdir(parents=True, exist_ok=True)
    say(f"{write_examples(HOME / 'inbox')} example files written to the inbox (real published figures)")
    say("Starting Airflow")
    logging.disable(logging.WARNING)
    prepare()
    from airflow.dag_processing.dagbag import DagBag

    hasten()
    bag = DagBag(str(ROOT / "dags"))
    if bag.import_errors:
        print(bag.import_errors, file=sys.stderr)
        return 1
    for dag_id in DAGS:
        say(f"Running {dag_id}")
        bag.dags[dag_id].deadline = None  # nobody is to be told here, and Airflow 3.3.2 cannot test a DAG that has one
        run = bag.dags[dag_id].test()
        if str(run.state) not in ("success", "DagRunState.SUCCESS"):
            print(f"{dag_id} ended {run.state}; its log is above.", file=sys.stderr)
            return 1
    from strike_reporting.publishing.releases import current
    from strike_reporting.storage import Store

    print()
    for release in current(Store()):
        print(f"{release.title} ({release.status}, {release.data_class} data)")
        print(f"  returned: {release.coverage}")
        print(f"  report:   {HOME / 'site' / release.slug / f'{release.number:04d}' / 'report.html'}")
    print(f"\nAll actions: {HOME / 'site' / 'index.html'}")
    say("Done")
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # taking Airflow down piece by piece takes two seconds, and all is written
