"""Charts as SVG, drawn offline. Each comes with a sentence that states its finding."""

from __future__ import annotations

import re
from typing import Any

import altair as alt
import vl_convert as vlc

# Okabe and Ito's colours: told apart with any colour vision, and in grey print by their order.
COLOURS = {
    "Inpatient": "#0072B2",
    "Outpatient": "#E69F00",
    "Community": "#009E73",
    "Mental health": "#CC79A7",
}


def days_chart(rows: list[dict[str, Any]], unit: str) -> str:
    """Stacked bars by strike day.

    Args:
        rows: `day` (text), `order` (number), `setting` (a key of `COLOURS`) and `count`.
        unit: what is counted, for the axis.

    Returns:
        An SVG element sized by its container, hidden from screen readers: the caption and table say it.
    """
    used = [s for s in COLOURS if any(r["setting"] == s for r in rows)]
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_bar(stroke="white", strokeWidth=1)
        .encode(
            x=alt.X("day:N", sort=alt.EncodingSortField("order"), title=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("sum(count):Q", title=unit, axis=alt.Axis(format=",d", tickMinStep=1)),
            color=alt.Color(
                "setting:N",
                scale=alt.Scale(domain=used, range=[COLOURS[s] for s in used]),
                legend=alt.Legend(title=None, orient="top"),
            ),
            order=alt.Order("setting:N"),
        )
        .properties(width=560, height=260)
        .configure(font="Arial, sans-serif", background="white")
        .configure_axis(labelFontSize=14, titleFontSize=14)
        .configure_legend(labelFontSize=14)
        .configure_view(stroke=None)
    )
    svg = vlc.vegalite_to_svg(chart.to_dict())
    svg = re.sub(r' (width|height)="\d+(\.\d+)?"', "", svg, count=2)
    svg = re.sub(r' aria-[a-z]+="[^"]*"| role="[^"]*"', "", svg)
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
