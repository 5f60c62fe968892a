"""Releases: immutable, numbered publications of one action, staged in full, checked, then made current.

`releases/<action>/<number>/` holds everything; `releases/<action>/latest.json` is the one pointer. A new one is cut
only when a reader would be told something new: a figure, its coverage, a return's status or a flag.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime

import pyarrow as pa

from strike_reporting.errors import OurFault, StrikesError, Transient
from strike_reporting.extracts.tables import TABLES, as_today
from strike_reporting.judging.rulebook import answers
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.gated import Check
from strike_reporting.ledger.records import Cut, Damaged, Letter, Record
from strike_reporting.processes import is_alive, me
from strike_reporting.publishing.causes import Causes, Side
from strike_reporting.publishing.deciding import WEIGHED, Let, decision, weighed
from strike_reporting.publishing.frame import Frame, frame
from strike_reporting.publishing.manifest import (
    DECISION,
    FACTS,
    FRAME,
    MANIFEST,
    RULES,
    Decision,
    FileFact,
    KeptRules,
    Release,
    Why,
    release_folder,
)
from strike_reporting.publishing.news import news, told_areas
from strike_reporting.publishing.revisions import revisions
from strike_reporting.publishing.staging import CheckFailed, Staged, Unsound, manifest_of, render, stage
from strike_reporting.publishing.summary import KEPT, summary_of
from strike_reporting.reference.actions import ActionSet
from strike_reporting.reference.areas import mailed
from strike_reporting.setting_groups import people
from strike_reporting.settings import settings
from strike_reporting.storage import Store
from strike_reporting.storage.parquet import read_parquet

__all__ = ["CheckFailed", "NoRelease", "build", "current", "find", "latest", "read_table"]
_TRIES, AT_ONCE = 5, Why()
log = logging.getLogger(__name__)


class NoRelease(StrikesError):
    """There is no such release; the message lists what there is."""


class Broken(Damaged):
    """A release one of whose files is damaged or gone; only its own action stops."""

    def __init__(self, slug: str, number: int, name: str, why: str) -> None:
        """Name the file, and the command that mends it."""
        super().__init__(f"{release_folder(slug, number)}/{name}", f"{why}; {mending(f'{slug}.r{number}')}")


def mending(release_id: str) -> str:
    """What mends a damaged release."""
    return f"restore it from a backup, or run `strikes release set-aside {release_id}`"


class Pointer(Record):
    """What `latest.json` says: which release of an action is current."""

    number: int
    release_id: str


def build(
    store: Store, action: ActionSet, why: Why | Let = AT_ONCE, at: datetime | None = None, *, as_known: bool = False
) -> tuple[Release, bool]:
    """Publish an action from the ledger, if there is something new to tell.

    Args:
        store: the state root.
        action: what to publish.
        why: why now; it is kept with the decision. Or who says so, and may say no, when the gate has looked.
        at: for when it is, where that is not now: what is over by then has to be there.
        as_known: only of what had been received by then.

    Returns:
        The current release, and whether it is new.

    Raises:
        CheckFailed: the figures do not add up; nothing was published.
        Transient: another process is publishing this action now, or the store is away.
    """
    take_up(store, action)
    published = ledger_of(store).published
    for _ in range(_TRIES):
        before = latest(store, action)
        staged = staged_of(store, action, at if as_known else None)
        if before and before.identity == staged.identity:
            return before, False
        old = (before.release_id, {n: read_table(store, before, n) for n in WEIGHED}) if before else None
        checks = weighed(store, action, staged, old, at or datetime.now(UTC))
        told = why if isinstance(why, Why) else why(staged.identity, checks)
        claimed = published.claim(action.action_id, action.slug, staged.identity)
        if claimed is None:
            raise Transient(f"{action.action_id} is being published by another process; the next round looks again")
        newest = published.newest(action.action_id)
        if (newest.number if newest else 0) == (before.number if before else 0):
            break
        published.give_up(claimed)  # another process published meanwhile: what it knew counts too
    else:
        raise Transient(f"{action.action_id} is published by others all the time; the next round looks again")
    release, files = _made(store, staged, claimed, before, told, checks)
    for key in store.list(release.folder):
        store.delete(key)  # of a process that died while it wrote this number
    store.write_many({f"{release.folder}/{name}": data for name, data in sorted(files.items())})
    store.write(f"{release.folder}/{MANIFEST}", release.dump())
    _make_current(store, claimed, release)
    return release, True


def staged_of(store: Store, action: ActionSet, until: datetime | None = None) -> Staged:
    """Stage an action, or what had been received of it until a moment.

    What is damaged of the ledger or of accepted files is first made again from landing.
    """
    failures: dict[str, str] | None = None if until is None else {}  # why pulls failed then is not kept
    try:
        return stage(store, frame(action), failures, until=until)
    except Unsound as fault:
        from strike_reporting.judging.settle import validate  # and with it all that judges, for what hardly ever is

        log.warning("%s: %s; judged again", action.action_id, fault)
        receiving = ledger_of(store).receiving
        receiving.judge_again(fault.submissions)
        validate(store, receiving.some_to_judge(fault.submissions), tell=False)
        return stage(store, frame(action), failures, until=until)


def _made(
    store: Store, staged: Staged, claimed: Cut, before: Release | None, why: Why, checks: tuple[Check, ...]
) -> tuple[Release, dict[str, bytes]]:
    """The manifest and every file of a release."""
    release = manifest_of(staged, claimed.number, claimed.release_id, before)
    tables, areas = with_revisions(store, staged, release, before)
    rows = {n: t.num_rows for n, t in sorted(tables.items())}
    who = tuple(people(settings().pre_release_access).values())
    release = release.model_copy(update={"rows": rows, "standing": why.standing(release), "pre_release_access": who})
    codes = {r.ods_code for r in staged.returns}
    pins = {o.submission_id: o.pins for o in staged.outcomes}
    files = {
        **render(release, tables),
        FRAME: staged.frame.only(codes).dump(),
        FACTS: staged.facts,
        RULES: KeptRules(pins=pins, contents=answers(store, pins)).dump(),
        DECISION: decision(release, why, tables["revisions"], areas, checks).dump(),
    }
    return release.model_copy(update={"files": facts_of(files)}), files


def facts_of(files: dict[str, bytes]) -> dict[str, FileFact]:
    """Size and hash of files, by name."""
    return {n: FileFact(sha256=hashlib.sha256(d).hexdigest(), bytes=len(d)) for n, d in sorted(files.items())}


def with_revisions(
    store: Store, staged: Staged, release: Release, before: Release | None
) -> tuple[dict[str, pa.Table], dict[str, int]]:
    """The staged tables with what differs in them from the release before; and in how many things, by area."""
    if before is None:
        tables = {**staged.tables, "revisions": TABLES["revisions"].schema.empty_table()}
        return tables, told_areas(None, tables["returns"], [staged.frame])
    old = {n: read_table(store, before, n) for n in TABLES}
    side = _side_of(store, before, old, staged.frame)
    found = revisions(release.action_id, release.release_id, old, staged.tables, Causes(side, _side(staged)))
    tables = {**staged.tables, "revisions": found}
    what = news(before, old, release, tables)
    return tables, told_areas(what, tables["returns"], [side.frame, staged.frame])


def _side(staged: Staged) -> Side:
    outcomes = staged.outcomes
    return Side(
        frame=staged.frame,
        inputs=staged.inputs,
        returns=staged.tables["returns"],
        facts=staged.facts,
        pins={o.submission_id: o.pins for o in outcomes},
        withdrawn=frozenset(o.submission_id for o in outcomes if o.withdrawn),
    )


def _side_of(store: Store, release: Release, tables: dict[str, pa.Table], today: Frame) -> Side:
    """What a release was made from. Where it kept less, or that is damaged, causes are looked for in its returns."""
    kept = {}
    for name in (n for n in (FRAME, RULES, FACTS) if n in release.files):
        try:
            kept[name] = _kept_file(store, release, name)
        except Broken as error:
            log.error("what changed since %s is said less exactly: %s", release.release_id, error)
    return Side(
        frame=Frame.load(kept[FRAME], FRAME) if FRAME in kept else today,
        inputs=release.inputs,
        returns=tables["returns"],
        facts=kept.get(FACTS),
        pins=KeptRules.load(kept[RULES], RULES).pins if RULES in kept else {},
    )


def decision_of(store: Store, release: Release) -> Decision | None:
    """Why a release was cut; None where that is gone or cannot be read."""
    key = f"{release.folder}/{DECISION}"
    try:
        return Decision.load(store.read(key), key)
    except (FileNotFoundError, Damaged) as error:
        log.error("it is not known why %s was cut: %s", release.release_id, error)
        return None


def cut_at(release: Release, decision: Decision | None) -> str:
    """When a release was cut (UTC); empty where it is not known.

    One that was cut at once was when the newest file had come that was considered for it.
    """
    came = (s.received_at for s in release.inputs.submissions)
    return (decision.at if decision else "") or max(came, default="")


def _make_current(store: Store, claimed: Cut, release: Release) -> None:
    """The last steps of a release, each of which can be done again: ledger and mail in one, then the pointer.

    A list hears of it when something of its area is new, or when nobody can say whether.
    """
    decision = decision_of(store, release)
    areas = None if decision is None else decision.areas
    letters = [
        Letter(
            name=f"{release.release_id}.{area}",
            kind="release",
            about=release.release_id,
            area=area,
            created_at=(decision.at if decision else "") or release.as_at or "",
        )
        for area in mailed()
        if areas is None or area in areas
    ]
    summary = summary_of(release, {n: read_table(store, release, n) for n in KEPT})
    if not ledger_of(store).published.publish(claimed, summary.dump().decode(), summary.is_early, letters):
        raise Transient(f"{release.release_id} was taken over by another process; the next round looks again")
    point(store, release.slug, release)


def point(store: Store, slug: str, current: Release | Cut) -> None:
    """Say for readers of the folder which release is the current one."""
    pointer = Pointer(number=current.number, release_id=current.release_id)
    store.write(pointer_key(slug), pointer.dump())


def take_up(store: Store, action: ActionSet) -> None:
    """Finish what a process that died left between a release's manifest and its pointer.

    A release whose manifest was written is whole and keeps its number; the number of one without is free again.
    """
    published = ledger_of(store).published
    for cut in published.of(action.action_id):
        if cut.state != "claimed" or not (is_alive(cut.owner) is False or cut.owner == me()):
            continue
        try:
            release = read_manifest(store, action.slug, cut.number)
        except FileNotFoundError:
            published.give_up(cut)  # where there is a draft, its number waits for the next announced time
            continue
        if release.identity == cut.identity:
            _make_current(store, cut, release)
    pointer = pointed(store, action.slug)  # read before the ledger, which is never behind it
    if pointer and pointer.number not in {c.number for c in published.of(action.action_id)}:
        raise OurFault(f"the ledger does not know the release {pointer.release_id}; run `strikes ledger rebuild`")
    newest = published.newest(action.action_id)
    if newest and (pointer is None or pointer.number != newest.number):
        point(store, action.slug, newest)


def pointer_key(slug: str) -> str:
    """Where an action's pointer is."""
    return f"releases/{slug}/latest.json"


