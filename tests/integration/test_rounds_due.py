"""Rounds in the ledger: none is lost and none is done twice, however the calendar is edited between two runs."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from announced import action
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from strike_reporting.ledger import Ledger, ledger_of, schema
from strike_reporting.operations.rounds import claim_rounds, due_rounds
from strike_reporting.reference import due
from strike_reporting.reference.actions import Action
from strike_reporting.settings import Settings
from strike_reporting.storage import Store

pytestmark = pytest.mark.integration
BEGIN = datetime(2026, 10, 20, 6, tzinfo=UTC)  # the clocks go back on the 25th
LOOK_BACK = timedelta(days=Settings().look_back_days)


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """An empty ledger of each kind."""
    if request.param == "postgresql":
        monkeypatch.setenv("STRIKES_LEDGER", request.getfixturevalue("postgres_url"))
    found = ledger_of(store)
    yield found
    found.engine.dispose()


def announced(action_id: str, first: date, days: int, **said: str) -> Action:
    return action(first, days, action_id, **{"status": "announced", "announced_on": "2026-10-10", **said})


class Edited:
    """The strike calendar, in memory, and who did which round."""

    def __init__(self, ledger: Ledger, store: Store, patch: pytest.MonkeyPatch) -> None:
        self.ledger, self.store, self.now = ledger, store, BEGIN
        self.held: dict[str, Action] = {}
        self.done: dict[str, str] = {}
        self.runs = 0
        patch.setattr(due, "calendar", lambda: self.calendar)

    @property
    def calendar(self) -> due.Calendar:
        return due.calendar_of(Settings(), self.held.values())

    def run(self, moment: datetime) -> list[str]:
        """A run that the timetable woke, and that claims what is due."""
        self.now, self.runs = moment, self.runs + 1
        asked = {r.round_id: r for r in self.calendar.rounds_between(moment - LOOK_BACK, moment)}
        taken = claim_rounds(self.store, f"run {self.runs}", moment)
        ids = [r.round_id for r in taken]
        assert [r.due_at for r in taken] == sorted(r.due_at for r in taken), "oldest first"
        assert not set(ids) & set(self.done), "none twice"
        assert set(asked) <= set(self.done) | set(ids), "none lost"
        ago, until = (m.isoformat(timespec="seconds") for m in (moment - LOOK_BACK, moment))
        assert all(r.due_at <= until for r in taken), "none too early"
        assert all(r.due_at <= ago for r in taken if r.round_id not in asked), "what is asked no longer is withdrawn"
        self.done |= dict.fromkeys(ids, f"run {self.runs}")
        return ids

    def wake(self) -> None:
        """What the timetable does: sleep until the next round of today's calendar."""
        self.run(self.calendar.next_after(self.now).due_at)


edits = st.one_of(
    st.just(("wake",)),
    st.just(("wake",)),
    st.tuples(st.just("sleep"), st.integers(1, 4 * 24 * 60)),
    st.tuples(st.just("put"), st.sampled_from("ABC"), st.integers(-8, 6), st.integers(1, 4)),
    st.tuples(st.just("end"), st.sampled_from("ABC"), st.sampled_from(("suspended", "called_off")), st.integers(-8, 6)),
    st.tuples(st.just("drop"), st.sampled_from("ABC")),
)


@examples(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(edits, max_size=14))
def test_no_round_is_lost_and_none_is_done_twice(
    ledger: Ledger, store: Store, steps: list[tuple[str | int, ...]]
) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(sa.delete(schema.rounds))
    with pytest.MonkeyPatch.context() as patch:
        world = Edited(ledger, store, patch)
        for step in steps:
            today = world.now.date()
            match step:
                case ["wake"]:
                    world.wake()
                case ["sleep", int(minutes)]:  # the scheduler was off
                    world.run(world.now + timedelta(minutes=minutes))
                case ["put", str(name), int(day), int(days)]:  # also one whose days are past, and changed hours
                    world.held[name] = announced(name, today + timedelta(days=day), days)
                case ["end", str(name), str(status), int(day)] if name in world.held:
                    was, on = world.held[name], f"{today + timedelta(days=day)}"
                    world.held[name] = announced(name, was.days[0], len(was.days), status=status, status_date=on)
                case ["drop", str(name)]:
                    world.held.pop(name, None)
        world.wake()
        assert ledger.rounds.due(world.now) == []
        kept = ledger.rounds.between(BEGIN - timedelta(days=60), world.now)
        assert {r.round_id: r.claimed_by for r in kept} == world.done, "what was done stands, whatever became of it"


def test_a_round_that_is_added_in_the_past_is_due_and_one_that_is_taken_away_is_withdrawn(
    ledger: Ledger, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = Edited(ledger, store, monkeypatch)
    assert len(world.run(BEGIN)) == 7, "one quiet round each day that is looked back on"
    world.held["A"] = announced("A", date(2026, 10, 17), 2)
    added = world.run(BEGIN + timedelta(minutes=1))
    assert added == [r for r in added if r[:10] in ("2026-10-18", "2026-10-19")] and len(added) == 2 * 31
    world.held["B"] = announced("B", date(2026, 10, 16), 1)
    assert {r.actions for r in due_rounds(store, world.now)} == {("B",)}
    del world.held["A"], world.held["B"]
    assert world.run(world.now + timedelta(minutes=1)) == []
    assert set(added) <= {r.round_id for r in ledger.rounds.between(BEGIN - LOOK_BACK, world.now)}


def test_a_round_is_claimed_once_also_by_runs_side_by_side(ledger: Ledger, store: Store) -> None:
    runs = [f"run {n}" for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        taken = list(pool.map(lambda by: claim_rounds(store, by, BEGIN), runs))
    assert sorted(len(t) for t in taken) == [0, 0, 0, 0, 0, 7]


def test_a_task_that_is_tried_again_has_its_rounds_and_what_is_done_is_noted(ledger: Ledger, store: Store) -> None:
    first = claim_rounds(store, "run", BEGIN)
    later = BEGIN + timedelta(hours=30)
    again = claim_rounds(store, "run", later)
    assert len(first) == 7 and len(again) == 8 and claim_rounds(store, "another", later) == []
    ledger.rounds.done("run", later)
    assert {r.done_at for r in claim_rounds(store, "run", later)} == {"2026-10-21T12:00:00+00:00"}


def test_a_ledger_of_before_gets_the_table(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "old"))
    with ledger_of(store).engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE rounds"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0003'"))
    assert len(claim_rounds_anew(store)) == 7


def claim_rounds_anew(store: Store) -> list[str]:
    """As another process would, which opens the ledger itself."""
    from strike_reporting import ledger

    ledger._opened.clear()
    return [r.round_id for r in claim_rounds(store, "run", BEGIN)]
