"""What a page says about one area below its headline: days, specialties, staff, and areas side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from markupsafe import Markup

from strike_reporting.catalogue.areas import ENGLAND, Area
from strike_reporting.catalogue.measures import Measure, Pivot, Share, Total
from strike_reporting.extracts import EXTRACTS
from strike_reporting.extracts.measures import (
    BREAKDOWNS,
    BY_EXTRACT,
    LABELS,
    TOTALS_TABLE,
    asked_for,
    daily_table,
    shown_in,
    side_by_side,
)
from strike_reporting.reference.actions import ActionSet
from strike_reporting.site import words
from strike_reporting.site.cover import Cover, figure, share_of
from strike_reporting.site.figures import Figure, Figures, Head, Row, Table, ratio
from strike_reporting.site.terms import head


@dataclass(frozen=True)
class Place:
    """An area, and where its figures lead: to the submissions of an extract behind them."""

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
        return f"{self.root}sources.html?{area}only=day-{day}#{next(iter(EXTRACTS))}"


def of(came: Figure, asked: Figure) -> Markup:
    """`14 of 201`."""
    if asked.value is None:
        return Markup("{} sent; none was asked").format(came if came else "0")
    return Markup("{} of {}").format(came, asked)


@dataclass(frozen=True)
class _DayColumn:
    """A column of the table of days. `total`: the total that it is a day of; empty for a measure."""

    head: Head
    table: str
    field: str
    where: dict[str, Any]
    total: str = ""
    is_always_shown: bool = False

    def cell(self, figures: Figures, place: Place, day: date) -> Figure:
        """Its figure of a day."""
        found = figures.total(self.table, self.field, strike_day=day, **place.where, **self.where)
        if not found and self.total and not Cover(figures, place.where, self.total).is_applicable:
            return Figure(None, words.NOT_APPLICABLE, found.query)
        return found


def _day_columns() -> Iterator[_DayColumn]:
    for extract in side_by_side():
        catalogue, table = BY_EXTRACT[extract], daily_table(extract)
        for t in (t for t in catalogue.totals if "days" in t.shown):
            yield _DayColumn(head(t.key, t.head), table, t.of, dict(t.where), t.key, t.is_always_shown)
        for m in (m for m in catalogue.measures if m.days is not None):
            yield _DayColumn(head(m.key), table, m.key, dict(m.days or {}))


def by_day(figures: Figures, action: ActionSet, place: Place) -> Table:
    """Each strike day's figures; columns that nobody sent are left out."""
    tables = {daily_table(e): LABELS[e] for e in asked_for()}
    days = [
        d
        for d in (*action.days, *action.closing_days)
        if d in action.days or any(figures.rows(t, strike_day=d, **place.where) for t in tables)
    ]
    cells = {c.head: [c.cell(figures, place, d) for d in days] for c in _day_columns()}
    always = {c.head for c in _day_columns() if c.is_always_shown}
    shown = {h: found for h, found in cells.items() if h in always or any(found)}
    rows = [
        Row(
            _day_name(figures, action, place, d),
            [*(found[n] for found in shown.values()), *(_came(figures, place, t, d) for t in tables)],
        )
        for n, d in enumerate(days)
    ]
    returns = [Head(f"Returns, {label.lower()}", term="returns") for label in tables.values()]
    heads = (Head("Day", is_number=False, term="strike-day"), *shown, *returns)
    return Table(f"days-{place.area_code}", f"{place.name} by strike day", heads, rows)


def _day_name(figures: Figures, action: ActionSet, place: Place, day: date) -> Markup:
    rows = [r for e in asked_for() for r in figures.rows(daily_table(e), strike_day=day, **place.where)]
    joint = " [joint]" if any(r["joint_action_ids"] for r in rows) else ""
    closing = "" if day in action.days else " (closing hours)"
    return Markup('<a href="{}">{}</a>{}{}').format(place.link_on(day), words.short_day(day), closing, joint)


def _came(figures: Figures, place: Place, table: str, day: date) -> Markup:
    if not figures.rows(table, strike_day=day, **place.where):
        return Markup("none")
    part = {"take": "max", "strike_day": day, **place.where}
    return of(figures.total(table, "trusts_returned", **part), figures.total(table, "trusts_expected", **part))


def breakdowns(figures: Figures, place: Place) -> list[tuple[str, list[Table]]]:
    """What was sent of each extract by its breakdowns, all days; extracts of which nothing came are left out."""
    found = []
    for extract in EXTRACTS:
        tables = [t for pivot in BY_EXTRACT[extract].tables for t in _by_parts(figures, place, extract, pivot)]
        if tables:
            found.append((LABELS[extract], tables))
    return found


def _by_parts(figures: Figures, place: Place, extract: str, pivot: Pivot) -> Iterator[Table]:
    """One table for each breakdown that not everybody gives, or one of all; what never adds up is kept apart."""
    apart = [b for b in pivot.by if b in BREAKDOWNS and not BREAKDOWNS[b].adds_up]
    by = [b for b in pivot.by if b in BREAKDOWNS and b not in apart]
    base = figures.rows(pivot.name, **place.where)
    for values in sorted({tuple(r[b] for b in apart) for r in base}):
        fixed: dict[str, Any] = dict(zip(apart, values, strict=True))
        for columns in [[b] for b in pivot.given] or [by]:
            table = _parts(figures, place, extract, pivot, fixed, columns)
            if table is not None:
                yield table


