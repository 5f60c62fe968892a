"""What is kept beside the tables of a release: its manifest, why it was cut, and what it was made by.

`kept/frame.json` holds the reference rows that its figures hang on, `kept/rules.json` the contracts, dialects and
reference rows that its submissions were judged by: all by hash, so a release can be made again when they have changed.
`kept/facts.parquet` holds the facts behind every figure, by which the next release says why one differs.
"""

from __future__ import annotations

import hashlib
import platform
import subprocess
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from strike_reporting import __version__
from strike_reporting.clock import LONDON
from strike_reporting.extracts.measures import LABELS, asked_for
from strike_reporting.ledger.gated import Check
from strike_reporting.ledger.records import Outcome, Part, Record
from strike_reporting.publishing.standing import Standing, standing

METHOD = 2  # raised whenever the same submissions would give other figures
FRAME, RULES, FACTS = "kept/frame.json", "kept/rules.json", "kept/facts.parquet"
DECISION, MANIFEST = "decision.json", "manifest.json"
AUTOMATIC = "automatic"  # who cuts a release that no person asked for
_COVER = ("trusts_expected", "trusts_returned", "coverage")
_LIBRARIES = ("duckdb", "great-expectations", "gptables", "numpy", "pandas", "pyarrow", "python-calamine", "xlsxwriter")


class Source(Part):
    """One submission that was considered.

    is_used: it counts for a day, or is named as refused for one. withdrawn: who took it out before, when and why.
    """

    submission_id: str
    sequence: int
    ods_code: str | None
    extract: str | None
    feed_id: str
    source_name: str
    sha256: str
    received_at: str
    status: str
    reason: str
    dialect: str | None
    data_class: str
    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    warnings: int
    rules: dict[str, int]
    is_used: bool
    withdrawn: str = ""


class Inputs(Part):
    """Everything a release is computed from, and by what."""

    data_class: str
    method: int
    judging_method: int
    code: str
    commit: str
    libraries: dict[str, str]
    contracts: dict[str, str]
    pull_failures: dict[str, str]
    submissions: tuple[Source, ...]


class FileFact(Part):
    """Size and hash of one file of a release."""

    sha256: str
    bytes: int


class Coverage(Part):
    """England's coverage of the whole action: the columns of its totals that say how many returned each extract."""

    @classmethod
    def of(cls, england: Mapping[str, Any]) -> Coverage:
        """From England's row of the totals."""
        return cls(**{f"{p}{c}": england[f"{p}{c}"] for p in asked_for().values() for c in _COVER})

    def __str__(self) -> str:
        """Such as `cancellations 14 of 201 trusts, staffing 3 of 201 trusts`."""
        said = self.model_extra or {}
        return ", ".join(
            f"{LABELS[e].lower()} {said.get(f'{p}trusts_returned')} of {said.get(f'{p}trusts_expected')} trusts"
            for e, p in asked_for().items()
        )


class Release(Record):
    """A release's manifest: written after all its files, so a release without one was never finished.

    standing: how final it is; None of a draft, and of a release that did not keep it.
    pre_release_access: who could see it before it was released, by name.
    """

    release_id: str
    number: int
    action_id: str
    title: str
    as_at: str | None
    data_class: str
    status: str
    strike_days: tuple[str, ...]
    overlapping: dict[str, tuple[str, ...]]
    coverage: Coverage
    rows: dict[str, int]
    rows_accepted: int
    code_version: str
    identity: str
    inputs: Inputs
    previous: str | None = None
    standing: Standing | None = None
    pre_release_access: tuple[str, ...] = ()
    files: dict[str, FileFact] = Field(default_factory=dict)

    @property
    def slug(self) -> str:
        """The action's id as a folder name."""
        return self.action_id.replace(";", "_")

    @property
    def folder(self) -> str:
        """Key of the release's folder."""
        return release_folder(self.slug, self.number)

    @property
    def mark(self) -> str:
        """What stands beside every figure of it; often nothing."""
        return self.standing.mark if self.standing else ""

    @property
    def is_draft(self) -> bool:
        """Whether it is a draft, not a release."""
        return False


