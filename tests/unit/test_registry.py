"""The registry: a bad line names file, line, feed, field, value and fix, and stops its own feed only."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from datetime import date, time
from pathlib import Path

import pytest
import yaml
from hypothesis import given as each
from hypothesis import strategies as st
from strike_reporting.clock import parse_due
from strike_reporting.errors import StrikesError
from strike_reporting.intake.config_edits import set_enabled
from strike_reporting.intake.config_files import Fault
from strike_reporting.intake.dialects import load_dialects, reload_dialects
from strike_reporting.intake.registry import Feed, Registry, load_feeds, load_registry
from strike_reporting.intake.transports import PullFailed, open_transport
from strike_reporting.intake.transports.kinds import KINDS
from strike_reporting.operations.starter import settings_toml, write_starter
from strike_reporting.reference.organisations import organisations
from strike_reporting.settings import Settings, settings

GOOD = "{trust: RHM, extract: cancellations, location: RHM/files, contact: a@b.nhs.uk}"
DIALECT = """
id: mine
extract: staffing
description: Mine.
columns: {ods_code: Trust, shift_date: Day, absent_action: Away}
constants: {staff_group: medical_and_dental, grade: resident_unsplit}
"""
Written = Callable[..., Registry]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Written:
    """The registry of these feed lines, and of other files by name."""

    def write(*lines: str, **files: str) -> Registry:
        for name, text in {"feeds__a": "".join(f"- {line}\n" for line in lines) or "[]", **files}.items():
            path = tmp_path / f"{name.replace('__', '/')}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        monkeypatch.setenv("STRIKES_CONFIG", str(tmp_path))
        return load_registry()

    return write


def line(**given: str | None) -> str:
    """A good feed's line with these values in place of its own; None leaves one out."""
    own = {"trust": "RHU", "extract": "staffing", "location": "RHU/files", "contact": "a@b.nhs.uk"} | given
    return "{" + ", ".join(f"{k}: {v}" for k, v in own.items() if v is not None) + "}"


@pytest.mark.parametrize(
    ("bad", "field", "value", "says"),
    [
        (line(due="25:99"), "due", "25:99", "it is no time of day. Write it as HH:MM, such as 18:00."),
        (line(due="9:00"), "due", "9:00", "it is no time of day"),
        (line(grace="-1"), "grace", "-1", "Give whole minutes"),
        (line(grace="half an hour"), "grace", "half an hour", "Give whole minutes"),
        (line(trust="rhu"), "trust", "rhu", "The nearest is RHU (Portsmouth Hospitals University NHS Trust)."),
        (line(trust="ZZZZZ"), "trust", "ZZZZZ", "organisations.csv"),
        (line(trust=None), "trust", None, "it is missing"),
        (line(extract="staff"), "extract", "staff", "The nearest is staffing."),
        (line(transport="ftp"), "transport", "ftp", "The nearest is sftp."),
        (line(transport="sftp"), "connection", None, "sftp needs one"),
        (line(connection="rhu_sftp"), "connection", None, "say which transport is meant"),
        (line(transport="mesh", connection="m", location="INBOX"), "location", "INBOX", "WORKFLOW/SENDERMAILBOX"),
        (line(transport="https", connection="h", location="//other/x"), "location", "//other/x", "names a server"),
        (line(transport="object_store", location="file:///etc"), "location", "file:///etc", "of an object store"),
        (line(location="../../etc"), "location", "../../etc", "it leaves its folder"),
        (line(location="a*/b"), "location", "a*/b", "only its last part may be a pattern"),
        (line(location="'a\\b'"), "location", "a\\b", "backslash"),
        (line(dialect="absent"), "dialect", "absent", "there is no such dialect. Choose one of: mine, template."),
        (line(extract="cancellations", dialect="mine"), "dialect", "mine", "the dialect is for staffing"),
        (line(contact="the information team"), "contact", "the information team", "it is no e-mail address"),
        (line(data_class="fake"), "data_class", "fake", "Write real or synthetic."),
        (line(enabled="perhaps"), "enabled", "perhaps", "Write true or false."),
        (line(loction="x"), "loction", None, "The nearest is location"),
    ],
)  # fmt: skip
def test_a_bad_line_is_named_with_its_fix_and_stops_its_own_feed_only(
    written: Written, tmp_path: Path, bad: str, field: str, value: str | None, says: str
) -> None:
    registry = written(GOOD, bad, dialects__d=DIALECT)
    assert [f.id for f in registry.feeds] == ["RHM.cancellations"]
    [fault] = registry.faults
    assert (fault.file, fault.line) == (str(tmp_path / "feeds" / "a.yaml"), 2)
    assert (fault.what, fault.field, fault.value) == ("feed", field, value)
    assert says in str(fault)


