"""What there is to do, asked of the ledger: the same questions for the DAGs, whatever triggered them.

Each function imports what it needs: a task is a process of its own and pays for every import, also in an idle hour.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, TypedDict

from strike_reporting.errors import Transient, each, fail_for
from strike_reporting.operations.grouping import by_weight, group_size, in_groups
from strike_reporting.settings import settings
from strike_reporting.storage import Store

if TYPE_CHECKING:
    from strike_reporting.judging.settle import Judged
    from strike_reporting.ledger.records import Round
    from strike_reporting.ledger.rounds import Rounds
    from strike_reporting.operations.warning import TellOwner
    from strike_reporting.publishing.manifest import Release

log = logging.getLogger(__name__)


class FeedGroup(TypedDict):
    """Feeds that one mapped task pulls. One task costs some 0.3 s of scheduling: never a task for each trust."""

    name: str
    feeds: list[str]


class SubmissionGroup(TypedDict):
    """Submissions that one mapped task judges."""

    name: str
    submissions: list[str]


class ActionGroup(TypedDict):
    """Actions that one mapped task publishes, each with the mark by which it was touched."""

    name: str
    actions: list[tuple[str, int]]


class Counts(TypedDict):
    """How many of a group ended how, and what went wrong on our side, as sentences."""

    counts: dict[str, int]
    problems: list[str]


class PublishedGroup(TypedDict):
    """Ids of new releases and of drafts that are other ones now, and what went wrong on our side."""

    releases: list[str]
    drafts: list[str]
    looked_at: int
    problems: list[str]


def due_rounds(store: Store, now: datetime) -> list[Round]:
    """Rounds that the strike calendar asks for until now and nobody has claimed; oldest first."""
    return _looked(store, now).due(now)


def claim_rounds(store: Store, by: str, now: datetime) -> list[Round]:
    """Take those in hand, each once; also what the same run took before, should its task be tried again."""
    return _looked(store, now).claim(by, now)


def _looked(store: Store, now: datetime) -> Rounds:
    """The ledger's rounds, with what the calendar asks for until now as it stands today.

    What an edit of it adds within the setting `look_back_days` is made up.
    """
    from strike_reporting.clock import utc
    from strike_reporting.ledger import ledger_of
    from strike_reporting.ledger.records import Round
    from strike_reporting.reference.due import calendar

    rounds, after = ledger_of(store).rounds, now - timedelta(days=settings().look_back_days)
    asked = calendar().rounds_between(after, now)
    told = [Round(round_id=r.round_id, due_at=utc(r.due_at), kind=r.kind, actions=r.actions) for r in asked]
    rounds.look(told, after, now)
    return rounds


def collect_plan(only: Sequence[str] = ()) -> list[FeedGroup]:
    """The registry's feeds in groups, or only some of them."""
    from strike_reporting.intake.collecting import groups
    from strike_reporting.intake.registry import load_feeds

    feeds = [f for f in load_feeds() if not only or f.id in only]
    found = groups(feeds, group_size(len(feeds), settings().feeds_in_group))
    return [{"name": name, "feeds": [f.id for f in part]} for name, part in found]


def begin_collection(run_id: str, is_woken: bool, only: Sequence[str] = ()) -> list[FeedGroup] | None:
    """The groups that a run is to pull; None where it was woken for rounds that are done, or no longer asked for.

    A run by hand pulls in any case, and takes what is due with it unless it is for some feeds only.

    Raises:
        StrikesError: one of these is no feed.
    """
    if only:
        from strike_reporting.operations.by_hand import feeds_to_pull

        return collect_plan(feeds_to_pull(only))
    taken = claim_rounds(Store(), run_id, datetime.now(UTC))
    for kind, number in Counter(r.kind for r in taken).items():
        log.info("Rounds due, %s: %d, the newest %s.", kind, number, max(r.round_id for r in taken if r.kind == kind))
    return collect_plan() if taken or not is_woken else None


