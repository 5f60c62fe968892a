"""Whatever the order of rounds, lost and doubled events, cleared and killed tasks: the release is that of the calm run.

Hypothesis draws what happens; files come in one order, because the newer one of two counts.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import hypothesis.strategies as st
import killing
import pytest
import small_england as england
from conftest import judge
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.ledger import ledger_of
from strike_reporting.operations import cutting, rounds, under_way
from strike_reporting.operations.starter import write_starter
from strike_reporting.publishing.releases import current, read_table
from strike_reporting.storage import Store

pytestmark = pytest.mark.integration
JD, JUNE = "JD-2023-04-11", "JD-2023-06-14"
HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
# In this order: two returns, a resubmission that lowers a figure, a file that is refused, the same mended, a return for
# another action, one that puts back, a nil return.
FILES = (
    ("a", "RHU,2023-04-11,day_case,cancelled,40\nRHU,2023-04-12,day_case,cancelled,50\n"),
    ("b", "RHM,2023-04-11,outpatient_first,cancelled,7\n"),
    ("c", "RHU,2023-04-11,day_case,cancelled,30\n"),
    ("d", "RN5,2023-04-11,day_case,cancelled,<5\n"),
    ("e", "RN5,2023-04-11,day_case,cancelled,4\n"),
    ("f", "RHM,2023-06-14,day_case,cancelled,9\n"),
    ("g", "R1F,2023-04-13,day_case,reinstated,2\nR1F,2023-04-13,day_case,cancelled,3\n"),
    ("h", "RW1,2023-04-14,day_case,cancelled,0\n"),
)
START = datetime(2023, 4, 15, 8, 0, tzinfo=UTC)
End = tuple[dict[str, str], dict[str, list[dict[str, object]]], list[str]]


@contextmanager
def root() -> Iterator[Store]:
    """A state root in which figures are drafts until they are cut, in a small England."""
    folder = Path(tempfile.mkdtemp(prefix="strikes-"))
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        write_starter(folder / "config")
        patch.setenv("STRIKES_CONFIG", str(folder / "config"))
        patch.setenv("STRIKES_HOME", str(folder / "home"))
        patch.setenv("STRIKES_CUT_AT_ONCE", "no")
        patch.setenv("STRIKES_GATE_COVERAGE_PERCENT", "0")  # the gate holds nothing: nobody is there to decide
        patch.setenv("STRIKES_GATE_FLAGGED_PERCENT", "100")
        stack.enter_context(england.small_england(folder / "reference"))
        yield Store()


def deliver(store: Store, number: int) -> None:
    """The next file lands."""
    name, rows = FILES[number]
    folder = Path(tempfile.mkdtemp(dir=store.base))
    (folder / f"{name}.csv").write_text(HEAD + rows)
    collect_drop(store, folder, JUNE if JUNE[3:10] in rows else JD)


def everything(store: Store, at: datetime) -> None:
    """All that is left to do, as rounds do it that nothing disturbs."""
    judge(store)
    for group in rounds.publish_plan():
        assert rounds.publish_group(group)["problems"] == []
    assert cutting.cut_announced(store, at)["problems"] == []


def end(store: Store) -> End:
    """What it came to: identity of every action's release, its tables, and what became of every file."""
    outcomes = sorted(f"{o.source_name}: {o.status}, {o.reason}" for o in ledger_of(store).judged.listed())
    now = {r.action_id: r for r in current(store)}
    tables = {a: read_table(store, r, "action_totals").to_pylist() for a, r in now.items()}
    return {a: r.identity for a, r in now.items()}, tables, outcomes


@cache
def calm() -> End:
    """The run in order, one file after the other."""
    with root() as store:
        cutting.cut_announced(store, START)
        for number in range(len(FILES)):
            deliver(store, number)
            everything(store, START + timedelta(days=number))
        return end(store)


class Disturbed(RuleBasedStateMachine):
    """Rounds as they come: late, twice, half, killed, by plans that are no longer true."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.store = self.stack.enter_context(root())
        self.at, self.sent = START, 0
        self.plans: list[Callable[[], object]] = []
        cutting.cut_announced(self.store, self.at)

    def _tasks(self) -> list[Callable[[], object]]:
        judging = [lambda g=g: rounds.validate_group(g) for g in rounds.validate_plan()]
        publishing = [lambda g=g: rounds.publish_group(g) for g in rounds.publish_plan()]
        judging = [] if under_way.until(self.store, under_way.COLLECTING, self.at, self.at) else judging
        publishing = [] if under_way.until(self.store, under_way.JUDGING, self.at, self.at) else publishing
        return [*judging, *publishing, lambda: cutting.cut_announced(self.store, self.at), rounds.draw_site]

    @precondition(lambda self: self.sent < len(FILES))
    @rule(steps=st.integers(0, 40))
    def a_file_comes(self, steps: int) -> None:
        """It lands, at once or after a kill at some step on disk: then it is fetched again."""
        if steps:
            self._killed(lambda: deliver(self.store, self.sent), steps)
        deliver(self.store, self.sent)
        self.sent += 1

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        self.at += timedelta(hours=hours)

    @rule(stage=st.sampled_from((under_way.COLLECTING, under_way.JUDGING)), ends=st.booleans())
    def a_stage_begins(self, stage: str, ends: bool) -> None:
        """What follows it waits; it may die without a word."""
        begun = under_way.end if ends else lambda store, stage: under_way.begin(store, stage, self.at)
        begun(self.store, stage)

    @rule(pick=st.integers(0, 5))
    def a_task_runs(self, pick: int) -> None:
        """One task of a round; the others' events are lost."""
        tasks = self._tasks()
        tasks[pick % len(tasks)]()

    @rule()
    def a_plan_is_made(self) -> None:
        self.plans = self._tasks()

    @precondition(lambda self: self.plans)
    @rule(pick=st.integers(0, 5))
    def a_cleared_task_runs_again(self, pick: int) -> None:
        """By a plan that may be long done."""
        self.plans[pick % len(self.plans)]()

    @rule(pick=st.integers(0, 5), steps=st.integers(1, 60))
    def a_task_is_killed(self, pick: int, steps: int) -> None:
        tasks = self._tasks()
        self._killed(tasks[pick % len(tasks)], steps)

    def _killed(self, work: Callable[[], object], steps: int) -> None:
        ended = os.waitpid(killing.process(work, signal.SIGKILL, str(steps)), 0)[1]
        assert ended == 0 or os.WTERMSIG(ended) == signal.SIGKILL, "the work itself failed"

    def teardown(self) -> None:
        with self.stack:
            while self.sent < len(FILES):
                deliver(self.store, self.sent)
                self.sent += 1
            tomorrow = self.at + timedelta(days=1)
            for stage in (under_way.COLLECTING, under_way.JUDGING):
                assert under_way.until(self.store, stage, tomorrow, tomorrow) is None, "nobody waits for the dead"
            everything(self.store, tomorrow)
            assert end(self.store) == calm()


@pytest.mark.parametrize("examples", [4, pytest.param(100, marks=pytest.mark.exhaustive)])
def test_however_the_rounds_come_the_release_is_that_of_the_calm_run(examples: int) -> None:
    assert {*calm()[0]} == {JD, JUNE} and sum("rejected" in o for o in calm()[2]) == 1
    drawn = settings(
        max_examples=examples,
        stateful_step_count=14,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=False,
    )
    run_state_machine_as_test(Disturbed, settings=drawn)