def test_everything_wrong_with_a_line_is_said_at_once(written: Written) -> None:
    registry = written(line(trust="XXX", due="24:00", contact="nobody"))
    assert sorted(f.field for f in registry.faults) == ["contact", "due", "trust"]


@pytest.mark.parametrize(
    "bad",
    [
        line(password="hunter2"),
        line(transport="https", connection="'https://me:hunter2@host'"),
        line(transport="https", connection="h", location="'https://me:hunter2@host/x'"),
        line(transport="object_store", location="'s3://key:hunter2@bucket/x'"),
    ],
)
def test_a_secret_in_the_registry_is_refused_and_never_shown(written: Written, bad: str) -> None:
    registry = written(bad)
    assert registry.feeds == ()
    assert registry.faults
    assert not any("hunter2" in str(f) for f in registry.faults)


def test_every_transport_that_a_line_may_name_can_be_opened() -> None:
    for name, kind in KINDS.items():
        if kind.connection == "must":
            with pytest.raises(PullFailed, match="names no connection"):
                open_transport(name, None)
        else:
            open_transport(name, None).close()
    with pytest.raises(PullFailed, match="there is no transport called 'ftp'"):
        open_transport("ftp", None)


def test_a_feed_over_several_lines_is_named_by_the_line_of_the_bad_field(written: Written) -> None:
    text = "- trust: RHM\n  extract: staffing\n  location: x\n  due: noon\n  contact: a@b.nhs.uk\n"
    assert [f.line for f in written(feeds__b=text).faults] == [4]


def test_a_time_need_not_be_quoted(written: Written) -> None:
    [feed] = written(line(due="18:30", grace="45", enabled="no")).feeds
    assert (feed.due, feed.grace, feed.enabled) == ("18:30", 45, False)


def test_a_line_that_is_not_yaml_stops_its_own_feed_only(written: Written) -> None:
    registry = written(GOOD, "{trust: RHU, extract: staffing, location: [x, contact: a@b.nhs.uk}", line(trust="RTH"))
    assert [f.id for f in registry.feeds] == ["RHM.cancellations", "RTH.staffing"]
    [fault] = registry.faults
    assert (fault.line, fault.name) == (2, "RHU.staffing")
    assert "this is not YAML" in str(fault)


def test_a_file_that_cannot_be_read_stops_no_other(written: Written, tmp_path: Path) -> None:
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "b.yaml").write_bytes(b"\xff\xfe\x00")
    registry = written(GOOD)
    assert len(registry.feeds) == 1
    assert [f.file.endswith("b.yaml") for f in registry.faults] == [True]


def test_a_file_that_was_emptied_is_named(written: Written) -> None:
    """Its feeds would be gone without a word. One that says `[]`, or holds only comments, says that it has none."""
    registry = written(GOOD, feeds__b="\n", feeds__c="[]\n", feeds__d="# - a feed\n", dialects__e="")
    assert [f.id for f in registry.feeds] == ["RHM.cancellations"]
    assert [(f.file[-6:], f.message) for f in (*registry.faults, *load_dialects().faults)] == [
        ("b.yaml", "the file is empty"),
        ("e.yaml", "the file is empty"),
    ]


def test_a_feed_given_twice_is_not_guessed_and_both_places_are_named(written: Written, tmp_path: Path) -> None:
    registry = written(GOOD, line(), feeds__b=f"- {line(location='elsewhere')}\n")
    assert [f.id for f in registry.feeds] == ["RHM.cancellations"]
    first, second = registry.faults
    assert (first.line, second.line) == (2, 1)
    assert f"the other is at {tmp_path / 'feeds' / 'b.yaml'}, line 1" in str(first)
    assert f"the other is at {tmp_path / 'feeds' / 'a.yaml'}, line 2" in str(second)


