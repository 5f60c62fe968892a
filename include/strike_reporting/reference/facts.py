"""The dated, sourced facts under `include/reference`, and the checks they must pass together."""

from __future__ import annotations

import csv
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path


class ReferenceError(ValueError):
    """The reference data contradict themselves; the message lists every problem."""


def data_dir(name: str) -> Path:
    """Folder `reference` or `config`: beside the package in a clone, inside it when installed from a wheel."""
    override = os.environ.get(f"STRIKES_{name.upper()}")
    if override:
        return Path(override)
    package = Path(__file__).parent.parent
    beside = package.parent / name
    return beside if beside.is_dir() else package / "_data" / name


@cache
def read_csv(name: str) -> tuple[dict[str, str], ...]:
    """Rows of one reference file, every value as text."""
    with (data_dir("reference") / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@dataclass(frozen=True)
class PublishedFigure:
    """One officially published or reported number with its source; `value` in the unit `measure` names."""

    action_id: str
    geography_type: str
    geography_code: str
    day: date | None
    measure: str
    value: float | None
    value_qualifier: str
    published_on: str
    source_url: str
    note: str


@cache
def published_figures() -> tuple[PublishedFigure, ...]:
    """Every published figure, in file order."""
    return tuple(
        PublishedFigure(
            action_id=r["action_id"],
            geography_type=r["geography_type"],
            geography_code=r["geography_code"],
            day=date.fromisoformat(r["date"]) if r["date"] else None,
            measure=r["measure"],
            value=float(r["value"]) if r["value"] else None,
            value_qualifier=r["value_qualifier"],
            published_on=r["published_on"],
            source_url=r["source_url"],
            note=r["note"],
        )
        for r in read_csv("published_figures")
    )


@cache
def reference_sha256() -> str:
    """One hash over all reference files: a release names the facts it was computed with."""
    digest = hashlib.sha256()
    for path in sorted(data_dir("reference").glob("*.csv")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def check_reference() -> list[str]:
    """Every contradiction in the reference data, as sentences; empty when they agree."""
    return [*_check_organisations(), *_check_icbs(), *_check_actions(), *_check_figures()]


def require(problems: list[str]) -> None:
    """Raise `ReferenceError` naming every problem, if there is one."""
    if problems:
        raise ReferenceError("reference data: " + "; ".join(problems))


def _repeated(file: str, *keys: str) -> Iterator[str]:
    seen: set[tuple[str, ...]] = set()
    for row in read_csv(file):
        key = tuple(row[k] for k in keys)
        if key in seen:
            yield f"{file}.csv repeats {'/'.join(key)}"
        seen.add(key)


def _check_organisations() -> Iterator[str]:
    yield from _repeated("organisations", "ods_code")
    yield from _repeated("trust_mergers", "predecessor_code")
    regions = {r["region_code"]: r["region_name"] for r in read_csv("regions")}
    current = {r["ods_code"]: r for r in read_csv("organisations")}
    mergers = {r["predecessor_code"]: r["successor_code"] for r in read_csv("trust_mergers")}
    icb_region = {r["icb_code"]: r["region_code"] for r in read_csv("icbs")}
    for code, row in current.items():
        if regions.get(row["region_code"]) != row["region_name"]:
            yield f"{code}: region {row['region_code']} is not called {row['region_name']}"
        if icb_region.get(row["icb_code"]) != row["region_code"]:
            yield f"{code}: ICB {row['icb_code']} is not in region {row['region_code']}"
        for predecessor in filter(None, row["predecessor_codes"].split(";")):
            if mergers.get(predecessor) != code:
                yield f"{code}: predecessor {predecessor} has no merger into it"
    for predecessor, successor in mergers.items():
        if successor not in current and successor not in mergers:
            yield f"{predecessor}: successor {successor} is not an organisation"
    for row in read_csv("named_areas"):
        if row["ods_code"] not in current:
            yield f"named area {row['area_code']}: {row['ods_code']} is not an organisation"
    coded = [r["ods_site_code"] for r in read_csv("sites") if r["ods_site_code"]]
    yield from (f"sites.csv repeats {c}" for c in sorted({c for c in coded if coded.count(c) > 1}))


def _check_icbs() -> Iterator[str]:
    yield from _repeated("icbs", "icb_code")
    old = {r["icb_code"]: r for r in read_csv("icb_predecessors")}
    for row in read_csv("icbs"):
        for predecessor in filter(None, row["predecessor_codes"].split(";")):
            if row["icb_code"] not in old.get(predecessor, {}).get("successor_codes", "").split(";"):
                yield f"ICB {row['icb_code']}: predecessor {predecessor} does not resolve to it"
    for row in read_csv("trust_icb_history"):
        if row["icb_code"] not in old:
            yield f"trust_icb_history: {row['ods_code']} was in unknown ICB {row['icb_code']}"


def _check_actions() -> Iterator[str]:
    yield from _repeated("strike_calendar", "action_id")
    for row in read_csv("strike_calendar"):
        if datetime.fromisoformat(row["end"]) <= datetime.fromisoformat(row["start"]):
            yield f"{row['action_id']} ends at or before its start"


_PERIOD = re.compile(r"^(CUM|PERIOD)-\d{4}-\d{2}(-\d{2})?/\d{4}-\d{2}(-\d{2})?$")
_GEOGRAPHIES = {"england", "region", "icb", "subregion", "trust", "site"}


def _check_figures() -> Iterator[str]:
    actions = {r["action_id"] for r in read_csv("strike_calendar")}
    places = {
        "trust": {r["ods_code"] for r in read_csv("organisations")}
        | {r["predecessor_code"] for r in read_csv("trust_mergers")},
        "icb": {r["icb_code"] for r in (*read_csv("icbs"), *read_csv("icb_predecessors"))},
        "region": {r["region_code"] for r in read_csv("regions")},
        "site": {r["ods_site_code"] for r in read_csv("sites")},
        "england": {"ENG"},
    }
    for number, row in enumerate(read_csv("published_figures"), start=2):
        for action_id in row["action_id"].split(";"):
            if action_id not in actions and not _PERIOD.match(action_id):
                yield f"published_figures.csv row {number}: unknown action {action_id}"
        kind = row["geography_type"]
        if kind not in _GEOGRAPHIES:
            yield f"published_figures.csv row {number}: unknown geography type {kind}"
        elif kind in places and row["geography_code"] not in places[kind]:
            yield f"published_figures.csv row {number}: unknown {kind} {row['geography_code']}"
