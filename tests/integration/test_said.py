"""What judging hands on about a submission: sums by part, nil marks, whole days, and what its sender is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
import yaml
from conftest import judge
from strike_reporting.cli import app
from strike_reporting.intake.collecting import collect, collect_drop
from strike_reporting.intake.registry import dialects, load_feeds
from strike_reporting.judging import rulebook
from strike_reporting.judging.filing import findings
from strike_reporting.judging.settle import to_validate
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Outcome, Said
from strike_reporting.operations.mail import Post, deliver
from strike_reporting.storage import Store
from typer.testing import CliRunner

JD = "JD-2023-04-11"
CANCELLED = "ods_code,site_code,activity_date,point_of_delivery,status,cancelled_count\n"
STAFF = "ods_code,shift_date,staff_group,absent_action,due_to_work,absent_other\n"
Drop = Callable[..., Path]


def said(store: Store, folder: Path) -> dict[str, Said]:
    collect_drop(store, folder, JD)
    [outcome] = judge(store)
    return {s.part: s for s in outcome.said}


def test_every_number_is_summed_by_part(store: Store, drop: Drop) -> None:
    rows = "RHU,2023-04-11,students,0,12,\nRHU,2023-04-11,students,3,30,\nRHU,2023-04-11,doctors,4,,1\n"
    found = said(store, drop(a__csv=STAFF + rows))
    assert {part: s.sums for part, s in found.items()} == {
        "students|": {"absent_action": 3, "due_to_work": 42},
        "medical_and_dental|": {"absent_action": 4, "absent_other": 1},
    }
    assert [s.total for s in found.values()] == [s.sums["absent_action"] for s in found.values()]


def test_a_part_is_told_by_setting_unit_and_site(store: Store, drop: Drop) -> None:
    rows = "RHU,RHU03,2023-04-11,day_case,cancelled,2\nRHU,RHU03,2023-04-11,elective_inpatient,cancelled,3\n"
    rows += "RHU,,2023-04-11,community,rebooked,1\n"
    found = said(store, drop(a__csv=CANCELLED + rows))
    assert {part: (s.rows, s.total) for part, s in found.items()} == {
        "cancelled|inpatient|appointment|RHU03": (2, 5),
        "rebooked|community|appointment|": (1, 1),
    }


def test_a_copy_is_quarantined_by_its_row(store: Store, drop: Drop) -> None:
    row = "RHU,RHU03,2023-04-11,day_case,cancelled,{}\n"
    rows = "".join(row.format(n) for n in (5, 6, 7))
    collect_drop(store, drop(a__csv=CANCELLED + rows + rows + row.format("x")), JD)
    [outcome] = judge(store)
    assert (outcome.status, outcome.rules) == ("accepted_in_part", {"pasted_again": 3, "number": 1})
    assert [(s.part, s.total, s.rows, s.quarantined) for s in outcome.said] == [
        ("", 0, 0, 4),
        ("cancelled|inpatient|appointment|RHU03", 18, 3, 0),
    ]
    copy = next(p for p in findings(store, outcome.submission_id) if p.rule == "pasted_again")
    assert (copy.row, copy.column, copy.value, copy.day) == (5, "cancelled_count", "5", "2023-04-11")
    assert "this row repeats row 2" in copy.message and copy.message.endswith("it is not counted")
    assert copy.fix.startswith("Remove the copy.")


def test_a_nil_mark_is_told_from_a_zero_that_was_given(store: Store, drop: Drop) -> None:
    nil = dialects()["wide_nil_marked"]
    assert nil.nil and nil.unpivot
    names = [*(nil.columns[n].header[0] for n in ("ods_code", "activity_date")), *nil.unpivot.columns, nil.nil.header]
    rows = f"{','.join(names)}\nRHU,11-Apr-2023,,,Yes\nRHU,12-Apr-2023,0,0,\n"
    collect_drop(store, drop(n__csv=rows), JD)
    [outcome] = judge(store)
    marked = {(str(s.day), s.is_nil, s.total) for s in outcome.said}
    assert marked == {("2023-04-11", True, 0), ("2023-04-12", False, 0)}


def test_an_older_record_is_read_with_defaults() -> None:
    old = {"day": "2023-04-11", "part": "p", "rows": 1, "total": 2}
    kept = {"submission_id": "s", "sequence": 1, "feed_id": "f", "source_name": "a", "received_at": "2026"}
    kept |= {"status": "accepted", "reason": "", "fix": "", "sha256": "0", "said": [old]}
    outcome = Outcome.model_validate(kept)
    assert (outcome.said[0].sums, outcome.said[0].is_nil) == ({}, False)
    assert (outcome.withdrawn, outcome.restates_day) == ("", False)


@pytest.fixture
def feed(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A feed whose files restate the day, with one file that is used with a warning."""
    entry = {"trust": "RHU", "extract": "cancellations", "location": "in", "contact": "a@rhu.example"}
    (tmp_path / "config" / "feeds").mkdir(parents=True)
    (tmp_path / "config" / "feeds" / "f.yaml").write_text(yaml.safe_dump([{**entry, "restates_day": True}]))
    monkeypatch.setenv("STRIKES_CONFIG", str(tmp_path / "config"))
    folder = home / "inbox" / "in"
    folder.mkdir(parents=True)
    rows = "RHU,RHU03,2023-04-11,day_case,cancelled,9\nRHU,,2023-04-11,day_case,cancelled,4\n"
    (folder / "a.csv").write_text(CANCELLED + rows)
    return folder


