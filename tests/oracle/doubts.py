"""Flags: what makes a return or a figure doubtful, with the number that is doubted and what it is held against."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from statistics import median
from typing import Any

from oracle.counted import Counted, Fact
from oracle.coverage import MEASURES
from oracle.held import Held
from oracle.shares import Pair, cancelled_by_pod, maintained, staff_pairs

# The settings under which rounds are published: those of the product, but for the peers, of whom there are few here.
PEERS = 2
JUMP_TIMES, JUMP_AT_LEAST, OUTLIER_TIMES, UNUSUAL_POINTS = 5, 20, 3, 50

Key = tuple[str, str, str, date | None, str | None, str, str | None]
Flags = dict[Key, dict[str, Any]]
SHARED = {"percent_cancelled": "cancellations", "percent_planned_maintained": "cancellations"}
SHARED |= dict.fromkeys(("percent_absent", "percent_due_absent"), "staffing")


def flags(counted: Counted) -> Flags:
    """Every flag, by action, trust, extract, day, measure, flag and part."""
    found: Flags = {}

    def flag(
        name: str,
        trust: str,
        extract: str,
        day: date | None,
        value: float,
        against: float | None = None,
        measure: str | None = None,
        part: str | None = None,
    ) -> None:
        key = counted.action.action_id, trust, extract, day, measure, name, part
        found[key] = {"value": float(value), "compared_with": None if against is None else float(against)}

    for (trust, extract, day), held in counted.returns.items():
        if held.rows:
            for name, said in _of_return(held, day):
                if said:
                    flag(name, trust, extract, day, said)
    trusts = sorted({t for t, _, _ in counted.returns})
    pairs = {(share, t): p for t in trusts for share, p in _pairs(counted, t).items()}
    for trust, extract, day, above, below in _impossible(pairs):
        flag("above_100", trust, extract, day, above, below)
    for share, trust, day, value, usual in _outliers(pairs):
        flag("outlier", trust, SHARED[share], day, value, usual, share)
    facts = {t: counted.facts_in(("trust", t)) for t in trusts}
    for measure in MEASURES.values():
        mine = {t: [f for f in facts[t] if measure.has(f)] for t in trusts}
        for trust, day, value, usual in _jumps(counted, mine):
            flag("jump", trust, measure.extract, day, value, usual, measure.key)
        for trust, part, value, usual in _unusual(mine, measure.parts):
            flag("unusual_share", trust, measure.extract, None, value, usual, measure.key, part)
    return found


def _of_return(held: Held, day: date) -> Iterable[tuple[str, int]]:
    yield "from_two_files", len(held.files) if len(held.files) > 1 else 0
    yield "part_refused", sum(f.left_out[day] for f in held.files)
    yield "newer_refused", int(held.newer_refused is not None)
    yield "newer_held", int(bool(held.questions))


def _pairs(counted: Counted, trust: str) -> dict[str, list[Pair]]:
    area = ("trust", trust)
    by_pod = [p for share in cancelled_by_pod(counted, area).values() for p in share.pairs]
    staff = list(staff_pairs(f for f in counted.facts_in(area) if f.extract == "staffing").values())
    return {
        "percent_cancelled": by_pod,
        "percent_planned_maintained": list(maintained(counted, area).pairs),
        "percent_absent": staff,
        "percent_due_absent": staff,
    }


def _sums(pairs: Iterable[Pair]) -> dict[date, tuple[int, int]]:
    found: dict[date, tuple[int, int]] = {}
    for pair in pairs:
        above, below = found.get(pair.day, (0, 0))
        found[pair.day] = above + pair.part, below + pair.whole
    return found


def _impossible(pairs: dict[tuple[str, str], list[Pair]]) -> Iterable[tuple[str, str, date, int, int]]:
    """By return: the share in which most is above its whole, with that whole."""
    most: dict[tuple[str, str, date], tuple[int, str, int]] = {}
    for (share, trust), mine in pairs.items():
        for day, (above, below) in _sums(p for p in mine if p.is_above).items():
            key = trust, SHARED[share], day
            most[key] = max(most.get(key, (0, "", 0)), (above, share, below))
    for (trust, extract, day), (above, _, below) in most.items():
        yield trust, extract, day, above, below


def _outliers(pairs: dict[tuple[str, str], list[Pair]]) -> Iterable[tuple[str, str, date, float, float]]:
    """Shares of a day that are many times, or a small part of, the usual one of trusts of the size."""
    by_day: dict[tuple[str, date], dict[str, tuple[int, int]]] = defaultdict(dict)
    for (share, trust), mine in pairs.items():
        for day, sums in _sums(p for p in mine if not p.is_impossible).items():
            if sums[1]:
                by_day[share, day][trust] = sums
    for (share, day), trusts in by_day.items():
        for trust, (above, below) in trusts.items():
            peers = [(a, b) for t, (a, b) in trusts.items() if t != trust and below / 2 <= b <= below * 2]
            if len(peers) < PEERS or max(above, median(a for a, _ in peers)) < JUMP_AT_LEAST:
                continue
            own, usual = above / below, median(a / b for a, b in peers)
            if own > usual * OUTLIER_TIMES or own * OUTLIER_TIMES < usual:
                yield share, trust, day, 100 * own, 100 * usual


def _jumps(counted: Counted, facts: dict[str, list[Fact]]) -> Iterable[tuple[str, date, int, float]]:
    """Strike days far from the trust's other ones: weekdays beside weekdays, weekends beside weekends."""
    for trust, mine in facts.items():
        days: dict[date, int] = defaultdict(int)
        for fact in mine:
            if fact.day in counted.days:
                days[fact.day] += fact.value
        for day, value in days.items():
            others = [v for d, v in days.items() if d != day and (d.weekday() > 4) == (day.weekday() > 4)]
            if len(others) < 2 or max(value, median(others)) < JUMP_AT_LEAST:
                continue
            usual = float(median(others))
            if value > usual * JUMP_TIMES or value * JUMP_TIMES < usual:
                yield trust, day, value, usual


def _unusual(facts: dict[str, list[Fact]], breakdowns: tuple[str, ...]) -> Iterable[tuple[str, str, float, float]]:
    """Of each trust the part of a figure that is furthest from the usual one, of those that have it."""
    furthest: dict[str, tuple[float, str, float, float]] = {}
    for name in breakdowns:
        shares: dict[str, dict[str, float]] = defaultdict(dict)
        large = set()
        for trust, mine in facts.items():
            parts: dict[str, int] = defaultdict(int)
            for fact in mine:
                if fact.row.get(name) is not None:
                    parts[fact.row[name]] += fact.value
            whole = sum(parts.values())
            large |= {trust} if whole >= JUMP_AT_LEAST else set()
            for part, value in parts.items():
                if whole:
                    shares[part][trust] = 100 * value / whole
        for part, of in shares.items():
            usual = float(median(of.values()))
            for trust in (t for t in of if t in large and len(of) > PEERS):
                if abs(of[trust] - usual) >= UNUSUAL_POINTS:
                    new = abs(of[trust] - usual), part, of[trust], usual
                    furthest[trust] = max(furthest.get(trust, new), new)
    for trust, (_, part, percent, usual) in furthest.items():
        yield trust, part, percent, usual
