"""What a release says otherwise than the one before: figures, coverage, statuses of returns and flags; and of whom.

England's news is all of it. A named area's is what its own rows say, and those of its trusts and their sites.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection

from strike_reporting.catalogue.areas import ENGLAND, kind_of
from strike_reporting.catalogue.statuses import is_asked
from strike_reporting.catalogue.tables import COVERAGE, FLAGS, RETURNS, REVISIONS, Table
from strike_reporting.extracts.tables import unpublished
from strike_reporting.publishing.differing import database, differing
from strike_reporting.publishing.frame import Frame
from strike_reporting.publishing.manifest import Release
from strike_reporting.reference.organisations import organisations

Row = dict[str, Any]
Pair = tuple[Row, Row]  # a row as it was and as it is; empty where it was not or is no more
COMPARED = (COVERAGE, RETURNS, FLAGS)  # what `revisions` does not list


@dataclass(frozen=True)
class News:
    """Rows of `revisions`, pairs of rows of the other tables that differ, and what concerns the whole, as sentences."""

    figures: list[Row]
    coverage: list[Pair]
    returns: list[Pair]
    flags: list[Pair]
    whole: tuple[str, ...] = ()

    def __len__(self) -> int:
        """How many things differ."""
        return len(self.figures) + len(self.coverage) + len(self.returns) + len(self.flags) + len(self.whole)

    def of(self, area_type: str, area_code: str, trusts: Set[str]) -> News:
        """What of it concerns an area with these trusts."""
        if area_type == ENGLAND.area_type:
            return self
        today = {organisations().successor(c) for c in trusts}

        def is_here(kind: str, code: str) -> bool:
            is_site = kind == "site" and organisations().trust_of_site(code) in today
            return (kind, code) == (area_type, area_code) or (kind == "trust" and code in trusts) or is_site

        return News(
            [r for r in self.figures if is_here(part_of(r["key"], "area_type"), part_of(r["key"], "area_code"))],
            [(a, b) for a, b in self.coverage if is_here((b or a)["area_type"], (b or a)["area_code"])],
            [(a, b) for a, b in self.returns if (b or a)["ods_code"] in trusts],
            [(a, b) for a, b in self.flags if (b or a)["ods_code"] in trusts],
            self.whole,
        )


def news(before: Release, old: Mapping[str, pa.Table], now: Release, new: Mapping[str, pa.Table]) -> News:
    """What differs between two releases, given their `COMPARED` tables and the newer one's revisions."""
    with database(sum(of[t.name].num_rows for of in (old, new) for t in COMPARED)) as con:
        coverage, returns, flags = (_differing(con, t, old[t.name], new[t.name]) for t in COMPARED)
    whole = []
    if before.status != now.status:
        whole.append(f"The action: {now.status}, was: {before.status}")
    if before.data_class != now.data_class:
        whole.append(f"All of it: {now.data_class} data, was {before.data_class} data")
    return News(new[REVISIONS.name].to_pylist(), coverage, returns, flags, tuple(whole))


def _differing(con: DuckDBPyConnection, table: Table, old: pa.Table, new: pa.Table) -> list[Pair]:
    """Rows of which a reader is told something else, in the order of their keys."""
    told = [n for n in table.told if n not in unpublished(old)]
    changed = differing(con, old, new, table.keys)
    was, now = ({tuple(r[k] for k in table.keys): r for r in t.to_pylist()} for t in changed)
    found = [(was.get(k, {}), now.get(k, {})) for k in sorted({*was, *now}, key=_order)]
    return [(a, b) for a, b in found if [a.get(n) for n in told] != [b.get(n) for n in told]]


def _order(key: Iterable[Any]) -> list[tuple[bool, str]]:
    return [(v is not None, str(v)) for v in key]


def part_of(key: str, name: str) -> str:
    """One part of the key of a row of `revisions`; empty where it has none."""
    return next((p.partition("=")[2] for p in key.split("|") if p.startswith(f"{name}=")), "")


def told_areas(found: News | None, returns: pa.Table, frames: Iterable[Frame]) -> dict[str, int]:
    """Of England and each named area, how many things are new in it; areas without any are left out.

    Args:
        found: what differs; None of a first release, in which each return that was asked, or came, is new.
        returns: of the newer release.
        frames: who belonged to which area, in both releases.
    """
    trusts: dict[tuple[str, str], set[str]] = defaultdict(set)
    for member in (m for frame in frames for m in frame.members):
        for area_type, code, _ in member.areas:
            if area_type == ENGLAND.area_type or kind_of(area_type).key == "named":
                trusts[area_type, code].add(member.ods_code)
    asked = [r["ods_code"] for r in returns.to_pylist() if is_asked(r["return_status"])]
    counted = {}
    for area, codes in sorted(trusts.items()):
        here = sum(c in codes for c in asked)
        counted[area[0]] = here if found is None else len(found.of(*area, codes)) - (0 if here else len(found.whole))
    return {area_type: n for area_type, n in counted.items() if n}
