"""Any table in the contract's domain, written in any dialect and file type, comes back identical."""

from __future__ import annotations

import gzip
import io
import zipfile
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parsed import normalised
from strike_reporting.extracts import Field, load
from strike_reporting.intake.registry import Dialect, dialects
from strike_reporting.simulator.writing import write

COUNT = st.integers(0, 20_000)
# Letters that the narrowest declared encoding holds, and no text that means "missing" or looks like an identifier.
WORD = st.text(st.sampled_from("abcdefghijkXYZ é_"), min_size=3, max_size=20).map(lambda t: f"k{t.strip()}9")


def value(field: Field, dialect: Dialect) -> st.SearchStrategy[Any]:
    column = dialect.columns.get(field.name)
    if field.name == "ods_code":
        return st.just("RP4" if column and column.codes else "RHU")
    if field.values:
        codes = [v.code for v in field.values]
        if column and column.codes:
            codes = [c for c in codes if c in column.codes.values()]
        found: st.SearchStrategy[Any] = st.sampled_from(codes)
    elif field.type == "date32":
        found = st.dates(date(2015, 1, 1), date(2040, 12, 31))
    elif field.type == "int64":
        found = COUNT
    elif field.type == "bool":
        found = st.booleans()
    elif field.name == "site_code":
        found = st.sampled_from(["RHM01", "RN541", "R1F01"])
    elif field.name == "treatment_function_code":
        found = st.sampled_from(["100", "110", "X02"])
    else:
        found = WORD
    return found if field.required or field.default else st.one_of(st.none(), found)


def rows(dialect: Dialect) -> st.SearchStrategy[list[dict[str, Any]]]:
    contract = load(dialect.extract)
    given_fields = {f.name: value(f, dialect) for f in contract.fields if f.name in dialect.columns}
    return st.lists(st.fixed_dictionaries(given_fields), min_size=1, max_size=8)


def wrapped(data: bytes, how: str) -> bytes:
    if how == "gzip":
        return gzip.compress(data)
    if how == "zip":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("extract", data)
        return buffer.getvalue()
    return data


LONG = [d for d in dialects().values() if d.unpivot is None]
WIDE = [d for d in dialects().values() if d.unpivot is not None]
TYPES = [("csv", "plain"), ("csv", "gzip"), ("csv", "zip"), ("xlsx", "plain"), ("xlsx", "zip")]
RUN = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize(("kind", "how"), TYPES)
@pytest.mark.parametrize("dialect", LONG, ids=lambda d: d.id)
@RUN
@given(data=st.data())
def test_long(dialect: Dialect, kind: str, how: str, data: st.DataObject) -> None:
    sent = data.draw(rows(dialect))
    back = normalised(wrapped(write(sent, dialect, kind), how), [dialect])  # type: ignore[arg-type]
    assert back.problems == []
    result = back.table.select([f for f in back.contract.field_names if f in dialect.columns]).to_pylist()
    assert result == [{k: r[k] for k in result[0]} for r in sent]
    assert back.table["source_row"].to_pylist() == list(range(2, len(sent) + 2))


@pytest.mark.parametrize(("kind", "how"), TYPES)
@pytest.mark.parametrize("dialect", WIDE, ids=lambda d: d.id)
@RUN
@given(counts=st.lists(st.tuples(COUNT, COUNT), min_size=1, max_size=6))
def test_wide(dialect: Dialect, kind: str, how: str, counts: list[tuple[int, int]]) -> None:
    sent = []
    trust = "RP4" if "ods_code" in dialect.columns and dialect.columns["ods_code"].codes else "RHU"
    assert dialect.unpivot is not None
    for n, pair in enumerate(counts):
        for number, constants in zip(pair, dialect.unpivot.columns.values(), strict=True):
            base = {"ods_code": trust, "activity_date": date(2023, 4, 1 + n), "cancelled_count": number}
            sent.append({**base, **constants, **dialect.constants})
    back = normalised(wrapped(write(sent, dialect, kind), how), [dialect], trust)  # type: ignore[arg-type]
    assert back.problems == []
    keys = list(sent[0])

    def order(table: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        return sorted(tuple(r[k] for k in keys) for r in table)

    assert order(back.table.to_pylist()) == order(sent)
