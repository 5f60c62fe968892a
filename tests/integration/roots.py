"""A small root with everything in it, to be damaged, emptied or made older: few trusts, two actions, three releases."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from small_england import small_england
from strike_reporting.cli import app
from strike_reporting.intake.dialects import reload_dialects
from strike_reporting.ledger import ledger_of
from strike_reporting.operations import rounds
from strike_reporting.operations.doctor import Finding, examine
from strike_reporting.publishing.releases import find, read_table
from strike_reporting.settings import settings
from strike_reporting.site.draw import draw
from strike_reporting.storage import Store
from typer.testing import CliRunner

A, B = "JD-2023-04-11", "RD-2025-11-14"
FEED = "- trust: {0}\n  extract: cancellations\n  location: {0}\n  contact: a@trust.nhs.uk\n"
PLAIN = """id: plain
extract: cancellations
description: As RHU writes it.
columns: {ods_code: Trust, activity_date: Day, point_of_delivery: Kind, status: What, cancelled_count: N}
"""
HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
FILES = {
    "RHU": "Trust,Day,Kind,What,N\nRHU,2023-04-11,day_case,cancelled,40\n",
    "RHM": f"{HEAD}RHM,2023-04-11,day_case,cancelled,9\nRHM,2023-04-12,day_case,cancelled,many\n",
    "RN5": f"{HEAD}RN5,2025-11-14,day_case,cancelled,5\n",
}
LATER = f"{HEAD}R1F,2023-04-11,day_case,cancelled,300\nR1F,2025-11-14,day_case,cancelled,300\n"


@dataclass(frozen=True)
class Root:
    """A root with its configuration, both in one folder."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def use(self, patch: pytest.MonkeyPatch) -> None:
        """Make it the root of this process."""
        patch.setenv("STRIKES_HOME", str(self.home))
        patch.setenv("STRIKES_CONFIG", str(self.folder / "config"))
        settings.cache_clear()
        reload_dialects()

    def copied(self, folder: Path) -> Root:
        for name in ("home", "config"):
            shutil.copytree(self.folder / name, folder / name)
        return Root(folder)

    def send(self, trust: str, content: str) -> None:
        """Put a file where the trust's feed finds it."""
        place = self.home / "inbox" / trust
        (place / f"{trust}-{len(list(place.iterdir()))}.csv").write_text(content)

    def files(self, *folders: str) -> dict[str, bytes]:
        found = (p for f in folders for p in sorted((self.home / f).rglob("*")) if p.is_file())
        return {str(p.relative_to(self.home)): p.read_bytes() for p in found}

    def submission(self, trust: str) -> str:
        return str(sql("SELECT submission_id FROM receipts WHERE feed_id = :f", f=f"{trust}.cancellations")[0][0])


def sql(statement: str, **values: Any) -> list[Any]:
    """What a statement gives in the ledger of the root in use."""
    with ledger_of(Store()).engine.begin() as connection:
        done = connection.execute(sa.text(statement), values)
        return list(done.all()) if done.returns_rows else []


def round_of(collection: str) -> list[str]:
    """One whole round; what went wrong on our side."""
    wrong: list[str] = []
    reload_dialects()
    for feeds in rounds.collect_plan():
        wrong += rounds.collect_group(collection, feeds)["problems"]
    for submissions in rounds.validate_plan():
        wrong += rounds.validate_group(submissions)["problems"]
    for actions in rounds.publish_plan():
        wrong += rounds.publish_group(actions)["problems"]
    return wrong + [t.reason for t in draw(Store()) if t.error is not None]


def current() -> list[str]:
    """Ids of the current releases."""
    return [c.release_id for c in ledger_of(Store()).published.current()]


def cancelled(action_id: str) -> int:
    """England's cancellations in an action's current release."""
    store = Store()
    totals = read_table(store, find(store, action_id), "action_totals").to_pylist()
    return next(int(r["acute_cancelled"]) for r in totals if r["area_type"] == "england")


@pytest.fixture
def few_trusts(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """A small England, for tests that publish a trust's figures and not the nation's, as those of `examples` are."""
    if "examples" in request.fixturenames:
        yield
        return
    with small_england(tmp_path / "reference"):
        yield


@pytest.fixture
def root(prepared: Root, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Root:
    """A copy of the root that the test's module prepared, for one test to damage."""
    copy = prepared.copied(tmp_path)
    copy.use(monkeypatch)
    return copy


@contextmanager
def built(folder: Path) -> Iterator[Root]:
    """The root, in use in a small England: RHU, RHM and RN5 have sent, A has two releases, B has one, all are drawn."""
    root = Root(folder)
    for name in ("feeds", "dialects"):
        (folder / "config" / name).mkdir(parents=True)
    for trust in ("RHU", "RHM", "RN5", "R1F"):
        dialect = "  dialect: plain\n" if trust == "RHU" else ""
        (folder / "config" / "feeds" / f"{trust}.yaml").write_text(FEED.format(trust) + dialect)
        (root.home / "inbox" / trust).mkdir(parents=True)
    (folder / "config" / "dialects" / "plain.yaml").write_text(PLAIN)
    with small_england(folder / "reference"), pytest.MonkeyPatch.context() as patch:
        root.use(patch)
        for number, (trust, content) in enumerate(FILES.items()):
            root.send(trust, content)
            assert round_of(f"2026-11-2{number}") == []
        assert current() == [f"{A}.r2", f"{B}.r1"]
        yield root


def look() -> list[Finding]:
    reload_dialects()
    return examine(Store())


def mend(root: Root, finding: Finding, before: dict[Path, bytes]) -> None:
    """Do what a finding says."""
    if command := re.search(r"`strikes (release set-aside .+|ledger rebuild)`", finding.mend):
        done = CliRunner().invoke(app, shlex.split(command[1]))
        assert done.exit_code == 0, done.output
    elif finding.mend.startswith("remove "):
        (root.home / finding.mend.removeprefix("remove ")).unlink()
    else:
        for path in root.folder.rglob("copy of *"):
            path.unlink()
        for path, data in before.items():
            path.write_bytes(data)
