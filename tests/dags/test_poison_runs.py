"""The poison files through a scheduler's own workers (LocalExecutor), each between two good ones."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import poison
import pytest
import yaml
from conftest import ROOT
from poison.watching import READER_MB, memory
from scheduler import Airflow, airflow
from strike_reporting.ledger import ledger_of
from strike_reporting.storage import Store

pytestmark = [pytest.mark.airflow, pytest.mark.exhaustive]
TRUST = "RTP"
TASK_MB = 1_200


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Airflow]:
    """A scheduler with a folder for its state and one feed, which takes all that lies in the inbox."""
    (tmp_path / "inbox").mkdir()
    (tmp_path / "config" / "feeds").mkdir(parents=True)
    shutil.copytree(ROOT / "include" / "config" / "dialects", tmp_path / "config" / "dialects")
    feed = {"trust": TRUST, "extract": "cancellations", "location": str(tmp_path / "inbox"), "contact": "a@b.example"}
    (tmp_path / "config" / "feeds" / "feeds.yaml").write_text(yaml.safe_dump([feed]))
    environment = {"STRIKES_HOME": str(tmp_path / "home"), "STRIKES_CONFIG": str(tmp_path / "config")}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with airflow(tmp_path / "airflow", environment) as one:
        yield one


def test_poison_between_good_files_costs_a_refusal_each_and_fails_no_run(running: Airflow, tmp_path: Path) -> None:
    expected, goods = poison.write(tmp_path / "inbox", TRUST, heavy=True)
    with memory(os.getpid()) as peaks:
        collected = running.run("collect_extracts")
        validated = running.nudged("validate_extracts", collected)
        published = running.nudged("publish_disruption", validated)
    print(f"\n{len(expected)} poison files; MB at most: {peaks}; seconds: {validated.seconds:.0f}")
    assert [r.state for r in (collected, validated, published)] == ["success"] * 3
    found = {o.source_name: o for o in ledger_of(Store()).judged.listed()}
    assert {n: o.status for n, o in found.items()} == {n: "accepted" for n in goods} | {n: "rejected" for n in expected}
    refused = {n: found[n] for n in expected}
    assert {n: o.rules for n, o in refused.items() if not {*o.rules} <= expected[n]} == {}
    assert all(o.reason and o.fix for o in refused.values())
    assert 0 < peaks.reader < READER_MB
    assert peaks.other < TASK_MB
