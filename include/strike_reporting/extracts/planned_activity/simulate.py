"""What one trust could have planned for each strike day. Shapes are plausible, not measured."""

from __future__ import annotations

import random

from strike_reporting.extracts.simulating import Rows, Sender, Simulator, vary

_SPECIALTIES = (
    "110", "130", "100", "101", "120", "502", "330", "320", "340", "301", "410", "400", "420", "300", "160", "140",
    "103", "104", "107", "150", "170", "191", "303", "361", "370", "430", "501", "650", "800", "812",
)  # fmt: skip
# Of a day's planned activity in one specialty: how many, by point of delivery.
_PLANNED = {"elective_inpatient": 4, "day_case": 14, "outpatient_first": 26, "outpatient_follow_up": 48}


def _rows(sender: Sender, stream: random.Random, _: Rows) -> Rows:
    """By day, point of delivery and treatment function; weekends hold a tenth."""
    size = sender.size(stream)
    specialties = stream.sample(_SPECIALTIES, min(sender.detail, len(_SPECIALTIES)))
    means = {sender.kind: 60} if sender.kind in ("community", "mental_health") else _PLANNED
    rows: Rows = []
    for day in sender.days:
        weekday = 0.1 if day.weekday() >= 5 else 1.0
        for specialty in specialties:
            base = {"ods_code": sender.code, "site_code": stream.choice(sender.sites), "activity_date": day}
            for pod, mean in means.items():
                count = vary(stream, mean * size * weekday)
                row = {"point_of_delivery": pod, "treatment_function_code": specialty, "planned_count": count}
                rows.append(base | row)
    return rows


_BOOKED = {"activity_unit": "appointment"}
SIMULATOR = Simulator(
    rows=_rows,
    stream="activity",
    figures={
        "clinics_planned": {"activity_unit": "clinic_session", "point_of_delivery": "outpatient_unsplit"},
        "planned_operations": {**_BOOKED, "point_of_delivery": "elective_unsplit"},
        "planned_outpatient": {**_BOOKED, "point_of_delivery": "outpatient_unsplit"},
    },
)
