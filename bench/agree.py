"""Whether both sides of the benchmark say the same: every figure of every table that both make, for areas but sites."""

from __future__ import annotations

from pathlib import Path

import duckdb

# By table of the reference: what tells its rows apart, and its figures by what they are called in ours.
SAME = {
    "cancellations_daily": (
        ("area_type", "area_code", "strike_day", "point_of_delivery"),
        {"cancelled": "cancelled", "rebooked": "rebooked", "notified": "notified", "planned": "planned"},
    ),
    "staffing_daily": (
        ("area_type", "area_code", "strike_day", "staff_group", "grade"),
        {n: n for n in ("due_to_work", "absent_action", "absent_other", "redeployed_in")},
    ),
    "specialties": (
        ("area_type", "area_code", "treatment_function_code", "priority", "is_cancer"),
        {"cancelled": "cancelled"},
    ),
    "action_totals": (
        ("area_type", "area_code"),
        {"inpatient_cancelled": "inpatient", "outpatient_cancelled": "outpatient", "staff_days_lost": "staff_days"},
    ),
}


def differing(ours: Path, theirs: Path) -> dict[str, tuple[int, int]]:
    """By table, how many figures were compared and how many of them differ."""
    return {table: _differing(table, ours, theirs) for table in SAME}


def _told(key: str) -> str:
    """A key as the reference writes it: a truth is a word there."""
    text = f"CAST({key} AS VARCHAR)"
    return f"CASE {text} WHEN 'true' THEN 'yes' WHEN 'false' THEN 'no' ELSE {text} END"


def _differing(table: str, ours: Path, theirs: Path) -> tuple[int, int]:
    keys, figures = SAME[table]
    # What has no value on one side has none on the other, or no row.
    sides = [
        f"(SELECT {', '.join(f'{_told(k)} AS {k}' for k in keys)}, "
        f"{', '.join(f'CAST(sum({name}) AS DOUBLE) AS {as_}' for name, as_ in named.items())} "
        f"FROM '{folder / table}.parquet' "
        f"WHERE area_type <> 'site' GROUP BY ALL)"  # the reference knows no sites
        for folder, named in ((ours, {n: n for n in figures}), (theirs, {v: k for k, v in figures.items()}))
    ]
    joined = " AND ".join(f"a.{k} IS NOT DISTINCT FROM b.{k}" for k in keys)
    known = " + ".join(f"count(*) FILTER (a.{n} IS NOT NULL OR b.{n} IS NOT NULL)" for n in figures)
    apart = " + ".join(f"count(*) FILTER (a.{n} IS DISTINCT FROM b.{n})" for n in figures)
    found = duckdb.sql(f"SELECT {known}, {apart} FROM {sides[0]} a FULL JOIN {sides[1]} b ON {joined}").fetchone()
    assert found is not None  # noqa: S101 - an aggregate has one row
    return int(found[0]), int(found[1])
