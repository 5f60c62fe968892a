"""What a contract's document must hold for the rest to carry it, each fault with its line.

A new extract is refused when it is loaded, and not by the first file of a strike morning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import yaml
from pydantic import ValidationError

from strike_reporting.extracts.contract import LINEAGE, Kind, slug
from strike_reporting.extracts.documents import Document, Property, Table
from strike_reporting.yaml_text import compose_yaml, load_yaml

Path = tuple[str | int, ...]
Found = tuple[Path, str]
_TYPES = {"string": "string", "date": "date32", "integer": "int64", "boolean": "bool"}
_WORKING = ("is_nil",)  # columns that judging adds to a file's rows


def faults(text: str) -> Iterator[tuple[int, str]]:
    """What is wrong with a contract's document, each with its line; nothing when the rest can carry it."""
    try:
        document = load_yaml(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        yield (mark.line + 1 if mark else 1), f"it is no YAML: {getattr(error, 'problem', error)}"
        return
    try:
        said = Document.model_validate(document)
    except ValidationError as error:
        for e in error.errors():
            where = ".".join(str(p) for p in e["loc"] if not isinstance(p, int) and p not in ("schema", "properties"))
            wrong = e["msg"].removeprefix("Value error, ")
            yield _line(compose_yaml(text), e["loc"]), f"{where or 'the document'}: {wrong}"
        return
    for path, what in _senseless(said.tables[0]):
        yield _line(compose_yaml(text), ("schema", 0, *path)), what


def _line(node: Any, path: Path) -> int:
    """The line where a path leads, or as far as it can be followed; a text finds its `property` in a list."""
    line: int = node.start_mark.line if node else 0
    for step in path:
        found = None
        if isinstance(node, yaml.MappingNode):
            found = next((v for k, v in node.value if k.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            found = node.value[step] if step < len(node.value) else None
        elif isinstance(node, yaml.SequenceNode):
            pairs = ({k.value: v for k, v in n.value} for n in node.value if isinstance(n, yaml.MappingNode))
            found = next((p["value"] for p in pairs if p["property"].value == step), None)
        if found is None:
            break
        node = found
        line = node.start_mark.line
    return line + 1


def _senseless(table: Table) -> Iterator[Found]:
    """What is well formed and cannot be carried all the same."""
    names = [p.name for p in table.properties]
    for n, p in enumerate(table.properties):
        at: Path = ("properties", n)
        if names.index(p.name) != n or p.name in (*_WORKING, *(f.name for f in LINEAGE)):
            yield (*at, "name"), f"{p.name}: this name is taken; give the field another"
        yield from (((*at, *path), f"{p.name}: {what}") for path, what in _senseless_field(p))
    fields = {p.name: p for p in table.properties}
    roles, at = table.customProperties, ("customProperties",)
    code, day, count = (fields.get(n) for n in ("ods_code", roles.dateField, roles.countField))
    if code is None or not code.required or code.physicalType != "string":
        yield ("properties",), "there is no required text field ods_code, which says whose rows they are"
    if day is None or not day.required or day.physicalType != "date32":
        yield (*at, "dateField"), f"dateField: {roles.dateField} is no required date, which is a row's strike day"
    if count is None or not count.required or count.physicalType != "int64" or count.logicalTypeOptions.minimum != 0:
        what = "is no required whole number with a minimum of 0, which a nil return holds a zero of"
        yield (*at, "countField"), f"countField: {roles.countField} {what}"
    for role, name in (("siteField", roles.siteField), ("recordField", roles.recordField)):
        if name and (name not in fields or fields[name].physicalType != "string"):
            yield (*at, role), f"{role}: {name} is no text field"
    if roles.siteField and roles.siteField not in roles.part:
        yield (*at, "part"), f"part: {roles.siteField} is not in it, so two sites' files would replace each other"
    for n, p in enumerate(table.properties):
        within = p.customProperties.whole_within
        if unknown := sorted(w for w in within if w not in fields or fields[w].physicalType != "string"):
            where = ("properties", n, "customProperties", "whole_within")
            yield where, f"{p.name}: whole_within: {', '.join(unknown)} is no text field"
    for n, name in enumerate(roles.part):
        yield from (((*at, "part", n), f"part: {what}") for what in _senseless_part(table, name))
    for n, q in enumerate(table.quality):
        if unknown := sorted({*q.columns} - {*fields}):
            yield ("quality", n), f"{q.name}: there is no field {', '.join(unknown)}"
        if not q.columns:
            yield ("quality", n), f"{q.name}: it names no column"


def _senseless_part(table: Table, name: str) -> Iterator[str]:
    behind = [p for p in table.properties if name in (p.name, p.customProperties.rolls_up_to)]
    if len(behind) != 1:
        yield f"{name} is {'no field and nothing rolls up to it' if not behind else 'of more than one field'}"
        return
    (p,) = behind
    roles = p.customProperties
    if p.physicalType != "string" or p.name == "ods_code" or not (roles.values or p.logicalTypeOptions.pattern):
        yield f"{name} is no text with values or a pattern, which must tell parts apart"
    if roles.severities.get("format", roles.severity) == "warning":
        yield f"{name} is kept when its format is wrong; make that an error"
    if table.customProperties.part.count(name) > 1:
        yield f"{name} is said twice"


def _senseless_field(p: Property) -> Iterator[Found]:
    at, roles, options = ("customProperties",), p.customProperties, p.logicalTypeOptions
    if _TYPES[p.logicalType] != p.physicalType:
        yield ("physicalType",), f"{p.logicalType} is {_TYPES[p.logicalType]}, not {p.physicalType}"
    for name, bound in (("minimum", options.minimum), ("maximum", options.maximum)):
        if bound is not None and not _is_bound(p.logicalType, bound):
            yield ("logicalTypeOptions", name), f"{name} {bound!r} is no {p.logicalType}"
    if options.pattern is not None:
        try:
            re.compile(options.pattern)
        except re.error as error:
            yield ("logicalTypeOptions", "pattern"), f"pattern: {error}"
    codes = [v.code for v in roles.values]
    spelt: dict[str, str] = {}
    for n, v in enumerate(roles.values):
        own = {*map(slug, (v.code, v.label, *v.aliases))}
        for other in sorted({spelt[s] for s in own & spelt.keys()} - {v.code}):
            yield (*at, "values", n), f"{v.code} and {other} have a spelling in common"
        spelt |= dict.fromkeys(own, v.code)
        if codes.index(v.code) != n:
            yield (*at, "values", n), f"{v.code} is there twice"
        if unknown := sorted({*v.whole_of} - ({*codes} - {v.code})):
            yield (
                (*at, "values", n, "whole_of"),
                f"{v.code} is the whole of {', '.join(unknown)}, which is no other value",
            )
        if bool(v.roll_up) != bool(roles.rolls_up_to):
            yield (*at, "values", n), f"{v.code}: `roll_up` goes with `rolls_up_to`; give both or neither"
    if roles.default is not None and codes and roles.default not in codes:
        yield (*at, "default"), f"the default {roles.default} is no value of it"
    if p.required and any(roles.severities.get(k, roles.severity) == "warning" for k in get_args(Kind)):
        yield at, "it is required, so a row without it cannot be kept: none of its rules is a warning"


def _is_bound(kind: str, bound: int | str) -> bool:
    if kind == "date" and isinstance(bound, str):
        return bool(re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", bound))
    return kind == "integer" and isinstance(bound, int)
