"""A contract's document (Open Data Contract Standard v3.1): its form, and the `Contract` that it is."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints
from pydantic import Field as Item

from strike_reporting.extracts.contract import (
    Contract,
    Field,
    Inside,
    Kind,
    Rule,
    Severity,
    Value,
)

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,60}$")]
Text = Annotated[str, StringConstraints(min_length=1)]


def _roles(value: object) -> object:
    """`customProperties` as one mapping."""
    if not isinstance(value, list) or not all(isinstance(c, dict) and {"property", "value"} <= set(c) for c in value):
        raise ValueError("it must be a list of `{property: ..., value: ...}`")
    names = [c["property"] for c in value]
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise ValueError(f"{', '.join(twice)} is said twice")
    return {c["property"]: c["value"] for c in value}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Value(_Strict):
    code: Text
    label: Text
    roll_up: str = ""
    aliases: tuple[Text, ...] = ()
    whole_of: tuple[Text, ...] = ()


class _FieldRoles(_Strict):
    fix: Text
    enables: str = ""
    severity: Severity | None = None
    severities: dict[Kind, Severity] = {}
    values_severity: Severity | None = None  # as contracts that releases keep may say `severities: {known: ...}`
    values: tuple[_Value, ...] = ()
    rolls_up_to: str = ""
    whole_within: tuple[Name, ...] = ()
    default: str | None = None


class _Options(_Strict):
    pattern: str | None = None
    minimum: int | str | None = None
    maximum: int | str | None = None
    maxLength: Annotated[int, Item(ge=1)] | None = None


class Property(BaseModel):
    """A field as the document has it."""

    name: Name
    businessName: Text
    logicalType: Literal["string", "date", "integer", "boolean"]
    physicalType: Literal["string", "date32", "int64", "bool"]
    required: bool
    description: Text
    logicalTypeOptions: _Options = _Options()
    examples: tuple[Any, ...] = ()
    customProperties: Annotated[_FieldRoles, BeforeValidator(_roles)]


class _TableRoles(_Strict):
    dateField: Name
    countField: Name
    part: Annotated[tuple[Name, ...], Item(min_length=1)]
    siteField: str = ""
    recordField: str = ""
    severities: dict[Inside, Severity] = {}
    order: int = 100


class _Implementation(BaseModel):
    type: Annotated[str, StringConstraints(pattern="^expect_[a-z_]+$")]
    stated: Annotated[dict[str, Any], Item(alias="kwargs")]


class _Quality(BaseModel):
    name: Name
    description: Text
    severity: Severity
    implementation: _Implementation

    @property
    def columns(self) -> list[str]:
        """The fields that it looks at, the one to name in a report first."""
        said = self.implementation.stated
        pair = [said[k] for k in ("column", "column_B", "column_A") if k in said]
        return [c for c in (*said.get("column_list", ()), *pair) if c != "submission_id"]


class Table(BaseModel):
    """The one table of a document."""

    dataGranularityDescription: Text
    customProperties: Annotated[_TableRoles, BeforeValidator(_roles)]
    properties: Annotated[tuple[Property, ...], Item(min_length=1)]
    quality: tuple[_Quality, ...] = ()


class _Description(BaseModel):
    purpose: Text
    usage: Text
    limitations: Text


class Document(BaseModel):
    """A contract as it is written. The standard knows more than is said here, which is kept and not looked at."""

    name: Name
    version: Text
    description: _Description
    tables: Annotated[tuple[Table, ...], Item(min_length=1, max_length=1, alias="schema")]


def order(document: dict[str, Any]) -> int:
    """Where an extract stands among the others."""
    return Document.model_validate(document).tables[0].customProperties.order


def parse(document: dict[str, Any]) -> Contract:
    """A contract from its document: today's, or one that an outcome was judged by."""
    said = Document.model_validate(document)
    table = said.tables[0]
    roles = table.customProperties
    return Contract(
        name=said.name,
        version=said.version,
        purpose=said.description.purpose,
        usage=said.description.usage,
        limitations=said.description.limitations,
        grain=table.dataGranularityDescription,
        date_field=roles.dateField,
        count_field=roles.countField,
        part=roles.part,
        site_field=roles.siteField,
        record_field=roles.recordField,
        inside=roles.severities,
        fields=tuple(_field(p, roles) for p in table.properties),
        table_rules=tuple(_table_rule(q) for q in table.quality),
        sha256=hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest(),
    )


def _field(p: Property, table: _TableRoles) -> Field:
    """A field. A bad cell of one that is optional, and decides neither measure nor part, costs that cell only."""
    roles, options = p.customProperties, p.logicalTypeOptions
    before: dict[Kind, Severity] = {"known": roles.values_severity} if roles.values_severity else {}
    return Field(
        name=p.name,
        title=p.businessName,
        type=p.physicalType,
        required=p.required,
        description=p.description,
        fix=roles.fix,
        enables=roles.enables,
        severity=roles.severity or ("error" if _costs_the_row(p, table) else "warning"),
        severities={**before, **roles.severities},
        values=tuple(Value(v.code, v.label, v.roll_up, v.aliases, v.whole_of) for v in roles.values),
        rolls_up_to=roles.rolls_up_to,
        whole_within=roles.whole_within,
        default=roles.default,
        pattern=options.pattern,
        minimum=_bound(options.minimum),
        maximum=_bound(options.maximum),
        max_length=options.maxLength,
        examples=tuple(map(str, p.examples)),
    )


def _costs_the_row(p: Property, table: _TableRoles) -> bool:
    said = p.customProperties
    is_of_part = {p.name, said.rolls_up_to} & ({*table.part} - {table.siteField})
    return p.required or bool(said.default) or p.physicalType == "int64" or bool(is_of_part)


def _bound(said: int | str | None) -> int | date | None:
    return date.fromisoformat(said) if isinstance(said, str) else said


def _table_rule(q: _Quality) -> Rule:
    said = q.implementation
    return Rule(q.name, q.columns[0], said.type, tuple(said.stated.items()), q.severity, q.description)
