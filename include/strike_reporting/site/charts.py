"""Charts as SVG, drawn offline. A page puts beside each a sentence that states its finding, and a table."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from markupsafe import Markup

from strike_reporting.reference.facts import read_csv
from strike_reporting.site.rendering import environment

# Okabe and Ito's colours, given out in order: told apart with any colour vision, and in grey print by their order.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")


class Bar(NamedTuple):
    """A part of one bar."""

    name: str
    part: str
    amount: float


class _Text(NamedTuple):
    """Words on a chart, by the point that they are anchored at."""

    x: float
    y: float
    said: str
    anchor: str = "middle"


class _Rect(NamedTuple):
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    fill: str


_LETTER, _LINE = 8, 26  # room for a letter and for a line of words, in any font: a reader's may be wider than ours
_ACROSS, _DOWN, _BAND = 560, 240, 34  # of what is drawn in: upright bars; the height that a sideways bar has
_FILLED = 0.86  # of a band


def bars(
    parts: Sequence[Bar],
    names: Sequence[str],
    order: Sequence[str],
    marks: Mapping[str, str],
    unit: str,
    *,
    sideways: bool = False,
) -> Markup:
    """Stacked bars.

    Args:
        parts: what is drawn.
        names: every place on the axis in order, also those of which nothing is drawn.
        order: the parts' names, in the order of their colours.
        marks: by name, the text that stands where something is missing.
        unit: what is counted, said over the chart.
        sideways: bars from left to right, for long names.
    """
    used = [p for p in order if any(b.part == p for b in parts)]
    tops = {n: sum(b.amount for b in parts if b.name == n) for n in names}
    ticks = _ticks(max(tops.values(), default=0))
    longest = max(map(len, names), default=0)
    left = _LETTER * (longest if sideways else len(f"{ticks[-1]:,}")) + 12
    head = _LINE * (2 if len(used) > 1 else 1) + (0 if sideways else _LINE)  # a mark may stand on the highest bar
    band = _BAND if sideways else max(_ACROSS / len(names), _LETTER * longest)
    long, wide = (_ACROSS - 140, band * len(names)) if sideways else (_DOWN, band * len(names))
    scale = long / ticks[-1]
    filled: list[_Rect] = []
    words = [_Text(0, 18, unit, "start")]
    for n, name in enumerate(names):
        start, thick, at = n * band + band * (1 - _FILLED) / 2, band * _FILLED, 0.0
        for part in used:
            size = scale * sum(b.amount for b in parts if b.name == name and b.part == part)
            fill = PALETTE[used.index(part) % len(PALETTE)]
            if size and sideways:
                filled.append(_Rect(left + at, head + start, size, thick, fill))
            elif size:
                filled.append(_Rect(left + start, head + long - at - size, thick, size, fill))
            at += size
        middle = start + thick / 2
        if sideways:
            words.append(_Text(left - 8, head + middle + 5, name, "end"))
            words += [_Text(left + at + 6, head + middle + 5, marks[name], "start")] if name in marks else []
        else:
            words.append(_Text(left + middle, head + long + 20, name))
            words += [_Text(left + middle, head + long - at - 7, marks[name])] if name in marks else []
    for tick in ticks:
        along = tick * scale
        words.append(
            _Text(left + along, head + wide + 20, f"{tick:,}")
            if sideways
            else _Text(left - 8, head + long - along + 5, f"{tick:,}", "end")
        )
    marked = _LETTER * max((len(m) for m in marks.values()), default=0) if sideways else 0
    width = left + (long + max(20, marked) if sideways else wide)
    legend = _legend(used) if len(used) > 1 else []
    return Markup(  # noqa: S704 - our own template, which escapes
        environment()
        .get_template("bars.svg.jinja")
        .render(
            width=max([width, *(x + 20 + _LETTER * len(part) for x, part, _ in legend)]),
            height=head + (wide if sideways else long) + _LINE,
            filled=filled,
            words=words,
            legend=legend,
            grid=[
                (left + t * scale, head, 0, wide) if sideways else (left, head + long - t * scale, wide, 0)
                for t in ticks
            ],
        )
    )


def _legend(used: Sequence[str]) -> list[tuple[float, str, str]]:
    """Where each part's name stands, and its colour."""
    found, x = [], 0.0
    for n, part in enumerate(used):
        found.append((x, part, PALETTE[n % len(PALETTE)]))
        x += _LETTER * len(part) + 44
    return found


def _ticks(most: float) -> list[int]:
    """Round whole numbers from nought to at least the most, four to six of them where there are as many."""
    step = 1
    while most / step > 5:
        step = step * 5 // 2 if str(step).startswith("2") else step * 2
    return list(range(0, step * max(1, math.ceil(most / step)) + 1, step))


@cache
def _tiles() -> dict[str, tuple[int, int]]:
    return {r["icb_code"]: (int(r["row"]), int(r["column"])) for r in read_csv("icb_tiles")}


def icb_tiles(values: dict[str, float | None], unit: str) -> Markup | None:
    """A map with one tile for each integrated care board, darker for more; None when none has a place on it.

    Args:
        values: by ICB code; None where too few have returned, drawn white with [x].
        unit: what is counted, for the legend.
    """
    import altair as alt

    rows: list[dict[str, Any]] = []
    for code, value in values.items():
        if code in _tiles():
            row, column = _tiles()[code]
            text = "[x]" if value is None else f"{value:,.0f}"
            rows.append({"row": row, "column": column, "code": code, "value": value, "text": text})
    if not rows:
        return None
    top = max((r["value"] or 0) for r in rows) or 1
    dark = alt.datum.value > top * 0.65
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("column:O", axis=None, scale=alt.Scale(padding=0.05)),
        y=alt.Y("row:O", axis=None, scale=alt.Scale(padding=0.05)),
    )
    fill = alt.Color(
        "value:Q",
        scale=alt.Scale(range=["#e8f1fa", "#00366d"], domain=[0, top]),
        legend=alt.Legend(title=unit, orient="top", format=",d", gradientLength=220),
    )
    empty = base.mark_rect(stroke="#4c6272", fill="white")
    tile = base.transform_filter("datum.value !== null").mark_rect(stroke="#4c6272").encode(color=fill)
    ink = alt.condition(dark, alt.value("white"), alt.value("black"))
    code = base.mark_text(fontSize=12, dy=-8, fontWeight="bold").encode(text="code:N", color=ink)
    number = base.mark_text(fontSize=13, dy=9).encode(text="text:N", color=ink)
    return _svg((empty + tile + code + number).properties(width=460, height=460), "tiles")


def _svg(chart: Any, prefix: str) -> Markup:
    """An SVG element sized by its container, hidden from screen readers: the caption and the table say it."""
    import vl_convert as vlc

    chart = (
        chart.configure(font="Arial, sans-serif", background="white")
        .configure_axis(labelFontSize=14, titleFontSize=14)
        .configure_legend(labelFontSize=14, titleFontSize=14, titleLimit=300)
        .configure_view(stroke=None)
    )
    svg = vlc.vegalite_to_svg(chart.to_dict())
    svg = re.sub(r' (width|height)="\d+(\.\d+)?"', "", svg, count=2)
    # Ids are counted over the whole process: count them over this chart, so the same chart has the same bytes.
    seen: dict[str, str] = {}
    svg = re.sub(r"\b(?:gradient_|clip)\d+", lambda m: seen.setdefault(m[0], f"{prefix}-{len(seen)}"), svg)
    svg = re.sub(r' aria-[a-z]+="[^"]*"| role="[^"]*"', "", svg)
    return Markup(svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1))  # noqa: S704 - drawn by us
