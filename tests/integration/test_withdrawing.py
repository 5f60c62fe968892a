"""Rows sent in error are taken out by a person: who, when and why stand in the ledger and beside the receipt."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from conftest import judge
from strike_reporting import ledger
from strike_reporting.cli import app
from strike_reporting.errors import StrikesError
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.judged import Judged
from strike_reporting.ledger.records import Outcome
from strike_reporting.ledger.schema import HEAD
from strike_reporting.operations.rebuild import rebuild
from strike_reporting.operations.withdrawing import withdraw
from strike_reporting.storage import Store
from typer.testing import CliRunner

pytestmark = pytest.mark.usefixtures("few_trusts")
JD = "JD-2023-04-11"
HEADER = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
Drop = Callable[..., Path]


@pytest.fixture
def sent(store: Store, drop: Drop) -> Outcome:
    collect_drop(store, drop(a__csv=HEADER + "RHU,2023-04-11,day_case,cancelled,40\n"), JD)
    [outcome] = judge(store)
    touched = ledger_of(store).judged.touched()
    for action, mark in touched.items():
        ledger_of(store).judged.looked_at(action, mark)
    return outcome


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["submission", *words])
    raised = done.exception if isinstance(done.exception, StrikesError) else ""
    return done.exit_code, f"{done.output}{raised}"


def test_a_withdrawal_is_kept_shown_and_published(store: Store, home: Path, sent: Outcome) -> None:
    code, said = run("withdraw", sent.submission_id, "--who", "A. Analyst", "--why", "the wrong\nmonth's file")
    assert code == 0 and "a.csv" in said and JD in said
    kept = json.loads((home / "landing" / "withdrawals" / f"{sent.submission_id}.json").read_text())
    assert (kept["who"], kept["why"]) == ("A. Analyst", "the wrong month's file")
    judged = ledger_of(store).judged
    [about] = judged.about([d.day for d in sent.said], [JD], ("2026", "2027"))
    assert about.withdrawn == f"withdrawn by A. Analyst on {kept['at'][:16].replace('T', ' ')} UTC: {kept['why']}"
    assert list(judged.touched()) == [JD], "its action is published again, and no other"
    code, said = run("show", sent.submission_id)
    assert code == 0 and about.withdrawn in said and "40" in said
    assert "withdrawn" in CliRunner().invoke(app, ["outcomes"]).output


def test_what_cannot_be_withdrawn_says_why(store: Store, drop: Drop, sent: Outcome) -> None:
    named = ("--who", "A. Analyst", "--why", "sent in error")
    assert "there is no submission 'nonesuch'" in run("withdraw", "nonesuch", *named)[1]
    assert "--why is empty" in run("withdraw", sent.submission_id, "--who", "A", "--why", "  ")[1]
    assert "--who is empty" in run("withdraw", sent.submission_id, "--who", "", "--why", "x")[1]
    assert run("withdraw", sent.submission_id, "--who", "A")[0] == 2
    assert ledger_of(store).judged.withdrawn() == []
    collect_drop(store, drop(b__csv="nothing like it\n"), JD)
    assert "not judged yet" in run("withdraw", ledger_of(store).receiving.to_judge()[0].submission_id, *named)[1]
    [refused] = judge(store)
    assert "was rejected, so no figure holds a row of it" in run("withdraw", refused.submission_id, *named)[1]
    assert run("withdraw", sent.submission_id, *named)[0] == 0
    code, said = run("withdraw", sent.submission_id, "--who", "B", "--why", "again")
    assert code == 1 and "is withdrawn by A. Analyst" in said and "nothing is to be done" in said
    assert run("show", "nonesuch")[0] == 1


def test_rebuilding_and_judging_again_keep_it_withdrawn(store: Store, home: Path, sent: Outcome) -> None:
    said = withdraw(store, sent.submission_id, "A. Analyst", "sent in error")[0].withdrawn
    ledger_of(store).receiving.judge_again([sent.submission_id])
    judge(store)
    for path in (home / "ledger").iterdir():
        path.unlink()
    ledger._opened.clear()
    assert rebuild(store).set_aside == ()
    found = ledger_of(store).judged.get(sent.submission_id)
    assert found is not None and found.withdrawn == said
    (home / "landing" / "withdrawals" / f"{sent.submission_id}.json").unlink()
    assert rebuild(store).set_aside == ()
    assert (home / "landing" / "withdrawals" / f"{sent.submission_id}.json").exists(), "the ledger still had it"
    (home / "landing" / "withdrawals" / "x.json").write_text("{")
    assert "landing/withdrawals/x.json" in rebuild(store).set_aside[0]


def test_cut_short_its_first_word_stands(store: Store, sent: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Judged, "withdraw", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        withdraw(store, sent.submission_id, "A. Analyst", "sent in error")
    assert ledger_of(store).judged.withdrawn() == []
    said = withdraw(store, sent.submission_id, "B", "again")[0].withdrawn
    assert said.startswith("withdrawn by A. Analyst") and ledger_of(store).judged.withdrawn()[0].who == "A. Analyst"


def test_a_damaged_record_leaves_it_withdrawn(store: Store, sent: Outcome) -> None:
    said = withdraw(store, sent.submission_id, "A. Analyst", "sent in error")[0].withdrawn
    with ledger_of(store).engine.begin() as connection:
        connection.execute(sa.text("UPDATE withdrawals SET record = '{'"))
    found = ledger_of(store).judged.get(sent.submission_id)
    assert found is not None and "cannot be read" in found.withdrawn
    rebuild(store)
    found = ledger_of(store).judged.get(sent.submission_id)
    assert found is not None and found.withdrawn == said


def test_a_ledger_of_before_withdrawals_is_migrated(store: Store, sent: Outcome) -> None:
    with ledger_of(store).engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE withdrawals"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    ledger._opened.clear()
    withdraw(store, sent.submission_id, "A. Analyst", "sent in error")
    with ledger_of(store).engine.connect() as connection:
        assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() == HEAD
