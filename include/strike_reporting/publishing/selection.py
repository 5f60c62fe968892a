"""Which submission counts: for each trust, extract and strike day, the newest accepted one that covers the day.

The answer is the `returns` table: one row for every return that was expected or that came.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from strike_reporting.extracts import EXTRACTS
from strike_reporting.ledger import Outcome
from strike_reporting.reference.actions import ActionSet
from strike_reporting.reference.organisations import organisations

RETURNED = ("received", "nil_return", "late")
# Trusts send what they expect to cancel up to four weeks ahead, and the outturn within two weeks.
AHEAD, BEHIND = 28, 14
_LONDON = ZoneInfo("Europe/London")


@dataclass(frozen=True)
class Return:
    """The return of one trust for one extract and strike day."""

    ods_code: str
    trust_name: str
    extract: str
    strike_day: date
    return_status: str
    submission_id: str | None
    received_at: str | None
    reason: str
    rows_accepted: int
    rows_quarantined: int
    total: int | None
    refused_submission_id: str | None = None


def select(action: ActionSet, outcomes: list[Outcome], failures: dict[str, str] | None = None) -> list[Return]:
    """The returns of an action, sorted by trust, extract and day.

    Args:
        action: whose strike days are asked about.
        outcomes: submissions to choose from, oldest first.
        failures: feed id to why its last pull failed, to explain what is missing.
    """
    orgs, failures = organisations(), failures or {}
    days = [*((d, True) for d in action.days), *((d, False) for d in action.closing_days)]
    wanted = {d.isoformat() for d, _ in days}
    sent: dict[tuple[str, str, str], list[Outcome]] = {}
    whole: dict[tuple[str, str], Outcome] = {}
    for o in outcomes:
        if not o.ods_code or not o.extract:
            continue
        for iso in wanted & set(o.days):
            sent.setdefault((o.ods_code, o.extract, iso), []).append(o)
        if not o.days and _concerns(o, action):
            whole[(o.ods_code, o.extract)] = o  # refused before its days could be read
    returns = []
    for extract in EXTRACTS:
        for day, is_strike_day in days:
            optional = extract == "planned_activity" or not is_strike_day
            asked = "cancellations" if extract == "planned_activity" else extract
            pool = set(orgs.expected(action.staff_groups, asked, day))
            came = {t for t, e, d in sent if e == extract and d == day.isoformat() and orgs.is_trust(t, day)}
            for code in sorted(pool | came):
                candidates = sent.get((code, extract, day.isoformat()), [])
                refused = whole.get((code, extract)) if is_strike_day else None
                failure = failures.get(f"{code}.{extract}")
                returns.append(_one(code, extract, day, candidates, refused, failure, optional))
    return sorted(returns, key=lambda r: (r.ods_code, r.extract, r.strike_day))


def _concerns(o: Outcome, action: ActionSet) -> bool:
    """Whether a file whose days could not be read was meant for this action: by its drop, or by when it came."""
    if o.action_id:
        return bool({*o.action_id.split(";")} & {a.action_id for a in action.actions})
    came = datetime.fromisoformat(o.received_at).date()
    return action.days[0] - timedelta(days=AHEAD) <= came <= action.days[-1] + timedelta(days=BEHIND)


def _one(
    code: str,
    extract: str,
    day: date,
    candidates: list[Outcome],
    refused: Outcome | None,
    failure: str | None,
    optional: bool,
) -> Return:
    trust = organisations().trust(code, day)
    iso = day.isoformat()
    good = [o for o in candidates if o.counts and o.days[iso].rows]
    if good:
        chosen = good[-1]
        stats = chosen.days[iso]
        status = "late" if _is_late(chosen, day) else ("nil_return" if stats.total == 0 else "received")
        plural = "" if stats.quarantined == 1 else "s"
        reason = f"{stats.quarantined} row{plural} left out" if stats.quarantined else ""
        if len(good) > 1:
            older = f"replaces {len(good) - 1} earlier submission{'s' if len(good) > 2 else ''}"
            reason = f"{reason}; {older}" if reason else older
        later = [o for o in (*candidates, *([refused] if refused else [])) if not o.counts and o not in good]
        later = [o for o in later if (o.received_at, o.submission_id) > (chosen.received_at, chosen.submission_id)]
        if later:
            newer = f"a newer file could not be used: {later[-1].reason}"
            reason = f"{reason}; {newer}" if reason else newer
        return Return(
            code,
            trust.name,
            extract,
            day,
            status,
            chosen.submission_id,
            chosen.received_at,
            reason,
            stats.rows,
            stats.quarantined,
            stats.total,
            later[-1].submission_id if later else None,
        )
    bad = candidates[-1] if candidates else refused
    if bad:
        lost = bad.days[iso].quarantined if iso in bad.days else 0
        why = f"none of the day's {lost} rows could be used. {bad.fix}" if bad.counts else bad.reason
        return Return(
            code, trust.name, extract, day, "rejected", bad.submission_id, bad.received_at, why, 0, lost, None
        )
    if optional:
        return Return(code, trust.name, extract, day, "not_expected", None, None, "", 0, 0, None)
    reason = f"the last pull failed: {failure}" if failure else "nothing was received"
    return Return(code, trust.name, extract, day, "missing", None, None, reason, 0, 0, None)


def _is_late(o: Outcome, day: date) -> bool:
    """A return is due on the day after the strike day, at the feed's local time; a feed without one is never late."""
    if not o.due:
        return False
    due = datetime.combine(day + timedelta(days=1), time.fromisoformat(o.due), _LONDON)
    return datetime.fromisoformat(o.received_at) > due
