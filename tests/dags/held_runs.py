"""Releases that the gate holds, on a real scheduler: each asks a person over the REST API and blocks nothing.

One is approved, one refused, one taken back by a command, and one superseded by newer figures. `test_runs` runs it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from provoked import TRUSTS, World
from scheduler import ASKING, Run
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.gated import failed
from strike_reporting.operations.holding import held, refuse, withdraw_hold
from strike_reporting.publishing.releases import decision_of, find

ONE, TWO, _ = TRUSTS


def publish(world: World, release_time: datetime) -> Run:
    """A run of publication, whose only announced time of the day is this one."""
    at = f"{release_time.astimezone(ZoneInfo('Europe/London')):%H:%M}"
    world.configure(cut_at_once=False, release_times=[at], held_look_seconds=5)
    run = world.airflow.run("publish_disruption")
    assert run.state == "success" and not run.one("failed"), run
    return run


def waiting(world: World, action: str) -> str:
    """The id of the run that asks about an action's newest hold, once it waits for an answer."""
    hold = ledger_of(world.store).holds.last(action)
    assert hold is not None and hold.state == "held"
    run_id = f"held__{hold.hold_id}"

    def asked() -> bool:
        found = world.airflow.get(f"/dags/{ASKING}/dagRuns/{run_id}/hitlDetails")["hitl_details"]
        return any(d["task_instance"]["state"] == "awaiting_input" and not d["response_received"] for d in found)

    world.airflow.until(asked, f"nobody is asked about {action}")
    return run_id


def answer(world: World, run_id: str, option: str, reason: str) -> None:
    """What a person says in the Airflow UI, by its API."""
    path = f"/dags/{ASKING}/dagRuns/{run_id}/taskInstances/ask/-1/hitlDetails"
    said = {"chosen_options": [option], "params_input": {"reason": reason}}
    world.airflow.api.patch(path, json=said).raise_for_status()


def state(world: World, action: str) -> list[tuple[str, str]]:
    return [(h.state, h.outcome) for h in ledger_of(world.store).holds.of(action)]


def live_through(world: World) -> None:
    """All four, one beside the other."""
    yes, no, back, moved = actions = [world.action() for _ in range(4)]
    for action in actions:
        world.land(action, ONE)
    world.judge()
    now = datetime.now(UTC)
    run = publish(world, now)
    assert {*run.tasks["ask_a_person"]} == {"success"} and not any(map(world.is_published, actions))
    asks = {action: waiting(world, action) for action in actions}
    detail = world.airflow.get(f"/dags/{ASKING}/dagRuns/{asks[yes]}/hitlDetails")["hitl_details"][0]
    assert f"{yes} is held since" in detail["body"] and "Coverage of England: FAILED" in detail["body"]

    # Newer figures: the waiting runs block no publication, which has them judged at once; they have a run of their own.
    world.land(moved, TWO)
    world.judge()
    asked = publish(world, now).tasks["ask_a_person"]
    assert {*asked} == {"success", "skipped"}, "who is asked already is not asked again"
    old = world.airflow.ended(ASKING, asks[moved])
    assert old.state == "failed" and "superseded by newer figures, so nothing was cut" in old.said("ask")
    assert state(world, moved) == [("superseded", "held anew"), ("held", "")]
    assert waiting(world, moved) != asks[moved]

    answer(world, asks[yes], "Approve", "  ")
    assert waiting(world, yes) == asks[yes], "without a reason it is asked again"
    answer(world, asks[yes], "Approve", "the trusts confirm")
    approved = world.airflow.ended(ASKING, asks[yes])
    assert approved.state == "success" and approved.one("success") == {"ask", "decide", "released", "draw", "announce"}
    assert [r["release"] for e in world.airflow.events(approved) for r in e["releases"]] == [f"{yes}.r1"]
    kept = decision_of(world.store, find(world.store, f"{yes}.r1"))
    assert kept and kept.reason == "the trusts confirm" and kept.who not in ("", "automatic") and kept.held
    assert [c.key for c in failed(kept.gate)] == ["coverage"] and state(world, yes) == [("approved", f"{yes}.r1")]
    assert world.store.exists(f"site/{yes}/0001/report.html")

    answer(world, asks[no], "Refuse", "not before the others have returned")
    refused = world.airflow.ended(ASKING, asks[no])
    assert refused.state == "failed" and refused.one("failed") == {"decide"} and refused.tries["decide"] == [1]
    assert "not before the others have returned" in refused.said("decide") and state(world, no) == [("refused", "")]
    assert "not before the others have returned" in world.store.read(f"site/{no}/draft/report.html").decode()

    withdraw_hold(world.store, back, "the setting was wrong", "A. Analyst", datetime.now(UTC))
    taken = world.airflow.ended(ASKING, asks[back])
    assert taken.state == "failed" and taken.one("failed") == {"ask"}
    assert "withdrawn by A. Analyst" in taken.said("ask")
    assert not any(map(world.is_published, (no, back, moved)))
    for hold in held(world.store):
        refuse(world.store, hold.action_id, "the test is over", "A. Tester", datetime.now(UTC))
