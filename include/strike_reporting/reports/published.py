"""Official published figures beside the release's own, with the difference."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from strike_reporting.actions import ActionSet
from strike_reporting.reference import PublishedFigure, published_figures
from strike_reporting.reports import words
from strike_reporting.reports.figures import Figure, Figures, Row, Table

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


def compared_table(figures: Figures, action: ActionSet, synthetic: bool) -> Table | None:
    """Figures published at the time beside this release's; None when nothing was published for the action."""
    rows = []
    for f in published_figures():
        if f.action_id != action.action_id or f.value is None:
            continue
        ours = ours_for(f, figures, action)
        gap = None if ours.value is None or synthetic else ours.value - f.value
        place = next(
            (
                r["area_name"]
                for r in figures.rows("action_totals", area_type=f.geography_type, area_code=f.geography_code)
            ),
            f.geography_code,
        )
        notes = [] if f.value_qualifier == "exact" else [words.dimension(f.value_qualifier)]
        if synthetic:
            notes.append("synthetic data: not to be compared")
        elif gap and f.geography_type in ("england", "region"):
            notes.append("this release holds only the trusts that returned")
        elif gap:
            notes.append("differs from the return: see the source’s note")
        source = Markup('<a href="{}">source</a>{}').format(f.source_url, "".join(f"; {n}" for n in notes))
        day = words.day(f.day) if f.day else "whole action"
        published = words.number(f.value, 0 if f.value.is_integer() else 1)
        rows.append(Row(place, [words.dimension(f.measure), day, published, ours, words.number(gap), source]))
    heads = ("Area", "Measure", "Day", "Published", "#This release", "Difference", "Source and note")
    return (
        Table("published-figures", "Figures published at the time, and this release’s", heads, rows) if rows else None
    )


def ours_for(f: PublishedFigure, figures: Figures, action: ActionSet) -> Figure:
    """Ours for the same area, day and measure; not known where nothing is comparable."""
    where: dict[str, Any] = {"area_type": f.geography_type, "area_code": f.geography_code}
    if f.measure in _TOTALS and (f.day is None or len(action.days) == 1):
        places = int(f.measure == "staff_absent_average")
        return figures.total("action_totals", _TOTALS[f.measure], places=places, **where)
    if f.day and f.measure in ("inpatient_rescheduled", "outpatient_rescheduled"):
        setting = f.measure.partition("_")[0]
        more: dict[str, Any] = {"strike_day": f.day, "care_setting": setting, "activity_unit": "appointment"}
        return figures.total("cancellations_daily", "cancelled", **where, **more)
    if f.day and f.measure == "staff_absent":
        return figures.total("staffing_daily", "absent_action", **where, strike_day=f.day)
    return Figure(None, words.NOT_AVAILABLE, "")
