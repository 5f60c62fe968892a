"""Releases: immutable, numbered publications of one action, staged in full, checked, then made current.

`releases/<action>/<number>/` holds everything; `releases/<action>/latest.json` is the one pointer. A release is
a function of its manifest's inputs, so the same inputs give the same bytes on any machine.
"""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from strike_reporting import __version__, ledger
from strike_reporting.catalogue.tables import TABLES
from strike_reporting.extracts import EXTRACTS, contracts_sha256, load
from strike_reporting.ledger import Outcome
from strike_reporting.publishing.checks import check
from strike_reporting.publishing.revisions import revisions
from strike_reporting.publishing.selection import RETURNED, Return, select
from strike_reporting.publishing.summaries import summarise
from strike_reporting.reference.actions import ActionSet, resolve
from strike_reporting.reference.facts import reference_sha256
from strike_reporting.storage import Store, to_json

log = logging.getLogger(__name__)
_SOURCE = (".py", ".sql", ".yaml", ".jinja", ".css", ".js")  # what computes a release


class NoRelease(LookupError):
    """There is no such release; the message lists what there is."""


class CheckFailed(RuntimeError):
    """A staged release does not add up and was not published; the message lists every failed check."""


@cache
def code_sha256() -> str:
    """Hash of the package's own source: which code computed a release."""
    root, digest = Path(__file__).parent.parent, hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.suffix in _SOURCE):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def folder(action: ActionSet, number: int) -> str:
    """Key of a release's folder."""
    return f"releases/{action.slug}/{number:04d}"


def _inputs(
    action: ActionSet,
    returns: list[Return],
    outcomes: list[Outcome],
    failures: dict[str, str],
    data_class: str | None = None,
) -> dict[str, Any]:
    """Everything a release is computed from. It is synthetic when any file meant for its action is, used or not."""
    used = {s for r in returns for s in (r.submission_id, r.refused_submission_id) if s}
    chosen = [o for o in outcomes if o.submission_id in used]
    meant = {a.action_id for a in action.actions}
    classes = {o.data_class for o in outcomes if o in chosen or meant & {*(o.action_id or "").split(";")}}
    return {
        "action_id": action.action_id,
        "data_class": data_class or ("synthetic" if "synthetic" in classes else "real"),
        "code": code_sha256(),
        "contracts": {e: load(e).version for e in EXTRACTS},
        "contracts_sha256": contracts_sha256(),
        "reference_sha256": reference_sha256(),
        "pull_failures": failures,
        "submissions": [
            {
                "submission_id": o.submission_id,
                "ods_code": o.ods_code,
                "extract": o.extract,
                "feed_id": o.feed_id,
                "source_name": o.source_name,
                "sha256": o.sha256,
                "received_at": o.received_at,
                "status": o.status,
                "reason": o.reason,
                "dialect": o.dialect,
                "data_class": o.data_class,
                "rows_read": o.rows_read,
                "rows_accepted": o.rows_accepted,
                "rows_quarantined": o.rows_quarantined,
                "warnings": o.warnings,
                "rules": o.rules,
            }
            for o in chosen
        ],
        "returns_sha256": hashlib.sha256(
            to_json([{**asdict(r), "strike_day": str(r.strike_day)} for r in returns])
        ).hexdigest(),
    }


