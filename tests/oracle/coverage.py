"""Coverage: how much of what there is to know of a measure is in its figure.

Of some actions only the number of the trusts that were asked is known. Then nobody is missing by name, who sent was
asked, and England's number is that; no other area has one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from oracle.counted import Area, Counted, Fact, provided
from oracle.judged import Typed

ENOUGH = 95  # percent of the expected trusts on every strike day, for days to be compared as they are


@dataclass(frozen=True)
class Measure:
    """One figure of an area: whose extract, which facts, and the care of which a trust is expected to send it.

    parts: the breakdowns that it leaves open.
    """

    key: str
    extract: str
    measure: str
    fits: Callable[[Typed], bool] = lambda row: True
    settings: frozenset[str] | None = None
    is_of_appointments: bool = False
    parts: tuple[str, ...] = ("care_setting", "point_of_delivery")

    def has(self, fact: Fact) -> bool:
        return fact.measure == self.measure and self.fits(fact.row)


def _appointments(key: str, measure: str, *settings: str) -> Measure:
    def fits(row: Typed) -> bool:
        return row["activity_unit"] == "appointment" and row["care_setting"] in settings

    parts = ("care_setting", "point_of_delivery") if len(settings) > 1 else ("point_of_delivery",)
    return Measure(key, "cancellations", measure, fits, frozenset(settings), is_of_appointments=True, parts=parts)


def _unit(key: str, extract: str, measure: str, unit: str, setting: str) -> Measure:
    return Measure(key, extract, measure, lambda row: row["activity_unit"] == unit, frozenset({setting}))


SETTINGS = ("inpatient", "outpatient", "community", "mental_health")
ABSENT = Measure("staff_days_lost", "staffing", "absent_action", parts=("staff_group", "grade"))
PEAKS = tuple(replace(ABSENT, key=f"staff_absent_{kind}") for kind in ("peak", "average"))
MEASURES = {
    m.key: m
    for m in (
        *(_appointments(f"{s}_cancelled", "cancelled", s) for s in SETTINGS),
        *(_appointments(f"{s}_anticipated", "anticipated", s) for s in SETTINGS),
        *(_appointments(f"{s}_reinstated", "reinstated", s) for s in ("inpatient", "outpatient")),
        _appointments("acute_cancelled", "cancelled", "inpatient", "outpatient"),
        _unit("clinic_sessions_cancelled", "cancellations", "cancelled", "clinic_session", "outpatient"),
        _unit("clinic_sessions_planned", "planned_activity", "planned", "clinic_session", "outpatient"),
        _unit("theatre_lists_cancelled", "cancellations", "cancelled", "theatre_list", "inpatient"),
        ABSENT,
    )
}


@dataclass(frozen=True)
class Days:
    """Trusts by strike day: expected, of these covered, and those that nobody asked."""

    expected: dict[date, set[str]]
    covered: dict[date, set[str]]
    unasked: dict[date, set[str]]
    provided: dict[date, set[str]]  # and who sent it all the same, asked or not

    @property
    def is_enough(self) -> bool:
        """Whether every strike day has nearly everybody."""
        return all(e and len(self.covered[d]) * 100 >= ENOUGH * len(e) for d, e in self.expected.items())


def of(counted: Counted, area: Area, measure: Measure) -> Days:
    """Coverage of a measure in an area, by strike day."""
    sent: dict[tuple[str, date], set[str]] = defaultdict(set)
    for fact in counted.facts_in(area):
        if measure.has(fact):
            sent[fact.trust, fact.day].add(fact.row.get("care_setting") or "")
    expected, covered, unasked, provides = {}, {}, {}, {}
    for day in counted.days:
        asked = counted.asked_or_came(measure.extract, day)
        members = counted.areas[area].get(day, set())
        came = {t for t in members if (t, day) in sent}
        # A site may have what its trust sent without naming sites, so its trust's word counts.
        provides[day] = {t for t in members if _provides(t, day, measure, asked) or _sent(counted, t, day, measure)}
        expected[day] = provides[day] & asked
        covered[day] = {t for t in expected[day] & came if _has_all(t, day, measure, sent[t, day])}
        unasked[day] = came - asked
    return Days(expected, covered, unasked, provides)


def _sent(counted: Counted, trust: str, day: date, measure: Measure) -> bool:
    return any(f.day == day and measure.has(f) for f in counted.facts_in(("trust", trust)))


def _provides(trust: str, day: date, measure: Measure, asked: set[str]) -> bool:
    return trust in asked if measure.settings is None else bool(provided(trust, day) & measure.settings)


def _has_all(trust: str, day: date, measure: Measure, sent: set[str]) -> bool:
    """A measure over two care settings has a trust's value when it has that of each that the trust provides."""
    return measure.settings is None or provided(trust, day) & measure.settings <= sent


