"""Realistic synthetic extracts for any action, at any size and dirt; always marked synthetic.

Every trust has its own random stream, so the same seed gives the same bytes and one trust never shifts another.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from strike_reporting.intake.registry import Dialect, dialects
from strike_reporting.reference.actions import ActionSet
from strike_reporting.reference.facts import published_figures
from strike_reporting.reference.organisations import organisations
from strike_reporting.simulator.dirt import soil_file, soil_rows
from strike_reporting.simulator.rows import cancellation_rows, planned_rows, staffing_rows
from strike_reporting.simulator.writing import FileType, write

MARKER = "SYNTHETIC"
_NOTE = (
    "Everything in this folder was made by a simulator. It is synthetic data: no trust reported it.\n"
    "Seed {seed}, action {action}.\n"
)
Rows = list[dict[str, Any]]


class NoPublishedTotal(LookupError):
    """`match_published`, and no England total was published for the action."""


@dataclass
class SimulatedRound:
    """What was written: files by trust and extract, rows, and which trusts were given dirt."""

    files: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    soiled: list[str] = field(default_factory=list)
    targets: dict[str, int] = field(default_factory=dict)


def simulate(
    action: ActionSet,
    folder: Path,
    *,
    seed: int = 1,
    trusts: Sequence[str] | None = None,
    detail: int = 18,
    dirt: float = 0.0,
    match_published: bool = False,
    only_template: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> SimulatedRound:
    """Write one round of extracts for an action.

    Args:
        action: whose strike days to fill.
        folder: where to write; a file `SYNTHETIC` in it marks all of them.
        seed: the same seed gives the same bytes.
        trusts: ODS codes; default every trust asked for the extract.
        detail: treatment functions (and twice that many staffing rows) a trust breaks its day into.
        dirt: chance that a row is wrong; a quarter of it is the chance that a whole file is.
        match_published: scale the cancelled counts so that England's total is the published one, exactly.
        only_template: write template CSV files only, in place of several dialects and file types.
        progress: called with each trust's code.

    Raises:
        NoPublishedTotal: `match_published`, and no England total was published for the action.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text(_NOTE.format(seed=seed, action=action.action_id), encoding="utf-8")
    done = SimulatedRound()
    scale = _Calibration(action, seed, trusts, detail) if match_published else None
    done.targets = dict(scale.targets) if scale else {}
    for extract in ("cancellations", "planned_activity", "staffing"):
        for code, kind, rows in _national(action, extract, seed, trusts, detail):
            progress(code)
            if scale and extract == "cancellations":
                rows = scale.apply(rows)
            stream = random.Random(f"{seed}:{code}:{extract}:file")  # noqa: S311 - a simulator
            dialect, file_type = _how(extract, kind, stream, only_template)
            rows = _aggregate(rows) if not dialect.id.startswith("template") else rows
            soiled = soil_rows(rows, extract, dirt, stream)
            data = write(rows, dialect, file_type, synthetic=True)
            data, fault = soil_file(data, dirt / 4, stream)
            if soiled or fault:
                done.soiled.append(f"{code}.{extract}")
            (folder / f"{code}_{extract}.{file_type}").write_bytes(data)
            done.files += 1
            done.rows[extract] = done.rows.get(extract, 0) + len(rows)
    return done


def _national(
    action: ActionSet, extract: str, seed: int, trusts: Sequence[str] | None, detail: int
) -> Iterator[tuple[str, str, Rows]]:
    """Each trust's rows of an extract: code, trust type, rows."""
    orgs, first = organisations(), action.days[0]
    asked = "cancellations" if extract == "planned_activity" else extract
    asking = _senders(action, asked, seed) if trusts is None else orgs.could_be_asked(action, asked, first)
    for code in asking:
        if trusts is not None and code not in trusts:
            continue
        kind = orgs.trust(code, first).trust_type
        yield code, kind, _rows(action, extract, code, kind, seed, detail)


def _senders(action: ActionSet, extract: str, seed: int) -> list[str]:
    """The trusts asked; where only their number is known, so many of those that may have been, drawn by the seed."""
    orgs, first = organisations(), action.days[0]
    listed = orgs.expected(action, extract, first)
    others = sorted({*orgs.could_be_asked(action, extract, first)} - {*listed})
    more = (orgs.asked_number(action, extract, first) or len(listed)) - len(listed)
    stream = random.Random(f"{seed}:asked:{extract}:{action.action_id}")  # noqa: S311 - a simulator
    return sorted({*listed, *stream.sample(others, min(more, len(others)))})


