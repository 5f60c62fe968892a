"""Rounds worked out by hand: the oracle says the same, and so does the product."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from strike_reporting.extracts.tables import TABLES

from oracle.cases import ROWS, SLICES, Case
from oracle.cases_of_coverage import COVERAGE, DOUBTS
from oracle.cases_of_files import FILES
from oracle.cases_of_shares import SHARES
from oracle.compare import plain, same
from oracle.counted import Counted
from oracle.rounds import Round
from oracle.tables import expected_tables
from oracle.world import publish, ten_trusts

CASES = SLICES | ROWS | FILES | SHARES | COVERAGE | DOUBTS
# What of a key stands in a cell's name, in this order.
NAMED = {
    "returns": ("ods_code", "extract", "strike_day"),
    "cancellations_daily": ("area_code", "strike_day", "point_of_delivery"),
    "staffing_daily": ("area_code", "strike_day", "staff_group", "grade"),
    "action_totals": ("area_code",),
    "specialties": ("area_code", "activity_unit", "treatment_function_code", "priority", "is_cancer"),
    "coverage": ("area_code", "measure", "strike_day"),
    "flags": ("ods_code", "extract", "strike_day", "flag", "measure"),
}
Cells = dict[str, dict[str, Any]]


@pytest.fixture(autouse=True, scope="module")
def england() -> Iterator[None]:
    with ten_trusts():
        yield


def round_of(name: str) -> Round:
    case = CASES[name]
    return Round(name, (case.action,), case.files)


def _name(table: str, key: dict[str, Any]) -> str:
    """A cell's name; appointments are not said."""
    if table == "cancellations_daily" and key["activity_unit"] != "appointment":
        return ""
    words = ["-" if key[n] is None else str(key[n]).removeprefix("2023-04-") for n in NAMED[table]]
    said = " ".join([table, *words])
    return said.removesuffix(" -") if table == "flags" else said


def wrong(case: Case, got: Cells) -> list[str]:
    """Every cell of a case that is not as it was worked out."""
    found = []
    for name, cells in case.cells.items():
        if cells is None or name not in got:
            found += [f"{name} {'should not be' if cells is None else 'is missing'}"] * (
                (cells is None) == (name in got)
            )
            continue
        for column, value in cells.items():
            there = got[name].get(column, "no such column")
            found += [] if same(value, there) else [f"{name}: {column} must be {value}, it is {there}"]
    return found


def of_oracle(name: str) -> Cells:
    tables = expected_tables(Counted(round_of(name), CASES[name].action))
    return {
        _name(t, dict(zip(TABLES[t].keys, k, strict=True))): c for t, rows in tables.items() for k, c in rows.items()
    }


def of_product(name: str) -> Cells:
    published = publish(round_of(name))
    tables = published.tables[CASES[name].action]
    return {
        _name(t, row): {c: plain(c, v, published.ids) for c, v in row.items()}
        for t in NAMED
        for row in tables.get(t, ())
    }


@pytest.mark.parametrize("name", CASES)
def test_the_oracle_says_what_the_hand_did(name: str) -> None:
    assert wrong(CASES[name], of_oracle(name)) == []


# All of them are a minute, so `make test-quick` takes every third.
PUBLISHED = [pytest.param(name, marks=pytest.mark.slow if n % 3 else ()) for n, name in enumerate(CASES)]


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_is_published_is_what_the_hand_did(name: str) -> None:
    assert wrong(CASES[name], of_product(name)) == []