class Draft(Release):
    """A draft's manifest: a release's without a number. `previous` is the current release.

    kept: its folder. areas: as in a decision, what a release of it would tell each area.
    """

    kept: str
    areas: dict[str, int]

    @property
    def folder(self) -> str:
        """Key of the draft's folder."""
        return draft_folder(self.slug, self.kept)

    @property
    def is_draft(self) -> bool:
        """Whether it is a draft, not a release."""
        return True


class Why(NamedTuple):
    """Why a release is to be cut now: a person's `reason`, or `how` it comes to it of itself; who; and when.

    is_scheduled: because its announced time has come.
    held: since when the gate had held it, where a person approved it: its time had come then.
    """

    reason: str = ""
    how: str = "cut at once"
    who: str = AUTOMATIC
    at: str = ""
    is_scheduled: bool = False
    held: str = ""

    def sentence(self, previous: str | None) -> str:
        """Why, as it is kept and shown."""
        new = "something that a reader is told has changed" if previous else "the first release of this action"
        return self.reason or f"{new}; {self.how}"

    def standing(self, release: Release) -> Standing:
        """How final a release is that is cut so. One that is cut at once is as old as its newest return."""
        days = [date.fromisoformat(d) for d in release.strike_days]
        at = self.at or release.as_at
        on = datetime.fromisoformat(at).astimezone(LONDON).date() if at else max(days)
        is_scheduled = self.is_scheduled or bool(self.held)
        return standing(days, on, release.previous is None, is_scheduled, self.sentence(release.previous))


class Decision(Record):
    """Why a release was cut, and by whom: which figures differ from the release before, by column.

    at: when it was cut by a person or at an announced time (UTC); empty of one that was cut at once.
    areas: of England and each named area, how many of its figures, coverages, statuses and flags are new; its list is
    told when there are any. None of a release that did not keep it.
    gate: what the release gate found. A release is cut all the same with `cut_at_once`, and where a person says so.
    held: since when the gate had held it, until it was approved; empty where it was not.
    """

    release_id: str
    previous: str | None
    reason: str
    changed: dict[str, int]
    areas: dict[str, int] | None = None
    who: str = ""
    at: str = ""
    gate: tuple[Check, ...] = ()
    held: str = ""


class KeptRules(Record):
    """By what each submission was judged: its pins, and the answer behind each hash."""

    pins: dict[str, dict[str, str]]
    contents: dict[str, Any]


def release_folder(slug: str, number: int) -> str:
    """Key of a release's folder."""
    return f"releases/{slug}/{number:04d}"


def draft_folder(slug: str, kept: str) -> str:
    """Key of a draft's folder."""
    return f"drafts/{slug}/{kept}"


def source(o: Outcome, is_used: bool) -> Source:
    """A submission as a manifest lists it."""
    return Source(**{n: getattr(o, n) for n in Source.model_fields if n != "is_used"}, is_used=is_used)


@cache
def libraries() -> dict[str, str]:
    """Versions of what bytes may hang on."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


@cache
def code_sha256() -> str:
    """Hash of what computes a release: all of the package but the pages and the commands."""
    root, digest = Path(__file__).parent.parent, hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.suffix in (".py", ".sql", ".yaml")):
        inside = path.relative_to(root)
        if inside.parts[0] not in ("site", "cli", "simulator", "operations", "_data"):
            digest.update(inside.as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def commit() -> str:
    """The git commit of a clone; the package's version where there is none."""
    done = None
    if (Path(__file__).parents[3] / ".git").exists():
        command = ["git", "-C", str(Path(__file__).parents[3]), "rev-parse", "HEAD"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired):
            done = None
    return done.stdout.strip() if done is not None and done.returncode == 0 else f"version {__version__}"
