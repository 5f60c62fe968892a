"""Charts as SVG, drawn offline. A page puts beside each a sentence that states its finding, and a table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from markupsafe import Markup

from strike_reporting.reference.facts import read_csv

# Okabe and Ito's colours, given out in order: told apart with any colour vision, and in grey print by their order.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")


class Bar(NamedTuple):
    """A part of one bar."""

    name: str
    part: str
    amount: float


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
        unit: what is counted, for the axis.
        sideways: bars from left to right, for long names.
    """
    import altair as alt  # slow to import, and most runs draw nothing

    used = [p for p in order if any(b.part == p for b in parts)]
    scale = alt.Scale(domain=list(names))
    if sideways:
        # Room for the longest name in any font: a reader's may be wider than the one it was drawn with.
        axis = alt.Axis(labelLimit=400, minExtent=9 * max(map(len, names), default=0))
        along: dict[str, Any] = {"y": alt.Y("name:N", sort=list(names), title=None, axis=axis, scale=scale)}
        across: Any = alt.X
    else:
        axis = alt.Axis(labelAngle=0)
        along = {"x": alt.X("name:N", sort=list(names), title=None, axis=axis, scale=scale)}
        across = alt.Y
    side = "x" if sideways else "y"
    amount = across("sum(amount):Q", title=None, axis=alt.Axis(format=",d", tickMinStep=1))
    bar = (
        alt.Chart(alt.Data(values=[b._asdict() for b in parts]))
        .mark_bar(stroke="white", strokeWidth=1)
        .encode(
            **along,
            **{side: amount},
            color=alt.Color(
                "part:N",
                scale=alt.Scale(domain=used, range=list(PALETTE[: len(used)])),
                legend=alt.Legend(title=None, orient="top", columnPadding=24) if len(used) > 1 else None,
            ),
            order=alt.Order("part:N"),
        )
    )
    # A mark stands on top of what is drawn, and on the axis where nothing is.
    tops = [{"name": n, "text": t, "top": sum(b.amount for b in parts if b.name == n)} for n, t in marks.items()]
    text = (
        alt.Chart(alt.Data(values=tops))
        .mark_text(fontSize=13, **({"align": "left", "dx": 4} if sideways else {"dy": -8}))
        .encode(**along, **{side: across("top:Q", title=None)}, text="text:N")
    )
    chart = (
        (bar + text if tops else bar)
        # Over the chart, not beside the axis, for the same reason.
        .properties(title=alt.Title(unit, anchor="start", fontSize=14))
        .properties(width=420 if sideways else 560, height=max(60, 34 * len(names)) if sideways else 240)
    )
    return _svg(chart, "bars")


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
