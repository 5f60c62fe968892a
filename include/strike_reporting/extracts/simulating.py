"""What the `simulate.py` of an extract's folder says: how a trust's files may look, for trying and for tests.

It is optional: an extract without one is not simulated. It says `SIMULATOR = Simulator(...)`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

Row = dict[str, Any]
Rows = list[Row]
_SIZE = {"acute": 1.0, "acute_specialist": 0.25, "community": 0.5, "mental_health": 0.6, "ambulance": 0.4}


@dataclass(frozen=True)
class Sender:
    """A trust that sends, and what it is asked about.

    kind: its type. sites: their codes, or None alone. detail: how finely it breaks its day down.
    """

    code: str
    kind: str
    sites: tuple[str | None, ...]
    days: tuple[date, ...]
    staff_groups: tuple[str, ...]
    detail: int

    def size(self, stream: random.Random) -> float:
        """How large it is, an acute trust in the middle being 1."""
        return _SIZE[self.kind] * stream.uniform(0.6, 1.5)


@dataclass(frozen=True)
class Simulator:
    """One extract's simulator.

    rows: a trust's rows; the last argument is its rows of the extract `out_of`, by the same stream of chance, so that
        the two agree.
    stream: names the stream of chance; default the extract's name.
    brief: what a form without detail holds of the rows; None: there is no such form.
    scaled_to: England's published figures that counts can be scaled to, by the group of rows that each is of. The first
        of which all are published is taken.
    groups: the groups that a row is in, the narrowest first.
    figures: the fields of the row that a trust's published figure, by its name there, is written as.
    figures_name_sites: whether such a row can name a site.
    """

    rows: Callable[[Sender, random.Random, Rows], Rows]
    out_of: str = ""
    stream: str = ""
    brief: Callable[[Rows], Rows] | None = None
    scaled_to: tuple[Mapping[str, str], ...] = ()
    groups: Callable[[Row], tuple[str, ...]] = lambda _: ()
    figures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    figures_name_sites: bool = True


def vary(stream: random.Random, mean: float) -> int:
    """A count around a mean."""
    return max(0, round(stream.gauss(mean, mean**0.5)))
