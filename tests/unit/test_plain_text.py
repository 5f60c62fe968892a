"""Text read at one go says what it says read record by record, or is left to that."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from unittest import mock

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strike_reporting.judging.problems import Problem, Rejected
from strike_reporting.judging.reading import plain, text
from strike_reporting.judging.reading.limits import Limits
from strike_reporting.judging.reading.reader import limits_set

LIMITS = replace(limits_set(), max_rows=6, max_columns=5, max_cells=16, max_cell_characters=4)
CHARACTERS = "a1 ,;\t\"'\\\x0b\x1c\x85\xa0\u2028é"
CELLS = st.text(CHARACTERS, max_size=5) | st.sampled_from(["", "NA", "null"])
LINES = st.lists(st.lists(CELLS, min_size=2, max_size=3).map(",".join), min_size=1, max_size=7)
ENDS = st.sampled_from(["\n", "\r\n", "\r", "\n\n"])


@pytest.fixture(scope="module", autouse=True)
def fields_of_others() -> Iterator[None]:
    """Reading sets a limit of the whole process, which otherwise is a worker that does nothing else."""
    before = csv.field_size_limit()
    yield
    csv.field_size_limit(before)


def said(data: bytes, encoding: str, limits: Limits, *, at_one_go: bool) -> pa.Table | Problem:
    try:
        if at_one_go:
            return text.read(data, encoding, ",", limits)
        with mock.patch.object(plain, "table", return_value=None):
            return text.read(data, encoding, ",", limits)
    except Rejected as rejected:
        return rejected.problem


@given(LINES, ENDS, st.sampled_from([LIMITS, limits_set()]))
@example(["a,b", "1,2,3", "4"], "\n", LIMITS)
@example(["a,b", '"1",2'], "\n", LIMITS)
@example(["a,b", " ,\x1c", "1,2"], "\n", LIMITS)
@example(["a,b", "12345,1"], "\n", LIMITS)
@example(["a,b", "1,2"] * 4, "\n", LIMITS)
@example(["a,b,c,d,e,f", "1,2,3,4,5,6"], "\n", LIMITS)
def test_both_ways_of_reading_say_the_same(lines: list[str], end: str, limits: Limits) -> None:
    data = end.join(lines).encode()
    quick, slow = (said(data, "utf-8", limits, at_one_go=way) for way in (True, False))
    assert quick == slow


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_plain_text_is_read_at_one_go_in_any_encoding(encoding: str) -> None:
    data = "day;é\r\n1;2\r\n1;\r\n".encode(encoding)
    with mock.patch.object(text, "TableBuilder", side_effect=AssertionError("record by record")):
        read = text.read(data, encoding, ";", limits_set())
    assert read.to_pydict() == {"row": [1, 2, 3], "1": ["day", "1", "1"], "2": ["é", "2", ""]}
