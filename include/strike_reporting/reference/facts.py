"""The dated, sourced facts under `include/reference`."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path

from strike_reporting.clock import utc
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
# Columns that an overlay of a file may have beside the packaged ones: the day by its source, and since when it is known
# here. A row that says since when is a later version of its namesake above it; the newest one holds.
VERSIONED: dict[str, tuple[str, str]] = {"strike_calendar": ("told_on", "known_from")}
# What an action is said to be. Announced with its days gone: whether it took place is not known.
STATUSES = ("announced", "went_ahead", "suspended", "called_off")
OFF = ("suspended", "called_off")


class Row(dict[str, str]):
    """One row, and where it stands: a file and a line."""

    path: str = ""
    line: int = 0

    @classmethod
    def of(cls, values: dict[str, str], path: Path, line: int) -> Row:
        """The row of a line."""
        row = cls(values)
        row.path, row.line = str(path), line
        return row

    @property
    def place(self) -> str:
        """As a sentence says it."""
        return f"{self.path}, line {self.line}"


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
    packaged, own = _rows(name)
    return newest(name, (*packaged, *own)) if own else tuple(packaged)


def newest(name: str, rows: Iterable[Row]) -> tuple[Row, ...]:
    """Of rows about the same thing the last one."""
    return tuple({_key(name, row): row for row in rows}.values())


def read_versions(name: str) -> tuple[Row, ...]:
    """All that was ever known of each thing, oldest first: also what a later version says otherwise.

    Raises:
        ReferenceError: the overlay does not fit.
    """
    packaged, own = _rows(name)
    replaced = {_key(name, row) for row in own if not row.get("known_from")}
    return (*(row for row in packaged if _key(name, row) not in replaced), *own)


def _rows(name: str) -> tuple[list[Row], list[Row]]:
    """The packaged rows, and those of the overlay."""
    path = reference_folder() / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        packaged = [Row.of(row, path, reader.line_num) for row in reader]
        columns = list(reader.fieldnames or ())
    for overlay in overlays():
        if overlay.stem == name:
            own, problems = read_overlay(overlay, columns)
            require(problems)
            return packaged, own
    return packaged, []


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
    seen: dict[tuple[str, ...], Row] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            given = list(reader.fieldnames or ())
            if sorted(given) not in (sorted(columns), sorted((*columns, *VERSIONED.get(path.stem, ())))):
                return [], [f"{path}, line 1: its columns are not those of the packaged file: {', '.join(columns)}"]
            for row in reader:
                place = f"{path}, line {reader.line_num}"
                if None in row or None in row.values():
                    problems.append(f"{place}: it has not {len(given)} values")
                    continue
                key, found = _key(path.stem, row), Row.of(row, path, reader.line_num)
                if not any(key):
                    problems.append(f"{place}: {', '.join(KEYS[path.stem])} is empty")
                problems += [f"{place}: {problem}" for problem in _misplaced(found, seen.get(key), "/".join(key))]
                seen[key] = found
                rows.append(found)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.append(f"{path} cannot be read: {error}; save it as CSV in UTF-8")
    return rows, problems


def _misplaced(row: Row, before: Row | None, key: str) -> Iterator[str]:
    """What is wrong with a row as a version of the one above it that is about the same thing."""
    since = row.get("known_from", "")
    if before is not None and not since:
        yield f"it repeats line {before.line} ({key})"
    elif since and not _is_moment(since):
        yield f"known_from is {since!r}; write a moment in UTC as 2026-06-12T09:30:00+00:00"
    elif before is not None and since < before.get("known_from", ""):
        yield f"it is known from {since}, before line {before.line} ({key}); a later version stands below"


def _is_moment(text: str) -> bool:
    """Whether it is written so that the order of texts is that of time."""
    try:
        return utc(datetime.fromisoformat(text)) == text
    except ValueError:
        return False


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
