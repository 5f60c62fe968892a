"""Staging: an action's tables from the ledger, checked, with the hash of all that a reader would be told by them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from strike_reporting.errors import OurFault
from strike_reporting.extracts import EXTRACTS, load
from strike_reporting.extracts.tables import TABLES
from strike_reporting.judging.filing import accepted_key
from strike_reporting.judging.rulebook import METHOD as JUDGING_METHOD
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import EVERY, Outcome, Withdrawal
from strike_reporting.publishing import data_files
from strike_reporting.publishing.checks import check
from strike_reporting.publishing.frame import Frame
from strike_reporting.publishing.manifest import (
    METHOD,
    Coverage,
    Inputs,
    Release,
    code_sha256,
    commit,
    libraries,
    source,
)
from strike_reporting.publishing.selection import Return, select, window
from strike_reporting.storage import Store
from strike_reporting.storage.parquet import read_parquet, write_parquet


class CheckFailed(OurFault):
    """A staged release does not add up and was not published; the message lists every failed check."""


class Unsound(OurFault):
    """Outcomes or accepted files that cannot be read; `submissions` are those to judge again."""

    def __init__(self, action_id: str, what: str, submissions: Iterable[str]) -> None:
        """Name them."""
        self.submissions = tuple(submissions)
        named = ", ".join(self.submissions)
        super().__init__(f"{action_id} was not published: the {what} of {named} cannot be read; see `strikes doctor`")


@dataclass(frozen=True)
class Staged:
    """Tables (all but `revisions`), facts and what they were made from.

    facts: as Parquet. identity: of what a reader is told.
    """

    frame: Frame
    returns: list[Return]
    outcomes: list[Outcome]
    tables: dict[str, pa.Table]
    facts: bytes
    inputs: Inputs
    identity: str


def stage(
    store: Store,
    frame: Frame,
    failures: dict[str, str] | None = None,
    data_class: str | None = None,
    until: datetime | None = None,
) -> Staged:
    """Stage an action from the ledger.

    Args:
        store: the state root.
        frame: what to report.
        failures: why feeds could not be pulled; default what the ledger says now.
        data_class: default what the submissions say.
        until: only of what had been received, and had been withdrawn, at this moment.

    Raises:
        CheckFailed: the figures do not add up.
        Unsound: something that they are made of is damaged.
    """
    from strike_reporting.publishing.facts import counting  # DuckDB: not for who only reads releases
    from strike_reporting.publishing.summaries import summarise

    ledger = ledger_of(store)
    outcomes = ledger.judged.about(frame.all_days, frame.action_id.split(";"), window(frame.days))
    if outcomes.set_aside:
        raise Unsound(frame.action_id, "outcome", outcomes.set_aside)
    if until is not None:
        outcomes[:] = _known(outcomes, ledger.judged.withdrawn(), until)
    failures = ledger.receiving.failing() if failures is None else failures
    returns = select(frame, outcomes, failures)
    try:
        tables, facts, lost = summarise(store, frame, returns)
        if problems := [*lost, *check(tables, returns, outcomes)]:
            raise CheckFailed(f"{frame.action_id} was not published: " + "; ".join(problems))
    except Exception as error:
        if gone := [s for e in EXTRACTS for s in counting(returns, e) if accepted_rows(store, e, s) is None]:
            raise Unsound(frame.action_id, "accepted file", gone) from error
        raise
    inputs = _inputs(frame, returns, outcomes, failures, data_class)
    return Staged(frame, returns, outcomes, tables, facts, inputs, identity(tables, inputs.data_class, frame.status))


def _known(outcomes: Iterable[Outcome], withdrawn: Iterable[Withdrawal], until: datetime) -> Iterator[Outcome]:
    """Outcomes of what had been received at a moment; what was withdrawn later counts."""
    later = {w.submission_id for w in withdrawn if datetime.fromisoformat(w.at) > until}
    for o in outcomes:
        if datetime.fromisoformat(o.received_at) <= until:
            yield o.model_copy(update={"withdrawn": ""}) if o.submission_id in later else o


def accepted_rows(store: Store, extract: str, submission_id: str) -> int | None:
    """How many accepted rows a submission has; None when they are gone or cannot be read."""
    names = load(extract).schema.names
    try:
        return int(read_parquet(store.read(accepted_key(extract, submission_id))).select(names).num_rows)
    except (OSError, KeyError, pa.ArrowException):
        return None


def identity(tables: dict[str, pa.Table], data_class: str, status: str) -> str:
    """One hash over every value, coverage, status and flag: not over names, reasons and provenance."""
    digest = hashlib.sha256(json.dumps([data_class, status]).encode())
    for name, described in TABLES.items():
        if name != "revisions":
            told = tables[name].select(list(described.told)).to_pydict()
            digest.update(json.dumps([name, told], default=str).encode())
    return digest.hexdigest()


def _inputs(
    frame: Frame, returns: list[Return], outcomes: list[Outcome], failures: dict[str, str], data_class: str | None
) -> Inputs:
    """What a release is computed from. It is synthetic when any file meant for its action is, used or not."""
    used = {s for r in returns for s in (r.submission_id, *r.submission_ids, r.refused_submission_id) if s}
    meant = {*frame.action_id.split(";")}
    classes = {o.data_class for o in outcomes if o.submission_id in used or meant & {*(o.action_id or "").split(";")}}
    missing = {f"{r.ods_code}.{r.extract}" for r in returns if r.return_status == "missing"}
    return Inputs(
        data_class=data_class or ("synthetic" if "synthetic" in classes else "real"),
        method=METHOD,
        judging_method=JUDGING_METHOD,
        code=code_sha256(),
        commit=commit(),
        libraries=libraries(),
        contracts={e: load(e).version for e in EXTRACTS},
        pull_failures={k: v for k, v in failures.items() if k in missing or k.startswith(f"{EVERY}.")},
        submissions=tuple(source(o, o.submission_id in used) for o in outcomes),
    )


def manifest_of(staged: Staged, number: int, release_id: str, before: Release | None) -> Release:
    """The manifest of a staged release, still without its files and its standing."""
    frame, tables, inputs = staged.frame, staged.tables, staged.inputs
    england = next(r for r in tables["action_totals"].to_pylist() if r["area_type"] == "england")
    from strike_reporting import __version__

    return Release(
        release_id=release_id,
        number=number,
        action_id=frame.action_id,
        title=frame.title,
        as_at=max((s.received_at for s in inputs.submissions if s.is_used), default=None),
        data_class=inputs.data_class,
        status=frame.status,
        strike_days=tuple(str(d) for d in frame.days),
        overlapping={str(d): ids for d, ids in frame.overlapping.items() if d in frame.days},
        coverage=Coverage.of(england),
        rows={n: t.num_rows for n, t in sorted(tables.items())},
        rows_accepted=sum(r.rows_accepted for r in staged.returns if r.counts),
        code_version=__version__,
        identity=staged.identity,
        inputs=inputs,
        previous=before.release_id if before else None,
    )


def render(release: Release, tables: dict[str, pa.Table]) -> dict[str, bytes]:
    """The files of a release: every table as Parquet and CSV, the data package and the workbook."""
    from strike_reporting.publishing.workbook import workbook  # pandas: the same

    return {
        **parquet_files(release, tables),
        "workbook.xlsx": workbook(release, tables),
        **data_files.data_files(release, tables),
    }


def parquet_files(release: Release, tables: dict[str, pa.Table]) -> dict[str, bytes]:
    """Every table as a Parquet file that says what it is of."""
    return {f"{n}.parquet": _parquet(t, n, release) for n, t in tables.items()}


def _parquet(table: pa.Table, name: str, release: Release) -> bytes:
    meta = {
        "release_id": release.release_id,
        "table": name,
        "title": TABLES[name].title,
        "data_class": release.data_class,
        "as_at": release.as_at or "",
        "standing": release.standing.sentence if release.standing else "",
        "contract_versions": ",".join(f"{e}={v}" for e, v in release.inputs.contracts.items()),
    }
    if release.data_class == "synthetic":
        meta["warning"] = data_files.SYNTHETIC
    return write_parquet(table.replace_schema_metadata(meta))
