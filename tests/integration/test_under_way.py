"""Who waits for which stage of a round, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from strike_reporting.operations.under_way import COLLECTING, JUDGING, begin, end, until
from strike_reporting.settings import settings
from strike_reporting.storage import Store

pytestmark = pytest.mark.integration
BEGAN = datetime(2026, 6, 16, 8, tzinfo=UTC)
ROUND = timedelta(seconds=settings().round_seconds)
A_LITTLE = timedelta(seconds=20)


def test_a_stage_is_waited_for_until_it_says_its_end(store: Store) -> None:
    assert until(store, COLLECTING, BEGAN, BEGAN) is None, "nothing was begun"
    begin(store, COLLECTING, BEGAN)
    assert until(store, COLLECTING, BEGAN + A_LITTLE, BEGAN + A_LITTLE) == BEGAN + ROUND
    assert until(store, JUDGING, BEGAN + A_LITTLE, BEGAN + A_LITTLE) is None, "another stage"
    end(store, COLLECTING)
    assert until(store, COLLECTING, BEGAN + A_LITTLE, BEGAN + A_LITTLE) is None


def test_one_that_died_is_waited_for_no_longer_than_a_round_may_take(store: Store) -> None:
    begin(store, COLLECTING, BEGAN)
    asked = BEGAN + A_LITTLE
    assert until(store, COLLECTING, asked, BEGAN + ROUND - A_LITTLE)
    assert until(store, COLLECTING, asked, BEGAN + ROUND) is None


def test_one_whose_run_is_over_is_not_waited_for(store: Store) -> None:
    begin(store, JUDGING, BEGAN, "validate_extracts", "manual__1")
    asked, runs = BEGAN + A_LITTLE, {("validate_extracts", "manual__1")}
    assert until(store, JUDGING, asked, asked, lambda *run: run in runs) == BEGAN + ROUND
    runs.clear()  # all its groups failed, or somebody ended it
    assert until(store, JUDGING, asked, asked, lambda *run: run in runs) is None


def test_rounds_without_a_pause_hold_nobody_for_ever(store: Store) -> None:
    asked = BEGAN + A_LITTLE
    begin(store, COLLECTING, BEGAN)
    assert until(store, COLLECTING, asked, asked)
    end(store, COLLECTING)
    begin(store, COLLECTING, asked + A_LITTLE)
    assert until(store, COLLECTING, asked, asked + 2 * A_LITTLE) is None, "it began after it was asked"
