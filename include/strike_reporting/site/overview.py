"""The two pages across releases: every action with the published figures, and what is known before a strike.

Unlike a release's own pages these are written again at every publication, from the current releases alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from markupsafe import Markup

from strike_reporting.catalogue.areas import ENGLAND
from strike_reporting.publishing.summary import KEPT, Summary
from strike_reporting.reference.actions import ActionSet, actions, resolve
from strike_reporting.reference.facts import PublishedFigure, published_figures
from strike_reporting.settings import settings
from strike_reporting.site import words
from strike_reporting.site.area import Place, by_day
from strike_reporting.site.figures import Figure, Figures, Row, Table, together
from strike_reporting.site.pages import environment

_ENGLAND = Place.of(ENGLAND).where
NAV = (("index.html", "All actions"), ("before.html", "Before a strike"))
_CAME = ("returned", "expected")


@dataclass(frozen=True)
class Kept:
    """A release as the pages across releases know it: by its summary."""

    summary: Summary

    @property
    def action(self) -> ActionSet:
        """What it reports."""
        return resolve(self.summary.action_id)

    @property
    def data_class(self) -> str:
        """`real` or `synthetic`."""
        return self.summary.data_class

    @cached_property
    def figures(self) -> Figures:
        """Its figures, whose queries name it."""
        return Figures({n: self.summary.table(n).to_pylist() for n in KEPT}, self.summary.release_id)

    @property
    def root(self) -> str:
        """Its pages, seen from these."""
        return f"{self.summary.slug}/{self.summary.number:04d}/"


def overview(current: list[Kept], before: dict[str, list[Kept]], today: date) -> dict[str, bytes]:
    """`index.html` and `before.html`.

    Args:
        current: the current release of every action.
        before: by action id, its releases that were made before its first strike day, oldest first.
        today: to tell what is still to come.
    """
    synthetic = any(k.data_class == "synthetic" for k in current)
    common = {"facts": {"data_class": "synthetic" if synthetic else "real"}, "nav": NAV, "root": ""}
    history = (
        environment()
        .get_template("history.html.jinja")
        .render(
            **common,
            here="index.html",
            heading="Industrial action in the NHS in England",
            actions=_actions(current, today),
            disputes=_disputes(current),
        )
    )
    coming = [a for a in actions().values() if a.days[-1] >= today and a.status != "called_off"]
    found = {k.summary.action_id: k for k in current}
    upcoming = [_upcoming(resolve(a.action_id), found.get(a.action_id)) for a in coming]
    past = (
        environment()
        .get_template("before.html.jinja")
        .render(
            **common,
            here="before.html",
            heading="Before a strike",
            upcoming=upcoming,
            leads=_leads(before, {a.action_id for a in coming}),
            today=today,
        )
    )
    return {"index.html": str(history).encode(), "before.html": str(past).encode()}


def _published(action_id: str, measure: str) -> PublishedFigure | None:
    """England's published figure for the whole action: the latest exact one."""
    found = [
        f
        for f in published_figures()
        if (f.action_id, f.geography_type, f.measure, f.day) == (action_id, "england", measure, None)
        and f.value is not None
    ]
    found.sort(key=lambda f: (f.value_qualifier == "exact", f.published_on))
    return found[-1] if found else None


def _actions(current: list[Kept], today: date) -> Table:
    """Every action of the calendar, newest first, ours beside what was published."""
    kept = {k.summary.action_id: k for k in current}
    ids = [*actions(), *(i for i in kept if ";" in i)]
    rows = [
        _action(resolve(i), kept.get(i), today) for i in sorted(ids, key=lambda i: resolve(i).days[0], reverse=True)
    ]
    heads = ["Action", "Status and release", "#Trusts in it"]
    for what in ("Cancelled", "Staff absent, peak"):
        heads += [f"#{what}, ours", "#Published", "#Difference"]
    return Table(
        "actions", "Every action, newest first", (*heads, "Why"), rows, search="Find an action, year or staff group"
    )


def _action(action: ActionSet, kept: Kept | None, today: date) -> Row:
    name: str | Markup = action.title
    status = action.status_text
    if any(a.is_outcome_unknown(today) for a in action.actions):
        status += "; whether it took place is not recorded"
    state, cover, why = f"{status}; no release", Markup("[x]"), ["no return was collected"]
    if kept is not None:
        name = Markup('<a href="{}">{}</a>').format(f"{kept.root}report.html", action.title)
        state = f"{status}; {kept.summary.release_id.rpartition('.')[2]}, {kept.data_class} data"
        why = ["synthetic data: not to be compared"] if kept.data_class == "synthetic" else []
        parts = [kept.figures.total("action_totals", f"trusts_{w}", take="max", **_ENGLAND) for w in _CAME]
        cover = Markup("{} of {}").format(*parts)
    cells: list[Figure | str | Markup] = []
    for measure, field, kind in (
        ("total_rescheduled", "acute_cancelled", ""),
        ("staff_absent_peak", "staff_absent_peak", "staffing_"),
    ):
        official = _published(action.action_id, measure)
        shown: str | Markup = "none found"
        if official is not None:
            shown = Markup('<a href="{}">{}</a>').format(official.source_url, words.number(official.value))
        ours = kept.figures.total("action_totals", field, **_ENGLAND) if kept else _NONE
        gap = None
        if kept and kept.data_class != "synthetic" and ours.value is not None and official and official.value:
            gap = ours.value - official.value
        if kept and gap:
            share = kept.figures.total("action_totals", f"{kind}coverage", **_ENGLAND).value
            why.append("a later revision, or another cut-off" if share == 100 else "ours holds those who returned")
        cells += [ours, shown, words.number(gap)]
    return Row(name, [state, cover, *cells, "; ".join(dict.fromkeys(why))])


