"""A data contract as the rest of the program uses it: fields, values, rules, and what a row's part is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

Severity = Literal["critical", "error", "warning"]
Kind = Literal["required", "known", "format", "range", "length"]  # the rules that follow from a field
# What one file may not count twice.
Inside = Literal["pasted_again", "identical_rows", "unsited_beside_sited", "whole_beside_parts"]
LINEAGE = (
    pa.field("submission_id", pa.string(), nullable=False),
    pa.field("source_row", pa.int64(), nullable=False),
    pa.field("source_column", pa.string()),
    pa.field("source_sheet", pa.string()),  # or the file of an archive; null where there is only one
)
ARROW = {"string": pa.string(), "date32": pa.date32(), "int64": pa.int64(), "bool": pa.bool_()}
_AT_ONCE = 100_000  # rows whose codes are texts at the same time
BETWEEN = "|"  # what joins the values of a part's key; no part field can hold it


@lru_cache(maxsize=8_000)
def slug(text: str) -> str:
    """Fold a header or code for comparison: case, punctuation and spacing never matter, a percentage does."""
    return re.sub(r"[^a-z0-9]+", "_", text.casefold().replace("%", " percent ")).strip("_")


@dataclass(frozen=True)
class Value:
    """One permitted value of a coded field.

    roll_up: the value of the coarser breakdown that it belongs to. aliases: other spellings that are accepted.
    whole_of: the values that it is the total of, so that it never counts beside them.
    """

    code: str
    label: str
    roll_up: str = ""
    aliases: tuple[str, ...] = ()
    whole_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Field:
    """One contract field. `fix` is the sentence a trust reads when a cell breaks one of its rules.

    severity: of its rules, but for those that `severities` names. rolls_up_to: the breakdown of its values' `roll_up`.
    whole_within: fields that must be alike, beside day, part and site, for a value to be the whole of others.
    """

    name: str
    title: str
    type: str
    required: bool
    description: str
    fix: str
    enables: str = ""
    severity: Severity = "error"
    severities: Mapping[Kind, Severity] = field(default_factory=dict)
    values: tuple[Value, ...] = ()
    rolls_up_to: str = ""
    whole_within: tuple[str, ...] = ()
    default: str | None = None
    pattern: str | None = None
    minimum: int | date | None = None
    maximum: int | date | None = None
    max_length: int | None = None
    examples: tuple[str, ...] = ()

    @property
    def arrow_type(self) -> pa.DataType:
        """The declared pyarrow type; never inferred from data."""
        return ARROW[self.type]

    @cached_property
    def lookup(self) -> dict[str, str]:
        """Every accepted spelling of a coded value, folded by `slug`, to its code."""
        found: dict[str, str] = {}
        for value in self.values:
            for spelling in (*value.aliases, value.label, value.code):
                found[slug(spelling)] = value.code
        return found

    @cached_property
    def roll_ups(self) -> dict[str, str]:
        """Each value's code to what it rolls up to."""
        return {v.code: v.roll_up for v in self.values}

    @cached_property
    def rules(self) -> list[Rule]:
        """The checks that follow from the field, each with its own severity."""
        found: list[Rule] = []

        def add(kind: Kind, expectation: str, **kwargs: Any) -> None:
            severity = self.severities.get(kind, self.severity)
            stated = (("column", self.name), *kwargs.items())
            found.append(Rule(f"{self.name}_{kind}", self.name, expectation, stated, severity, self.fix))

        if self.required:
            add("required", "expect_column_values_to_not_be_null")
        if self.values:
            add("known", "expect_column_values_to_be_in_set", value_set=[v.code for v in self.values])
        if self.pattern:
            add("format", "expect_column_values_to_match_regex", regex=self.pattern)
        if self.minimum is not None or self.maximum is not None:
            between = {"min_value": self.minimum, "max_value": self.maximum}
            add("range", "expect_column_values_to_be_between", **between)
        if self.max_length is not None:
            add("length", "expect_column_value_lengths_to_be_between", max_value=self.max_length)
        return found


@dataclass(frozen=True)
class Rule:
    """One check of the suite: a Great Expectations expectation with its severity and the fix to suggest."""

    name: str
    column: str
    expectation: str
    kwargs: tuple[tuple[str, Any], ...]
    severity: Severity
    fix: str


