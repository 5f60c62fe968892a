"""An England of a few trusts, so that a test that publishes and draws a hundred times stays quick."""

from __future__ import annotations

import csv
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from strike_reporting.intake.dialects import reload_dialects
from strike_reporting.operations import rounds
from strike_reporting.reference import facts
from strike_reporting.settings import settings
from strike_reporting.site.draw import draw
from strike_reporting.storage import Store

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
TRUSTS = {"RHU", "RHM", "RN5", "R1F", "RW1", "R0A"}


@contextmanager
def small_england(folder: Path) -> Iterator[None]:
    """The packaged reference data cut down to `TRUSTS` while this is open."""
    folder.mkdir()
    mergers = _rows("trust_mergers")
    kept = set(TRUSTS)
    while more := {m["predecessor_code"] for m in mergers if m["successor_code"] in kept} - kept:
        kept |= more
    keys = {
        "organisations": "ods_code",
        "organisation_openings": "ods_code",
        "organisations_notes": "ods_code",
        "trust_mergers": "predecessor_code",
        "trust_icb_history": "ods_code",
        "sites": "trust_code",
        "published_figures": "geography_code",
    }
    for path in facts.reference_folder().glob("*.csv"):
        rows = _rows(path.stem)
        if key := keys.get(path.stem):
            rows = [r for r in rows if r[key] in kept | {"ENG"}]
        with (folder / path.name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(_rows(path.stem)[0]))
            writer.writeheader()
            writer.writerows(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facts, "reference_folder", lambda: folder)
        forget()
        yield
    forget()


def _rows(name: str) -> list[dict[str, str]]:
    with (facts.reference_folder() / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def forget() -> None:
    """Empty every cache of the package, for what was read of reference data and configuration."""
    for name, module in list(sys.modules.items()):
        if name.startswith("strike_reporting"):
            for value in list(vars(module).values()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


@dataclass(frozen=True)
class Root:
    """A root with its configuration, both in one folder."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def send(self, trust: str, content: str) -> None:
        place = self.home / "inbox" / trust
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{trust}-{len(list(place.iterdir()))}.csv").write_text(content)

    def sql(self, statement: str, *values: str) -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(self.home / "ledger" / "ledger.sqlite")) as connection, connection:
            return connection.execute(statement, values).fetchall()


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


def use(root: Root, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("STRIKES_HOME", str(root.home))
    patch.setenv("STRIKES_CONFIG", str(root.folder / "config"))
    settings.cache_clear()


def small_root(folder: Path) -> Root:
    """A root of three trusts and their two actions that has published nothing."""
    root = Root(folder)
    for name in ("feeds", "dialects"):
        (root.folder / "config" / name).mkdir(parents=True)
    for trust in ("RHU", "RHM", "RN5", "R1F"):
        dialect = "  dialect: plain\n" if trust == "RHU" else ""
        (root.folder / "config" / "feeds" / f"{trust}.yaml").write_text(FEED.format(trust) + dialect)
        (root.home / "inbox" / trust).mkdir(parents=True)
    (root.folder / "config" / "dialects" / "plain.yaml").write_text(PLAIN)
    return root
