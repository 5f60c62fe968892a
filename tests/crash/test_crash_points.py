"""A process killed at any operation of collect, judge, publish, draw and mail: the next one leaves what no kill would.

CI tries a sample (`CRASH_SEED` tries the same one again), `pytest -m exhaustive` every operation, before and after.
"""

from __future__ import annotations

import os
import secrets
from random import Random

import pytest
from disturbing import crash
from undisturbed import STAGES, Undisturbed

pytestmark = pytest.mark.integration
SAMPLE, TWICE = 5, 60


def lots(rounds: Undisturbed) -> Random:
    """What is tried is drawn by lot; the seed is said."""
    seed = int(os.environ.get("CRASH_SEED") or secrets.randbelow(10**6))
    print(f"{rounds.setup.name}: CRASH_SEED={seed}, {rounds.in_all} operations: {rounds.counted}")
    return Random(seed)  # noqa: S311


def test_a_round_killed_anywhere_ends_as_if_nothing_had_happened(rounds: Undisturbed) -> None:
    points = lots(rounds).sample(list(rounds.points()), SAMPLE)
    assert {str(p): wrong for p in points if (wrong := crash(rounds, p))} == {}


@pytest.mark.exhaustive
@pytest.mark.parametrize("stage", STAGES)
def test_a_round_killed_at_every_operation_ends_as_if_nothing_had_happened(rounds: Undisturbed, stage: str) -> None:
    points = [p for p in rounds.points() if p.stage == stage]
    assert points
    assert {str(p): wrong for p in points if (wrong := crash(rounds, p))} == {}


@pytest.mark.exhaustive
def test_a_round_killed_twice_ends_as_if_nothing_had_happened(rounds: Undisturbed) -> None:
    lot = lots(rounds)
    points = {p: lot.randint(1, rounds.left(p)) for p in lot.sample(list(rounds.points()), TWICE)}
    assert {f"{p}, then {again}": wrong for p, again in points.items() if (wrong := crash(rounds, p, again))} == {}
