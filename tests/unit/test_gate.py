"""The release gate, check by check, on numbers made by hand: each at its threshold and beyond it, and the unsayable."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from announced import action
from strike_reporting.extracts.measures import TOTALS_TABLE, asked_for, shown_in
from strike_reporting.extracts.tables import TABLES
from strike_reporting.ledger.gated import Check, failed
from strike_reporting.publishing import gate as module
from strike_reporting.publishing.gate import gate
from strike_reporting.publishing.summary import Summary
from strike_reporting.reference.actions import ActionSet
from strike_reporting.reference.areas import reported
from strike_reporting.settings import settings

FIRST = date(2025, 7, 25)
ENG, NAMED = ("england", "ENG"), (reported()[1].area.area_type, reported()[1].area.area_code)
TOTAL = next(t for t in shown_in("headline") if getattr(t, "kind", "") == "sum")  # any headline total that adds up
CANCELLATIONS = next(iter(asked_for()))


@pytest.fixture(autouse=True)
def thresholds(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The thresholds by name, so that another default changes no test."""
    for name, value in {
        "COVERAGE_PERCENT": 50,
        "FLAGGED_PERCENT": 20,
        "JUMP_PERCENT": 50,
        "JUMP_AT_LEAST": 100,
        "PLAUSIBLE_TIMES": 2,
        "PLAUSIBLE_POINTS": 15,
        "PLAUSIBLE_AT_LEAST": 3,
    }.items():
        monkeypatch.setenv(f"STRIKES_GATE_{name}", str(value))
    settings.cache_clear()
    yield
    settings.cache_clear()


def on_strike(days: int = 2, first: date = FIRST, action_id: str = "A") -> ActionSet:
    return ActionSet((action(first, days, action_id),))


def tables(
    value: int | None,
    came: int = 90,
    asked: int = 100,
    flagged: int = 0,
    area: tuple[str, str] = ENG,
    days: int = 2,
    coverage: float | None = 90.0,
    returns: list[tuple[int, str]] | None = None,
) -> dict[str, pa.Table]:
    """Tables that say one total of one area, with its coverage; returns are (day, status) of one extract."""
    where = {"area_type": area[0], "area_code": area[1], "area_name": area[1]}
    prefix = asked_for()[CANCELLATIONS]
    of_all = {f"{prefix}coverage": coverage, f"{prefix}trusts_returned": came, f"{prefix}trusts_expected": asked}
    cover = [
        {
            **where,
            "measure": TOTAL.key,
            "strike_day": day,
            "returns_expected": asked * (days if day is None else 1),
            "returns_covered": came * (days if day is None else 1),
            "percent_covered": 100.0 * came / asked,
            "flagged_value": flagged,
        }
        for day in (None, *(FIRST + timedelta(n) for n in range(days)))
    ]
    sent = [
        {"ods_code": f"R{n}", "extract": CANCELLATIONS, "strike_day": FIRST + timedelta(day), "return_status": status}
        for n, (day, status) in enumerate(returns or [])
    ]
    rows = {TOTALS_TABLE: [{**where, TOTAL.key: value, **of_all}], "coverage": cover, "returns": sent}
    return {name: table(name, of) for name, of in rows.items()}


def table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    schema = TABLES[name].schema
    return pa.table([pa.array([r.get(f.name) for r in rows], f.type) for f in schema], schema=schema)


def check(
    key: str,
    now: dict[str, pa.Table],
    before: dict[str, pa.Table] | None = None,
    earlier: list[Summary] | None = None,
    at: datetime = datetime(2025, 8, 20, 8, tzinfo=UTC),
    days: int = 2,
    data_class: str = "real",
) -> Check:
    old = ("A.r1", before) if before else None
    found = gate(on_strike(days), at, data_class, now, old, earlier or [])
    return next(c for c in found if c.key == key)


def test_it_says_of_every_check_what_it_found_and_names_what_figures_must_do_in_any_case() -> None:
    found = gate(on_strike(), datetime(2025, 8, 20, tzinfo=UTC), "real", tables(500), None, [])
    assert [c.key for c in found] == ["reconciliation", "coverage", "flagged", "jump", "plausible"]
    assert [c.passed for c in found] == [True, True, True, None, None] and failed(found) == []
    assert all(c.evidence.endswith(".") for c in found)


@pytest.mark.parametrize(("coverage", "passed"), [(50.0, True), (49.9, False), (0.0, False), (None, True)])
def test_coverage_of_england_is_held_against_its_threshold(coverage: float | None, passed: bool) -> None:
    found = check("coverage", tables(500, coverage=coverage, came=14, asked=201))
    assert found.passed is passed
    if not passed:
        assert "14 of 201 trusts" in found.evidence and "at least 50 %" in found.evidence
        assert "gate_coverage_percent" in found.evidence


