"""The frame of a release: every reference row that its figures hang on, as one record that is kept beside them.

Days, who was asked, which areas a trust counts in, names of areas and sites. Selection and summaries read nothing else
of the reference data, so a release can be made again after that has changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cached_property

from pydantic import Field

from strike_reporting.extracts import EXTRACTS, care_settings
from strike_reporting.extracts.measures import asked_with, is_asked_only_if_struck
from strike_reporting.ledger.records import Part, Record
from strike_reporting.reference.actions import ActionSet
from strike_reporting.reference.organisations import organisations


class Member(Part):
    """A trust on some of the days: its name, and the areas (type, code, name) that its figures count in.

    `services`: the care settings that it provides then; nobody waits for figures of another.
    """

    ods_code: str
    name: str
    days: tuple[date, ...]
    areas: tuple[tuple[str, str, str], ...]
    services: tuple[str, ...] = ()


class Frame(Record):
    """Reference rows of one release.

    `asked`: by extract and day, the trusts of whom a return was expected. `asked_number`: how many were, on the days
    when `asked` cannot name them all.
    """

    action_id: str
    title: str
    status: str
    days: tuple[date, ...]
    closing_days: tuple[date, ...]
    overlapping: dict[date, tuple[str, ...]]
    asked: dict[str, dict[date, tuple[str, ...]]]
    asked_number: dict[str, dict[date, int]] = Field(default_factory=dict)
    members: tuple[Member, ...]
    sites: dict[str, str]
    care_settings: dict[str, str]

    @cached_property
    def _by_trust(self) -> dict[tuple[str, date], Member]:
        return {(m.ods_code, d): m for m in self.members for d in m.days}

    @property
    def all_days(self) -> tuple[date, ...]:
        """Strike days, then closing days."""
        return (*self.days, *self.closing_days)

    def member(self, code: str, day: date) -> Member | None:
        """The trust behind a code on a day; None when it was none."""
        return self._by_trust.get((code, day))

    def only(self, codes: Iterable[str]) -> Frame:
        """The frame without what no return of these trusts needs: what is kept beside a release."""
        wanted = set(codes)
        return self.model_copy(update={"members": tuple(m for m in self.members if m.ods_code in wanted)})


def frame(action: ActionSet) -> Frame:
    """The frame of an action by today's reference data."""
    orgs = organisations()
    days = (*action.days, *action.closing_days)
    return Frame(
        action_id=action.action_id,
        title=action.title,
        status=action.status_text,
        days=action.days,
        closing_days=action.closing_days,
        overlapping={d: action.overlapping(d) for d in days if action.overlapping(d)},
        asked={e: {d: orgs.expected(_asking(action, e, d), asked_with(e), d) for d in days} for e in EXTRACTS},
        asked_number={
            e: {d: n for d in days if (n := orgs.asked_number(_asking(action, e, d), asked_with(e), d)) is not None}
            for e in EXTRACTS
        },
        members=_members(days),
        sites={s.site_code: s.name for s in orgs.sites()},
        care_settings=care_settings(),
    )


def _asking(action: ActionSet, extract: str, day: date) -> ActionSet:
    """The actions that ask for an extract of a day; what only a strike makes is not asked for where there was none."""
    if not is_asked_only_if_struck(asked_with(extract)):
        return action
    struck = (a for a in action.actions if day in a.struck or (day == a.closing_day and a.days[-1] in a.struck))
    return ActionSet(tuple(struck))


def _members(days: Iterable[date]) -> tuple[Member, ...]:
    orgs = organisations()
    found: dict[tuple[str, str, tuple[tuple[str, str, str], ...], tuple[str, ...]], list[date]] = {}
    for day in days:
        for trust in orgs.trusts(day):
            code = trust.ods_code
            areas = tuple((a.area_type, a.area_code, a.area_name) for a in orgs.areas(code, day))
            found.setdefault((code, trust.name, areas, orgs.services(code, day)), []).append(day)
    return tuple(
        Member(ods_code=code, name=name, days=tuple(when), areas=areas, services=services)
        for (code, name, areas, services), when in sorted(found.items())
    )
