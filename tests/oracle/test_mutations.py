"""Every named fault is noticed by the round that was worked out against it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from strike_reporting.publishing.staging import CheckFailed

from oracle.mutants import MUTANTS, Mutant
from oracle.test_by_hand import CASES, of_product, wrong
from oracle.world import ten_trusts


@pytest.fixture(autouse=True, scope="module")
def england() -> Iterator[None]:
    with ten_trusts():
        yield


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_a_fault_is_noticed(mutant: Mutant) -> None:
    with mutant.applied():
        try:
            found = wrong(CASES[mutant.noticed_by], of_product(mutant.noticed_by))
        except CheckFailed as failed:  # the product's own checks were quicker
            found = [str(failed)]
    assert found, f"nobody noticed: {mutant.name}"
