"""Extracts are found in folders, and a contract that the rest cannot carry is refused when it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from strike_reporting.errors import OurFault
from strike_reporting.extracts import EXTRACTS, contracts_dir, document, load, parse, roll_ups
from strike_reporting.intake.dialects import dialects
from strike_reporting.judging.rules import judge

TOY = """\
name: toys
version: 1.0.0
description: {purpose: Toys lent., usage: One row a ward., limitations: None.}
schema:
  - dataGranularityDescription: A count of toys.
    customProperties:
      - {property: dateField, value: day}
      - {property: countField, value: toys}
      - {property: part, value: [size, ward]}
      - {property: severities, value: {identical_rows: warning}}
    properties:
      - name: ods_code
        businessName: Trust
        logicalType: string
        physicalType: string
        required: true
        description: The trust.
        customProperties: [{property: fix, value: Give it.}]
      - name: day
        businessName: Day
        logicalType: date
        physicalType: date32
        required: true
        description: The day.
        customProperties: [{property: fix, value: Give it.}]
      - name: kind
        businessName: Kind
        logicalType: string
        physicalType: string
        required: false
        description: What kind.
        customProperties:
          - {property: fix, value: Give it.}
          - {property: rolls_up_to, value: size}
          - property: values
            value:
              - {code: bear, label: Bear, roll_up: large}
              - {code: car, label: Car, roll_up: small}
      - name: ward
        businessName: Ward
        logicalType: string
        physicalType: string
        required: false
        logicalTypeOptions: {pattern: "^[A-Z]$"}
        description: The ward.
        customProperties: [{property: fix, value: Give it.}]
      - name: toys
        businessName: Toys
        logicalType: integer
        physicalType: int64
        required: true
        logicalTypeOptions: {minimum: 0, maximum: 9}
        description: How many.
        customProperties:
          - {property: fix, value: Give it.}
          - {property: severities, value: {range: error}}
"""
Write = Callable[[str], Path]


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write the toy contract into a configuration's extracts and use that configuration."""

    def write(text: str) -> Path:
        path = tmp_path / "extracts" / "toys" / "contract.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(text)
        monkeypatch.setenv("STRIKES_CONFIG", str(tmp_path))
        return path

    return write


def test_a_folder_in_the_configuration_is_an_extract(toys: Write) -> None:
    before = list(EXTRACTS)
    path = toys(TOY)
    assert list(EXTRACTS) == [*before, "toys"] and "toys" in EXTRACTS and contracts_dir("toys") == path.parent
    assert "template.toys" in dialects()
    contract = load("toys")
    rows = {"ods_code": ["RHU"] * 3, "day": [None] * 3, "kind": ["bear", "car", None], "ward": ["A", None, "B"]}
    table = pa.table(rows | {"toys": [1, 2, 10]})
    assert contract.part_keys(table).to_pylist() == ["large|A", "small|", "|B"]
    assert contract.whole_numbers == ("toys",) and roll_ups("size") == {"bear": "large", "car": "small"}
    assert contract.inside == {"identical_rows": "warning"}


