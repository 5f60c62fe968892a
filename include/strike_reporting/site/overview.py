"""The two pages across releases: every action with the published figures, and what is known before a strike.

Unlike a release's own pages these are written again at every publication, from the current releases alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from markupsafe import Markup

from strike_reporting.catalogue.areas import ENGLAND
from strike_reporting.catalogue.measures import Total
from strike_reporting.extracts.measures import TOTALS_TABLE, asked_for, daily_table, extract_of, shown_in
from strike_reporting.publishing.manifest import Draft
from strike_reporting.publishing.summary import KEPT, Summary
from strike_reporting.reference.actions import ActionSet, actions, resolve
from strike_reporting.reference.facts import PublishedFigure, published_figures
from strike_reporting.settings import settings
from strike_reporting.site import words
from strike_reporting.site.area import Place, by_day
from strike_reporting.site.cover import Cover, figure
from strike_reporting.site.figures import Figure, Figures, Head, Row, Table, together
from strike_reporting.site.published import label, qualified
from strike_reporting.site.rendering import environment
from strike_reporting.site.terms import head

_ENGLAND = Place.of(ENGLAND).where
NAV = (("index.html", "All actions"), ("before.html", "Before a strike"))
_CAME = ("returned", "expected")
_NONE = Figure(None, words.NOT_AVAILABLE, "")


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


def overview(
    current: list[Kept],
    before: dict[str, list[Kept]],
    today: date,
    drafts: Mapping[str, Draft],
    ends: Mapping[str, str] | None = None,
) -> dict[str, bytes]:
    """`index.html` and `before.html`.

    Args:
        current: the current release of every action.
        before: by action id, its releases that were made before its first strike day, oldest first.
        today: to tell what is still to come.
        drafts: by action id, those whose figures are other ones than the current release's.
        ends: by action id, until when they are under embargo, as a sentence, where they are and this is for everybody.
    """
    synthetic = "synthetic" in {*(k.data_class for k in current), *(d.data_class for d in drafts.values())}
    common = {"facts": {"data_class": "synthetic" if synthetic else "real"}, "nav": NAV, "root": ""}
    acts, bare = _actions(current, today, drafts, ends or {})
    history = (
        environment()
        .get_template("history.html.jinja")
        .render(
            **common,
            here="index.html",
            heading="Industrial action in the NHS in England",
            actions=acts,
            bare=bare,
            held=_held(),
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


def _published(action_id: str, total: Total) -> list[PublishedFigure]:
    """England's published figures of an action, or of one reported with it, that count the same: the best one last.

    Of it alone before joint, of the whole action before one of its days, exact before rounded, later before earlier.
    """
    found = [
        f
        for f in _england()
        if action_id in (f.action_id, *f.action_id.split(";"))
        and f.value is not None
        and (f.measure in total.published_as or (f.day is not None and f.measure in total.published_daily_as))
    ]
    is_one = total.kind != "sum" or len(resolve(action_id).days) == 1
    found.sort(
        key=lambda f: (
            f.action_id == action_id,
            is_one or f.day is None,
            f.value_qualifier == "exact",
            f.published_on,
        )
    )
    return found


def _england() -> list[PublishedFigure]:
    return [f for f in published_figures() if f.geography_type == ENGLAND.area_type and f.value is not None]


def _known_ids(kept: Iterable[str]) -> list[str]:
    """Every action, and those that are reported jointly, newest first."""
    ids = [*actions(), *(i for i in kept if ";" in i)]
    return sorted(ids, key=lambda i: resolve(i).days[0], reverse=True)


def _actions(
    current: list[Kept], today: date, drafts: Mapping[str, Draft], ends: Mapping[str, str]
) -> tuple[Table, Table | None]:
    """Every action of the calendar, newest first, ours beside what was published; and apart those without either."""
    kept = {k.summary.action_id: k for k in current}
    entries = [t for t in shown_in("index") if isinstance(t, Total)]
    told = {i for f in _england() for i in (f.action_id, *f.action_id.split(";"))}
    ids = _known_ids({*kept, *drafts})
    ours = [i for i in ids if i in kept or i in told or i in drafts]
    rest = [i for i in ids if i not in ours]
    heads: list[str | Head] = ["Action", "Status and release", "#Trusts in it"]
    for t in entries:
        heads += [head(t.key, f"{t.label}, ours"), "#Published", "#Difference"]
    rows = [_action(resolve(i), kept.get(i), today, entries, drafts.get(i), ends.get(i, "")) for i in ours]
    table = Table(
        "actions",
        "Actions with a release or a published figure, newest first",
        (*heads, "Why"),
        rows,
        search="Find an action, year or staff group",
    )
    if not rest:
        return table, None
    bare = [Row(resolve(i).title, [_state(resolve(i), today)]) for i in rest]
    return table, Table("bare", "Actions of which nothing is held", ("Action", "Status"), bare)


def _state(action: ActionSet, today: date) -> str:
    unknown = any(a.is_outcome_unknown(today) for a in action.actions)
    return action.status_text + ("; whether it took place is not recorded" if unknown else "")


def _action(
    action: ActionSet, kept: Kept | None, today: date, entries: list[Total], draft: Draft | None, end: str
) -> Row:
    name: str | Markup = action.title
    state: str | Markup = f"{_state(action, today)}; no release"
    cover, why = Markup("[x]"), [] if draft else ["no return was collected"]
    if kept is not None:
        name = Markup('<a href="{}">{}</a>').format(f"{kept.root}report.html", action.title)
        release = kept.summary.release_id.rpartition(".")[2]
        state = f"{_state(action, today)}; {release}, {kept.data_class} data"
        why = ["synthetic data: not to be compared"] if kept.data_class == "synthetic" else []
        parts = [kept.figures.total(TOTALS_TABLE, f"{_first_prefix()}trusts_{w}", **_ENGLAND) for w in _CAME]
        cover = Markup("{} of {}").format(*parts)
    if end:
        state = f"{state}; {end[:1].lower()}{end[1:].rstrip('.')}"
    elif draft is not None:
        link = Markup('{}; <a href="{}/draft/report.html">DRAFT as at {}, {} data</a>')
        state = link.format(state, draft.slug, words.moment(draft.as_at), draft.data_class)
    cells: list[Figure | str | Markup] = []
    for total in entries:
        found = _published(action.action_id, total)
        official = found[-1] if found else None
        ours, gap = _NONE, None
        if kept:
            ours = figure(kept.figures, _ENGLAND, total.key)
            is_thin = bool(ours) and Cover(kept.figures, _ENGLAND, total.key).is_thin
            if is_thin:
                why.append("too few trusts have returned for a difference")
            elif kept.data_class != "synthetic" and ours.value is not None and official:
                gap = _gap(ours.value, official, action, total)
                why += ["a later revision, or another cut-off"] if gap else []
            cells.append(Markup("{} so far").format(ours) if is_thin else ours)
        else:
            cells.append(ours)
        cells += [_told(official, action, total), words.number(gap)]
    return Row(name, [state, cover, *cells, "; ".join(dict.fromkeys(why))])


def _first_prefix() -> str:
    return next(iter(asked_for().values()))


def _gap(ours: float, official: PublishedFigure, action: ActionSet, total: Total) -> float | None:
    """Ours less what was published, where both are exact and of the same days."""
    is_whole = official.day is None or total.kind != "sum" or len(action.days) == 1
    if official.value is None or official.value_qualifier != "exact" or official.action_id != action.action_id:
        return None
    return ours - official.value if is_whole else None


def _told(official: PublishedFigure | None, action: ActionSet, total: Total) -> str | Markup:
    """A published figure with whatever makes it another than the whole action's."""
    if official is None:
        return "none found"
    about = []
    if official.action_id != action.action_id:
        about.append("jointly with " + ", ".join(i for i in official.action_id.split(";") if i != action.action_id))
    if official.day is not None and total.kind == "sum" and len(action.days) > 1:
        about.append(f"only {official.day:%-d %B}")
    more = f" ({'; '.join(about)})" if about else ""
    return Markup('<a href="{}">{}</a>{}').format(official.source_url, qualified(official), more)


