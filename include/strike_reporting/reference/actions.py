"""Industrial actions and their strike days.

A strike day is a reporting day that runs from the action's start hour, so an action from 07:00 on the 20th to
07:00 on the 23rd has three: the 20th, 21st and 22nd. The 23rd is its *closing day*: it holds only the last
small hours, a return for it is welcome but not expected, and it takes no part in averages.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, cached_property

from strike_reporting.clock import utc
from strike_reporting.errors import StrikesError
from strike_reporting.reference.facts import OFF, newest, read_csv, read_versions

# The British Medical Association renamed junior doctors "resident doctors" on this day.
RENAMED = date(2024, 9, 18)
_GROUPS = {
    "nurses": "Nurses’",
    "ambulance": "Ambulance staff’s",
    "physiotherapists": "Physiotherapists’",
    "consultants": "Consultants’",
    "radiographers": "Radiographers’",
    "nurses_and_other_staff": "Nurses’ and other staff’s",
}


class UnknownAction(StrikesError, LookupError):
    """No industrial action has this id; the message names the nearest ones."""


@dataclass(frozen=True)
class Action:
    """One announced walk-out. Times are local (Europe/London)."""

    action_id: str
    dispute: str
    staff_group: str
    unions: tuple[str, ...]
    start: datetime
    end: datetime
    cover_level: str
    status: str
    announced_on: str
    source_url: str
    daily_pattern: str
    note: str
    status_date: str = ""

    def is_outcome_unknown(self, today: date) -> bool:
        """Whether its days are gone and no source says that it took place or that it did not."""
        return self.status == "announced" and self.days[-1] < today

    @cached_property
    def days(self) -> tuple[date, ...]:
        """The strike days (reporting days), in order; at least one."""
        last = self.end.date()
        if self.daily_pattern == "continuous" and self.end.time() <= self.start.time() and last > self.start.date():
            last -= timedelta(days=1)
        span = (last - self.start.date()).days
        days = [self.start.date() + timedelta(days=n) for n in range(span + 1)]
        if "weekday" in self.daily_pattern:
            days = [d for d in days if d.weekday() < 5]
        return tuple(days)

    @property
    def is_off(self) -> bool:
        """Whether it was suspended or called off."""
        return self.status in OFF

    @cached_property
    def struck(self) -> tuple[date, ...]:
        """The strike days that were, or may yet be, struck: of one that is off those up to the day that it was."""
        off = date.fromisoformat(self.status_date) if self.status_date else date.min
        return tuple(d for d in self.days if d <= off) if self.is_off else self.days

    @cached_property
    def closing_day(self) -> date | None:
        """The last calendar day when it holds only the hours before the start hour, else None."""
        last = self.end.date()
        return last if last not in self.days and self.daily_pattern == "continuous" else None

    @property
    def group_name(self) -> str:
        """The staff group in plain English, possessive, as it was called at the time."""
        if self.staff_group.startswith("resident_doctors"):
            return "Resident doctors’" if self.start.date() >= RENAMED else "Junior doctors’"
        return _GROUPS.get(self.staff_group, self.staff_group)


@dataclass(frozen=True)
class ActionSet:
    """What one release reports: an action, or several that are reported jointly because they cannot be split."""

    actions: tuple[Action, ...]

    @property
    def action_id(self) -> str:
        """The ids, sorted and joined by `;`, as the published figures write them."""
        return ";".join(a.action_id for a in self.actions)

    @property
    def slug(self) -> str:
        """The id as a folder name."""
        return self.action_id.replace(";", "_")

    @property
    def days(self) -> tuple[date, ...]:
        """All strike days, each once."""
        return tuple(sorted({d for a in self.actions for d in a.days}))

    @property
    def closing_days(self) -> tuple[date, ...]:
        """Closing days that are not a strike day of another action in the set."""
        return tuple(sorted({a.closing_day for a in self.actions if a.closing_day} - set(self.days)))

    @property
    def staff_groups(self) -> tuple[str, ...]:
        """The staff groups on strike."""
        return tuple(sorted({a.staff_group for a in self.actions}))

    @property
    def took_place(self) -> bool:
        """Whether any of it went ahead."""
        return any(a.status == "went_ahead" for a in self.actions)

    @property
    def status_text(self) -> str:
        """The status in words."""
        return " and ".join(sorted({a.status.replace("_", " ") for a in self.actions}))

    @property
    def title(self) -> str:
        """Such as “Junior doctors’ strike, 11 to 14 April 2023”."""
        groups = " and ".join(dict.fromkeys(a.group_name for a in self.actions))
        return f"{groups} strike, {days_text(self.days)}"

    def overlapping(self, day: date) -> tuple[str, ...]:
        """Ids of other actions that went ahead on this day: their effect is in the same figures."""
        mine = {a.action_id for a in self.actions}
        others = (a for a in actions().values() if a.action_id not in mine and a.status == "went_ahead")
        return tuple(sorted(a.action_id for a in others if day in a.days))


def days_text(days: tuple[date, ...]) -> str:
    """Days as written in England: “15 and 20 December 2022”, “11 to 14 April 2023”."""
    first, last = days[0], days[-1]
    if first == last:
        return f"{first:%-d %B %Y}"
    joiner = "to" if (last - first).days == len(days) - 1 and len(days) > 2 else "and"
    if len(days) > 2:
        joiner = "to"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first:%-d} {joiner} {last:%-d %B %Y}"
    start = f"{first:%-d %B}" if first.year == last.year else f"{first:%-d %B %Y}"
    return f"{start} {joiner} {last:%-d %B %Y}"


@cache
def actions() -> dict[str, Action]:
    """Every industrial action of the strike calendar, by id, in calendar order."""
    return {r["action_id"]: action_of(r) for r in read_csv("strike_calendar")}


def actions_as_at(moment: datetime) -> dict[str, Action]:
    """The same, as the calendar was known at a moment: without what was added or changed later.

    What the package brings, and a row of an overlay that does not say since when, was always known.
    """
    at = utc(moment)
    known = [r for r in read_versions("strike_calendar") if r.get("known_from", "") <= at]
    return {r["action_id"]: action_of(r) for r in newest("strike_calendar", known)}


def true_on(action_id: str, day: date) -> Action:
    """An action as it was on one of its days: hours and cover that were changed later had not changed yet.

    What was told after its last day is a correction, and holds of every day.
    """
    rows = [r for r in read_versions("strike_calendar") if r["action_id"] == action_id]
    told = [r for r in rows if r.get("told_on", "") <= day.isoformat()]
    is_corrected = rows[-1].get("told_on", "") > actions()[action_id].days[-1].isoformat()
    return action_of(rows[-1] if is_corrected or not told else told[-1])


def action_of(row: Mapping[str, str]) -> Action:
    """The action of a row that was checked."""
    return Action(
        action_id=row["action_id"],
        dispute=row["dispute"],
        staff_group=row["staff_group"],
        unions=tuple(row["unions"].split(";")),
        start=datetime.fromisoformat(row["start"]),
        end=datetime.fromisoformat(row["end"]),
        cover_level=row["cover_level"],
        status=row["status"],
        announced_on=row["announced_on"],
        source_url=row["source_url"],
        daily_pattern=row["daily_pattern"],
        note=row["note"],
        status_date=row["status_date"],
    )


def resolve(text: str) -> ActionSet:
    """The action, or the joint actions, that an id (or ids joined by `;`) names.

    Raises:
        UnknownAction: an id is not in the strike calendar.
    """
    found = []
    for part in sorted({p.strip() for p in text.split(";") if p.strip()}):
        if part not in actions():
            near = difflib.get_close_matches(part, list(actions()), n=3, cutoff=0.4)
            hint = f"; did you mean {' or '.join(near)}?" if near else "; `strikes calendar` lists them"
            raise UnknownAction(f"no industrial action is called {part!r}{hint}")
        found.append(actions()[part])
    if not found:
        raise UnknownAction("no action was named")
    return ActionSet(tuple(found))


@cache
def all_days() -> frozenset[date]:
    """Every strike day and closing day of the calendar."""
    found: set[date] = set()
    for action in actions().values():
        found |= set(action.days) | ({action.closing_day} if action.closing_day else set())
    return frozenset(found)


def touching(days: Iterable[date], named: str | None = None) -> tuple[str, ...]:
    """Ids of the actions that hold one of these days, or that a drop was meant for."""
    wanted, meant = set(days), set((named or "").split(";"))
    return tuple(
        i for i, a in actions().items() if i in meant or wanted & {*a.days, *([a.closing_day] if a.closing_day else [])}
    )


def meant_on(came: date, ahead: int, behind: int) -> tuple[str, ...]:
    """Ids of the actions that a file which came on a day may be about: so many days ahead, so many behind."""
    return tuple(
        i
        for i, a in actions().items()
        if a.days[0] - timedelta(days=ahead) <= came <= a.days[-1] + timedelta(days=behind)
    )
