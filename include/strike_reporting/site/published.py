"""Official published figures beside the release's own, with the difference."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup

from strike_reporting.catalogue.measures import Total
from strike_reporting.extracts.measures import TOTALS, TOTALS_TABLE, daily_table, extract_of
from strike_reporting.reference.actions import ActionSet
from strike_reporting.reference.facts import PublishedFigure, published_figures
from strike_reporting.site import words
from strike_reporting.site.cover import Cover, figure
from strike_reporting.site.figures import Figure, Figures, Row, Table

_QUALIFIED = {"exact": "", "approximate": "about "}


def compared_table(figures: Figures, action: ActionSet, synthetic: bool, what: str = "release") -> Table | None:
    """Figures published at the time beside this release's (or draft's); None when nothing was published for the action.

    A figure that several sources give alike is one row with all of them.
    """
    found: dict[tuple[Any, ...], list[PublishedFigure]] = {}
    for f in published_figures():
        if f.action_id == action.action_id and f.value is not None:
            key = (f.geography_type, f.geography_code, f.measure, f.day, f.value, f.value_qualifier)
            found.setdefault(key, []).append(f)
    names = {(r["area_type"], r["area_code"]): r["area_name"] for r in figures.rows(TOTALS_TABLE)}
    rows = [_row(same, figures, action, names, synthetic, what) for same in found.values()]
    heads = ("Area", "Measure", "Day", "#Published", f"#This {what}", "#Difference", "Sources and note")
    caption = f"Figures published at the time, and this {what}’s"
    return Table("published-figures", caption, heads, rows) if rows else None


def _row(
    same: list[PublishedFigure],
    figures: Figures,
    action: ActionSet,
    names: dict[tuple[str, str], str],
    synthetic: bool,
    what: str,
) -> Row:
    f = same[0]
    ours, value = ours_for(f, figures, action), f.value or 0.0
    where = {"area_type": f.geography_type, "area_code": f.geography_code}
    total = _same(f)
    is_thin = total is not None and bool(ours) and Cover(figures, where, total.key).is_thin
    is_exact = f.value_qualifier == "exact"
    gap = None if ours.value is None or synthetic or is_thin or not is_exact else ours.value - value
    notes = []
    if synthetic:
        notes.append("synthetic data: not to be compared")
    elif ours.value is None:
        notes.append("nothing here to compare it with")
    elif is_thin:
        notes.append("too few trusts have returned for a difference")
    elif not is_exact:
        notes.append("no exact figure, so no difference")
    elif gap and f.geography_type in ("england", "region"):
        notes.append(f"this {what} holds only the trusts that returned")
    elif gap:
        notes.append("differs from the return: see the source’s note")
    link = Markup('<a href="{}">{}</a>')
    urls = dict.fromkeys(s.source_url for s in same)
    sources = Markup(", ").join(link.format(u, (urlsplit(u).hostname or u).removeprefix("www.")) for u in urls)
    return Row(
        names.get((f.geography_type, f.geography_code), f.geography_code),
        [
            label(f),
            words.short_day(f.day) if f.day else "whole action",
            qualified(f),
            ours,
            _number(gap),
            sources + "".join(f"; {n}" for n in notes),
        ],
    )


def _number(value: float | None) -> str:
    return words.number(value, 0 if value is None or float(value).is_integer() else 1)


def qualified(f: PublishedFigure) -> str:
    """The value as it was published: `about 195,000`, `more than 116,000`."""
    said = _QUALIFIED.get(f.value_qualifier, f"{words.dimension(f.value_qualifier)} ")
    return said + _number(f.value)


def label(f: PublishedFigure) -> str:
    """What the published measure is called: by its own name, which says whose it is."""
    return words.dimension(f.measure).capitalize()


def _same(f: PublishedFigure) -> Total | None:
    """The total of ours that counts the same; None when none does."""
    found = (t for t in TOTALS.values() if f.measure in t.published_as or (f.day and f.measure in t.published_daily_as))
    return next(found, None)


def ours_for(f: PublishedFigure, figures: Figures, action: ActionSet) -> Figure:
    """Ours for the same area, day and measure; not known where nothing is comparable."""
    total = _same(f)
    where: dict[str, Any] = {"area_type": f.geography_type, "area_code": f.geography_code}
    if total is None:
        return Figure(None, words.NOT_AVAILABLE, "")
    if f.day is None or total.kind != "sum" or len(action.days) == 1:
        return figure(figures, where, total.key)
    of_day = {**where, **total.where, "strike_day": f.day}
    return figures.total(daily_table(extract_of(total.key)), total.of, **of_day)