Rows = dict[tuple[Any, ...], dict[str, Any]]


def rows(counted: Counted, flagged: Iterable[tuple[Any, ...]]) -> Rows:
    """The table `coverage`. flagged: the keys of the flags."""
    found: Rows = {}
    doubts = {(trust, extract, day, measure) for _, trust, extract, day, measure, *_ in flagged}
    for area in counted.areas:
        for measure in (*MEASURES.values(), *PEAKS):
            days = of(counted, area, measure)
            plans = _plans(counted, measure)
            key = (counted.action.action_id, *area, measure.key)
            for day in () if area[0] in ("trust", "site") else counted.days:  # their days are in `returns`
                found[*key, day] = _row(days, plans, (day,)) | {"flagged_value": None}
                _by_number(found[*key, day], counted, area, measure.extract, (day,))
            row = found[*key, None] = _row(days, plans, counted.days)
            row["flagged_value"] = sum(
                f.value
                for f in counted.facts_in(area)
                if measure.has(f)
                and doubts
                & {
                    (f.trust, measure.extract, f.day, None),
                    (f.trust, measure.extract, f.day, measure.key),
                    (f.trust, measure.extract, None, measure.key),
                }
            )
            _by_number(row, counted, area, measure.extract, counted.days)
    return found


def of_planned(counted: Counted, area: Area, measure: Measure) -> float | None:
    """Of what the expected trusts had planned, the percentage of the covered ones, over the whole action."""
    percent: float | None = _row(of(counted, area, measure), _plans(counted, measure), counted.days)[
        "percent_of_planned"
    ]
    return percent


def _by_number(row: dict[str, Any], counted: Counted, area: Area, extract: str, days: Iterable[date]) -> None:
    """Put the known number in place of who is known by name."""
    asked = counted.number_asked(extract, days)
    if asked is not None:
        is_england = area[0] == "england"
        row["is_applicable"] = True
        row["trusts_expected"], row["returns_expected"] = asked if is_england else (None, None)
        row["percent_covered"] = 100 * row["returns_covered"] / asked[1] if is_england else None


def _row(days: Days, plans: dict[tuple[str, date], int] | None, which: tuple[date, ...]) -> dict[str, Any]:
    expected = {(t, d) for d in which for t in days.expected[d]}
    covered = {(t, d) for d in which for t in days.covered[d]}
    unasked = {t for d in which for t in days.unasked[d]}
    trusts = {t for t, _ in expected}
    row: dict[str, Any] = {
        "trusts_expected": len(trusts),
        "trusts_covered": len({t for t, _ in covered}),
        "trusts_unasked": len(unasked - trusts),
        "returns_expected": len(expected),
        "returns_covered": len(covered),
        "percent_covered": 100 * len(covered) / len(expected) if expected else None,
        "is_applicable": any(days.provided[d] or days.unasked[d] for d in which),
        "percent_of_planned": None,
        "plan_trusts": 0,
    }
    if plans is not None:
        known = {t for t in trusts if all((t, d) in plans for u, d in expected if u == t)}
        below = sum(plans[k] for k in expected if k[0] in known)
        above = sum(plans[k] for k in covered if k[0] in known)
        row["plan_trusts"] = len(known)
        row["percent_of_planned"] = 100 * above / below if below else None
    return row


def _plans(counted: Counted, measure: Measure) -> dict[tuple[str, date], int] | None:
    """Planned appointments of a measure's care, by trust and day; None where there are none to set beside it."""
    if measure.settings is None or not measure.is_of_appointments:
        return None
    found: dict[tuple[str, date], int] = {}
    for fact in counted.facts:
        row = fact.row
        is_plan = fact.measure == "planned" and row["activity_unit"] == "appointment"
        if is_plan and row["care_setting"] in measure.settings:
            found[fact.trust, fact.day] = found.get((fact.trust, fact.day), 0) + fact.value
    return found
