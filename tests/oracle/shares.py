"""Shares: the same trusts, days and parts above and below the line, and nothing impossible in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from oracle.counted import Area, Counted, Fact
from oracle.rounds import PODS

UNRELIABLE = 2  # percent of the whole that lies in impossible pairs, by the larger side of each pair


@dataclass
class Pair:
    """What one trust says above and below the line. By point of delivery, or under one key for staff.

    site: where both sides are of one. is_doubted: impossible though its own numbers are not.
    """

    trust: str
    day: date
    site: str | None = None
    below: dict[str, int] = field(default_factory=dict)
    above: dict[str, int] = field(default_factory=dict)
    is_doubted: bool = False

    @property
    def part(self) -> int:
        return sum(self.above.values())

    @property
    def whole(self) -> int:
        return sum(self.below.values())

    @property
    def is_above(self) -> bool:
        return self.part > self.whole

    @property
    def is_impossible(self) -> bool:
        return self.is_above or self.is_doubted


@dataclass(frozen=True)
class Share:
    """A share of some pairs: without the impossible ones, and with them."""

    pairs: tuple[Pair, ...]

    @property
    def possible(self) -> list[Pair]:
        return [p for p in self.pairs if not p.is_impossible]

    @property
    def trusts(self) -> int:
        return len({p.trust for p in self.possible})

    @property
    def above(self) -> int | None:
        return sum(p.part for p in self.possible) if self.possible else None

    @property
    def below(self) -> int | None:
        return sum(p.whole for p in self.possible) if self.possible else None

    @property
    def percent(self) -> float | None:
        return 100 * (self.above or 0) / self.below if self.below else None

    @property
    def percent_with_impossible(self) -> float | None:
        below = sum(p.whole for p in self.pairs)
        return 100 * sum(p.part for p in self.pairs) / below if below else None

    @property
    def is_unreliable(self) -> bool:
        larger = [(max(p.part, p.whole), p.is_impossible) for p in self.pairs]
        return sum(n for n, is_out in larger if is_out) * 100 > UNRELIABLE * sum(n for n, _ in larger)


Settings = list[tuple[str, str, Pair]]  # care setting, unit, and its pair


def setting_pairs(counted: Counted, area: Area) -> Settings:
    """Plan and outturn of the same trust, day, care setting and unit: site by site where both are by site throughout.

    An area of trusts has all of them, a site only its own.
    """
    found: dict[tuple[str, date, str, str], list[Fact]] = defaultdict(list)
    trusts = {t for members in counted.areas[area].values() for t in members}
    for trust in trusts:
        for fact in counted.facts_in(("trust", trust)):
            is_in = area[0] == "site" or trust in counted.areas[area].get(fact.day, ())
            if fact.measure in ("planned", "cancelled") and is_in:
                key = trust, fact.day, fact.row["care_setting"], fact.row["activity_unit"]
                found[key].append(fact)
    pairs: Settings = []
    for (trust, day, setting, unit), facts in found.items():
        if not _is_whole(counted, trust, day):
            continue
        places = {f.site for f in facts}
        for site in places if None not in places else {None}:
            pair = Pair(trust, day, site)
            for fact in facts:
                if site in (None, fact.site):
                    side, pod = pair.below if fact.measure == "planned" else pair.above, fact.row["point_of_delivery"]
                    side[pod] = side.get(pod, 0) + fact.value
            if (area[0] != "site" or site == area[1]) and _is_comparable(pair, setting):
                pairs.append((setting, unit, pair))
    return pairs


def _is_whole(counted: Counted, trust: str, day: date) -> bool:
    """No row of the day was left out, of what was sent in either extract."""
    files = [f for e in ("cancellations", "planned_activity") for f in counted.held_of(trust, e, day).files]
    return not any(f.left_out[day] for f in files)


def _is_comparable(pair: Pair, setting: str) -> bool:
    plan, outturn = set(pair.below), set(pair.above)
    if not plan or not outturn or not pair.part + pair.whole:
        return False
    unsplit = {p for p in PODS[setting] if p.endswith("_unsplit")}
    parts = set(PODS[setting]) - unsplit
    return pair.part == 0 or outturn <= plan or plan == unsplit or (outturn == unsplit and parts <= plan)


def maintained(counted: Counted, area: Area) -> Share:
    """Of acute appointments, over the whole action."""
    pairs = setting_pairs(counted, area)
    return Share(tuple(p for s, unit, p in pairs if s in ("inpatient", "outpatient") and unit == "appointment"))


def cancelled_by_pod(counted: Counted, area: Area) -> dict[tuple[date, str, str, str], Share]:
    """Of each day, care setting, point of delivery and unit: over pairs whose outturn is split as the plan is."""
    found: dict[tuple[date, str, str, str], list[Pair]] = defaultdict(list)
    for setting, unit, pair in setting_pairs(counted, area):
        if set(pair.above) <= set(pair.below):
            for pod, planned in pair.below.items():
                cancelled = pair.above.get(pod, 0)
                if planned + cancelled:
                    one = Pair(pair.trust, pair.day, pair.site, {pod: planned}, {pod: cancelled}, pair.is_above)
                    found[pair.day, setting, pod, unit].append(one)
    return {k: Share(tuple(p)) for k, p in found.items()}


def staff_pairs(facts: Iterable[Fact]) -> dict[tuple[str, str | None, date, str, str | None], Pair]:
    """Absent and due of the same trust, site, day, staff group and grade, of the rows that say both."""
    found: dict[tuple[str, str | None, date, str, str | None], Pair] = {}
    for fact in facts:
        due = fact.row.get("due_to_work")
        if fact.measure == "absent_action" and due is not None:
            key = (fact.trust, fact.site, fact.day, fact.row["staff_group"], fact.row.get("grade"))
            pair = found.setdefault(key, Pair(fact.trust, fact.day, fact.site, {"": 0}, {"": 0}))
            pair.above[""] += fact.value
            pair.below[""] += due
    return {k: p for k, p in found.items() if p.part + p.whole}
