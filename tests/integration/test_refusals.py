"""Files that are refused as a whole, or that come after a good one: what stands, and where it is said."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import drawn, judge
from strike_reporting import read
from strike_reporting.cli import app
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.judging.filing import findings
from strike_reporting.ledger.records import Outcome
from strike_reporting.operations.rounds import returns_board
from strike_reporting.publishing.releases import build, find
from strike_reporting.publishing.reproduce import reproduce
from strike_reporting.reference.actions import resolve
from strike_reporting.settings import settings
from strike_reporting.storage import Store
from typer.testing import CliRunner

pytestmark = pytest.mark.usefixtures("few_trusts")
JD = "JD-2023-04-11"
HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
ROW = "RN5,2023-04-11,day_case,cancelled,{}\n"
Drop = Callable[..., Path]


def publish(store: Store, folder: Path, action_id: str = JD) -> list[Outcome]:
    collect_drop(store, folder, action_id)
    done = judge(store)
    build(store, resolve(action_id))
    return done


def england(action_id: str = JD) -> int:
    return int(read(action_id, "action_totals").set_index("area_code")["inpatient_cancelled"]["ENG"])


def test_a_refused_correction_is_seen_beside_the_figure_that_stands(store: Store, drop: Drop) -> None:
    publish(store, drop(a__csv=HEAD + ROW.format(10)))
    [refused] = publish(store, drop(RN5_cancellations__csv="Dear all, please see attached.\n"))
    assert (refused.ods_code, refused.extract) == ("RN5", "cancellations"), "by the file's name"
    row = read(JD, "returns").query("ods_code == 'RN5' and return_status == 'received'").iloc[0]
    assert row["refused_submission_id"] == refused.submission_id
    assert "a newer file could not be used" in row["reason"]
    assert england() == 10
    drawn(store)
    folder = f"site/{JD}/{find(store, JD).number:04d}"
    for page in ("quality.html", "trusts/RN5.html"):
        assert refused.submission_id in store.read(f"{folder}/{page}").decode(), page
    board = returns_board(store, JD, datetime.now(UTC))
    assert f"errors/{refused.submission_id}.txt" in board
    assert reproduce(store, JD).files == ()


def test_a_file_of_mostly_bad_rows_does_not_replace_a_good_one(store: Store, drop: Drop) -> None:
    publish(store, drop(a__csv=HEAD + ROW.format(10)))
    [worse] = publish(store, drop(b__csv=HEAD + ROW.format(1) + ROW.format("two") + ROW.format("three")))
    assert (worse.status, worse.rules) == ("accepted_in_part", {"number": 2})
    assert england() == 10
    row = read(JD, "returns").query("ods_code == 'RN5' and return_status == 'received'").iloc[0]
    assert "2 of its 3 rows of the day could not be used, so it does not replace" in row["reason"]
    assert row["refused_submission_id"] == worse.submission_id
    [first] = publish(
        store, drop(c__csv=(HEAD + ROW.format(1) + ROW.format("2x") + ROW.format("3x")).replace("RN5", "RHM"))
    )
    assert first.status == "accepted_in_part", "there is nothing better to keep"
    assert england() == 11


def test_every_fault_of_a_row_is_told(store: Store, drop: Drop) -> None:
    faults = "RN5,2023-04-11,,cancelled,two\n" + "RN5,2023-04-11,day_case,gone,\n"
    [outcome] = publish(store, drop(a__csv=HEAD + ROW.format(10) + faults))
    assert outcome.rules == {
        "point_of_delivery_required": 1,
        "number": 1,
        "status_known": 1,
        "cancelled_count_required": 1,
    }, "each cell, whatever else is wrong with its row; a cell that could not be read is told once"


def test_a_file_pasted_twice_is_not_counted_twice(store: Store, drop: Drop) -> None:
    rows = "".join(ROW.format(n) for n in range(1, 5))
    [twice] = publish(store, drop(a__csv=HEAD + rows + rows))
    assert (twice.status, twice.rules) == ("accepted_in_part", {"pasted_again": 4})
    assert england() == 10
    [once] = publish(store, drop(a__csv=HEAD + rows))
    assert once.status == "accepted" and england() == 10


def test_a_file_of_another_year_is_said_to_be_of_no_action(store: Store, drop: Drop) -> None:
    [outcome] = publish(store, drop(a__csv=HEAD + ROW.format(4).replace("2023", "2021")))
    assert (outcome.status, *outcome.rules) == ("rejected", "date_outside_action")
    assert "2021-04-11" in outcome.reason and "Check the dates" in outcome.fix


def test_synthetic_stays_synthetic_when_nothing_could_be_used(store: Store, drop: Drop) -> None:
    folder = drop(RN5_cancellations__csv="nothing like it\n")
    (folder / "SYNTHETIC").write_text("made by a simulator")
    publish(store, folder)
    assert find(store, JD).data_class == "synthetic"
    assert reproduce(store, JD).files == ()


def test_days_that_two_actions_share_are_counted_once_in_a_dispute(store: Store, drop: Drop) -> None:
    folder = drop(a__csv=HEAD + "RHU,2023-02-06,outpatient_first,cancelled,100\nRHU,2023-02-06,day_case,cancelled,1\n")
    for action_id in ("AMB-2023-02-06", "NUR-2023-02-06"):
        publish(store, folder, action_id)
    drawn(store)
    running = store.read("site/index.html").decode().partition('id="disputes"')[2]
    assert ">101<" not in running and ">202<" not in running, "two singles that share a day cannot be added"
    build(store, resolve("AMB-2023-02-06;NUR-2023-02-06"))
    drawn(store)
    running = store.read("site/index.html").decode().partition('id="disputes"')[2]
    assert ">101<" in running and ">202<" not in running


def test_the_published_running_total_holds_joint_figures(examples: Store) -> None:
    page = examples.read("site/index.html").decode().partition('id="disputes"')[2]
    row = page.partition("2022-23 Agenda for Change pay")[2].partition("</tr>")[0]
    assert "119,338" in row, "89,762 published one by one, and 29,576 for 15 and 20 December together"


def test_the_command_line_takes_what_a_trust_sent_as_text(home: Path, drop: Drop) -> None:
    runner = CliRunner()
    row = "[/b],2023-04-11,day_case,cancelled,4\n"
    folder = drop(**{"[bold]x__csv": HEAD + row, "b\x1b[31m__csv": HEAD + ROW.format(1)})
    done = runner.invoke(app, ["run", "--action", JD, "--drop", str(folder)])
    assert done.exit_code == 0, done.output
    listed = runner.invoke(app, ["outcomes"])
    assert listed.exit_code == 0 and "[bold]" in listed.output and "\x1b[31m" not in listed.output
    assert runner.invoke(app, ["outcomes", "--only", "foo"]).exit_code == 2
    empty = home.parent / "empty"
    empty.mkdir()
    assert "No new file" in runner.invoke(app, ["run", "--action", JD, "--drop", str(empty)]).output


def test_the_rows_behind_a_figure(store: Store, drop: Drop) -> None:
    rows = ROW.format(10) + ROW.format("<5") + ROW.format(3).replace("04-11", "04-12")
    [outcome] = publish(store, drop(a__csv="Prepared by the information team\n" + HEAD + rows))
    listed = CliRunner().invoke(app, ["rows", outcome.submission_id, "--day", "2023-04-11"]).output
    [row] = csv.DictReader(io.StringIO(listed))
    assert (row["source_row"], row["ods_code"], row["cancelled_count"]) == ("3", "RN5", "10")
    assert CliRunner().invoke(app, ["rows", "../x"]).exit_code == 1
    assert CliRunner().invoke(app, ["rows", outcome.submission_id[:13], "--day", "2023-04-11"]).output == listed
    assert "write it as YYYY-MM-DD" in str(
        CliRunner().invoke(app, ["rows", outcome.submission_id, "--day", "11/4"]).exception
    )
    store.delete(f"accepted/cancellations/{outcome.submission_id}.parquet")
    assert "strikes doctor" in str(CliRunner().invoke(app, ["rows", outcome.submission_id]).exception)


def test_a_reference_is_listed_whole(store: Store, drop: Drop) -> None:
    [outcome] = publish(store, drop(RN5_cancellations__csv="Dear all, " + "please see what is attached " * 9))
    assert outcome.submission_id in CliRunner().invoke(app, ["outcomes"]).output
    to = "/nowhere/at/all/errors.xlsx"
    refused = CliRunner().invoke(app, ["errors", outcome.submission_id[:8], "--workbook", to])
    assert f"{to} cannot be written" in str(refused.exception)


def test_a_feed_that_was_never_pulled_is_not_said_to_be_landed(store: Store) -> None:
    said = CliRunner().invoke(app, ["feed", "files", "RHU.cancellations"]).output
    assert "RHU.cancellations: it was never pulled" in said and "was landed" not in said


def test_purging_asks_first(home: Path, store: Store, drop: Drop) -> None:
    publish(store, drop(a__csv="NHS Number,Surname\n999 000 0018,Doe\n"))
    runner = CliRunner()
    assert runner.invoke(app, ["purge"], input="n\n").exit_code == 1
    assert list((home / "landing" / "restricted").iterdir())
    assert "1 restricted files deleted" in runner.invoke(app, ["purge", "--yes"]).output
    assert not list((home / "landing" / "restricted").iterdir())


def test_a_file_of_more_sites_than_a_trust_can_have_is_refused(
    store: Store, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is said by site and day is kept for each: a file that names a million sites would fill the ledger."""
    monkeypatch.setenv("STRIKES_MAX_PARTS", "5")
    settings.cache_clear()
    head = HEAD.replace("ods_code", "ods_code,site_code")
    sites = [head + "".join(f"RN5,RN5{n:02},{ROW[4:].format(7)}" for n in range(many)) for many in (5, 6)]
    collect_drop(store, drop(five__csv=sites[0], six__csv=sites[1]), JD)
    five, six = sorted(judge(store), key=lambda o: o.source_name)
    assert (five.status, five.rows_accepted) == ("accepted", 5)
    assert (six.status, six.rules) == ("rejected", {"too_many_parts": 1})
    assert "6 sites and days apart, and 5 are the most" in six.reason and six.fix.startswith("Check the codes of sites")


