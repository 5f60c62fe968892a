"""What is drawn of an area: its days, its trusts, and the boards of England, in the parts that its headline adds up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from markupsafe import Markup

from strike_reporting.catalogue.areas import is_narrow
from strike_reporting.catalogue.measures import Total
from strike_reporting.catalogue.tables import COVERAGE
from strike_reporting.extracts.measures import daily_table, extract_of, parts_of, shown_in
from strike_reporting.reference.actions import ActionSet
from strike_reporting.settings import settings
from strike_reporting.site import charts, words
from strike_reporting.site.area import Place
from strike_reporting.site.cover import Cover, figure
from strike_reporting.site.figures import Figure, Figures

Chart = tuple[Markup | None, Markup]


def main_total() -> Total:
    """The total that is drawn, and by which areas are put in order."""
    return next(t for t in shown_in("map") if isinstance(t, Total))


def _on(figures: Figures, place: Place, total: Total, day: date | None) -> Figure:
    where = {**place.where, **({"strike_day": day} if day else {}), **total.where}
    return figures.total(daily_table(extract_of(total.key)), total.of, **where)


def days(figures: Figures, action: ActionSet, place: Place) -> Chart:
    """The parts of the main total by day, and the sentence that says what the chart shows."""
    total = main_total()
    parts = [t for t in parts_of(total) or [total] if Cover(figures, place.where, t.key).is_applicable]
    found = {
        d: [(t, _on(figures, place, t, d)) for t in parts]
        for d in (*action.days, *action.closing_days)
        if d in action.days or _on(figures, place, total, d)
    }
    known = {d: _on(figures, place, total, d) for d, of in found.items() if any(f for _, f in of)}
    what = total.label[:1].lower() + total.label[1:]
    if not known:
        return None, Markup("Nothing has been reported yet ({}), so there is nothing to draw.").format(what)
    whole = _on(figures, place, total, None)
    finding = _finding(figures, action, place, total, known, whole)
    if len(found) == 1:
        return None, finding  # one bar says no more than its number
    bars = [charts.Bar(f"{d:%-d %b}", t.head, f.value) for d, of in found.items() for t, f in of if f.value is not None]
    marks = {f"{d:%-d %b}": _mark(of) for d, of in found.items() if not all(f for _, f in of)}
    names = [f"{d:%-d %b}" for d in found]
    title = f"{total.label}, {total.unit}"
    return charts.bars(bars, names, [t.head for t in parts], marks, title), finding


def _mark(of: Sequence[tuple[Total, Figure]]) -> str:
    """What stands where something is missing: a day that is not there is no day of nothing."""
    if not any(f for _, f in of):
        return f"{words.NOT_AVAILABLE} no return"
    return ", ".join(f"{words.NOT_AVAILABLE} {t.head.lower()}" for t, f in of if not f)


def _finding(
    figures: Figures, action: ActionSet, place: Place, total: Total, known: dict[date, Figure], whole: Figure
) -> Markup:
    missing = [d for d in action.days if d not in known]
    if len(action.days) == 1 and len(known) == 1:
        [(day, only)] = known.items()
        return Markup("{} {} were reported cancelled on {}.").format(only, total.unit, words.day(day))
    if not missing and _is_comparable(figures, action, place, total):
        worst = max(known, key=lambda d: known[d].value or 0)
        return Markup("The day with most was {}, with {} of {} {} over {} days.").format(
            words.day(worst), known[worst], whole, total.unit, len(known)
        )
    gone = Markup(" Nothing is known of {}.").format(", ".join(map(words.day, missing))) if missing else Markup("")
    why = "The days are not compared, because on some too many returns are missing."
    return Markup("Reported: {} {} over {} of {} days.{} {}").format(
        whole, total.unit, len(known), len(known) + len(missing), gone, why
    )


def _is_comparable(figures: Figures, action: ActionSet, place: Place, total: Total) -> bool:
    """Whether nearly all that was asked for is there on every strike day."""
    if is_narrow(place.area_type):
        cover = figures.rows(COVERAGE.name, measure=total.key, strike_day=None, **place.where)
        return all(r["returns_covered"] == r["returns_expected"] for r in cover)
    cover = figures.rows(COVERAGE.name, measure=total.key, strike_day=tuple(action.days), **place.where)
    return bool(cover) and all((r["percent_covered"] or 0) >= settings().comparable_cover_percent for r in cover)


def tiles(figures: Figures, boards: Sequence[Place]) -> Chart:
    """The main total by board; one of which too little came is drawn as not known."""
    total = main_total()
    values = {p.area_code: figure(figures, p.where, total.key) for p in boards}
    whole = [p for p in boards if values[p.area_code] and not Cover(figures, p.where, total.key).is_thin]
    if not boards:
        return None, Markup("There were no integrated care boards before July 2022.")
    if not whole:
        return None, Markup("Of no integrated care board has enough been reported to draw a map.")
    drawn = charts.icb_tiles(
        {p.area_code: values[p.area_code].value if p in whole else None for p in boards}, total.label
    )
    top = max(whole, key=lambda p: values[p.area_code].value or 0)
    return drawn, Markup("{} ({}) reported most: {}. {} of {} boards have enough returns to be drawn.").format(
        words.short(top.name), top.area_code, values[top.area_code], len(whole), len(boards)
    )


def trusts(figures: Figures, places: Sequence[Place]) -> tuple[Markup | None, Markup | None]:
    """The main total by trust in its parts; a trust without a figure keeps its place."""
    total = main_total()
    parts = parts_of(total) or [total]
    able = [p for p in places if Cover(figures, p.where, total.key).is_applicable]
    values = {p.area_code: figure(figures, p.where, total.key) for p in able}
    if sum(bool(v) for v in values.values()) < 2:
        return None, None
    able.sort(key=lambda p: (-(values[p.area_code].value or 0), p.name))
    bars, marks = [], {}
    for p in able:
        of = [(t, figure(figures, p.where, t.key)) for t in parts]
        bars += [charts.Bar(words.short(p.name), t.head, f.value) for t, f in of if f.value is not None]
        if any(f.text == words.NOT_AVAILABLE for _, f in of):
            marks[words.short(p.name)] = _mark([(t, f) for t, f in of if f.text != words.NOT_APPLICABLE])
    names = [words.short(p.name) for p in able]
    drawn = charts.bars(bars, names, [t.head for t in parts], marks, f"{total.label}, {total.unit}", sideways=True)
    if any(not values[p.area_code] for p in able):
        return drawn, Markup("{} has no figure for some of them; the rest is in order.").format(total.label)
    return drawn, Markup("{} reported most: {} {}.").format(able[0].name, values[able[0].area_code], total.unit)
