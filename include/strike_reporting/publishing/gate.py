"""The release gate: what speaks against letting staged figures out unseen, each with the numbers behind it.

Whether they add up is no part of it: figures that do not are published by nobody. Everything here may be right and
still be worth a look, so it holds a release for a person and stops nothing for good. It reads tables and knows nothing
of who asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from strike_reporting.catalogue.areas import ENGLAND
from strike_reporting.catalogue.measures import Total
from strike_reporting.catalogue.statuses import RETURNED, is_asked
from strike_reporting.catalogue.tables import COVERAGE, RETURNS
from strike_reporting.clock import LONDON
from strike_reporting.extracts.measures import LABELS, TOTALS_TABLE, asked_for, shown_in
from strike_reporting.ledger.gated import Check
from strike_reporting.publishing.summary import Summary
from strike_reporting.reference.actions import ActionSet, resolve
from strike_reporting.reference.areas import reported
from strike_reporting.settings import settings

WEIGHED = (TOTALS_TABLE, COVERAGE.name)  # tables of the release before
Tables = Mapping[str, pa.Table]
Row = dict[str, Any]


@dataclass(frozen=True)
class _Said:
    """What tables say of the areas that are told: totals by area, coverage by area, total and day."""

    totals: dict[str, Row]
    cover: dict[tuple[str, str, date | None], Row]

    @classmethod
    def of(cls, tables: Tables, areas: Iterable[str]) -> _Said:
        wanted = pa.array(list(areas), pa.string())
        totals, cover = (
            tables[n].filter(pc.is_in(tables[n]["area_type"], value_set=wanted)).to_pylist() for n in WEIGHED
        )
        return cls(
            {r["area_type"]: r for r in totals},
            {(r["area_type"], r["measure"], r["strike_day"]): r for r in cover},
        )

    def value(self, area: str, total: Total) -> float | None:
        return self.totals.get(area, {}).get(total.key)

    def came(self, area: str, total: Total) -> int | None:
        """How many returns a total is of; of a peak or a mean, how many trusts."""
        row = self.cover.get((area, total.key, None), {})
        return row.get("returns_covered" if total.kind == "sum" else "trusts_covered")

    def percent(self, area: str, measure: str, days: Iterable[date] = ()) -> float | None:
        """How much of the returns asked for it is of, in all or on some days."""
        rows = [self.cover.get((area, measure, d), {}) for d in days]
        if not rows:
            return self.cover.get((area, measure, None), {}).get("percent_covered")
        asked = sum(r.get("returns_expected") or 0 for r in rows)
        return 100 * sum(r.get("returns_covered") or 0 for r in rows) / asked if asked else None


def gate(
    action: ActionSet,
    at: datetime,
    data_class: str,
    tables: Tables,
    before: tuple[str, Tables] | None,
    earlier: Sequence[Summary],
) -> tuple[Check, ...]:
    """Every check of the gate, passed or not, in order.

    Args:
        action: what the figures are of.
        at: when they would be released: of the strike days that are over by then, returns have to be there.
        data_class: theirs; synthetic figures are held against no real ones.
        tables: the staged ones, which add up.
        before: the release before, by its id and its tables `WEIGHED`.
        earlier: released actions of the same staff groups, newest first.
    """
    today = at.astimezone(LONDON).date()
    over = tuple(d for d in action.days if d < today)
    names = {r.area.area_type: r.area.area_name for r in reported()}
    now = _Said.of(tables, names)
    totals = [t for t in shown_in("headline") if isinstance(t, Total)]
    return (
        Check(
            key="reconciliation",
            label="Figures add up",
            passed=True,
            evidence="Nothing was lost between what was accepted and the tables, England equals its regions and its "
            "trusts, and every total its days; figures that do not add up are never released.",
        ),
        _coverage(action, over, tables, now.totals.get(ENGLAND.area_type, {})),
        _flagged(totals, now),
        _jump(totals, names, now, before),
        _plausible(totals, action, over, data_class, now, earlier),
    )


def _check(key: str, label: str, found: Sequence[str], fine: str) -> Check:
    """A check that failed by what was found, or what it says where nothing was."""
    return Check(key=key, label=label, passed=not found, evidence="; ".join(found) + "." if found else fine)


def _coverage(action: ActionSet, over: tuple[date, ...], tables: Tables, england: Row) -> Check:
    """Of each extract that is asked for, how many returns are there of the days that are over; before that, of all."""
    least = settings().gate_coverage_percent
    is_whole = len(over) in (0, len(action.days))
    of = "over all strike days" if is_whole else f"on strike days that are over ({len(over)} of {len(action.days)})"
    came = {}
    for extract, prefix in asked_for().items():
        if is_whole:
            came[extract] = england.get(f"{prefix}coverage")
        else:
            days = pa.array(over, pa.date32())
            rows = tables[RETURNS.name].filter(pc.equal(tables[RETURNS.name]["extract"], extract))
            statuses = rows.filter(pc.is_in(rows["strike_day"], value_set=days))["return_status"].to_pylist()
            asked = sum(map(is_asked, statuses))
            came[extract] = 100 * sum(s in RETURNED for s in statuses) / asked if asked else None
    said = {
        e: f"{LABELS[e].lower()}: {_number(p)} % of the returns asked for {of}, from "
        f"{england.get(f'{asked_for()[e]}trusts_returned')} of {england.get(f'{asked_for()[e]}trusts_expected')} trusts"
        for e, p in came.items()
        if p is not None
    }
    few = [f"England, {s}" for e, s in said.items() if (came[e] or 0) < least]
    limit = f"at least {_number(least)} % are needed (gate_coverage_percent)"
    fine = f"England, {'; '.join(said.values())}; {limit}." if said else "Nobody was asked for a return."
    return _check("coverage", "Coverage of England", [*few, limit] if few else [], fine)


def _flagged(totals: list[Total], now: _Said) -> Check:
    """How much of each headline total of England comes from returns with a flag."""
    most, area = settings().gate_flagged_percent, ENGLAND.area_type
    shares: dict[str, tuple[float, str]] = {}
    for total in (t for t in totals if t.kind == "sum"):
        whole = now.value(area, total)
        part = now.cover.get((area, total.key, None), {}).get("flagged_value") or 0
        if whole:
            share = 100 * part / whole
            shares[total.key] = share, f"{total.label}: {_number(part)} of {_number(whole)} ({_number(share)} %)"
    limit = f"at most {_number(most)} % may come from flagged returns (gate_flagged_percent)"
    much = [f"England, {said}" for share, said in shares.values() if share > most]
    top = max(shares.values(), default=None)
    fine = f"Most in England, {top[1]}; {limit}." if top else "There is no headline total that could be in doubt."
    return _check("flagged", "Flagged returns", [*much, limit] if much else [], fine)


def _jump(totals: list[Total], names: Mapping[str, str], now: _Said, before: tuple[str, Tables] | None) -> Check:
    """Which headline figure of a told area moved by more than the returns that came, or went, explain."""
    key, label = "jump", "Jump against the release before"
    if before is None:
        return Check(key=key, label=label, passed=None, evidence="There is no release before to compare with.")
    release_id, was = before[0], _Said.of(before[1], names)
    found = [s for area, name in names.items() for t in totals if (s := _jumped(t, area, name, release_id, was, now))]
    percent, least = settings().gate_jump_percent, settings().gate_jump_at_least
    limit = (
        f"a figure may move by {_number(percent)} % beyond what more or fewer returns explain (gate_jump_percent), and "
        f"by less than {_number(least)} in any case (gate_jump_at_least)"
    )
    fine = f"No headline figure of {', '.join(names.values())} jumped since {release_id}; {limit}."
    return _check(key, label, [*found, limit] if found else [], fine)


def _jumped(total: Total, area: str, name: str, release_id: str, was: _Said, now: _Said) -> str:
    """A figure that jumped, as a sentence; empty where it did not, or there is nothing to compare it with.

    Below the share at which a figure is the area's, other returns make another figure, so only one of as many returns
    is compared.
    """
    old, new = was.value(area, total), now.value(area, total)
    old_came, new_came = was.came(area, total), now.came(area, total)
    if old is None or old_came is None or new_came is None:
        return ""
    thin = (was.percent(area, total.key) or 0) < settings().headline_percent
    if (thin and old_came != new_came) or (not old_came and new_came):
        return ""
    scaled = old * new_came / old_came if old_came else old
    room, value = settings().gate_jump_percent / 100, new or 0
    low, high = min(old, scaled) * (1 - room), max(old, scaled) * (1 + room)
    beyond = max(low - value, value - high)
    if beyond <= 0 or abs(value - old) < settings().gate_jump_at_least:
        return ""
    what = "returns" if total.kind == "sum" else "trusts"
    return (
        f"{name}, {total.label}: {_number(new)}, was {_number(old)} in {release_id}, "
        f"of {new_came} {what}, was {old_came}"
    )


def _plausible(
    totals: list[Total],
    action: ActionSet,
    over: tuple[date, ...],
    data_class: str,
    now: _Said,
    earlier: Sequence[Summary],
) -> Check:
    """Which figure of England, for a strike day, is far from those of earlier actions that may be compared."""
    key, label, area = "plausible", "Beside earlier actions", ENGLAND.area_type
    if not over:
        return Check(key=key, label=label, passed=None, evidence="No strike day is over yet.")
    known = [
        (len(resolve(s.action_id).days), _Said.of({n: s.table(n) for n in WEIGHED}, [area]))
        for s in earlier
        if s.data_class == data_class
    ]
    least, times, found, judged = settings().gate_plausible_at_least, settings().gate_plausible_times, [], []
    most_known, whole = 0, settings().headline_percent
    for total in totals:
        value, cover = now.value(area, total), now.percent(area, total.key, over)
        if value is None or cover is None or cover < whole:
            continue
        each_day = [*_comparable(total, cover, known)]
        most_known = max(most_known, len(each_day))
        if len(each_day) < least:
            continue
        per_day = value if total.kind != "sum" else value / len(over)
        low, high = min(each_day), max(each_day)
        judged.append(total.label)
        if not low / times <= per_day <= high * times:
            found.append(
                f"England, {total.label}: {_number(per_day)} a strike day; {len(each_day)} earlier actions of the same "
                f"staff groups and comparable coverage had {_number(low)} to {_number(high)}"
            )
    limit = f"{_number(times)} times beyond that is held (gate_plausible_times)"
    if not judged:
        said = (
            f"There are too few to say: {most_known} earlier released actions of the same staff groups, with coverage "
            f"within {_number(settings().gate_plausible_points)} percentage points (gate_plausible_points) of figures "
            f"that are England's own; {least} are needed (gate_plausible_at_least)."
        )
        return Check(key=key, label=label, passed=None, evidence=said)
    return _check(key, label, [*found, limit] if found else [], f"As in earlier actions: {', '.join(judged)}; {limit}.")


def _comparable(total: Total, cover: float, known: Iterable[tuple[int, _Said]]) -> Iterator[float]:
    """England's figure of a total for a strike day, in earlier actions whose coverage is near enough."""
    for days, said in known:
        value, percent = said.value(ENGLAND.area_type, total), said.percent(ENGLAND.area_type, total.key)
        if value is not None and percent is not None and abs(percent - cover) <= settings().gate_plausible_points:
            yield value / days if total.kind == "sum" else value


def _number(value: float | None) -> str:
    """`1,234`, `93.4`; a figure that is gone is `none`."""
    if value is None:
        return "none"
    return f"{value:,.0f}" if abs(value - round(value)) < 0.05 else f"{value:,.1f}"