@pytest.mark.parametrize(
    ("title", "status", "said"),
    [
        ("Figures in thousands", "rejected", "in thousands"),
        ("Cancelled appointments ('000s)", "rejected", "in thousands"),
        ("TEST DATA - DO NOT USE", "rejected", "a test"),
        ("Cumulative figures since 11 April", "accepted", "cumulative"),
        ("Contested figures of 1,000 staff in Testwood", "accepted", ""),
    ],
)
def test_what_stands_above_the_figures_is_read(store: Store, drop: Drop, title: str, status: str, said: str) -> None:
    collect_drop(store, drop(RN5__csv=f'"{title}"\n{HEAD}{ROW.format(10)}'), JD)
    [outcome] = judge(store)
    assert outcome.status == status, outcome.reason
    told = [p.message for p in findings(store, outcome.submission_id) if p.rule == "title"]
    assert len(told) == bool(said) and said in "".join(told)


WIDE = "Org Code,Date,Inpatient,Outpatient\n"
NILS = "Code,Date,Inpatient cases,Outpatient cases,Nil return\n"


@pytest.mark.parametrize(
    ("head", "row"), [(WIDE, "RN5,11/04/2023,{},7\n"), (NILS, "RN5,11-Apr-2023,,,Yes\n")], ids=["wide", "nil"]
)
def test_rows_are_counted_as_what_they_become(
    store: Store, drop: Drop, monkeypatch: pytest.MonkeyPatch, head: str, row: str
) -> None:
    """A million rows of twelve columns of counts are twelve million: they took all memory."""
    monkeypatch.setenv("STRIKES_MAX_ROWS", "6")
    settings.cache_clear()
    files = {f"RN5_{n}__csv": head + "".join(row.format(20 + at) for at in range(n)) for n in (3, 4)}
    collect_drop(store, drop(**files), JD)
    three, four = sorted(judge(store), key=lambda o: o.source_name)
    assert three.status.startswith("accepted") and three.rows_read == 6
    assert (four.status, four.rules) == ("rejected", {"row_limit": 1}), four.reason
    assert "8 rows" in four.reason and "the limit is 6" in four.reason and four.fix == "Split the file by day."


