"""As a new engineer would: an unseen messy workbook to a released figure, without Python; and mended by replay."""

from __future__ import annotations

import io
import json
import shlex
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
import strike_reporting
import xlsxwriter
import yaml
from conftest import ROOT
from jsonschema import Draft202012Validator
from strike_reporting.cli import app
from strike_reporting.errors import StrikesError
from strike_reporting.intake.collecting import collect
from strike_reporting.intake.dialects import reload_dialects
from strike_reporting.intake.registry import load_feeds, load_registry
from strike_reporting.judging.settle import to_validate, validate
from strike_reporting.ledger import ledger_of
from strike_reporting.publishing.releases import build
from strike_reporting.reference.actions import resolve
from strike_reporting.storage import Store
from typer.testing import CliRunner

ACTION = "JD-2023-04-11"
NEW = ["feed", "new", "RHM", "cancellations", "--contact", "information@rhm.example", "--sample"]
ROWS: list[list[str | int]] = [
    ["University Hospital Southampton - sitrep for the walk-out"],
    ["As at", "14/04/2023 09:00"],
    [],
    ["Hosp Trust", "Op Dt", "Adm Typ", "Canx (n)", "Ward"],
    ["RHM", "11/04/2023", "DSU", 12, "D5"],
    ["RHM", "11/04/2023", "OPFUP", 0, "C2"],
    ["RHM", "12/04/2023", "Day Surgery Unit", 30, "D5"],
    ["RHM", "13/04/2023", "New appt", 4, "C2"],
    ["Total", "", "", 46, ""],
]

WIDE: list[list[str | int]] = [
    ["Hospital cancellations report, extracted 15/04/2023 07:12"],
    [],
    ["Provider", "Strike Dt", "Booked", "", "Cancelled due to IA", "", "Checked"],
    ["", "", "Elective", "OP", "Elective", "OP", ""],
    ["RHM", "11/04/2023", 40, 98, 12, 44, "JS"],
    ["", "", 23, 78, 3, 6, "JS"],
    ["RHM", "13/04/2023", 60, 75, 6, 7, "JS"],
    ["Total", "", 123, 251, 21, 57, ""],
    [],
    ["Note: figures are provisional."],
]


def workbook(rows: list[list[str | int]] = ROWS) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    for name, lines in (("Return", rows), ("Notes", [["Ask the information team"]])):
        sheet = book.add_worksheet(name)
        for number, line in enumerate(lines):
            sheet.write_row(number, 0, line)
    book.close()
    return buffer.getvalue()


