"""What a page says about one area below its headline: days, specialties, staff, and areas side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from markupsafe import Markup

from strike_reporting.catalogue.areas import ENGLAND, Area
from strike_reporting.reference.actions import ActionSet
from strike_reporting.site import charts, words
from strike_reporting.site.figures import Figure, Figures, Row, Table

BOOKED: dict[str, Any] = {"activity_unit": "appointment"}


@dataclass(frozen=True)
class Place:
    """An area, and where its figures lead: `cancellations` and `staffing` are links to the submissions behind."""

    area_type: str
    area_code: str
    name: str
    sources: str = "sources.html#{extract}"
    root: str = ""

    @classmethod
    def of(cls, area: Area, **more: str) -> Place:
        """The place of an area; `more` are the further fields."""
        return cls(area.area_type, area.area_code, area.area_name, **more)

    @property
    def where(self) -> dict[str, Any]:
        """How the tables name it."""
        return {"area_type": self.area_type, "area_code": self.area_code}

    def link(self, extract: str) -> str:
        """Where an extract's submissions are."""
        return self.sources.format(extract=extract)

    def link_on(self, day: date) -> str:
        """Where the submissions are that hold a strike day's figures."""
        area = "" if self.area_type == ENGLAND.area_type else f"q={self.area_code.lower()}&"
        return f"{self.root}sources.html?{area}only=day-{day}#cancellations"


def of(came: Figure, asked: Figure, noun: str = "") -> Markup:
    """`14 of 201`, or with a noun `14 of 201 trusts`."""
    if asked.value is None:
        return Markup("{} sent; none was asked").format(came if came else "0")
    return Markup("{} of {}{}{}").format(came, asked, noun, "s" if noun and asked.value != 1 else "")


_DAY_COLUMNS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("#Inpatient", "cancellations_daily", "cancelled", {"care_setting": "inpatient", **BOOKED}),
    ("#Outpatient", "cancellations_daily", "cancelled", {"care_setting": "outpatient", **BOOKED}),
    ("#Community", "cancellations_daily", "cancelled", {"care_setting": "community", **BOOKED}),
    ("#Mental health", "cancellations_daily", "cancelled", {"care_setting": "mental_health", **BOOKED}),
    ("#Anticipated", "cancellations_daily", "anticipated", BOOKED),
    ("#Clinics cancelled", "cancellations_daily", "cancelled", {"activity_unit": "clinic_session"}),
    ("#Clinics planned", "cancellations_daily", "planned", {"activity_unit": "clinic_session"}),
    ("#Theatre lists cancelled", "cancellations_daily", "cancelled", {"activity_unit": "theatre_list"}),
    ("#Staff absent", "staffing_daily", "absent_action", {}),
    ("#Staff due", "staffing_daily", "due_to_work", {}),
    ("#Redeployed in", "staffing_daily", "redeployed_in", {}),
)


def by_day(figures: Figures, action: ActionSet, place: Place) -> Table:
    """Each strike day's figures; columns that nobody sent are left out."""
    days = [
        d
        for d in (*action.days, *action.closing_days)
        if d in action.days or figures.rows("cancellations_daily", strike_day=d, **place.where)
    ]
    cells = {
        (head, d): figures.total(table, field, strike_day=d, **place.where, **extra)
        for head, table, field, extra in _DAY_COLUMNS
        for d in days
    }
    heads = [h for h, *_ in _DAY_COLUMNS if h in ("#Inpatient", "#Outpatient") or any(cells[(h, d)] for d in days)]
    rows = [
        Row(_day_name(figures, action, place, d), [*(cells[(h, d)] for h in heads), *_came(figures, place, d)])
        for d in days
    ]
    return Table(
        f"days-{place.area_code}",
        f"{place.name} by strike day",
        ("Day", *heads, "Cancellation returns", "Staffing returns"),
        rows,
    )


def _day_name(figures: Figures, action: ActionSet, place: Place, day: date) -> Markup:
    rows = figures.rows("cancellations_daily", strike_day=day, **place.where)
    joint = " [joint]" if any(r["joint_action_ids"] for r in rows) else ""
    closing = "" if day in action.days else " (closing hours)"
    return Markup('<a href="{}">{}</a>{}{}').format(place.link_on(day), words.short_day(day), closing, joint)


def _came(figures: Figures, place: Place, day: date) -> list[Markup]:
    found = []
    for table in ("cancellations_daily", "staffing_daily"):
        if figures.rows(table, strike_day=day, **place.where):
            part = {"take": "max", "strike_day": day, **place.where}
            found.append(
                of(figures.total(table, "trusts_returned", **part), figures.total(table, "trusts_expected", **part))
            )
        else:
            found.append(Markup("none"))
    return found


def day_chart(figures: Figures, action: ActionSet, place: Place) -> tuple[Markup | None, Markup]:
    """Cancelled appointments by day and setting, and the sentence that says what the chart shows."""
    rows, totals = [], []
    for n, d in enumerate((*action.days, *action.closing_days)):
        whole = figures.total("cancellations_daily", "cancelled", strike_day=d, **place.where, **BOOKED)
        if not whole:
            continue
        totals.append((d, whole))
        for setting, title in words.settings().items():
            part = figures.total(
                "cancellations_daily", "cancelled", strike_day=d, care_setting=setting, **place.where, **BOOKED
            )
            if part:
                rows.append({"name": f"{d:%-d %b}", "order": n, "part": title, "count": part.value})
    if not rows:
        return None, Markup("No appointment has been reported cancelled yet, so there is nothing to draw.")
    worst = max(totals, key=lambda t: t[1].value or 0)
    if len(totals) == 1:
        # One bar says no more than its number.
        return None, Markup("{} appointments were reported cancelled on {}.").format(worst[1], words.day(worst[0]))
    all_days = figures.total("cancellations_daily", "cancelled", **place.where, **BOOKED)
    finding = Markup("The day with most reported cancellations was {}, with {} of {} over {} days.").format(
        words.day(worst[0]), worst[1], all_days, len(totals)
    )
    return charts.bars(rows, "Cancelled appointments"), finding


