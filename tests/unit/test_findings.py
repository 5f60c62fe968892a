"""Findings as columns: whatever is done with them, it is what would be done with a list of problems."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from strike_reporting.judging.findings import RANK, Findings
from strike_reporting.judging.problems import Problem

SHARED = ("rule", "severity", "fix", "column", "sheet")
TEXT = st.text(max_size=3)
PROBLEM = st.builds(
    Problem,
    rule=st.sampled_from(["number", "date", "total_row"]),
    severity=st.sampled_from([*RANK]),
    message=TEXT,
    fix=st.sampled_from(["a", "b"]),
    row=st.none() | st.integers(0, 5),
    column=st.none() | TEXT,
    value=st.none() | TEXT,
    day=st.none() | st.sampled_from(["2023-04-11", "2023-04-12"]),
    sheet=st.none() | st.sampled_from(["1", "2"]),
)
PROBLEMS = st.lists(PROBLEM, max_size=30)
ELSE = Problem("else", "error", "", "")


@given(PROBLEMS, PROBLEMS, PROBLEMS)
def test_they_hold_what_they_were_given(some: list[Problem], more: list[Problem], last: list[Problem]) -> None:
    found = Findings(some)
    assert found == some and list(found) == some and found[1:] == some[1:] and bool(found) == bool(some)
    assert [found[n] for n in range(-len(some), len(some))] == [*some, *some]
    others = Findings(more)
    found += others
    found += iter(last)
    assert found == [*some, *more, *last] and others == more, "what is added stays as it is"
    assert found != [*some, *more, *last, ELSE]


@given(PROBLEMS)
def test_they_are_ordered_as_a_sender_reads_them(some: list[Problem]) -> None:
    wanted = sorted(some, key=lambda p: (RANK[p.severity], p.row or 0, p.column or "", p.rule))
    found = Findings(some)
    found.order()
    assert found == wanted


@given(PROBLEMS)
def test_they_are_counted_by_kind_and_found_by_severity(some: list[Problem]) -> None:
    found = Findings(some)
    found.order()
    assert found.tally("rule", "severity", "fix", "column", "sheet") == Counter(
        (p.rule, p.severity, p.fix, p.column, p.sheet) for p in some
    )
    assert found.tally("severity") == Counter((p.severity,) for p in some)
    for severity in RANK:
        assert found.first(severity) == next((p for p in found if p.severity == severity), None)


@given(PROBLEMS, st.sampled_from([None, "sheet"]))
def test_they_are_placed(some: list[Problem], sheet: str | None) -> None:
    found, days = Findings(some), [None if n % 2 else f"day {n}" for n in range(len(some))]
    found.place(sheet, iter(days))
    assert found == [replace(p, sheet=sheet, day=day or p.day) for p, day in zip(some, days, strict=True)]


@given(PROBLEMS, st.integers(1, 7))
def test_they_are_kept(some: list[Problem], at_once: int) -> None:
    found = Findings(some)
    tables = [found.table(start, start + at_once) for start in range(0, len(found), at_once)]
    assert [p for table in tables for p in Findings.kept(table)] == some
