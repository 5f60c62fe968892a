"""The strike calendar wakes `collect_extracts`: through Airflow's own serialisation, and on a real scheduler."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT
from scheduler import Airflow, Run, airflow, environment
from servers import free_port
from strike_reporting.clock import LONDON
from strike_reporting.ledger import ledger_of
from strike_reporting.operations.rounds import claim_rounds
from strike_reporting.reference.facts import reference_folder
from strike_reporting.storage import Store

pytestmark = pytest.mark.airflow
DAG = "collect_extracts"
ASKED = """
import json, sys
from datetime import UTC, datetime
import pendulum
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import DataInterval, TimeRestriction
bag = DagBag(sys.argv[1])
assert not bag.import_errors, bag.import_errors
kept = json.loads(json.dumps(DagSerialization.to_dict(bag.dags["collect_extracts"])))
timetable = DagSerialization.from_dict(kept).timetable
at = lambda text: pendulum.instance(datetime.fromisoformat(text))
def asked(now, last, catchup, earliest="2025-01-01T00:00+00:00", latest=None):
    restriction = TimeRestriction(at(earliest) if earliest else None, at(latest) if latest else None, catchup)
    class Clock(datetime):
        now = staticmethod(lambda zone: datetime.fromisoformat(now))
    type(timetable).next_dagrun_info.__globals__["datetime"] = Clock
    found = timetable.next_dagrun_info(
        last_automated_data_interval=last and DataInterval.exact(at(last)), restriction=restriction
    )
    return found and [found.run_after.isoformat(), found.data_interval.start.isoformat()]
def woken(dag_id):
    schedule = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(bag.dags[dag_id])))).timetable
    coming = schedule.timetable.calendar.rounds_between(at("2025-11-15T23:00+00:00"), at("2025-11-17T23:00+00:00"))
    return [type(schedule).__name__, type(schedule.timetable).__name__, *(f"{r.due_at:%d %H:%M}" for r in coming)]
print(json.dumps({
    "behind": [woken("validate_extracts"), woken("publish_disruption")],
    "type": f"{type(timetable).__module__}.{type(timetable).__name__}", "summary": timetable.summary,
    "kept": kept["dag"]["timetable"], "answers": [asked(**a) for a in json.loads(sys.argv[2])]}))
