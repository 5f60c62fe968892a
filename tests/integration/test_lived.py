"""A strike lived through in one process: the tasks' own functions by the clock, in the calendar's order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
import time_machine
from lived import (
    BEGIN,
    DECIDES,
    EDITS,
    END,
    LISTS,
    RD,
    SENDS,
    Life,
    at,
    configured,
    test_every_revision_of_a_sum_is_explained_by_trust_and_adds_up,
    test_nothing_happens_in_an_idle_week,
    test_the_draft_follows_and_is_cut_at_its_time_or_held_for_a_person,
    test_the_final_figures_name_the_trust_that_never_returned_and_ask_nobody_of_the_day_that_was_not_struck,
    test_who_hears_of_what_and_when,
)
from strike_reporting.clock import LONDON
from strike_reporting.intake.collecting import safe_collection
from strike_reporting.operations import ahead, rounds
from strike_reporting.operations.chasing import chase
from strike_reporting.operations.holding import approve, held, refuse
from strike_reporting.operations.mail import Post, deliver
from strike_reporting.publishing.drafts import shown
from strike_reporting.publishing.manifest import Release
from strike_reporting.reference.due import calendar

__all__ = [
    "test_every_revision_of_a_sum_is_explained_by_trust_and_adds_up",
    "test_nothing_happens_in_an_idle_week",
    "test_the_draft_follows_and_is_cut_at_its_time_or_held_for_a_person",
    "test_the_final_figures_name_the_trust_that_never_returned_and_ask_nobody_of_the_day_that_was_not_struck",
    "test_who_hears_of_what_and_when",
]
pytestmark = pytest.mark.integration


class InOneProcess(Life):
    """What the DAGs do, task by task."""

    def round(self, is_pull: bool, is_behind: bool) -> None:
        """What the three DAGs do at a moment: what follows a pull is started by news, or behind it by the calendar."""
        now = datetime.now(UTC)
        if is_pull:
            run = f"run-{now:%Y%m%dT%H%M}"
            for group in rounds.begin_collection(run, True) or []:
                counts = rounds.collect_group(safe_collection(f"{now:%Y-%m-%d}"), group)
                assert counts["problems"] == []
            rounds.end_collection(run, {}, [])
            chase(self.store, now)
        groups = rounds.validate_plan()
        for group in groups:
            assert rounds.validate_group(group)["problems"] == []
        if groups or is_behind:
            self.publish(now)
        self.mail()

    def publish(self, now: datetime) -> None:
        for group in rounds.publish_plan():
            done = rounds.publish_group(group)
            assert (done["problems"], done["releases"]) == ([], [])
            for _ in done["drafts"]:
                self.say("draft", self.figures(shown(self.store)[RD]))
        cut = ahead.cut_and_check(self.store, now)
        assert cut["problems"] == []
        for action_id in cut["held"]:
            [hold] = [h for h in held(self.store) if h.action_id == action_id]
            self.say("hold", ", ".join(c.key for c in hold.checks if c.passed is False))
        for release_id in cut["releases"]:
            self.released(release_id)

    def decide(self, how: str, why: str) -> None:
        """An analyst says what becomes of what is held."""
        made = {"approve": approve, "refuse": refuse}[how](self.store, RD, why, "A. Nalyst", datetime.now(UTC))
        self.say("person", f"{how}: {why}")
        if isinstance(made, Release):
            self.released(made.release_id)
        self.mail()

    def mail(self) -> None:
        came: list[EmailMessage] = []
        deliver(self.store, Post("strikes@nhs.example", came.append, LISTS), datetime.now(UTC))
        for message in came:
            self.heard(message)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    base = tmp_path_factory.mktemp("lived")
    with configured(base):
        yield lived_through(base)


def lived_through(base: Path) -> Life:
    lived = InOneProcess(base)
    todo: dict[datetime, list[Callable[[], object]]] = defaultdict(list)
    for local, said in EDITS:
        todo[at(local)].append(lambda local=local, said=said: lived.edit(local, said))
    for local, code, *what in SENDS:
        todo[at(local)].append(lambda code=code, what=what: lived.send(code, *what))
    for local, how, why in DECIDES:
        todo[at(local)].append(lambda how=how, why=why: lived.decide(how, why))
    moment, end = at(BEGIN), at(END)
    with time_machine.travel(moment, tick=False):
        lived.round(True, True)
    while True:
        pull = calendar().next_after(moment).due_at
        later = calendar().behind(30, releases=True).next_after(moment).due_at
        moment = min(pull, later, *(m for m in todo if m > moment))
        if moment > end:
            return lived
        lived.now = f"{moment.astimezone(LONDON):%m-%d %H:%M}"
        with time_machine.travel(moment, tick=False):
            for work in todo.get(next((m for m in todo if m == moment), moment), ()):
                work()
            if moment in (pull, later):
                lived.round(moment == pull, moment == later)
