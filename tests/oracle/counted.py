"""A round counted: which rows stand for each trust, extract and day, and whom their figures belong to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from strike_reporting.publishing.frame import frame
from strike_reporting.reference.actions import ActionSet, resolve
from strike_reporting.reference.organisations import Trust, UnknownOrganisation, organisations

from oracle.held import Held, held
from oracle.judged import Judged, Typed, judge
from oracle.rounds import DAY, Round, text

EXTRACTS = tuple(DAY)
Area = tuple[str, str]
# What a trust of each type provides, unless the reference data say otherwise of it.
PROVIDES = {
    "acute": {"inpatient", "outpatient"},
    "acute_specialist": {"inpatient", "outpatient"},
    "community": {"community"},
    "mental_health": {"mental_health"},
    "ambulance": set(),
}


@dataclass(frozen=True)
class Fact:
    """One value of one row, with the row it is of."""

    trust: str
    day: date
    extract: str
    measure: str
    value: int
    row: Typed

    @property
    def site(self) -> str | None:
        site: str | None = self.row["site_code"]
        return site


def trust_of(code: str, day: date) -> Trust | None:
    """The trust behind a code on a day, if there was one."""
    try:
        return organisations().trust(code, day)
    except UnknownOrganisation:
        return None


def provided(code: str, day: date) -> set[str]:
    """The care settings that a trust provides on a day: reference data."""
    known = getattr(organisations(), "services", None)
    if known is not None:
        return set(known(code, day)) if trust_of(code, day) else set()
    trust = trust_of(code, day)
    return PROVIDES[trust.trust_type] if trust else set()


class Counted:
    """One published action of a round."""

    def __init__(self, drawn: Round, action_id: str) -> None:
        self.round = drawn
        self.action: ActionSet = resolve(action_id)
        self.days = self.action.days
        self.all_days = (*self.action.days, *self.action.closing_days)
        self._frame = frame(self.action)
        seen: set[tuple[str, str]] = set()
        self.judged: list[Judged] = []
        for index, file in enumerate(drawn.files):
            if (file.feed, text(file)) not in seen:  # else it is the same file again
                seen.add((file.feed, text(file)))
                self.judged += judge(index, file, drawn.meant_for)

    def asked(self, extract: str, day: date) -> set[str]:
        """The trusts of whom a return is expected; for plans, those that are asked for cancellations."""
        return set(self._frame.asked[_asked_with(extract)][day])

    def asked_or_came(self, extract: str, day: date) -> set[str]:
        """Who was asked, of whatever area or figure. Where only their number is known, whose return counts was."""
        named = self.asked(extract, day)
        if self.asked_number(extract, day) is None:
            return named
        return named | {t for (t, e, d), h in self.returns.items() if (e, d) == (extract, day) and h.rows}

    def asked_number(self, extract: str, day: date) -> int | None:
        """How many were asked on a day, where they are not known by name."""
        return self._frame.asked_number[_asked_with(extract)].get(day)

    def number_asked(self, extract: str, days: Iterable[date]) -> tuple[int, int] | None:
        """England's trusts and trust-days asked, when on any of these days only their number is known."""
        days = tuple(days)
        numbers = {d: self.asked_number(extract, d) for d in days}
        if not any(n is not None for n in numbers.values()):
            return None
        named = {d: self.asked(extract, d) for d in days if numbers[d] is None}
        trusts = max(len(set().union(*named.values())), *(n for n in numbers.values() if n is not None))
        return trusts, sum(len(named[d]) if n is None else n for d, n in numbers.items())

    @property
    def is_meant(self) -> bool:
        """Whether what was dropped was dropped for this action (a file whose days nobody can read is about it)."""
        return bool({*self.round.meant_for.split(";")} & {*self.action.action_id.split(";")})

    @cached_property
    def returns(self) -> dict[tuple[str, str, date], Held]:
        """What is held, for every trust that was asked or of which something came."""
        found = {}
        for extract in EXTRACTS:
            sent = [j for j in self.judged if j.file.extract == extract and not j.file.untold]
            mine = [j for j in sent if not j.file.withdrawn or j.is_refused]
            for day in self.all_days:
                came = {j.trust for j in sent if j.says(day) and trust_of(j.trust, day)}
                for trust in came | self.asked(extract, day):
                    found[trust, extract, day] = held(self.of(trust, mine, day), day)
        return found

    def of(self, trust: str, judged: Iterable[Judged], day: date) -> list[Judged]:
        """A trust's files that say something of a day, or that may have and cannot be read."""
        return [j for j in judged if j.trust == trust and (j.says(day) or self._may_say(j, day))]

    def _may_say(self, one: Judged, day: date) -> bool:
        """Whether a file that could not be read may be about a strike day: its action by the days that it names.

        Without any it is about what it was dropped for; a feed's, about the days around which it came: never these.
        """
        named, is_meant = one.named & {*self.all_days}, one.file.feed == "drop" and self.is_meant
        return one.is_early and day in self.days and bool(named if one.named else is_meant)

    def blind(self, trust: str, day: date) -> Judged | None:
        """The last file of a trust that may be about a day, and of which nobody can say what it is an extract of."""
        untold = (j for j in self.judged if j.file.untold and j.trust == trust and self._may_say(j, day))
        return max(untold, key=lambda j: j.index, default=None)

    def held_of(self, trust: str, extract: str, day: date) -> Held:
        """What is held of a trust's day."""
        return self.returns.get((trust, extract, day), Held())

    @cached_property
    def facts(self) -> list[Fact]:
        """Every value that counts."""
        return [f for (t, e, d), h in self.returns.items() for row in h.rows for f in _facts(t, d, e, row)]

    @cached_property
    def sites(self) -> dict[str, set[str]]:
        """Known sites that a counted row names, each with the trusts that named it."""
        found: dict[str, set[str]] = {}
        for fact in self.facts:
            if fact.site and organisations().site(fact.site):
                found.setdefault(fact.site, set()).add(fact.trust)
        return found

    @cached_property
    def areas(self) -> dict[Area, dict[date, set[str]]]:
        """Every area, with the trusts that count in it on each day. A site has the trusts that named it."""
        found: dict[Area, dict[date, set[str]]] = {}
        for trust, _, day in self.returns:
            for area in organisations().areas(trust, day):
                place = found.setdefault((area.area_type, area.area_code), {})
                place.setdefault(day, set()).add(trust)
        for site, trusts in self.sites.items():
            found["site", site] = {d: {t for t in trusts if trust_of(t, d)} for d in self.all_days}
        return found

    def name(self, area: Area, day: date | None = None) -> str:
        """An area's name on a day; by default on the last day that it has."""
        if area[0] == "site":
            site = organisations().site(area[1])
            return site.name if site else ""
        day = day or max(self.areas[area])
        members = sorted(self.areas[area][day])
        return next(a.area_name for a in organisations().areas(members[0], day) if (a.area_type, a.area_code) == area)

    def areas_of(self, fact: Fact) -> Iterator[Area]:
        """The areas in which a fact counts."""
        for area in organisations().areas(fact.trust, fact.day):
            yield area.area_type, area.area_code
        if fact.site in self.sites:
            yield "site", str(fact.site)

    def facts_in(self, area: Area) -> list[Fact]:
        """The facts that count in an area."""
        return self._by_area.get(area, [])

    @cached_property
    def _by_area(self) -> dict[Area, list[Fact]]:
        found: dict[Area, list[Fact]] = {}
        for fact in self.facts:
            for area in self.areas_of(fact):
                found.setdefault(area, []).append(fact)
        return found

    def joint(self, *days: date) -> str | None:
        """Other actions that went ahead on these days, each once."""
        return ";".join(sorted({a for d in days for a in self.action.overlapping(d)})) or None


def _asked_with(extract: str) -> str:
    return "cancellations" if extract == "planned_activity" else extract


def _facts(trust: str, day: date, extract: str, row: Typed) -> Iterator[Fact]:
    def fact(measure: str, value: int) -> Fact:
        return Fact(trust, day, extract, measure, value, row)

    if extract == "cancellations":
        yield fact(row["status"], row["value"])
        told = row.get("patient_notified")
        if row["status"] == "cancelled" and told is not None:
            yield fact("notified", row["value"] if told else 0)
            yield fact("notified_of", row["value"])
    elif extract == "planned_activity":
        yield fact("planned", row["value"])
    else:
        for measure in ("due_to_work", "absent_action", "absent_other", "redeployed_in"):
            if row.get(measure) is not None:
                yield fact(measure, row[measure])