@pytest.fixture
def config(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration as `strikes init` writes it, in use; the state is `home`."""
    folder = tmp_path / "config"
    strikes("init", str(folder))
    monkeypatch.setenv("STRIKES_CONFIG", str(folder))
    monkeypatch.setenv("COLUMNS", "300")
    return folder


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    path = tmp_path / "return.xlsx"
    path.write_bytes(workbook())
    return path


def strikes(*args: str, code: int = 0, answers: str = "") -> str:
    """What a command says; a known error as `main` would say it."""
    done = CliRunner().invoke(app, list(args), input=answers)
    if isinstance(done.exception, StrikesError):
        assert code == done.exception.exit_code, done.exception
        return done.output + str(done.exception)
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


def inbox(home: Path, data: bytes, name: str = "return.xlsx") -> None:
    folder = home / "inbox" / "RHM" / "cancellations"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def figure(store: Store) -> int:
    """What a release says that the trust cancelled."""
    build(store, resolve(ACTION))
    totals = strike_reporting.read(ACTION, "action_totals")
    return int(totals[totals["area_code"] == "RHM"]["acute_cancelled"].iloc[0])


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_an_unseen_workbook_becomes_a_released_figure(config: Path, home: Path, sample: Path) -> None:
    said = strikes(*NEW, str(sample), "--yes")
    assert "total 46" in said
    assert "'Adm Typ': DSU is day_case" in said
    assert "not read: Ward" in said
    inbox(home, sample.read_bytes())
    checked = strikes("feed", "check", "RHM.cancellations")
    assert "return.xlsx" in checked
    assert "total 46" in checked
    assert files(home).keys() == {"inbox/RHM/cancellations/return.xlsx"}, "nothing is landed"
    assert "total" in strikes("feed", "check", "--fixtures")
    store = Store()
    collect(store, "2023-04-14", load_feeds())
    [judged] = validate(store, to_validate(store))
    assert judged.outcome is not None
    assert judged.outcome.status == "accepted"
    assert figure(store) == 46
    assert "2023-04-14: landed" in strikes("feed", "list")


def test_what_is_written_keeps_what_stood_there_and_is_marked_synthetic(config: Path, sample: Path) -> None:
    before = (config / "feeds" / "feeds.yaml").read_text(encoding="utf-8")
    strikes(*NEW, str(sample), "--due", "10:00", "--yes")
    feeds = (config / "feeds" / "feeds.yaml").read_text(encoding="utf-8")
    assert feeds.startswith(before)
    assert feeds.count("\n- ") == 1
    [feed] = load_registry().feeds
    assert (feed.id, feed.due, feed.dialect) == ("RHM.cancellations", "10:00", "rhm_cancellations")
    from openpyxl import load_workbook

    made = load_workbook(config / "fixtures" / "RHM.cancellations.xlsx")["Return"]
    cells = [[c.value for c in row] for row in made.iter_rows()]
    assert str(cells[0][0]).startswith("SYNTHETIC")
    assert cells[2] == ROWS[3]
    real = {str(c) for row in ROWS[4:] for c in row[1:] if c} - {"DSU", "OPFUP", "Day Surgery Unit", "New appt"}
    assert {str(c) for row in cells[3:] for c in row if c} & real == set(), "no value of the sample"
    assert "SYNTHETIC" not in feeds
    assert "has a feed RHM.cancellations already" in strikes(*NEW, str(sample), "--yes", code=2)


def test_without_an_answer_nothing_is_written(config: Path, tmp_path: Path) -> None:
    before = files(config)
    path = tmp_path / "doubtful.csv"
    path.write_text("Trust,Date,POD,Number\nRHM,11/04/2023,IP,5\n", encoding="utf-8")
    said = strikes(*NEW, str(path), "--yes", code=2)
    assert "constants.status" in said
    assert "nothing is written" in said
    assert files(config) == before
    strikes(*NEW, str(path), "--dry-run")
    assert files(config) == before
    assert "Written" in strikes(*NEW, str(path), "--yes", "--say", "constants.status=cancelled")


def test_on_a_terminal_it_asks_until_all_is_sure(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "doubtful.csv"
    path.write_text("Trust;Date;POD;Number\nRHM;11/04/2023;IP;5\nRHM;12/04/2023;XX;5\n", encoding="utf-8")
    said = strikes(*NEW, str(path), answers="community\ncancelled\ny\n")
    assert "what is 'XX' in 'POD'?" in said
    dialect = yaml.safe_load((config / "dialects" / "rhm_cancellations.yaml").read_text(encoding="utf-8"))
    assert dialect["delimiters"] == [";"]
    assert dialect["columns"]["point_of_delivery"]["codes"] == {"XX": "community"}
    assert dialect["constants"] == {"status": "cancelled"}


def test_half_of_the_figures_are_never_left_out_by_yes(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "wide.xlsx"
    path.write_bytes(workbook(WIDE))
    before = files(config)
    rest = ["--say", "fill_down=ods_code,activity_date", "--say", "constants.point_of_delivery=elective_unsplit"]
    one = ["--say", "columns.cancelled_count=Cancelled due to IA Elective", *rest]
    said = strikes(*NEW, str(path), "--yes", *one, code=2)
    assert "--say 'unpivot.columns.Cancelled due to IA OP'=…  (outpatient_unsplit or none)" in said
    assert "a total row has 57 there" in said
    assert "nothing asks for it" in strikes(*NEW, str(path), "--yes", "--say", "nonsense.key=1", code=2)
    assert "would not be" in strikes(*NEW, str(path), "--dialect", "template", *one, code=2)
    assert files(config) == before


def test_the_worked_example_of_the_page_gives_its_dialect_and_its_total(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "wide.xlsx"
    path.write_bytes(workbook(WIDE))
    page = (ROOT / "docs" / "new_feed.md").read_text(encoding="utf-8")
    example = page.split("## A worked example")[1].split("\n## ")[0]
    command, dialect = (b.split("```")[0] for b in (example.split("```sh\n")[1], example.split("```yaml\n")[1]))
    args = shlex.split(command.replace("\\\n", " "))[1:]
    assert "total 78" in strikes(*[str(path) if a == "return.xlsx" else a for a in args])
    written = (config / "dialects" / "rhm_cancellations.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(written) == yaml.safe_load(dialect)


def test_on_a_terminal_an_answer_that_cannot_be_is_asked_again(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "wide.xlsx"
    path.write_bytes(workbook(WIDE))
    said = strikes(*NEW, str(path), answers="7\nBookd\n1\n1\ny\n")
    assert "There is no option 7" in said
    assert "no counts stand under 'Bookd'. The nearest is Booked" in said
    assert said.count("under which upper heading is") == 1
    assert "total 78" in said
    dialect = yaml.safe_load((config / "dialects" / "rhm_cancellations.yaml").read_text(encoding="utf-8"))
    assert dialect["fill_down"] == ["ods_code", "activity_date"]


def test_options_that_are_cut_off_end_with_an_ellipsis(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "few.csv"
    path.write_text("Trust,Date,Cancelled\nRHM,11/04/2023,5\n", encoding="utf-8")
    said = strikes(*NEW, str(path), "--yes", code=2)
    assert "--say 'constants.point_of_delivery'=…" in said
    assert "outpatient_unsplit or …)" in said


def test_a_sample_of_no_day_of_action_is_written_only_by_a_person(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "early.csv"
    path.write_text("Trust,Date,POD,Cancelled\nRHM,13/02/2031,IP,5\n", encoding="utf-8")
    assert "nothing is written" in strikes(*NEW, str(path), "--yes", code=2)
    assert "Write it all the same" in strikes(*NEW, str(path), answers="n\n", code=1)
    assert load_feeds() == ()
    assert "Written" in strikes(*NEW, str(path), answers="y\n")


def test_a_dialect_that_reads_the_file_already_is_used(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "template.csv"
    heads = "ods_code,activity_date,point_of_delivery,status,cancelled_count"
    path.write_text(f"{heads}\nRHM,2023-04-11,day_case,cancelled,5\n", encoding="utf-8")
    said = strikes(*NEW, str(path), "--yes")
    assert "The dialect template reads this file" in said
    assert [f.dialect for f in load_feeds()] == ["template"]
    assert not (config / "dialects" / "rhm_cancellations.yaml").exists()
    assert "1 row used" not in strikes("feed", "check", "--fixtures")


def test_the_embedded_example_is_not_written_to(home: Path, sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STRIKES_CONFIG", raising=False)
    assert "no configuration of your own" in strikes(*NEW, str(sample), "--yes", code=2)


def test_nothing_of_a_sample_with_patients_is_shown(config: Path, tmp_path: Path) -> None:
    before = files(config)
    path = tmp_path / "patients.csv"
    lines = "".join(f"RHM,11/04/2023,Smith John,{n},1\n" for n in ("9990000018", "9990000026", "9990000034"))
    path.write_text(f"Trust,Op Dt,POD,NHS Number,Cancelled\n{lines}", encoding="utf-8")
    said = strikes(*NEW, str(path), code=3)
    assert "patients" in said or "NHS number" in said
    assert "Smith" not in said
    assert files(config) == before


def test_a_pull_that_cannot_work_is_said_before_any_round(config: Path, home: Path) -> None:
    (config / "feeds" / "feeds.yaml").write_text(
        "- {trust: RHM, extract: cancellations, location: nowhere/at/all, contact: a@b.example}\n", encoding="utf-8"
    )
    said = strikes("feed", "check", "RHM.cancellations", code=4)
    assert "does not exist" in said
    assert files(home) == {} or not home.exists()


@pytest.mark.parametrize(
    "entry",
    [
        "- {trust: RHM, extract: cancellations, location: x, contact: a@b.example}  # keep me\n",
        "- trust: RHM  # keep me\n  extract: cancellations\n  location: x\n  contact: a@b.example\n",
        "- {trust: RHM, extract: cancellations, enabled: yes, location: x, contact: a@b.example}  # keep me\n",
    ],
)
def test_a_feed_is_disabled_and_enabled_in_its_own_entry_alone(config: Path, entry: str) -> None:
    other = "# a comment\n- {trust: RHU, extract: staffing, location: y, contact: a@b.example}\n"
    path = config / "feeds" / "feeds.yaml"
    path.write_text(other + entry, encoding="utf-8")
    strikes("feed", "disable", "RHM.cancellations")
    assert [(f.id, f.enabled) for f in load_registry().feeds] == [("RHM.cancellations", False), ("RHU.staffing", True)]
    text = path.read_text(encoding="utf-8")
    assert text.startswith(other)
    assert "# keep me" in text
    strikes("feed", "enable", "RHM.cancellations")
    assert [f.enabled for f in load_registry().feeds] == [True, True]
    assert "no feed 'RHM.staffing'" in strikes("feed", "disable", "RHM.staffing", code=2)


def test_a_registry_comes_from_a_spreadsheet_all_or_nothing(config: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "registry.csv"
    head = "Trust,Extract,Location,Due,Grace,Contact,Enabled\n"
    good = "RHM,cancellations,RHM/c,10:00,30.0,a@b.example,yes\nRHU,staffing,RHU/s,,,a@b.example,no\n"
    sheet.write_text(
        f"{head}{good}ZZ9,staffing,x,25:00,,nobody,\nRHM,cancellations,y,,,a@b.example,\n", encoding="utf-8"
    )
    before = files(config)
    said = strikes("feed", "import", str(sheet), code=2)
    for fault in (
        "row 4: feed ZZ9.staffing: trust",
        "row 4: feed ZZ9.staffing: due",
        "row 4: feed ZZ9.staffing: contact",
    ):
        assert fault in said
    assert "row 2: feed RHM.cancellations: it is given twice" in said
    assert files(config) == before
    sheet.write_text(head + good, encoding="utf-8")
    assert "2 feeds" in strikes("feed", "import", str(sheet))
    feeds = {f.id: f for f in load_registry().feeds}
    assert (feeds["RHM.cancellations"].due, feeds["RHM.cancellations"].grace) == ("10:00", 30)
    assert feeds["RHU.staffing"].enabled is False
    assert load_registry().faults == ()


def test_the_schemas_accept_what_is_written_and_refuse_slips(config: Path, sample: Path) -> None:
    strikes(*NEW, str(sample), "--yes")
    schemas = {n: json.loads((config / "schemas" / f"{n}.json").read_text("utf-8")) for n in ("feeds", "dialects")}
    feeds, dialects = (Draft202012Validator(schemas[n]) for n in ("feeds", "dialects"))
    assert list(feeds.iter_errors(yaml.safe_load((config / "feeds" / "feeds.yaml").read_text("utf-8")))) == []
    made = yaml.safe_load((config / "dialects" / "rhm_cancellations.yaml").read_text("utf-8"))
    assert list(dialects.iter_errors(made)) == []
    assert list(feeds.iter_errors([{"trust": "RHM", "extract": "canc", "location": "x", "contact": "a@b.example"}]))
    assert list(dialects.iter_errors(made | {"columns": {"activity_dat": "x"}}))
    assert list(dialects.iter_errors(made | {"colums": {}}))
    example = Path(strike_reporting.__file__).parents[1] / "config" / "dialects"
    for path in example.glob("*.yaml"):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            assert list(dialects.iter_errors(document)) == [], document["id"]


@pytest.fixture
def published(config: Path, home: Path, sample: Path) -> Callable[[], Store]:
    """The feed's file landed, judged and published; then its dialect says other things."""
    strikes(*NEW, str(sample), "--yes")
    inbox(home, sample.read_bytes())
    store = Store()
    strikes("feed", "pull", "RHM.cancellations")
    assert figure(store) == 46

    def mend() -> Store:
        path = config / "dialects" / "rhm_cancellations.yaml"
        path.write_text(path.read_text("utf-8").replace("status: cancelled", "status: anticipated"), encoding="utf-8")
        reload_dialects()
        return store

    return mend


def test_replay_shows_both_outcomes_and_changes_nothing_until_it_may(published: Callable[[], Store]) -> None:
    store = published()
    before = [o.model_dump() for o in ledger_of(store).judged.listed()]
    said = strikes("replay", "--trust", "RHM", "--from", "2020-01-01", "--dry-run")
    assert "1 judged again: 1 differ" in said
    assert [o.model_dump() for o in ledger_of(store).judged.listed()] == before
    assert "No landed file" in strikes("replay", "--trust", "RHU")
    assert "No landed file" in strikes("replay", "--to", "2020-01-01")
    strikes("replay", "--feed", "RHM.cancellations", answers="n\n", code=1)
    assert [o.model_dump() for o in ledger_of(store).judged.listed()] == before


def test_after_a_replay_the_next_release_explains_it(published: Callable[[], Store]) -> None:
    store = published()
    said = strikes("replay", "--extract", "cancellations", "--yes")
    assert f"explains it for {ACTION}" in said
    assert ACTION in ledger_of(store).judged.touched()
    release, is_new = build(store, resolve(ACTION))
    assert is_new
    assert release.number == 2
    revisions = strike_reporting.read(ACTION, "revisions")
    mine = revisions[revisions["key"].str.contains("RHM") & (revisions["field"] == "acute_cancelled")]
    [total] = mine[mine["table"] == "action_totals"].fillna("none").to_dict("records")
    assert (total["old"], total["new"]) == ("46", "none")
    assert mine["reason"].str.len().min() > 10
    assert "0 differ" in strikes("replay", "--yes")


def test_a_replay_sees_a_value_that_changes_no_total(config: Path, published: Callable[[], Store]) -> None:
    path = config / "dialects" / "rhm_cancellations.yaml"
    path.write_text(path.read_text("utf-8").replace("DSU: day_case", "DSU: elective_inpatient"), encoding="utf-8")
    reload_dialects()
    assert "of other values" in strikes("replay", "--dry-run")


def test_a_collective_return_is_proposed_with_whom_it_speaks_for(config: Path, tmp_path: Path) -> None:
    rows: list[list[str | int]] = [["Integrated care board: cancellations because of the action"]]
    rows += [["Org Code", "Op Dt", "Adm Typ", "Canx (n)"], ["RHM", "13/04/2023", "DSU", 12]]
    rows += [["RHU", "13/04/2023", "DSU", 5], ["RHU", "14/04/2023", "OPFUP", 7]]
    (sample := tmp_path / "icb.xlsx").write_bytes(workbook(rows))
    rest = ["cancellations", "--contact", "a@icb.example", "--say", "constants.status=cancelled"]
    rest += ["--sample", str(sample)]
    asked = ["feed", "new", "hiow-icb", *rest, "--yes", "--trusts"]
    assert "--trusts CODE" in CliRunner().invoke(app, ["feed", "new", "RHM", *rest, "--dry-run"]).output
    assert "total 24" in strikes(*asked, "HAMPSHIRE")
    [feed] = [f for f in load_registry().feeds if f.sender]
    assert (feed.id, feed.trusts) == ("hiow-icb.cancellations", ("HAMPSHIRE",))
    strikes("feed", "check", feed.id, "--fixtures")
    [fixture] = (config / "fixtures").glob("hiow-icb.*")
    assert openpyxl.load_workbook(fixture).properties.subject == "SYNTHETIC DATA"
    assert CliRunner().invoke(app, [*asked, "RN5"]).exit_code != 0
