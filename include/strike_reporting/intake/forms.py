"""How layouts are read that a dialect describes: headings of several rows, and labels with a value beside each.

Proposing a dialect and matching a file by it go by the same reading, so that what is proposed fits.
"""

from __future__ import annotations

from collections.abc import Sequence


def joined(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of headings as one: each below what stands above it, or to the left of that, and nothing twice.

    What reaches over a column without a heading of its own in any row is its neighbour's.
    """
    width = max(map(len, rows), default=0)
    found: list[list[str]] = [[] for _ in range(width)]
    for number, row in enumerate(rows):
        is_last, reaching = number == len(rows) - 1, ""
        for place in range(width):
            own = row[place] if place < len(row) else ""
            reaching = own or reaching
            text = own if is_last else reaching
            if text and text not in found[place]:
                found[place].append(text)
    has_own = [any(place < len(row) and row[place] for row in rows) for place in range(width)]
    return [" ".join(texts) if own else "" for texts, own in zip(found, has_own, strict=True)]


def labelled(row: Sequence[str]) -> tuple[str, str] | None:
    """The label that a row of a form begins with, and the text beside it; None for a row of nothing."""
    filled = [c.strip() for c in row if c.strip()]
    return (filled[0].rstrip(":"), filled[1] if len(filled) > 1 else "") if filled else None
