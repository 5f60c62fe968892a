"""How final a release is, each standing once: provisional, then one scheduled revision, then final, then corrected.

The shorthand is that of the Government Analysis Function's guidance on symbols in tables.
"""

from __future__ import annotations

from dataclasses import dataclass

REVISED_MARK = "[r]"  # of a figure that differs from the release before


@dataclass(frozen=True)
class Standing:
    """One standing. `mark` stands beside its figures."""

    key: str
    label: str
    definition: str
    mark: str = ""


PROVISIONAL = Standing(
    "provisional",
    "Provisional",
    "Marked [p]. Released while trusts still return: it may be replaced at any announced time.",
    "[p]",
)
REVISED = Standing("revised", "Revised", "Released after the provisional days, before the figures are final.")
FINAL = Standing("final", "Final", "Released on or after the day from which figures are only corrected, with a notice.")
CORRECTION = Standing("correction", "Correction", "It replaces figures that were final; its notice says why.")
STANDINGS = {s.key: s for s in (PROVISIONAL, REVISED, FINAL, CORRECTION)}
