"""Making a release again from landing and what is kept beside it, and saying what differs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from strike_reporting.errors import OurFault
from strike_reporting.extracts.tables import TABLES
from strike_reporting.intake.landing import content, object_key, refusal_key
from strike_reporting.judging import rulebook
from strike_reporting.judging.filing import accepted_key, kept_outcomes
from strike_reporting.judging.settle import validate
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.receiving import receipt_key, withdrawal_key
from strike_reporting.ledger.records import Damaged, Receipt, Withdrawal, receipt_of
from strike_reporting.publishing.frame import Frame
from strike_reporting.publishing.manifest import (
    DECISION,
    FACTS,
    FRAME,
    RULES,
    FileFact,
    KeptRules,
    Release,
    code_sha256,
    libraries,
)
from strike_reporting.publishing.releases import facts_of, find, read_table, with_revisions
from strike_reporting.publishing.staging import manifest_of, render, stage
from strike_reporting.storage import Store
from strike_reporting.storage.parquet import read_parquet, write_parquet


@dataclass(frozen=True)
class Reproduced:
    """What making a release again came to.

    files: names of files whose bytes differ from those kept, or from what the manifest says of them.
    versions: programs that are other ones than then, as sentences; with the same ones no file may differ.
    cells: figures that differ, as sentences: with none, the release says the same in other bytes.
    """

    release: Release
    files: tuple[str, ...]
    versions: tuple[str, ...]
    cells: tuple[str, ...]


def reproduce(store: Store, text: str) -> Reproduced:
    """Make a release again in memory, from the landed bytes and the rules of that time, and compare every file.

    Raises:
        NoRelease: there is no such release.
        OurFault: something that it needs was not kept, or is damaged.
    """
    release = find(store, text)
    frame = Frame.load(*_kept(store, release, FRAME))
    rules = KeptRules.load(*_kept(store, release, RULES))
    before = find(store, release.previous) if release.previous else None
    with tempfile.TemporaryDirectory(prefix="strikes-") as root:
        scratch = Store(root)
        wanted = dict.fromkeys(receipt_of(s.submission_id) for s in release.inputs.submissions)
        receipts = [_copied(store, scratch, s) for s in wanted]
        pins = {receipt_of(s): of_one for s, of_one in rules.pins.items()}  # every part has all of its file's
        ledger_of(scratch).receiving.restore(receipts)
        judged = validate(
            scratch,
            receipts,
            rules=lambda r: rulebook.KeptRules(pins[r.submission_id], rules.contents),
            tell=False,
        )
        if failed := [j.reason for j in judged if j.outcome is None or j.outcome.is_ours]:
            raise OurFault(f"{release.release_id} cannot be made again: {failed[0] or 'a file could not be processed'}")
        ledger_of(scratch).judged.withdraw(_withdrawals(store, release))
        staged = stage(scratch, frame, release.inputs.pull_failures, release.inputs.data_class)
        made = manifest_of(staged, release.number, release.release_id, before)
        made = made.model_copy(update={"standing": release.standing})
        tables, _ = with_revisions(store, staged, made, before)
        files = render(made, tables)
        if FACTS in release.files:
            files[FACTS] = staged.facts
    return Reproduced(
        release, _other_files(store, release, facts_of(files)), _versions(release), _cells(store, release, tables)
    )


def _kept(store: Store, release: Release, name: str) -> tuple[bytes, str]:
    key = f"{release.folder}/{name}"
    try:
        return store.read(key), key
    except FileNotFoundError as error:
        raise OurFault(
            f"{release.release_id} was published before {name} was kept, so it cannot be made again"
        ) from error


def _withdrawals(store: Store, release: Release) -> Iterator[Withdrawal]:
    """What had been taken out when a release was made; later withdrawals are of later ones."""
    for key in (withdrawal_key(s.submission_id) for s in release.inputs.submissions if s.withdrawn):
        yield Withdrawal.load(store.read(key), key)


def _copied(store: Store, scratch: Store, submission_id: str) -> Receipt:
    """Put what is kept of one submission into a scratch root."""
    key = receipt_key(submission_id)
    receipt = Receipt.load(store.read(key), key)
    try:
        scratch.write(object_key(receipt.sha256), content(store, receipt))
    except FileNotFoundError as error:
        kept = kept_outcomes(store, receipt)
        if not kept:
            raise OurFault(f"the landed bytes of {submission_id} are gone, and no outcome of it was kept") from error
        for outcome in kept:
            scratch.write(refusal_key(outcome.submission_id), outcome.dump())
            if outcome.counts:
                rows = accepted_key(outcome.extract or "", outcome.submission_id)
                scratch.write(rows, store.read(rows))
    return receipt


def _other_files(store: Store, release: Release, made: dict[str, FileFact]) -> tuple[str, ...]:
    """Names of files that differ: made again, kept, or said."""
    names = {*made, *release.files} - {FRAME, RULES, DECISION}
    kept: dict[str, bytes] = {}
    for name in release.files:
        try:
            kept[name] = store.read(f"{release.folder}/{name}")
        except FileNotFoundError:
            continue
    are = facts_of(kept)
    wrong = {n for n in names if made.get(n) != are.get(n)}
    return tuple(sorted(wrong | {n for n in release.files if are.get(n) != release.files[n]}))


def _versions(release: Release) -> tuple[str, ...]:
    found = []
    if release.inputs.code != code_sha256():
        found.append(f"the code was {release.inputs.code} (commit {release.inputs.commit}), it is {code_sha256()}")
    now = libraries()
    for name in sorted({*release.inputs.libraries, *now}):
        was, is_now = release.inputs.libraries.get(name, "not there"), now.get(name, "not there")
        if was != is_now:
            found.append(f"{name} was {was}, it is {is_now}")
    return tuple(found)


def _cells(store: Store, release: Release, made: dict[str, pa.Table]) -> tuple[str, ...]:
    """Every cell that differs between the kept tables and those made again."""
    found: list[str] = []
    for name, described in TABLES.items():
        try:
            kept = read_table(store, release, name)
        except Damaged as error:
            found.append(str(error))
            continue
        found += _differences(name, described.keys, kept, _as_read(made[name]))
    return tuple(found)


def _as_read(table: pa.Table) -> pa.Table:
    return read_parquet(write_parquet(table))


def _differences(name: str, keys: tuple[str, ...], kept: pa.Table, made: pa.Table) -> list[str]:
    def rows(table: pa.Table) -> dict[tuple[object, ...], dict[str, object]]:
        return {tuple(r[k] for k in keys): r for r in table.to_pylist()}

    was, now = rows(kept), rows(made)
    found = []
    for key in sorted({*was, *now}, key=str):
        label = ", ".join(str(k) for k in key if k is not None)
        if key not in was or key not in now:
            found.append(f"{name}: row {label} is {'new' if key in now else 'gone'}")
            continue
        found += [
            f"{name}: {column} of {label} was {was[key][column]}, it is {now[key].get(column)}"
            for column in was[key]
            if was[key][column] != now[key].get(column)
        ]
    return found