def _disputes(current: list[Kept]) -> Table:
    """Each dispute's running total, in which no day is counted twice."""
    kept = {k.summary.action_id: k for k in current}
    grouped: dict[str, list[str]] = {}
    for action in actions().values():
        grouped.setdefault(action.dispute, []).append(action.action_id)
    rows = []
    for dispute, ids in grouped.items():
        released = _once(ids, kept)
        ours = [kept[i].figures for i in released or ()]
        known = {i: p.value for i in (*ids, *_joint(ids)) if (p := _published(i, "total_rescheduled")) and p.value}
        whole = [i for i in known if ";" in i]
        counted = [i for i in known if i in whole or not any(i in j.split(";") for j in whole)]
        actions_counted = sum(len(i.split(";")) for i in counted)
        both = [
            together([f.total("action_totals", m, **_ENGLAND) for f in ours]) if released is not None else _NONE
            for m in ("acute_cancelled", "staff_days_lost")
        ]
        rows.append(
            Row(
                dispute,
                [
                    str(len(ids)),
                    str(len({d for i in ids if actions()[i].status == "went_ahead" for d in actions()[i].days})),
                    str(sum(i in kept for i in ids)),
                    *both,
                    f"{sum(known[i] for i in counted):,.0f} ({actions_counted} action{'s' * (actions_counted != 1)})"
                    if counted
                    else "none found",
                ],
            )
        )
    heads = (
        "Dispute",
        "Actions",
        "Strike days held",
        "Actions released here",
        "#Cancelled, ours",
        "#Staff-days lost",
        "Published at the time",
    )
    return Table("disputes", "Running total of each dispute", heads, rows[::-1])


def _joint(ids: list[str]) -> list[str]:
    """Joint ids all of whose actions are among these."""
    joint = sorted({f.action_id for f in published_figures() if ";" in f.action_id})
    return [j for j in joint if {*j.split(";")} <= {*ids}]


def _once(ids: list[str], kept: dict[str, Kept]) -> list[str] | None:
    """Releases that together count every released day of these actions once; None when two share a day.

    A joint release stands for its actions, because days that they share cannot be split.
    """
    joint = [i for i in kept if ";" in i and {*i.split(";")} <= {*ids}]
    joint.sort(key=lambda i: (-i.count(";"), i))
    chosen: list[str] = []
    for i in (*joint, *(i for i in ids if i in kept)):
        if not any({*i.split(";")} & {*j.split(";")} for j in chosen):
            chosen.append(i)
    days = [d for i in chosen for d in resolve(i).days]
    return chosen if len(days) == len({*days}) else None


def _upcoming(action: ActionSet, kept: Kept | None) -> dict[str, Any]:
    if kept is None:
        return {"title": action.title, "status": action.status_text, "days": None, "link": None}
    days = by_day(kept.figures, action, Place.of(ENGLAND, root=kept.root))
    return {"title": action.title, "status": action.status_text, "days": days, "link": f"{kept.root}report.html"}


def _leads(before: dict[str, list[Kept]], coming: set[str]) -> Table | None:
    """Appointments known to be cancelled, by days before the first strike day, one column for each action."""
    found: dict[str, dict[int, Kept]] = {}
    for action_id, releases in before.items():
        first = resolve(action_id).days[0]
        for kept in releases:  # oldest first, so the last of a day stands
            lead = (first - kept.summary.as_at_day).days
            if 1 <= lead <= settings().before_days:
                found.setdefault(action_id, {})[lead] = kept
    if not found:
        return None
    order = sorted(found, key=lambda i: resolve(i).days[0], reverse=True)
    beside = settings().before_actions
    shown = [i for i in order if i in coming] + [i for i in order if i not in coming][:beside]
    longest = max(len(resolve(i).days) for i in shown)
    rows = [
        Row(
            f"{lead} day{'' if lead == 1 else 's'} before",
            [f"day {n}" if n else "all days", *(_known(found[i].get(lead), n) for i in shown)],
        )
        for lead in sorted({lead for i in shown for lead in found[i]}, reverse=True)
        for n in range(longest + 1)
    ]
    heads = ("Lead time", "Strike day", *(f"#{resolve(i).title}" for i in shown))
    return Table("leads", "Inpatient and outpatient appointments already cancelled for the action", heads, rows)


_NONE = Figure(None, words.NOT_AVAILABLE, "")


def _known(kept: Kept | None, n: int) -> Figure:
    """Inpatient and outpatient cancellations that England anticipates for the n-th strike day (0: all of them)."""
    if kept is None or n > len(kept.action.days):
        return _NONE
    where: dict[str, Any] = {"care_setting": ("inpatient", "outpatient"), "activity_unit": "appointment", **_ENGLAND}
    if n:
        where["strike_day"] = kept.action.days[n - 1]
    return kept.figures.total("cancellations_daily", "anticipated", **where)
