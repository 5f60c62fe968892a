from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from strike_reporting.catalogue.areas import Area
from strike_reporting.cli import app
from strike_reporting.extracts import care_settings
from strike_reporting.publishing.frame import Frame, frame
from strike_reporting.reference import facts as reference
from strike_reporting.reference.actions import ActionSet, UnknownAction, actions, resolve
from strike_reporting.reference.checking import check_reference
from strike_reporting.reference.doubts import doubts, doubts_of
from strike_reporting.reference.organisations import Organisations, UnknownOrganisation, organisations
from strike_reporting.simulator import simulate
from typer.testing import CliRunner


def test_the_reference_data_agree() -> None:
    assert check_reference() == []
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
        ("areas", "area_code", "HAMPSHIRE", "members", "RHM;RZZ", "line 2: members: RZZ is not the ODS code"),
        ("strike_calendar", "action_id", "RD-2026-06-15", "status", "planned", "line 55: RD-2026-06-15 has the status"),
        ("organisation_names", "ods_code", "RW1", "ods_code", "RZZ", "RZZ is not an organisation"),
        ("organisation_names", "ods_code", "RAJ", "name", " ", "organisation_names.csv, line 4: the name is empty"),
        (
            "organisation_names",
            "ods_code",
            "RWW",
            "valid_to",
            "2020-06-01",
            "RWW holds on days of",
        ),
        (
            "organisation_names",
            "name",
            "Cumbria Partnership NHS Foundation Trust",
            "valid_from",
            "2020-01-01",
            "is before",
        ),
        ("services", "code", "R1F", "code", "RZZ", "RZZ is not a trust of"),
        ("services", "code", "acute", "code", "acutes", "acutes is not a trust type of"),
        ("services", "code", "acute", "care_setting", "inpatients", "whether acute trusts provide inpatient"),
        ("services", "code", "RW1", "care_setting", "dental", "no trust type has the care setting 'dental'"),
        ("services", "code", "R1F", "provides", "maybe", "provides is 'maybe'; write yes, no or may"),
        ("services", "code", "R1F", "scope", "code", "the scope is 'code'; write trust_type or trust"),
        (
            "services",
            "code",
            "acute",
            "valid_to",
            "2024-01-01",
            "services.csv, line 2: a trust type holds on every day",
        ),
        (
            "services",
            "code",
            "R1F",
            "valid_to",
            "2024-05-01",
            "trust/R1F/community holds on days of",
        ),
        ("asked", "action_id", "AMB-2023-02-10", "action_id", "AMB-1999-01-01", "unknown action AMB-1999-01-01"),
        ("asked", "action_id", "AMB-2023-02-10", "trusts", "6", "6 trusts were asked, but 5 are named"),
        ("asked", "action_id", "AMB-2023-01-23", "trusts", "some", "asked.csv, line 2: trusts is 'some'"),
        ("asked", "action_id", "AMB-2023-01-24", "ods_codes", "RD3", "RD3 was no trust on 2023-01-24"),
        ("asked", "action_id", "AMB-2023-01-24", "ods_codes", "G6V2S", "G6V2S was no trust on 2023-01-24"),
        (
            "asked",
            "action_id",
            "AMB-2023-01-24",
            "extract",
            "planned_activity",
            "nobody is asked for 'planned_activity'",
        ),
        ("asked", "action_id", "AMB-2023-01-24", "qualifier", "about", "write exact or approximate"),
    ],
)
def test_each_contradiction_is_found(
    copy: Path, file: str, key: str, value: str, column: str, new: str, says: str
) -> None:
    edit(copy, file, key, value, column, new)
    assert any(says in problem for problem in check_reference())
    with pytest.raises(reference.ReferenceError):
        reference.require(check_reference())


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


def test_a_name_is_the_days() -> None:
    orgs, last = organisations(), date(2024, 9, 30)
    assert orgs.trust("RW1", last).name == "Southern Health NHS Foundation Trust"
    assert orgs.trust("RW1", date(2024, 10, 1)).name == "Hampshire and Isle of Wight Healthcare NHS Foundation Trust"
    assert orgs.areas("RW1", last)[0].area_name == "Southern Health NHS Foundation Trust"
    bristol = [orgs.trust("RA7", date.fromisoformat(d)).name for d in ("2020-03-31", "2020-04-01", "2026-07-01")]
    assert [n.removesuffix(" NHS Foundation Trust") for n in bristol] == [
        "University Hospitals Bristol",
        "University Hospitals Bristol and Weston",
        "Bristol",
    ]


