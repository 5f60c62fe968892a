"""Releases that the gate holds: a person approves exactly the figures that he saw, refuses them, or takes it back.

What a person decided is kept in landing beside the withdrawals, for good: not in the release folders, which are served,
while the evidence names figures that nobody has released.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypedDict

from strike_reporting.clock import utc
from strike_reporting.errors import StrikesError
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.gated import Check, Hold, failed, in_lines
from strike_reporting.publishing.announced import is_early
from strike_reporting.publishing.deciding import Let
from strike_reporting.publishing.embargo import with_access
from strike_reporting.publishing.manifest import Release, Why
from strike_reporting.publishing.releases import build, find
from strike_reporting.reference.actions import ActionSet, resolve
from strike_reporting.showing import safe_text
from strike_reporting.storage import Store

DECISIONS = "landing/decisions"
_ONLY_ONE = "a release is decided about once; nothing was done"


def _clock() -> datetime:
    return datetime.now(UTC)


class Ask(TypedDict):
    """A run that asks a person about one held release: its id, the same at every try, and its form."""

    trigger_run_id: str
    conf: dict[str, str]


class Decided(StrikesError):
    """Somebody decided before; the message says who, when and what."""


class Superseded(StrikesError):
    """The figures are other ones than those that were held; nothing was cut."""


class _Stopped(Exception):
    """The gate does not let these figures out."""

    def __init__(self, hold: Hold) -> None:
        super().__init__(hold.sentence)
        self.hold = hold


class _Waits(Exception):
    """The figures may be let out, at their time and not now."""


def decision_key(hold: Hold) -> str:
    """Where what a person decided about a held release is kept for good."""
    return f"{DECISIONS}/{hold.hold_id}.json"


def cut_or_hold(store: Store, action: ActionSet, why: Why, now: datetime) -> Release | Hold | None:
    """Release an action's figures, unless the gate holds them; None where a reader would be told nothing new.

    Figures that a person approved are released whatever the gate says, and refused ones stay where they are. Other ones
    than those that were held are judged afresh, and supersede them.

    Raises:
        CheckFailed, Transient: as `build`.
    """
    holds = ledger_of(store).holds
    last = holds.last(action.action_id)

    def let(identity: str, checks: tuple[Check, ...]) -> Why:
        if last and last.identity == identity and last.state == "approved":
            return _approved(last, now)
        if last and last.identity == identity and last.state in ("held", "refused"):
            raise _Stopped(last)
        if failed(checks):
            raise _Stopped(Hold(action_id=action.action_id, since=utc(now), identity=identity, checks=checks))
        return why

    try:
        release, is_new = build(store, action, let, now)
    except _Stopped as stopped:
        if stopped.hold != last:
            holds.hold(stopped.hold)
        return stopped.hold
    if last and last.is_unfinished and not is_new:
        holds.finish(last, f"the figures are those of {release.release_id} again")
    if last and is_new and (last.state, last.identity) == ("approved", release.identity):
        _keep(store, holds.of(action.action_id)[-1])
    return release if is_new else None


def hold_ahead(store: Store, action: ActionSet, coming: datetime, now: datetime) -> Hold | None:
    """Hold figures that the gate would hold at an announced time to come, so that a person can decide before it.

    Nothing is released here. Figures that a person decided about stay as they are; what was held of other ones, or of
    ones that pass now, is superseded.

    Returns:
        How these figures stand with the gate; None where nothing speaks against them, or they are no news.

    Raises:
        CheckFailed, Transient: as `build`.
    """
    holds = ledger_of(store).holds
    last = holds.last(action.action_id)

    def let(identity: str, checks: tuple[Check, ...]) -> Why:
        if last and last.identity == identity and last.state in ("held", "approved", "refused"):
            raise _Stopped(last)
        if failed(checks):
            since, time = utc(now), utc(coming)
            raise _Stopped(
                Hold(action_id=action.action_id, since=since, identity=identity, checks=checks, not_before=time)
            )
        raise _Waits

    try:
        build(store, action, let, coming)
    except _Stopped as stopped:
        if stopped.hold != last:
            holds.hold(stopped.hold)
        return stopped.hold
    except _Waits:
        pass
    if last and last.is_unfinished:
        holds.finish(last, "the figures are other ones now, and nothing speaks against them")
    return None


def by_hand(store: Store, action_id: str, reason: str, who: str, now: datetime) -> Let:
    """Why a person cuts figures whatever the gate says; where they are held, that approves them."""
    holds = ledger_of(store).holds

    def let(identity: str, checks: tuple[Check, ...]) -> Why:
        last = holds.last(action_id)
        if last and last.identity == identity and last.state == "held":
            return _approved(_decided(store, last, "approved", who, reason, now), now)
        return Why(reason=reason, who=who, at=utc(now))

    return let


def approve(store: Store, action_id: str, reason: str, who: str, now: datetime, since: str = "") -> Release | Hold:
    """Release what is held of an action: these figures and no other ones. Asked again for the same, it says the same.

    What was held ahead of its announced time is released at that time, by the next `cut_or_hold`.

    Args:
        store: the state root.
        action_id: whose.
        reason: why; it is kept and shown.
        who: a person.
        now: for the record.
        since: which hold; default the newest.

    Returns:
        The release; before its time the hold, which is approved.

    Raises:
        Decided: somebody else decided before.
        Superseded: the figures are other ones now, which the next publication judges at once.
        StrikesError: nothing is held, or a name or reason is lacking.
        CheckFailed, Transient: as `build`.
    """
    reason, who = _said(reason, who)
    hold = _asked(store, action_id, since)
    waits = is_early(hold, now)
    if hold.state == "approved" and (hold.outcome or waits) and (hold.who, hold.why) == (who, reason):
        return find(store, hold.outcome) if hold.outcome else hold
    if hold.state != "held" and not (hold.state == "approved" and hold.is_unfinished and not waits):
        raise _gone(hold)
    holds = ledger_of(store).holds

    def let(identity: str, checks: tuple[Check, ...]) -> Why:
        if identity != hold.identity:
            raise _moved_on(hold)
        said = hold if hold.state == "approved" else _decided(store, hold, "approved", who, reason, now)
        if waits:
            raise _Waits
        return _approved(said, now)

    try:
        release, is_new = build(store, resolve(hold.action_id), let, now)
    except _Waits:
        return _asked(store, hold.action_id, hold.since)
    except Superseded:
        holds.decide(hold, state="superseded", at=utc(now))
        raise
    if not is_new:
        if _asked(store, hold.action_id, hold.since).outcome == release.release_id:
            return release  # its announced time came meanwhile
        holds.decide(hold, state="superseded", at=utc(now))
        raise Superseded(f"{hold.action_id}: the figures are those of {release.release_id} again; nothing was cut")
    _keep(store, holds.of(hold.action_id)[-1])
    return release


def approve_now(
    store: Store, action_id: str, reason: str, who: str, since: str = "", clock: Callable[[], datetime] = _clock
) -> Release | Hold:
    """`approve`, at this moment. Should the announced time come while figures are looked at, it is not waited for.

    Whoever cut at that time may have seen no approval yet, and the next one who looks may be the one of the next day.
    """
    made = approve(store, action_id, reason, who, clock(), since)
    if isinstance(made, Hold) and not is_early(made, now := clock()):
        made = approve(store, made.action_id, reason, who, now, made.since)
    return made


def refuse(store: Store, action_id: str, reason: str, who: str, now: datetime, since: str = "") -> Hold:
    """Leave what is held of an action a draft, for good: only other figures are judged at the next announced time.

    Raises:
        Decided: somebody decided before.
        StrikesError: nothing is held, or a name or reason is lacking.
    """
    return _without_release(store, action_id, "refused", reason, who, now, since)


def withdraw_hold(store: Store, action_id: str, reason: str, who: str, now: datetime) -> Hold:
    """Take a hold back, as when a setting was wrong: the next announced time judges the figures anew.

    Raises:
        Decided: somebody decided before.
        StrikesError: nothing is held, or a name or reason is lacking.
    """
    return _without_release(store, action_id, "withdrawn", reason, who, now, "")


def held(store: Store) -> list[Hold]:
    """What waits for a person, oldest first."""
    return [h for h in ledger_of(store).holds.unfinished() if h.state == "held"]


def to_ask(store: Store) -> list[Ask]:
    """The runs that ask about it."""
    return [{"trigger_run_id": h.run_id, "conf": {"action": h.action_id, "since": h.since}} for h in held(store)]


def still_held(store: Store, action_id: str, since: str = "") -> Hold:
    """What is held of an action, while it is.

    Raises:
        Decided: it was decided, or superseded.
        StrikesError: nothing is held.
    """
    hold = _asked(store, action_id, since)
    if hold.state != "held":
        raise _gone(hold)
    return hold


def question(hold: Hold) -> str:
    """What a person is asked in Airflow. Under embargo it names no figure, for whoever may read the run sees it."""
    began = f"{hold.action_id} is {hold.sentence}. What the release gate found"
    if with_access():
        labels = ", ".join(c.label for c in failed(hold.checks))
        return f"{began} is under embargo ({labels}): see `/strike-reports/embargoed/`."
    return f"{began}:\n\n" + "\n".join(f"* {line}" for line in in_lines(hold.checks))


def _without_release(
    store: Store, action_id: str, state: str, reason: str, who: str, now: datetime, since: str
) -> Hold:
    reason, who = _said(reason, who)
    hold = _asked(store, action_id, since)
    if (hold.state, hold.who, hold.why) == (state, who, reason):
        return hold
    if hold.state != "held":
        raise _gone(hold)
    return _decided(store, hold, state, who, reason, now)


def _asked(store: Store, action_id: str, since: str) -> Hold:
    known = ledger_of(store).holds.of(resolve(action_id).action_id)
    found = [h for h in known if since in ("", h.since)]
    if not found:
        raise StrikesError(f"no release of {action_id} is held; `strikes release held` lists what is")
    return found[-1]


def _decided(store: Store, hold: Hold, state: str, who: str, why: str, now: datetime) -> Hold:
    """A person's decision, made once, in the ledger and in landing."""
    made = ledger_of(store).holds.decide(hold, state=state, who=who, why=why, at=utc(now))
    if made is None:
        raise _gone(ledger_of(store).holds.last(hold.action_id) or hold)
    _keep(store, made)
    return made


def _keep(store: Store, hold: Hold) -> None:
    store.write(decision_key(hold), hold.dump())


def _approved(hold: Hold, now: datetime) -> Why:
    """Of the moment of the approval, or of the announced time that it waited for."""
    at = max(hold.at, min(hold.not_before, utc(now)))
    return Why(reason=hold.why, who=hold.who, at=at, held=hold.since)


def _gone(hold: Hold) -> StrikesError:
    if hold.state == "superseded":
        return _moved_on(hold)
    return Decided(f"{hold.action_id}: {hold.sentence}; {_ONLY_ONE}")


def _moved_on(hold: Hold) -> Superseded:
    return Superseded(
        f"{hold.action_id}: what was held is superseded by newer figures, so nothing was cut. The next run of "
        "publish_disruption judges those; `strikes release held` lists what is held"
    )


def _said(reason: str, who: str) -> tuple[str, str]:
    reason, who = (safe_text(" ".join(text.split())) for text in (reason, who))
    if not reason:
        raise StrikesError("give a reason: it is kept with the decision and shown")
    if not who:
        raise StrikesError("say who decides: it is kept with the decision and shown")
    return reason, who
