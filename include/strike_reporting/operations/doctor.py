"""What is damaged or left over in everything that is kept, each with the command that mends it.

It only looks, and never fails because of what it looks at: a check that cannot go on is a finding like any other.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial

import sqlalchemy as sa

from strike_reporting.errors import OurFault, Transient, attempt, each
from strike_reporting.extracts import EXTRACTS
from strike_reporting.intake.dialects import load_dialects
from strike_reporting.intake.landing import RESTRICTED, object_key
from strike_reporting.intake.registry import load_registry
from strike_reporting.judging.filing import accepted_key, kept_outcomes, report_key
from strike_reporting.judging.rulebook import hashed
from strike_reporting.ledger import Ledger, ledger_of, schema
from strike_reporting.ledger.again import damaged, readable
from strike_reporting.ledger.engine import reading
from strike_reporting.ledger.receiving import RECEIPTS, receipt_key
from strike_reporting.ledger.records import Cut, Damaged, Outcome, Receipt, Record, receipt_of
from strike_reporting.operations.rebuild import is_old
from strike_reporting.processes import is_alive
from strike_reporting.publishing.drafts import read_draft
from strike_reporting.publishing.frame import Frame
from strike_reporting.publishing.manifest import (
    DECISION,
    FRAME,
    MANIFEST,
    RULES,
    Decision,
    KeptRules,
    Release,
    release_folder,
)
from strike_reporting.publishing.releases import Pointer, mending, pointer_key
from strike_reporting.publishing.staging import accepted_rows
from strike_reporting.publishing.summary import Summary
from strike_reporting.settings import settings
from strike_reporting.site.draw import Drawn
from strike_reporting.storage import Store
from strike_reporting.storage._folder import TEMPORARY

REBUILD, UPGRADE = "strikes ledger rebuild", "strikes ledger upgrade"
COLLECT, JUDGE, PUBLISH = (
    f"airflow dags trigger {dag}" for dag in ("collect_extracts", "validate_extracts", "publish_disruption")
)
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: the file or row, what is wrong with it, and what to do."""

    what: str
    wrong: str
    mend: str


class _Seen:
    """A root while it is looked at; what several checks ask is read once."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @cached_property
    def ledger(self) -> Ledger:
        return ledger_of(self.store)

    @cached_property
    def receipt_keys(self) -> list[str]:
        return self.store.list(RECEIPTS)

    @cached_property
    def receipts(self) -> dict[str, Receipt]:
        """Receipts as landing keeps them, and those that only the ledger has."""
        kept = self.store.read_many(self.receipt_keys, missing_ok=True)
        tried = each(kept, lambda key: Receipt.load(kept[key], key))
        found = {t.item: t.made for t in tried if t.made is not None}
        whole = {r.submission_id: r for key, r in found.items() if key == receipt_key(r.submission_id)}
        known = attempt("receipts", lambda _: self.rows).made or {}
        return known | whole

    @cached_property
    def rows(self) -> dict[str, Receipt]:
        """Landed receipts as the ledger has them."""
        landed = readable(self.ledger.engine, Receipt, schema.receipts, schema.receipts.c.is_landed)
        return {r.submission_id: r for r in landed}

    @cached_property
    def cuts(self) -> dict[tuple[str, int], Cut]:
        """The releases that the ledger knows, by action's folder name and number."""
        return {(c.release_id.rpartition(".r")[0], c.number): c for c in self.ledger.published.everything()}

    @cached_property
    def release_files(self) -> dict[tuple[str, int], set[str]]:
        """Names of the files in each release's folder."""
        found: dict[tuple[str, int], set[str]] = {}
        for key in self.store.list("releases"):
            parts = re.fullmatch(r"releases/([^/]+)/(\d{4,})/(.+)", key)
            if parts:
                found.setdefault((parts[1], int(parts[2])), set()).add(parts[3])
        return found


