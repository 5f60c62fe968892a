"""Columns of the corpus: a heading in the manner of a system, its values, and what they are; None is no person's.

Systems alternate between the half that was tuned on and the half that is reported, so no heading that is reported was
tuned on in that system's manner.
"""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass
from random import Random

from guard_neighbours import MORE
from guard_systems import BIRTH, CONTACT, HOSPITAL, NAMES, NHS, POSTCODES, STAFF, SYSTEMS, TEXT

SEED = 20230411
CLASSES = (NHS, HOSPITAL, STAFF, BIRTH, NAMES, POSTCODES, CONTACT, TEXT)


@dataclass(frozen=True)
class Labelled:
    """One column. `is_mapped`: a dialect reads it as an opaque key."""

    half: str
    system: str
    heading: str
    values: Counter[str]
    label: str | None


HALVES = ("tuned", "held out")


def columns() -> list[Labelled]:
    """Every column, in order; the same at each call."""
    found = []
    for n, (system, rows) in enumerate((SYSTEMS | MORE).items()):
        half = HALVES[n % 2]
        for place, (heading, make, label, size) in enumerate(rows):
            r = Random(zlib.crc32(f"{SEED}/{system}/{place}".encode()))  # noqa: S311 - by a fixed seed
            values = Counter(make(r, half) for _ in range(size))
            found.append(Labelled(half, system, heading, values, label))
    return found
