"""Landing and the release folders are enough: everything else is made again, mails nobody and cuts no release."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from roots import LATER, PLAIN, A, B, Root, built, cancelled, current, round_of, sql
from strike_reporting import ledger
from strike_reporting.cli import app
from strike_reporting.errors import StrikesError
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.engine import LedgerMissing
from strike_reporting.ledger.records import Receipt
from strike_reporting.operations import rebuild as rebuilding
from strike_reporting.operations import rounds
from strike_reporting.operations.doctor import examine
from strike_reporting.operations.rebuild import in_order, rebuild
from strike_reporting.operations.setting_aside import set_aside
from strike_reporting.publishing.releases import NoRelease, find
from strike_reporting.publishing.reproduce import reproduce
from strike_reporting.storage import Store
from typer.testing import CliRunner

RELEASES = (f"{A}.r1", f"{A}.r2", f"{B}.r1")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Root]:
    with built(tmp_path_factory.mktemp("rebuild")) as root:
        yield root


def strikes(*words: str) -> str:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    return done.output


def leave_only_what_is_kept(root: Root) -> None:
    for folder in root.home.iterdir():
        if folder.name not in ("landing", "releases", "inbox"):
            shutil.rmtree(folder)
    ledger._opened.clear()


def publish() -> list[str]:
    """Ids of the releases that a round cuts."""
    done = [rounds.publish_group(group) for group in rounds.publish_plan()]
    assert [p for d in done for p in d["problems"]] == []
    return [r for d in done for r in d["releases"]]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_everything_is_made_again_from_landing_and_releases(
    root: Root, kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = root.files("landing", "releases", "accepted", "quarantine", "site")
    leave_only_what_is_kept(root)
    if kind == "postgresql":
        monkeypatch.setenv("STRIKES_LEDGER", request.getfixturevalue("postgres_url"))
    with pytest.raises(LedgerMissing, match="strikes ledger rebuild"):
        round_of("2026-11-25")
    assert "3 receipts judged again, 3 releases found" in strikes("ledger", "rebuild")
    for release in RELEASES:
        done = reproduce(Store(), release)
        assert (done.files, done.versions, done.cells) == ((), (), ()), release
    assert ledger_of(Store()).letters.listed() == []
    assert rounds.validate_plan() == [] and publish() == []
    assert sorted(rounds.draw_site()) == list(RELEASES) and rounds.draw_site() == []
    assert root.files("landing", "releases", "accepted", "quarantine", "site") == before
    assert examine(Store()) == []


def test_twice_and_in_a_ledger_that_was_whole_it_changes_nothing(root: Root) -> None:
    letters = ledger_of(Store()).letters.listed()
    before = root.files("landing", "releases", "accepted", "quarantine")
    for _ in range(2):
        rebuild(Store())
        assert root.files("landing", "releases", "accepted", "quarantine") == before
    assert ledger_of(Store()).letters.listed() == letters != [], "what was to be mailed is neither lost nor doubled"
    assert publish() == []


@pytest.mark.parametrize(
    ("edit", "cut"),
    [
        (("As RHU writes it.", "As RHU has it written."), []),
        (("status: What", "status: {header: What, codes: {cancelled: reinstated}}"), [f"{A}.r3"]),
    ],
    ids=["of-words", "of-figures"],
)
def test_after_an_edit_of_a_dialect(root: Root, edit: tuple[str, str], cut: list[str]) -> None:
    leave_only_what_is_kept(root)
    (root.folder / "config" / "dialects" / "plain.yaml").write_text(PLAIN.replace(*edit))
    rebuild(Store())
    for release in RELEASES:
        assert reproduce(Store(), release).files == (), "by the rules of that time"
    assert publish() == cut, "only where a reader is told something new"


@pytest.mark.exhaustive
def test_with_another_pyarrow_it_says_so_and_compares_cells(root: Root, tmp_path: Path) -> None:
    leave_only_what_is_kept(root)
    rebuild(Store())
    other = tmp_path / "other"
    fetch = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(other), "pyarrow==25.0.0"]
    if shutil.which("uv"):
        fetch[1:4] = []
        fetch = ["uv", "pip", "install", "--quiet", "--no-deps", "--target", str(other), "pyarrow==25.0.0"]
    if subprocess.run(fetch, check=False).returncode:
        pytest.skip("no other pyarrow can be fetched here")
    said = subprocess.run(
        [sys.executable, "-c", "from strike_reporting.cli import main; main()", "release", "reproduce", f"{A}.r2"],
        env={**os.environ, "PYTHONPATH": f"{other}:{Path(rebuilding.__file__).parents[2]}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert "pyarrow was 26" in said.stdout and "it is 25.0.0" in said.stdout
    assert f"{A}.r2 reproduced in every cell" in said.stdout


def test_cut_short_it_is_begun_again_and_meanwhile_nothing_is_mailed(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_only_what_is_kept(root)
    with monkeypatch.context() as patch:
        patch.setattr(rebuilding, "validate", _dies)
        with pytest.raises(KeyboardInterrupt):
            rebuild(Store())
    ledger._opened.clear()  # as in the next process
    with pytest.raises(LedgerMissing, match="cut short"):
        round_of("2026-11-25")
    assert examine(Store())[0].mend == "`strikes ledger rebuild`"
    rebuild(Store())
    assert ledger_of(Store()).letters.listed() == []
    assert examine(Store()) == [] and publish() == []


def _dies(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_receipt_that_only_the_ledger_has_is_written_again(root: Root) -> None:
    path = root.home / "landing" / "receipts" / f"{root.submission('RHM')}.json"
    kept = path.read_bytes()
    path.unlink()
    shutil.copy(root.home / "landing" / "receipts" / f"{root.submission('RHU')}.json", path.parent / "copy.json")
    done = rebuild(Store())
    assert path.read_bytes() == kept
    assert (done.receipts, len(done.set_aside)) == (3, 1)
    assert "it is a copy of the receipt of" in done.set_aside[0]


def test_a_damaged_release_keeps_its_number_and_its_place(root: Root) -> None:
    leave_only_what_is_kept(root)
    (root.home / "releases" / A / "0002" / "manifest.json").write_text("{")
    done = rebuild(Store())
    assert done.releases == 2 and len(done.set_aside) == 1 and "set-aside JD-2023-04-11.r2" in done.set_aside[0]
    (problem,) = [p for group in rounds.publish_plan() for p in rounds.publish_group(group)["problems"]]
    assert "0002/manifest.json cannot be read" in problem
    assert (root.home / "releases" / A / "0002" / "action_totals.parquet").exists(), "nothing is written over it"


def test_a_release_set_aside_is_replaced_under_a_new_number(root: Root) -> None:
    folder = root.home / "releases" / A
    kept = {p.name: p.read_bytes() for p in (folder / "0002").iterdir() if p.is_file()}
    assert f"releases/{A}/set-aside/0002-1" in strikes("release", "set-aside", f"{A}.r2")
    assert current() == [f"{A}.r1", f"{B}.r1"]
    assert find(Store(), A).number == json.loads((folder / "latest.json").read_bytes())["number"] == 1
    moved = folder / "set-aside" / "0002-1"
    assert {p.name: p.read_bytes() for p in moved.iterdir() if p.is_file()} == kept
    assert root.files(f"releases/{A}/0002") == {}
    assert root.files(f"site/{A}/0002") == {}
    assert {e.state for e in ledger_of(Store()).letters.listed() if e.about == f"{A}.r2"} == {"expired"}
    assert examine(Store()) == []
    rebuild(Store())  # also after that its number is not used again
    assert publish() == [f"{A}.r3"]
    assert find(Store(), A).previous == f"{A}.r1" and cancelled(A) == 49
    assert sorted(rounds.draw_site()) == [f"{A}.r1", f"{A}.r3", f"{B}.r1"] and examine(Store()) == []


def test_the_only_release_set_aside(root: Root) -> None:
    strikes("release", "set-aside", f"{B}.r1")
    assert current() == [f"{A}.r2"]
    with pytest.raises(NoRelease):
        find(Store(), B)
    assert list((root.home / "site" / B).rglob("*.html")) == []
    assert rounds.draw_site() == [] and B not in (root.home / "site" / "index.html").read_text()
    assert publish() == [f"{B}.r2"] and cancelled(B) == 5
    with pytest.raises(NoRelease):
        set_aside(Store(), f"{B}.r7")


@pytest.mark.parametrize("after", range(1, 40, 6))
def test_a_setting_aside_that_was_cut_short_is_finished_by_doing_it_again(
    root: Root, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(root.files(f"releases/{A}/0002"))
    done, delete, write = 0, Store.delete, Store.write

    def counted(method):  # type: ignore[no-untyped-def]
        def step(store: Store, *args: object, **kwargs: object) -> object:
            nonlocal done
            done += 1
            if done == after:
                raise KeyboardInterrupt
            return method(store, *args, **kwargs)

        return step

    with monkeypatch.context() as patch:
        patch.setattr(Store, "delete", counted(delete))
        patch.setattr(Store, "write", counted(write))
        with pytest.raises(KeyboardInterrupt):
            set_aside(Store(), f"{A}.r2")
    set_aside(Store(), f"{A}.r2")
    assert len(root.files(f"releases/{A}/set-aside/0002-1")) == before
    assert root.files(f"releases/{A}/0002") == {} and examine(Store()) == []
    assert publish() == [f"{A}.r3"]


def test_a_release_that_the_ledger_does_not_know_is_not_written_over(root: Root) -> None:
    sql("DELETE FROM releases WHERE number = 2")
    sql("UPDATE releases SET is_current = (1 = 1)")
    root.send("R1F", LATER)
    (problem,) = round_of("2026-11-25")
    assert f"does not know the release {A}.r2; run `strikes ledger rebuild`" in problem
    rebuild(Store())
    assert publish() == [f"{A}.r3"]


def test_receipts_of_version_0_1_take_their_place_by_time() -> None:
    def receipt(name: str, sequence: int, minute: int) -> Receipt:
        came = f"2026-11-25T10:{minute:02}:00.000000+00:00"
        return Receipt(
            submission_id=name, sequence=sequence, feed_id="f", source_name="n", received_at=came, size=1, sha256="0"
        )

    half_numbered = [receipt("c", 0, 3), receipt("a", 1, 1), receipt("d", 4, 4), receipt("b", 0, 2)]
    assert [(r.submission_id, r.sequence) for r in in_order(half_numbered)] == [("a", 1), ("b", 2), ("c", 3), ("d", 4)]
    stepped_back = [receipt("late", 7, 1), receipt("first", 2, 9)]
    assert [(r.submission_id, r.sequence) for r in in_order(stepped_back)] == [("first", 2), ("late", 7)], "no clock"


def test_releases_of_version_0_1_are_left_to_the_upgrade(root: Root) -> None:
    path = root.home / "releases" / A / "0001" / "manifest.json"
    said = json.loads(path.read_bytes())
    del said["identity"]
    path.write_text(json.dumps(said | {"inputs_sha256": "0"}))
    with pytest.raises(StrikesError, match="strikes ledger upgrade"):
        rebuild(Store())
    assert current() == [f"{A}.r2", f"{B}.r1"], "nothing was touched"
