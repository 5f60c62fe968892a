"""An England of a few trusts, so that a test that publishes and draws a hundred times stays quick."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from strike_reporting.operations.starter import write_starter
from strike_reporting.reference import facts

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
        "organisation_names": "ods_code",
        "trust_mergers": "predecessor_code",
        "trust_icb_history": "ods_code",
        "sites": "trust_code",
        "published_figures": "geography_code",
        "asked": "ods_codes",
    }
    for path in facts.reference_folder().glob("*.csv"):
        rows = _rows(path.stem)
        if key := keys.get(path.stem):
            rows = [r for r in rows if r[key] in kept | {"ENG", ""}]
        if path.stem == "services":
            rows = [r for r in rows if r["scope"] == "trust_type" or r["code"] in kept]
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


@contextmanager
def with_feeds(base: Path, patch: pytest.MonkeyPatch, feeds: str) -> Iterator[Path]:
    """A small England with a configuration of its own, whose folder is given, and these feeds."""
    config = base / "config"
    write_starter(config)
    (config / "feeds" / "feeds.yaml").write_text(feeds)
    patch.setenv("STRIKES_CONFIG", str(config))
    with small_england(base / "reference"):
        yield config


def forget() -> None:
    """Empty every cache of the package, for what was read of reference data and configuration.

    What Great Expectations has made of a contract stays: it is kept by what the contract says.
    """
    for name, module in list(sys.modules.items()):
        if name.startswith("strike_reporting") and name != "strike_reporting.judging.rules":
            for value in list(vars(module).values()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()
