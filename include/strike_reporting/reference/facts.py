"""The dated, sourced facts under `include/reference`."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from strike_reporting.errors import OurFault
from strike_reporting.settings import clone, config_folder

# The columns by which two rows of a file are about the same thing; an overlay's row replaces that one.
KEYS: dict[str, tuple[str, ...]] = {
    "areas": ("area_code",),
    "arithmetic_checks": ("check",),
    "asked": ("action_id", "extract"),
    "expected_returns": ("staff_group", "extract"),
    "icb_predecessors": ("icb_code",),
    "icb_tiles": ("icb_code",),
    "icbs": ("icb_code",),
    "organisation_names": ("ods_code", "valid_from"),
    "organisation_openings": ("ods_code",),
    "organisations": ("ods_code",),
    "organisations_notes": ("ods_code", "issue"),
    "published_figures": (
        "action_id",
        "geography_type",
        "geography_code",
        "date",
        "measure",
        "published_on",
        "source_url",
    ),
    "regions": ("region_code",),
    "revisions_observed": ("action_id", "geography_type", "geography_code", "date", "measure"),
    "services": ("scope", "code", "care_setting", "valid_from"),
    "sites": ("trust_code", "site_name"),
    "strike_calendar": ("action_id",),
    "treatment_functions": ("code",),
    "trust_icb_history": ("ods_code",),
    "trust_mergers": ("predecessor_code",),
}
# What an action is said to be. Announced with its days gone: whether it took place is not known.
STATUSES = ("announced", "went_ahead", "suspended", "called_off")


class Row(dict[str, str]):
    """One row, and where it stands: a file and a line."""

    place: str = ""

    @classmethod
    def of(cls, values: dict[str, str], path: Path, line: int) -> Row:
        """The row of a line."""
        row = cls(values)
        row.place = f"{path}, line {line}"
        return row


class ReferenceError(OurFault):
    """The reference data contradict themselves; the message lists every problem."""


def reference_folder() -> Path:
    """The packaged reference data: beside the package in a clone, inside it when installed from a wheel."""
    package = Path(__file__).parents[1]
    return package.parent / "reference" if clone() else package / "_data" / "reference"


def overlays() -> tuple[Path, ...]:
    """The CSV files in `reference/` of the configuration folder: rows that replace or add to the packaged ones."""
    config = config_folder()
    return tuple(sorted((config / "reference").glob("*.csv"))) if config else ()


@cache
def read_csv(name: str) -> tuple[Row, ...]:
    """Rows of one reference file, every value as text, with those of its overlay.

    Raises:
        ReferenceError: the overlay does not fit.
    """
    path = reference_folder() / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        packaged = [Row.of(row, path, reader.line_num) for row in reader]
        columns = list(reader.fieldnames or ())
    for overlay in overlays():
        if overlay.stem == name:
            own, problems = read_overlay(overlay, columns)
            require(problems)
            merged = {_key(name, row): row for row in packaged} | {_key(name, row): row for row in own}
            return tuple(merged.values())
    return tuple(packaged)


def span(row: Row) -> tuple[date, date]:
    """The first and the last day on which a dated row holds; an empty day has no bound.

    Raises:
        ValueError: one of them is no day.
    """
    first, last = row["valid_from"], row["valid_to"]
    return date.fromisoformat(first) if first else date.min, date.fromisoformat(last) if last else date.max


def _key(name: str, row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(row[column] for column in KEYS[name])


def read_overlay(path: Path, columns: list[str]) -> tuple[list[Row], list[str]]:
    """The rows of an overlay, and what is wrong with them."""
    rows, problems = [], []
    seen: dict[tuple[str, ...], int] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            given = list(reader.fieldnames or ())
            if sorted(given) != sorted(columns):
                return [], [f"{path}, line 1: its columns are not those of the packaged file: {', '.join(columns)}"]
            for row in reader:
                place = f"{path}, line {reader.line_num}"
                if None in row or None in row.values():
                    problems.append(f"{place}: it has not {len(given)} values")
                    continue
                key = _key(path.stem, row)
                if not any(key):
                    problems.append(f"{place}: {', '.join(KEYS[path.stem])} is empty")
                elif key in seen:
                    problems.append(f"{place}: it repeats line {seen[key]} ({'/'.join(filter(None, key))})")
                seen[key] = reader.line_num
                rows.append(Row.of(row, path, reader.line_num))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.append(f"{path} cannot be read: {error}; save it as CSV in UTF-8")
    return rows, problems


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
    for path in (*sorted(reference_folder().glob("*.csv")), *overlays()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def require(problems: list[str]) -> None:
    """Raise `ReferenceError` naming every problem, if there is one."""
    if problems:
        raise ReferenceError("reference data: " + "; ".join(problems))
