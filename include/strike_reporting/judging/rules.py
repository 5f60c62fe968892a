"""The contract's rules, judged by Great Expectations: one suite an extract, one run for a batch of submissions.

A run costs about 0.2 s whatever its size, so submissions are judged together and every failing row is
attributed back. Importing Great Expectations takes seconds: it happens on first use only.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyarrow as pa

from strike_reporting.extracts import Contract, Rule

_INDEX = "row_index"
# Our severities are the ones senders read; these are the library's names for them.
_SEVERITY = {"critical": "critical", "error": "warning", "warning": "info"}


@dataclass(frozen=True)
class Failure:
    """One rule broken by one row of the judged table."""

    rule: Rule
    index: int


@cache
def _context() -> Any:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


@cache
def _definition(contract: Contract) -> tuple[Any, Any]:
    """A contract's suite, and where its in-memory batches come from."""
    import great_expectations as gx

    context = _context()
    name = f"{contract.name} {contract.sha256[:12]}"
    suite = gx.ExpectationSuite(name=name)
    for rule in contract.rules:
        kind = getattr(gx.expectations, "".join(w.title() for w in rule.expectation.split("_")))
        meta = {"rule": rule.name}
        suite.add_expectation(kind(**dict(rule.kwargs), severity=_SEVERITY[rule.severity], meta=meta))
    context.suites.add(suite)
    source = context.data_sources.add_pandas(name=name)
    batches = source.add_dataframe_asset(name=name).add_batch_definition_whole_dataframe("all")
    return suite, batches


def judge(contract: Contract, table: pa.Table) -> list[Failure]:
    """Every (rule, row) that fails.

    Args:
        contract: whose rules to apply.
        table: typed rows with a `submission_id` column; rows of many submissions may be judged at once.

    Returns:
        Failures in rule order, then row order; `index` is the row's position in `table`.

    Raises:
        RuntimeError: an expectation could not be evaluated. That is our fault, not the sender's.
    """
    if table.num_rows == 0:
        return []
    frame = table.to_pandas(date_as_object=True)
    frame[_INDEX] = range(len(frame))
    suite, batches = _definition(contract)
    # The batch is judged itself: a ValidationDefinition would also store every result, twice the time and memory.
    results = batches.get_batch({"dataframe": frame}).validate(
        suite,
        result_format={
            "result_format": "COMPLETE",
            "unexpected_index_column_names": [_INDEX],
            "include_unexpected_rows": False,
        },
    )
    by_name = {r.name: r for r in contract.rules}
    failures = []
    for outcome in results.results:
        rule = by_name[outcome.expectation_config.meta["rule"]]
        if outcome.exception_info.get("raised_exception") or any(
            isinstance(e, dict) and e.get("raised_exception") for e in outcome.exception_info.values()
        ):
            raise RuntimeError(f"{contract.name}: rule {rule.name} could not be evaluated: {outcome.exception_info}")
        if not outcome.success:
            rows: Sequence[dict[str, Any]] = outcome.result["unexpected_index_list"] or ()
            failures += [Failure(rule, int(r[_INDEX])) for r in sorted(rows, key=lambda r: r[_INDEX])]
    order = {r.name: n for n, r in enumerate(contract.rules)}
    return sorted(failures, key=lambda f: (order[f.rule.name], f.index))
