"""The SQL that counts: made from the catalogue, one relation of facts for all extracts, then areas, days and coverage.

Nothing here names an extract, a measure or a breakdown. What is peculiar to one extract is in its folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from strike_reporting.catalogue.measures import Measure, Pivot, Share, Total
from strike_reporting.extracts import contracts_dir
from strike_reporting.extracts.measures import (
    BREAKDOWNS,
    BY_EXTRACT,
    MEASURES,
    PIVOTS,
    SHARES,
    TOTALS,
    TOTALS_TABLE,
    asked_for,
    asked_with,
    extract_of,
    measures_of,
)

_MODELS = Path(__file__).parent / "models"
_KEYS = "ods_code, site_code, strike_day"
_COVER = {
    "expected": "trusts_expected",
    "returned": "trusts_returned",
    "unasked": "trusts_unasked",
    "percent": "coverage",
}


def statements() -> Iterator[str]:
    """Every statement in order. What they need beforehand, the facts too, is registered by `summaries`."""
    yield _place_facts()
    yield "CREATE TABLE site_trusts AS SELECT DISTINCT site_code, ods_code FROM place_facts WHERE site_code IS NOT NULL"
    yield _place_values()
    yield _place_parts()
    yield _plans()
    yield from _model("facts")
    for extract in BY_EXTRACT:
        pairs = contracts_dir(extract) / "pairs.sql"
        if pairs.is_file():
            yield from _split(pairs.read_text(encoding="utf-8"))
    yield _pairs()
    for name in ("flags", "returned", "coverage", "peaks"):
        yield from _model(name)
    for share in SHARES.values():
        yield _share(share)
    for pivot in PIVOTS.values():
        yield _pivot(pivot)
    yield _totals()
    yield "CREATE TABLE out_returns AS SELECT * FROM returns"


def _model(name: str) -> Iterator[str]:
    yield from _split((_MODELS / f"{name}.sql").read_text(encoding="utf-8"))


def _split(text: str) -> Iterator[str]:
    for statement in text.split(";\n"):
        if any(line.strip() and not line.startswith("--") for line in statement.splitlines()):
            yield statement


def listed(values: Iterable[str]) -> str:
    """Words as SQL lists them."""
    return ", ".join(f"'{v}'" for v in values)


def _within(where: dict[str, tuple[str, ...]]) -> str:
    return " AND ".join(["true", *(f"{b} IN ({listed(v)})" for b, v in where.items())])


def _place_facts() -> str:
    """The facts by trust and site, where a site is an area: all that most figures ask for.

    They are fewer as more sites are none: of a nation all of whose sites were areas, as many.
    """
    return (
        "CREATE TABLE place_facts AS SELECT ods_code, s.site_code, strike_day, extract, measure, "
        f"{', '.join(BREAKDOWNS)}, sum(value)::BIGINT AS value FROM facts f LEFT JOIN sites s USING (site_code) "
        "GROUP BY ALL"
    )


def _place_values() -> str:
    return "CREATE TABLE place_values AS " + " UNION ALL ".join(
        f"SELECT '{t.key}' AS total, {_KEYS}, care_setting, sum(value)::BIGINT AS value FROM place_facts "
        f"WHERE measure = '{t.of}' AND {_within(t.where)} GROUP BY ALL"
        for t in TOTALS.values()
    )


def _place_parts() -> str:
    """The parts of each total by each breakdown that its table has and that it leaves open."""
    parts = []
    for t in TOTALS.values():
        extract = extract_of(t.key)
        tables = BY_EXTRACT[extract].tables or (PIVOTS[BY_EXTRACT[extract].joins],)
        for b in (b for b in tables[0].by if t.kind == "sum" and b != "strike_day" and len(t.where.get(b, "??")) > 1):
            parts.append(
                f"SELECT '{t.key}' AS total, '{extract}' AS extract, '{b}' AS breakdown, {b}::VARCHAR AS part, "
                f"ods_code, value FROM place_facts WHERE measure = '{t.of}' AND {b} IS NOT NULL AND {_within(t.where)}"
            )
    return "CREATE VIEW place_parts AS " + " UNION ALL ".join(parts)


def _pairs() -> str:
    """All pairs by area: those without a site in their trust's areas, those with one in the site."""
    parts = []
    for s in SHARES.values():
        of = f"'{s.key}' AS share, '{extract_of(s.key)}' AS extract"
        cells = ", ".join(f"p.{b}" for b in s.by) + (", " if s.by else "")
        parts += [
            f"SELECT {of}, m.area_type, m.area_code, p.ods_code, p.strike_day, {cells}p.above, p.below, "
            "p.is_impossible "
            f"FROM {s.pairs} p JOIN membership m USING (ods_code, strike_day) WHERE p.site_code IS NULL",
            f"SELECT {of}, 'site' AS area_type, p.site_code AS area_code, p.ods_code, p.strike_day, {cells}"
            f"p.above, p.below, p.is_impossible FROM {s.pairs} p JOIN sites USING (site_code)",
        ]
    return "CREATE TABLE pairs AS " + " UNION ALL BY NAME ".join(parts)