def test_rows_of_all_tables_of_a_file_are_counted_together(
    store: Store, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIKES_MAX_ROWS", "6")
    settings.cache_clear()
    one = HEAD + "".join(ROW.format(20 + n) for n in range(4))
    two = "ods_code,activity_date,point_of_delivery,planned_count\n" + "RN5,2023-04-11,day_case,9\n" * 3
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("cancellations.csv", one)
        archive.writestr("planned.csv", two)
    collect_drop(store, drop(RN5_both__zip=buffer.getvalue()), JD)
    [outcome] = judge(store)
    assert (outcome.status, outcome.rules) == ("rejected", {"row_limit": 1}), outcome.reason
    assert "7 rows, all its tables together; the limit is 6" in outcome.reason


def test_each_day_of_no_action_is_told_of_with_its_first_row(store: Store, drop: Drop) -> None:
    days = ["2023-04-11", "2023-05-23", "2023-05-22", "2023-05-23"]
    rows = "".join(f"RN5,{day},day_case,cancelled,{n}\n" for n, day in enumerate(days, start=5))
    collect_drop(store, drop(a__csv=HEAD + rows), JD)
    [outcome] = judge(store)
    assert outcome.status == "accepted", outcome.reason
    told = [(p.row, p.value) for p in findings(store, outcome.submission_id) if p.rule == "date_outside_action"]
    assert told == [(3, "2023-05-23"), (4, "2023-05-22")]
