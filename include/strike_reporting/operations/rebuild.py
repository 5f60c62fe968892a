"""The ledger made again from what is kept for good: landing with its receipts, and the release folders.

What is nowhere else (pulls, duplicates, the outbox) is taken along where the ledger still has it. A rebuilding that was
cut short is begun again; until it is done the ledger cannot be used.
"""

from __future__ import annotations

import heapq
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from strike_reporting.errors import StrikesError, attempt, each
from strike_reporting.judging.settle import to_validate, validate
from strike_reporting.ledger import Ledger, ledger_of
from strike_reporting.ledger.again import begin_again, damaged, made_again
from strike_reporting.ledger.gated import Hold
from strike_reporting.ledger.receiving import RECEIPTS, WITHDRAWALS, receipt_key, withdrawal_key
from strike_reporting.ledger.records import NOTICES, Cut, Damaged, Letter, Receipt, Withdrawal
from strike_reporting.operations.holding import DECISIONS, decision_key
from strike_reporting.publishing.manifest import MANIFEST, release_folder
from strike_reporting.publishing.releases import mending, point, pointed, read_manifest, read_table
from strike_reporting.publishing.summary import KEPT, summary_of
from strike_reporting.storage import Store

_FOLDER = re.compile(rf"releases/([^/]+)/(\d+)/{re.escape(MANIFEST)}")
_ASIDE = re.compile(r"releases/([^/]+)/set-aside/(\d+)-\d+/")
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Rebuilt:
    """What was found: receipts, releases, and as sentences what could not be read, which stays where it is."""

    receipts: int
    releases: int
    set_aside: tuple[str, ...]


@dataclass(frozen=True)
class _Restored:
    """A release as its folder says that it is; `wrong` is what its folder does not say."""

    cut: Cut
    slug: str
    summary: str = ""
    is_early: bool = False
    as_at: str = ""
    wrong: str = ""


def is_old(manifest: bytes) -> bool:
    """Whether a manifest is of version 0.1."""
    try:
        said = json.loads(manifest)
    except ValueError:
        return False
    return isinstance(said, dict) and "inputs_sha256" in said and "identity" not in said


def rebuild(store: Store, progress: Progress = lambda done, of: None, *, upgrading: bool = False) -> Rebuilt:
    """Empty the ledger and fill it from receipts and releases; judge everything again. Queues no mail, cuts no release.

    Args:
        store: the state root.
        progress: called with submissions judged and submissions in all.
        upgrading: there may be releases of version 0.1 that could not be brought along.

    Raises:
        StrikesError: there are releases of version 0.1.
    """
    manifests = store.read_many(store.list("releases", f"/{MANIFEST}"), missing_ok=True)
    if not upgrading and any(map(is_old, manifests.values())):
        raise StrikesError("there are releases of version 0.1; run `strikes ledger upgrade`")
    ledger = ledger_of(store, rebuilding=True)
    receipts, wrong = _receipts(store, ledger)
    releases = list(_releases(store))
    letters = _letters(ledger, receipts, releases)
    withdrawals, lost = _withdrawals(store, ledger)
    held, lost_too = _holds(store, ledger)
    wrong += lost + lost_too
    restored = ((r.cut, r.summary, r.is_early) for r in releases)
    begin_again(ledger.engine, receipts, restored, letters, withdrawals, held)
    for one in sorted(releases, key=lambda r: r.cut.number):
        if one.cut.state == "published":
            point(store, one.slug, one.cut)
    for key in store.list("site", "/drawn.json"):
        store.delete(key)  # so that every page is written again, whatever became of it
    shown = (k for k in store.list("site") if k.split("/")[2:3] == ["draft"])
    for key in [*store.list("drafts"), *store.list("embargoed"), *shown]:
        store.delete(key)  # the next round makes every draft again
    todo, done = to_validate(store), 0

    def one_more(_: object) -> None:
        nonlocal done
        done += 1
        progress(done, len(todo))

    judged = validate(store, todo, one_more, tell=False)
    wrong += [r.wrong for r in releases if r.wrong]
    wrong += [f"submission {j.receipt.submission_id}: {j.reason}" for j in judged if j.outcome is None]
    made_again(ledger.engine)
    return Rebuilt(len(receipts), sum(r.cut.state == "published" and not r.wrong for r in releases), tuple(wrong))


def _receipts(store: Store, ledger: Ledger) -> tuple[list[Receipt], list[str]]:
    """Receipts in order, and what could not be read; one that only the ledger still has is written to landing again."""
    keys = store.list(RECEIPTS, ".json")
    contents = store.read_many(keys, missing_ok=True)

    def load(key: str) -> Receipt:
        receipt = Receipt.load(contents[key], key)
        if receipt_key(receipt.submission_id) != key:
            raise Damaged(key, f"it is a copy of the receipt of {receipt.submission_id}; remove it")
        return receipt

    tried = list(each(keys, load))
    found = {t.made.submission_id: t.made for t in tried if t.made is not None}
    lost = [r for r in ledger.receiving.everything() if r.submission_id not in found]
    found |= {r.submission_id: r for r in lost}
    ordered = in_order(found.values())
    fresh = {r.submission_id for r in lost} | {r.submission_id for r in ordered if r != found[r.submission_id]}
    store.write_many({receipt_key(r.submission_id): r.dump() for r in ordered if r.submission_id in fresh})
    mended = {receipt_key(r.submission_id) for r in lost}
    return ordered, [t.reason for t in tried if t.made is None and t.item not in mended]


