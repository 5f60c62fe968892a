"""What a page says of the strike itself: its hours and cover day by day, and what one that was not held still cost."""

from __future__ import annotations

from datetime import date, time

from markupsafe import Markup

from strike_reporting.catalogue.measures import Total
from strike_reporting.extracts.measures import LABELS, MEASURES, extract_of, is_asked_only_if_struck, shown_in
from strike_reporting.reference.actions import Action, ActionSet, days_text, true_on
from strike_reporting.site import words
from strike_reporting.site.area import Place
from strike_reporting.site.cover import Cover, figure
from strike_reporting.site.figures import Figures, Row, Table

CAPTION = "Cancelled in advance, cancelled all the same, and put back"


def each_day(action: ActionSet) -> Table:
    """Hours and cover of every strike day as they were on that day, whatever was changed later."""
    rows = []
    for day in action.days:
        for one in (a for a in action.actions if day in a.days):
            then = true_on(one.action_id, day)
            held = one.status.replace("_", " ").capitalize() if day not in one.struck else _hours(then, day)
            rows.append(
                Row(words.short_day(day), [one.action_id, held, words.dimension(then.cover_level).capitalize()])
            )
    return Table("each-day", "The strike day by day, as it was on that day", ("Day", "Action", "Hours", "Cover"), rows)


def _hours(action: Action, day: date) -> str:
    """From when to when it was struck on a day."""
    if action.daily_pattern != "continuous":
        return action.daily_pattern.capitalize()
    start = f"From {action.start:%H:%M}" if day == action.start.date() else "All day"
    if day != action.days[-1]:
        return start
    until = f"{action.end:%H:%M}" + (" the next morning" if action.end.date() > day else "")
    if action.end.time() == time(0):
        until = "midnight"
    return f"{start} until {until}" if start != "All day" else f"Until {until}"


def not_held(figures: Figures, place: Place) -> Table | None:
    """What was cancelled in advance, cancelled all the same and put back, side by side; None where nobody was asked."""
    rows, totals = [], [t for t in shown_in("not_held") if isinstance(t, Total)]
    settings, measures = [t.settings for t in totals], [*MEASURES]
    for total in sorted(totals, key=lambda t: (settings.index(t.settings), measures.index(t.of))):
        now, cover = figure(figures, place.where, total.key), Cover(figures, place.where, total.key)
        if not cover.is_applicable:
            continue
        so_far = Markup("reported so far {}").format(cover.so_far) if now and cover.is_thin else cover.said
        named = Markup('<a href="{}">{}</a>').format(place.link(extract_of(total.key)), total.label)
        rows.append(Row(named, [now, so_far]))
    return Table("not-held", CAPTION, ("Measure", "#Number", "Of whom"), rows) if rows else None


def off(action: ActionSet) -> str:
    """Of a strike that was suspended or called off: which, when, and what was struck all the same; else nothing."""
    said = []
    for one in (a for a in action.actions if a.is_off):
        when = f" on {date.fromisoformat(one.status_date):%-d %B %Y}" if one.status_date else ""
        struck = f"; struck were {days_text(one.struck)}" if one.struck else "; no day was struck"
        said.append(f"{one.action_id} was {one.status.replace('_', ' ')}{when}{struck}")
    return ". ".join(said)


def unasked() -> str:
    """What nobody is asked for where a strike was not held."""
    what = [LABELS[e].lower() for e in LABELS if is_asked_only_if_struck(e)]
    return f"Nobody is asked for {' or '.join(what)} of a day that was not struck." if what else ""