def _rows(action: ActionSet, extract: str, code: str, kind: str, seed: int, detail: int) -> Rows:
    # Plan and cancellations share a stream, so that what is cancelled was planned.
    shared = "staffing" if extract == "staffing" else "activity"
    stream = random.Random(f"{seed}:{code}:{shared}:{action.action_id}")  # noqa: S311 - a simulator
    sites: list[str | None] = [s.site_code for s in organisations().sites() if s.ods_code == code] or [None]
    if extract == "staffing":
        return staffing_rows(action, code, kind, sites, stream, detail)
    plan = planned_rows(action, code, kind, sites, stream, detail)
    return plan if extract == "planned_activity" else cancellation_rows(plan, stream)


def _how(extract: str, kind: str, stream: random.Random, only_template: bool) -> tuple[Dialect, FileType]:
    """Most trusts fill in the template, some as a workbook; acute trusts may have their own supplier's form."""
    known, draw = dialects(), stream.random()
    if only_template:
        return known[f"template.{extract}"], "csv"
    if extract == "cancellations" and kind == "acute" and draw < 0.3:
        own = [d for d in known.values() if d.id.startswith("long_") and d.extract == extract]
        if own:  # they are the example configuration's
            return stream.choice(own), "xlsx" if draw < 0.08 else "csv"
    return known[f"template.{extract}"], "xlsx" if draw > 0.9 else "csv"


def _aggregate(rows: Rows) -> Rows:
    """What a form without detail holds: one number a day for inpatients and one for outpatients."""
    sums: dict[tuple[Any, ...], int] = {}
    for row in rows:
        if row["status"] == "cancelled":
            inpatient = row["point_of_delivery"] in ("elective_inpatient", "day_case")
            key = (row["ods_code"], row["activity_date"], "elective_unsplit" if inpatient else "outpatient_unsplit")
            sums[key] = sums.get(key, 0) + row["cancelled_count"]
    names = ("ods_code", "activity_date", "point_of_delivery")
    return [{**dict(zip(names, k, strict=True)), "status": "cancelled", "cancelled_count": n} for k, n in sums.items()]


class _Calibration:
    """Scales cancelled counts to a published total by cumulative rounding: exact, and without holding the nation."""

    def __init__(self, action: ActionSet, seed: int, trusts: Sequence[str] | None, detail: int) -> None:
        self.targets = _published(action)
        self.sums = dict.fromkeys(self.targets, 0)
        for _, _, rows in _national(action, "cancellations", seed, trusts, detail):
            for row in rows:
                if part := self._part(row):
                    self.sums[part] += row["cancelled_count"]
        self.before = dict.fromkeys(self.targets, 0)

    def _part(self, row: dict[str, Any]) -> str | None:
        if row["status"] != "cancelled":
            return None
        setting = {"elective_inpatient": "inpatient", "day_case": "inpatient"}.get(row["point_of_delivery"])
        setting = setting or ("outpatient" if row["point_of_delivery"].startswith("outpatient") else None)
        return None if setting is None else (setting if setting in self.targets else "total")

    def apply(self, rows: Rows) -> Rows:
        """The same rows with their share of the target."""
        for row in rows:
            if part := self._part(row):
                target, whole, before = self.targets[part], self.sums[part], self.before[part]
                after = before + row["cancelled_count"]
                row["cancelled_count"] = target * after // whole - target * before // whole
                self.before[part] = after
        return rows


def _published(action: ActionSet) -> dict[str, int]:
    found: dict[str, int] = {}
    for f in published_figures():
        if f.action_id == action.action_id and f.geography_type == "england" and f.day is None and f.value:
            name = f.measure.removesuffix("_rescheduled")
            if name in ("inpatient", "outpatient", "total") and f.value_qualifier == "exact":
                found.setdefault(name, int(f.value))
    if {"inpatient", "outpatient"} <= set(found):
        return {k: found[k] for k in ("inpatient", "outpatient")}
    if "total" in found:
        return {"total": found["total"]}
    raise NoPublishedTotal(f"no England total of cancellations was published for {action.action_id}")