def end_collection(
    run_id: str,
    counts: dict[str, int],
    problems: Sequence[str],
    only: Sequence[str] = (),
    tell: TellOwner | None = None,
) -> list[str]:
    """Warn, and say whether it did what it was for, as `collected` does; if so its rounds are done.

    Args:
        run_id: of the run.
        counts: how its feeds ended.
        problems: what went wrong.
        only: the feeds that it was for, where it was not for all.
        tell: by which the owner hears of what is warned of.

    Returns:
        What was warned of.
    """
    from strike_reporting.ledger import ledger_of
    from strike_reporting.operations.warning import warn

    store, now = Store(), datetime.now(UTC)
    warned = warn(store, now, tell)
    collected(counts, problems, is_whole=not only)
    ledger_of(store).rounds.done(run_id, now)
    return warned


def collect_group(collection: str, group: FeedGroup) -> Counts:
    """Pull one group's feeds. Problems are named whoever's fault they are, ours first."""
    from strike_reporting.intake.collecting import collect
    from strike_reporting.intake.registry import load_feeds

    wanted = set(group["feeds"])
    pulled = collect(Store(), collection, [f for f in load_feeds() if f.id in wanted])
    failed = sorted((p for p in pulled if p.status == "failed"), key=lambda p: not p.is_ours)
    counts = Counter("our_fault" if p.is_ours else p.status for p in pulled)
    return {"counts": dict(counts), "problems": [f"{p.feed_id}: {p.reason}" for p in failed]}


def collected(counts: dict[str, int], problems: Sequence[str], is_whole: bool = True) -> None:
    """Whether a collection did what it was for: one feed's server may be away, most of them may not.

    Raises:
        OurFault: a pull failed on our side, or more feeds failed than the setting `failed_feeds_percent` allows; an
            entry of the registry that cannot be used is a feed that failed, where all were to be pulled.
    """
    from strike_reporting.intake.registry import load_registry

    faults = load_registry().faults if is_whole else ()
    faulty = len({(f.file, f.name or f.line) for f in faults})
    failed, every = counts.get("failed", 0) + faulty, sum(counts.values()) + faulty
    if ours := counts.get("our_fault", 0):
        fail_for(problems, f"{ours} of {every} feeds failed on our side")
    if failed * 100 > every * settings().failed_feeds_percent:
        fail_for([*problems, *map(str, faults)], f"{failed} of {every} feeds failed")


def validate_plan() -> list[SubmissionGroup]:
    """Submissions to judge, in groups; those whose receipt nobody can read, in a group by themselves."""
    from strike_reporting.judging.settle import to_validate

    todo = to_validate(Store())
    parts = by_weight(todo, settings().submissions_in_group)
    found: list[SubmissionGroup] = [
        {"name": f"{p[0].sequence} to {p[-1].sequence}", "submissions": [r.submission_id for r in p]} for p in parts
    ]
    return found + ([{"name": "set aside", "submissions": list(todo.set_aside)}] if todo.set_aside else [])


def validate_group(group: SubmissionGroup) -> Counts:
    """Judge those of a group's submissions that still have no outcome: a group may be tried again."""
    from strike_reporting.judging.reading.reader import shared_reader

    shared_reader().begin()
    from strike_reporting.judging.settle import validate
    from strike_reporting.ledger import ledger_of

    store = Store()
    receipts = ledger_of(store).receiving.some_to_judge(group["submissions"])
    done = judged_counts(validate(store, receipts))
    lost = "its receipt is damaged; `strikes doctor` says what mends it"
    done["problems"] += [f"{submission_id}: {lost}" for submission_id in receipts.set_aside]
    return done