def test_a_field_given_twice_is_not_guessed(written: Written) -> None:
    [fault] = written("{trust: RHU, extract: staffing, location: x, location: y, contact: a@b.nhs.uk}").faults
    assert (fault.field, fault.name) == ("location", "RHU.staffing")


@pytest.mark.parametrize("bad", ["&a {trust: *a}", "{<<: text}", "{<<: {[a]: b}}", "{[a]: b}", "text", "[a]", "1"])
def test_a_line_of_another_shape_stops_itself_only(written: Written, bad: str) -> None:
    registry = written(GOOD, bad)
    assert [f.id for f in registry.feeds] == ["RHM.cancellations"]
    assert [f.line for f in registry.faults] == [2]


def test_lines_may_share_values(written: Written) -> None:
    text = f"- &shared {line(due='10:00')}\n- {{<<: *shared, trust: RTH}}\n"
    registry = written(feeds__b=text)
    assert [(f.id, f.due) for f in registry.feeds] == [("RHU.staffing", "10:00"), ("RTH.staffing", "10:00")]


def test_a_disabled_feed_is_known_and_not_pulled(written: Written) -> None:
    registry = written(GOOD, line(enabled="false"))
    assert [f.id for f in registry.feeds] == ["RHM.cancellations", "RHU.staffing"]
    assert [f.id for f in load_feeds()] == ["RHM.cancellations"]


def test_what_is_not_pulled_for_a_fault_is_in_the_log(written: Written, caplog: pytest.LogCaptureFixture) -> None:
    written(line(due="25:99"))
    assert load_feeds() == ()
    assert "feed RHU.staffing: due = '25:99'" in caplog.text


@pytest.mark.parametrize(
    ("old", "new", "field", "says"),
    [
        ("shift_date", "shift_dat", "columns.shift_dat", "staffing has no such field. The nearest is shift_date"),
        ("absent_action: Away", "due_to_work: Due", "columns", "nothing gives absent_action"),
        ("shift_date: Day", "shift_date: [Day", "", "not YAML"),
        ("shift_date: Day", "{shift_date: Day}", "", "a name is not plain text"),
        ("shift_date: Day", 'shift_date: {header: Day, format: "%d %B"}', "columns.shift_date.format", "a year"),
        ("medical_and_dental", "medics", "constants.staff_group", "staffing's staff_group has no value medics"),
        ("description: Mine.", "description: Mine.\nencodings: [latin-42]", "encodings.0", "no such encoding"),
        ("description: Mine.", "description: Mine.\ncolour: red", "colour", "a dialect has no such field"),
        ("description: Mine.\n", "", "description", "it is missing"),
        ("staffing", "staff", "extract", "The nearest is staffing"),
    ],
)
def test_a_bad_dialect_is_named_and_stops_only_the_feeds_that_use_it(
    written: Written, old: str, new: str, field: str, says: str
) -> None:
    other = DIALECT.replace("id: mine", "id: other")
    text = f"{DIALECT.replace(old, new)}---{other}"
    registry = written(GOOD, line(dialect="mine"), line(trust="RTH", dialect="other"), dialects__d=text)
    assert [f.id for f in registry.feeds] == ["RHM.cancellations", "RTH.staffing"]
    [fault] = load_dialects().faults
    assert (fault.what, fault.name, fault.field) == ("dialect", "mine", field)
    assert says in str(fault)
    [used] = registry.faults
    assert (used.name, used.field) == ("RHU.staffing", "dialect")
    assert str(fault) in str(used)


def test_a_dialect_given_twice_is_not_guessed(written: Written) -> None:
    registry = written(GOOD, line(dialect="mine"), dialects__d=DIALECT, dialects__e=DIALECT)
    assert [f.id for f in registry.feeds] == ["RHM.cancellations"]
    assert [f.name for f in load_dialects().faults] == ["mine", "mine"]


