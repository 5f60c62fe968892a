"""Which submission counts for each part of a trust's strike day: a newer file replaces the parts that it holds.

A part is as judging names it (`Contract.part_keys`), with the site, where files may name one. What a newer file lacks
stands. Nothing here depends on a clock: submissions come in the order of landing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from strike_reporting.extracts import Contract
from strike_reporting.extracts.contract import BETWEEN
from strike_reporting.ledger.records import Outcome, Said

Held = tuple[Outcome, Said]


@dataclass
class ChosenDay:
    """What counts for one trust, extract and day.

    held: by part. refused: newer ones that could not be used, with why. questioned: newer parts that are not taken over
    until they are confirmed, by the parts that stand instead, with the question. replaced: submissions of which nothing
    counts any more. before: the total before the newest that counts.
    """

    held: dict[str, Held] = field(default_factory=dict)
    refused: list[tuple[Outcome, str]] = field(default_factory=list)
    questioned: dict[frozenset[str], tuple[Outcome, str]] = field(default_factory=dict)
    replaced: set[str] = field(default_factory=set)
    before: int | None = None


def choose(candidates: Iterable[Outcome], day: date, contract: Contract) -> ChosenDay:
    """The parts that count for a day.

    Args:
        candidates: submissions that say something of the day, in the order of landing; withdrawn ones are passed over.
        day: the strike day.
        contract: of their extract: it names the words of a part.
    """
    found = ChosenDay()
    for o in candidates:
        if o.withdrawn:
            continue
        parts = {s.part: s for s in o.said if s.day == day and s.rows}
        if not o.counts or not parts:
            found.refused.append((o, o.reason))
            continue
        _take(found, o, day, parts, contract)
    return found


def _take(found: ChosenDay, o: Outcome, day: date, parts: dict[str, Said], contract: Contract) -> None:
    """Let one submission replace what it holds."""
    before, taken = dict(found.held), dict(found.held)
    base_of = {p: contract.split_part(p) for p in (*parts, *before)}
    said = o.days[day]
    if before and said.quarantined > said.rows:
        bad = f"{said.quarantined:,} of its {said.quarantined + said.rows:,} rows of the day could not be used"
        found.refused.append((o, f"{bad}, so it does not replace what was sent before"))
        taken |= {p: (o, s) for p, s in parts.items() if not _is_covered(p, before, base_of)}
    elif not before or o.restates_day or all(s.is_nil for s in parts.values()):
        taken = {p: (o, s) for p, s in parts.items()}
    else:
        for base in {base_of[p][0]: None for p in parts}:
            new = {p: s for p, s in parts.items() if base_of[p][0] == base}
            old = {p: h for p, h in taken.items() if base_of[p][0] == base}
            both_sited = all(base_of[p][1] for p in (*new, *old))
            groups = [([p], [p] if p in old else []) for p in new] if both_sited else [([*new], [*old])]
            for mine, theirs in groups:
                if question := _question([new[p] for p in mine], [old[p][1] for p in theirs]):
                    found.questioned[frozenset(theirs)] = (o, f"{o.source_name}: {_named(base)}: {question}")
                    continue
                for p in theirs:
                    del taken[p]
                taken |= {p: (o, new[p]) for p in mine}
    if taken != before:
        found.before = sum(s.total for _, s in before.values()) if before else None
        gone = {p for p, h in before.items() if taken.get(p) is not h}
        found.questioned = {held: q for held, q in found.questioned.items() if not held & gone}
    found.held = taken
    kept = {h.submission_id for h, _ in taken.values()}
    found.replaced |= {h.submission_id for h, _ in before.values()} - kept


def _is_covered(part: str, held: dict[str, Held], base_of: dict[str, tuple[str, str]]) -> bool:
    """Whether a part is held, or is the whole or a site of one that is."""
    base, site = base_of[part]
    return any(base == b and (site == s or not site or not s) for b, s in (base_of[p] for p in held))


def _question(new: list[Said], old: list[Said]) -> str:
    """What is asked before a part of fewer rows and at most half the total replaces what was sent; empty: nothing."""
    rows, total = sum(s.rows for s in new), sum(s.total for s in new)
    had_rows, had = sum(s.rows for s in old), sum(s.total for s in old)
    if not old or rows >= had_rows or total == 0 or total * 2 > had:
        return ""
    return f"{rows} row{'s' * (rows != 1)} with {total:,} where {had_rows} with {had:,} were sent before: is it whole?"


def sums(parts: Iterable[Said]) -> dict[str, int]:
    """What parts hold of each field of the contract."""
    found: Counter[str] = Counter()
    for said in parts:
        found.update(said.sums)
    return dict(found)


def _named(base: str) -> str:
    return ", ".join(w.replace("_", " ") for w in base.split(BETWEEN) if w) or "all of the day"