def build(
    store: Store, action: ActionSet, progress: Callable[[int, int], None] = lambda done, of: None
) -> tuple[dict[str, Any], bool]:
    """Publish an action's release from the ledger.

    Args:
        store: the state root.
        action: what to report.
        progress: called with pages written and pages in all.

    Returns:
        The manifest, and whether it is new: with unchanged inputs the current release stands.

    Raises:
        CheckFailed: the figures do not add up; nothing was published.
    """
    outcomes, failures = ledger.outcomes(store), ledger.pull_failures(store)
    returns = select(action, outcomes, failures)
    relevant = {
        k: v
        for k, v in failures.items()
        if any(k == f"{r.ods_code}.{r.extract}" for r in returns if r.return_status == "missing")
    }
    inputs = _inputs(action, returns, outcomes, relevant)
    before = _latest(store, action)
    fingerprint = hashlib.sha256(to_json(inputs)).hexdigest()
    if before and before["inputs_sha256"] == fingerprint:
        return before, False
    number = before["number"] + 1 if before else 1
    past = _action_before(store, action)
    files, facts = _render(store, action, returns, outcomes, inputs, number, before, (store, past), progress)
    if _latest(store, action) != before:
        return build(store, action, progress)  # another process published meanwhile: what it knew counts too
    claimed = _claim(store, action, number, fingerprint)
    if claimed != number:  # the number belongs to a process that died, or is still writing
        number = claimed
        files, facts = _render(store, action, returns, outcomes, inputs, number, before, (store, past), progress)
    target = folder(action, number)
    for name in sorted(files):
        store.write(f"{target}/{name}", files[name])
    manifest = {
        "release_id": f"{action.slug}.r{number}",
        "number": number,
        "action_id": action.action_id,
        "title": action.title,
        **facts,
        "inputs": inputs,
        "inputs_sha256": fingerprint,
        "previous": before["release_id"] if before else None,
        "compared_with": past["release_id"] if past else None,
        "files": {n: {"sha256": hashlib.sha256(d).hexdigest(), "bytes": len(d)} for n, d in sorted(files.items())},
    }
    store.write_json(f"{target}/manifest.json", manifest)
    newest = _latest(store, action)
    if newest is None or newest["number"] < number:  # a process that took longer never puts an older one in front
        pointer = {"number": number, "release_id": manifest["release_id"]}
        store.write_json(f"releases/{action.slug}/latest.json", pointer)
    return manifest, True


def _claim(store: Store, action: ActionSet, number: int, fingerprint: str) -> int:
    """The first free number from `number` on, now this release's own: two processes never write one folder.

    A number that was claimed for the same inputs is taken up again: its process died, or writes the same bytes.
    """
    while True:
        key = f"releases/{action.slug}/claims/{number:04d}.json"
        if store.create(key, to_json({"inputs_sha256": fingerprint})):
            return number
        if store.read_json(key)["inputs_sha256"] == fingerprint and not store.exists(
            f"{folder(action, number)}/manifest.json"
        ):
            return number
        number += 1


def _render(
    store: Store,
    action: ActionSet,
    returns: list[Return],
    outcomes: list[Outcome],
    inputs: dict[str, Any],
    number: int,
    before: dict[str, Any] | None,
    compared: tuple[Store, dict[str, Any] | None],
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """All files of a release, and the manifest's facts about them."""
    from strike_reporting.site import Compared, render

    tables = summarise(store, action, returns)
    problems = check(action, tables, returns, outcomes)
    if problems:
        raise CheckFailed(f"{action.action_id} was not published: " + "; ".join(problems))
    release_id = f"{action.slug}.r{number}"
    old = {n: read_table(store, action, before["number"], n) for n in TABLES} if before else {}
    past = {s["submission_id"] for s in before["inputs"]["submissions"]} if before else set()
    tables["revisions"] = revisions(action, release_id, old, tables, before, inputs, past)
    facts = _facts(action, tables, returns, inputs)
    files = {f"{n}.parquet": _parquet(t, n, facts, release_id) for n, t in tables.items()}
    pasts = []
    if before:
        label, what = f"Since release {before['number']}", "the release before this one"
        pasts.append(Compared(label, what, before["release_id"], old["action_totals"], True))
    there, manifest = compared
    if manifest:
        earlier = resolve(manifest["action_id"])
        totals = read_table(there, earlier, manifest["number"], "action_totals")
        label, what = f"Since {earlier.days[0]:%B %Y}", f"the {_small(earlier.title)}"
        pasts.append(Compared(label, what, manifest["release_id"], totals, False))
    files.update(render(release_id, action, tables, facts, inputs, pasts, progress))
    return files, facts


def _small(title: str) -> str:
    return title[0].lower() + title[1:]


def _action_before(store: Store, action: ActionSet) -> dict[str, Any] | None:
    """The current release of the last action before this one by any of the same staff."""
    found = [m for m in current(store) if ";" not in m["action_id"]]
    earlier = [(resolve(m["action_id"]), m) for m in found]
    mine = {*action.staff_groups}
    past = [(a.days[0], m) for a, m in earlier if a.days[-1] < action.days[0] and mine & {*a.staff_groups}]
    return max(past, key=lambda p: p[0])[1] if past else None


def _facts(
    action: ActionSet, tables: dict[str, pa.Table], returns: list[Return], inputs: dict[str, Any]
) -> dict[str, Any]:
    england = next(r for r in tables["action_totals"].to_pylist() if r["area_type"] == "england")
    return {
        "as_at": max((s["received_at"] for s in inputs["submissions"]), default=None),
        "data_class": inputs["data_class"],
        "status": action.status_text,
        "strike_days": [str(d) for d in action.days],
        "overlapping": {str(d): list(action.overlapping(d)) for d in action.days if action.overlapping(d)},
        "coverage": {
            k: england[k]
            for k in (
                "trusts_expected",
                "trusts_returned",
                "coverage",
                "staffing_trusts_expected",
                "staffing_trusts_returned",
                "staffing_coverage",
            )
        },
        "rows": {n: t.num_rows for n, t in sorted(tables.items())},
        "rows_accepted": sum(r.rows_accepted for r in returns if r.return_status in RETURNED),
        "code_version": __version__,
    }


def _parquet(table: pa.Table, name: str, facts: dict[str, Any], release_id: str) -> bytes:
    meta = {
        "release_id": release_id,
        "table": name,
        "title": TABLES[name].title,
        "data_class": facts["data_class"],
        "as_at": facts["as_at"] or "",
        "contract_versions": ",".join(f"{e}={load(e).version}" for e in EXTRACTS),
    }
    if facts["data_class"] == "synthetic":
        meta["warning"] = "SYNTHETIC DATA: made by a simulator, not reported by any trust"
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(meta), buffer, compression="zstd", version="2.6")
    return buffer.getvalue()


