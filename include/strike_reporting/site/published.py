"""Official published figures beside the release's own, with the difference."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup

from strike_reporting.reference.actions import ActionSet
from strike_reporting.reference.facts import PublishedFigure, published_figures
from strike_reporting.site import words
from strike_reporting.site.figures import Figure, Figures, Row, Table

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
    """Figures published at the time beside this release's; None when nothing was published for the action.

    A figure that several sources give alike is one row with all of them.
    """
    found: dict[tuple[Any, ...], list[PublishedFigure]] = {}
    for f in published_figures():
        if f.action_id == action.action_id and f.value is not None:
            key = (f.geography_type, f.geography_code, f.measure, f.day, f.value, f.value_qualifier)
            found.setdefault(key, []).append(f)
    names = {(r["area_type"], r["area_code"]): r["area_name"] for r in figures.rows("action_totals")}
    rows = [_row(same, figures, action, names, synthetic) for same in found.values()]
    heads = ("Area", "Measure", "Day", "#Published", "#This release", "#Difference", "Sources and note")
    caption = "Figures published at the time, and this release’s"
    return Table("published-figures", caption, heads, rows) if rows else None


def _row(
    same: list[PublishedFigure],
    figures: Figures,
    action: ActionSet,
    names: dict[tuple[str, str], str],
    synthetic: bool,
) -> Row:
    f = same[0]
    ours, value = ours_for(f, figures, action), f.value or 0.0
    gap = None if ours.value is None or synthetic else ours.value - value
    notes = [] if f.value_qualifier == "exact" else [words.dimension(f.value_qualifier)]
    if synthetic:
        notes.append("synthetic data: not to be compared")
    elif gap is None:
        notes.append("nothing here to compare it with")
    elif gap and f.geography_type in ("england", "region"):
        notes.append("this release holds only the trusts that returned")
    elif gap:
        notes.append("differs from the return: see the source’s note")
    link = Markup('<a href="{}">{}</a>')
    urls = dict.fromkeys(s.source_url for s in same)
    sources = Markup(", ").join(link.format(u, (urlsplit(u).hostname or u).removeprefix("www.")) for u in urls)
    return Row(
        names.get((f.geography_type, f.geography_code), f.geography_code),
        [
            words.dimension(f.measure).capitalize(),
            words.short_day(f.day) if f.day else "whole action",
            _number(value),
            ours,
            _number(gap),
            sources + "".join(f"; {n}" for n in notes),
        ],
    )


def _number(value: float | None) -> str:
    return words.number(value, 0 if value is None or float(value).is_integer() else 1)


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
