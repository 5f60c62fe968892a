"""The README's examples in Python, SQL and R run as they stand, on the releases that `make report` makes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from conftest import ROOT
from strike_reporting.storage import Store

# Portsmouth's published return, the only one in Hampshire's figures for this action.
DAYS = {"2023-04-11": 44 + 131, "2023-04-12": 188, "2023-04-13": 193, "2023-04-14": 117}


def example(language: str, store: Store) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert len(blocks) == 1, f"the README has {len(blocks)} examples in {language}"
    assert len(blocks[0].strip().splitlines()) <= 6
    return blocks[0].replace(".strikes-home", store.base)


def run(command: list[str], store: Store, tmp_path: Path) -> str:
    # Said outright: another session fixture of the same worker may have set it to its own root.
    env = {**os.environ, "STRIKES_HOME": store.base}
    return subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=120, cwd=tmp_path, env=env
    ).stdout


def test_python(examples: Store, tmp_path: Path) -> None:
    said = run([sys.executable, "-c", example("python", examples)], examples, tmp_path)
    assert said.split()[-4:] == ["673", "914", "1", "6"]


def test_duckdb(examples: Store) -> None:
    rows = duckdb.sql(example("sql", examples)).fetchall()
    assert [(str(day), int(cancelled), trusts) for day, cancelled, trusts in rows] == [(*d, 1) for d in DAYS.items()]


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed: apt-get install r-base-core")
def test_r(examples: Store, tmp_path: Path) -> None:
    said = run(["Rscript", "-e", example("r", examples)], examples, tmp_path)
    assert dict(re.findall(r"(\d{4}-\d\d-\d\d)\s+(\d+)", said)) == {d: str(n) for d, n in DAYS.items()}
