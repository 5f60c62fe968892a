"""Every named fault is noticed by the round that was worked out against it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from strike_reporting.errors import OurFault

from oracle.faults import COVERAGE, DOUBTS, MUTANTS, ROWS, SHARES, SLICES
from oracle.faults_of_files import FILES
from oracle.mutants import Mutant
from oracle.test_by_hand import CASES, of_product, wrong
from oracle.world import ten_trusts

SAMPLE = (SLICES[0], ROWS[-3], FILES[0], SHARES[0], COVERAGE[0], DOUBTS[0])


@pytest.fixture(autouse=True, scope="module")
def england() -> Iterator[None]:
    with ten_trusts():
        yield


@pytest.mark.parametrize("mutant", SAMPLE, ids=lambda m: m.name)
def test_a_fault_of_each_kind_is_noticed(mutant: Mutant) -> None:
    _check(mutant)


@pytest.mark.exhaustive
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_every_fault_is_noticed(mutant: Mutant) -> None:
    _check(mutant)


def test_every_fault_is_a_change_of_the_text_as_it_is() -> None:
    for mutant in MUTANTS:
        with mutant.applied():
            pass


def _check(mutant: Mutant) -> None:
    with mutant.applied():
        try:
            found = wrong(CASES[mutant.noticed_by], of_product(mutant.noticed_by))
        except OurFault as failed:  # the product's own checks were quicker
            found = [str(failed)]
    assert found, f"nobody noticed: {mutant.name}"
