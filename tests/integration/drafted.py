"""A small England whose figures are drafts until a release is cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
import small_england as england
from conftest import judge
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.operations import rounds
from strike_reporting.operations.cutting import cut
from strike_reporting.operations.starter import write_starter
from strike_reporting.storage import Store

JD, D1 = "JD-2023-04-11", "2023-04-11"
HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
Come = Callable[..., None]


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For every test of a module that imports it: nothing is cut at once, nor held for the few trusts that return."""
    write_starter(tmp_path / "config")
    monkeypatch.setenv("STRIKES_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("STRIKES_CUT_AT_ONCE", "no")
    monkeypatch.setenv("STRIKES_GATE_COVERAGE_PERCENT", "0")
    with england.small_england(tmp_path / "reference"):
        yield


def arrive(store: Store, drop: Callable[..., Path], name: str, *rows: str) -> None:
    """A file comes and is judged; a row is `RHU 4`, or of another day than the first `RHU 2023-04-12 4`."""
    text = HEAD
    for code, *day, count in (row.split() for row in rows):
        text += f"{code},{(day or [D1])[0]},day_case,cancelled,{count}\n"
    collect_drop(store, drop(**{f"{name}__csv": text}), JD)
    judge(store)


@pytest.fixture
def come(store: Store, drop: Callable[..., Path]) -> Come:
    """A file comes, is judged and is in the draft: `come("a", "RHU 2023-04-11 4")`."""

    def make(name: str, *rows: str) -> None:
        arrive(store, drop, name, *rows)
        for group in rounds.publish_plan():
            done = rounds.publish_group(group)
            assert done["problems"] == done["releases"] == []

    return make


def at(local: str) -> datetime:
    """A moment in April 2023 by London's clock, then one hour before UTC: `13 09:30`."""
    return datetime.strptime(f"2023-04-{local} +0100", "%Y-%m-%d %H:%M %z")


def first(store: Store, come: Come, look: Callable[[Store, datetime], object]) -> None:
    """A first release, of 300 of a trust, cut by hand; the next morning is looked at, with nothing new."""
    come("a", "RHU 300")
    cut(store, JD, "the first", "somebody", at("12 09:00"))
    look(store, at("13 07:00"))
