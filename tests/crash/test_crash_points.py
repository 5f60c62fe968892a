"""A process killed at any operation of collect, judge, publish, draw and mail: the next one leaves what no kill would.

CI tries one sample on a folder with SQLite (`CRASH_SEED` tries another). `pytest -m exhaustive` tries every
operation, before and after it, there and on S3 with PostgreSQL.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from random import Random

import pytest
from crashing import STAGES, Crashing, Point

pytestmark = pytest.mark.integration
SAMPLE, SEED = 6, 20230411
TWICE = 60


def killed_at(crashing: Crashing, points: Iterable[Point]) -> str:
    """What went wrong, at which point."""
    found = ((point, crashing.crash(point)) for point in points)
    return "\n".join(f"{crashing.setup.name}: {point}:\n  " + "\n  ".join(wrong) for point, wrong in found if wrong)


def test_a_round_killed_anywhere_ends_as_if_nothing_had_happened(crashing: Crashing) -> None:
    seed = int(os.environ.get("CRASH_SEED", SEED))
    print(f"{crashing.setup.name}: CRASH_SEED={seed}, {crashing.in_all} operations: {crashing.counted}")
    wrong = killed_at(crashing, Random(seed).sample(list(crashing.points()), SAMPLE))  # noqa: S311
    assert not wrong, f"CRASH_SEED={seed}\n{wrong}"


@pytest.mark.exhaustive
@pytest.mark.parametrize("stage", STAGES)
def test_a_round_killed_at_every_operation_ends_as_if_nothing_had_happened(crashing: Crashing, stage: str) -> None:
    points = [p for p in crashing.points() if p.stage == stage]
    assert points
    wrong = killed_at(crashing, points)
    assert not wrong, wrong


@pytest.mark.exhaustive
def test_a_round_killed_twice_ends_as_if_nothing_had_happened(crashing: Crashing) -> None:
    seed = int(os.environ.get("CRASH_SEED") or secrets.randbelow(10**6))
    lots = Random(seed)  # noqa: S311
    points = lots.sample(list(crashing.points()), TWICE)
    found = {str(p): crashing.crash(p, again=lots.randint(1, crashing.in_all)) for p in points}
    assert not any(found.values()), f"CRASH_SEED={seed}\n{found}"
