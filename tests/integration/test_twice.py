"""The embedded strikes run twice, and made again from landing alone: not one byte is another."""

from __future__ import annotations

import shutil
from pathlib import Path

from conftest import drawn, run_examples
from strike_reporting.ledger import ledger_of
from strike_reporting.operations.rebuild import rebuild
from strike_reporting.publishing.releases import build
from strike_reporting.reference.actions import resolve
from strike_reporting.simulator.examples import ACTIONS
from strike_reporting.storage import Store
from test_releases import snapshot


def test_twice_changes_nothing_and_rebuilding_from_landing_is_identical(home: Path, store: Store) -> None:
    run_examples(store, home / "inbox")
    folders = ("landing", "accepted", "quarantine", "releases", "site")
    before, ledger = snapshot(home, *folders), ledger_of(store)
    outcomes, letters = ledger.judged.listed(), ledger.letters.listed()
    assert len(before) > 150
    run_examples(store, home / "inbox")
    assert snapshot(home, *folders) == before
    assert (ledger.judged.listed(), ledger.letters.listed()) == (outcomes, letters)
    for child in home.iterdir():
        if child.name not in ("landing", "inbox"):
            shutil.rmtree(child)
    rebuild(store)
    for action_id in ACTIONS:
        build(store, resolve(action_id))
    drawn(store)
    assert snapshot(home, *folders) == before
    assert ledger_of(store).judged.listed() == outcomes
