"""Realistic synthetic extracts for any action, at any size and dirt; always marked synthetic.

Every trust has its own random stream, so the same seed gives the same bytes and one trust never shifts another.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from strike_reporting.extracts import load
from strike_reporting.extracts.measures import LABELS, asked_with
from strike_reporting.extracts.simulating import Row, Rows, Sender, Simulator
from strike_reporting.intake.registry import Dialect, dialects
from strike_reporting.reference.actions import ActionSet
from strike_reporting.reference.facts import published_figures
from strike_reporting.reference.organisations import organisations
from strike_reporting.simulator.dirt import soil_file, soil_rows
from strike_reporting.simulator.loading import simulators
from strike_reporting.simulator.writing import FileType, write

MARKER = "SYNTHETIC"
_NOTE = (
    "Everything in this folder was made by a simulator. It is synthetic data: no trust reported it.\n"
    "Seed {seed}, action {action}.\n"
)


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
        detail: treatment functions (and rosters that are as fine) a trust breaks its day into.
        dirt: chance that a row is wrong; a quarter of it is the chance that a whole file is.
        match_published: scale the counts so that England's total is the published one, exactly.
        only_template: write template CSV files only, in place of several dialects and file types.
        progress: called with each trust's code.

    Raises:
        NoPublishedTotal: `match_published`, and no England total was published for the action.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text(_NOTE.format(seed=seed, action=action.action_id), encoding="utf-8")
    done = SimulatedRound()
    scales: dict[str, _Calibration] = {}
    if match_published:
        of_total = {e: s for e, s in simulators().items() if s.scaled_to}
        scales = {e: _Calibration(action, e, s, seed, trusts, detail) for e, s in of_total.items()}
        done.targets = {group: n for scale in scales.values() for group, n in scale.targets.items()}
    for extract, simulator in simulators().items():
        for code, kind, rows in _national(action, extract, seed, trusts, detail):
            progress(code)
            if extract in scales:
                rows = scales[extract].apply(rows)
            stream = random.Random(f"{seed}:{code}:{extract}:file")  # noqa: S311 - a simulator
            dialect, file_type = _how(extract, simulator, kind, stream, only_template)
            rows = simulator.brief(rows) if simulator.brief and not dialect.id.startswith("template") else rows
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
    asked = asked_with(extract)
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
    known = simulators()
    chain = [extract]
    while out_of := known[chain[-1]].out_of:
        chain.append(out_of)
    sites = tuple(s.site_code for s in organisations().sites() if s.ods_code == code) or (None,)
    sender = Sender(code, kind, sites, tuple(action.days), tuple(action.staff_groups), detail)
    name = known[chain[-1]].stream or chain[-1]
    stream = random.Random(f"{seed}:{code}:{name}:{action.action_id}")  # noqa: S311 - a simulator
    rows: Rows = []
    for one in reversed(chain):
        rows = known[one].rows(sender, stream, rows)
    return rows


def _how(
    extract: str, simulator: Simulator, kind: str, stream: random.Random, only_template: bool
) -> tuple[Dialect, FileType]:
    """Most trusts fill in the template, some as a workbook; acute trusts may have their own supplier's form."""
    known, draw = dialects(), stream.random()
    if only_template:
        return known[f"template.{extract}"], "csv"
    if simulator.brief and kind == "acute" and draw < 0.3:
        own = [d for d in known.values() if d.id.startswith("long_") and d.extract == extract]
        if own:  # they are the example configuration's
            return stream.choice(own), "xlsx" if draw < 0.08 else "csv"
    return known[f"template.{extract}"], "xlsx" if draw > 0.9 else "csv"


class _Calibration:
    """Scales counts to a published total by cumulative rounding: exact, and without holding the nation."""

    def __init__(
        self,
        action: ActionSet,
        extract: str,
        simulator: Simulator,
        seed: int,
        trusts: Sequence[str] | None,
        detail: int,
    ) -> None:
        self.targets = _published(action, extract, simulator)
        self.groups, self.count = simulator.groups, load(extract).count_field
        self.sums = dict.fromkeys(self.targets, 0)
        for _, _, rows in _national(action, extract, seed, trusts, detail):
            for row in rows:
                if group := self._group(row):
                    self.sums[group] += row[self.count]
        self.before = dict.fromkeys(self.targets, 0)

    def _group(self, row: Row) -> str | None:
        return next((g for g in self.groups(row) if g in self.targets), None)

    def apply(self, rows: Rows) -> Rows:
        """The same rows with their share of the target."""
        for row in rows:
            if group := self._group(row):
                target, whole, before = self.targets[group], self.sums[group], self.before[group]
                after = before + row[self.count]
                row[self.count] = target * after // whole - target * before // whole
                self.before[group] = after
        return rows


def _published(action: ActionSet, extract: str, simulator: Simulator) -> dict[str, int]:
    found: dict[str, int] = {}
    for f in published_figures():
        of_all = f.action_id == action.action_id and f.geography_type == "england" and f.day is None
        if of_all and f.value and f.value_qualifier == "exact":
            found.setdefault(f.measure, int(f.value))
    for figures in simulator.scaled_to:
        if {*figures.values()} <= set(found):
            return {group: found[name] for group, name in figures.items()}
    raise NoPublishedTotal(f"no England total of {LABELS[extract].lower()} was published for {action.action_id}")
