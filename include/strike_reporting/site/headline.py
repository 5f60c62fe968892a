"""The headline of an area: each figure with its coverage, its flags, what it was before, and the way to its files."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from markupsafe import Markup, escape

from strike_reporting.catalogue.measures import Share, Total
from strike_reporting.catalogue.standings import REVISED_MARK
from strike_reporting.extracts.measures import TOTALS, TOTALS_TABLE, extract_of, parts_of, shown_in
from strike_reporting.site import words
from strike_reporting.site.area import Place
from strike_reporting.site.cover import Cover, covers_of, figure, nobody, share_of
from strike_reporting.site.figures import Figure, Figures, change, less


@dataclass(frozen=True)
class Past:
    """The release before this one of the same action: how a line about it begins, what it is, and its figures."""

    label: str
    what: str
    figures: Figures


@dataclass(frozen=True)
class Line:
    """One figure of the headline. `so_far`: it is none of the area, and this is by whom. `notes`: what is beside it.

    compared: what it was in releases before. is_revised: it is another one than there.
    """

    key: str
    label: str
    figure: Figure
    link: str
    mark: str = ""
    so_far: Markup | None = None
    notes: list[Markup] = field(default_factory=list)
    compared: list[Markup] = field(default_factory=list)
    is_revised: bool = False


def headline(figures: Figures, place: Place, pasts: list[Past], mark: str = "") -> list[Line]:
    """The area's figures, each with what stands beside it; empty if nobody was asked.

    Args:
        figures: of the release.
        place: the area.
        pasts: releases to compare with.
        mark: what stands beside every figure of the release.
    """
    if not figures.rows(TOTALS_TABLE, **place.where):
        return []
    found = (
        _total(figures, place, x, pasts) if isinstance(x, Total) else _share(figures, place, x, pasts)
        for x in shown_in("headline")
    )
    return [_marked(line, mark) for line in found if line is not None]


def _marked(line: Line, mark: str) -> Line:
    """A figure with the shorthand for how final it is, and whether it is another one than before."""
    if not line.figure or line.so_far:
        return line
    revised = REVISED_MARK if line.is_revised else ""
    return replace(line, mark=" ".join(m for m in (line.mark, mark + revised) if m))


def _total(figures: Figures, place: Place, total: Total, pasts: list[Past]) -> Line | None:
    now = figure(figures, place.where, total.key)
    if not now and not total.is_always_shown:
        return None
    if not all(figure(figures, place.where, t.key) for t in parts_of(total)):
        return None  # a sum needs all its parts
    cover = Cover(figures, place.where, total.key)
    is_thin = cover.is_thin and bool(now)
    notes = [cover.too_few if is_thin else cover.said]
    notes += [escape(total.note)] if total.note else []
    notes += [] if is_thin else _of_days(figures, place, total, now)
    flagged = cover.flagged(now)
    compared, is_revised = ([], False) if is_thin else _compared(now, pasts, place, total)
    return Line(
        total.key,
        total.label,
        now,
        place.link(extract_of(total.key)),
        so_far=cover.so_far if is_thin else None,
        notes=notes + ([flagged[:1].upper() + flagged[1:]] if flagged else []),
        compared=compared,
        is_revised=is_revised,
    )


def _of_days(figures: Figures, place: Place, total: Total, now: Figure) -> list[Markup]:
    """Which day the peak was, and of which trusts a peak or a mean is."""
    if not total.basis:
        return []
    row = figures.rows(TOTALS_TABLE, **place.where)[0]
    notes = [escape(words.day(row[f"{total.key}_day"]))] if now and total.kind == "peak" else []
    if not row[f"{total.basis}_is_same_trusts"]:
        return notes
    if not now:
        who = "It has no" if place.area_type == "trust" else "No trust has a"
        return [Markup("{} return for every strike day, so days cannot be compared").format(who)]
    if place.area_type == "trust":
        return notes
    trusts = figures.total(TOTALS_TABLE, f"{total.basis}_trusts", **place.where)
    said = Markup("Of the {} {} with a return for every strike day, because on some day too many are missing")
    return [*notes, said.format(trusts, words.counted(trusts.value, "trust"))]


def _share(figures: Figures, place: Place, share: Share, pasts: list[Past]) -> Line | None:
    """A share with its numerator, its denominator, its trusts, and the share in which impossible pairs are kept."""

    def of(column: str, **style: Any) -> Figure:
        return figures.total(TOTALS_TABLE, column, **style, **place.where)

    now, kept = share_of(figures, place.where, share), of(share.key, percent=True)
    if not kept and not share.is_always_shown:
        return None
    if not now and (kept or now.text == words.NOT_APPLICABLE):
        totals = [TOTALS[c.measure] for c in covers_of(figures, place.where, share)]
        why = "No share is drawn: too few of the returns that were asked for are here"
        why = why if kept else nobody(totals).capitalize()
        return Line(share.key, share.label, now, place.link(extract_of(share.key)), notes=[escape(why)])
    notes = _behind(share, of, place) if now else [_no_share(place)]
    if share.with_impossible:
        whole = of(share.with_impossible, percent=True)
        if whole and whole.value != now.value:
            notes.append(Markup("With the pairs in whose part is more than the whole: {}").format(whole))
    row = figures.rows(TOTALS_TABLE, **place.where)[0]
    compared, is_revised = _compared(now, pasts, place, share)
    mark = words.UNRELIABLE if share.unreliable and row[share.unreliable] else ""
    return Line(
        share.key,
        share.label,
        now,
        place.link(extract_of(share.key)),
        mark=mark,
        notes=notes,
        compared=compared,
        is_revised=is_revised,
    )


def _behind(share: Share, of: Any, place: Place) -> list[Markup]:
    below, above = of(share.below), of(share.above)
    part = less(below, above) if share.is_complement else above
    said = Markup("{} of {} {}").format(part, below, share.above_unit)
    if place.area_type == "trust":
        return [said]
    trusts = of(share.trusts)
    return [said, Markup("Of {} {} that sent both, whole").format(trusts, words.counted(trusts.value, "trust"))]


def _no_share(place: Place) -> Markup:
    who = "It has not" if place.area_type == "trust" else "No trust has"
    return Markup("{} sent both parts of it for the same days, split alike, with no row left out").format(who)


def _compared(now: Figure, pasts: list[Past], place: Place, entry: Total | Share) -> tuple[list[Markup], bool]:
    """What it was in the release before of the same action; another action’s days are others, so it is no measure."""
    style: dict[str, Any] = {"percent": True} if isinstance(entry, Share) else {"places": entry.places}
    said, is_revised = [], False
    for past in pasts:
        if isinstance(entry, Total) and Cover(past.figures, place.where, entry.key).is_thin:
            continue
        old = past.figures.total(TOTALS_TABLE, entry.key, **style, **place.where)
        moved = change(now, old)
        if moved is not None:
            said.append(Markup("{}: {} {} {}").format(past.label, moved, "from" if moved.value else "at", old))
            is_revised = is_revised or bool(moved.value)
    return said, is_revised


def with_mark(line: Line) -> str:
    """A figure of the headline as text: with its mark, or by whom it is reported so far."""
    text = f"{line.figure.text} {line.mark}".strip()
    return f"{text} reported so far {line.so_far.striptags()}" if line.so_far else text
