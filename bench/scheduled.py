"""A national round under a real scheduler (LocalExecutor, PostgreSQL, folder feeds): `make bench-scheduled`.

From the trigger of the collection to current figures and drawn pages, task by task; then late files, and an idle
round. Synthetic data, thrown away. A small round before warms nothing but the disk: every task is a process of its own.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "integration"))
sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "dags"))
from postgres import postgres
from scheduler import Airflow, Run, airflow
from strike_reporting.reference.actions import resolve
from strike_reporting.simulator import simulate

ROOT = Path(__file__).parent.parent
HEAD = """# A national round under a real scheduler

`make bench-scheduled` writes this page: folder feeds of synthetic files, Airflow with LocalExecutor and PostgreSQL on
one machine ({cores} cores, Python {python}), as `docker-compose.yaml` has it. A mapped task's span is from
the first of its processes to the last.
"""
ACTION, BEFORE, DETAIL, DIRT = "JD-2023-04-11", "JD-2023-03-13", 30, 0.01
Tasks = dict[str, tuple[float, float]]


def deliver(made: Path, inbox: Path, wanted: Callable[[Path], bool] = lambda _: True) -> int:
    """Move files of a simulated round to the folders that their feeds look in; how many."""
    files = [p for p in sorted(made.iterdir()) if "_" in p.name and wanted(p)]
    for path in files:
        trust, extract = path.stem.split("_", 1)
        path.rename(inbox / trust / extract / f"{made.name}{path.suffix}")
    return len(files)


def feeds(made: Path, inbox: Path) -> str:
    """A feed with a folder for each file of a simulated round."""
    names = sorted({p.stem for p in made.iterdir() if "_" in p.name})
    rest = {"contact": "information@trust.example", "data_class": "synthetic"}
    entries = []
    for trust, extract in (name.split("_", 1) for name in names):
        (inbox / trust / extract).mkdir(parents=True)
        where = {"trust": trust, "extract": extract, "location": str(inbox / trust / extract)}
        entries.append(f"- {json.dumps({**where, **rest})}\n")
    return "".join(entries)


def spans(one: Airflow, run: Run) -> Tasks:
    """When each task of a run first began and last ended, as seconds of the day's clock; mapped ones together.

    A task that skipped itself had a process as well; one that Airflow skipped had none.
    """
    found: Tasks = {}
    for task in one.instances(run.dag_id, run.run_id):
        if task["start_date"] and task["end_date"] and task["pid"]:
            began, ended = (datetime.fromisoformat(task[k]).timestamp() for k in ("start_date", "end_date"))
            before = found.get(task["task_id"], (began, ended))
            found[task["task_id"]] = (min(began, before[0]), max(ended, before[1]))
    return found


def told(one: Airflow, title: str, runs: Mapping[str, Run]) -> str:
    """A round's tasks in order, each with when it began and how long it took, from the first trigger on."""
    every = {f"{name}.{task}": span for name, run in runs.items() for task, span in spans(one, run).items()}
    queued: Any = one.get(f"/dags/{runs['collect'].dag_id}/dagRuns/{runs['collect'].run_id}")["queued_at"]
    start = datetime.fromisoformat(queued).timestamp()
    lines = [f"## {title}", "", "| task | begins, s | takes, s |", "| --- | --- | --- |"]
    for name, (began, ended) in sorted(every.items(), key=lambda item: item[1]):
        lines.append(f"| {name} | {began - start:.1f} | {ended - began:.1f} |")
    ends = {"Figures are current": "publish.publish", "All pages are drawn": "publish.draw"}
    said = [f"{what} {every[of][1] - start:.1f} s after the trigger." for what, of in ends.items() if of in every]
    return "\n".join([*lines, "", *said, ""])


def round_of(one: Airflow) -> dict[str, Run]:
    """A collection by hand and the runs that its events start."""
    runs = {"collect": one.run("collect_extracts")}
    if runs["collect"].tasks["landed"] == ["success"]:
        runs["validate"] = one.nudged("validate_extracts", runs["collect"])
        if runs["validate"].tasks["judged"] == ["success"]:
            runs["publish"] = one.nudged("publish_disruption", runs["validate"])
    if wrong := [r for r in runs.values() if r.state != "success"]:
        raise SystemExit(f"a run failed: {wrong}")
    return runs


def say(config: Path, *, cut_at_once: bool) -> None:
    """The settings of what follows: whether figures are released as soon as they differ, or are a draft until then."""
    settings = f"folder_settle_seconds = 0\ncut_at_once = {str(cut_at_once).lower()}\n"
    (config / "settings.toml").write_text(settings)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="strikes-scheduled-") as root:
        work = Path(root)
        inbox, config, small, whole = (work / n for n in ("inbox", "config", "small", "whole"))
        simulate(resolve(BEFORE), small, trusts=["RHU"], detail=3)
        simulate(resolve(ACTION), whole, detail=DETAIL, dirt=DIRT)
        (config / "feeds").mkdir(parents=True)
        (config / "feeds" / "feeds.yaml").write_text(feeds(whole, inbox))
        say(config, cut_at_once=False)
        home = {"STRIKES_HOME": str(work / "home"), "STRIKES_CONFIG": str(config)}
        os.environ.update(home)
        with postgres() as url, airflow(work / "airflow", {**home, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url}) as one:
            one.every = 2.0  # each look takes a processor from what is measured
            deliver(small, inbox)
            parts = [told(one, "Warm-up: three files of one trust", round_of(one))]
            late, second, third = (p for p in sorted(whole.iterdir()) if p.name.startswith("RHM_"))
            number = deliver(whole, inbox, lambda p: p not in (late, second, third))
            parts.append(told(one, f"A national round: {number} files, to its draft", round_of(one)))
            deliver(whole, inbox, lambda p: p == late)
            parts.append(told(one, "One late file, to the draft", round_of(one)))
            parts.append(told(one, "Nothing new", round_of(one)))
            say(config, cut_at_once=True)
            deliver(whole, inbox, lambda p: p == second)
            parts.append(told(one, "Another, to a release in place of the draft", round_of(one)))
            say(config, cut_at_once=False)
            deliver(whole, inbox)
            parts.append(told(one, "A last one, to a draft that says what differs from the release", round_of(one)))
    head = HEAD.format(cores=os.cpu_count(), python=platform.python_version())
    (ROOT / "docs" / "performance-scheduled.md").write_text("\n".join([head, *parts]), encoding="utf-8")
    print("\n".join(parts))


if __name__ == "__main__":
    main()
