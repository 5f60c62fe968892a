"""Edits of the strike calendar: a row more with its source, what was known before stays, and nothing half or wrong."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from strike_reporting.cli import app, main
from strike_reporting.clock import LONDON
from strike_reporting.errors import StrikesError
from strike_reporting.operations.calendar_edits import edit
from strike_reporting.reference.actions import Action, UnknownAction, actions, actions_as_at, all_days
from strike_reporting.reference.due import calendar
from strike_reporting.reference.facts import ReferenceError, read_csv, read_versions, reference_folder, reference_sha256
from strike_reporting.settings import settings
from typer.testing import CliRunner

NOW = datetime(2026, 6, 10, 9, 30, tzinfo=UTC)
CACHES = (settings, read_csv, reference_sha256, actions, all_days)
JUNE = "RD-2026-06-15"  # announced, 15 to 18 June 2026
NEW = {
    "dispute": "2026 pay",
    "staff_group": "nurses",
    "unions": "RCN",
    "start": "2026-06-20T07:00",
    "end": "2026-06-22T07:00",
    "cover_level": "full_walkout",
    "daily_pattern": "continuous",
}


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("STRIKES_CONFIG", str(tmp_path))
    for cache in CACHES:
        cache.cache_clear()
    yield tmp_path
    for cache in CACHES:
        cache.cache_clear()


def kept(config: Path) -> list[dict[str, str]]:
    path = config / "reference" / "strike_calendar.csv"
    return list(csv.DictReader(path.open(newline=""))) if path.exists() else []


def test_an_action_is_added_with_its_source_and_the_rounds_that_it_asks_for(config: Path) -> None:
    before = calendar().sha256
    made = edit("NUR-2026-06-20", NEW, "https://rcn.example/strike", "2026-06-09", NOW, is_new=True)
    action = actions()["NUR-2026-06-20"]
    assert (action.status, action.announced_on, len(action.days)) == ("announced", "2026-06-09", 2)
    assert [f"{r.local:%d %H:%M}" for r in made.added[::30]] == ["21 07:00", "21 12:00", "22 11:50"]
    assert (len(made.added), made.gone) == (62, [])
    assert calendar().sha256 != before
    [row] = kept(config)
    told = (row["source_url"], row["told_on"], row["known_from"])
    assert told == ("https://rcn.example/strike", "2026-06-09", "2026-06-10T09:30:00+00:00")


def test_a_suspension_takes_rounds_away_and_what_was_known_before_stays(config: Path) -> None:
    announced = actions()[JUNE]
    evening = datetime(2026, 6, 14, 20, tzinfo=UTC)
    made = edit(JUNE, {"status": "suspended"}, "BMA statement", "2026-06-14", evening)
    assert (made.before["status"], made.after["status"], len(made.gone), made.added) == (
        "announced",
        "suspended",
        4 * 31,
        [],
    )
    assert (actions()[JUNE].status, actions()[JUNE].status_date) == ("suspended", "2026-06-14")
    assert actions_as_at(evening - timedelta(seconds=1))[JUNE] == announced
    assert actions_as_at(evening)[JUNE] == actions()[JUNE]
    back = edit(JUNE, {"status": "announced"}, "BMA statement", "2026-06-14", evening + timedelta(hours=1))
    assert len(back.added) == 4 * 31, "reinstated"
    assert [r["status"] for r in read_versions("strike_calendar") if r["action_id"] == JUNE] == [
        "announced",
        "suspended",
        "announced",
    ]


@pytest.mark.parametrize(
    ("said", "column", "value"),
    [
        ({"cover_level": "full_walkout"}, "cover_level", "full_walkout"),
        ({"end": "2026-06-18T07:00"}, "end", "2026-06-18T07:00"),
        ({"status": "called_off"}, "status", "called_off"),
        ({"announced_on": "2026-06-01"}, "announced_on", "2026-06-01"),
        ({"note": " shortened \n by a court "}, "note", "shortened by a court"),
    ],
)
def test_everything_that_is_said_of_an_action_may_be_changed(
    config: Path, said: dict[str, str], column: str, value: str
) -> None:
    earlier = edit(JUNE, {"cover_level": "christmas_day"}, "a", "2026-06-02", NOW).after
    edit(JUNE, said, "b", "2026-06-10", NOW)
    assert kept(config) == [earlier, {**earlier, **kept(config)[1]}]
    [row] = [r for r in read_csv("strike_calendar") if r["action_id"] == JUNE]
    assert (row[column], row["source_url"]) == (value, "b")


REFUSED = [
    ({"status": "suspendd"}, "--status = 'suspendd': it is not known. The nearest is suspended"),
    ({"status": "went_ahead"}, "--status = 'went_ahead': it begins only at 2026-06-15T07:00"),
    ({"status": "announced"}, "would stay as it is: start is '2026-06-15T07:00', end is '2026-06-19T07:00'"),
    ({"cover_level": "full"}, "--cover = 'full': it is not known"),
    ({"staff_group": "nurse"}, "--staff-group = 'nurse': it is not known. The nearest is nurses"),
    ({"daily_pattern": "at night"}, "--pattern = 'at night': it is not known"),
    ({"unions": ""}, "--union = '': it is empty"),
    ({"dispute": " "}, "--dispute = '': it is empty"),
    ({"start": "Monday"}, "--start = 'Monday': it is no London time; write it as 2026-06-15T07:00"),
    ({"start": "2026-06-15T07:00+01:00"}, "--start = '2026-06-15T07:00+01:00': it is no London time"),
    ({"start": "2026-06-31T07:00"}, "--start = '2026-06-31T07:00': it is no London time"),
    ({"end": "2026-06-15T07:00"}, "--end = '2026-06-15T07:00': it is not after the start, 2026-06-15T07:00"),
    ({"end": "2027-06-19T07:00"}, "--end = '2027-06-19T07:00': it is 369 days after the start"),
    ({"start": "2027-03-28T01:30", "end": "2027-03-29T07:00"}, "'2027-03-28T01:30': the clocks skip this time"),
    ({"start": "2025-12-19T07:00", "end": "2025-12-20T07:00"}, "the same people are on strike then, by RD-2025-12-17"),
    ({"announced_on": "last week"}, "--announced-on = 'last week': it is no day; write it as 2026-06-12"),
    ({"announced_on": "2026-06-11"}, "--announced-on = '2026-06-11': it is still to come; today is 2026-06-10"),
    ({"announced_on": "2025-06-01"}, "--start = '2026-06-15T07:00': it is more than a year after the announcement"),
]


@pytest.mark.parametrize(("said", "why"), REFUSED)
def test_what_cannot_be_is_refused_with_option_and_fix_and_nothing_is_written(
    config: Path, said: dict[str, str], why: str
) -> None:
    with pytest.raises(StrikesError, match=r"^nothing is written: ") as refused:
        edit(JUNE, said, "a source", "2026-06-10", NOW)
    assert why in str(refused.value)
    assert not (config / "reference").exists()


@pytest.mark.parametrize(
    ("source", "on", "why"),
    [
        (" ", "2026-06-10", "--source is empty: say where it was announced"),
        ("a", "", "--on = '': it is no day"),
        ("a", "10/06/2026", "--on = '10/06/2026': it is no day; write it as 2026-06-12"),
        ("a", "2026-06-11", "--on = '2026-06-11': it is still to come"),
    ],
)
def test_an_edit_without_source_and_day_is_refused(config: Path, source: str, on: str, why: str) -> None:
    with pytest.raises(StrikesError) as refused:
        edit(JUNE, {"status": "suspended"}, source, on, NOW)
    assert why in str(refused.value) and kept(config) == []


def test_nothing_was_said_of_an_action_before_it_was_announced(config: Path) -> None:
    with pytest.raises(StrikesError, match="--on = '2026-06-01': the action was announced only on 2026-06-05"):
        edit(JUNE, {"status": "suspended", "announced_on": "2026-06-05"}, "a", "2026-06-01", NOW)
    assert kept(config) == []


def test_a_strike_that_is_over_cannot_be_called_off_on_a_later_day(config: Path) -> None:
    with pytest.raises(StrikesError, match="it was over at 2026-06-19T07:00, before 2026-06-20"):
        edit(JUNE, {"status": "called_off"}, "a", "2026-06-20", datetime(2026, 6, 21, tzinfo=UTC))


def test_only_a_known_action_is_changed_and_only_an_unknown_one_added(config: Path) -> None:
    with pytest.raises(UnknownAction, match="did you mean RD-2026-06-15"):
        edit("RD-2026-06-16", {"status": "suspended"}, "a", "2026-06-10", NOW)
    with pytest.raises(StrikesError, match="names more than one action"):
        edit(f"{JUNE};JD-2023-04-11", {"status": "suspended"}, "a", "2026-06-10", NOW)
    with pytest.raises(StrikesError, match=f"`strikes calendar change {JUNE}` changes it"):
        edit(JUNE, NEW, "a", "2026-06-10", NOW, is_new=True)
    for name in ("nurses", "NUR-2026-06-21", "../NUR-2026-06-20"):
        with pytest.raises(StrikesError, match="is not letters and the first day; write it as RD-2026-06-20"):
            edit(name, NEW, "a", "2026-06-10", NOW, is_new=True)
    with pytest.raises(StrikesError, match="--on = '2026-06-10': it is after the first day, 2026-06-01"):
        past = {**NEW, "start": "2026-06-01T07:00", "end": "2026-06-02T07:00"}
        edit("NUR-2026-06-01", past, "a", "2026-06-10", NOW, is_new=True)
    assert kept(config) == []


def test_the_embedded_example_is_nobodys_to_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STRIKES_CONFIG", raising=False)
    with pytest.raises(StrikesError, match="`strikes init FOLDER`, then set STRIKES_CONFIG"):
        edit(JUNE, {"status": "suspended"}, "a", "2026-06-10", NOW)


def test_an_overlay_by_hand_keeps_its_rows_and_a_faulty_one_is_mended_first(config: Path) -> None:
    header, *_, last = (reference_folder() / "strike_calendar.csv").read_text().splitlines()
    path = config / "reference" / "strike_calendar.csv"
    path.parent.mkdir()
    path.write_text(f"{header}\n{last.replace('announced', 'called_of')}\n")
    with pytest.raises(ReferenceError, match=r"line 2: RD-2026-06-15 has the status 'called_of'"):
        edit(JUNE, {"cover_level": "full_walkout"}, "a", "2026-06-10", NOW)
    path.write_text(f"{header}\n{last}\n")
    path.chmod(0o640)
    edit(JUNE, {"cover_level": "full_walkout"}, "a", "2026-06-10", NOW)
    by_hand, edited = kept(config)
    assert by_hand == {**dict(zip(header.split(","), last.split(","), strict=True)), "told_on": "", "known_from": ""}
    assert edited["cover_level"] == "full_walkout" and path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("second", "why"),
    [
        ("", "line 3: it repeats line 2"),
        ("2026-06-10T08:00:00+00:00", "line 3: it is known from 2026-06-10T08:00:00+00:00, before line 2"),
        ("10 June", "line 3: known_from is '10 June'; write a moment in UTC as 2026-06-12T09:30:00"),
    ],
)
def test_a_history_that_was_edited_by_hand_and_is_none_is_named_with_its_line(
    config: Path, second: str, why: str
) -> None:
    edit(JUNE, {"status": "suspended"}, "a", "2026-06-10", NOW)
    edit(JUNE, {"status": "announced"}, "a", "2026-06-10", NOW + timedelta(hours=1))
    path = config / "reference" / "strike_calendar.csv"
    path.write_text(path.read_text().replace("2026-06-10T10:30:00+00:00", second))
    with pytest.raises(ReferenceError) as refused:
        edit(JUNE, {"status": "suspended"}, "a", "2026-06-10", NOW + timedelta(hours=2))
    assert why in str(refused.value)


def test_an_overlay_that_cannot_be_written_is_named(config: Path) -> None:
    (config / "reference").write_text("a file where the folder should be")
    with pytest.raises(
        StrikesError, match=r"strike_calendar.csv cannot be written \(.*\), so nothing of it is changed"
    ):
        edit(JUNE, {"status": "suspended"}, "a", "2026-06-10", NOW)


def test_a_strike_that_overlaps_by_hand_may_still_be_suspended_and_given_a_note(config: Path) -> None:
    header, *_, last = (reference_folder() / "strike_calendar.csv").read_text().splitlines()
    (config / "reference").mkdir()
    twin = last.replace(JUNE, "RD-2026-06-16", 1)
    (config / "reference" / "strike_calendar.csv").write_text(f"{header}\n{twin}\n")
    with pytest.raises(StrikesError, match=f"the same people are on strike then, by {JUNE}"):
        edit("RD-2026-06-16", {"end": "2026-06-18T07:00"}, "a", "2026-06-10", NOW)
    edit("RD-2026-06-16", {"note": "the same"}, "a", "2026-06-10", NOW)
    edit("RD-2026-06-16", {"status": "called_off"}, "a", "2026-06-10", NOW)


def test_of_edits_at_once_none_is_lost(config: Path) -> None:
    def one(number: int) -> None:
        edit(JUNE, {"note": f"note {number}"}, "a", "2026-06-10", NOW)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(8)))
    assert sorted(r["note"] for r in kept(config)) == [f"note {n}" for n in range(8)]


changes = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(("announced", "suspended", "called_off")),
        "end": st.sampled_from(("2026-06-17T07:00", "2026-06-18T07:00", "2026-06-19T07:00")),
        "cover_level": st.sampled_from(("full_walkout", "christmas_day")),
    },
)


@given(st.lists(st.tuples(changes, st.integers(-5, 600)), max_size=5))
@examples(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_is_edited_what_was_known_at_a_moment_is_never_another(
    config: Path, edits: list[tuple[dict[str, str], int]]
) -> None:
    (config / "reference" / "strike_calendar.csv").unlink(missing_ok=True)
    now, seen = NOW, dict[datetime, Action]()
    rows: list[dict[str, str]] = []
    for said, minutes in edits:  # the clock may be put back
        now += timedelta(minutes=minutes)
        try:
            edit(JUNE, said, "a source", "2026-06-10", now)
        except StrikesError as refused:
            assert "would stay as it is" in str(refused)
            continue
        assert kept(config)[: len(rows)] == rows
        rows = kept(config)
        since = datetime.fromisoformat(rows[-1]["known_from"])
        seen[since] = actions()[JUNE]
        assert actions_as_at(since)[JUNE] == actions()[JUNE]
    assert {moment: actions_as_at(moment)[JUNE] for moment in seen} == seen


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["calendar", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_commands_show_before_and_after_the_rounds_and_the_history(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    today = datetime.now(LONDON).date()
    first = today + timedelta(days=30)
    action_id = f"NUR-{first}"
    times = ("--start", f"{first}T07:00", "--end", f"{first + timedelta(days=1)}T07:00")
    about = ("--staff-group", "nurses", "--union", "RCN", "--union", "CSP", "--dispute", "pay")
    told = ("--source", "https://rcn.example/strike", "--on", f"{today}")
    added = run("add", action_id, *about, *times, *told)
    assert "RCN;CSP" in added and "It adds 31 rounds and takes away 0." in added
    assert f"returns of a strike day ({action_id})" in added
    changed = run(
        "change", action_id, "--status", "called_off", "--source", "the union's statement", "--on", f"{today}"
    )
    assert "takes away 31" in changed and "│ status      │ announced " in changed
    history = run("history", action_id)
    assert "the union's statement" in history and "status: announced" in history and "status: called_off" in history
    assert action_id in run() and action_id in run("--as-at", f"{today + timedelta(days=1)}")
    assert action_id not in run("--as-at", f"{today - timedelta(days=1)}")


def test_a_refused_edit_is_one_line_and_an_exit_code(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["strikes", "calendar", "change", JUNE, "--status", "suspended"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "--source is empty" in capsys.readouterr().err