def test_the_extracts_that_come_with_the_program_stand_in_their_order() -> None:
    assert list(EXTRACTS) == ["cancellations", "staffing", "planned_activity"]
    assert roll_ups("care_setting")["day_case"] == "inpatient"
    with pytest.raises(KeyError, match="no contract for 'moons'; the extracts are cancellations, staffing"):
        load("moons")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("      - {property: dateField, value: day}\n", "", "line 7: customProperties.dateField: Field required"),
        ("value: day}", "value: kind}", "line 7: dateField: kind is no required date"),
        ("value: toys}", "value: dolls}", "line 8: countField: dolls is no required whole number"),
        ("minimum: 0, maximum: 9", "minimum: 1, maximum: 9", "line 8: countField: toys is no required whole number"),
        ("[size, ward]", "[size, bed]", "line 9: part: bed is no field and nothing rolls up to it"),
        ("[size, ward]", "[]", "line 9: customProperties.part"),
        ("[size, ward]", "[size, toys]", "line 9: part: toys is no text"),
        ("physicalType: int64", "physicalType: float", "line 50: physicalType: Input should be 'string'"),
        ("physicalType: int64", "physicalType: string", "line 50: toys: integer is int64, not string"),
        ("label: Car, roll_up: small", "label: Car", "line 38: kind: car: `roll_up` goes with `rolls_up_to`"),
        ("label: Car,", "label: Bear,", "line 38: kind: car and bear have a spelling in common"),
        ("label: Car,", "label: Car, whole_of: [bus],", "line 38: kind: car is the whole of bus"),
        ("label: Car,", "label: Car, wheels: 4,", "wheels: Extra inputs are not permitted"),
        ("{range: error}", "{range: loud}", "line 56: customProperties.severities.range"),
        ("{range: error}", "{required: warning}", "it is required, so a row without it cannot be kept"),
        ("{range: error}", "{range: warning}", "it is required, so a row without it cannot be kept"),
        ("name: ward", "name: kind", "line 39: kind: this name is taken"),
        ("^[A-Z]$", "^[A-Z$", "line 44: ward: pattern"),
        ("name: toys\nversion", "name: dolls\nversion", "its folder is called toys"),
        ("name: toys\nversion", "name: {toys\nversion", "it is no YAML"),
        (TOY, "[]", "line 1: the document"),
    ],
)
def test_a_contract_that_nothing_can_carry_is_refused_by_line(old: str, new: str, says: str, toys: Write) -> None:
    assert old in TOY
    path = toys(TOY.replace(old, new, 1))
    with pytest.raises(OurFault) as refused:
        list(EXTRACTS)
    assert str(path) in str(refused.value) and says in str(refused.value)


def test_a_name_is_one_extract(toys: Write, tmp_path: Path) -> None:
    toys(TOY).parent.rename(tmp_path / "extracts" / "staffing")
    text = TOY.replace("name: toys", "name: staffing", 1)
    (tmp_path / "extracts" / "staffing" / "contract.yaml").write_text(text)
    with pytest.raises(OurFault, match="is an extract of this name already"):
        list(EXTRACTS)


def test_each_derived_rule_has_its_own_severity(toys: Write) -> None:
    toys(TOY.replace("{range: error}", "{range: critical}"))
    contract = load("toys")
    assert {r.name: r.severity for r in contract.rules if r.column == "toys"} == {
        "toys_required": "error",
        "toys_range": "critical",
    }
    from datetime import date

    row = {"ods_code": "RHU", "day": date(2023, 4, 11), "toys": 10, "submission_id": "s", "source_row": 2}
    [failure] = judge(contract, pa.Table.from_pylist([row], schema=contract.schema))
    assert (failure.rule.name, failure.rule.severity) == ("toys_range", "critical")


def test_a_contract_that_an_older_release_kept_can_still_be_read() -> None:
    said = document("cancellations")
    table = said["schema"][0]
    gone = ("siteField", "recordField", "order")
    old = [c for c in table["customProperties"] if c["property"] not in gone]

    def older(p: dict) -> dict:
        kept = [c for c in p["customProperties"] if c["property"] not in ("severities", "rolls_up_to")]
        had = any(c["property"] == "severities" for c in p["customProperties"])
        return {**p, "customProperties": [*kept, *([{"property": "values_severity", "value": "warning"}] * had)]}

    kept = {**said, "schema": [{**table, "customProperties": old, "properties": [*map(older, table["properties"])]}]}
    contract = parse(kept)
    of_site = "site_code_format"  # that the site has a part of its own in the key was not said then
    rules, now = ({r.name: r.severity for r in c.rules if r.name != of_site} for c in (contract, load("cancellations")))
    assert rules == now
    rows = pa.table({"status": ["cancelled"], "activity_unit": ["appointment"], "site_code": pa.nulls(1, pa.string())})
    assert contract.part_keys(rows).to_pylist() == ["cancelled||appointment|"]