def _held() -> Table:
    """Every figure of England that was published and is held, newest action first."""
    titles = {i: resolve(i).title for i in actions()}

    def title(f: PublishedFigure) -> str:
        ids = f.action_id.split(";")
        return " and ".join(titles.get(i, _period(i)) for i in ids)

    order = {i: n for n, i in enumerate(actions())}
    found = sorted(_england(), key=lambda f: (-order.get(f.action_id.split(";")[0], -1), f.action_id, f.measure))
    rows = [
        Row(
            title(f),
            [
                label(f),
                words.short_day(f.day) if f.day else "all days",
                Markup('<a href="{}">{}</a>').format(f.source_url, qualified(f)),
                f.published_on or "not known",
                f.note,
            ],
        )
        for f in found
    ]
    heads = ("Action or period", "Measure", "Day", "#Published", "On", "Note")
    caption = "Figures of England published at the time"
    return Table("held", caption, heads, rows, search="Find an action, measure or year")


def _period(text: str) -> str:
    """`CUM-2022-12-15/2023-04-15` as its days."""
    return "From " + text.partition("-")[2].replace("/", " to ")


def _disputes(current: list[Kept]) -> Table:
    """Each dispute's running total, in which no day is counted twice."""
    entries = [t for t in shown_in("disputes") if isinstance(t, Total)]
    kept = {k.summary.action_id: k for k in current}
    grouped: dict[str, list[str]] = {}
    for action in actions().values():
        grouped.setdefault(action.dispute, []).append(action.action_id)
    rows = []
    for dispute, ids in grouped.items():
        released = _once(ids, kept)
        ours = [kept[i].figures for i in released or ()]
        known = {i: v for i in (*ids, *_joint(ids)) if (v := _whole(i, entries[0]))}
        whole = [i for i in known if ";" in i]
        counted = [i for i in known if i in whole or not any(i in j.split(";") for j in whole)]
        actions_counted = sum(len(i.split(";")) for i in counted)
        both = [_together(ours, t) if released is not None else _NONE for t in entries]
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
    heads: list[str | Head] = [
        "Dispute",
        "Actions",
        "Strike days held",
        "Actions released here",
        *(head(t.key, f"{t.label}, ours") for t in entries),
        f"{entries[0].label}, published at the time",
    ]
    return Table("disputes", "Running total of each dispute", heads, rows[::-1])