def test_a_sender_hears_of_warnings_once(store: Store, feed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    today = rulebook.METHOD
    monkeypatch.setattr(rulebook, "METHOD", today - 1)
    collect(store, "2026-11-24", load_feeds())
    [outcome] = judge(store)
    assert (outcome.status, outcome.warnings, outcome.restates_day) == ("accepted", 1, True)
    assert [e.name for e in ledger_of(store).letters.listed()] == [f"{outcome.submission_id}.accepted"]
    sent: list[EmailMessage] = []
    assert deliver(store, Post("s@nhs.example", sent.append), datetime.now(UTC))["sent"] == 1
    assert sent[0]["To"] == "a@rhu.example" and sent[0]["Subject"].endswith("was used, with warnings")
    text = sent[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "1 warning: unless it is said of one, the rows are counted" in text
    assert "row 3, column site_code: " in text and "unsited_beside_sited: a warning; nothing was left out" in text
    monkeypatch.setattr(rulebook, "METHOD", today)
    assert [r.submission_id for r in to_validate(store)] == [outcome.submission_id], "the method is another one"
    [again] = judge(store)
    assert again.pins != outcome.pins and again.said == outcome.said
    assert deliver(store, Post("s@nhs.example", sent.append), datetime.now(UTC))["sent"] == 0


def test_a_file_without_findings_sends_nothing(store: Store, feed: Path) -> None:
    (feed / "a.csv").write_text(CANCELLED + "RHU,RHU03,2023-04-11,day_case,cancelled,9\n")
    collect(store, "2026-11-24", load_feeds())
    [outcome] = judge(store)
    assert outcome.warnings == 0 and ledger_of(store).letters.listed() == []
    assert outcome.reason == "1 row used"


def test_the_command_line_counts_warnings_and_shows_the_first(
    home: Path, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIKES_WARNINGS_SHOWN", "1")
    row = "RHU,,2023-04-11,day_case,cancelled,1\n"
    folder = drop(a__csv=CANCELLED + row + row + row.replace("day_case", "community") * 2)
    done = CliRunner().invoke(app, ["run", "--action", JD, "--drop", str(folder)])
    assert done.exit_code == 0, done.output
    assert "2 warnings in 1 file; unless it is said, the rows are counted:" in done.output
    assert done.output.count("this row is identical with row") == 1
    reference = done.output.partition("strikes submission show ")[2].partition("`")[0]
    shown = CliRunner().invoke(app, ["submission", "show", reference]).output
    assert shown.count("identical") == 2 and "accepted: 4 rows used" in shown
