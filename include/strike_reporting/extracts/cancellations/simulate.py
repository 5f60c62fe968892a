"""What one trust could have cancelled on each strike day. Shapes are plausible, not measured."""

from __future__ import annotations

import random
from typing import Any

from strike_reporting.extracts.simulating import Row, Rows, Sender, Simulator, vary


def _rows(_: Sender, stream: random.Random, plan: Rows) -> Rows:
    """Out of what was planned, the first day hit hardest, with the rebooked part as rows of its own."""
    rows: Rows = []
    days = sorted({r["activity_date"] for r in plan})
    for planned in plan:
        share = stream.uniform(0.04, 0.2) * (1.2 if planned["activity_date"] == days[0] else 1.0)
        count = min(planned["planned_count"], vary(stream, planned["planned_count"] * share))
        row = {k: v for k, v in planned.items() if k != "planned_count"}
        row["priority"] = stream.choices(["P2", "P3", "P4", None], [1, 3, 5, 2])[0]
        row["is_cancer"] = stream.random() < 0.04
        row["patient_notified"] = stream.random() < 0.9
        rows.append({**row, "status": "cancelled", "cancelled_count": count})
        if count and stream.random() < 0.3:
            rows.append({**row, "status": "rebooked", "cancelled_count": stream.randint(0, count)})
    return rows


def _brief(rows: Rows) -> Rows:
    """One number a day for inpatients and one for outpatients."""
    sums: dict[tuple[Any, ...], int] = {}
    for row in rows:
        if row["status"] == "cancelled":
            pod = "elective_unsplit" if "inpatient" in _groups(row) else "outpatient_unsplit"
            key = (row["ods_code"], row["activity_date"], pod)
            sums[key] = sums.get(key, 0) + row["cancelled_count"]
    names = ("ods_code", "activity_date", "point_of_delivery")
    return [{**dict(zip(names, k, strict=True)), "status": "cancelled", "cancelled_count": n} for k, n in sums.items()]


def _groups(row: Row) -> tuple[str, ...]:
    pod = row["point_of_delivery"]
    if row["status"] != "cancelled":
        return ()
    if pod in ("elective_inpatient", "day_case"):
        return "inpatient", "total"
    return ("outpatient", "total") if pod.startswith("outpatient") else ()


_CANCELLED = {"status": "cancelled", "activity_unit": "appointment"}
_ANTICIPATED = {"status": "anticipated", "activity_unit": "appointment"}
_CLINICS = {"status": "cancelled", "activity_unit": "clinic_session"}
SIMULATOR = Simulator(
    rows=_rows,
    out_of="planned_activity",
    brief=_brief,
    scaled_to=(
        {"inpatient": "inpatient_rescheduled", "outpatient": "outpatient_rescheduled"},
        {"total": "total_rescheduled"},
    ),
    groups=_groups,
    figures={
        "inpatient_rescheduled": {**_CANCELLED, "point_of_delivery": "elective_unsplit"},
        "outpatient_rescheduled": {**_CANCELLED, "point_of_delivery": "outpatient_unsplit"},
        "operations_postponed": {**_CANCELLED, "point_of_delivery": "elective_unsplit"},
        "clinics_postponed": {**_CLINICS, "point_of_delivery": "outpatient_unsplit"},
        "expected_operations_postponed": {**_ANTICIPATED, "point_of_delivery": "elective_unsplit"},
        "expected_inpatient_postponed": {**_ANTICIPATED, "point_of_delivery": "elective_inpatient"},
        "expected_daycase_postponed": {**_ANTICIPATED, "point_of_delivery": "day_case"},
        "expected_outpatient_postponed": {**_ANTICIPATED, "point_of_delivery": "outpatient_unsplit"},
    },
)
