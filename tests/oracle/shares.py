"""Shares: the same trusts, days and parts above and below the line, and nothing impossible in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from oracle.counted import Area, Counted, Fact
from oracle.rounds import PODS

UNRELIABLE = 2  # percent of what was planned (or due) that lies in impossible pairs


@dataclass
class Pair:
    """What one trust says above and below the line. By point of delivery, or under one key for staff."""

    trust: str
    day: date
    below: dict[str, int] = field(default_factory=dict)
    above: dict[str, int] = field(default_factory=dict)

    @property
    def is_impossible(self) -> bool:
        return sum(self.above.values()) > sum(self.below.values())


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
        return sum(sum(p.above.values()) for p in self.possible) if self.possible else None

    @property
    def below(self) -> int | None:
        return sum(sum(p.below.values()) for p in self.possible) if self.possible else None

    @property
    def percent(self) -> float | None:
        return 100 * (self.above or 0) / self.below if self.below else None

    @property
    def percent_with_impossible(self) -> float | None:
        below = sum(sum(p.below.values()) for p in self.pairs)
        return 100 * sum(sum(p.above.values()) for p in self.pairs) / below if below else None

    @property
    def is_unreliable(self) -> bool:
        below = sum(sum(p.below.values()) for p in self.pairs)
        wrong = sum(sum(p.below.values()) for p in self.pairs if p.is_impossible)
        return wrong * 100 > UNRELIABLE * below


def maintained_pairs(counted: Counted, area: Area) -> dict[tuple[str, date, str, str], Pair]:
    """Plan and outturn of the same trust, day, care setting and unit in an area, by these four."""
    found: dict[tuple[str, date, str, str], Pair] = {}
    for fact in counted.facts_in(area):
        if fact.measure not in ("planned", "cancelled"):
            continue
        key = (fact.trust, fact.day, fact.row["care_setting"], fact.row["activity_unit"])
        pair = found.setdefault(key, Pair(fact.trust, fact.day))
        side = pair.below if fact.measure == "planned" else pair.above
        pod = fact.row["point_of_delivery"]
        side[pod] = side.get(pod, 0) + fact.value
    return {k: p for k, p in found.items() if _is_comparable(p, k[2]) and _is_whole(counted, k[0], k[1])}


def _is_whole(counted: Counted, trust: str, day: date) -> bool:
    """No row of the day was left out, of what was sent in either extract."""
    files = [f for e in ("cancellations", "planned_activity") for f in counted.held_of(trust, e, day).files]
    return not any(f.left_out[day] for f in files)


def _is_comparable(pair: Pair, setting: str) -> bool:
    plan, outturn = set(pair.below), set(pair.above)
    if not plan or not outturn:
        return False
    unsplit = {p for p in PODS[setting] if p.endswith("_unsplit")}
    parts = set(PODS[setting]) - unsplit
    return outturn <= plan or plan == unsplit or (outturn == unsplit and parts <= plan)


def maintained(counted: Counted, area: Area) -> Share:
    """Of acute appointments, over the whole action."""
    acute = ("inpatient", "outpatient")
    pairs = maintained_pairs(counted, area).items()
    return Share(tuple(p for (_, _, setting, unit), p in pairs if setting in acute and unit == "appointment"))


def cancelled_by_pod(counted: Counted, area: Area) -> dict[tuple[date, str, str, str], Share]:
    """Of each day, care setting, point of delivery and unit: over pairs whose outturn is split as the plan is."""
    found: dict[tuple[date, str, str, str], list[Pair]] = defaultdict(list)
    for (trust, day, setting, unit), pair in maintained_pairs(counted, area).items():
        if pair.is_impossible or not set(pair.above) <= set(pair.below):
            continue
        for pod, planned in pair.below.items():
            one = Pair(trust, day, {pod: planned}, {pod: pair.above.get(pod, 0)})
            found[day, setting, pod, unit].append(one)
    return {k: Share(tuple(p)) for k, p in found.items()}


def staff_pairs(facts: Iterable[Fact]) -> dict[tuple[str, str | None, date, str, str | None], Pair]:
    """Absent and due of the same trust, site, day, staff group and grade, of the rows that say both."""
    found: dict[tuple[str, str | None, date, str, str | None], Pair] = {}
    for fact in facts:
        if fact.measure == "absent_action":
            due = fact.row.get("due_to_work")
            if due is not None:
                key = (fact.trust, fact.site, fact.day, fact.row["staff_group"], fact.row.get("grade"))
                pair = found.setdefault(key, Pair(fact.trust, fact.day, {"": 0}, {"": 0}))
                pair.above[""] += fact.value
                pair.below[""] += due
    return found