def _withdrawals(store: Store, ledger: Ledger) -> tuple[list[Withdrawal], list[str]]:
    """Withdrawals, and what could not be read; one that only the ledger still has is written to landing again."""
    contents = store.read_many(store.list(WITHDRAWALS, ".json"), missing_ok=True)
    tried = list(each(contents, lambda key: Withdrawal.load(contents[key], key)))
    found = {withdrawal_key(t.made.submission_id): t.made for t in tried if t.made is not None}
    lost = {k: w for w in ledger.judged.withdrawn() if (k := withdrawal_key(w.submission_id)) not in found}
    store.write_many({k: w.dump() for k, w in lost.items()})
    return [*found.values(), *lost.values()], [t.reason for t in tried if t.made is None and t.item not in lost]


def _holds(store: Store, ledger: Ledger) -> tuple[list[Hold], list[str]]:
    """What the gate held: as the ledger says, which is never behind, and what people decided also from landing."""
    contents = store.read_many(store.list(DECISIONS, ".json"), missing_ok=True)
    known = {decision_key(h): h for h in ledger.holds.everything()}
    tried = list(each([k for k in contents if k not in known], lambda key: Hold.load(contents[key], key)))
    return [*known.values(), *(t.made for t in tried if t.made)], [t.reason for t in tried if t.made is None]


def in_order(receipts: Iterable[Receipt]) -> list[Receipt]:
    """Receipts by their numbers. Those without one (of version 0.1) take their place by time; then all are numbered."""
    found = list(receipts)
    numbered = sorted((r for r in found if r.sequence), key=lambda r: (r.sequence, r.received_at, r.submission_id))
    others = sorted((r for r in found if not r.sequence), key=lambda r: (r.received_at, r.submission_id))
    if not others and len({r.sequence for r in numbered}) == len(numbered):
        return numbered
    merged = heapq.merge(numbered, others, key=lambda r: (r.received_at, r.submission_id))
    return [r.model_copy(update={"sequence": n}) for n, r in enumerate(merged, start=1)]


def _releases(store: Store) -> Iterator[_Restored]:
    """Every release that has a manifest or is pointed at, also where it cannot be read: its number was used."""
    keys = store.list("releases")
    whole = {(m[1], int(m[2])) for m in map(_FOLDER.fullmatch, keys) if m}
    for slug in {key.split("/")[1] for key in keys if key.count("/") > 1}:
        pointer = pointed(store, slug)
        if pointer:
            whole.add((slug, pointer.number))
    for slug, number in sorted(whole):
        yield _restored(store, slug, number)
    for slug, number in sorted({(m[1], int(m[2])) for m in map(_ASIDE.match, keys) if m} - whole):
        yield _Restored(_cut(slug, number, "set_aside"), slug)


def _restored(store: Store, slug: str, number: int) -> _Restored:
    def read(slug: str) -> _Restored:
        release = read_manifest(store, slug, number)
        if release.folder != release_folder(slug, number):
            raise Damaged(f"{release_folder(slug, number)}/{MANIFEST}", f"it is that of {release.release_id}")
        summary = summary_of(release, {n: read_table(store, release, n) for n in KEPT})
        cut = _cut(slug, number, "published", release.identity)
        return _Restored(cut, slug, summary.dump().decode(), summary.is_early, release.as_at or "")

    tried = attempt(slug, read)
    if tried.made is not None:
        return tried.made
    wrong = f"{slug}.r{number}: {tried.reason}"
    wrong += "" if isinstance(tried.error, Damaged) else f"; {mending(f'{slug}.r{number}')}"
    return _Restored(_cut(slug, number, "published"), slug, wrong=wrong)


def _cut(slug: str, number: int, state: str, identity: str = "") -> Cut:
    return Cut(
        action_id=slug.replace("_", ";"),
        number=number,
        release_id=f"{slug}.r{number}",
        state=state,
        identity=identity,
    )


def _letters(ledger: Ledger, receipts: list[Receipt], releases: list[_Restored]) -> Iterator[Letter]:
    """Letters whose rows cannot be read, as their names and states say that they were."""
    times = {r.cut.release_id: r.as_at for r in releases} | {r.submission_id: r.received_at for r in receipts}
    for row in damaged(ledger.engine):
        about, _, last = str(row.keys[0]).rpartition(".")
        if row.table != "outbox" or about not in times:
            continue
        is_notice = last in NOTICES
        yield Letter(
            name=row.keys[0],
            kind="notice" if is_notice else "release",
            about=about,
            area="" if is_notice else last,
            created_at=times[about],
            state="queued" if row.state == "sending" else row.state,
        )
