"""Why a published figure changed: looked for in the facts behind it, which are kept beside every release.

A fact that differs has a submission on either side: a new one, one that no longer counts, or the same judged otherwise.
Each counts in the areas that its trust was in then. What facts do not explain is looked for in who returned and who was
asked; only what is left is put down to what concerns all figures.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from typing import Any, NamedTuple

import pyarrow as pa

from strike_reporting.catalogue.statuses import RETURNED
from strike_reporting.extracts import load
from strike_reporting.extracts.measures import BREAKDOWNS, concerned
from strike_reporting.publishing.behind import Behind
from strike_reporting.publishing.differing import differing_files
from strike_reporting.publishing.frame import Frame
from strike_reporting.publishing.manifest import Inputs
from strike_reporting.storage.parquet import distinct, read_parquet

Row = dict[str, Any]
Area = tuple[str, str]
Values = dict[str, int]  # of one fact, by submission
LATE, FIRST, RESENT = "late returns", "new returns", "resubmissions"
WITHDRAWN, GONE, AGAIN = "withdrawn", "no longer counted", "judged again"
UNUSABLE, ASKED, MEMBERS = "a newer file could not be used", "asked otherwise", "trusts of the area changed"
REFERENCE = "reference data changed: names, members or who is asked"
# The order in which causes are said; where a change has more than one, all of it is the first one's.
ORDER = (LATE, FIRST, RESENT, WITHDRAWN, UNUSABLE, GONE, AGAIN, ASKED, MEMBERS)
_KEY = ("ods_code", "extract", "strike_day", "measure", "site_code", *BREAKDOWNS)


@dataclass(frozen=True)
class Side:
    """What a release was made from.

    facts: as Parquet; None of a release that kept none. pins: by submission, what it was judged by. withdrawn:
        submissions.
    """

    frame: Frame
    inputs: Inputs
    returns: pa.Table
    facts: bytes | None
    pins: Mapping[str, Mapping[str, str]]
    withdrawn: frozenset[str] = frozenset()

    @cached_property
    def by_return(self) -> dict[tuple[str, str, date], Row]:
        """Returns by trust, extract and day."""
        return {(r["ods_code"], r["extract"], r["strike_day"]): r for r in self.returns.to_pylist()}


class Cause(NamedTuple):
    """What happened, of whom, and the submissions that show it."""

    what: str
    of: str
    submissions: frozenset[str] = frozenset()


class Effect(NamedTuple):
    """By how much a fact's change moved an area, whether it came or went with it, and why."""

    fact: Row
    by: int
    is_presence: bool
    causes: tuple[Cause, ...]