def pointed(store: Store, slug: str) -> Pointer | None:
    """What an action's pointer says; None when there is none, or it is damaged: the ledger knows it too."""
    key = pointer_key(slug)
    try:
        return Pointer.load(store.read(key), key)
    except FileNotFoundError:
        return None
    except Damaged as error:
        log.error("set aside: %s", error)
        return None


def _current(store: Store, slug: str) -> Pointer | Cut | None:
    """Which release of an action is the current one."""
    return pointed(store, slug) or ledger_of(store).published.newest(slug.replace("_", ";"))


def read_manifest(store: Store, slug: str, number: int) -> Release:
    """A release's manifest.

    Raises:
        FileNotFoundError: there is none.
        Broken: it cannot be read.
    """
    key = f"{release_folder(slug, number)}/{MANIFEST}"
    try:
        return Release.load(store.read(key), key)
    except Damaged as error:
        raise Broken(slug, number, MANIFEST, error.why) from error


def latest(store: Store, action: ActionSet) -> Release | None:
    """An action's current release; None when there is none.

    Raises:
        Broken: its manifest cannot be read.
    """
    current = _current(store, action.slug)
    if current is None:
        return None
    try:
        return read_manifest(store, action.slug, current.number)
    except FileNotFoundError as error:
        raise Broken(action.slug, current.number, MANIFEST, "it is gone") from error