@dataclass(frozen=True, eq=False)
class Contract:
    """One extract's contract. Two of the same document are one.

    date_field: carries the strike day. count_field: the required measure, which a nil return holds a zero of.
    part: with trust and day, what a newer file replaces; a name is a field's, or what a field rolls up to.
    site_field, record_field: names the site, and makes a row one record of its own; empty where there is none.
    inside: severity of what one file may not count twice, by rule.
    """

    name: str
    version: str
    purpose: str
    usage: str
    limitations: str
    grain: str
    date_field: str
    count_field: str
    part: tuple[str, ...]
    site_field: str
    record_field: str
    inside: Mapping[Inside, Severity]
    fields: tuple[Field, ...]
    table_rules: tuple[Rule, ...]
    sha256: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Contract) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    def field(self, name: str) -> Field:
        """The field called `name`; KeyError if the contract has none."""
        for one in self.fields:
            if one.name == name:
                return one
        raise KeyError(f"{self.name} has no field {name!r}")

    @cached_property
    def field_names(self) -> tuple[str, ...]:
        """Field names in contract order."""
        return tuple(f.name for f in self.fields)

    @cached_property
    def required(self) -> tuple[str, ...]:
        """Names of the fields every row must hold."""
        return tuple(f.name for f in self.fields if f.required)

    @cached_property
    def whole_numbers(self) -> tuple[str, ...]:
        """Names of the fields that can be summed."""
        return tuple(f.name for f in self.fields if f.type == "int64")

    @cached_property
    def schema(self) -> pa.Schema:
        """Schema of an accepted file: the contract's fields, then where each row came from."""
        fields = [
            pa.field(f.name, f.arrow_type, nullable=not f.required, metadata={"description": f.description})
            for f in self.fields
        ]
        meta = {"contract": self.name, "contract_version": self.version}
        return pa.schema([*fields, *LINEAGE], metadata=meta)

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """All checks, derived from the fields first, then the table's own."""
        return (*(rule for f in self.fields for rule in f.rules), *self.table_rules)

    @cached_property
    def once(self) -> dict[Inside, Severity]:
        """The rules that apply to what one file may not count twice, with their severities."""
        applies: dict[Inside, bool] = {
            "pasted_again": True,
            "identical_rows": True,
            "unsited_beside_sited": bool(self.site_field),
            "whole_beside_parts": any(v.whole_of for f in self.fields for v in f.values),
        }
        usual: dict[Inside, Severity] = {"identical_rows": "warning"}  # two wards may say the same
        return {rule: self.inside.get(rule, usual.get(rule, "error")) for rule, does in applies.items() if does}

    def behind(self, name: str) -> Field | None:
        """The field that a part's name is taken from: of that name, or which rolls up to it."""
        return next((f for f in self.fields if name in (f.name, f.rolls_up_to)), None)

    def part_columns(self, table: pa.Table) -> list[pa.ChunkedArray]:
        """The values of `part` of each row as text, a column each; what is not given is empty."""
        return [self._part_column(table, name) for name in self.part]

    def _part_column(self, table: pa.Table, name: str) -> pa.ChunkedArray:
        source = self.behind(name)
        if source is None:  # a kept contract of before roll-ups were named
            return pa.chunked_array([pa.repeat("", table.num_rows)])
        column = table[source.name].fill_null(source.default or "")
        if source.name == name:
            return column
        place = pc.index_in(column, value_set=pa.array([v.code for v in source.values], pa.string()))
        roll_ups = pa.array([v.roll_up for v in source.values], pa.string()).dictionary_encode()
        return pc.take(roll_ups, place).fill_null("")

    def part_keys(self, table: pa.Table) -> pa.ChunkedArray:
        """Each row's part as one text: the values of `part`, joined by `|`."""
        columns, found = self.part_columns(table), list[pa.Array]()
        for start in range(0, table.num_rows, _AT_ONCE):
            texts = (c.slice(start, _AT_ONCE).cast(pa.string()) for c in columns)
            found += pc.binary_join_element_wise(*texts, BETWEEN).chunks
        return pa.chunked_array(found, pa.string())

    def split_part(self, key: str) -> tuple[str, str]:
        """A part's key without its site, and the site; a part that names none has an empty one."""
        words = dict(zip(self.part, key.split(BETWEEN), strict=True))
        site = words.pop(self.site_field, "")
        return BETWEEN.join(words.values()), site
