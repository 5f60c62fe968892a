"""What must not change a figure: other orders, other groups, other cuts of the same rows, a stranger beside them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from strike_reporting.extracts.tables import TABLES
from strike_reporting.settings import settings

from oracle.judged import judge
from oracle.rounds import DAY, File, Round, drawn
from oracle.totals import sift
from oracle.world import Published, publish, ten_trusts

# Each of an action of several days.
SEEDS = (33, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in (1, 2, 9, 14)))
FIGURES = ("cancellations_daily", "staffing_daily", "action_totals", "specialties", "coverage")
# Which file a return came in, and how much of it was used, is what a split changes.
OF_FILES = ("submission_id", "submission_ids", "received_at", "reason", "refused_submission_id", "is_from_two_files")
Cells = dict[tuple[Any, ...], dict[str, Any]]


@pytest.fixture(autouse=True, scope="module")
def england() -> Iterator[None]:
    with ten_trusts():
        yield


def _cells(
    published: Published, tables: tuple[str, ...] = (*FIGURES, "returns"), without: tuple[str, ...] = ()
) -> Cells:
    return {
        (action, name, *(row[k] for k in TABLES[name].keys)): {
            c: v for c, v in row.items() if c not in (*OF_FILES, *without)
        }
        for action, of_action in published.tables.items()
        for name in tables
        for row in of_action[name]
    }


def _differing(one: Cells, other: Cells) -> list[str]:
    """The cells that two publications have otherwise."""
    return [
        f"{key}: {column} is {value} and {other.get(key, {}).get(column, 'no row')}"
        for key, cells in {**{key: {} for key in other}, **one}.items()
        for column, value in (cells or other[key]).items()
        if key not in one or other.get(key, {}).get(column, "no row") != value
    ]


def _simple(seed: int) -> Round:
    """The first file of each trust and extract of a round: nothing is resubmitted, so cutting it up changes nothing."""
    one = drawn(seed)
    first: dict[tuple[str, str], File] = {}
    for file in one.files:
        if file.rows and not file.withdrawn and len({r["ods_code"] for r in file.rows}) == 1:
            first.setdefault((file.trust, file.extract), replace(file, restates=False, due=False))
    return replace(one, files=tuple(first.values()))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_arrival_among_trusts(seed: int) -> None:
    one = drawn(seed)
    by_trust: dict[str, list[File]] = {}
    for file in one.files:
        by_trust.setdefault(file.trust, []).append(file)
    other = tuple(f for trust in sorted(by_trust, reverse=True) for f in by_trust[trust])
    assert other != one.files
    assert _differing(_cells(publish(one)), _cells(publish(replace(one, files=other)))) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_the_grouping_and_the_order_of_judging(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    one = drawn(seed)
    together = _cells(publish(one))
    monkeypatch.setenv("STRIKES_BATCH_ROWS", "1")
    settings.cache_clear()
    shuffled = publish(one, order=random.Random(seed))  # noqa: S311
    assert _differing(together, _cells(shuffled)) == []


@pytest.mark.parametrize("by", ["day", "part"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_file_cut_up(seed: int, by: str) -> None:
    def cut(file: File) -> Iterator[File]:
        fields = {"day": (DAY[file.extract],), "part": ("status", "point_of_delivery", "activity_unit", "staff_group")}
        places: dict[tuple[str, ...], list[dict[str, str]]] = {}
        for row in file.rows:
            place = tuple(_group(row.get(f, "") or "appointment") for f in fields[by])
            places.setdefault(place, []).append(row)
        for rows in places.values():
            yield replace(file, rows=tuple(rows))

    one = _clean(_simple(seed))
    one = replace(one, actions=one.actions[:1])  # it was dropped for that, so what is cut off of others is refused
    other = replace(one, files=tuple(part for f in one.files for part in cut(f)))
    assert len(other.files) > len(one.files)
    said = ("flagged_value",)  # a day from two files is flagged
    assert _differing(_cells(publish(one), FIGURES, said), _cells(publish(other), FIGURES, said)) == []


def _group(word: str) -> str:
    """Points of delivery of one care setting are one part."""
    return {"day_case": "elective", "elective_inpatient": "elective", "elective_unsplit": "elective"}.get(
        word, "outpatient" if word.startswith("outpatient") else word
    )


def _clean(one: Round) -> Round:
    """Only rows that are all used: one left out spoils its own file's day, and a total is none apart from its parts."""

    def is_clean(file: File) -> bool:
        is_whole = len(sift(file.rows, file.extract).rows) == len(file.rows)
        return is_whole and not any(j.left_out or j.is_refused for j in judge(0, file, one.meant_for))

    return replace(one, files=tuple(filter(is_clean, one.files)))


@pytest.mark.parametrize("seed", SEEDS)
def test_an_unrelated_trust(seed: int) -> None:
    one = drawn(seed)
    one = replace(one, files=tuple(f for f in one.files if f.trust not in ("R0A", "RBN")))
    rows = tuple(
        {"ods_code": "R0A", "activity_date": r["activity_date"], "point_of_delivery": "day_case"}
        | {"status": "cancelled", "cancelled_count": "7"}
        for r in next(f for f in one.files if f.extract == "cancellations" and f.rows).rows
        if r["activity_date"][:2] == "20"
    )
    other = replace(one, files=(*one.files, File("R0A", "cancellations", rows[:1])))
    before, after = _cells(publish(one)), _cells(publish(other))
    north = {"ENG", "R0A", "Y62", "QOP"}
    touched = {k for k in {*before, *after} if before.get(k) != after.get(k)}
    assert touched and all(set(map(str, k)) & north for k in touched), "only what R0A counts in may change"