def judged_counts(judged: Iterable[Judged]) -> Counts:
    """How many submissions ended in each status. What is our fault is a problem; what is a sender's is not."""
    counts: Counter[str] = Counter()
    problems = []
    for one in judged:
        if one.outcome is None:
            counts["not_judged"] += 1
            problems.append(f"{one.receipt.source_name} ({one.receipt.submission_id}): {one.reason}")
        elif one.outcome.is_ours:
            counts["our_fault"] += 1
            problems.append(f"{one.receipt.source_name} ({one.receipt.submission_id}): {one.outcome.reason}")
        else:
            counts[one.outcome.status] += 1
    return {"counts": dict(counts), "problems": problems}


def to_publish(store: Store) -> list[tuple[str, int]]:
    """Actions to look at, with their marks: touched since they were published, or left half published.

    When the method, the contracts or the reference data are other ones, every action that holds a figure is looked at
    once; a release is cut only where a reader is told something new.
    """
    from strike_reporting.extracts import EXTRACTS, load
    from strike_reporting.judging.rulebook import hashed
    from strike_reporting.ledger import ledger_of
    from strike_reporting.publishing.manifest import METHOD
    from strike_reporting.reference.actions import touching
    from strike_reporting.reference.facts import reference_sha256

    ledger = ledger_of(store)
    version = hashed([METHOD, reference_sha256(), [load(e).version for e in EXTRACTS]])
    if ledger.fact("publishing") != version:
        ledger.judged.touch(touching(ledger.judged.strike_days()))
        ledger.keep_fact("publishing", version)
    halves = {part for a in ledger.published.unfinished() for part in a.split(";")}
    ledger.judged.touch(halves - set(ledger.judged.touched()))
    return sorted(ledger.judged.touched().items())


def reported_with(store: Store, action_id: str) -> list[str]:
    """The ids under which an action is reported: its own, and jointly where its effect cannot be split.

    Nothing is reported of an action that no submission says a day of.
    """
    from strike_reporting.ledger import ledger_of
    from strike_reporting.reference.actions import actions, resolve, touching
    from strike_reporting.reference.facts import published_figures

    has = ledger_of(store).judged.has_days

    def days(one: str) -> list[date]:
        return [*resolve(one).days, *resolve(one).closing_days]

    if not has(days(action_id)):
        return []
    together = (f.action_id for f in published_figures() if ";" in f.action_id)
    joint = {i for i in together if action_id in i.split(";")}
    if actions()[action_id].status == "went_ahead":
        for other in (action_id, *touching(resolve(action_id).days)):
            partners = {p for d in actions()[other].days for p in resolve(other).overlapping(d)}
            if partners and action_id in {other, *partners}:
                joint.add(resolve(";".join([other, *sorted(partners)])).action_id)
    return [action_id, *sorted(j for j in joint if all(has(days(p)) for p in j.split(";")))]


def publish_plan() -> list[ActionGroup]:
    """Actions to publish, in groups."""
    parts = in_groups(to_publish(Store()), settings().actions_in_group)
    return [{"name": p[0][0] if len(p) == 1 else f"{p[0][0]} and {len(p) - 1} more", "actions": p} for p in parts]


def publish_group(group: ActionGroup) -> PublishedGroup:
    """Make each action's draft what today's figures are, alone and jointly; one action's fault stops no other.

    With the setting `cut_at_once` they are released at once, and there is nothing to be a draft.

    Raises:
        Transient: of at least one action, after all others; the group is to be tried again.
    """
    from strike_reporting.ledger import ledger_of
    from strike_reporting.publishing.drafts import draft
    from strike_reporting.publishing.releases import build
    from strike_reporting.reference.actions import resolve

    store, is_cut = Store(), settings().cut_at_once
    done: PublishedGroup = {"releases": [], "drafts": [], "looked_at": 0, "problems": []}

    def publish(one: tuple[str, int]) -> None:
        action_id, mark = one
        for action in map(resolve, reported_with(store, action_id)):
            if is_cut:
                release, is_new = build(store, action)
                done["releases"] += [release.release_id] if is_new else []
            if not is_cut or ledger_of(store).drafts.of(action.action_id):
                made, is_other = draft(store, action)
                done["drafts"] += [made.release_id] if made and is_other else []
            done["looked_at"] += 1
        ledger_of(store).judged.looked_at(action_id, mark)

    tried = list(each([(a, m) for a, m in group["actions"]], publish))
    if passing := [t.reason for t in tried if isinstance(t.error, Transient)]:
        raise Transient("; ".join(passing))
    done["problems"] = [f"{t.item[0]}: {t.reason}" for t in tried if t.error is not None]
    return done


