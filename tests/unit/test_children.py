"""Work that is spread over processes: the same answers in the same order, and nobody is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest
from strike_reporting import children
from strike_reporting.children import side_by_side
from strike_reporting.settings import settings

MANY = range(200)


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "processors", lambda: 2)


@pytest.mark.usefixtures("two")
def test_the_same_comes_in_order_from_two_processes() -> None:
    held = {n: n * n for n in MANY}  # what is in memory is there in the others too

    def work(n: int) -> tuple[int, int]:
        time.sleep(0.002)
        return held[n], os.getpid()

    with side_by_side(work, MANY) as found:
        came = list(found)
    assert [value for value, _ in came] == [n * n for n in MANY]
    shares = Counter(pid for _, pid in came)
    assert len(shares) == 2 and os.getpid() not in shares and min(shares.values()) > 20


@pytest.mark.usefixtures("two")
def test_a_few_things_and_one_processor_are_left_to_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    with side_by_side(lambda _: os.getpid(), range(39)) as found:
        assert {*found} == {os.getpid()}
    monkeypatch.setattr(children, "processors", lambda: 1)
    with side_by_side(lambda _: os.getpid(), MANY) as found:
        assert {*found} == {os.getpid()}


@pytest.mark.usefixtures("two")
def test_what_goes_wrong_in_another_process_is_raised_here() -> None:
    def work(n: int) -> int:
        if n == 3:
            raise ValueError("three")
        return n

    with side_by_side(work, MANY) as found, pytest.raises(ValueError, match="three"):
        list(found)


@pytest.mark.usefixtures("two")
def test_the_death_of_a_process_is_an_error_and_no_waiting() -> None:
    def work(n: int) -> int:
        if n == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.001)
        return n

    with pytest.raises(BrokenProcessPool), side_by_side(work, MANY) as found:
        list(found)


def test_no_process_outlives_the_one_that_began_it(tmp_path: Path) -> None:
    place = tmp_path / "child"
    code = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from strike_reporting import children\n"
        "children.processors = lambda: 2\n"
        "def work(n):\n"
        f"    Path({str(place)!r}).write_text(str(os.getpid()))\n"
        "    time.sleep(60)\n"
        "with children.side_by_side(work, range(200)) as found: next(found)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as parent:
        until = time.monotonic() + 30
        while not (place.exists() and place.read_text()) and time.monotonic() < until:
            time.sleep(0.01)
        child = int(place.read_text())
        parent.kill()
    while _is_there(child) and time.monotonic() < until:
        time.sleep(0.01)
    assert not _is_there(child)


def _is_there(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody asked about does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


@pytest.mark.parametrize(("asked", "here", "found"), [("0", 4, 4), ("2", 4, 2), ("32", 4, 4), ("1", 4, 1)])
def test_no_more_processes_than_this_machine_has_processors(
    asked: str, here: int, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIKES_TASKS_AT_ONCE", asked)  # in a cluster: the slots of all workers
    monkeypatch.setattr(os, "cpu_count", lambda: here)
    settings.cache_clear()
    assert children.processors() == found
