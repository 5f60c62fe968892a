"""The contract's rules, judged by Great Expectations: one suite an extract, one run for a batch of submissions.

It sees each distinct value of a column once (of a pair of columns each pair, of a key how often it occurs), so a run
costs what there is to tell apart and not how many rows say it; what it finds is mapped back to every row. Importing it
takes seconds: that happens on first use only.
"""

from __future__ import annotations

import functools
import gc
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from strike_reporting.extracts import Contract, Rule
from strike_reporting.judging.columns import Codes, Column, alike, coded, plain

# Our severities are the ones senders read; these are the library's names for them.
_SEVERITY = {"critical": "critical", "error": "warning", "warning": "info"}
_SPARED = ("scipy.stats", "altair", "boto3", "jsonschema")
_SIDE_BY_SIDE = 20_000  # distinct values
_AT_ONCE = 100_000  # of them: as the library sees them they are objects, and so is its list of all that are wrong
_UNIQUE = ("expect_compound_columns_to_be_unique", "expect_column_values_to_be_unique")


@dataclass(frozen=True, eq=False)
class Failure:
    """One rule, and the rows of the judged table that break it: their positions, in order."""

    rule: Rule
    rows: Codes


class _Distinct(NamedTuple):
    """What is to be told apart in some columns. codes: of each row, which of the distinct `columns` it holds.

    They are made again when they are asked for: few rules are broken, and every row has a code for each of them.
    """

    columns: Mapping[str, pa.Array]
    codes: Callable[[], pa.Array]


class _Later(ModuleType):
    """Stands for a module, which is read when something of it is asked for."""

    def __getattr__(self, asked: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), asked)


@cache
def _library() -> Any:
    """Great Expectations, without what only kinds of rule ask for that no contract names: half of its time.

    While it is read nothing of it is garbage, so nobody looks for any; nor is there
    any to speak of afterwards, among all that is alive by then.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    stand_ins = {name: _Later(name) for name in _SPARED if name not in sys.modules}
    sys.modules.update(stand_ins)
    was_on = gc.isenabled()
    gc.disable()
    try:
        import great_expectations as gx
    finally:
        for name, module in stand_ins.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
        if was_on:
            gc.enable()
    gc.freeze()
    return gx


@cache
def _context() -> Any:
    gx = _library()
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


@cache
def _definition(contract: Contract) -> tuple[Mapping[str, Any], Any]:
    """A contract's rules by name, as the library's expectations, and where its in-memory batches come from."""
    asked = {}
    for rule in contract.rules:
        expectation, kwargs = _asked(rule)
        kind = _kind(expectation)
        if not issubclass(kind, _by_value()):
            raise ValueError(f"{contract.name}: rule {rule.name} is not one of single values, so no row can break it")
        asked[rule.name] = kind(**kwargs, severity=_SEVERITY[rule.severity], meta={"rule": rule.name})
    name = f"{contract.name} {contract.sha256[:12]}"
    source = _context().data_sources.add_pandas(name=name)
    return asked, source.add_dataframe_asset(name=name).add_batch_definition_whole_dataframe("all")


@cache
def _kind(expectation: str) -> Any:
    """A kind of expectation of the library that makes its configuration once: the library asks each for it 70 times."""
    kind = getattr(_library().expectations, "".join(w.title() for w in expectation.split("_")))
    from great_expectations.compatibility.pydantic import PrivateAttr

    def configuration(asked: Any) -> Any:
        if asked._made is None:
            asked._made = kind.configuration.fget(asked)
        return asked._made

    own = {"__module__": __name__, "_made": PrivateAttr(None), "configuration": property(configuration)}
    return type(kind)(f"Steady{kind.__name__}", (kind,), own)


def _by_value() -> tuple[type, ...]:
    """The kinds of expectation that a value or a combination of values meets or breaks by itself."""
    from great_expectations.expectations import expectation as kinds

    return (kinds.ColumnMapExpectation, kinds.ColumnPairMapExpectation, kinds.MulticolumnMapExpectation)


def _asked(rule: Rule) -> tuple[str, dict[str, Any]]:
    """A rule as it is asked of distinct values: a key that occurs once is unique, and several columns are its own."""
    if rule.expectation in _UNIQUE:
        return "expect_column_values_to_be_between", {"column": rule.name, "max_value": 1}
    if _key(rule) != rule.name:
        return rule.expectation, dict(rule.kwargs)
    own = {k: _own(rule, v) for k, v in rule.kwargs if k in ("column_A", "column_B")}
    listed = {k: [_own(rule, c) for c in v] for k, v in rule.kwargs if k == "column_list"}
    return rule.expectation, {**dict(rule.kwargs), **own, **listed}


def _read(rule: Rule) -> list[str]:
    """The columns that a rule reads."""
    named = [v for k, v in rule.kwargs if k in ("column", "column_A", "column_B")]
    return named + [c for k, v in rule.kwargs if k == "column_list" for c in v]


def _key(rule: Rule) -> str:
    """What a rule's distinct values are kept under: the one column that it reads, or its own name."""
    read = _read(rule)
    return read[0] if len(read) == 1 and rule.expectation not in _UNIQUE else rule.name


def _own(rule: Rule, column: str) -> str:
    return f"{rule.name} {column}"


