"""`strikes doctor` and a round where more is wrong than one record: the database, lost bytes, what was cut short."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest
from damages import RHU, InRow, landed
from roots import LATER, A, B, Root, built, cancelled, current, look, round_of, sql
from strike_reporting import ledger
from strike_reporting.cli import app
from strike_reporting.errors import OurFault
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Receipt
from strike_reporting.operations.rebuild import rebuild
from strike_reporting.processes import me
from strike_reporting.storage import Store
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Root]:
    with built(tmp_path_factory.mktemp("doctor")) as root:
        yield root


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0 and then nothing of the kind" * 99, None])
def test_a_damaged_ledger_is_named_and_made_again(root: Root, content: bytes | None) -> None:
    path = root.home / "ledger" / "ledger.sqlite"
    ledger_of(Store()).engine.dispose()
    for other in path.parent.glob("ledger.sqlite-*"):
        other.unlink()
    if content is None:
        data = bytearray(path.read_bytes())
        data[4096 * 2 :] = b"\xff" * (len(data) - 4096 * 2)
        content = bytes(data)
    path.write_bytes(content)
    ledger._opened.clear()
    (found,) = look()
    assert found.what == "ledger" and "strikes ledger rebuild" in found.mend + found.wrong
    with pytest.raises(OurFault, match="strikes ledger rebuild"):
        round_of("2026-11-25")
    path.rename(path.with_suffix(".damaged"))
    ledger._opened.clear()
    rebuild(Store())
    assert look() == [] and round_of("2026-11-25") == [] and cancelled(A) == 49


def test_the_last_pull_of_a_failing_feed_is_damaged(root: Root) -> None:
    sql(f"UPDATE feeds SET is_failing = (1 = 1), last_pull = '{{' WHERE {RHU}")
    assert ledger_of(Store()).receiving.failing() == {"RHU.cancellations": "its record is damaged"}
    assert {f.what for f in look()} == {"ledger, feeds RHU.cancellations"}
    assert round_of("2026-11-25") == [], "the next pull writes it anew"
    assert look() == [] and ledger_of(Store()).receiving.failing() == {}


def test_a_receipt_that_nobody_has_any_more_is_landed_again_under_its_number(root: Root) -> None:
    identity = root.submission("RHU")
    path, row = root.home / f"landing/receipts/{identity}.json", InRow("receipts", "record", RHU)
    number, kept = sql(f"SELECT sequence FROM receipts WHERE {RHU}")[0][0], json.loads(path.read_bytes())
    path.write_bytes(b"")
    row.write(b"")
    assert "restore it from a backup" in {f.what: f.mend for f in look()}[f"landing/receipts/{identity}.json"]
    assert round_of("2026-11-25") == [], "its feed still has it"
    again = json.loads(path.read_bytes())
    assert (again["sequence"], again["sha256"]) == (number, kept["sha256"])
    assert look() == [] and cancelled(A) == 49


def test_lost_bytes_take_nothing_out_of_the_figures(root: Root) -> None:
    landed(root).unlink()
    shutil.rmtree(root.home / "inbox" / "RHU")
    (root.home / "inbox" / "RHU").mkdir()
    dialect = root.folder / "config" / "dialects" / "plain.yaml"
    dialect.write_text(dialect.read_text().replace("writes", "wrote"))  # so that it must be judged again
    (problem,) = round_of("2026-11-25")
    assert "its landed bytes are gone, so what was found before stands" in problem
    assert cancelled(A) == 49 and current() == [f"{A}.r2", f"{B}.r1"]


def test_lost_bytes_that_the_sender_still_has_are_landed_again(root: Root) -> None:
    kept = landed(root).read_bytes()
    landed(root).unlink()
    assert round_of("2026-11-25") == [] and look() == []
    assert landed(root).read_bytes() == kept
    assert cancelled(A) == 49 and current() == [f"{A}.r2", f"{B}.r1"]


def test_what_was_cut_short_and_left_over_is_named_with_what_ends_it(root: Root) -> None:
    home, dead = root.home, me().rpartition("-")[0].rpartition("-")[0] + "-999999999-1"
    store, known = Store(), ledger_of(Store())
    found = Receipt(
        submission_id="0" * 20, feed_id="RHU.cancellations", source_name="a", received_at="", size=0, sha256="0"
    )
    known.receiving.number([(found, None)])
    known.published.claim(B, B, "0")
    sql("UPDATE releases SET owner = :dead WHERE state = 'claimed'", dead=dead)
    letter = known.letters.listed()[0]
    known.letters.put(letter, "failed", "550 no such mailbox")
    for key in ("tmp/host-1-00", "landing/objects/aa/aa", "landing/restricted/bb", f"releases/{B}/0007/a.csv"):
        (home / key).parent.mkdir(parents=True, exist_ok=True)
        (home / key).write_text("")
    said = {f.what: f.mend for f in look()}
    assert said == {
        f"landing of a ({found.submission_id})": "airflow dags trigger collect_extracts; a drop: `strikes run` again",
        f"release {B}.r2": "airflow dags trigger publish_disruption",
        f"letter {letter.name}": "mend that; each run tries again for 2 days",
        "tmp/host-1-00": "`strikes purge`",
        "landing/objects/aa/aa": "airflow dags trigger collect_extracts; then remove landing/objects/aa/aa",
        "landing/restricted/bb": "`strikes purge`",
        f"releases/{B}/0007": "airflow dags trigger publish_disruption; or remove it",
    }
    assert CliRunner().invoke(app, ["doctor"]).exit_code == 4
    assert store.exists("tmp/host-1-00") and known.published.unfinished() == [B], "it only looks"
    root.send("R1F", LATER)
    assert round_of("2026-11-25") == [] and cancelled(B) == 305
    assert f"release {B}.r2" not in {f.what for f in look()}
    assert CliRunner().invoke(app, ["purge", "--yes"]).exit_code == 0
    assert not {"landing/restricted/bb", "tmp/host-1-00"} & {f.what for f in look()}


def test_it_never_fails_because_of_what_it_looks_at(root: Root) -> None:
    for path in [p for p in root.folder.rglob("*") if p.is_file() and "ledger" not in p.parts]:
        path.unlink()
        path.mkdir()
        (path / "inside").write_bytes(b"\0")
    assert len(look()) > 10
    shutil.rmtree(root.home / "landing")
    (root.home / "landing").write_text("a file in place of a folder")
    assert len(look()) > 10
