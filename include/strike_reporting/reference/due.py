"""Which rounds of pulling the strike calendar asks for, and when: a function of the actions and the settings alone.

A round is a minute in London. One minute is one round, whatever it is for, so actions that overlap share it, and an
edit that changes only what it is for repeats nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any, Self

from strike_reporting.clock import LONDON, comes, parse_due
from strike_reporting.errors import StrikesError
from strike_reporting.reference.actions import Action, actions
from strike_reporting.reference.checking import check_actions
from strike_reporting.reference.facts import require
from strike_reporting.reference.revising import revising
from strike_reporting.settings import Settings, settings

# What a round is for, strongest first.
KINDS = {
    "during": "returns of a strike day",
    "before": "what trusts expect to cancel",
    "after": "late returns, reinstatements and rebookings",
    "quiet": "stragglers",
}
_TWO_DAYS = timedelta(days=2)  # every one of them has a daily round, whatever the clocks do


@dataclass(frozen=True)
class Round:
    """One round. local: its minute in London, of which there is one; serves: what it is for, and for which action."""

    local: datetime
    due_at: datetime
    serves: tuple[tuple[str, str], ...]

    @property
    def round_id(self) -> str:
        """Its minute in London."""
        return f"{self.local:%Y-%m-%dT%H:%M}"

    @property
    def kind(self) -> str:
        """The strongest of what it is for."""
        return self.serves[0][0] if self.serves else "quiet"

    @property
    def actions(self) -> tuple[str, ...]:
        """Ids of the actions that it serves."""
        return tuple(sorted({action_id for _, action_id in self.serves}))

    @property
    def why(self) -> str:
        """What it is for, as a sentence."""
        said = (f"{KINDS[k]} ({', '.join(a for kind, a in self.serves if kind == k)})" for k in KINDS if k != "quiet")
        return "; ".join(s for s in said if not s.endswith("()")) or KINDS["quiet"]


@dataclass(frozen=True)
class Hours:
    """The times of a day, in minutes after midnight: `last` may be of the next day.

    released: of announced releases, and when they are checked ahead; that may be on the day before.
    """

    first: int
    last: int
    every: int
    daily: int
    released: tuple[int, ...] = ()

    @classmethod
    def of(cls, given: Settings) -> Self:
        """As the settings say."""
        first, cut_off, daily = (_minutes(t) for t in (given.pull_from, given.cut_off, given.daily_at))
        times = () if given.cut_at_once else [_minutes(t) for t in given.release_times]
        released = tuple(sorted({t - ahead for t in times for ahead in (0, given.checked_ahead_minutes)}))
        return cls(first, cut_off + given.cut_off_grace_minutes, given.pull_every_minutes, daily, released)

    @cached_property
    def pulls(self) -> tuple[int, ...]:
        """The pulls of a day on which returns are due; the last is at the end, whatever the step."""
        return (*range(self.first, self.last, self.every), self.last)

    @cached_property
    def shared(self) -> int:
        """When the daily round is, on such a day: one of the pulls serves for it where it falls among them."""
        if self.first <= self.daily <= self.last:
            return next(p for p in self.pulls if p >= self.daily)
        return self.daily


@dataclass(frozen=True)
class Spell:
    """When one action asks for rounds.

    opens: the day of its announcement. over: the last day before it is *after* the action, or after it was called off.
    pulled: the days on which returns are due. closes: the last day on which it asks for anything.
    revised: later days on which a release may be cut.
    """

    action_id: str
    opens: date
    first: date
    over: date
    closes: date
    pulled: tuple[date, ...]
    revised: tuple[date, ...] = ()

    @classmethod
    def of(cls, action: Action, given: Settings) -> Self:
        """Of one action."""
        first, arrears = action.days[0], timedelta(days=given.arrears_days)
        announced = date.fromisoformat(action.announced_on) if action.announced_on else None
        ended = date.fromisoformat(action.status_date) if action.status_date else None
        held = action.struck
        before = first - timedelta(days=1)
        return cls(
            action_id=action.action_id,
            opens=min(announced or first - timedelta(days=given.ahead_days), first),
            first=first,
            over=held[-1] + arrears if held else min(ended or before, before),
            closes=action.days[-1] + arrears + timedelta(days=given.days_after),
            pulled=tuple(d + arrears for d in held),
            revised=revising(action.days, given).scheduled,
        )

    def kind_on(self, day: date) -> str:
        """What a daily round on a day is for."""
        if day > self.over:
            return "after"
        return "before" if day < self.first else "during"


@dataclass(frozen=True)
class Calendar:
    """All that decides when rounds are.

    always: returns are looked for every day, for want of a calendar. lag: minutes by which rounds are later. releases:
    whether the announced times of releases are asked for too; they are not later.
    """

    hours: Hours
    spells: tuple[Spell, ...] = ()
    always: bool = False
    lag: int = 0
    releases: bool = False

    @classmethod
    def load(cls, data: dict[str, Any]) -> Self:
        """The calendar that `dump` wrote."""
        day = date.fromisoformat
        spells = (
            Spell(
                name, day(opens), day(first), day(over), day(closes), tuple(map(day, pulled)), tuple(map(day, revised))
            )
            for name, opens, first, over, closes, pulled, revised in data["spells"]
        )
        hours = Hours(**{**data["hours"], "released": tuple(data["hours"]["released"])})
        return cls(hours, tuple(spells), data["always"], data["lag"], data["releases"])

    def dump(self) -> dict[str, Any]:
        """As JSON holds it."""
        spells = [
            [
                s.action_id,
                *map(str, (s.opens, s.first, s.over, s.closes)),
                [*map(str, s.pulled)],
                [*map(str, s.revised)],
            ]
            for s in self.spells
        ]
        told = {"always": self.always, "lag": self.lag, "releases": self.releases}
        return {"hours": asdict(self.hours), "spells": spells, **told}

    @cached_property
    def sha256(self) -> str:
        """The hash of all that decides when rounds are."""
        return hashlib.sha256(json.dumps(self.dump(), sort_keys=True).encode()).hexdigest()

    def behind(self, minutes: int, *, releases: bool = False) -> Calendar:
        """When to look for what a round left, should its event be lost: so much later, and of pulls once an hour.

        With `releases` also at the announced times and when they are checked ahead, on the days on which an action asks
        for rounds or is revised.
        """
        hours = replace(self.hours, every=max(self.hours.every, 60))
        return replace(self, hours=hours, lag=minutes, releases=releases)

    def rounds_between(self, after: datetime, until: datetime) -> list[Round]:
        """The rounds later than a moment and not later than another, in order; the moments have a time zone."""
        found: dict[datetime, tuple[datetime, set[tuple[str, str]]]] = {}
        one = timedelta(days=1)  # a day's rounds may be on the days beside it
        day, last = after.astimezone(LONDON).date() - one, until.astimezone(LONDON).date() + one
        while day <= last:
            for due_at, serves in self._of_day(day):
                if after < due_at <= until:
                    local = due_at.astimezone(LONDON).replace(tzinfo=None, fold=0)
                    found.setdefault(due_at, (local, set()))[1].update(serves)
            day += one
        rank = list(KINDS)
        return [
            Round(local, due_at, tuple(sorted(serves, key=lambda s: (rank.index(s[0]), s[1]))))
            for due_at, (local, serves) in sorted(found.items())
        ]

    def returns_due(self, day: date) -> tuple[str, ...]:
        """Ids of the actions that have returns of a strike day due on a day."""
        return tuple(sorted(self._pulled.get(day, ())))

    def next_after(self, moment: datetime) -> Round:
        """The first round later than a moment."""
        return self.rounds_between(moment, moment + _TWO_DAYS)[0]

    def last_until(self, moment: datetime) -> Round:
        """The last round not later than a moment."""
        return self.rounds_between(moment - _TWO_DAYS, moment)[-1]

    @cached_property
    def _pulled(self) -> dict[date, set[str]]:
        found: dict[date, set[str]] = {}
        for spell in self.spells:
            for day in spell.pulled:
                found.setdefault(day, set()).add(spell.action_id)
        return found

    def _of_day(self, day: date) -> Iterator[tuple[datetime, set[tuple[str, str]]]]:
        """When a day's rounds are due, and what they serve."""
        midnight = datetime.combine(day, time.min)
        daily = {(s.kind_on(day), s.action_id) for s in self.spells if s.opens <= day <= s.closes}
        pulled = self._pulled.get(day, set())
        found = {self.hours.daily: daily}
        if pulled or self.always:
            found = {minutes: {("during", action_id) for action_id in pulled} for minutes in self.hours.pulls}
            found.setdefault(self.hours.shared, set()).update(daily)
        for minutes, serves in found.items():
            yield comes(midnight + timedelta(minutes=minutes)) + timedelta(minutes=self.lag), serves
        if self.releases and (wanting := daily | {("after", s.action_id) for s in self.spells if day in s.revised}):
            for minutes in self.hours.released:
                yield comes(midnight + timedelta(minutes=minutes)), wanting


def calendar_of(given: Settings, held: Iterable[Action]) -> Calendar:
    """The calendar of these actions."""
    return Calendar(Hours.of(given), tuple(Spell.of(action, given) for action in held))


def calendar() -> Calendar:
    """The strike calendar as it stands, read once a process.

    Raises:
        OurFault: the calendar or the settings cannot be used; the message says where and what to do.
    """
    require(check_actions())
    return calendar_of(settings(), actions().values())


def calendar_or_always() -> Calendar:
    """The same for what only wakes. With one that cannot be used it wakes as on a strike day, for a run to say so."""
    try:
        return calendar()
    except StrikesError:
        return Calendar(Hours.of(Settings.model_construct()), always=True)


def _minutes(text: str) -> int:
    found = parse_due(text) or time.min
    return found.hour * 60 + found.minute