"""


def overlay(config: Path, **columns: str) -> None:
    """The last action of the calendar as an overlay says it; without columns no overlay."""
    place = config / "reference" / "strike_calendar.csv"
    place.parent.mkdir(parents=True, exist_ok=True)
    header, *_, last = (reference_folder() / "strike_calendar.csv").read_text().splitlines()
    row = dict(zip(header.split(","), last.split(","), strict=True)) | columns
    new = place.with_suffix(".new")  # never half an edit
    new.write_text(f"{header}\n{','.join(row.values())}\n")
    new.replace(place)


def ask(folder: Path, *questions: dict[str, Any], **more: str) -> dict[str, Any]:
    """What the timetable of the serialised DAG answers a scheduler, in a process of its own."""
    env = {**environment(folder / "airflow", free_port()), **more, "PYTHONPATH": f"{ROOT / 'dags'}:{ROOT / 'include'}"}
    command = [sys.executable, "-c", ASKED, str(ROOT / "dags"), json.dumps(questions)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_a_scheduler_asks_the_serialised_timetable(tmp_path: Path) -> None:
    def question(now: str, last: str | None, catchup: bool = False, **more: str | None) -> dict[str, Any]:
        return {"now": f"{now}+00:00", "last": last and f"{last}+00:00", "catchup": catchup, **more}

    asked = {  # of the strike of 14 to 18 November 2025, whose announcement was on 23 October
        "after a round, the next": (question("2025-11-16T08:05", "2025-11-16T08:00"), "2025-11-16T08:10"),
        "after the last of a day, the daily one": (
            question("2025-11-16T12:05", "2025-11-16T12:00"),
            "2025-11-16T17:10",
        ),
        "after days away, the last that was missed": (
            question("2025-11-16T10:05", "2025-11-10T17:10"),
            "2025-11-16T10:00",
        ),
        "with catching up, the first that was": (
            question("2025-11-16T10:05", "2025-11-10T17:10", True),
            "2025-11-11T17:10",
        ),
        "for the first time, the last round": (question("2025-11-16T10:05", None), "2025-11-16T10:00"),
        "in summer time": (question("2026-06-16T05:30", "2026-06-15T16:10"), "2026-06-16T06:00"),
        "over the end of summer time": (question("2025-10-25T20:00", "2025-10-25T16:10"), "2025-10-26T17:10"),
        "before the first day": (
            question("2025-11-16T10:05", None, earliest="2025-12-25T12:00+00:00"),
            "2025-12-25T17:10",
        ),
        "after the last day": (question("2025-11-16T10:05", None, latest="2025-11-16T09:00+00:00"), None),
        "without a first day": (question("2025-11-16T10:05", None, earliest=None), "2025-11-16T10:10"),
    }
    (tmp_path / "config").mkdir()
    home = {"STRIKES_CONFIG": str(tmp_path / "config")}
    said = ask(tmp_path, *(q for q, _ in asked.values()), **home)
    answers = [a and a[0] for a in said["answers"]]
    assert dict(zip(asked, answers, strict=True)) == {k: a and f"{a}:00+00:00" for k, (_, a) in asked.items()}
    assert (said["type"], said["summary"]) == ("strike_calendar.StrikeCalendarTimetable", "Strike calendar")
    assert said["kept"]["__type"] == said["type"]
    for behind, minute in zip(said["behind"], (15, 30), strict=True):  # of the 16th and 17th, each the arrears of a day
        hours = [f"{day} {hour:02}:{minute}" for day in (16, 17) for hour in (*range(7, 13), 17)]
        daily = [h.replace(f"17:{minute}", f"17:{minute + 10}") for h in hours]
        assert behind == ["AssetOrTimeSchedule", "StrikeCalendarTimetable", *daily]
    overlay(tmp_path / "config", end="2026-06-18T07:00")
    edited = ask(tmp_path, **home)
    assert edited["kept"]["__var"]["sha256"] != said["kept"]["__var"]["sha256"]
    overlay(tmp_path / "config", start="on Monday")
    broken = ask(tmp_path, question("2027-08-01T08:05", "2027-08-01T08:00"), **home)
    assert broken["summary"] == "Strike calendar cannot be read"
    assert broken["answers"][0][0] == "2027-08-01T08:10:00+00:00", "a run is to say so"


@dataclass(frozen=True)
class World:
    """A scheduler that wakes every minute of a day on which returns are due."""

    airflow: Airflow
    config: Path
    inbox: Path

    def runs(self) -> list[str]:
        """Ids of the runs that the timetable started, in order."""
        found = self.airflow.get(f"/dags/{DAG}/dagRuns", limit=100, order_by="run_after")["dag_runs"]
        return [r["dag_run_id"] for r in found if r["run_type"] == "scheduled"]

    def next_woken(self, known: list[str]) -> Run:
        """The next run that the timetable starts, at its end."""
        new = self.airflow.until(lambda: [r for r in self.runs() if r not in known], "the timetable woke nobody")
        return self.airflow.ended(DAG, new[0])

    def next_due(self) -> datetime:
        """When Airflow would wake next."""
        return datetime.fromisoformat(self.airflow.get(f"/dags/{DAG}")["next_dagrun_run_after"])


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    config, inbox = tmp_path / "config", tmp_path / "inbox"
    inbox.mkdir()
    (config / "feeds").mkdir(parents=True)
    shutil.copytree(ROOT / "include" / "config" / "dialects", config / "dialects")
    feed = {"trust": "RHU", "extract": "cancellations", "location": str(inbox), "contact": "a@b.example"}
    (config / "feeds" / "feeds.yaml").write_text(yaml.safe_dump([feed]))
    (config / "settings.toml").write_text(
        'pull_from = "00:00"\ncut_off = "23:59"\ncut_off_grace_minutes = 0\npull_every_minutes = 1\n'
    )
    given = {"STRIKES_HOME": str(tmp_path / "home"), "STRIKES_CONFIG": str(config)}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    every = {"AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3"}
    with airflow(tmp_path / "airflow", given | every) as one:
        yield World(one, config, inbox)


@pytest.mark.exhaustive
def test_an_edit_of_the_calendar_wakes_a_real_scheduler_and_another_lets_it_sleep(world: World) -> None:
    ledger = ledger_of(Store())
    [first] = world.runs()
    assert world.airflow.ended(DAG, first).state == "success", "it made up for the last quiet round"
    kept = ledger.rounds.between(datetime.now(UTC) - timedelta(days=9), datetime.now(UTC))
    assert len(kept) == 7 and {(r.kind, r.claimed_by) for r in kept} == {("quiet", first)}
    assert all(r.done_at for r in kept)

    yesterday = datetime.now(LONDON).date() - timedelta(days=1)
    days = {"start": f"{yesterday}T07:00", "end": f"{yesterday + timedelta(days=1)}T07:00"}
    began = datetime.now(UTC)
    overlay(world.config, **days)
    woken = world.next_woken([first])
    assert woken.state == "success" and woken.tasks["collect"] == ["success"]
    mine = [
        r for r in ledger.rounds.between(began - timedelta(days=2), datetime.now(UTC)) if r.claimed_by == woken.run_id
    ]
    assert {(r.kind, r.actions) for r in mine} >= {("during", ("RD-2026-06-15",))}
    assert sum(datetime.fromisoformat(r.due_at) < began for r in mine) > 5, "what the edit added in the past is made up"

    claim_rounds(Store(), "somebody else", datetime.now(UTC) + timedelta(minutes=4))
    known = world.runs()  # after the claim: a run that began before it may have found a round
    idle = world.next_woken(known)
    assert idle.state == "success" and idle.tasks["plan"] == idle.tasks["collect"] == ["skipped"]
    assert "No round is due" in idle.said("plan")

    overlay(world.config, **days, status="called_off", status_date=f"{yesterday - timedelta(days=1)}")
    world.airflow.until(lambda: f"{world.next_due().astimezone(LONDON):%H:%M}" == "17:10", "the edit did not hold")
    by_hand = world.airflow.run(DAG)
    assert by_hand.state == "success" and by_hand.tasks["collect"] == ["success"], "a run by hand pulls in any case"