def test_a_merger_that_renamed_its_successor_has_the_name_before() -> None:
    """A predecessor is taken over by a trust, never by the name that this trust only has since."""
    orgs, made = organisations(), {r["ods_code"] for r in reference.read_csv("organisation_openings")}
    same = {"RAL", "RJ1", "RW4"}  # they kept their names
    mergers = sorted(reference.read_csv("trust_mergers"), key=lambda r: r["effective_date"], reverse=True)
    first = {r["successor_code"]: r for r in mergers}
    for code in sorted(first.keys() - made - same):
        day = date.fromisoformat(first[code]["effective_date"])
        assert orgs.trust(code, day.replace(year=day.year - 1)).name != first[code]["successor_name"], code


def test_a_place_in_a_named_area_has_days(copy: Path) -> None:
    edit(copy, "areas", "area_code", "HAMPSHIRE", "members", "RHU from 2023-04-12;RHM until 2023-04-12")
    reference.read_csv.cache_clear()
    orgs = Organisations()
    for code, day, within in (("RHU", 11, False), ("RHU", 12, True), ("RHM", 11, True), ("RHM", 12, False)):
        assert ("hampshire" in [a.area_type for a in orgs.areas(code, date(2023, 4, day))]) is within


def test_services_of_the_day() -> None:
    orgs, before, after = organisations(), date(2024, 4, 30), date(2024, 5, 1)
    assert orgs.services("R1F", before) == ("community", "inpatient", "mental_health", "outpatient")
    assert orgs.services("R1F", after) == ("inpatient", "outpatient")
    assert orgs.services("RW1", before) == orgs.services("RW1", after) == ("community", "mental_health")
    assert orgs.services("RYE", after) == ()
    assert orgs.services("RHU", after) == ("inpatient", "outpatient")
    assert orgs.services("RY6", after) == ("community",), "outpatients it may provide, so nobody waits for them"
    assert orgs.services("RY9", before) == ("community",), "not those of the acute trust that took it over"
    assert orgs.provides("R1F", "community", before) and not orgs.provides("R1F", "community", after)
    with pytest.raises(UnknownOrganisation, match="became RW1"):
        orgs.services("R1C", date(2024, 10, 1))


def test_services_know_the_care_settings_of_the_contract() -> None:
    said = {r["care_setting"] for r in reference.read_csv("services")}
    assert said == set(care_settings().values())


def test_ambulance_trusts_are_asked_for_staffing_of_their_own_strikes_only() -> None:
    orgs, action, day = organisations(), resolve("AMB-2023-01-11"), date(2023, 1, 11)
    assert "RYE" in orgs.expected(action, "staffing", day)
    assert "RYE" not in orgs.expected(action, "cancellations", day)
    assert len(orgs.expected(action, "staffing", day)) == 10
    assert orgs.asked_number(action, "staffing", day) is None


@pytest.mark.parametrize(
    ("action_id", "day", "names", "number"),
    [
        ("AMB-2023-02-10", "2023-02-10", ("RRU", "RX6", "RX7", "RX8", "RYF"), None),
        ("AMB-2023-02-17", "2023-02-17", ("RYA",), None),
        ("AMB-2023-01-23", "2023-01-23", (), 7),
        ("PHY-2023-01-26", "2023-01-26", (), 30),
        ("NUR-2023-04-30", "2023-05-01", (), 104),
        ("NUR-2023-04-30", "2023-05-02", (), None),  # no day of it
        ("AMB-2023-01-23;AMB-2023-01-24", "2023-01-23", (), 7),
        ("AMB-2023-01-23;AMB-2023-01-24", "2023-01-24", ("RX7",), None),
    ],
)
def test_who_is_asked_where_an_action_asks_fewer(
    action_id: str, day: str, names: tuple[str, ...], number: int | None
) -> None:
    orgs, action, on = organisations(), resolve(action_id), date.fromisoformat(day)
    assert orgs.expected(action, "staffing", on) == names
    assert orgs.asked_number(action, "staffing", on) == number
    everybody = orgs.expected(action, "cancellations", on)
    others = [t for t in orgs.trusts(on) if t.trust_type != "ambulance"]
    assert orgs.asked_number(action, "cancellations", on) is None, "all report what they moved"
    assert len(everybody) == (len(others) if on in action.days else 0)


def test_joint_actions_ask_all_of_whom_each_asks() -> None:
    orgs, day = organisations(), date(2023, 10, 3)
    doctors = orgs.expected(resolve("JD-2023-10-02"), "staffing", day)
    joint = resolve("JD-2023-10-02;RAD-2023-10-03")
    assert orgs.expected(joint, "staffing", day) == doctors, "the 37 of the radiographers are among them"
    assert orgs.asked_number(joint, "staffing", day) is None
    mixed = resolve("AMB-2023-02-06;NUR-2023-02-06")
    assert len(orgs.expected(mixed, "staffing", date(2023, 2, 6))) == 10, "the ambulance trusts, by name"
    assert orgs.asked_number(mixed, "staffing", date(2023, 2, 6)) == 10 + 73