_SPECIALTY_COLUMNS = ("anticipated", "cancelled", "reinstated", "rebooked", "notified")


def specialties(figures: Figures, place: Place) -> list[Table]:
    """Cancelled appointments by treatment function, by priority and by cancer pathway, as far as sent."""
    found = []
    for column, title, name in (
        ("treatment_function_code", "Specialty (treatment function)", words.treatment_function),
        ("priority", "Clinical priority", words.priority),
        ("is_cancer", "Cancer pathway", words.cancer),
    ):
        base = figures.rows("specialties", **place.where, **BOOKED)
        values = sorted({r[column] for r in base}, key=lambda v: (v is None, str(v)))
        if not [v for v in values if v is not None]:
            continue
        heads = [h for h in _SPECIALTY_COLUMNS if any(r[h] is not None for r in base)]
        rows = [
            Row(name(v), [figures.total("specialties", h, **place.where, **BOOKED, **{column: v}) for h in heads])
            for v in values
        ]
        caption = f"{place.name}: appointments by {title.lower()}"
        table_id = f"{column.replace('_', '-')}-{place.area_code}"
        columns = (title, *(f"#{h.capitalize()}" for h in heads))
        found.append(Table(table_id, caption, columns, rows, behind=place.link("cancellations")))
    return found


_STAFF_COLUMNS = (
    ("absent_action", "#Staff-days absent"),
    ("absent_other", "#Absent for other reasons"),
    ("due_to_work", "#Staff-days due"),
    ("redeployed_in", "#Redeployed in"),
)


def staffing(figures: Figures, place: Place) -> Table | None:
    """Staff by group and grade, all days; None when no staffing was sent."""
    base = figures.rows("staffing_daily", **place.where)
    if not base:
        return None
    kinds = sorted({(r["staff_group"], r["grade"]) for r in base}, key=lambda k: (k[0], k[1] or ""))
    columns = [(f, h) for f, h in _STAFF_COLUMNS if f == "absent_action" or any(r[f] is not None for r in base)]
    rows = [
        Row(
            words.coded("staffing", "staff_group", group),
            [
                words.coded("staffing", "grade", grade),
                *(
                    figures.total("staffing_daily", f, **place.where, staff_group=group, grade=grade)
                    for f, _ in columns
                ),
            ],
        )
        for group, grade in kinds
    ]
    heads = ("Staff group", "Grade", *(h for _, h in columns))
    caption = f"{place.name}: staff by group and grade, all days"
    return Table(f"staff-{place.area_code}", caption, heads, rows, behind=place.link("staffing"))


_TOTALS = (
    ("inpatient_cancelled", "#Inpatient"),
    ("outpatient_cancelled", "#Outpatient"),
    ("acute_cancelled", "#Both"),
    ("community_cancelled", "#Community"),
    ("mental_health_cancelled", "#Mental health"),
    ("inpatient_anticipated", "#Anticipated inpatient"),
    ("outpatient_anticipated", "#Anticipated outpatient"),
    ("clinic_sessions_cancelled", "#Clinics"),
    ("clinic_sessions_planned", "#Clinics planned"),
    ("theatre_lists_cancelled", "#Theatre lists"),
    ("staff_days_lost", "#Staff-days lost"),
    ("percent_planned_maintained", "#Maintained"),
    ("paired_trusts", "#Trusts in that share"),
    ("coverage", "#Cancellation returns"),
    ("staffing_coverage", "#Staffing returns"),
)


def side_by_side(
    figures: Figures,
    table_id: str,
    caption: str,
    first: str,
    places: Sequence[tuple[Place, str | Markup, str]],
    **more: Any,
) -> Table:
    """Areas under one another, most cancellations first; columns that nobody sent are left out.

    Args:
        figures: of the release.
        table_id: for links.
        caption: of the table.
        first: heading of the first column.
        places: each area, how to name it, and its tags for the filter.
        more: further fields of `Table`.
    """
    everyone = [r for p, *_ in places for r in figures.rows("action_totals", **p.where)]
    columns = [(f, h) for f, h in _TOTALS if any(r[f] is not None for r in everyone)]
    if all((r["paired_trusts"] or 0) <= 1 for r in everyone):
        columns = [(f, h) for f, h in columns if f != "paired_trusts"]  # says nothing where each row is one trust

    def weight(item: tuple[Place, str | Markup, str]) -> tuple[Any, ...]:
        row = next(iter(figures.rows("action_totals", **item[0].where)), {})
        keys = ("acute_cancelled", "clinic_sessions_cancelled", "inpatient_anticipated", "staff_days_lost")
        return (*(-(row.get(k) or 0) for k in keys), item[0].name)

    rows = [
        Row(
            name,
            [
                figures.total(
                    "action_totals",
                    f,
                    percent=f in ("coverage", "staffing_coverage", "percent_planned_maintained"),
                    **p.where,
                )
                for f, _ in columns
            ],
            tags=tags,
        )
        for p, name, tags in sorted(places, key=weight)
    ]
    return Table(table_id, caption, (first, *(h for _, h in columns)), rows, **more)