def _share_keys(s: Share) -> list[str]:
    """What a share is told apart by: in the totals the area alone."""
    return ["area_type", "area_code", *(["strike_day"] if s.table != TOTALS_TABLE else []), *s.by]


def _share(s: Share) -> str:
    """A share by area (and day and breakdowns, in a table of days), with what stands beside it."""
    by = _share_keys(s)

    def percent(above: str, below: str) -> str:
        share = f"100.0 * {above}::DOUBLE / nullif({below}, 0)::DOUBLE"
        return f"round(100.0 - {share}, 6)" if s.is_complement else f"round({share}, 6)"

    kept_above, kept_below = "sum(above) FILTER (NOT is_impossible)", "sum(below) FILTER (NOT is_impossible)"
    columns = [
        f"count(DISTINCT ods_code) FILTER (NOT is_impossible) AS {s.trusts}",
        f"{kept_below} AS {s.below}",
        f"{kept_above} AS {s.above}",
        f"{percent(kept_above, kept_below)} AS {s.key}",
    ]
    if s.with_impossible:
        columns.append(f"{percent('sum(above)', 'sum(below)')} AS {s.with_impossible}")
    if s.unreliable:
        whole = "sum(greatest(above, below))"
        many = f"{whole} FILTER (is_impossible) * 100.0 > {whole} * any_value(impossible_percent)"
        columns.append(f"coalesce({many}, false) AS {s.unreliable}")
    return (
        f"CREATE TABLE share_{s.key} AS SELECT {', '.join([*by, *columns])} FROM pairs, about "
        f"WHERE share = '{s.key}' GROUP BY {', '.join(by)}"
    )


def _beside(s: Share, to: str, keys: list[str]) -> tuple[list[str], str]:
    """A share's columns beside the rows of `to`, and the join that gives them: no pair is of no trust."""
    alias = f"s_{s.key}"
    on = " AND ".join(f"{alias}.{k} IS NOT DISTINCT FROM {to}.{k}" for k in keys)
    columns = [f"coalesce({alias}.{s.trusts}, 0) AS {s.trusts}", *(f"{alias}.{n}" for n in s.columns[1:])]
    return columns, f"LEFT JOIN share_{s.key} {alias} ON {on}"


def _pivot(pivot: Pivot) -> str:
    """A published table: measures as columns, one row for each area and breakdown."""
    measures = measures_of(pivot)
    by_day = "strike_day" in pivot.by
    wide = ", ".join(f"sum(value) FILTER (measure = '{m.key}') AS {m.key}" for m in measures)
    known = f"AND ({' OR '.join(f'{b} IS NOT NULL' for b in pivot.given)})" if pivot.given else ""
    own = f"measure IN ({listed(tuple(m.key for m in measures))}) {known}"
    cells, told = ", ".join(f"f.{c}" for c in pivot.by), ", ".join(dict.fromkeys(("strike_day", *pivot.by)))

    def summed(of: str, known: str = "") -> str:  # before a trust's facts are joined with each of its areas
        what = f"{of}, {told}, measure, sum(value)::BIGINT AS value"
        return f"(SELECT {what} FROM place_facts WHERE {own} {known} GROUP BY ALL) f"

    body = (
        f"SELECT m.area_type, m.area_code, {cells}, f.measure, f.value FROM {summed('ods_code')} "
        f"JOIN membership m USING (ods_code, strike_day) UNION ALL "
        f"SELECT 'site', f.site_code, {cells}, f.measure, f.value FROM "
        f"{summed('site_code', 'AND site_code IS NOT NULL')}"
    )
    select = ["SELECT (SELECT action_id FROM about) AS action_id, n.area_name, w.*"]
    of_a_day = ("day_names", ", strike_day") if by_day else ("area_names", "")
    joins = ["JOIN {} n USING (area_type, area_code{})".format(*of_a_day)]
    for s in (s for s in SHARES.values() if s.table == pivot.name):
        columns, join = _beside(s, "w", _share_keys(s))
        select += columns
        joins.append(join)
    if by_day:
        extract = next(e for e, c in BY_EXTRACT.items() if pivot in c.tables)
        select += [
            "r.trusts_expected",
            "r.trusts_returned",
            "r.trusts_unasked",
            "coalesce(r.trusts_returned < r.trusts_expected, false) AS is_partial",
            "d.joint AS joint_action_ids",
        ]
        joins.append("JOIN days d ON d.strike_day = w.strike_day")
        joins.append(
            f"LEFT JOIN returned_by_day r ON r.extract = '{extract}' AND r.area_type = w.area_type "
            "AND r.area_code = w.area_code AND r.strike_day = w.strike_day"
        )
    keys = ", ".join(["area_type", "area_code", *pivot.by])
    return (
        f"CREATE TABLE out_{pivot.name} AS WITH w AS (SELECT {keys}, {wide} FROM ({body}) GROUP BY {keys}) "
        f"{', '.join(select)} FROM w {' '.join(joins)}"
    )