def examine(store: Store, progress: Progress = lambda what: None) -> list[Finding]:
    """Look at everything that is kept.

    Args:
        store: the state root.
        progress: called with what is being looked at.

    Returns:
        What is wrong; nothing when all is well.
    """
    seen = _Seen(store)
    ledger = _ledger(seen)
    found = list(ledger)
    for needs_ledger, name, check in _CHECKS:
        if needs_ledger and ledger:
            continue
        progress(name)
        tried = attempt(name, lambda _, check=check: list(check(seen)))  # type: ignore[misc]
        found += tried.made or []
        if tried.error is not None:
            found.append(Finding(name, tried.reason, "see the log; the other checks went on"))
    return list(dict.fromkeys(found))


def _ledger(seen: _Seen) -> list[Finding]:
    """Why the ledger cannot be used, if it cannot."""

    def whole(seen: _Seen) -> str:
        engine = seen.ledger.engine
        if engine.dialect.name != "sqlite":
            return "ok"
        with reading(engine) as connection:
            return str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())

    tried = attempt(seen, whole)
    if tried.made == "ok":
        return []
    if seen.store.list("ledger/submissions"):
        return [Finding("ledger", "it is of version 0.1", f"`{UPGRADE}`")]
    if isinstance(tried.error, Transient):
        return [Finding("ledger", tried.reason, "wait until the database answers")]
    if tried.error is None:
        return [Finding("ledger", f"the database is damaged: {tried.made}", f"move it away and run `{REBUILD}`")]
    return [Finding("ledger", tried.reason, f"`{REBUILD}`" if isinstance(tried.error, OurFault) else "see there")]


def _why(kind: type[Record], data: bytes | str | None) -> str:
    """Why a record cannot be read; empty when it can."""
    if data is None:
        return "it is gone"
    try:
        kind.load(data, "")
    except Damaged as error:
        return f"it cannot be read: {error.why}"
    return ""


def _rows(seen: _Seen) -> Iterator[Finding]:
    for row in damaged(seen.ledger.engine):
        yield Finding(f"ledger, {row.name}", f"its {row.column} cannot be read: {row.why}", f"`{REBUILD}`")
    for sha, text in seen.ledger.judged.rules():
        if not _is_answer(sha, text):
            yield Finding(f"ledger, rules {sha}", "it is not what was answered", f"`{REBUILD}`")
    for release_id, text in seen.ledger.published.summaries(is_current=False).items():
        if wrong := _why(Summary, text):
            yield Finding(f"ledger, release {release_id}", f"its summary: {wrong}", f"`{REBUILD}`")


def _is_answer(sha: str, text: str) -> bool:
    try:
        return hashed(json.loads(text)) == sha
    except ValueError:
        return False


def _receipts(seen: _Seen) -> Iterator[Finding]:
    rows, known = seen.rows, seen.ledger.receiving.ids()
    kept = seen.store.read_many(seen.receipt_keys, missing_ok=True)
    for key in seen.receipt_keys:
        name, wrong = key.rpartition("/")[2].removesuffix(".json"), _why(Receipt, kept.get(key))
        if not re.fullmatch(r"[0-9a-f]{20}", name):
            yield Finding(key, "it is no receipt", f"remove {key}")
        elif wrong and name in rows:
            yield Finding(key, wrong, f"`{REBUILD}` (the ledger still has it)")
        elif wrong:
            yield Finding(key, wrong, f"restore it from a backup, then `{REBUILD}`")
        elif name not in known:
            yield Finding(key, "the ledger does not know it", f"`{REBUILD}`")
    for submission_id in rows:
        if receipt_key(submission_id) not in kept:
            yield Finding(receipt_key(submission_id), "it is gone", f"`{REBUILD}` (the ledger still has it)")


def _landed(seen: _Seen) -> Iterator[Finding]:
    objects = {k: k for k in seen.store.list("landing/objects")}
    by_hash: dict[str, Receipt] = {r.sha256: r for r in seen.receipts.values()}
    for sha256, receipt in by_hash.items():
        key = object_key(sha256)
        objects.pop(key, None)
        tried = attempt(receipt, partial(_landed_wrong, seen.store))
        if wrong := tried.made or tried.reason:
            name = f"{receipt.source_name} of {receipt.feed_id}"
            mend = f"restore it from a backup, or copy the sender's file {name} there; then {JUDGE}"
            yield Finding(key, wrong, mend)
    for key in objects:
        yield Finding(key, "no receipt speaks of it: its landing was cut short", f"{COLLECT}; then remove {key}")
    for key in seen.store.list(RESTRICTED):
        yield Finding(key, "it holds patient data", "`strikes purge`")


