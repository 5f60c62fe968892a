"""Files made to end whatever reads them, each between good ones, through `strikes run` as a user calls it.

Each is one clear refusal; the good files are published; the memory of the run and of its readers stays bounded.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import poison
import pytest
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Outcome
from strike_reporting.storage import Store

READER_KIB = 1 << 20  # the limit of 1 GiB
RUN_KIB = 1_200_000


class Memory:
    """The peaks of a process and of those it starts, in KiB, watched while it runs."""

    def __init__(self, pid: int) -> None:
        self.peaks: dict[bool, int] = {True: 0, False: 0}  # of the readers, of the run itself
        self.pid, self.ended = pid, threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self) -> None:
        while not self.ended.wait(0.01):
            for pid in (self.pid, *children(self.pid)):
                try:
                    command = Path(f"/proc/{pid}/cmdline").read_bytes()
                    status = Path(f"/proc/{pid}/status").read_text()
                except OSError:
                    continue
                if "VmHWM:" in status:
                    reads = b"reading.worker" in command
                    peak = int(status.split("VmHWM:")[1].split()[0])
                    self.peaks[reads] = max(self.peaks[reads], peak)


def children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, task.read_text().split())
        except OSError:
            continue
    return found


def strikes_run(home: Path, folder: Path) -> tuple[dict[str, Outcome], Memory]:
    command = [sys.executable, "-c", "from strike_reporting.cli import main; main()", "run"]
    with subprocess.Popen(
        [*command, "--action", "JD-2023-04-11", "--drop", str(folder)],
        env={**os.environ, "STRIKES_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        memory = Memory(process.pid)
        said, _ = process.communicate()
        memory.ended.set()
        memory.thread.join()
    assert process.returncode == 0, said
    assert "Traceback" not in said
    return {o.source_name: o for o in ledger_of(Store(home)).judged.listed()}, memory


def check(found: dict[str, Outcome], memory: Memory, expected: dict[str, frozenset[str]]) -> None:
    for name in ("a_good.csv", "z_good.csv"):
        assert found.pop(name).status == "accepted"
    assert found.keys() == expected.keys()
    wrong = {
        n: (o.status, o.rules) for n, o in found.items() if o.status != "rejected" or not {*o.rules} <= expected[n]
    }
    assert not wrong
    assert all(o.reason and o.fix for o in found.values())
    print(f"peaks in MB: run {memory.peaks[False] >> 10}, reader {memory.peaks[True] >> 10}")
    assert 0 < memory.peaks[True] < READER_KIB
    assert memory.peaks[False] < RUN_KIB


@pytest.mark.slow
def test_none_of_many_poisonous_files_harms_a_good_one(home: Path, tmp_path: Path) -> None:
    expected = poison.write(tmp_path / "drop")
    assert len(expected) >= 40
    check(*strikes_run(home, tmp_path / "drop"), expected)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", poison.POISON)
def test_each_poisonous_file_by_itself(name: str, home: Path, tmp_path: Path) -> None:
    expected = poison.write(tmp_path / "drop", only=name)
    check(*strikes_run(home, tmp_path / "drop"), expected)