def _parts(
    figures: Figures, place: Place, extract: str, pivot: Pivot, fixed: dict[str, Any], by: list[str]
) -> Table | None:
    rows = figures.rows(pivot.name, **place.where, **fixed)
    keys = {tuple(r[b] for b in by) for r in rows}
    if pivot.given:
        keys -= {(None,)}  # they say another of the breakdowns; how much is not stated is said below
    if not keys:
        return None
    measures = [m for m in BY_EXTRACT[extract].measures if m.is_published and any(r[m.key] is not None for r in rows)]
    body = []
    for key in sorted(keys, key=lambda k: [(v is None, str(v)) for v in k]):
        names = [words.value_of(b, v) for b, v in zip(by, key, strict=True)]
        where: dict[str, Any] = {**place.where, **fixed, **dict(zip(by, key, strict=True))}
        cells = [figures.total(pivot.name, m.key, **where) for m in measures]
        body.append(Row(names[0], [*names[1:], *cells]))
    labels = [BREAKDOWNS[b].label for b in by]
    units = "".join(f", {words.dimension(v)}s" for v in fixed.values())
    listed = " and ".join(label[:1].lower() + label[1:] for label in labels)
    return Table(
        "-".join(["by", *(b.replace("_", "-") for b in by), *(v.replace("_", "-") for v in fixed.values())])
        + f"-{extract.replace('_', '-')}-{place.area_code}",
        f"{place.name}: {LABELS[extract].lower()} by {listed}{units}, all days",
        [*(Head(label, is_number=False) for label in labels), *(head(m.key, m.over_days_label) for m in measures)],
        body,
        behind=place.link(extract),
        says=[
            said
            for m in measures
            if m.explains or not any(x.explains for x in BY_EXTRACT[extract].measures)
            for said in _explained(figures, place, extract, pivot, fixed, by, m)
        ],
    )


def _explained(
    figures: Figures, place: Place, extract: str, pivot: Pivot, fixed: dict[str, Any], by: list[str], m: Measure
) -> Iterator[Markup]:
    """How much of what was sent each breakdown is stated for."""
    whole = figures.total(daily_table(extract), m.key, **place.where, **fixed)
    if not whole.value:
        return
    for b in by:
        values = {r[b] for r in figures.rows(pivot.name, **place.where, **fixed)}
        if not pivot.given and None not in values:
            continue
        stated = tuple(sorted((v for v in values if v is not None), key=str))
        of_stated: dict[str, Any] = {**place.where, **fixed, b: stated}
        known = figures.total(pivot.name, m.key, **of_stated)
        yield Markup("{} explains {} of the {} {}.").format(
            BREAKDOWNS[b].label, ratio(known, whole) if known else "none", whole, m.over_days_label.lower()
        )


def beside(
    figures: Figures,
    table_id: str,
    caption: str,
    first: str,
    places: Sequence[tuple[Place, str | Markup, str]],
    *,
    says_order: bool = False,
    **more: Any,
) -> Table:
    """Areas under one another, highest first; columns that nobody sent are left out.

    Args:
        figures: of the release.
        table_id: for links.
        caption: of the table.
        first: heading of the first column.
        places: each area, how to name it, and its tags for the filter.
        says_order: whether the caption goes on with the total that they are ordered by: the first that anybody has.
        more: further fields of `Table`.
    """
    everyone = [r for p, *_ in places for r in figures.rows(TOTALS_TABLE, **p.where)]
    shown = [x for x in shown_in("areas") if any(r[x.key] is not None for r in everyone)]
    totals = [t for t in (*shown_in("map"), *shown) if isinstance(t, Total)]

    def weight(item: tuple[Place, str | Markup, str]) -> tuple[Any, ...]:
        row = next(iter(figures.rows(TOTALS_TABLE, **item[0].where)), {})
        return (*(-(row.get(t.key) or 0) for t in totals), item[0].name)

    heads: list[str | Head] = [first]
    for x in shown:
        heads.append(head(x.key, x.head))
        if _is_trusts_shown(x, everyone):
            heads.append(Head("Trusts in that share"))
    heads += [Head(f"Returns, {LABELS[e].lower()}", term="returns") for e in asked_for()]
    rows = [
        Row(name, [*(c for x in shown for c in _beside(figures, p, x, everyone)), *_returned(figures, p)], tags=tags)
        for p, name, tags in sorted(places, key=weight)
    ]
    by = next((t for t in totals if any(r[t.key] for r in everyone)), None)
    caption += f", by “{by.label}”, highest first" if by and says_order else ""
    return Table(table_id, caption, heads, rows, **more)


def _is_trusts_shown(entry: Total | Share, everyone: list[dict[str, Any]]) -> bool:
    """Not where each row is one trust: it would say nothing."""
    return isinstance(entry, Share) and any((r[entry.trusts] or 0) > 1 for r in everyone)


def _beside(
    figures: Figures, place: Place, entry: Total | Share, everyone: list[dict[str, Any]]
) -> Iterator[Figure | Markup]:
    if isinstance(entry, Total):
        found = figure(figures, place.where, entry.key)
        is_thin = bool(found) and Cover(figures, place.where, entry.key).is_thin
        yield Markup("{} so far").format(found) if is_thin else found
        return
    share = share_of(figures, place.where, entry)
    row = next(iter(figures.rows(TOTALS_TABLE, **place.where)), {})
    is_doubtful = bool(share and entry.unreliable and row.get(entry.unreliable))
    yield Markup("{} {}").format(share, words.UNRELIABLE) if is_doubtful else share
    if _is_trusts_shown(entry, everyone):
        yield figures.total(TOTALS_TABLE, entry.trusts, **place.where)


def _returned(figures: Figures, place: Place) -> list[Figure]:
    prefixes = asked_for().values()
    return [figures.total(TOTALS_TABLE, f"{p}coverage", percent=True, **place.where) for p in prefixes]
