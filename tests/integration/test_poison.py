"""Files made to end whatever reads them, each between good ones, through `strikes run` as a user calls it.

Each is one clear refusal; the good files are published; the memory of the run and of its readers stays bounded.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import poison
import pytest
from poison.watching import READER_MB, Peaks, memory
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Outcome
from strike_reporting.storage import Store

RUN_MB = 1_200


def strikes_run(home: Path, folder: Path) -> tuple[dict[str, Outcome], Peaks]:
    command = [sys.executable, "-c", "from strike_reporting.cli import main; main()", "run"]
    with (
        subprocess.Popen(
            [*command, "--action", "JD-2023-04-11", "--drop", str(folder)],
            env={**os.environ, "STRIKES_HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
        memory(process.pid) as peaks,
    ):
        said, _ = process.communicate()
    assert process.returncode == 0, said
    assert "Traceback" not in said
    return {o.source_name: o for o in ledger_of(Store(home)).judged.listed()}, peaks


def check(home: Path, folder: Path, *, heavy: bool) -> None:
    expected, goods = poison.write(folder, "RHU", heavy=heavy)
    assert len(expected) >= 40
    found, peaks = strikes_run(home, folder)
    print(f"{len(expected)} poison files; MB at most: {peaks}")
    assert {n: o.status for n, o in found.items()} == {n: "accepted" for n in goods} | {n: "rejected" for n in expected}
    refused = {n: found[n] for n in expected}
    assert not {n: o.rules for n, o in refused.items() if not {*o.rules} <= expected[n]}
    assert all(o.reason and o.fix for o in refused.values())
    assert 0 < peaks.reader < READER_MB
    assert peaks.other < RUN_MB


@pytest.mark.slow
def test_none_of_many_poisonous_files_harms_a_good_one(home: Path, tmp_path: Path) -> None:
    check(home, tmp_path / "drop", heavy=False)


@pytest.mark.exhaustive
def test_nor_do_those_that_use_up_all_that_a_reader_may_have(home: Path, tmp_path: Path) -> None:
    check(home, tmp_path / "drop", heavy=True)