def find(store: Store, text: str) -> Release:
    """The release of an id, or an action's current one.

    Raises:
        NoRelease: there is none.
        Broken: its manifest cannot be read, or is gone.
    """
    slug, _, number = text.replace(";", "_").partition(".r")
    current = None if number or "/" in slug else _current(store, slug)
    wanted = int(number) if number.isdigit() else current.number if current else None
    if wanted is not None:
        try:
            return read_manifest(store, slug, wanted)
        except (FileNotFoundError, ValueError) as error:
            cut = ledger_of(store).published.find(f"{slug}.r{wanted}")
            if cut and cut.state == "published":
                raise Broken(slug, wanted, MANIFEST, "it is gone") from error
    known = [c.release_id for c in ledger_of(store).published.current()]
    raise NoRelease(f"there is no release {text!r}; there are: {', '.join(known) or 'none'}")


def current(store: Store) -> list[Release]:
    """The current release of every action, by action. A damaged one is logged and left out."""
    found = []
    for cut in ledger_of(store).published.current():
        try:
            found.append(read_manifest(store, cut.action_id.replace(";", "_"), cut.number))
        except (OSError, Damaged) as error:
            log.error("release %s is left out: %s", cut.release_id, error)
    return found


def read_table(store: Store, release: Release, name: str) -> pa.Table:
    """One published table of a release, in today's columns: one that it was published without is all null.

    Raises:
        Broken: it is damaged or gone: nothing is read, or compared with, that is not what was published.
    """
    file, schema = f"{name}.parquet", TABLES[name].schema
    if file not in release.files:
        return schema.empty_table()
    data = _kept_file(store, release, file)
    try:
        table = read_parquet(data)
        return as_today(table, schema)
    except (OSError, pa.ArrowException) as error:
        raise _broken(release, file, f"it is no Parquet ({type(error).__name__})") from error


def _kept_file(store: Store, release: Release, name: str) -> bytes:
    """One file of a release, as it was published."""
    try:
        data = store.read(f"{release.folder}/{name}")
    except FileNotFoundError as error:
        raise _broken(release, name, "it is gone") from error
    if hashlib.sha256(data).hexdigest() != release.files[name].sha256:
        raise _broken(release, name, "it is not as it was published")
    return data


def _broken(release: Release, name: str, why: str) -> Damaged:
    if release.is_draft:
        return Damaged(f"{release.folder}/{name}", f"{why}; the next round makes the draft again")
    return Broken(release.slug, release.number, name, why)
