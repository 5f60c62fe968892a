"""Sums with a column for each measure become facts in full order."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strike_reporting.extracts.measures import BREAKDOWNS, BY_EXTRACT
from strike_reporting.publishing.ordering import SCHEMA, TOLD_BY, coded, in_order

EXTRACTS = sorted(BY_EXTRACT)
TEXTS = st.sampled_from(["", "A", "B", "Ä", "a", "aa"])
Row = dict[str, Any]


def value_of(name: str) -> st.SearchStrategy[Any]:
    if name == "strike_day":
        return st.integers(0, 2).map(lambda n: date(2023, 4, 11) + timedelta(n))
    if name in BREAKDOWNS:
        return st.none() | (st.booleans() if BREAKDOWNS[name].is_flag else TEXTS)
    return st.none() | TEXTS if name == "site_code" else TEXTS


def rows_of(extract: str) -> st.SearchStrategy[list[Row]]:
    told = {n: value_of(n) for n in TOLD_BY}
    measured = {m.key: st.none() | st.integers(0, 9) for m in BY_EXTRACT[extract].measures}
    row = st.fixed_dictionaries(told | measured)
    return st.lists(row, max_size=8, unique_by=lambda r: tuple(r[n] for n in TOLD_BY))


def read(extract: str, rows: list[Row], batch: int) -> pa.Table:
    numbers = [(m.key, pa.int64()) for m in BY_EXTRACT[extract].measures]
    schema = pa.schema([SCHEMA.field(n) for n in TOLD_BY] + [pa.field(*n) for n in numbers])
    batches = pa.Table.from_pylist(rows, schema).to_batches(max_chunksize=batch)
    return coded(pa.RecordBatchReader.from_batches(schema, batches))


@given(sums=st.fixed_dictionaries({e: rows_of(e) for e in EXTRACTS}), batch=st.sampled_from([1, 3, 100]))
def test_every_fact_stands_in_its_place(sums: dict[str, list[Row]], batch: int) -> None:
    wanted = [
        {**{n: row[n] for n in TOLD_BY}, "extract": extract, "measure": m.key, "value": row[m.key]}
        for extract, rows in sums.items()
        for row in rows
        for m in BY_EXTRACT[extract].measures
        if row[m.key] is not None
    ]
    wanted.sort(key=lambda f: [(f[n] is None, "" if f[n] is None else f[n]) for n in SCHEMA.names])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("strike_reporting.publishing.ordering._BATCH_ROWS", batch)
        batches = list(in_order({e: read(e, rows, batch) for e, rows in sums.items()}))
    assert all(b.schema == SCHEMA and 0 < b.num_rows <= batch for b in batches)
    assert [f for b in batches for f in b.to_pylist()] == [{n: w[n] for n in SCHEMA.names} for w in wanted]


def test_rows_that_differ_in_a_missing_site_only_are_of_two_places() -> None:
    [extract] = EXTRACTS[:1]
    measured = {m.key: n for n, m in enumerate(BY_EXTRACT[extract].measures)}
    here = {n: None for n in TOLD_BY} | {"ods_code": "A", "strike_day": date(2023, 4, 11), "submission_id": "A"}
    rows = [{**here, "site_code": site, **measured} for site in (None, "B")]
    facts = [f for b in in_order({extract: read(extract, rows, 100)}) for f in b.to_pylist()]
    assert [f["site_code"] for f in facts] == ["B"] * len(measured) + [None] * len(measured)
    assert [f["measure"] for f in facts] == sorted(measured) * 2 and len(measured) > 1


def test_what_an_extracts_sql_gives_otherwise_is_told_by_as_well() -> None:
    [extract] = EXTRACTS[:1]
    measure = BY_EXTRACT[extract].measures[0].key
    given = pa.table(
        {
            "ods_code": ["RHU"],
            "site_code": pa.array([None], pa.int32()),
            "strike_day": [datetime(2023, 4, 11)],
            "submission_id": [7],
            **{m.key: pa.array([3 if m.key == measure else None], pa.int64()) for m in BY_EXTRACT[extract].measures},
        }
    )
    [batch] = in_order({extract: coded(given.to_reader())})
    [fact] = batch.to_pylist()
    assert (fact["site_code"], fact["strike_day"], fact["submission_id"]) == (None, date(2023, 4, 11), "7")
    assert (fact["measure"], fact["value"], batch.schema) == (measure, 3, SCHEMA)
