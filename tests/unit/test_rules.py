"""Rules are asked of distinct values: each row gets the verdict that it would get if every row were asked by itself."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import date
from typing import Any

import great_expectations as gx
import pyarrow as pa
import pytest
from strike_reporting.extracts import EXTRACTS, Contract, load
from strike_reporting.judging import rules
from strike_reporting.judging.rules import judge

ODD: dict[str, list[Any]] = {
    "string": ["RHU", "RHM", "rhu", "", "day_case", "cancelled", "P2", "999", "a" * 80, "appointment", None, None],
    "int64": [0, 1, 7, -1, 20_000, 20_001, 50_001, None],
    "date32": [date(2023, 4, 11), date(2014, 12, 31), date(2041, 1, 1), date(2023, 5, 1), None],
    "bool": [True, False, None],
}


def drawn(contract: Contract, seed: int, rows: int) -> pa.Table:
    """Rows of odd values, many of them repeated."""
    lot = random.Random(seed)  # noqa: S311 - a test
    columns = {
        f.name: pa.array(
            [lot.choice(ODD[f.type] + [v.code for v in f.values]) for _ in range(rows)],
            contract.schema.field(f.name).type,
        )
        for f in contract.fields
    }
    return pa.table({**columns, "submission_id": pa.array([f"s{lot.randint(1, 3)}" for _ in range(rows)])})


def row_by_row(contract: Contract, table: pa.Table) -> set[tuple[str, int]]:
    """The same rules asked of every row by Great Expectations itself."""
    context = gx.get_context(mode="ephemeral")
    suite = context.suites.add(gx.ExpectationSuite(name="plain"))
    for rule in contract.rules:
        kind = getattr(gx.expectations, "".join(w.title() for w in rule.expectation.split("_")))
        suite.add_expectation(kind(**dict(rule.kwargs), meta={"rule": rule.name}))
    frame = table.to_pandas(date_as_object=True)
    frame["row"] = range(len(frame))
    source = context.data_sources.add_pandas(name="plain").add_dataframe_asset(name="plain")
    batch = source.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    how = {"result_format": "COMPLETE", "unexpected_index_column_names": ["row"], "include_unexpected_rows": False}
    found = set()
    for outcome in batch.validate(suite, result_format=how).results:
        rule = outcome.expectation_config.meta["rule"]
        found |= {(rule, r["row"]) for r in outcome.result.get("unexpected_index_list") or ()}
    return found


@pytest.mark.parametrize("extract", EXTRACTS)
@pytest.mark.parametrize(
    ("seed", "rows"),
    [(1, 1), (2, 3), pytest.param(3, 40, marks=pytest.mark.slow), pytest.param(4, 400, marks=pytest.mark.slow)],
)
def test_every_row_gets_its_own_verdict(extract: str, seed: int, rows: int) -> None:
    contract = load(extract)
    table = drawn(contract, seed, rows)
    found = judge(contract, table)
    each = [(f.rule.name, n) for f in found for n in f.rows.tolist()]
    assert {*each} == row_by_row(contract, table) and len(each) == len({*each})
    assert rows < 400 or {f.rule.name for f in found} == {r.name for r in contract.rules}, "each rule is broken by some"


@pytest.mark.parametrize("extract", EXTRACTS)
@pytest.mark.parametrize("at_once", [3, 1_000])
def test_what_has_many_values_is_judged_by_itself(extract: str, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = load(extract)
    table = drawn(contract, 5, 200)
    together = [(f.rule.name, f.rows.tolist()) for f in judge(contract, table)]
    monkeypatch.setattr(rules, "_SIDE_BY_SIDE", 4)
    monkeypatch.setattr(rules, "_AT_ONCE", at_once)  # and piece after piece
    assert [(f.rule.name, f.rows.tolist()) for f in judge(contract, table)] == together
    assert len(together) > 3


@pytest.mark.slow
def test_the_library_loads_without_statistics_that_no_rule_asks_for_and_they_are_there_for_who_does() -> None:
    asked = (
        "import sys; from strike_reporting.judging import rules; from strike_reporting.extracts import load; "
        "rules._definition(load('staffing')); print('scipy.stats._stats_py' in sys.modules); "
        "from scipy import stats; print(stats.norm.cdf(0))"
    )
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "0.5"]
