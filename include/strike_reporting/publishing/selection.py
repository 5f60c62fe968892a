"""Which submission counts: for each trust, extract and strike day, part by part (see `slices`).

It is decided here from the ledger, in the order of landing, whatever the order of judging was. The answer is the
`returns` table: one row for every return that was expected or that came, with the parts that count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from strike_reporting.catalogue.statuses import RETURNED
from strike_reporting.clock import comes, parse_due
from strike_reporting.extracts import EXTRACTS, Contract, load
from strike_reporting.extracts.measures import asked_with
from strike_reporting.ledger.records import EVERY, Day, Outcome
from strike_reporting.publishing import slices
from strike_reporting.publishing.frame import Frame
from strike_reporting.settings import settings


@dataclass(frozen=True)
class Return:
    """The return of one trust for one extract and strike day.

    held: part to the submission of which it counts. sums: what the ledger says that they hold of each field.
    """

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
    is_newer_held: bool = False
    held: dict[str, str] = field(default_factory=dict)
    sums: dict[str, int] = field(default_factory=dict)

    @property
    def submission_ids(self) -> tuple[str, ...]:
        """All submissions whose rows count, newest first, as `held` is ordered."""
        return tuple(dict.fromkeys(self.held.values()))

    @property
    def counts(self) -> bool:
        """Whether it is in the figures."""
        return self.return_status in RETURNED


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
    whole: dict[tuple[str, str], Outcome] = {}  # refused before its rows could be read
    blind: dict[str, Outcome] = {}  # and before it was known what it is an extract of
    for o in sorted(outcomes, key=lambda o: o.sequence):
        if not o.ods_code:
            continue
        days = wanted & set(o.days)
        if any(s.rows or s.quarantined for s in o.said) and o.extract:
            for day in days:
                sent.setdefault((o.ods_code, o.extract, day), []).append(o)
        elif not o.parts and (days or (not o.said and _concerns(o, frame))):
            if o.extract:
                whole[(o.ods_code, o.extract)] = o
            else:
                blind[o.ods_code] = o
    returns = []
    for extract in EXTRACTS:
        contract = load(extract)
        is_asked_for = asked_with(extract) == extract
        for day in frame.all_days:
            is_strike_day = day in frame.days
            pool = set(frame.asked[extract][day])
            came = {t for t, e, d in sent if (e, d) == (extract, day) and frame.member(t, day)}
            for code in sorted(pool | came):
                refused = whole.get((code, extract)) if is_strike_day else None
                one = _One(frame, code, contract, day, sent.get((code, extract, day), []), refused)
                is_expected = is_asked_for and is_strike_day and code in pool
                failure = failures.get(f"{code}.{extract}") or failures.get(f"{EVERY}.{extract}")
                lost = blind.get(code) if is_strike_day else None
                returns.append(one.chosen() or one.refused(is_expected, failure, lost))
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
    contract: Contract
    day: date
    candidates: list[Outcome]
    whole: Outcome | None

    def _row(self, status: str, of: Outcome | None, reason: str, quarantined: int) -> Return:
        member = self.frame.member(self.code, self.day)
        return Return(
            self.code,
            member.name if member else self.code,
            self.contract.name,
            self.day,
            status,
            of.submission_id if of else None,
            of.received_at if of else None,
            reason,
            0,
            quarantined,
            None,
        )

    def chosen(self) -> Return | None:
        """The return by the parts that count; None when none does."""
        day = slices.choose(self.candidates, self.day, self.contract)
        if not day.held:
            return None
        if self.whole:
            day.refused.append((self.whole, self.whole.reason))
        used = {o.submission_id: o for o, _ in day.held.values()}
        newest = max(used.values(), key=lambda o: o.sequence)
        later = sorted((r for r in day.refused if r[0].sequence >= newest.sequence), key=lambda r: r[0].sequence)
        quarantined = sum(o.days[self.day].quarantined for o in used.values())
        total = sum(said.total for _, said in day.held.values())
        reasons = []
        if quarantined:
            reasons.append(f"{quarantined} row{'' if quarantined == 1 else 's'} left out")
        if len(used) > 1:
            reasons.append(f"from {len(used)} files")
        if day.replaced:
            reasons.append(f"replaces {len(day.replaced)} earlier submission{'s' if len(day.replaced) > 1 else ''}")
        if day.before is not None:
            reasons += self._jump(total, day.before)
        reasons += [f"a newer file could not be used: {why}" for _, why in later[-1:]]
        reasons += [f"held until it is confirmed: {why}" for _, why in day.questioned.values()]
        reasons += [f"{o.source_name} was withdrawn: {o.withdrawn}" for o in self.candidates if o.withdrawn]
        late = any(_is_late(o, self.day) for o in used.values())
        row = self._row(
            "late" if late else ("received" if total else "nil_return"), newest, "; ".join(reasons), quarantined
        )
        order = sorted(day.held, key=lambda part: (-day.held[part][0].sequence, part))
        return replace(
            row,
            rows_accepted=sum(said.rows for _, said in day.held.values()),
            total=total,
            refused_submission_id=later[-1][0].submission_id if later else None,
            is_newer_held=bool(day.questioned),
            held={part: day.held[part][0].submission_id for part in order},
            sums=slices.sums(said for _, said in day.held.values()),
        )

    def refused(self, is_expected: bool, failure: str | None, blind: Outcome | None) -> Return:
        """The return where no submission counts. `blind`: a file of the trust that could be of any extract."""
        left = [o for o in self.candidates if not o.withdrawn]
        bad = left[-1] if left else self.whole or (blind if is_expected else None)
        if bad:
            lost = bad.days.get(self.day, Day()).quarantined
            why = f"none of the day's {lost} rows could be used. {bad.fix}" if bad.counts else bad.reason
            return self._row("rejected", bad, why, lost)
        gone = "; ".join(f"{o.source_name} was withdrawn: {o.withdrawn}" for o in self.candidates)
        if not is_expected:
            return self._row("not_expected", None, gone, 0)
        why = gone or (f"the last pull failed: {failure}" if failure else "nothing was received")
        return self._row("missing", None, why, 0)

    def _jump(self, total: int, before: int) -> list[str]:
        """What is to be asked when a day's total is far from that of the submission before."""
        times = settings().jump_times
        if max(total, before) < settings().jump_at_least or before / times <= total <= before * times:
            return []
        return [f"its total is {total:,}; the submission before said {before:,}"]


def _is_late(o: Outcome, day: date) -> bool:
    """Due on the day after the strike day, at the feed's local time and grace; without one a feed is never late.

    It goes by when the sender put the file there: that we fetched it late is not the sender's doing.
    """
    due = parse_due(o.due or "")
    if due is None:
        return False
    limit = comes(datetime.combine(day + timedelta(days=1), due)) + timedelta(minutes=o.grace_minutes)
    return min(map(datetime.fromisoformat, filter(None, (o.sent_at, o.received_at)))) > limit
