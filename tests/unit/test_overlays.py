"""Overlays: a configuration's own reference rows replace or add to the packaged ones, and are checked with them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from strike_reporting.reference.actions import resolve
from strike_reporting.reference.checking import check_reference
from strike_reporting.reference.facts import (
    KEYS,
    ReferenceError,
    read_csv,
    reference_folder,
    reference_sha256,
)
from strike_reporting.reference.organisations import Organisations

Overlaid = Callable[[str, str], Path]
AREA = "area_code,area_name,members,page,mail_list,sites,source\n"


@pytest.fixture
def overlaid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Overlaid]:
    """Write an overlay of one reference file."""
    (tmp_path / "reference").mkdir()
    monkeypatch.setenv("STRIKES_CONFIG", str(tmp_path))

    def write(name: str, text: str) -> Path:
        path = tmp_path / "reference" / f"{name}.csv"
        path.write_text(text, encoding="utf-8")
        read_csv.cache_clear()
        reference_sha256.cache_clear()
        return path

    yield write
    read_csv.cache_clear()
    reference_sha256.cache_clear()


def test_a_row_is_added(overlaid: Overlaid) -> None:
    before = len(read_csv("areas"))
    overlaid("areas", f"{AREA}WESSEX,Wessex,RBD,no,,no,local list\n")
    assert len(read_csv("areas")) == before + 1
    assert check_reference() == []
    assert "wessex" in [a.area_type for a in Organisations().areas("RBD", date(2026, 11, 1))]


def test_a_row_of_the_same_key_is_replaced_in_its_place(overlaid: Overlaid) -> None:
    packaged = [r["code"] for r in read_csv("treatment_functions")]
    overlaid("treatment_functions", "source,name,code\nlocal,Surgery in general,100\n")
    assert [r["code"] for r in read_csv("treatment_functions")] == packaged
    assert next(r["name"] for r in read_csv("treatment_functions") if r["code"] == "100") == "Surgery in general"


def test_an_overlay_may_give_a_named_area_its_days(overlaid: Overlaid) -> None:
    overlaid("areas", f"{AREA}WESSEX,Wessex,RBD until 2024-10-01,no,,no,own\n")
    assert check_reference() == []
    orgs = Organisations()
    assert "wessex" in [a.area_type for a in orgs.areas("RBD", date(2024, 9, 30))]
    assert "wessex" not in [a.area_type for a in orgs.areas("RBD", date(2024, 10, 1))]


def test_an_overlay_says_who_was_asked_and_what_a_trust_provides(overlaid: Overlaid) -> None:
    overlaid(
        "asked", "action_id,extract,trusts,qualifier,ods_codes,source\nPHY-2023-01-26,staffing,1,exact,RHU,a letter\n"
    )
    services = "scope,code,care_setting,provides,valid_from,valid_to,source,confidence\n"
    overlaid("services", f"{services}trust,RHU,community,yes,2023-01-26,,own,high\n")
    assert check_reference() == []
    orgs, day = Organisations(), date(2023, 1, 26)
    assert orgs.expected(resolve("PHY-2023-01-26"), "staffing", day) == ("RHU",)
    assert orgs.asked_number(resolve("PHY-2023-01-26"), "staffing", day) is None
    assert orgs.services("RHU", day) == ("community", "inpatient", "outpatient")
    path = overlaid("services", f"{services}trust,RZZ,community,yes,,,own,high\n")
    assert f"{path}, line 2: RZZ is not a trust of the reference data" in check_reference()


def test_the_hash_of_the_reference_data_tells_an_overlay(overlaid: Overlaid) -> None:
    before = reference_sha256()
    overlaid("areas", f"{AREA}WESSEX,Wessex,RBD,no,,no,local list\n")
    assert reference_sha256() != before


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("area", AREA, "overlays no reference file (the nearest is areas)"),
        ("areas", "area_code,members\nWESSEX,RBD\n", "line 1: its columns are not those"),
        ("areas", f"{AREA}WESSEX,Wessex,RBD\n", "line 2: it has not 7 values"),
        ("areas", f"{AREA}WESSEX,Wessex,RBD,no,,no,a,b\n", "line 2: it has not 7 values"),
        ("areas", f"{AREA}WESSEX,Wessex,RBD,no,,no,a\nWESSEX,Wessex,RBD,no,,no,b\n", "line 3: it repeats line 2"),
        ("regions", "region_code,region_name,source\n,North,a\n", "line 2: region_code is empty"),
        ("areas", f'{AREA}"WESSEX,Wessex,RBD,a\n', "cannot be read"),
        ("areas", f"{AREA}WESSEX,Wessex,RZZ,no,,no,local\n", "line 2: members: RZZ is not the ODS code"),
    ],
)
def test_an_overlay_that_does_not_fit_is_named_with_its_line(
    overlaid: Overlaid, name: str, text: str, says: str
) -> None:
    path = overlaid(name, text)
    [problem] = check_reference()
    assert says in problem
    assert str(path) in problem


def test_an_overlay_that_does_not_fit_is_never_half_used(overlaid: Overlaid) -> None:
    overlaid("areas", f"{AREA}WESSEX,Wessex,RBD\n")
    with pytest.raises(ReferenceError, match="it has not 7 values"):
        read_csv("areas")


def test_every_reference_file_has_a_key_that_tells_its_rows_apart() -> None:
    files = {p.stem: list(csv.DictReader(p.open(newline=""))) for p in reference_folder().glob("*.csv")}
    assert set(files) == set(KEYS)
    for name, rows in files.items():
        keys = [tuple(r[c] for c in KEYS[name]) for r in rows]
        assert len(set(keys)) == len(keys), name
