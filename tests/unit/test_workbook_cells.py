"""What a workbook's cells become: column by column, and cell by cell the same."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strike_reporting.judging.problems import Rejected
from strike_reporting.judging.reading import extent, workbook
from strike_reporting.judging.reading.reader import limits_set

CELLS = (
    st.booleans()
    | st.integers(-2, 2)
    | st.floats()
    | st.sampled_from(["", " ", "1", "1.0", "yes", "True"])
    | st.dates()
    | st.datetimes()
    | st.times()
    | st.timedeltas()
)
LIMITS = limits_set()


@given(st.lists(CELLS, max_size=12))
def test_a_column_is_what_its_cells_are(column: list[object]) -> None:
    cells = [workbook._text(cell) for cell in column]
    texts, distinct = workbook._texts(column)
    assert ([*texts], distinct) == (cells, {*cells})


def test_every_kind_of_value_in_words() -> None:
    values = (True, 1, 1.0, 0.5, "x", date(2023, 4, 11), datetime(2023, 4, 11), datetime(2023, 4, 11, 9), time(9, 30))
    assert [workbook._text(v) for v in values] == [
        *("yes", "1", "1", "0.5", "x", "2023-04-11", "2023-04-11", "2023-04-11 09:00:00", "09:30:00")
    ]
    assert workbook._text(timedelta(hours=1)) == "1:00:00"


def written(rows: Sequence[Sequence[Any]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("together", [1, 4, 1000])
def test_rows_keep_their_numbers_whatever_is_blank_between(together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "_TOGETHER", together)
    rows = [["day", "count"], [None, None], ["a", 1], [" ", None], ["b", True], [None, None], [None, 2.5]]
    [sheet] = workbook.read(written(rows), "xlsx", LIMITS)
    found = sheet.table.to_pydict()
    assert found["row"] == [1, 3, 5, 7]
    assert [v or "" for v in found["1"]] == ["day", "a", "b", ""]
    assert [v or "" for v in found["2"]] == ["count", "1", "yes", "2.5"]


LETTERS = st.text("ABYZabyz", min_size=1, max_size=4).map(str.encode)


@given(LETTERS, LETTERS)
def test_a_column_after_another_is_found_and_no_other(one: bytes, other: bytes) -> None:
    is_after = extent._column(other) > extent._column(one)
    assert bool(extent._beyond(one).search(b'<c s="1" r="%b12" t="s">' % other)) == is_after


def test_the_first_cell_that_is_too_long_is_named() -> None:
    much = LIMITS.max_cell_characters
    rows = [["note"], ["x" * much], ["x" * (much + 1)], ["x" * (much + 9)]]
    with pytest.raises(Rejected) as refused:
        list(workbook.read(written(rows), "xlsx", LIMITS))
    assert (refused.value.problem.rule, refused.value.problem.row) == ("cell_limit", 3)
