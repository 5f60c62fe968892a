"""A root of version 0.1 brought along: receipts without numbers, a ledger of JSON files, releases of the old form.

Landing and the figures of every release stay as they are. An old manifest is kept beside the new one, and what the JSON
ledger alone knew is taken over; then its files are deleted. Cut short, it is finished by doing it again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from strike_reporting.errors import each
from strike_reporting.extracts.tables import TABLES, as_today
from strike_reporting.intake.landing import refusal_key
from strike_reporting.ledger import Ledger, ledger_of
from strike_reporting.ledger.receiving import RECEIPTS, receipt_key
from strike_reporting.ledger.records import NOTICES, Duplicate, Letter, Outcome, Pull, Receipt
from strike_reporting.ledger.remote import Change
from strike_reporting.operations.rebuild import Progress, Rebuilt, in_order, is_old, rebuild
from strike_reporting.publishing.manifest import DECISION, MANIFEST, Decision, FileFact, Inputs, Release, Source
from strike_reporting.publishing.releases import facts_of
from strike_reporting.publishing.staging import identity
from strike_reporting.storage import Store
from strike_reporting.storage.parquet import read_parquet

log = logging.getLogger(__name__)
KEPT_MANIFEST = "manifest.0.1.json"
_SUBMISSIONS, _PULLS, _MAIL = "ledger/submissions", "ledger/pulls", "ledger/mail"
_DUPLICATES, _VALIDATORS = "ledger/deliveries", "ledger/validators"
_FIRST_METHOD = 1  # that of version 0.1, by whose rules every figure is as by the first method after it


def upgrade(store: Store, progress: Progress = lambda done, of: None) -> str:
    """Bring a root to this version; mails nothing, and changes no figure.

    Args:
        store: the state root.
        progress: called with submissions judged and submissions in all.

    Returns:
        What was done, in one sentence.
    """
    manifests = [k for k in store.list("releases", f"/{MANIFEST}") if "/set-aside/" not in k]
    old = [k for k, data in store.read_many(manifests, missing_ok=True).items() if is_old(data)]
    records = list(_records(store))
    if not old and not records:
        ledger_of(store)  # opened, it is migrated
        return "The ledger is of this version."
    numbers = _number(store)
    tried = list(each(old, lambda key: _release(store, key, numbers)))
    _keep_refusals(store, numbers)
    found = rebuild(store, progress, upgrading=True)
    wrong = [f"{t.item}: {t.reason}" for t in tried if t.error is not None]
    kept = len(old) - len(wrong)
    wrong += _take_over(store, ledger_of(store))
    for key in records:
        store.delete(key)
    return _said(found, kept, wrong)


def _said(found: Rebuilt, releases: int, wrong: list[str]) -> str:
    aside = [*wrong, *found.set_aside]
    more = f" Set aside: {'; '.join(aside)}." if aside else ""
    done = f"Upgraded from 0.1: {found.receipts} receipts numbered and judged again, {releases} releases kept"
    return f"{done}; nothing was mailed.{more}"


def _records(store: Store) -> Iterator[str]:
    """What version 0.1 kept and this one does not: the JSON ledger, claims of numbers, and the front pages."""
    for folder in (_SUBMISSIONS, _PULLS, _MAIL, _DUPLICATES, _VALIDATORS):
        yield from store.list(folder, ".json")
    for key in store.list("releases"):
        if "/claims/" in key or key in ("releases/index.html", "releases/before.html"):
            yield key


def _number(store: Store) -> dict[str, int]:
    """Number the receipts in the order in which they came; their numbers by submission."""
    contents = store.read_many(store.list(RECEIPTS, ".json"), missing_ok=True)
    tried = each(contents, lambda key: Receipt.load(contents[key], key))
    found = {t.made.submission_id: t.made for t in tried if t.made and receipt_key(t.made.submission_id) == t.item}
    ordered = in_order(found.values())
    store.write_many({receipt_key(r.submission_id): r.dump() for r in ordered if r != found[r.submission_id]})
    return {r.submission_id: r.sequence for r in ordered}


def _release(store: Store, key: str, numbers: dict[str, int]) -> None:
    """Give one release a manifest of the new form; its files stay as they are."""
    folder, data = key.removesuffix(f"/{MANIFEST}"), store.read(key)
    said = json.loads(data)
    there = store.read_many([f"{folder}/{n}.parquet" for n in TABLES], missing_ok=True)
    tables = {n: _table(there.get(f"{folder}/{n}.parquet"), n) for n in TABLES}
    fields = tables["revisions"]["field"].to_pylist()
    decision = Decision(
        release_id=said["release_id"],
        previous=said["previous"],
        reason="published by version 0.1",
        changed={f: fields.count(f) for f in sorted(set(fields))},
    )
    beside = {KEPT_MANIFEST: data, DECISION: decision.dump()}
    store.write_many({f"{folder}/{name}": kept for name, kept in beside.items()})
    inputs = _inputs(said["inputs"], said["code_version"], numbers)
    files = {n: FileFact(**f) for n, f in said["files"].items()} | facts_of(beside)
    kept = {n: v for n, v in said.items() if n not in ("inputs", "inputs_sha256", "files")}
    release = Release(
        **kept,
        identity=identity(tables, inputs.data_class, said["status"]),
        inputs=inputs,
        files=dict(sorted(files.items())),
    )
    store.write(key, release.dump())


def _table(data: bytes | None, name: str) -> pa.Table:
    """A table of version 0.1 in today's columns; it told of a newer refused file by that file's id alone."""
    schema = TABLES[name].schema
    if data is None:
        return schema.empty_table()
    old = read_parquet(data)
    if "refused_submission_id" in old.column_names and "is_newer_refused" not in old.column_names:
        old = old.append_column("is_newer_refused", old["refused_submission_id"].is_valid())
    return as_today(old, schema)


def _inputs(said: dict[str, Any], version: str, numbers: dict[str, int]) -> Inputs:
    return Inputs(
        data_class=said["data_class"],
        method=_FIRST_METHOD,
        judging_method=_FIRST_METHOD,
        code=said["code"],
        commit=f"version {version}",
        libraries={},
        contracts=said["contracts"],
        pull_failures=said["pull_failures"],
        submissions=tuple(
            Source(**s, sequence=numbers.get(s["submission_id"], 0), is_used=True) for s in said["submissions"]
        ),
    )


def _keep_refusals(store: Store, numbers: dict[str, int]) -> None:
    """Keep why a file with patient data was refused: once its bytes are purged, only its outcome knows."""

    def keep(key: str) -> None:
        said = json.loads(store.read(key))
        identity, kept = said["submission_id"], refusal_key(said["submission_id"])
        if "patient_data" in said["rules"] and identity in numbers and not store.exists(kept):
            known = {k: v for k, v in said.items() if k in Outcome.model_fields}
            store.write(kept, Outcome(**known, sequence=numbers[identity]).dump())

    for tried in each(store.list(_SUBMISSIONS, ".json"), keep):
        if tried.error is not None:
            log.error("%s was not taken over: %s", tried.item, tried.reason)


def _take_over(store: Store, ledger: Ledger) -> list[str]:
    """Take over what only the JSON ledger knows: last pulls, duplicates, what was sent."""
    known = set(ledger.receiving.feeds())
    newest: dict[str, str] = {}
    for key in store.list(_PULLS, ".json"):  # in order of collections
        newest[key.rpartition("/")[2].removesuffix(".json")] = key

    def pull(key: str) -> None:
        one = Pull.load(store.read(key), key)
        if one.feed_id not in known:
            ledger.receiving.pulled([(one, Change())])

    def duplicate(key: str) -> None:
        ledger.receiving.duplicate(Duplicate.load(store.read(key), key))

    def letter(key: str) -> None:
        name = key.rpartition("/")[2].removesuffix(".json")
        about, _, last = name.rpartition(".")
        is_notice = last in NOTICES
        state = "sent" if dict(json.loads(store.read(key)))["status"] == "sent" else "expired"
        kind, area = ("notice", "") if is_notice else ("release", last)
        ledger.letters.add([Letter(name=name, kind=kind, about=about, area=area, state=state)])

    jobs: tuple[tuple[Callable[[str], None], list[str]], ...] = (
        (pull, list(newest.values())),
        (duplicate, store.list(_DUPLICATES, ".json")),
        (letter, store.list(_MAIL, ".json")),
    )
    return [t.reason for job, keys in jobs for t in each(keys, job) if t.error is not None]
