"""Official published figures beside the release's own, with the difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from strike_reporting.actions import ActionSet
from strike_reporting.reference import PublishedFigure, published_figures

_TOTALS = {
    "inpatient_rescheduled": "inpatient_cancelled",
    "outpatient_rescheduled": "outpatient_cancelled",
    "community_rescheduled": "community_cancelled",
    "mental_health_rescheduled": "mental_health_cancelled",
    "total_rescheduled": "acute_cancelled",
    "staff_absent_peak": "staff_absent_peak",
    "staff_absent_average": "staff_absent_average",
    "operations_postponed": "inpatient_cancelled",
    "clinics_postponed": "clinic_sessions_cancelled",
    "clinics_planned": "clinic_sessions_planned",
    "expected_operations_postponed": "inpatient_anticipated",
    "expected_elective_postponed": "inpatient_anticipated",
    "expected_outpatient_postponed": "outpatient_anticipated",
}


@dataclass(frozen=True)
class Compared:
    """One published figure and ours for the same area, day and measure (None: nothing comparable here)."""

    figure: PublishedFigure
    place: str
    ours: float | None

    @property
    def difference(self) -> float | None:
        """Ours less the published one."""
        return None if self.ours is None or self.figure.value is None else self.ours - self.figure.value


def compare(action: ActionSet, tables: dict[str, pa.Table]) -> list[Compared]:
    """Every published figure of an action, in the order of the reference file."""
    totals = {(r["area_type"], r["area_code"]): r for r in tables["action_totals"].to_pylist()}
    cancelled = tables["cancellations_daily"].to_pylist()
    staff = tables["staffing_daily"].to_pylist()
    found = []
    for figure in published_figures():
        if figure.action_id != action.action_id or figure.value is None:
            continue
        key = (figure.geography_type, figure.geography_code)
        row = totals.get(key)
        place = row["area_name"] if row else figure.geography_code
        found.append(Compared(figure, place, _ours(figure, row, action, cancelled, staff)))
    return found


def _ours(
    figure: PublishedFigure,
    totals: dict[str, Any] | None,
    action: ActionSet,
    cancelled: list[dict[str, Any]],
    staff: list[dict[str, Any]],
) -> float | None:
    if totals is None:
        return None
    if figure.day is None or (len(action.days) == 1 and figure.measure in _TOTALS):
        value = totals.get(_TOTALS.get(figure.measure, ""))
        return None if value is None else float(value)
    here = (figure.geography_type, figure.geography_code, figure.day)
    if figure.measure in ("inpatient_rescheduled", "outpatient_rescheduled"):
        setting = figure.measure.partition("_")[0]
        values = [
            r["cancelled"]
            for r in cancelled
            if (r["area_type"], r["area_code"], r["strike_day"]) == here
            and r["care_setting"] == setting
            and r["activity_unit"] == "appointment"
        ]
    elif figure.measure == "staff_absent":
        values = [r["absent_action"] for r in staff if (r["area_type"], r["area_code"], r["strike_day"]) == here]
    else:
        return None
    known = [v for v in values if v is not None]
    return float(sum(known)) if known else None
