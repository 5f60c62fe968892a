"""The strike of `lived` on a real scheduler: its clock is moved on from moment to moment, whenever nothing runs."""

from __future__ import annotations

import compileall
import json
import os
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from conftest import ROOT
from inbox import Inbox
from lived import BEGIN, DECIDES, EDITS, END, LISTS, RD, SENDS, Life, at, configured
from scheduler import ASKING, DAGS, Airflow, airflow
from servers import free_port
from strike_reporting.clock import LONDON
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.gated import failed
from strike_reporting.publishing.drafts import shown
from strike_reporting.publishing.releases import find
from strike_reporting.reference.due import calendar
from wall_clock import WallClock

COLLECT, VALIDATE, PUBLISH = DAGS
IDLE = ("10-19", "11-13")
FAR = "1000000000"  # seconds: what Airflow takes for dead after a silence is not, for the clock was moved
PATIENT = {
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": FAR,
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": FAR,
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": FAR,
    "AIRFLOW__API_AUTH__JWT_EXPIRATION_TIME": FAR,
    "AIRFLOW__EXECUTION_API__JWT_EXPIRATION_TIME": FAR,
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": FAR,  # a DAG is parsed again when its file is touched
}


def installation(base: Path) -> dict[str, str]:
    """Code and reference data in a folder of their own, older than any moment that is lived; as environment."""
    there = base / "installation"
    for name in ("include", "dags", "plugins"):
        shutil.copytree(ROOT / name, there / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.rmtree(there / "include" / "reference")
    shutil.copytree(base / "reference", there / "include" / "reference")
    for path in there.rglob("*"):
        os.utime(path, (at(BEGIN).timestamp() - 86400,) * 2)
    compileall.compile_dir(there, quiet=1)
    return {
        "PYTHONPATH": str(there / "include"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(there / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(there / "plugins"),
    }


class ByClock(Life):
    """What the scheduler did of itself, asked of the ledger, of Airflow's API and of the mail server."""

    def __init__(self, base: Path, one: Airflow, clock: WallClock, inbox: Inbox) -> None:
        super().__init__(base)
        self.airflow, self.clock, self.post = one, clock, inbox
        self.dags = base / "installation" / "dags"
        self.seen: set[str] = set(self.runs(PUBLISH))
        self.number, self.held, self.mailed = 0, set[str](), 0

    def ask(self, question: str, *said: str) -> list[Any]:
        """Airflow's database, which costs less to ask again and again than the API does."""
        with closing(sqlite3.connect(f"file:{self.airflow.folder}/airflow.db?mode=ro", uri=True, timeout=60)) as base:
            return base.execute(question, said).fetchall()

    def runs(self, dag_id: str) -> dict[str, str]:
        """The states of a DAG's runs by their ids, in order."""
        return dict(self.ask("SELECT run_id, state FROM dag_run WHERE dag_id = ? ORDER BY id", dag_id))

    def is_quiet(self) -> bool:
        """Nothing runs but what waits for a person, and no event waits for its run."""
        if self.ask("SELECT 1 FROM asset_dag_run_queue"):
            return False
        going = self.ask("SELECT dag_id, run_id FROM dag_run WHERE state IN ('queued', 'running')")
        return all(dag_id == ASKING and self.is_asking(run_id) for dag_id, run_id in going)

    def is_asking(self, run_id: str) -> bool:
        where = "dag_id = ? AND run_id = ? AND task_id = 'ask'"
        return self.ask(f"SELECT state FROM task_instance WHERE {where}", ASKING, run_id) == [("awaiting_input",)]

    def reach(self, moment: datetime, woken: set[str]) -> None:
        """Move the clock, and wait for the runs that the calendar starts then, and for all that they start."""
        self.now = f"{moment.astimezone(LONDON):%m-%d %H:%M}"
        self.clock.jump(moment)

        def have_come() -> bool:
            last = self.ask("SELECT dag_id, max(run_after) FROM dag_run GROUP BY dag_id")
            come = {d for d, after in last if datetime.fromisoformat(f"{after}+00:00") >= moment}
            return come >= woken

        self.airflow.until(have_come, f"{self.now}: {woken} were not started", seconds=180)
        self.rest()

    def rest(self) -> None:
        """Wait until nothing runs, and write down what came of it."""
        quiet = 0

        def is_still_quiet() -> bool:
            nonlocal quiet
            quiet = quiet + 1 if self.is_quiet() else 0
            return quiet > 2

        self.airflow.until(is_still_quiet, f"{self.now}: it does not come to rest", seconds=600, every=0.5)
        self.look()

    def look(self) -> None:
        """A line for each draft, hold, release and mail since the last look."""
        fresh = {i: state for i, state in self.runs(PUBLISH).items() if i not in self.seen}
        made = sum(len(self.drafts(run_id)) for run_id in fresh)
        assert {*fresh.values()} <= {"success"}
        self.seen |= set(fresh)
        ledger = ledger_of(self.store)
        now = next((find(self.store, c.release_id) for c in ledger.published.current() if c.action_id == RD), None)
        for _ in range(made):
            draft = shown(self.store).get(RD, now)  # it may have been released at once
            self.say("draft", self.figures(draft))
        for hold in ledger.holds.of(RD):
            if hold.hold_id not in self.held:
                self.held.add(hold.hold_id)
                self.say("hold", ", ".join(c.key for c in failed(hold.checks)))
        if now is not None and now.number > self.number:
            assert now.number == self.number + 1
            self.number = now.number
            self.released(now.release_id)
        came, self.mailed = self.post.messages[self.mailed :], len(self.post.messages)
        for message in came:
            self.heard(message)

    def drafts(self, run_id: str) -> list[str]:
        """The drafts that a run of publication made, as its tasks say."""
        path = f"/dags/{PUBLISH}/dagRuns/{run_id}/taskInstances/publish/xcomEntries/return_value"
        where = "dag_id = ? AND run_id = ? AND task_id = 'publish' AND map_index >= 0"
        mapped = self.ask(f"SELECT map_index FROM task_instance WHERE {where}", PUBLISH, run_id)
        answers = [self.airflow.api.get(path, params={"map_index": i}) for (i,) in mapped]
        told = [a.raise_for_status().json()["value"] for a in answers]
        return [d for t in told for d in (json.loads(t) if isinstance(t, str) else t)["drafts"]]

    def learn(self, local: str, said: dict[str, str]) -> None:
        """An edit of the calendar, which holds from the next parse on."""
        self.edit(local, said)
        before = {d: self.airflow.get(f"/dags/{d}")["last_parsed_time"] for d in DAGS}
        for dag_id in DAGS:
            os.utime(self.dags / f"{dag_id}.py", (self.clock.now().timestamp(),) * 2)

        def is_parsed() -> bool:
            return all(self.airflow.get(f"/dags/{d}")["last_parsed_time"] > before[d] for d in DAGS)

        self.airflow.until(is_parsed, f"{self.now}: the DAGs were not parsed again")
        self.rest()

    def decide(self, how: str, why: str) -> None:
        """What a person answers under “Required Actions”, by the API."""
        hold = ledger_of(self.store).holds.last(RD)
        run_id = f"held__{hold.hold_id}"
        self.airflow.until(lambda: self.is_asking(run_id), f"{self.now}: nobody is asked")
        path = f"/dags/{ASKING}/dagRuns/{run_id}/taskInstances/ask/-1/hitlDetails"
        answer = {"chosen_options": [how.capitalize()], "params_input": {"reason": why}}
        self.airflow.api.patch(path, json=answer).raise_for_status()
        self.say("person", f"{how}: {why}")
        ended = self.airflow.ended(ASKING, run_id)
        assert ended.state == ("success" if how == "approve" else "failed"), "a run is green when a release was cut"
        self.rest()


def is_lived(moment: datetime) -> bool:
    """Days on which something happens are lived, the mornings after them, and two idle days; the rest is jumped."""
    local = moment.astimezone(LONDON)
    noted = {at(m).date() for m, *_ in (*SENDS, *EDITS, *DECIDES)} | {at(f"{day} 00:00").date() for day in IDLE}
    day_before = local.date() - timedelta(days=1)
    return local.date() in noted or (local.hour < 12 and day_before in noted)


def lived_through(life: ByClock) -> None:
    """All moments in order: rounds, what wakes behind them, and what people do."""
    edits, asked = {at(m): (m, said) for m, said in EDITS}, {at(m): rest for m, *rest in DECIDES}
    sends = {at(m): rest for m, *rest in SENDS}
    moment = at(BEGIN)
    while True:
        woken = {
            COLLECT: calendar().next_after(moment).due_at,
            VALIDATE: calendar().behind(15).next_after(moment).due_at,
            PUBLISH: calendar().behind(30, releases=True).next_after(moment).due_at,
        }
        moment = min(*woken.values(), *(m for m in (*edits, *asked, *sends) if m > moment))
        if moment > at(END):
            return
        if what := next((s for m, s in sends.items() if m == moment), None):
            life.send(*what)
        called = {dag_id for dag_id, due_at in woken.items() if due_at == moment}
        is_asked = [a for m, a in asked.items() if m == moment]
        is_edited = [e for m, e in edits.items() if m == moment]
        if is_asked or is_edited or (called and is_lived(moment)):
            life.reach(moment, called)
        for local, said in is_edited:
            life.learn(local, said)
        for how, why in is_asked:
            life.decide(how, why)


@contextmanager
def by_clock(base: Path) -> Iterator[ByClock]:
    """The strike, lived through, with the Airflow that lived it."""
    clock, inbox = WallClock(base, at(BEGIN)), Inbox()
    server = Controller(inbox, hostname="127.0.0.1", port=free_port())
    server.start()
    mail = {"conn_type": "smtp", "host": "127.0.0.1", "port": server.port}
    plain = {"disable_ssl": True, "disable_tls": True, "from_email": "strikes@nhs.example", "distribution": LISTS}
    try:
        with configured(base) as environment:
            more = {"AIRFLOW_CONN_STRIKES_MAIL": json.dumps({**mail, "extra": plain})}
            more |= environment | installation(base) | PATIENT | clock.environment
            with airflow(base / "airflow", more) as one:
                life = ByClock(base, one, clock, inbox)
                lived_through(life)
                yield life
    finally:
        server.stop()


def counted(folder: Path) -> dict[str, dict[str, int]]:
    """By day in London: runs by DAG, task instances that had a process, and events, as Airflow's database holds them.

    A run is of the day that it was for: after a jump the scheduler makes up for one that was missed.
    """
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    ran = "SELECT 'tasks', run_after FROM task_instance JOIN dag_run USING (dag_id, run_id) WHERE pid IS NOT NULL"
    asked = ("SELECT dag_id, run_after FROM dag_run", ran, "SELECT 'events', timestamp FROM asset_event")
    with closing(sqlite3.connect(folder / "airflow.db")) as database:
        for question in asked:
            for what, moment in database.execute(question):
                day = datetime.fromisoformat(f"{moment}+00:00").astimezone(LONDON)
                found[f"{day:%m-%d}"][what] += 1
    return {day: dict(numbers) for day, numbers in sorted(found.items())}