def _together(ours: list[Figures], total: Total) -> Figure | Markup:
    """The sum over releases; what too few trusts sent is so far."""
    found = [figure(f, _ENGLAND, total.key) for f in ours]
    is_thin = any(v and Cover(f, _ENGLAND, total.key).is_thin for v, f in zip(found, ours, strict=True))
    whole = together(found)
    return Markup("{} so far").format(whole) if is_thin and whole else whole


def _whole(action_id: str, total: Total) -> float | None:
    """England's published figure of the whole action or joint actions, the best there is."""
    found = [f for f in _published(action_id, total) if f.action_id == action_id and f.day is None]
    return found[-1].value if found else None


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
    caption = " and ".join(t.label for t in _early())
    return Table("leads", f"{caption}: what was known, added up", heads, rows)


def _known(kept: Kept | None, n: int) -> Figure:
    """What England cancelled ahead for the n-th strike day (0: all of them)."""
    if kept is None or n > len(kept.action.days):
        return _NONE
    when = {"strike_day": kept.action.days[n - 1]} if n else {}
    parts = [
        kept.figures.total(daily_table(extract_of(t.key)), t.of, **{**_ENGLAND, **t.where, **when}) for t in _early()
    ]
    return together(parts)


def _early() -> list[Total]:
    return [t for t in shown_in("early") if isinstance(t, Total)]
