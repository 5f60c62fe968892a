"""Work cut into groups: each is for one task, and as many tasks run side by side as may."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import accumulate, groupby
from typing import TYPE_CHECKING, TypeVar

from strike_reporting.settings import settings

if TYPE_CHECKING:
    from strike_reporting.ledger.records import Receipt

T = TypeVar("T")

_ANY_FILE = 50_000  # bytes of a workbook that are read while what is the same for every file is done


def group_size(number: int, at_least: int) -> int:
    """Of how many a group is, so that there are no more groups than run side by side, and none is too small."""
    at_once = settings().tasks_at_once or os.cpu_count() or 1
    return max(at_least, -(-number // at_once))


def in_groups(things: Sequence[T], at_least: int) -> list[list[T]]:
    """Things in groups of one size, in their order."""
    size = group_size(len(things), at_least)
    return [[*things[i : i + size]] for i in range(0, len(things), size)]


def by_weight(receipts: Sequence[Receipt], at_least: int) -> list[list[Receipt]]:
    """At most as many groups, in their order, of about the same bytes: a few files may be as much work as the rest."""
    many = len(in_groups(receipts, at_least))
    weights = [r.size + _ANY_FILE for r in receipts]
    whole = sum(weights)
    begins = accumulate(weights, initial=0)
    # A file is of the group in which its middle falls.
    numbered = [(many * (2 * b + w) // (2 * whole), r) for b, w, r in zip(begins, weights, receipts, strict=False)]
    return [[r for _, r in group] for _, group in groupby(numbered, lambda n: n[0])]