def _latest(store: Store, action: ActionSet) -> dict[str, Any] | None:
    key = f"releases/{action.slug}/latest.json"
    if not store.exists(key):
        return None
    return store.read_json(f"{folder(action, store.read_json(key)['number'])}/manifest.json")


def find(store: Store, text: str) -> dict[str, Any]:
    """The manifest of a release id, or of an action's current release.

    Raises:
        NoRelease: there is none.
    """
    slug, _, number = text.replace(";", "_").partition(".r")
    key = f"releases/{slug}/{int(number):04d}/manifest.json" if number.isdigit() else ""
    if not number:
        pointer = f"releases/{slug}/latest.json"
        key = f"releases/{slug}/{store.read_json(pointer)['number']:04d}/manifest.json" if store.exists(pointer) else ""
    if not key or not store.exists(key):
        known = [m["release_id"] for m in current(store)]
        raise NoRelease(f"there is no release {text!r}; there are: {', '.join(known) or 'none'}")
    return store.read_json(key)


def current(store: Store) -> list[dict[str, Any]]:
    """The manifest of every action's current release, by action. A damaged one is logged and left out."""
    found = []
    for key in store.list("releases", "latest.json"):
        try:
            number = store.read_json(key)["number"]
            found.append(store.read_json(key.replace("latest.json", f"{number:04d}/manifest.json")))
        except (OSError, ValueError, KeyError):
            log.exception("%s, or the manifest it points to, cannot be read", key)
    return found


def read_table(store: Store, action: ActionSet, number: int, name: str) -> pa.Table:
    """One published table of a release."""
    return pq.read_table(io.BytesIO(store.read(f"{folder(action, number)}/{name}.parquet")))


def reproduce(store: Store, text: str) -> list[str]:
    """Rebuild a release from landing in memory and compare every file; returns the names that differ.

    Raises:
        NoRelease: there is no such release.
        OSError: a landed file is gone or no longer matches its hash.
    """
    from strike_reporting.publishing.replay import rebuilt

    manifest = find(store, text)
    action = resolve(manifest["action_id"])
    with rebuilt(store, manifest) as scratch:
        outcomes = ledger.outcomes(scratch)
        returns = select(action, outcomes, manifest["inputs"]["pull_failures"])
        before = find(store, manifest["previous"]) if manifest["previous"] else None
        known = manifest["inputs"]
        inputs = _inputs(action, returns, outcomes, known["pull_failures"], known["data_class"])
        if before:  # the release before is compared with, so it must be there to read
            source = folder(action, before["number"])
            for name in TABLES:
                scratch.write(f"{source}/{name}.parquet", store.read(f"{source}/{name}.parquet"))
        past = find(store, manifest["compared_with"]) if manifest["compared_with"] else None
        files, _ = _render(scratch, action, returns, outcomes, inputs, manifest["number"], before, (store, past))
    made = {n: hashlib.sha256(d).hexdigest() for n, d in files.items()}
    kept = {
        n: hashlib.sha256(store.read(f"{folder(action, manifest['number'])}/{n}")).hexdigest()
        for n in manifest["files"]
    }
    return sorted(
        n
        for n in {*made, *kept}
        if made.get(n) != kept.get(n) or kept.get(n) != manifest["files"].get(n, {}).get("sha256")
    )