def draw_site() -> list[str]:
    """Draw the releases and drafts that are not drawn; their ids.

    Raises:
        OurFault: some could not be drawn; the others were.
    """
    from strike_reporting.site.draw import draw

    tried = draw(Store())
    fail_for([f"{t.item.release_id}: {t.reason}" for t in tried if t.error is not None], "not drawn")
    return [t.item.release_id for t in tried]


def returns_board(store: Store, action_id: str, now: datetime, *, is_admitted: bool = True) -> str:
    """The returns board of an action (of the newest with a submission when none is named), as a page.

    For who is not admitted to what is under embargo it says nothing of drafts, reasons and error reports.

    Raises:
        UnknownAction: the strike calendar has no such action.
    """
    from strike_reporting.ledger import ledger_of
    from strike_reporting.publishing.drafts import shown
    from strike_reporting.publishing.embargo import embargo
    from strike_reporting.publishing.frame import frame
    from strike_reporting.publishing.selection import select, window
    from strike_reporting.reference.actions import actions, resolve, touching
    from strike_reporting.site.board import board

    ledger = ledger_of(store)
    known = [resolve(i) for i in touching(ledger.judged.strike_days())]
    known.sort(key=lambda a: a.days[0], reverse=True)
    action = resolve(action_id) if action_id else (known or [resolve(list(actions())[-1])])[0]
    asked = frame(action)
    outcomes = ledger.judged.about(asked.all_days, action.action_id.split(";"), window(asked.days))
    found = select(asked, outcomes, ledger.receiving.failing())
    used = {s for r in found for s in (r.submission_id, r.refused_submission_id) if s}
    mine = [o for o in outcomes if o.submission_id in used]
    reports = {o.submission_id for o in mine if o.rules or o.warnings}
    synthetic = any(o.data_class == "synthetic" for o in mine)
    choices = known if action in known else [action, *known]
    draft = shown(store).get(action.action_id)
    end = embargo(store, action.action_id, now) if draft else ""
    flagged, unread, beside = _flagged(store, action.action_id, draft if is_admitted else None)
    held = ledger.holds.about(action.action_id, beside.identity) if beside else None
    told = reports if is_admitted else None
    return board(action, choices, found, flagged, told, synthetic, now.isoformat(), unread, beside, held, end)


def _flagged(
    store: Store, action_id: str, draft: Release | None
) -> tuple[dict[tuple[str, str], list[str]], str, Release | None]:
    """By trust and extract, the flags of an action's draft or else of its current release, in the catalogue's order.

    Then why they are not known: it is damaged, and the board is asked for on a strike morning all the same. Last, the
    draft or release.
    """
    from strike_reporting.catalogue.flags import FLAGS
    from strike_reporting.ledger.records import Damaged
    from strike_reporting.publishing.releases import NoRelease, find, read_table

    beside = draft
    try:
        beside = beside or find(store, action_id)
        rows = read_table(store, beside, "flags").to_pylist()
    except NoRelease:
        return {}, "", None
    except Damaged as error:
        log.error("the returns board of %s is shown without flags: %s", action_id, error)
        return {}, str(error), beside
    found: dict[tuple[str, str], list[str]] = {}
    for flag in dict.fromkeys([*FLAGS, *(r["flag"] for r in rows)]):
        for key in dict.fromkeys((r["ods_code"], r["extract"]) for r in rows if r["flag"] == flag):
            found.setdefault(key, []).append(flag)
    return found, "", beside
