"""Which submission counts: for each trust, extract and strike day, the newest usable one that covers the day.

It is decided here from the ledger, in the order of landing, whatever the order of judging was. The answer is the
`returns` table: one row for every return that was expected or that came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from strike_reporting.clock import parse_due
from strike_reporting.extracts import EXTRACTS
from strike_reporting.ledger.records import Day, Outcome
from strike_reporting.publishing.frame import Frame
from strike_reporting.settings import settings

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


def window(days: Iterable[date]) -> tuple[str, str]:
    """From when to when a file that names no day may have come to be meant for these days (UTC, ISO 8601)."""
    first, last = min(days), max(days)
    start = datetime.combine(first - timedelta(days=settings().ahead_days), time(), UTC)
    end = datetime.combine(last + timedelta(days=settings().behind_days + 1), time(), UTC)
    return start.isoformat(), end.isoformat()


def select(frame: Frame, outcomes: Iterable[Outcome], failures: Mapping[str, str] | None = None) -> list[Return]:
    """The returns of an action, sorted by trust, extract and day.

    Args:
        frame: whose days and trusts are asked about.
        outcomes: submissions to choose from (of `Judged.about`).
        failures: feed id to why its last pull failed, to explain what is missing.
    """
    failures, wanted = failures or {}, set(frame.all_days)
    sent: dict[tuple[str, str, date], list[Outcome]] = {}
    whole: dict[tuple[str, str], Outcome] = {}
    for o in sorted(outcomes, key=lambda o: o.sequence):
        if not o.ods_code or not o.extract:
            continue
        for day in wanted & set(o.days):
            sent.setdefault((o.ods_code, o.extract, day), []).append(o)
        if not o.said and _concerns(o, frame):
            whole[(o.ods_code, o.extract)] = o  # refused before its days could be read
    returns = []
    for extract in EXTRACTS:
        for day in frame.all_days:
            is_strike_day = day in frame.days
            optional = extract == "planned_activity" or not is_strike_day
            pool = set(frame.asked[extract][day])
            came = {t for t, e, d in sent if (e, d) == (extract, day) and frame.member(t, day)}
            for code in sorted(pool | came):
                refused = whole.get((code, extract)) if is_strike_day else None
                one = _One(frame, code, extract, day, sent.get((code, extract, day), []), refused)
                returns.append(one.chosen() or one.refused(optional, failures.get(f"{code}.{extract}")))
    return sorted(returns, key=lambda r: (r.ods_code, r.extract, r.strike_day))


def _concerns(o: Outcome, frame: Frame) -> bool:
    """Whether a file whose days could not be read was meant for this action: by its drop, or by when it came."""
    if o.action_id:
        return bool({*o.action_id.split(";")} & {*frame.action_id.split(";")})
    start, end = window(frame.days)
    return start <= o.received_at < end


@dataclass
class _One:
    """One trust, extract and day, with the submissions that say something of it, oldest first."""

    frame: Frame
    code: str
    extract: str
    day: date
    candidates: list[Outcome]
    whole: Outcome | None

    def _said(self, o: Outcome) -> Day:
        return o.days.get(self.day, Day())

    def _row(self, status: str, of: Outcome | None, reason: str, said: Day, total: int | None) -> Return:
        member = self.frame.member(self.code, self.day)
        return Return(
            self.code,
            member.name if member else self.code,
            self.extract,
            self.day,
            status,
            of.submission_id if of else None,
            of.received_at if of else None,
            reason,
            said.rows,
            said.quarantined,
            total,
        )

    def chosen(self) -> Return | None:
        """The return by the submission that counts; None when none does."""
        good: list[Outcome] = []
        held: list[tuple[Outcome, str]] = []
        for o in self.candidates:
            if not o.counts or not self._said(o).rows:
                held.append((o, o.reason))
            elif good and o.rows_accepted * 2 < o.rows_read:
                bad = f"{o.rows_quarantined:,} of its {o.rows_read:,} rows could not be used"
                held.append((o, f"{bad}, so it does not replace the file before it"))
            else:
                good.append(o)
        if not good:
            return None
        chosen, said = good[-1], self._said(good[-1])
        if self.whole:
            held.append((self.whole, self.whole.reason))
        later = [(o, why) for o, why in held if o.sequence > chosen.sequence and not (o.counts and why == o.reason)]
        reasons = []
        if said.quarantined:
            reasons.append(f"{said.quarantined} row{'' if said.quarantined == 1 else 's'} left out")
        if len(good) > 1:
            reasons.append(f"replaces {len(good) - 1} earlier submission{'s' if len(good) > 2 else ''}")
            reasons += self._jump(said.total, self._said(good[-2]).total)
        if later:
            reasons.append(f"a newer file could not be used: {later[-1][1]}")
        status = "late" if _is_late(chosen, self.day) else ("nil_return" if said.total == 0 else "received")
        row = self._row(status, chosen, "; ".join(reasons), said, said.total)
        return row if not later else Return(**{**row.__dict__, "refused_submission_id": later[-1][0].submission_id})

    def refused(self, optional: bool, failure: str | None) -> Return:
        """The return where no submission counts."""
        bad = self.candidates[-1] if self.candidates else self.whole
        if bad:
            lost = Day(quarantined=self._said(bad).quarantined)
            why = f"none of the day's {lost.quarantined} rows could be used. {bad.fix}" if bad.counts else bad.reason
            return self._row("rejected", bad, why, lost, None)
        if optional:
            return self._row("not_expected", None, "", Day(), None)
        return self._row(
            "missing", None, f"the last pull failed: {failure}" if failure else "nothing was received", Day(), None
        )

    def _jump(self, total: int, before: int) -> list[str]:
        """What is to be asked when a day's total is far from that of the submission before."""
        times = settings().jump_times
        if max(total, before) < settings().jump_at_least or before / times <= total <= before * times:
            return []
        return [f"its total is {total:,}; the submission before said {before:,}"]


def _is_late(o: Outcome, day: date) -> bool:
    """Due on the day after the strike day, at the feed's local time and grace; without one a feed is never late."""
    due = parse_due(o.due or "")
    if due is None:
        return False
    limit = datetime.combine(day + timedelta(days=1), due, _LONDON) + timedelta(minutes=o.grace_minutes)
    return datetime.fromisoformat(o.received_at) > limit