class Causes:
    """Why figures of one release differ from those of the release before."""

    def __init__(self, old: Side, new: Side) -> None:
        """Find what differs in facts, in returns and in who was asked."""
        self._old, self._new = old, new
        listed = (*old.inputs.submissions, *new.inputs.submissions)
        self._names = {s.submission_id: s.source_name for s in listed}
        self._order = {s.submission_id: s.sequence for s in listed}
        self._known = {s.submission_id for s in old.inputs.submissions}
        self._general: list[str] = []
        if (old.inputs.method, old.inputs.judging_method) != (new.inputs.method, new.inputs.judging_method):
            self._general.append("a change of method")
        if old.inputs.contracts != new.inputs.contracts:
            self._general.append("a changed contract")
        self._areas = cache(self._areas_of)
        self._behind = cache(self._effects_by_cell)
        self._members: dict[Area, set[str]] = defaultdict(set)
        self._moved: dict[Area, list[tuple[date, str]]] = defaultdict(list)
        self._effects: dict[tuple[Area, str], list[Effect]] = defaultdict(list)
        self._counted: dict[tuple[str, str], list[tuple[date, Cause]]] = defaultdict(list)
        self._otherwise: dict[tuple[str, str], list[tuple[date, Cause]]] = defaultdict(list)
        self._had: set[tuple[Any, ...]] = set()  # measures of trusts and days that anything said of before
        self._learn_members()
        self._learn_facts()
        self._learn_returns()

    def of(
        self,
        behind: Behind,
        table: str,
        field: str,
        area: Area,
        cells: Row,
        by: Any,
        own: Mapping[str, tuple[Any, Any]],
    ) -> tuple[str, str | None]:
        """The reason of a changed figure in words, and the submissions joined by `;`.

        Args:
            behind: what its column is made of.
            table: published table.
            field: the column that changed.
            area: its area's type and code.
            cells: the rest of its key.
            by: by how much it changed; None where that is no number.
            own: what the same figure was and is, by trust; those of which it is the same are needed when any has moved.
        """
        moved = {code for code, (was, now) in own.items() if was != now}
        found = self._behind(behind, area).get(tuple(cells[b] for b in behind.by), [])
        if behind.kind == "sum":
            found = _by_trust(found)
        elif behind.kind == "presence":
            found = [e for e in found if e.is_presence or e.fact["measure"] in behind.weights]
        elif any(e.fact["ods_code"] in moved for e in found):
            found = [e for e in found if e.fact["ods_code"] in moved or _is_of_members(e)]
        causes = {c for e in found for c in e.causes}
        if not found or behind.kind == "presence":
            extracts, day = concerned(table, field), cells.get("strike_day")
            causes |= self._by_returns(extracts, day, area, moved, own, is_cover=behind.kind == "returned")
        amounts = _amounts(found) if behind.kind == "sum" and by is not None else {}
        rest = (by or 0) - sum(amounts.values())
        is_left = not causes or behind.kind == "compared" or (behind.kind == "sum" and (by is None or bool(rest)))
        return _in_words(causes, amounts, self._general if is_left else [], rest)

    @property
    def is_anyone_moved(self) -> bool:
        """Whether a trust counts in other areas than before: then what it says matters, also where that is the same."""
        return bool(self._moved)

    def _effects_by_cell(self, behind: Behind, area: Area) -> dict[tuple[Any, ...], list[Effect]]:
        """The effects behind a column in an area, by the cells of its rows."""
        found: dict[tuple[Any, ...], list[Effect]] = defaultdict(list)
        for e in (e for m in behind.measures for e in self._effects.get((area, m), ())):
            if all(e.fact[b] in values for b, values in behind.where):
                found[tuple(e.fact[b] for b in behind.by)].append(e)
        return found

    def _areas_of(self, code: str, day: date) -> tuple[set[Area], set[Area]]:
        """The areas that a trust was in and is in; a frame that was kept says nothing of who had no return."""
        sides = [{(a[0], a[1]) for a in m.areas} if m else None for m in self._both(code, day)]
        were, are = sides
        return (were if were is not None else are or set()), (are if are is not None else were or set())

    def _both(self, code: str, day: date) -> list[Any]:
        return [side.frame.member(code, day) for side in (self._old, self._new)]

    def _learn_members(self) -> None:
        for m in (*self._old.frame.members, *self._new.frame.members):
            for day in m.days:
                were, are = self._areas(m.ods_code, day)
                for area in were | are:
                    self._members[area].add(m.ods_code)
                for area in were ^ are:
                    self._moved[area].append((day, m.ods_code))

    def _learn_facts(self) -> None:
        old, new = self._old.facts, self._new.facts
        if new is not None:
            for site, code in distinct(new, ["site_code", "ods_code"]):
                if site:
                    self._members["site", site].add(code)
        if old is None or new is None:
            return
        # All that is asked below concerns days of trusts on which something differs, or that belong elsewhere now.
        if self._moved:
            was, now = (_by_fact(read_parquet(facts)) for facts in (old, new))
        else:
            told = [*_KEY, "submission_id", "value"]
            was, now = map(_by_fact, differing_files(old, new, _KEY[:3], told))
        self._had = {key[:4] for key in was}
        moved = {(code, day) for found in self._moved.values() for day, code in found}
        differ = {k for k in {*was, *now} if _sum(was.get(k)) != _sum(now.get(k))}
        fresh: dict[tuple[Any, ...], set[str]] = defaultdict(set)
        days = {k[:3] for k in differ if was.get(k, {}).keys() - now.get(k, {}).keys()}  # on which a fact is gone
        for key in {k for k in now if k[:3] in days and now[k].keys() - self._known}:
            for close in _closeness(dict(zip(_KEY, key, strict=True))):
                fresh[close] |= {*now[key]} - self._known
        for key in differ | {k for k in {*was, *now} if (k[0], k[2]) in moved}:
            fact = dict(zip(_KEY, key, strict=True))
            why = self._of_fact(fact, was.get(key, {}), now.get(key, {}), fresh) if key in differ else ()
            self._spread(fact, _sum(was.get(key)), _sum(now.get(key)), why)

    def _spread(self, fact: Row, before: int | None, after: int | None, why: tuple[Cause, ...]) -> None:
        """Note what a fact did in each area that it counts in, or counted in."""
        were, are = self._areas(fact["ods_code"], fact["strike_day"])
        site = {("site", fact["site_code"])} if fact["site_code"] else set()
        for area in were | are | site:
            stays = area in were & are or area in site
            had, has = (before if stays or area in were else None), (after if stays or area in are else None)
            if had != has:
                causes = why if stays else (Cause(MEMBERS, fact["ods_code"]),)
                effect = Effect(fact, (has or 0) - (had or 0), (had is None) != (has is None), causes)
                self._effects[area, fact["measure"]].append(effect)

    def _of_fact(
        self, fact: Row, before: Values, after: Values, fresh: Mapping[tuple[Any, ...], set[str]]
    ) -> tuple[Cause, ...]:
        """What changed a fact, by the submissions on either side."""
        came, gone = {*after} - {*before}, {*before} - {*after}
        own = (fact["ods_code"], fact["extract"], fact["strike_day"])
        taken = gone & self._new.withdrawn
        found = {WITHDRAWN: taken}
        if new := came - self._known:
            found[RESENT if (*own, fact["measure"]) in self._had else _first_or_late(self._new.by_return.get(own))] = (
                new
            )
        elif gone - taken and (instead := next((fresh[c] for c in _closeness(fact) if c in fresh), None)):
            found[RESENT] = instead
        elif not taken:
            here, there = (_used(side.by_return.get(own)) for side in (self._old, self._new))
            stay = here & there & {*before, *after}
            later = {s for s in came - stay if all(self._order[s] > self._order[g] for g in gone)}
            found[AGAIN] = later | {s for s in stay if self._old.pins.get(s) != self._new.pins.get(s)}
            found[GONE] = set() if later else gone - stay
        return tuple(self._said(what, fact["ods_code"], fact["extract"], of) for what, of in found.items() if of)

    def _said(self, what: str, code: str, extract: str, submissions: Iterable[str]) -> Cause:
        of = frozenset(submissions)
        names = sorted({self._names.get(s, s) for s in of})
        named = ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
        return Cause(what, f"{code} {extract.replace('_', ' ')}" + (f" ({named})" if named else ""), of)

    def _learn_returns(self) -> None:
        """Who returned now and not before, who returned otherwise, and who was asked otherwise."""
        old, new = self._old, self._new
        for code, extract, day in {*old.by_return, *new.by_return}:
            was, now = old.by_return.get((code, extract, day)), new.by_return.get((code, extract, day))
            if _told(was) != _told(now):
                noted = self._otherwise if bool(_used(was)) == bool(_used(now)) else self._counted
                noted[code, extract].append((day, self._of_return(code, extract, was, now)))
        for extract, days in new.frame.asked.items():
            for day, codes in days.items():
                for code in {*codes} ^ {*old.frame.asked.get(extract, {}).get(day, ())}:
                    self._counted[code, extract].append((day, Cause(ASKED, f"{code} {extract.replace('_', ' ')}")))

    def _of_return(self, code: str, extract: str, was: Row | None, now: Row | None) -> Cause:
        came, gone = _used(now) - _used(was), _used(was) - _used(now)
        for what, of in (
            (RESENT if _used(was) else _first_or_late(now), came - self._known),
            (WITHDRAWN, gone & self._new.withdrawn),
            (GONE, set() if came else gone),
            (UNUSABLE, _refused(now) - _refused(was)),
        ):
            if of:
                return self._said(what, code, extract, of)
        return self._said(AGAIN, code, extract, came or _used(now))

    def _by_returns(
        self,
        extracts: tuple[str, ...],
        day: date | None,
        area: Area,
        moved: set[str],
        own: Mapping[str, tuple[Any, Any]],
        *,
        is_cover: bool,
    ) -> set[Cause]:
        """What changed of who returned, was asked and belongs to an area; else of how they returned."""

        def noted(of: Mapping[tuple[str, str], list[tuple[date, Cause]]], codes: set[str]) -> Iterator[Cause]:
            for code in codes:
                for extract in extracts:
                    yield from (cause for d, cause in of.get((code, extract), ()) if day in (None, d))

        changed = {code for d, code in self._moved.get(area, ()) if day in (None, d) and _matters(own.get(code))}
        members = {Cause(MEMBERS, code) for code in changed}
        mine = moved & self._members.get(area, set()) - changed
        if not mine and members:
            return members
        trusts = mine or self._members.get(area, set())
        counted = {*noted(self._counted, trusts)}
        return members | (counted if is_cover and counted else counted | {*noted(self._otherwise, trusts)})


