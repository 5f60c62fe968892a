"""The published tables of an action as they must be: by table and key, the value of every column that is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from oracle import coverage, doubts
from oracle.counted import Area, Counted, Fact
from oracle.coverage import ABSENT, MEASURES
from oracle.shares import Share, cancelled_by_pod, maintained, staff_pairs

Cells = dict[str, Any]
Table = dict[tuple[Any, ...], Cells]
RETURNED = ("received", "nil_return", "late")
COUNTS = ("anticipated", "cancelled", "reinstated", "rebooked", "notified", "notified_of")
STAFF = ("due_to_work", "absent_action", "absent_other", "redeployed_in")


def expected_tables(counted: Counted) -> dict[str, Table]:
    """Every table."""
    flags = doubts.flags(counted)
    return {
        "returns": returns(counted),
        "cancellations_daily": cancellations_daily(counted),
        "staffing_daily": staffing_daily(counted),
        "action_totals": action_totals(counted),
        "specialties": specialties(counted),
        "coverage": coverage.rows(counted, flags),
        "flags": flags,
    }


def returns(counted: Counted) -> Table:
    found = {}
    for (trust, extract, day), held in counted.returns.items():
        status = status_of(counted, trust, extract, day)
        row: Cells = {"return_status": status, "submission_id": None, "submission_ids": None, "rows_accepted": 0}
        row |= {"rows_quarantined": 0, "total": None, "is_from_two_files": False, "is_newer_held": False}
        row |= {"is_newer_refused": False, "refused_submission_id": None}
        if status in RETURNED:
            later = held.newer_refused
            row |= {
                "submission_id": held.newest,
                "submission_ids": tuple(f.index for f in held.files),
                "rows_accepted": len(held.rows),
                "rows_quarantined": sum(f.left_out[day] for f in held.files),
                "total": sum(r["value"] for r in held.rows),
                "is_from_two_files": len(held.files) > 1,
                "is_newer_held": bool(held.questions),
                "is_newer_refused": later is not None,
                "refused_submission_id": later.index if later else None,
            }
        elif status == "rejected":
            blind = [b for b in [counted.blind(trust, day)] if b]
            said = [f for f in held.refused if f.says(day)] or held.refused or blind
            row |= {"submission_id": said[-1].index, "rows_quarantined": said[-1].left_out[day]}
        found[counted.action.action_id, trust, extract, day] = row
    return found


def status_of(counted: Counted, trust: str, extract: str, day: date) -> str:
    held = counted.held_of(trust, extract, day)
    if held.rows:
        if any(f.file.due for f in held.files):
            return "late"
        return "received" if any(r["value"] for r in held.rows) else "nil_return"
    if held.refused:
        return "rejected"
    is_expected = extract != "planned_activity" and day in counted.days and trust in counted.asked(extract, day)
    if not is_expected:
        return "not_expected"
    return "rejected" if counted.blind(trust, day) else "missing"


def _came(counted: Counted, extract: str, area: Area, day: date) -> tuple[set[str], set[str]]:
    """Trusts of an area that were asked on a day, and all that returned."""
    members = counted.areas[area].get(day, set())
    came = {t for t in members if status_of(counted, t, extract, day) in RETURNED}
    return members & counted.asked_or_came(extract, day), came


def _day_cover(counted: Counted, extract: str, area: Area, day: date) -> Cells:
    asked, came = _came(counted, extract, area, day)
    is_strike_day = day in counted.days
    number = counted.number_asked(extract, (day,))
    expected = len(asked) if number is None else number[0] if area[0] == "england" else None
    returned = came & asked if is_strike_day else came
    return {
        "trusts_expected": expected if is_strike_day else None,
        "trusts_returned": len(returned),
        "trusts_unasked": len(came - asked) if is_strike_day else 0,
        "is_partial": is_strike_day and expected is not None and len(returned) < expected,
        "joint_action_ids": counted.joint(day),
        "area_name": counted.name(area, None if area[0] == "site" else day),
    }


def _sums(facts: Iterable[Fact], key: Callable[[Fact], tuple[Any, ...]], measures: Iterable[str]) -> Table:
    """Sums by key and measure: None where nothing was said."""
    found: Table = defaultdict(lambda: dict.fromkeys(measures))
    for fact in facts:
        cells = found[key(fact)]
        if fact.measure in cells:
            cells[fact.measure] = (cells[fact.measure] or 0) + fact.value
    return found


def _paired(share: Share | None, above: str, below: str) -> Cells:
    share = share or Share(())
    return {f"paired_{above}": share.above, f"paired_{below}": share.below, "paired_trusts": share.trusts}


def cancellations_daily(counted: Counted) -> Table:
    found: Table = {}
    for area in counted.areas:
        facts = [f for f in counted.facts_in(area) if f.extract != "staffing"]
        shares = cancelled_by_pod(counted, area)

        def key(f: Fact) -> tuple[Any, ...]:
            return f.day, f.row["care_setting"], f.row["point_of_delivery"], f.row["activity_unit"]

        for k, cells in _sums(facts, key, (*COUNTS, "planned")).items():
            share = shares.get(k)
            cells |= _day_cover(counted, "cancellations", area, k[0]) | _paired(share, "cancelled", "planned")
            cells["percent_cancelled"] = share.percent if share else None
            found[counted.action.action_id, *area, *k] = cells
    return found


def staffing_daily(counted: Counted) -> Table:
    found: Table = {}
    for area in counted.areas:
        facts = [f for f in counted.facts_in(area) if f.extract == "staffing"]
        pairs = staff_pairs(facts)

        def key(f: Fact) -> tuple[Any, ...]:
            return f.day, f.row["staff_group"], f.row.get("grade")

        for k, cells in _sums(facts, key, STAFF).items():
            share = Share(tuple(p for (_, _, *of), p in pairs.items() if tuple(of) == k))
            cells |= _day_cover(counted, "staffing", area, k[0]) | _paired(share, "absent", "due")
            cells["percent_absent"] = share.percent
            found[counted.action.action_id, *area, *k] = cells
    return found


def specialties(counted: Counted) -> Table:
    names = ("activity_unit", "treatment_function_code", "priority", "is_cancer")
    found: Table = {}
    for area in counted.areas:
        said = [
            f
            for f in counted.facts_in(area)
            if f.extract == "cancellations" and any(f.row.get(n) is not None for n in names[1:])
        ]
        sums = _sums(said, lambda f: tuple(f.row.get(n) for n in names), COUNTS[:-1])
        found |= {(counted.action.action_id, *area, *k): cells for k, cells in sums.items()}
    return found


def action_totals(counted: Counted) -> Table:
    found: Table = {}
    for area in counted.areas:
        cells: Cells = {"area_name": counted.name(area), "joint_action_ids": counted.joint(*counted.all_days)}
        for key, measure in MEASURES.items():
            values = [f.value for f in counted.facts_in(area) if measure.has(f)]
            cells[key] = sum(values) if values else None
        cells |= _absent(counted, area) | _total_cover(counted, area)
        share = maintained(counted, area)
        cells |= _paired(share, "cancelled", "planned")
        cells["percent_planned_maintained"] = _rest(share.percent)
        cells["percent_planned_maintained_with_impossible"] = _rest(share.percent_with_impossible)
        cells["is_maintained_unreliable"] = share.is_unreliable if share.pairs else None
        staff = Share(tuple(staff_pairs(f for f in counted.facts_in(area) if f.extract == "staffing").values()))
        cells |= {
            "percent_due_absent": staff.percent,
            "percent_due_absent_with_impossible": staff.percent_with_impossible,
            "is_due_absent_unreliable": staff.is_unreliable if staff.pairs else None,
            "due_absent_trusts": staff.trusts,
            "paired_due": staff.below,
            "paired_absent": staff.above,
        }
        found[counted.action.action_id, *area] = cells
    return found


def _rest(percent: float | None) -> float | None:
    return None if percent is None else 100 - percent


def _absent(counted: Counted, area: Area) -> Cells:
    """Peak and average of strike days: of all trusts where nearly all came every day, else of the same ones."""
    by_trust: dict[str, dict[date, int]] = defaultdict(dict)
    for fact in counted.facts_in(area):
        if ABSENT.has(fact) and fact.day in counted.days:
            by_trust[fact.trust][fact.day] = by_trust[fact.trust].get(fact.day, 0) + fact.value
    cells: Cells = dict.fromkeys(("staff_absent_peak", "staff_absent_peak_day", "staff_absent_average"))
    if not by_trust:  # nothing is said of nothing
        return cells | {"staff_absent_trusts": None, "staff_absent_is_same_trusts": None}
    is_by_name = counted.number_asked("staffing", counted.days) is None
    is_all = is_by_name and coverage.of(counted, area, ABSENT).is_enough
    chosen = {t: v for t, v in by_trust.items() if is_all or len(v) == len(counted.days)}
    cells |= {"staff_absent_trusts": len(chosen), "staff_absent_is_same_trusts": not is_all}
    if chosen:
        days = {d: sum(v.get(d, 0) for v in chosen.values()) for d in counted.days}
        peak = max(days.values())
        cells |= {"staff_absent_peak": peak, "staff_absent_average": sum(days.values()) / len(days)}
        cells["staff_absent_peak_day"] = min(d for d, n in days.items() if n == peak)
    return cells


def _total_cover(counted: Counted, area: Area) -> Cells:
    cells: Cells = {}
    for extract, prefix in (("cancellations", ""), ("staffing", "staffing_")):
        by_day = {d: _came(counted, extract, area, d) for d in counted.days}
        asked = {(t, d) for d, (a, _) in by_day.items() for t in a}
        came = {(t, d) for d, (a, c) in by_day.items() for t in a & c}
        trusts: int | None = len({t for t, _ in asked})
        percent = 100 * len(came) / len(asked) if asked else None
        if number := counted.number_asked(extract, counted.days):
            is_england = area[0] == "england"
            trusts, percent = (number[0], 100 * len(came) / number[1]) if is_england else (None, None)
        cells |= {
            f"{prefix}trusts_expected": trusts,
            f"{prefix}trusts_returned": len({t for t, _ in came}),
            f"{prefix}coverage": percent,
            f"{prefix}trusts_unasked": len({t for a, c in by_day.values() for t in c - a} - {t for t, _ in asked}),
        }
    weighed = coverage.of_planned(counted, area, MEASURES["acute_cancelled"])
    return cells | {"planned_coverage": weighed}
