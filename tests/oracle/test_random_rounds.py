"""Random rounds: every published cell is what the oracle says. `ORACLE_SEED=7` repeats one round."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise

import pytest

from oracle.compare import differences
from oracle.rounds import ACTIONS, drawn
from oracle.world import publish, ten_trusts

_CHOSEN = os.environ.get("ORACLE_SEED")
SAMPLE = [int(_CHOSEN)] if _CHOSEN else [3, 7, 52]
EVERY = range(500)


@pytest.fixture(autouse=True, scope="module")
def england() -> Iterator[None]:
    with ten_trusts():
        yield


def _check(seed: int) -> None:
    """Rounds of every tenth seed are judged by Great Expectations, the others by the same rules in plain Python."""
    one = drawn(seed)
    wrong = differences(one, publish(one, by_library=seed % 10 == 0))
    assert not wrong, f"repeat with ORACLE_SEED={seed}: {len(wrong)} differences\n" + "\n".join(wrong[:20])


@pytest.mark.parametrize("seed", SAMPLE)
def test_every_cell_of_a_random_round(seed: int) -> None:
    _check(seed)


@pytest.mark.exhaustive
@pytest.mark.parametrize("first", range(0, len(EVERY), 50))
def test_every_cell_of_five_hundred_rounds(first: int) -> None:
    for seed in EVERY[first : first + 50]:
        _check(seed)


def test_a_seed_draws_the_same_round_again() -> None:
    assert drawn(3) == drawn(3) and all(drawn(a) != drawn(b) for a, b in pairwise(range(20)))


def test_the_rounds_meet_everything_that_they_are_for() -> None:
    rounds = [drawn(seed) for seed in range(120)]
    files = [f for r in rounds for f in r.files]
    assert {r.actions for r in rounds} == {*ACTIONS}
    for what in ("due", "restates", "withdrawn", "unreadable", "nil_days", "names", "untold"):
        assert sum(bool(getattr(f, what)) for f in files) > 5, what