def _by_fact(facts: pa.Table) -> dict[tuple[Any, ...], Values]:
    """What each submission says of each fact."""
    found: dict[tuple[Any, ...], Values] = defaultdict(dict)
    columns = [facts[n].to_pylist() for n in (*_KEY, "submission_id", "value")]
    for *key, submission, value in zip(*columns, strict=True):
        found[tuple(key)][submission] = value
    return found


def _is_of_members(e: Effect) -> bool:
    return any(c.what == MEMBERS for c in e.causes)


def _matters(own: tuple[Any, Any] | None) -> bool:
    """Whether a trust's coming or going can move a figure: a count of none does not."""
    return own is None or any(v is not None and (type(v) is not int or v != 0) for v in own)


def _sum(values: Values | None) -> int | None:
    return None if values is None else sum(values.values())


def _closeness(fact: Row) -> Iterator[tuple[Any, ...]]:
    """Under what a fact is looked for that stands instead of one that is gone: of the same part first."""
    own = (fact["ods_code"], fact["extract"], fact["strike_day"])
    yield (*own, fact["measure"], *(fact[n] for n in _parts(fact["extract"])))
    yield (*own, fact["measure"], "in any part")
    yield own


@cache
def _parts(extract: str) -> tuple[str, ...]:
    """The breakdowns by which a newer file replaces what was sent."""
    return tuple(n for n in load(extract).part if n in BREAKDOWNS)


