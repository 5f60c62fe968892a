"""What one trust could have had on each strike day. Shapes are plausible, not measured."""

from __future__ import annotations

import random
from typing import Any

from strike_reporting.extracts import load
from strike_reporting.reference.actions import ActionSet

Rows = list[dict[str, Any]]
SPECIALTIES = (
    "110", "130", "100", "101", "120", "502", "330", "320", "340", "301", "410", "400", "420", "300", "160", "140",
    "103", "104", "107", "150", "170", "191", "303", "361", "370", "430", "501", "650", "800", "812",
)  # fmt: skip
_SIZE = {"acute": 1.0, "acute_specialist": 0.25, "community": 0.5, "mental_health": 0.6, "ambulance": 0.4}
# Of a day's planned activity in one specialty: how many, by point of delivery.
_PLANNED = {"elective_inpatient": 4, "day_case": 14, "outpatient_first": 26, "outpatient_follow_up": 48}
_GRADES = {
    "medical_and_dental": ("fy1", "fy2", "core_training", "specialty_registrar"),
    "nursing_and_midwifery_registered": ("band_5", "band_6", "band_7", "band_8_and_above"),
    "allied_health_professionals": ("band_5", "band_6", "band_7"),
}
_GROUPS = {
    "nurses": "nursing_and_midwifery_registered",
    "nurses_and_other_staff": "nursing_and_midwifery_registered",
    "ambulance": "allied_health_professionals",
    "physiotherapists": "allied_health_professionals",
    "radiographers": "allied_health_professionals",
}


def _vary(stream: random.Random, mean: float) -> int:
    return max(0, round(stream.gauss(mean, mean**0.5)))


def planned_rows(action: ActionSet, code: str, kind: str, sites: list[Any], stream: random.Random, detail: int) -> Rows:
    """Planned activity by day, point of delivery and treatment function; weekends hold a tenth."""
    size = _SIZE[kind] * stream.uniform(0.6, 1.5)
    specialties = stream.sample(SPECIALTIES, min(detail, len(SPECIALTIES)))
    rows: Rows = []
    for day in action.days:
        weekday = 0.1 if day.weekday() >= 5 else 1.0
        for specialty in specialties:
            base = {"ods_code": code, "site_code": stream.choice(sites), "activity_date": day}
            if kind in ("community", "mental_health"):
                count = _vary(stream, 60 * size * weekday)
                rows.append(
                    {**base, "point_of_delivery": kind, "treatment_function_code": specialty, "planned_count": count}
                )
                continue
            for pod, mean in _PLANNED.items():
                count = _vary(stream, mean * size * weekday)
                rows.append(
                    {**base, "point_of_delivery": pod, "treatment_function_code": specialty, "planned_count": count}
                )
    return rows


def cancellation_rows(plan: Rows, stream: random.Random) -> Rows:
    """Cancellations out of a plan, the first day hit hardest, with the rebooked part as rows of its own."""
    rows: Rows = []
    days = sorted({r["activity_date"] for r in plan})
    for planned in plan:
        share = stream.uniform(0.04, 0.2) * (1.2 if planned["activity_date"] == days[0] else 1.0)
        count = min(planned["planned_count"], _vary(stream, planned["planned_count"] * share))
        row = {k: v for k, v in planned.items() if k != "planned_count"}
        row["priority"] = stream.choices(["P2", "P3", "P4", None], [1, 3, 5, 2])[0]
        row["is_cancer"] = stream.random() < 0.04
        row["patient_notified"] = stream.random() < 0.9
        rows.append({**row, "status": "cancelled", "cancelled_count": count})
        if count and stream.random() < 0.3:
            rows.append({**row, "status": "rebooked", "cancelled_count": stream.randint(0, count)})
    return rows


def staffing_rows(
    action: ActionSet, code: str, kind: str, sites: list[Any], stream: random.Random, detail: int
) -> Rows:
    """Staff due, absent and redeployed by day, shift, grade and site (a ward-level roster has many rows)."""
    size = _SIZE[kind] * stream.uniform(0.6, 1.5)
    known = {v.code for v in load("staffing").field("staff_group").values}
    groups = sorted({_GROUPS.get(g, "medical_and_dental") for g in action.staff_groups} & known)
    joining = stream.uniform(0.6, 0.8)
    rows: Rows = []
    for day in action.days:
        for group in groups:
            for grade in _GRADES[group]:
                for shift, share in (("day", 1.0), ("night", 0.3)):
                    for _ in range(max(1, detail // 4)):
                        due = _vary(stream, 14 * size * share)
                        absent = min(due, _vary(stream, due * joining))
                        rows.append(
                            {
                                "ods_code": code,
                                "site_code": stream.choice(sites),
                                "shift_date": day,
                                "shift": shift,
                                "staff_group": group,
                                "grade": grade,
                                "due_to_work": due,
                                "absent_action": absent,
                                "absent_other": _vary(stream, (due - absent) * 0.04),
                                "redeployed_in": _vary(stream, absent * 0.2),
                            }
                        )
    return rows