def judge(contract: Contract, table: pa.Table) -> list[Failure]:
    """Every rule that rows break.

    Args:
        contract: whose rules to apply.
        table: typed rows with a `submission_id` column; rows of many submissions may be judged at once.

    Returns:
        Failures in the order of the contract's rules.

    Raises:
        RuntimeError: an expectation could not be evaluated. That is our fault, not the sender's.
    """
    if table.num_rows == 0:
        return []
    told_apart = _told_apart(contract, table.combine_chunks())
    asked, batches = _definition(contract)
    wrong: dict[str, list[Codes]] = defaultdict(list)
    for keys in _side_by_side(told_apart):
        columns = {name: values for key in keys for name, values in told_apart[key].columns.items()}
        mine = [asked[r.name] for r in contract.rules if _key(r) in keys]
        for start in range(0, max(map(len, columns.values())), _AT_ONCE):
            batch = batches.get_batch({"dataframe": _frame(columns, start)})
            # First only whether: to name values takes as long again, and most rules nobody breaks.
            broken = [r for r, outcome in _outcomes(contract, batch, mine, "BOOLEAN_ONLY") if not outcome.success]
            for rule, outcome in _outcomes(contract, batch, [asked[r.name] for r in broken], "COMPLETE"):
                wrong[rule.name].append(np.array(outcome.result["unexpected_index_list"], np.int64))
    broken_by = ((r, np.concatenate(wrong[r.name])) for r in contract.rules if r.name in wrong)
    return [Failure(rule, _rows(told_apart[_key(rule)], values)) for rule, values in broken_by]


def _outcomes(
    contract: Contract, batch: Any, expectations: Iterable[Any], result_format: str
) -> Iterator[tuple[Rule, Any]]:
    """What the library says of a batch, rule by rule."""
    suite = _library().ExpectationSuite(name=contract.name, expectations=[*expectations])
    if not suite.expectations:
        return
    by_name = {r.name: r for r in contract.rules}
    # The batch is judged itself: a ValidationDefinition would also store every result, twice the time and memory. Wrong
    # values by position: asked by a column, the library looks each up by itself, 0.7 ms a piece.
    how = {"result_format": result_format, "include_unexpected_rows": False}
    for outcome in batch.validate(suite, result_format=how).results:
        rule = by_name[outcome.expectation_config.meta["rule"]]
        if outcome.exception_info.get("raised_exception") or any(
            isinstance(e, dict) and e.get("raised_exception") for e in outcome.exception_info.values()
        ):
            raise RuntimeError(f"{contract.name}: rule {rule.name} could not be evaluated: {outcome.exception_info}")
        yield rule, outcome


def _told_apart(contract: Contract, table: pa.Table) -> dict[str, _Distinct]:
    found: dict[str, _Distinct] = {}
    for rule in contract.rules:
        key = _key(rule)
        if key in found:
            continue
        if rule.expectation in _UNIQUE:
            found[key] = _counted(rule, table)
        elif key == rule.name:
            found[key] = _combined(rule, table)
        else:
            found[key] = _single(key, table)
    return found


def _single(name: str, table: pa.Table) -> _Distinct:
    """The values of one column."""
    return _Distinct({name: coded(table[name]).dictionary}, lambda: coded(table[name]).indices)


def _combined(rule: Rule, table: pa.Table) -> _Distinct:
    """Every combination of the values of several columns."""
    names = _read(rule)

    def codes() -> pa.Array:
        return pa.array(_numbered(names, table))

    _, first = np.unique(codes().to_numpy(), return_index=True)
    return _Distinct({_own(rule, c): table[c].take(first).combine_chunks() for c in names}, codes)


def _counted(rule: Rule, table: pa.Table) -> _Distinct:
    """How often each key occurs; a key of which a part is missing is none."""
    names = _read(rule)

    def codes() -> pa.Array:
        is_part_missing = functools.reduce(pc.or_, (pc.is_null(table[c].combine_chunks()) for c in names))
        return pa.array(_numbered(names, table), mask=is_part_missing.to_numpy(zero_copy_only=False))

    counts = np.bincount(codes().drop_null().to_numpy())
    return _Distinct({rule.name: pa.array(counts if len(counts) else [0])}, codes)


def _numbered(names: Sequence[str], table: pa.Table) -> Codes:
    """A number for each row, the same where rows hold the same in some columns."""
    return alike((Column.numbered(table[c]) for c in names), table.num_rows)


def _side_by_side(told_apart: Mapping[str, _Distinct]) -> list[list[str]]:
    """What is judged as one frame: all that is told apart, but what is of very many values by itself.

    A frame is as long as its longest column, and each of the others would be as long as that.
    """
    many = {key: max(map(len, one.columns.values())) for key, one in told_apart.items()}
    short = [key for key, n in many.items() if n <= _SIDE_BY_SIDE]
    return [*([short] if short else []), *([key] for key, n in many.items() if n > _SIDE_BY_SIDE)]


def _frame(columns: Mapping[str, pa.Array], start: int) -> pd.DataFrame:
    """Some distinct values of each column side by side; one that has fewer than another repeats its first."""
    at = np.arange(start, min(start + _AT_ONCE, max(map(len, columns.values()))))
    made = {}
    for name, values in columns.items():
        mine = values.take(pa.array(np.where(at < len(values), at, 0)))
        made[name] = plain(mine).to_pandas(date_as_object=True)
    return pd.DataFrame(made).set_axis(at)


def _rows(of: _Distinct, wrong: Codes) -> Codes:
    """The rows that hold one of the values that a rule is broken by."""
    codes = of.codes()
    found = pc.is_in(codes, value_set=pa.array(wrong, codes.type))
    rows: Codes = pc.indices_nonzero(found).to_numpy().astype(np.int64)
    return rows