def _by_trust(found: list[Effect]) -> list[Effect]:
    """Without the trusts whose changes add up to none, unless nothing else is there."""
    net: Counter[str] = Counter()
    for e in found:
        net[e.fact["ods_code"]] += e.by
    return [e for e in found if net[e.fact["ods_code"]]] or found


def _used(row: Row | None) -> set[str]:
    """The submissions whose rows count; of a release that named only the newest, that one."""
    if row is None or row["return_status"] not in RETURNED:
        return set()
    return {s for s in (row["submission_ids"] or row["submission_id"] or "").split(";") if s}


def _first_or_late(now: Row | None) -> str:
    """What the first return for a day is."""
    return LATE if now and now["return_status"] == "late" else FIRST


def _refused(row: Row | None) -> set[str]:
    return {s for s in [(row or {}).get("refused_submission_id")] if s}


def _told(row: Row | None) -> tuple[tuple[Any, ...], set[str]]:
    """What of a return can change a figure or its coverage."""
    kept = ("return_status", "total", "rows_accepted", "rows_quarantined", "refused_submission_id")
    return tuple((row or {}).get(k) for k in kept), _used(row)


def _amounts(found: Iterable[Effect]) -> dict[tuple[str, str], int]:
    """By how much each cause moved a sum, all of an effect by the first of its causes."""
    moved: dict[tuple[str, str], int] = defaultdict(int)
    for e in (e for e in found if e.causes):
        first = min(e.causes, key=lambda c: (ORDER.index(c.what), c.of))
        moved[first.what, first.of] += e.by
    return moved


def _in_words(
    causes: set[Cause], amounts: Mapping[tuple[str, str], int], general: list[str], rest: int
) -> tuple[str, str | None]:
    """Causes in their order, each with its amount where it has one; together they make up the whole change."""
    said: dict[str, dict[str, None]] = {}
    for c in sorted(causes, key=lambda c: (ORDER.index(c.what), c.of)):
        by = f" {amounts[c.what, c.of]:+,}" if (c.what, c.of) in amounts else ""
        said.setdefault(c.what, {})[f"{c.of}{by}"] = None
    submissions = sorted({s for c in causes for s in c.submissions})
    more = f" {rest:+,}" if amounts and rest else ""
    why = "; ".join([*(f"{what}: {_first([*of])}" for what, of in said.items()), *(f"{g}{more}" for g in general[:1])])
    why = "; ".join([why, *general[1:]]) if why else why
    return why or REFERENCE, ";".join(submissions) or None


def _first(of: list[str]) -> str:
    """The first ten, and how many more."""
    return ", ".join(of[:10]) + (f" and {len(of) - 10} more" if len(of) > 10 else "")
