"""The three data contracts (Open Data Contract Standard v3.1): each field is defined once, in YAML.

`load("cancellations")` gives a `Contract`; the schema, the validation suite, the blank template, the
dictionary page and the simulator's domain of values are all derived from it.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import yaml

Severity = Literal["critical", "error", "warning"]
EXTRACTS = ("cancellations", "staffing", "planned_activity")
LINEAGE = (
    pa.field("submission_id", pa.string(), nullable=False),
    pa.field("source_row", pa.int64(), nullable=False),
    pa.field("source_column", pa.string()),
)
_ARROW = {"string": pa.string(), "date32": pa.date32(), "int64": pa.int64(), "bool": pa.bool_()}


@lru_cache(maxsize=50_000)
def slug(text: str) -> str:
    """Fold a header or code for comparison: case, punctuation and spacing never matter."""
    return re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_")


@dataclass(frozen=True)
class Value:
    """One permitted value of a coded field, with what it rolls up to and the spellings accepted for it."""

    code: str
    label: str
    roll_up: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Field:
    """One contract field. `fix` is the sentence a trust reads when a cell breaks one of its rules."""

    name: str
    title: str
    type: str
    required: bool
    description: str
    fix: str
    enables: str = ""
    severity: Severity = "error"
    values: tuple[Value, ...] = ()
    values_severity: Severity = "error"
    default: str | None = None
    pattern: str | None = None
    minimum: int | date | None = None
    maximum: int | date | None = None
    max_length: int | None = None
    examples: tuple[str, ...] = ()

    @property
    def arrow_type(self) -> pa.DataType:
        """The declared pyarrow type; never inferred from data."""
        return _ARROW[self.type]

    @property
    def lookup(self) -> dict[str, str]:
        """Every accepted spelling of a coded value, folded by `slug`, to its code."""
        found: dict[str, str] = {}
        for value in self.values:
            for spelling in (*value.aliases, value.label, value.code):
                found[slug(spelling)] = value.code
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
    part: with trust and day, what a newer file replaces (a point of delivery by its care setting).
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
    fields: tuple[Field, ...]
    table_rules: tuple[Rule, ...]
    sha256: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Contract) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    def field(self, name: str) -> Field:
        """The field called `name`; KeyError if the contract has none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(f"{self.name} has no field {name!r}")

    @property
    def field_names(self) -> tuple[str, ...]:
        """Field names in contract order."""
        return tuple(f.name for f in self.fields)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the fields every row must hold."""
        return tuple(f.name for f in self.fields if f.required)

    @property
    def schema(self) -> pa.Schema:
        """Schema of an accepted file: the contract's fields, then where each row came from."""
        fields = [
            pa.field(f.name, f.arrow_type, nullable=not f.required, metadata={"description": f.description})
            for f in self.fields
        ]
        meta = {"contract": self.name, "contract_version": self.version}
        return pa.schema([*fields, *LINEAGE], metadata=meta)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All checks, derived from the fields first, then the table's own."""
        derived: list[Rule] = []
        for f in self.fields:
            derived.extend(_field_rules(f))
        return (*derived, *self.table_rules)


def _field_rules(f: Field) -> list[Rule]:
    found: list[Rule] = []

    def add(kind: str, expectation: str, severity: Severity, **kwargs: Any) -> None:
        name = f"{f.name}_{kind}"
        found.append(Rule(name, f.name, expectation, (("column", f.name), *kwargs.items()), severity, f.fix))

    if f.required:
        add("required", "expect_column_values_to_not_be_null", f.severity)
    if f.values:
        codes = [v.code for v in f.values]
        add("known", "expect_column_values_to_be_in_set", f.values_severity, value_set=codes)
    if f.pattern:
        add("format", "expect_column_values_to_match_regex", f.severity, regex=f.pattern)
    if f.minimum is not None or f.maximum is not None:
        add(
            "range",
            "expect_column_values_to_be_between",
            f.severity,
            min_value=f.minimum,
            max_value=f.maximum,
        )
    if f.max_length is not None:
        add("length", "expect_column_value_lengths_to_be_between", f.severity, max_value=f.max_length)
    return found


def contracts_dir() -> Path:
    """Where the contract files are."""
    return Path(__file__).parent


@cache
def document(name: str) -> dict[str, Any]:
    """One extract's contract as it is written.

    Raises:
        KeyError: `name` is not one of `EXTRACTS`.
    """
    if name not in EXTRACTS:
        raise KeyError(f"no contract for {name!r}; the extracts are {', '.join(EXTRACTS)}")
    found: dict[str, Any] = yaml.safe_load((contracts_dir() / name / "contract.yaml").read_text(encoding="utf-8"))
    return found


@cache
def load(name: str) -> Contract:
    """The contract of one extract; KeyError as `document`."""
    return parse(document(name))


def parse(document: dict[str, Any]) -> Contract:
    """A contract from its document: today's, or one that an outcome was judged by."""
    table = document["schema"][0]
    roles = {c["property"]: c["value"] for c in table["customProperties"]}
    return Contract(
        name=document["name"],
        version=document["version"],
        purpose=document["description"]["purpose"],
        usage=document["description"]["usage"],
        limitations=document["description"]["limitations"],
        grain=table["dataGranularityDescription"],
        date_field=roles["dateField"],
        count_field=roles["countField"],
        part=tuple(roles["part"]),
        fields=tuple(_field(p) for p in table["properties"]),
        table_rules=tuple(_table_rule(q) for q in table.get("quality", ())),
        sha256=hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest(),
    )


def _field(p: dict[str, Any]) -> Field:
    custom = {c["property"]: c["value"] for c in p.get("customProperties", ())}
    options = p.get("logicalTypeOptions", {})
    as_date = p["logicalType"] == "date"
    low, high = options.get("minimum"), options.get("maximum")
    return Field(
        name=p["name"],
        title=p["businessName"],
        type=p["physicalType"],
        required=p["required"],
        description=p["description"],
        fix=custom["fix"],
        enables=custom.get("enables", ""),
        severity=custom.get("severity", "error"),
        values=tuple(
            Value(v["code"], v["label"], v.get("roll_up", ""), tuple(v.get("aliases", ())))
            for v in custom.get("values", ())
        ),
        values_severity=custom.get("values_severity", "error"),
        default=custom.get("default"),
        pattern=options.get("pattern"),
        minimum=date.fromisoformat(low) if as_date and low else low,
        maximum=date.fromisoformat(high) if as_date and high else high,
        max_length=options.get("maxLength"),
        examples=tuple(str(e) for e in p.get("examples", ())),
    )


def _table_rule(q: dict[str, Any]) -> Rule:
    kwargs = q["implementation"]["kwargs"]
    columns = kwargs.get("column_list") or [kwargs["column_B"]]
    column = next(c for c in columns if c != "submission_id")
    return Rule(
        name=q["name"],
        column=column,
        expectation=q["implementation"]["type"],
        kwargs=tuple(kwargs.items()),
        severity=q["severity"],
        fix=q["description"],
    )


def care_setting(point_of_delivery: str) -> str:
    """The care setting a point of delivery rolls up to; KeyError for an unknown code."""
    return care_settings()[point_of_delivery]


@cache
def care_settings() -> dict[str, str]:
    """Point of delivery to care setting, from the cancellations contract."""
    return {v.code: v.roll_up for v in load("cancellations").field("point_of_delivery").values}
