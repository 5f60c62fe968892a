"""The catalogue of measures: what each extract's folder adds, in the order of the extracts, each key once."""

from __future__ import annotations

from collections import Counter

from strike_reporting.catalogue.measures import (
    Breakdown,
    CatalogueError,
    Measure,
    Measures,
    Pivot,
    Place,
    Share,
    Total,
    load_measures,
)
from strike_reporting.catalogue.tables import cover_of_totals
from strike_reporting.extracts import EXTRACTS, Contract, contracts_dir, load

BY_EXTRACT: dict[str, Measures] = {e: load_measures(contracts_dir(e) / "measures.yaml") for e in EXTRACTS}
LABELS = {e: m.label for e, m in BY_EXTRACT.items()}
BREAKDOWNS: dict[str, Breakdown] = {b.key: b for c in BY_EXTRACT.values() for b in c.breakdowns}
MEASURES: dict[str, Measure] = {m.key: m for c in BY_EXTRACT.values() for m in c.measures}
TOTALS: dict[str, Total] = {t.key: t for c in BY_EXTRACT.values() for t in c.totals}
SHARES: dict[str, Share] = {s.key: s for c in BY_EXTRACT.values() for s in c.shares}
PIVOTS: dict[str, Pivot] = {p.name: p for c in BY_EXTRACT.values() for p in c.tables}
TOTALS_TABLE = "action_totals"


def extract_of(key: str) -> str:
    """The extract of a measure, total or share."""
    return _EXTRACT[key]


def asked_with(extract: str) -> str:
    """The extract whose trusts an extract is welcome of: itself, where it is asked for."""
    return BY_EXTRACT[extract].asked_with or extract


def is_asked_only_if_struck(extract: str) -> bool:
    """Whether nobody is asked for an extract of a day on which a strike was suspended or called off."""
    return BY_EXTRACT[extract].is_asked_only_if_struck


def concerned(table: str, field: str) -> tuple[str, ...]:
    """The extracts whose returns a column of a published table comes from."""
    owner = tuple(e for e, c in BY_EXTRACT.items() if any(p.name == table for p in c.tables))
    return _COLUMNS.get((table, field)) or owner or tuple(EXTRACTS)


def _columns() -> dict[tuple[str, str], tuple[str, ...]]:
    """The extracts behind each column whose name does not say it: totals, shares and what stands beside them."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for extract, of in BY_EXTRACT.items():
        own = [p.name for p in of.tables] + ([of.joins] if of.joins else [])
        found |= {(t, m.key): (extract,) for t in own for m in of.measures}
        for total in of.totals:
            names = (total.key, f"{total.key}_day", f"{total.basis}_trusts", f"{total.basis}_is_same_trusts")
            found |= {(TOTALS_TABLE, n): (extract,) for n in names}
        with_plans = (extract, *(e for e, c in BY_EXTRACT.items() if c.asked_with == extract))
        found |= {(s.table, n): with_plans for s in of.shares for n in s.columns}
        found |= {(TOTALS_TABLE, t.weight): with_plans for t in of.totals if t.weight}
    for extract, prefix in asked_for().items():
        found |= {(TOTALS_TABLE, c.name): (extract,) for c in cover_of_totals(prefix, LABELS[extract])}
    return found


def asked_for() -> dict[str, str]:
    """Each extract that trusts are asked for, with the prefix of the columns that say how many returned it."""
    found = {e: c.cover_prefix for e, c in BY_EXTRACT.items() if not c.asked_with}
    return {e: f"{e}_" if prefix is None else prefix for e, prefix in found.items()}


def measures_of(pivot: Pivot) -> list[Measure]:
    """The measures that are columns of a published table: its own extract's, then those that join it."""
    own = next(e for e, c in BY_EXTRACT.items() if pivot in c.tables)
    first = BY_EXTRACT[own].tables[0].name == pivot.name
    more = [m for c in BY_EXTRACT.values() if first and c.joins == pivot.name for m in c.measures]
    return [m for m in (*BY_EXTRACT[own].measures, *more) if m.is_published]


def daily_table(extract: str) -> str:
    """The published table that holds an extract's measures by day."""
    return BY_EXTRACT[extract].joins or BY_EXTRACT[extract].tables[0].name


