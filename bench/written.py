"""What was measured, as docs/performance.md."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from run import Size

HEAD = """# What it costs

`make bench` writes this page. Ours is the pipeline's compute path, from landed bytes to accepted rows, ledger,
quarantine and published tables. The reference is a plain script with one DuckDB connection and explicit schemas
(`bench/reference.py`, frozen: SHA-256 `{frozen}`): it has no landing, dialects, guard, lineage, outcomes or releases.
Both run one after the other on the same synthetic files, one percent of whose rows are wrong; a figure is the median of
its runs. Imports are told apart on both sides. Ratios travel between machines; seconds do not ({machine}).
What a round takes under a real scheduler is in `performance-scheduled.md`.
"""


def performance(sizes: Sequence[Size], tables: dict[str, tuple[int, int]], frozen: str) -> str:
    """The page: both sides by size, our phases with their growth, and how far the two agree."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    parts = [HEAD.format(frozen=frozen[:16], machine=machine), "## Both sides\n", _sides(sizes)]
    parts += ["\n## Our phases, in processor seconds\n", _phases(sizes)]
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


def _growth(name: str, sizes: Sequence[Size]) -> str:
    """The exponent between the smallest and the largest size."""
    first, last = sizes[0], sizes[-1]
    if first.rows == last.rows:
        return "one size only"
    return f"{math.log(last.phases[name][1] / first.phases[name][1]) / math.log(last.rows / first.rows):.2f}"


def _table(heads: Sequence[str], rows: object) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]  # type: ignore[misc]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
