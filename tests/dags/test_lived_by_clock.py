"""The strike of `lived` on a real scheduler, by a clock that the test moves: what must have come of it is the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lived import (
    test_every_revision_of_a_sum_is_explained_by_trust_and_adds_up,
    test_nothing_happens_in_an_idle_week,
    test_the_draft_follows_and_is_cut_at_its_time_or_held_for_a_person,
    test_the_final_figures_name_the_trust_that_never_returned_and_ask_nobody_of_the_day_that_was_not_struck,
    test_who_hears_of_what_and_when,
)
from lived_by_clock import ByClock, by_clock
from wall_clock import COMPILER

__all__ = [
    "test_every_revision_of_a_sum_is_explained_by_trust_and_adds_up",
    "test_nothing_happens_in_an_idle_week",
    "test_the_draft_follows_and_is_cut_at_its_time_or_held_for_a_person",
    "test_the_final_figures_name_the_trust_that_never_returned_and_ask_nobody_of_the_day_that_was_not_struck",
    "test_who_hears_of_what_and_when",
]
pytestmark = [
    pytest.mark.airflow,
    pytest.mark.exhaustive,
    pytest.mark.skipif(COMPILER is None, reason="no C compiler, which the clock that is moved needs"),
]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ByClock]:
    with by_clock(tmp_path_factory.mktemp("by_clock")) as lived:
        yield lived
