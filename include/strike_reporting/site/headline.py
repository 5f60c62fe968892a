"""The headline of an area: each figure with its coverage, what it is compared with, and the way to its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from strike_reporting.catalogue.statuses import ASKED, RETURNED
from strike_reporting.settings import settings
from strike_reporting.site import words
from strike_reporting.site.area import Place, of
from strike_reporting.site.figures import Figures, change

_HALVES = ("inpatient_cancelled", "outpatient_cancelled")


@dataclass(frozen=True)
class Past:
    """A release to compare with: how it is called, what it is, and its figures."""

    label: str
    what: str
    figures: Figures
    is_same_action: bool


@dataclass(frozen=True)
class _Line:
    """One figure of the headline. `always`: shown even when it is not known."""

    label: str
    field: str
    extract: str = "cancellations"
    places: int = 0
    percent: bool = False
    note: str = ""
    always: bool = False


_AHEAD = "Cancelled ahead of the day"
_LINES = (
    _Line("Inpatient and day case cancelled", "inpatient_cancelled", always=True),
    _Line("Outpatient cancelled", "outpatient_cancelled", always=True),
    _Line("Inpatient and outpatient together", "acute_cancelled"),
    _Line("Community cancelled", "community_cancelled"),
    _Line("Mental health cancelled", "mental_health_cancelled"),
    _Line("Inpatient and day case, anticipated", "inpatient_anticipated", note=_AHEAD),
    _Line("Outpatient, anticipated", "outpatient_anticipated", note=_AHEAD),
    _Line("Clinic sessions cancelled", "clinic_sessions_cancelled", note="Whole clinics, not appointments"),
    _Line("Theatre lists cancelled", "theatre_lists_cancelled", note="Whole lists, not operations"),
    _Line("Staff absent, peak day", "staff_absent_peak", "staffing", always=True),
    _Line("Staff absent, average day", "staff_absent_average", "staffing", places=1, always=True),
    _Line("Staff-days lost", "staff_days_lost", "staffing", always=True),
    _Line("Share of staff due who were absent", "percent_due_absent", "staffing", percent=True),
    _Line("Planned activity maintained", "percent_planned_maintained", "planned_activity", percent=True, always=True),
)


def headline(figures: Figures, place: Place, pasts: list[Past]) -> list[dict[str, Any]]:
    """The area's figures, each with coverage, comparison and the way to its sources; empty if nobody was asked."""
    if not figures.rows("action_totals", **place.where):
        return []
    shown = []
    for line in _LINES:
        style: dict[str, Any] = {"places": line.places, "percent": line.percent, **place.where}
        figure, note = figures.total("action_totals", line.field, **style), line.note
        if not figure and not line.always:
            continue
        if line.field == "acute_cancelled" and not all(
            figures.total("action_totals", h, **place.where) for h in _HALVES
        ):
            continue  # the sum of two needs both
        if line.field == "staff_absent_peak" and figure:
            note = words.day(figures.rows("action_totals", **place.where)[0]["staff_absent_peak_day"])
        compared = []
        for past in pasts:
            old = past.figures.total("action_totals", line.field, **style)
            moved = change(figure, old)
            if moved is not None and (past.is_same_action or _complete(figures, past.figures, place, line.extract)):
                from_ = "from" if moved.value else "at"
                compared.append(Markup("{}: {} {} {}").format(past.label, moved, from_, old))
        is_share = line.extract == "planned_activity"
        cover = _paired(figures, place) if is_share else coverage(figures, place, line.extract)
        shown.append(
            {
                "label": line.label,
                "figure": figure,
                "cover": cover,
                "note": note,
                "link": place.link(line.extract),
                "compared": compared,
            }
        )
    return shown


def _complete(now: Figures, past: Figures, place: Place, extract: str) -> bool:
    """Whether two actions may be compared: both must hold nearly all returns, or they are of other trusts."""
    column = "staffing_coverage" if extract == "staffing" else "coverage"
    found = [f.total("action_totals", column, **place.where).value for f in (now, past)]
    return all(v is not None and v >= settings().comparable_percent for v in found)


def coverage(figures: Figures, place: Place, extract: str) -> Markup:
    """`14 of 201 trusts` with both numbers as figures; for a trust `3 of 4 returns`."""
    if place.area_type == "trust":
        mine = {"ods_code": place.area_code, "extract": extract}
        came = figures.count("returns", return_status=RETURNED, **mine)
        asked = figures.count("returns", return_status=ASKED, **mine)
        return Markup("{} of {} return{}").format(came, asked, "" if asked.value == 1 else "s")
    prefix = "staffing_" if extract == "staffing" else ""
    asked = figures.total("action_totals", f"{prefix}trusts_expected", take="max", **place.where)
    came = figures.total("action_totals", f"{prefix}trusts_returned", take="max", **place.where)
    share = figures.total("action_totals", f"{prefix}coverage", percent=True, **place.where)
    some = Markup(" ({} of their returns)").format(share) if share.value and share.value < 100 else ""
    return of(came, asked, " trust") + some


def _paired(figures: Figures, place: Place) -> Markup:
    paired = figures.total("action_totals", "paired_trusts", **place.where)
    if not paired.value:
        who = "It has not" if place.area_type == "trust" else "No trust has"
        return Markup("{} sent both plan and outturn of appointments, with no row left out").format(who)
    return Markup("{} trust{} sent both plan and outturn").format(paired, "" if paired.value == 1 else "s")
