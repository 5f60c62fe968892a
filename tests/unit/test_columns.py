"""Columns told apart: what is asked of distinct values is what would be asked of every row."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from strike_reporting.judging import columns
from strike_reporting.judging.columns import CODED, Column, alike, cells, distinct, least, sums, values

TEXTS = st.lists(st.sampled_from(["", "a", "A", " a", "b", None]), max_size=30)


def held(column: Column) -> list[str | None]:
    return [column.known[n] for n in column.codes]


def column(texts: list[str | None]) -> Column:
    return Column.of(pa.chunked_array([pa.array(texts, pa.string())]))


@given(TEXTS)
def test_a_column_holds_what_it_was_made_of(texts: list[str | None]) -> None:
    plain, coded = pa.array(texts, pa.string()), pa.array(texts, pa.string()).dictionary_encode()
    halves = pa.chunked_array(
        [coded[: len(texts) // 2], pa.array(texts[len(texts) // 2 :], pa.string()).dictionary_encode()]
    )
    for one in (plain, coded, pa.chunked_array([plain]), halves):
        made = Column.of(one)
        assert held(made) == texts
        assert len({*made.known}) == len(made.known) == len({*texts})


@given(TEXTS, st.data())
def test_a_column_of_codes_of_which_rows_were_taken_out_knows_only_what_stands_in_it(
    texts: list[str | None], data: st.DataObject
) -> None:
    """Arrow keeps the whole dictionary, and a missing text as a missing code."""
    kept = data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)))
    left = [t for t, stays in zip(texts, kept, strict=True) if stays]
    some = pa.chunked_array([pa.array(texts, CODED)]).filter(pa.array(kept, pa.bool_()))
    made = Column.of(some)
    assert held(made) == values(some) == values(some.cast(pa.string())) == left
    assert len(made.known) == len({*made.known}) == len({*left}) and {*made.known} == {*left}


@given(TEXTS, st.data())
def test_some_rows_know_only_what_stands_in_them(texts: list[str | None], data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.sampled_from(range(len(texts))), max_size=20)) if texts else []
    taken = column(texts).taken(np.array(rows, np.int64))
    assert held(taken) == [texts[n] for n in rows]
    assert {*taken.known} == {texts[n] for n in rows}


@given(TEXTS)
def test_what_becomes_of_values_becomes_of_rows(texts: list[str | None]) -> None:
    changed = column(texts).changed(lambda text: (text or "").strip().casefold())
    assert held(changed) == [(t or "").strip().casefold() for t in texts]
    assert len({*changed.known}) == len(changed.known), "what became equal is one"
    assert column(texts).where(lambda text: text == "a").tolist() == [t == "a" for t in texts]


@given(st.lists(st.tuples(*[st.sampled_from([*"abc", None])] * 3), max_size=40), st.sampled_from([1, 5, 2**62]))
def test_rows_are_alike_where_every_column_is(rows: list[tuple[str | None, ...]], widest: int) -> None:
    before, columns._WIDEST = columns._WIDEST, widest  # also where numbers have to be made smaller on the way
    try:
        found = alike([column([r[n] for r in rows]) for n in range(3)], len(rows)).tolist()
    finally:
        columns._WIDEST = before
    assert [[a == b for b in rows] for a in rows] == [[a == b for b in found] for a in found]
    assert {*found} == {*range(len({*rows}))}


def test_groups_add_up_and_have_a_least() -> None:
    groups, values = np.array([0, 2, 0, 2]), np.array([5, 7, 1, 8])
    assert sums(groups, values, 3).tolist() == [6, 0, 15]
    assert least(groups, values, 3).tolist() == [1, np.iinfo(np.int64).max, 7]


@given(TEXTS, st.data())
def test_cells_are_looked_up_in_pieces_and_combinations_once(texts: list[str | None], data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.sampled_from(range(len(texts))), max_size=20)) if texts else []
    table = pa.table([pa.array(texts, CODED), pa.array(range(len(texts)), pa.int64())], ["text", "number"])
    before, columns._AT_ONCE = columns._AT_ONCE, 3
    try:
        found = list(cells(table, ["number", "text"], np.array(rows, np.int64)))
    finally:
        columns._AT_ONCE = before
    assert found == [(n, texts[n]) for n in rows]
    once = distinct([table["text"], pa.chunked_array([pa.array([len(t or "") for t in texts], pa.int64())])])
    assert sorted(zip(*map(values, once.columns), strict=True), key=str) == sorted(
        {(t, len(t or "")) for t in texts}, key=str
    )