def _landed_wrong(store: Store, receipt: Receipt) -> str:
    for key in (object_key(receipt.sha256), f"{RESTRICTED}/{receipt.sha256}"):
        try:
            data = store.read(key)
        except FileNotFoundError:
            continue
        return "" if hashlib.sha256(data).hexdigest() == receipt.sha256 else "its bytes do not match their hash"
    return "" if kept_outcomes(store, receipt) else "it is gone"


def _accepted(seen: _Seen) -> Iterator[Finding]:
    reports = set(seen.store.list("quarantine", ".txt"))
    waiting = seen.ledger.receiving.ids(is_judged=False)
    for outcome in readable(seen.ledger.engine, Outcome, schema.outcomes):
        if receipt_of(outcome.submission_id) in waiting:
            continue
        tried = attempt(outcome, partial(_accepted_wrong, seen.store)) if outcome.counts else None
        if tried and (wrong := tried.made or tried.reason):
            yield Finding(
                accepted_key(outcome.extract or next(iter(EXTRACTS)), outcome.submission_id), wrong, f"`{REBUILD}`"
            )
        key = report_key(outcome.submission_id)
        if (outcome.rules or outcome.warnings) and key not in reports:
            yield Finding(key, "it is gone", f"`{REBUILD}`")


def _accepted_wrong(store: Store, outcome: Outcome) -> str:
    rows = accepted_rows(store, outcome.extract or "", outcome.submission_id)
    if rows is None:
        return "it is gone or cannot be read"
    return "" if rows == outcome.rows_accepted else f"it has {rows} rows, the ledger says {outcome.rows_accepted}"


def _releases(seen: _Seen) -> Iterator[Finding]:
    published = {at for at, cut in seen.cuts.items() if cut.state == "published"}
    for slug, number in sorted(published | set(seen.release_files)):
        names, cut = seen.release_files.get((slug, number), set()), seen.cuts.get((slug, number))
        folder = release_folder(slug, number)
        if (slug, number) in published:
            yield from _release(seen.store, slug, number, names)
        elif cut is not None and cut.state == "set_aside":
            again = f"`strikes release set-aside {cut.release_id}`"
            yield Finding(folder, "its moving aside was cut short", again)
        elif MANIFEST in names:
            yield Finding(folder, "the ledger does not know this release", f"`{REBUILD}`")
        elif cut is None:
            yield Finding(folder, "its writing was cut short, it has no manifest", f"{PUBLISH}; or remove it")
    yield from _pointers(seen)


def _release(store: Store, slug: str, number: int, names: set[str]) -> Iterator[Finding]:
    folder, mend = release_folder(slug, number), mending(f"{slug}.r{number}")
    contents = store.read_many((f"{folder}/{n}" for n in sorted(names)), missing_ok=True)
    manifest = f"{folder}/{MANIFEST}"
    if is_old(contents.get(manifest, b"")):
        yield Finding(manifest, "it is of version 0.1", f"`{UPGRADE}`")
        return
    for name, kind in _IN_RELEASE:
        if (name == MANIFEST or name in names) and (wrong := _why(kind, contents.get(f"{folder}/{name}"))):
            yield Finding(f"{folder}/{name}", wrong, mend)
    if _why(Release, contents.get(manifest)):
        return
    release = Release.load(contents[manifest], manifest)
    for name, fact in release.files.items():
        key = f"{folder}/{name}"
        if key not in contents:
            yield Finding(key, "it is gone", mend)
        elif hashlib.sha256(contents[key]).hexdigest() != fact.sha256:
            yield Finding(key, "it is not as it was published", mend)
    for name in sorted(names - {MANIFEST, *release.files}):
        yield Finding(f"{folder}/{name}", "it is no part of the release", f"remove {folder}/{name}")


