"""A validation that somebody starts while a collection is under way, on a real scheduler. `test_runs` runs it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from provoked import TRUSTS, World
from scheduler import Run
from strike_reporting.ledger import ledger_of
from strike_reporting.operations import under_way
from strike_reporting.settings import settings

ONE, TWO, _ = TRUSTS


def live_through(world: World) -> None:
    """It waits for the end, without a slot; not for one that died."""
    action, now = world.action(), datetime.now(UTC)
    world.land(action, ONE)
    under_way.begin(world.store, under_way.COLLECTING, now)
    run_id = world.airflow.trigger("validate_extracts")

    def is_put_off() -> bool:
        return any(t["state"] == "up_for_reschedule" for t in world.airflow.instances("validate_extracts", run_id))

    world.airflow.until(is_put_off, "the plan does not wait")
    world.land(action, TWO)
    under_way.end(world.store, under_way.COLLECTING)
    run = _well(world.airflow.ended("validate_extracts", run_id))
    assert run.tries["plan"] == [1] and "Collecting is under way" in run.said("plan")
    told = [(e["trusts"], e["outcomes"]) for e in world.airflow.events(run)]
    assert told == [([ONE, TWO], {"accepted": 2})], "all of it at once"
    _well(world.airflow.nudged("publish_disruption", run))
    under_way.begin(world.store, under_way.COLLECTING, now - timedelta(seconds=settings().round_seconds))
    died = _well(world.airflow.run("validate_extracts"))
    assert "is under way" not in died.said("plan")
    under_way.begin(world.store, under_way.COLLECTING, datetime.now(UTC), "validate_extracts", died.run_id)
    failed = _well(world.airflow.run("validate_extracts"))
    assert "is under way" not in failed.said("plan"), "the run that said so is over, however it ended"
    assert ledger_of(world.store).fact("judging since") == "", "it says its own end"


def _well(run: Run | None) -> Run:
    assert run is not None and run.state == "success" and not run.one("failed") | run.one("upstream_failed"), run
    return run