@pytest.mark.slow
@each(st.recursive(st.text("ab:#{}[]&*!|>'\"%@- \n\t0", max_size=8) | st.none() | st.integers(), st.lists))
def test_no_registry_file_raises(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "feeds").mkdir()
    raw = value if isinstance(value, str) else yaml.safe_dump(value)
    (folder / "feeds" / "a.yaml").write_text(f"- {GOOD}\n- {raw}\n")
    for found in load_registry(folder).faults:
        assert isinstance(found, Fault)
        assert str(found)


@pytest.mark.parametrize(
    ("text", "found"),
    [("18:05", time(18, 5)), ("00:00", time()), ("24:00", None), ("25:99", None), ("8:00", None), ("", None),
     (None, None), (1080, None), ("18:00 ", None), ("١٨:٠٠", None)],
)  # fmt: skip
def test_a_due_time_of_an_old_receipt_stops_nothing(text: object, found: time | None) -> None:
    assert parse_due(text) == found


def test_the_embedded_example_has_no_fault() -> None:
    registry = load_registry()
    assert (len(registry.feeds), registry.faults, load_dialects().faults) == (28, (), ())
    assert not {"password", "secret", "key", "token"} & set(Feed.model_fields)


def test_a_starter_configuration_works_as_it_is_and_with_its_examples_uncommented(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mine"
    write_starter(folder)
    monkeypatch.setenv("STRIKES_CONFIG", str(folder))
    settings.cache_clear()
    assert load_registry() == Registry((), ())
    assert not settings().cut_at_once, "a team's figures are drafts until an announced time"
    defaults = settings()
    for path in (folder / "feeds" / "feeds.yaml", folder / "dialects" / "dialects.yaml"):
        example = path.read_text().partition("make them yours:\n")[2]
        path.write_text(re.sub("^#", "", example, flags=re.MULTILINE))
    feeds = folder / "feeds" / "feeds.yaml"
    feeds.write_text(f"{feeds.read_text()}  dialect: supplier_daily\n")
    (folder / "settings.toml").write_text(re.sub("^#(?! )", "", settings_toml(), flags=re.MULTILINE))
    reload_dialects()
    settings.cache_clear()
    registry = load_registry()
    assert ([f.id for f in registry.feeds], registry.faults) == (["RHU.cancellations"], ())
    assert settings() == defaults
    assert len(tomllib.loads((folder / "settings.toml").read_text())) == len(Settings.model_fields)


def test_a_starter_configuration_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(StrikesError, match="nothing is overwritten"):
        write_starter(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["kept.txt"]


def test_a_collective_feed_may_speak_for_an_area_an_icb_or_a_region(written: Written) -> None:
    orgs = organisations()
    lines = {
        "area": "[HAMPSHIRE]",
        "icb": "[QRL, RYR]",
        "region": "[Y59]",
        "every": "[all, RHU]",
        "none": "[HAMSHIRE]",
    }
    found = written(*(line(trust=None, sender=name, trusts=trusts) for name, trusts in lines.items()))
    spoken = {f.sender: f.speaks_for for f in found.feeds}
    assert spoken["area"] == orgs.members("HAMPSHIRE")
    assert {"RHU", "RHM", "RW1"} <= {*spoken["area"]}
    assert {"RHU", "RYR"} <= {*spoken["icb"]}
    assert all(orgs.areas(orgs.successor(c), date(2026, 6, 1))[-2].area_code == "Y59" for c in spoken["region"])
    assert spoken["every"] == ("all",)
    assert [(f.name, f.field) for f in found.faults] == [("none.staffing", "trusts.0")]


def test_a_code_that_was_taken_over_is_still_of_its_area() -> None:
    orgs = organisations()
    before = {c for c in orgs.members("HAMPSHIRE") if orgs.successor(c) != c}
    assert before
    assert {orgs.successor(c) for c in before} <= {*orgs.members("HAMPSHIRE")}
    assert orgs.members("RHU") == ()


def test_a_collective_feed_is_disabled_by_its_id(written: Written) -> None:
    written(line(trust=None, sender="the-group", trusts="[all]"), line())
    set_enabled("the-group.staffing", False)
    assert {f.id: f.enabled for f in load_registry().feeds} == {"the-group.staffing": False, "RHU.staffing": True}
