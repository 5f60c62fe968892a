"""Drafts: today's figures of an action, staged and checked as a release's are, with no number and told to nobody.

`drafts/<action>/<hash>/` holds the tables and, written last, the manifest. The ledger says which folder is whole and by
which release it is measured; one that is being written, or was cut short, is seen by nobody.
"""

from __future__ import annotations

import hashlib

from strike_reporting.errors import Transient
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Damaged, Drafted
from strike_reporting.publishing.manifest import MANIFEST, Draft, Release, draft_folder
from strike_reporting.publishing.releases import facts_of, latest, staged_of, take_up, with_revisions
from strike_reporting.publishing.staging import Staged, manifest_of, parquet_files
from strike_reporting.reference.actions import ActionSet
from strike_reporting.storage import Store

_TRIES = 5


def draft(store: Store, action: ActionSet) -> tuple[Draft | None, bool]:
    """Make an action's draft what today's figures are, if it is not.

    Returns:
        The draft, None where its figures are the current release's; and whether that is another one than before.

    Raises:
        CheckFailed: the figures do not add up; the draft is what it was.
        Transient: another process makes or draws this draft, or publishes this action, now.
    """
    take_up(store, action)
    drafts = ledger_of(store).drafts
    mine = drafts.claim(action.action_id)
    if mine is None:
        raise Transient(f"the draft of {action.action_id} is in another process's hands; the next round looks again")
    try:
        for _ in range(_TRIES):
            before = latest(store, action)  # before the figures: a release that is cut meanwhile knows no more
            staged = staged_of(store, action)
            made, is_new = _made(store, staged, mine, before)
            compared = before.release_id if before else ""
            if drafts.put(mine, made.kept if made else "", staged.identity, compared):
                return made, is_new
        raise Transient(f"{action.action_id} is published by others all the time; the next round looks again")
    finally:
        drafts.let_go(mine)


def _made(store: Store, staged: Staged, mine: Drafted, before: Release | None) -> tuple[Draft | None, bool]:
    """The draft as it is to be, written where it is not there; and whether it is another one."""
    if before and before.identity == staged.identity:
        return None, bool(mine.kept)
    told = f"{staged.identity} {before.release_id if before else ''}"
    kept = hashlib.sha256(told.encode()).hexdigest()[:16]
    if kept == mine.kept and (whole := _whole(store, mine.slug, kept)):
        return whole, False
    for key in store.list(f"drafts/{mine.slug}"):
        if not key.startswith(f"{draft_folder(mine.slug, mine.kept)}/"):  # that one may be being read
            store.delete(key)
    manifest = manifest_of(staged, 0, mine.release_id, before)
    tables, areas = with_revisions(store, staged, manifest, before)
    files = parquet_files(manifest, tables)
    rows = {n: t.num_rows for n, t in sorted(tables.items())}
    own = manifest.model_dump() | {"rows": rows, "files": facts_of(files), "kept": kept, "areas": areas}
    made = Draft.model_validate(own)
    store.write_many({f"{made.folder}/{name}": data for name, data in sorted(files.items())})
    store.write(f"{made.folder}/{MANIFEST}", made.dump())
    return made, True


def _whole(store: Store, slug: str, kept: str) -> Draft | None:
    """The draft of a folder; None where a file of it is gone or damaged, so that it is made again."""
    try:
        found = read_draft(store, slug, kept)
    except Damaged:
        return None
    contents = store.read_many([f"{found.folder}/{n}" for n in found.files], missing_ok=True)
    return found if facts_of({k.rpartition("/")[2]: d for k, d in contents.items()}) == found.files else None


def read_draft(store: Store, slug: str, kept: str) -> Draft:
    """The manifest of a draft.

    Raises:
        Damaged: it is gone or cannot be read.
    """
    key = f"{draft_folder(slug, kept)}/{MANIFEST}"
    try:
        return Draft.load(store.read(key), key)
    except FileNotFoundError as error:
        raise Damaged(key, "it is gone; the next round makes the draft again") from error


def shown(store: Store) -> dict[str, Draft]:
    """Every draft by action, where its figures are other ones than the current release's; damaged ones are left out."""
    found = {}
    for row in ledger_of(store).drafts.shown():
        try:
            found[row.action_id] = read_draft(store, row.slug, row.kept)
        except Damaged:
            continue
    return found


def tidy(store: Store, mine: Drafted) -> None:
    """Take away the files of a draft that is none any more; only for who has it in hand."""
    if not mine.kept:
        for key in store.list(f"drafts/{mine.slug}"):
            store.delete(key)
