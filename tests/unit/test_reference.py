from __future__ import annotations

import csv
import shutil
from datetime import date
from pathlib import Path

import pytest
from strike_reporting.reference import facts as reference
from strike_reporting.reference.actions import UnknownAction, actions, resolve
from strike_reporting.reference.organisations import Area, UnknownOrganisation, organisations


def test_the_reference_data_agree() -> None:
    assert reference.check_reference() == []
    assert len(organisations().trusts(date(2026, 11, 1))) == 201
    assert len(actions()) == 54


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "reference"
    shutil.copytree(reference.reference_folder(), folder)
    monkeypatch.setattr(reference, "reference_folder", lambda: folder)
    reference.read_csv.cache_clear()
    yield folder
    monkeypatch.undo()
    reference.read_csv.cache_clear()


def edit(folder: Path, name: str, key: str, value: str, column: str, new: str) -> None:
    path = folder / f"{name}.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    hit = next(r for r in rows if r[key] == value)
    hit[column] = new
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize(
    ("file", "key", "value", "column", "new", "says"),
    [
        ("organisations", "ods_code", "RHU", "ods_code", "RHM", "repeats RHM"),
        ("organisations", "ods_code", "RHU", "region_code", "Y56", "region Y56"),
        ("organisations", "ods_code", "RHU", "icb_code", "QMF", "not in region"),
        ("trust_mergers", "predecessor_code", "R1C", "successor_code", "RXX1", "not an organisation"),
        ("icb_predecessors", "icb_code", "QU9", "successor_codes", "QRL", "does not resolve"),
        ("strike_calendar", "action_id", "JD-2023-04-11", "end", "2023-04-10T07:00", "ends at or before"),
        ("published_figures", "action_id", "JD-2023-04-11", "action_id", "JD-1999-01-01", "unknown action"),
        ("published_figures", "geography_code", "RHU", "geography_code", "RZZ", "unknown trust"),
        ("named_areas", "ods_code", "RHU", "ods_code", "RZZ", "named area"),
    ],
)
def test_each_contradiction_is_found(
    copy: Path, file: str, key: str, value: str, column: str, new: str, says: str
) -> None:
    edit(copy, file, key, value, column, new)
    assert any(says in problem for problem in reference.check_reference())
    with pytest.raises(reference.ReferenceError):
        reference.require(reference.check_reference())


def test_solent_in_2015() -> None:
    orgs, day = organisations(), date(2015, 12, 1)
    assert orgs.trust("R1C", day).name == "Solent NHS Trust"
    assert [a.area_type for a in orgs.areas("R1C", day)] == ["trust", "hampshire", "region", "england"]
    assert Area("hampshire", "HAMPSHIRE", "Hampshire") in orgs.areas("R1C", day)
    with pytest.raises(UnknownOrganisation, match="became RW1 on 2024-10-01"):
        orgs.trust("R1C", date(2024, 10, 1))
    assert orgs.is_trust("R1C", date(2024, 9, 30))


def test_icb_of_the_day() -> None:
    orgs = organisations()
    assert orgs.icb_of("RTH", date(2026, 3, 31)) == "QU9"
    assert orgs.icb_of("RTH", date(2026, 4, 1)) == "S0E4D"
    assert orgs.icb_of("RTH", date(2022, 6, 30)) is None
    assert orgs.icb_on("D7T5G", date(2026, 3, 31)) == ("QH8", "QJG", "QM7")
    assert orgs.icb_on("QM7", date(2026, 4, 1)) == ("D7T5G", "S1Y5D")
    assert orgs.icb_on("QRL", date(2023, 1, 1)) == ("QRL",)


def test_a_code_made_by_a_merger_did_not_exist_before() -> None:
    orgs = organisations()
    assert not orgs.is_trust("R0D", date(2020, 9, 30))
    assert {"RD3", "RDZ"} <= {t.ods_code for t in orgs.trusts(date(2020, 9, 30))}


def test_ambulance_trusts_are_asked_for_staffing_of_their_own_strikes_only() -> None:
    orgs, day = organisations(), date(2023, 1, 11)
    assert "RYE" in orgs.expected(["ambulance"], "staffing", day)
    assert "RYE" not in orgs.expected(["ambulance"], "cancellations", day)
    assert len(orgs.expected(["ambulance"], "staffing", day)) == 10


@pytest.mark.parametrize(
    ("action_id", "first", "last", "count", "closing"),
    [
        ("JD-2023-12-20", "2023-12-20", "2023-12-22", 3, "2023-12-23"),
        ("JD-2023-04-11", "2023-04-11", "2023-04-14", 4, "2023-04-15"),
        ("JD-2023-03-13", "2023-03-13", "2023-03-15", 3, "2023-03-16"),
        ("JD-2016-04-26", "2016-04-26", "2016-04-27", 2, None),
        ("JD-2016-10-05", "2016-10-05", "2016-10-11", 5, None),
        ("NUR-2023-04-30", "2023-04-30", "2023-05-01", 2, None),
        ("JD-2024-02-24", "2024-02-24", "2024-02-28", 5, None),
        ("JD-2015-12-01", "2015-12-01", "2015-12-01", 1, "2015-12-02"),
    ],
)
def test_strike_days(action_id: str, first: str, last: str, count: int, closing: str | None) -> None:
    action = actions()[action_id]
    assert (str(action.days[0]), str(action.days[-1]), len(action.days)) == (first, last, count)
    assert (str(action.closing_day) if action.closing_day else None) == closing


def test_every_action_has_a_day() -> None:
    assert all(a.days for a in actions().values())


def test_joint_actions_and_names() -> None:
    joint = resolve("JD-2023-09-20 ; CON-2023-09-19")
    assert joint.action_id == "CON-2023-09-19;JD-2023-09-20"
    assert [str(d) for d in joint.days] == ["2023-09-19", "2023-09-20", "2023-09-21", "2023-09-22"]
    assert joint.overlapping(date(2023, 9, 20)) == ()
    assert resolve("JD-2023-09-20").overlapping(date(2023, 9, 20)) == ("CON-2023-09-19",)
    assert resolve("JD-2023-04-11").title == "Junior doctors’ strike, 11 to 14 April 2023"
    assert resolve("RD-2025-07-25").title.startswith("Resident doctors’")
    with pytest.raises(UnknownAction, match="JD-2023-04-11"):
        resolve("JD-2023-04-12")