def parts_of(total: Total) -> list[Total]:
    """The totals that together are another, none of it twice; empty where it is not made of others."""
    if total.kind != "sum":
        return []
    found = [t for t in TOTALS.values() if t.of == total.of and t.kind == "sum" and t != total and _is_part(t, total)]
    return found if {v for t in found for v in t.settings} == {*total.settings} else []


def _is_part(part: Total, total: Total) -> bool:
    """Whether a total is of one care setting of another, and else of the same."""
    rest = {b: v for b, v in total.where.items() if b != "care_setting"}
    own = part.where.get("care_setting", ())
    return {**rest, "care_setting": own} == part.where and len(own) == 1 and {*own} < {*total.settings}


def shown_in(place: Place) -> list[Total | Share]:
    """The totals and shares that a place of the pages shows, in order."""
    found: list[Total | Share] = []
    for extract in side_by_side():
        found += [t for t in BY_EXTRACT[extract].totals if place in t.shown]
        found += [s for s in BY_EXTRACT[extract].shares if place in s.shown]
    return found


def side_by_side() -> list[str]:
    """The extracts, each with those that join its table directly after it."""
    order = list(BY_EXTRACT)
    owner = {p.name: order.index(e) for e, c in BY_EXTRACT.items() for p in c.tables}
    return sorted(order, key=lambda e: (owner[daily_table(e)], bool(BY_EXTRACT[e].joins)))


def label_of(key: str) -> str:
    """What a measure, total or share is called; another column as it is written."""
    entry = MEASURES.get(key) or TOTALS.get(key) or SHARES.get(key)
    return entry.label if entry else key.replace("_", " ").capitalize()


def checked_fields(extract: str) -> list[str]:
    """The contract's fields of which nothing may be lost on the way to the tables."""
    return sorted({m.field for m in BY_EXTRACT[extract].measures if m.field})


def measured(field: str, extract: str) -> list[str]:
    """The measures that together hold a field's sum."""
    return [m.key for m in BY_EXTRACT[extract].measures if m.field == field]


def _check(extract: str, contract: Contract) -> list[str]:
    """What an extract's catalogue cannot carry of its contract."""
    of = BY_EXTRACT[extract]
    where = f"{contracts_dir(extract) / 'measures.yaml'}"
    found = [
        f"{where}: the contract has no field {m.field!r}, which {m.key} adds up"
        for m in of.measures
        if m.field and m.field not in contract.field_names
    ]
    if contract.count_field not in checked_fields(extract):
        found.append(f"{where}: no measure adds up {contract.count_field}, so what was sent would be in no figure")
    if of.asked_with and of.asked_with not in EXTRACTS:
        found.append(f"{where}: asked_with: there is no extract {of.asked_with!r}")
    if of.joins and of.joins not in PIVOTS:
        found.append(f"{where}: joins: no extract has a table {of.joins!r}")
    by = {b for t in of.tables for b in (*t.by, *t.given)} | {b for t in of.totals for b in t.where}
    if unknown := sorted((by | {b for s in of.shares for b in s.by}) - {*BREAKDOWNS, "strike_day"}):
        known = ", ".join(sorted(BREAKDOWNS))
        found.append(
            f"{where}: no breakdown is called {', '.join(unknown)}: add it under `breakdowns` (there are {known})"
        )
    for share in of.shares:
        if share.table not in (*PIVOTS, TOTALS_TABLE):
            found.append(f"{where}: {share.key}: no extract has a table {share.table!r}")
    if not (contracts_dir(extract) / "grain.sql").is_file():
        found.append(f"{where}: there is no grain.sql beside it")
    return found


def _checked() -> dict[str, str]:
    keys = [(k, e) for e, c in BY_EXTRACT.items() for k in c.keys]
    every = [*(k for k, _ in keys), *(b.key for c in BY_EXTRACT.values() for b in c.breakdowns)]
    twice = [f"{k} is a key of more than one entry" for k, n in Counter(every).items() if n > 1]
    if problems := [*twice, *(p for e in EXTRACTS for p in _check(e, load(e)))]:
        raise CatalogueError("; ".join(problems))
    return dict(keys)


_EXTRACT = _checked()
_COLUMNS = _columns()
