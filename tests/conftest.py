"""Shared fixtures: every test has its own state root, and the example round is run once a session."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import hypothesis
import pytest
from strike_reporting.intake.collecting import collect
from strike_reporting.intake.registry import load_feeds
from strike_reporting.judging.settle import to_validate, validate
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Outcome, Receipt
from strike_reporting.publishing.releases import build
from strike_reporting.reference.actions import resolve
from strike_reporting.settings import settings
from strike_reporting.simulator.examples import ACTIONS, write_examples
from strike_reporting.site.draw import draw
from strike_reporting.storage import Store

pytest.register_assert_rewrite("lived")  # its tests are taken over by more than one module
pytest_plugins = ["postgres", "roots"]  # in tests/integration
# Tests write files and pull them at once; those about files that are being written say otherwise.
os.environ["STRIKES_FOLDER_SETTLE_SECONDS"] = "0"
ROOT = Path(__file__).resolve().parent.parent
TODAY = date(2026, 11, 24)
Once = Callable[[Callable[[], None]], None]
# How long an example takes says how busy the machine is, not whether the code is right.
hypothesis.settings.register_profile("any-machine", deadline=None)
hypothesis.settings.load_profile("any-machine")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes are no part of a test's name: packed ones hold the second in which each worker made them."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None


@pytest.fixture(autouse=True)
def fresh_settings() -> Iterator[None]:
    """Settings are read once a process: a test that changes the environment changes them for itself only."""
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("STRIKES_HOME", str(folder))
    return folder


@pytest.fixture
def once(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Bring the state somewhere by a function: it is called the first time, and its state copied each time after."""

    def make(bring: Callable[[], None]) -> None:
        kept = tmp_path_factory.getbasetemp() / f"kept {bring.__module__} {bring.__qualname__}"
        if kept.exists():
            shutil.copytree(kept, home, dirs_exist_ok=True)
        else:
            bring()
            shutil.copytree(home, kept)

    return make


@pytest.fixture
def store(home: Path) -> Store:
    return Store()


@pytest.fixture
def drop(tmp_path: Path) -> Callable[..., Path]:
    """Write files into a drop folder: `drop(name=bytes or text)`."""

    def make(**files: bytes | str) -> Path:
        folder = tmp_path / "drop"
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            (folder / name.replace("__", ".")).write_bytes(data)
        return folder

    return make


def judge(store: Store) -> list[Outcome]:
    """Judge whatever there is to judge; every submission must come to an outcome."""
    judged = validate(store, to_validate(store))
    assert [j.reason for j in judged if j.outcome is None] == []
    return [j.outcome for j in judged if j.outcome is not None]


def drawn(store: Store, today: date = TODAY) -> None:
    """Draw the site; every release must come out."""
    assert [d.reason for d in draw(store, today) if d.error is not None] == []


def receipts(store: Store) -> list[Receipt]:
    """Every receipt, in order."""
    return ledger_of(store).receiving.everything()


def run_examples(store: Store, inbox: Path) -> None:
    write_examples(inbox)
    collect(store, "2026-11-24", load_feeds())
    judge(store)
    for action_id in ACTIONS:
        build(store, resolve(action_id))
    drawn(store)


def made_once(places: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A state root of this process, copied from one that a function makes once for all workers of a test run."""
    base = places.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"made-{name}"
    with shared.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not shared.exists():
            fresh = places.mktemp(f"{name}-fresh") / "home"
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("STRIKES_HOME", str(fresh))
                make(fresh)
            fresh.rename(shared)
    home = places.mktemp(name) / "home"
    shutil.copytree(shared, home)
    return home


@pytest.fixture(scope="session")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The embedded real strikes, collected, validated and published."""
    home = made_once(tmp_path_factory, "examples", lambda home: run_examples(Store(), home / "inbox"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRIKES_HOME", str(home))
        yield Store()
