"""Several processes at once: what they leave is what one would have left, and none is told more than “later”."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest
import world
from disturbing import meet, together
from s3 import S3
from test_crash_points import lots
from undisturbed import STAGES, Undisturbed

pytestmark = pytest.mark.integration
SAMPLE = 2


@pytest.mark.parametrize("stage", [pytest.param("judge", marks=pytest.mark.exhaustive), "publish"])
def test_three_at_once_do_what_one_does(on_s3: Undisturbed, stage: str) -> None:
    assert together(on_s3, stage, 3) == []


def test_whoever_stands_still_meanwhile_changes_nothing_when_he_goes_on(rounds: Undisturbed) -> None:
    points = lots(rounds).sample(list(rounds.points("before")), SAMPLE)
    assert {str(p): wrong for p in points if (wrong := meet(rounds, p))} == {}


@pytest.mark.exhaustive
@pytest.mark.parametrize("stage", STAGES)
def test_whoever_stands_still_at_any_operation_changes_nothing(rounds: Undisturbed, stage: str) -> None:
    points = [p for p in rounds.points("before") if p.stage == stage]
    assert {str(p): wrong for p in points if (wrong := meet(rounds, p))} == {}


@pytest.mark.exhaustive
def test_a_board_that_stays_open_shows_what_others_do(on_s3: Undisturbed, tmp_path: Path) -> None:
    def shown() -> str:
        on_s3.forks.run("board", on_s3.environment(), to=str(tmp_path / "fresh"))
        return (tmp_path / "fresh").read_text()

    page, stop = tmp_path / "page", tmp_path / "stop"
    with on_s3.begun("judge") as found:
        open_board = on_s3.forks.start("board", on_s3.environment(), to=str(page), stop=str(stop))
        pages = []
        for stages in ([], ["judge"], ["publish", "draw", "mail"]):
            on_s3.forks.run("work", on_s3.environment(), stages=stages)
            pages.append(shown())
            until = time.monotonic() + 60
            while not page.exists() or page.read_text() != pages[-1]:
                assert time.monotonic() < until, "the open board does not show what a fresh one does"
                time.sleep(0.05)
        stop.touch()
        assert on_s3.forks.wait(open_board) == 0, on_s3.forks.last_words()
    assert pages[0] != pages[1]
    assert found == on_s3.differences("judge") == []


@pytest.mark.exhaustive
def test_a_slow_reader_reads_one_release_to_its_end_while_it_is_superseded(on_s3: Undisturbed, tmp_path: Path) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    with on_s3.begun("publish") as found:
        slow = on_s3.forks.start("read_slowly", on_s3.environment(), begun=str(begun), go=str(go))
        until = time.monotonic() + 60
        while not begun.exists():
            assert time.monotonic() < until, on_s3.forks.last_words()
            time.sleep(0.02)
        on_s3.forks.run("work", on_s3.environment(), stages=["publish", "draw", "mail"])
        go.touch()
        assert on_s3.forks.wait(slow) == 0, on_s3.forks.last_words()
    assert found == on_s3.differences("publish") == []


def test_of_several_who_take_a_key_one_has_it_however_often_s3_says_conflict(
    on_s3: Undisturbed, bucket: S3, tmp_path: Path
) -> None:
    refused: Counter[str] = Counter()

    def conflict(method: str, path: str) -> int | None:
        """The first two who come to a key meet a conflict."""
        if method != "PUT" or "/claims/" not in path:
            return None
        refused[path] += 1
        return 409 if refused[path] < 3 else None

    bucket.refuse = conflict
    try:
        others = [
            on_s3.forks.start("take", on_s3.environment(), name=str(n), to=str(tmp_path / str(n))) for n in range(3)
        ]
        assert [on_s3.forks.wait(pid) for pid in others] == [0, 0, 0], on_s3.forks.last_words()
    finally:
        bucket.refuse = lambda method, path: None
    won = {key: str(n) for n in range(3) for key in (tmp_path / str(n)).read_text().split()}
    assert sum(len((tmp_path / str(n)).read_text().split()) for n in range(3)) == len(won) == 12
    held = {k: v.decode() for k, v in on_s3.setup.files().items() if k.startswith("claims/")}
    assert held == won


def test_an_s3_that_refuses_now_and_then_is_tried_again(on_s3: Undisturbed, bucket: S3) -> None:
    asked = 0

    def conflict(method: str, path: str) -> int | None:
        nonlocal asked
        asked += method in ("PUT", "DELETE")
        return 409 if method in ("PUT", "DELETE") and asked % 4 == 0 else None

    with on_s3.begun("collect") as found:
        bucket.refuse = conflict
        try:
            for _ in range(2):
                code = on_s3.forks.wait(on_s3.start([*world.STAGES], on_s3.log(), waits=True))
                assert code == 0, on_s3.forks.last_words()
        finally:
            bucket.refuse = lambda method, path: None
        on_s3.forks.run("work", on_s3.environment(), stages=list(world.STAGES))
    assert asked > 40
    assert found == on_s3.differences("collect") == []
