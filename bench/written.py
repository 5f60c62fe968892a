"""What was measured, as docs/performance.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import altair as alt
import numpy as np

if TYPE_CHECKING:
    from run import Sent, Size

HEAD = """# What it costs

`make bench` writes this page. Ours is the pipeline's compute path, from landed bytes to accepted rows, ledger,
quarantine and published tables. The reference is a plain script with one DuckDB connection and explicit schemas
(`bench/reference.py`, frozen: SHA-256 `{frozen}`): it has no landing, dialects, guard, lineage, outcomes or releases.
Both run one after the other on the same synthetic files, one percent of whose rows are wrong; a figure is the median of
its runs. Imports are told apart on both sides. Ratios travel between machines; seconds do not ({machine}). The floor is
the reference, if it kept each submission's good rows in a file of its own and counted from those (`bench/floor.py`): it
does nothing else that ours does, so what ours does comes on top.
What a round takes under a real scheduler is in `performance-scheduled.md`, what history costs in
`performance-history.md`, and what limits each figure in `performance-limits.md`.
"""
REFERENCE = "the reference"


def performance(
    sizes: Sequence[Size],
    sent: Sent,
    requests: Mapping[str, Mapping[str, int]],
    tables: dict[str, tuple[int, int]],
    frozen: str,
) -> str:
    """The page: both sides by size, our phases with their growth, real dialects, requests, and how far both agree."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    parts = [HEAD.format(frozen=frozen[:16], machine=machine), "## Both sides\n", _sides(sizes)]
    parts += ["\n## Our phases, in processor seconds\n", _phases(sizes)]
    parts.append(
        "\n![Processor seconds of each phase and of the reference against rows: the table above](performance.svg)"
    )
    parts += ["\n## As trusts send it\n", _as_sent(sent, sizes[0])]
    parts += ["\n## Requests to S3\n", _requests(requests)]
    parts += ["\n## Files and pages of a release\n", _reports(sizes)]
    parts += ["\n## Do they agree?\n", "On a clean round, every figure that both make, for every area but sites:\n"]
    parts.append(_table(("table", "figures", "differ"), ((n, f"{a:,}", f"{b:,}") for n, (a, b) in tables.items())))
    return "\n".join(parts) + "\n"


def _sides(sizes: Sequence[Size]) -> str:
    heads = (
        "size",
        "files",
        "rows",
        "ours, processor s",
        "reference",
        "ratio",
        "ratio, wall",
        "floor to reference",
        "ours, MB",
        "reference, MB",
    )
    rows = (
        (
            f"{s.times}×",
            f"{s.files:,}",
            f"{s.rows:,}",
            f"{s.seconds[1]:.1f}",
            f"{s.reference_seconds[1]:.1f}",
            f"**{s.ratio(1):.1f}**",
            f"{s.ratio(0):.1f}",
            "not measured" if s.floor_ratio is None else f"{s.floor_ratio:.1f}",
            f"{s.ours.peak:,.0f}",
            f"{s.reference.peak:,.0f}",
        )
        for s in sizes
    )
    return _table(heads, rows)


def _phases(sizes: Sequence[Size]) -> str:
    heads = ("phase", *(f"{s.times}×" for s in sizes), "grows with rows to the power of")
    rows = ((name, *(f"{s.phases[name][1]:.2f}" for s in sizes), _growth(name, sizes)) for name in sizes[0].phases)
    return _table(heads, rows)


def _reports(sizes: Sequence[Size]) -> str:
    heads = ("size", "pages", "wall s, with CSV and workbook", "bytes of England's page")
    told = ((f"{s.times}×", s.reports) for s in sizes)
    rows = ((n, f"{r['pages']:,}", f"{r['seconds']:.1f}", f"{r['england_bytes']:,}") for n, r in told)
    return _table(heads, rows)


def _as_sent(sent: Sent, template: Size) -> str:
    """Our side on the dialects and file types of a round, beside the template alone."""
    rows = [
        (what, f"{n:,}", f"{sum(p for _, p in laps.values()):.1f}", f"{used.wall:.1f}", f"{used.peak:,.0f}")
        for what, n, used, laps in (
            ("as trusts send it", sent.rows, sent.ours, sent.phases),
            (f"template CSV only, {template.times}×", template.rows, template.ours, template.phases),
        )
    ]
    kinds = "; ".join(f"{n} {kind}" for kind, n in sent.kinds.items())
    heads = ("round", "rows", "processor s, with imports", "wall s", "MB")
    return f"{_table(heads, rows)}\n\nFiles: {kinds}."


def _requests(made: Mapping[str, Mapping[str, int]]) -> str:
    """By stage; what grows with the files is asked of each."""
    stages = [*next(iter(made.values()))]
    return _table(("stage", *made), ((stage, *(f"{of[stage]:,}" for of in made.values())) for stage in stages))


def _growth(name: str, sizes: Sequence[Size]) -> str:
    """The exponent, fitted to all sizes."""
    if len({s.rows for s in sizes}) == 1:
        return "one size only"
    rows, seconds = ([np.log(v) for v in of] for of in ([s.rows for s in sizes], [s.phases[name][1] for s in sizes]))
    return f"{np.polyfit(rows, seconds, 1)[0]:.2f}"


def plot(sizes: Sequence[Size], path: Path) -> None:
    """Processor seconds against rows, both by powers of ten, as SVG."""
    points = [
        {"rows": s.rows, "processor seconds": seconds, "phase": name}
        for s in sizes
        for name, seconds in [*((n, p[1]) for n, p in s.phases.items()), (REFERENCE, s.reference_seconds[1])]
    ]
    shape = alt.Chart(alt.Data(values=points), width=520, height=340).mark_line(point=True)
    powers = alt.Scale(type="log")
    axes = {"x": alt.X("rows:Q", scale=powers), "y": alt.Y("processor seconds:Q", scale=powers)}
    told = {"color": alt.Color("phase:N", title=None), "strokeDash": alt.StrokeDash("phase:N", title=None)}
    shape.encode(**axes, **told, shape=alt.Shape("phase:N", legend=None)).save(path)


def _table(heads: Sequence[str], rows: object) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]  # type: ignore[misc]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
