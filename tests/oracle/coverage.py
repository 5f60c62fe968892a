"""Coverage: how much of what there is to know of a measure is in its figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from oracle.counted import Area, Counted, Fact, provided
from oracle.judged import Typed

ENOUGH = 95  # percent of the expected trusts on every strike day, for days to be compared as they are


@dataclass(frozen=True)
class Measure:
    """One figure of an area: whose extract, which facts, and the care of which a trust is expected to send it."""

    key: str
    extract: str
    measure: str
    fits: Callable[[Typed], bool] = lambda row: True
    settings: frozenset[str] | None = None
    is_of_appointments: bool = False

    def has(self, fact: Fact) -> bool:
        return fact.measure == self.measure and self.fits(fact.row)


def _appointments(key: str, measure: str, *settings: str) -> Measure:
    def fits(row: Typed) -> bool:
        return row["activity_unit"] == "appointment" and row["care_setting"] in settings

    return Measure(key, "cancellations", measure, fits, frozenset(settings), is_of_appointments=True)


def _unit(key: str, extract: str, measure: str, unit: str, setting: str) -> Measure:
    return Measure(key, extract, measure, lambda row: row["activity_unit"] == unit, frozenset({setting}))


SETTINGS = ("inpatient", "outpatient", "community", "mental_health")
ABSENT = Measure("staff_days_lost", "staffing", "absent_action")
MEASURES = {
    m.key: m
    for m in (
        *(_appointments(f"{s}_cancelled", "cancelled", s) for s in SETTINGS),
        *(_appointments(f"{s}_anticipated", "anticipated", s) for s in SETTINGS),
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
    sent: dict[tuple[str, date], set[str]] = {}
    for fact in counted.facts_in(area):
        if measure.has(fact):
            sent.setdefault((fact.trust, fact.day), set()).add(fact.row.get("care_setting") or "")
    expected, covered, unasked, provides = {}, {}, {}, {}
    for day in counted.days:
        asked = counted.asked(measure.extract, day)
        members = counted.areas[area].get(day, set())
        came = {t for t in members if (t, day) in sent}
        provides[day] = came | {t for t in members if _provides(t, day, measure)}
        expected[day] = provides[day] & asked
        covered[day] = {t for t in expected[day] & came if _has_all(t, day, measure, sent[t, day])}
        unasked[day] = came - asked
    return Days(expected, covered, unasked, provides)


def _provides(trust: str, day: date, measure: Measure) -> bool:
    return measure.settings is None or bool(provided(trust, day) & measure.settings)


def _has_all(trust: str, day: date, measure: Measure, sent: set[str]) -> bool:
    """A measure over two care settings has a trust's value when it has that of each that the trust provides."""
    return measure.settings is None or provided(trust, day) & measure.settings <= sent


def rows(counted: Counted) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The table `coverage`, without what hangs on flags."""
    found = {}
    for area in counted.areas:
        for measure in MEASURES.values():
            days = of(counted, area, measure)
            plans = _plans(counted, area, measure)
            key = (counted.action.action_id, *area, measure.key)
            for day in () if area[0] in ("trust", "site") else counted.days:  # their days are in `returns`
                found[*key, day] = _row(days, plans, (day,))
            found[*key, None] = _row(days, plans, counted.days)
    return found


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


def _plans(counted: Counted, area: Area, measure: Measure) -> dict[tuple[str, date], int] | None:
    """Planned appointments of a measure's care, by trust and day; None where there are none to set beside it."""
    if measure.settings is None or not measure.is_of_appointments:
        return None
    found: dict[tuple[str, date], int] = {}
    for fact in counted.facts_in(area):
        row = fact.row
        if (
            fact.measure == "planned"
            and row["activity_unit"] == "appointment"
            and row["care_setting"] in measure.settings
        ):
            found[fact.trust, fact.day] = found.get((fact.trust, fact.day), 0) + fact.value
    return found