def test_two_numbers_that_may_mean_the_same_trusts_count_once() -> None:
    nurses, physiotherapists = actions()["NUR-2023-02-06"], actions()["PHY-2023-02-09"]
    together = replace(physiotherapists, start=datetime(2023, 2, 6), end=datetime(2023, 2, 6, 23, 59))
    joint = ActionSet((nurses, together))
    assert organisations().asked_number(joint, "staffing", date(2023, 2, 6)) == 73


def test_a_frame_keeps_who_was_asked_and_the_services_of_each_day() -> None:
    kept = frame(resolve("PHY-2023-01-26"))
    day = date(2023, 1, 26)
    assert (kept.asked["staffing"][day], kept.asked_number["staffing"]) == ((), {day: 30})
    assert len(kept.asked["cancellations"][day]) == len(kept.asked["planned_activity"][day]) == 201
    assert kept.asked_number["cancellations"] == kept.asked_number["planned_activity"] == {}
    assert kept.member("R1F", day).services == ("community", "inpatient", "mental_health", "outpatient")
    assert Frame.load(kept.dump(), "frame") == kept
    older = {k: v for k, v in kept.model_dump(mode="json").items() if k != "asked_number"}
    assert Frame.model_validate(older).asked_number == {}


def test_a_member_of_a_frame_is_split_where_its_services_change() -> None:
    action = replace(actions()["JD-2024-06-27"], start=datetime(2024, 4, 29, 7), end=datetime(2024, 5, 3, 7))
    parts = [(m.days, m.services) for m in frame(ActionSet((action,))).members if m.ods_code == "R1F"]
    assert sorted((len(days), len(services)) for days, services in parts) == [(2, 4), (3, 2)]


def test_the_simulator_sends_for_as_many_as_were_asked(tmp_path: Path) -> None:
    simulate(resolve("PHY-2023-01-26"), tmp_path, detail=1)
    assert len(list(tmp_path.glob("*_staffing.*"))) == 30
    assert len(list(tmp_path.glob("*_cancellations.*"))) == 201


def test_what_is_not_known_of_an_action_follows_from_the_data() -> None:
    today = date(2026, 11, 1)
    found = {d.action_id: [e.what for e in doubts(today) if e.action_id == d.action_id] for d in doubts(today)}
    assert found["RD-2026-06-15"][0].startswith("announced, its days are gone")
    assert found["RD-2026-06-15"][1:] == ["the level of cover"]
    assert "which 30 trusts were asked for staffing" in found["PHY-2023-01-26"]
    assert "the hours: whole days stand for them" in found["PHY-2023-01-26"]
    assert "which about 55 trusts were asked for staffing" in found["NUR-2023-01-18"]
    assert "the hours: they varied by trust" in found["AMB-2023-01-24"]
    assert not any("asked" in what for what in found["AMB-2023-01-24"]), "North West alone, by name"
    assert any("asked for staffing: all of the types" in what for what in found["AMB-2022-12-21"])
    assert "the day on which it was called off" in found["AMB-2022-12-28"]
    assert any("Sources disagree" in what for what in found["CON-2023-09-19"])
    assert "JD-2023-04-11" not in found and "JD-2016-10-05" not in found
    assert "RD-2026-06-15" not in {d.action_id for d in doubts(date(2026, 6, 18)) if "announced" in d.what}


def test_the_calendar_command_lists_actions_and_doubts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    listed = CliRunner().invoke(app, ["calendar"])
    assert listed.exit_code == 0 and len([r for r in listed.stdout.splitlines() if "-20" in r]) == 54
    assert "announced" in next(r for r in listed.stdout.splitlines() if "RD-2026-06-15" in r)
    doubtful = CliRunner().invoke(app, ["calendar", "--doubtful"])
    rows = doubtful.stdout.splitlines()
    assert any("PHY-2023-02-09" in r and "which 32 trusts were asked for staffing" in r for r in rows)
    assert rows[-1] == f"{len({d.action_id for d in doubts(date(2026, 11, 1))})} of 54 actions."


def test_a_weekend_that_nothing_says_was_in_the_strike_is_doubtful() -> None:
    action = replace(actions()["JD-2016-10-05"], daily_pattern="08:00-17:00 each day")
    assert [w for w in doubts_of(action, date(2026, 11, 1)) if "weekend" in w]


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