def _drafts(seen: _Seen) -> Iterator[Finding]:
    for row in seen.ledger.drafts.shown():
        mend = f"`{REBUILD}`, then {PUBLISH}"
        tried = attempt(row, lambda row: read_draft(seen.store, row.slug, row.kept))
        if tried.made is None:
            yield Finding(f"drafts/{row.slug}/{row.kept}/{MANIFEST}", tried.reason, mend)
            continue
        keys = {f"{tried.made.folder}/{name}": fact.sha256 for name, fact in tried.made.files.items()}
        contents = seen.store.read_many(keys, missing_ok=True)
        for key in (k for k in keys if k not in contents):
            yield Finding(key, "it is gone", mend)
        for key in (k for k, data in contents.items() if hashlib.sha256(data).hexdigest() != keys[k]):
            yield Finding(key, "it is not as it was drafted", mend)


def _pointers(seen: _Seen) -> Iterator[Finding]:
    newest: dict[str, int] = {}
    for (slug, number), cut in seen.cuts.items():
        if cut.state == "published":
            newest[slug] = max(number, newest.get(slug, 0))
    for slug, number in newest.items():
        key = pointer_key(slug)
        data = seen.store.read_many([key], missing_ok=True).get(key)
        if wrong := _why(Pointer, data):
            yield Finding(key, wrong, f"`{REBUILD}`")
        elif data and (said := Pointer.load(data, key).number) != number:
            yield Finding(key, f"it says {said}, the current release is {number}", f"`{REBUILD}`")


def _unfinished(seen: _Seen) -> Iterator[Finding]:
    now, lease = datetime.now(UTC), timedelta(seconds=settings().claim_lease_seconds)
    cut_short = readable(seen.ledger.engine, Receipt, schema.receipts, sa.not_(schema.receipts.c.is_landed))
    for receipt in cut_short:
        what = f"landing of {receipt.source_name} ({receipt.submission_id})"
        yield Finding(what, "it was cut short", f"{COLLECT}; a drop: `strikes run` again")
    for cut in seen.cuts.values():
        if cut.state != "claimed":
            continue
        alive = is_alive(cut.owner)
        if alive is False or (alive is None and now - datetime.fromisoformat(cut.claimed_at) > lease):
            yield Finding(f"release {cut.release_id}", "whoever was writing it died", PUBLISH)
    for letter in seen.ledger.letters.listed("failed"):
        days = settings().mail_age_days
        yield Finding(f"letter {letter.name}", letter.reason, f"mend that; each run tries again for {days:g} days")


def _site(seen: _Seen) -> Iterator[Finding]:
    pages, mend = {*seen.store.list("site"), *seen.store.list("embargoed")}, f"`{REBUILD}`, then {PUBLISH}"
    drawn = seen.store.read_many((k for k in pages if k.endswith("/drawn.json")), missing_ok=True)
    for key, data in sorted(drawn.items()):
        if wrong := _why(Drawn, data):
            yield Finding(key, wrong, mend)
            continue
        folder = key.removesuffix("/drawn.json")
        lost = [n for n in Drawn.load(data, key).pages if f"{folder}/{n}" not in pages]
        if lost:
            yield Finding(f"{folder}/{lost[0]}", f"it is gone, with {len(lost) - 1} more pages", mend)


def _leftovers(seen: _Seen) -> Iterator[Finding]:
    for name in seen.store.leftovers():
        yield Finding(f"{TEMPORARY}/{name}", "a writer that died left it", "`strikes purge`")


def _configuration(_: _Seen) -> Iterator[Finding]:
    for fault in (*load_dialects().faults, *load_registry().faults):
        yield Finding(f"{fault.file}, line {fault.line}", str(fault), fault.fix)


_IN_RELEASE: tuple[tuple[str, type[Record]], ...] = (
    (MANIFEST, Release),
    (DECISION, Decision),
    (FRAME, Frame),
    (RULES, KeptRules),
)
_CHECKS: tuple[tuple[bool, str, Callable[[_Seen], Iterator[Finding]]], ...] = (
    (True, "rows of the ledger", _rows),
    (True, "receipts", _receipts),
    (False, "landed files", _landed),
    (True, "accepted files", _accepted),
    (True, "releases", _releases),
    (True, "drafts", _drafts),
    (True, "what was cut short", _unfinished),
    (True, "pages", _site),
    (False, "leftovers", _leftovers),
    (False, "feeds and dialects", _configuration),
)