def _total_column(t: Total) -> list[str]:
    if t.kind == "sum":
        return [f"max(v.value) FILTER (total = '{t.key}') AS {t.key}"]
    if t.kind == "mean":
        return [f"max(p.mean) FILTER (total = '{t.key}') AS {t.key}"]
    return [
        f"max(p.peak) FILTER (total = '{t.key}') AS {t.key}",
        f"max(p.peak_day) FILTER (total = '{t.key}') AS {t.key}_day",
    ]


def _totals() -> str:
    """The totals of the action: every area that a trust is in has a row, with nulls where nothing came."""
    sums = [c for t in TOTALS.values() if t.kind == "sum" for c in _total_column(t)]
    others = [c for t in TOTALS.values() if t.kind != "sum" for c in _total_column(t)]
    for basis in dict.fromkeys(t.basis for t in TOTALS.values() if t.basis):
        first = next(t.key for t in TOTALS.values() if t.basis == basis)
        others += [
            f"max(p.trusts) FILTER (total = '{first}') AS {basis}_trusts",
            f"bool_or(p.is_same_trusts) FILTER (total = '{first}') AS {basis}_is_same_trusts",
        ]
    select = ["(SELECT action_id FROM about) AS action_id", "n.*", "t.* EXCLUDE (area_type, area_code)"]
    joins = []
    if others:
        select.append("o.* EXCLUDE (area_type, area_code)")
        joins.append("LEFT JOIN o ON o.area_type = n.area_type AND o.area_code = n.area_code")
    for s in (s for s in SHARES.values() if s.table == TOTALS_TABLE):
        columns, join = _beside(s, "n", _share_keys(s))
        select += columns
        joins.append(join)
    for n, (extract, prefix) in enumerate(asked_for().items()):
        select += [f"c{n}.{was} AS {prefix}{name}" for was, name in _COVER.items()]
        joins.append(
            f"LEFT JOIN returned_in_all c{n} ON c{n}.extract = '{extract}' AND c{n}.area_type = n.area_type "
            f"AND c{n}.area_code = n.area_code"
        )
    for n, t in enumerate(t for t in TOTALS.values() if t.weight):
        select.append(f"k{n}.percent_of_planned AS {t.weight}")
        joins.append(
            f"LEFT JOIN out_coverage k{n} ON k{n}.measure = '{t.key}' AND k{n}.strike_day IS NULL "
            f"AND k{n}.area_type = n.area_type AND k{n}.area_code = n.area_code"
        )
    select.append("(SELECT joint FROM about) AS joint_action_ids")
    return (
        f"CREATE TABLE out_{TOTALS_TABLE} AS WITH t AS (SELECT area_type, area_code, {', '.join(sums)} FROM "
        "(SELECT area_type, area_code, total, sum(value) AS value FROM area_values GROUP BY ALL) v GROUP BY ALL), "
        f"o AS (SELECT area_type, area_code, {', '.join(others or ['1 AS none'])} FROM peaks p GROUP BY ALL) "
        f"SELECT {', '.join(select)} FROM area_names n "
        "LEFT JOIN t ON t.area_type = n.area_type AND t.area_code = n.area_code "
        f"{' '.join(joins)}"
    )


def total_rows() -> list[dict[str, object]]:
    """The relation `totals`: what each total is of."""
    return [
        {
            "total": t.key,
            "extract": extract_of(t.key),
            "asked_with": asked_with(extract_of(t.key)),
            "kind": t.kind,
            "has_care": bool(t.settings),
        }
        for t in TOTALS.values()
    ]


def total_care() -> list[dict[str, object]]:
    """The relation `total_care`: the care settings of each total, and whether plans of its unit can weigh it."""
    return [
        {"total": t.key, "care_setting": c, "is_weighed": any(_weighs(m, t) for m in MEASURES.values())}
        for t in TOTALS.values()
        for c in t.settings
    ]


def _weighs(m: Measure, t: Total) -> bool:
    return m.weighs is not None and all(t.where.get(b) == v for b, v in m.weighs.items())


def _plans() -> str:
    """The relation `plans`: what totals are weighed by."""
    parts = [
        "SELECT ods_code, strike_day, care_setting, value FROM place_facts "
        f"WHERE measure = '{m.key}' AND {_within(m.weighs)}"
        for m in MEASURES.values()
        if m.weighs is not None
    ]
    return "CREATE TABLE plans AS " + " UNION ALL ".join(parts)