def test_of_days_that_are_not_over_nobody_asks_for_returns_yet() -> None:
    first_day = [(0, "received"), (0, "late"), (0, "missing"), (1, "missing"), (1, "missing"), (1, "missing")]
    now = tables(500, coverage=33.3, returns=first_day)
    second_day = datetime(2025, 7, 26, 8, 30, tzinfo=UTC)  # 09:30 in London: the first day is over
    found = check("coverage", now, at=second_day)
    assert found.passed is True
    assert "66.7 % of the returns asked for on strike days that are over (1 of 2)" in found.evidence
    assert check("coverage", now, at=second_day + timedelta(days=1)).passed is False, "and now of both"
    assert check("coverage", now, at=second_day - timedelta(days=2)).passed is False, "before: of all that were asked"


@pytest.mark.parametrize(("flagged", "passed"), [(0, True), (100, True), (101, False)])
def test_flagged_returns_are_held_against_their_share_of_the_total(flagged: int, passed: bool) -> None:
    found = check("flagged", tables(500, flagged=flagged))
    assert found.passed is passed and f"{flagged} of 500" in found.evidence and "at most 20 %" in found.evidence


@pytest.mark.parametrize(
    ("was", "came", "now", "comes", "passed"),
    [
        (1000, 90, 1500, 90, True),
        (1000, 90, 1501, 90, False),
        (1000, 90, 499, 90, False),
        (1000, 90, 500, 90, True),
        (1000, 60, 1600, 96, True),  # the returns that came explain it
        (1000, 60, 2401, 96, False),  # 1.6 times the returns, and half as much again
        (1000, 90, None, 90, False),  # gone
        (10, 90, 109, 90, True),  # less than anybody would call a jump
        (0, 90, 100, 90, False),
        (1000, 10, 9000, 90, True),  # it was no figure of the area
        (1000, 10, 9000, 10, False),  # as many returns, though
    ],
)
def test_a_jump_is_what_the_returns_do_not_explain(
    was: int, came: int, now: int | None, comes: int, passed: bool
) -> None:
    found = check("jump", tables(now, came=comes), tables(was, came=came))
    assert found.passed is passed, found.evidence
    if not passed:
        assert f"was {was:,} in A.r1" in found.evidence and "gate_jump_percent" in found.evidence


def test_a_named_area_jumps_for_itself() -> None:
    found = check("jump", tables(900, area=NAMED), tables(200, area=NAMED))
    assert found.passed is False and found.evidence.startswith(reported()[1].area.area_name)


def past(number: int, value: int, came: int = 90, data_class: str = "real") -> Summary:
    """An earlier action of two days."""
    made = tables(value, came=came)
    rows = {n: json.loads(json.dumps(t.to_pydict(), default=str)) for n, t in made.items()}
    return Summary(
        release_id=f"P{number}.r1", number=1, action_id=f"P{number}", as_at=None, data_class=data_class, tables=rows
    )


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Earlier actions are of two days."""
    monkeypatch.setattr(module, "resolve", lambda i: on_strike(2, FIRST - timedelta(days=90), i))


@pytest.mark.parametrize(("value", "passed"), [(4000, True), (4001, False), (500, True), (499, False)])
@pytest.mark.usefixtures("known")
def test_a_strike_day_is_held_against_those_of_earlier_actions(value: int, passed: bool) -> None:
    earlier = [past(1, 1000), past(2, 1500), past(3, 2000)]
    found = check("plausible", tables(value), earlier=earlier)
    assert found.passed is passed, found.evidence
    if not passed:
        assert "3 earlier actions" in found.evidence and "500 to 1,000" in found.evidence


@pytest.mark.usefixtures("known")
def test_where_too_few_can_be_compared_nothing_is_said() -> None:
    earlier = [past(1, 1000), past(2, 1500), past(3, 2000, came=70), past(4, 2000, data_class="synthetic")]
    found = check("plausible", tables(90000), earlier=earlier)
    assert found.passed is None and "too few to say: 2 earlier" in found.evidence and "3 are needed" in found.evidence
    thin = [past(n, 1000, came=10) for n in range(5)]
    assert check("plausible", tables(90000, came=10), earlier=thin).passed is None, "other trusts, other figures"


@pytest.mark.usefixtures("known")
def test_a_running_action_is_compared_by_the_days_that_are_over() -> None:
    earlier, at = [past(n, 1000) for n in range(3)], datetime(2025, 7, 26, 8, 30, tzinfo=UTC)
    assert check("plausible", tables(900), earlier=earlier, at=at).passed is True, "900 on the first day, as 500 were"
    assert check("plausible", tables(1100), earlier=earlier, at=at).passed is False
    assert check("plausible", tables(0), earlier=earlier, at=at - timedelta(days=2)).passed is None, "no day is over"
