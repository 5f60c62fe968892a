"""Two state roots, table by table and cell by cell."""

from __future__ import annotations

import pyarrow as pa
from strike_reporting.storage import Store
from strike_reporting.storage.parquet import read_parquet

PARTS = ("accepted", "quarantine", "releases")
CLOCK = "received_at"  # when a file was landed: only whether it was is compared


def tables(store: Store) -> dict[str, pa.Table]:
    """Every table that a root holds, by key."""
    keys = [key for part in PARTS for key in store.list(part, ".parquet")]
    return {key: read_parquet(store.read(key)) for key in keys}


def differences(one: dict[str, pa.Table], other: dict[str, pa.Table]) -> list[str]:
    """What is not the same: tables on one side only, and every cell that differs."""
    found = [f"{key} is on one side only" for key in sorted(one.keys() ^ other.keys())]
    for key in sorted(one.keys() & other.keys()):
        here, there = one[key], other[key]
        if here.schema != there.schema or here.num_rows != there.num_rows:
            found.append(f"{key}: {here.num_rows} and {there.num_rows} rows, or other columns")
            continue
        for name in here.column_names:
            pairs = zip(here[name].to_pylist(), there[name].to_pylist(), strict=True)
            if name == CLOCK:
                pairs = ((a is None, b is None) for a, b in pairs)
            found += [f"{key}, {name}, row {row}: {a!r}, {b!r}" for row, (a, b) in enumerate(pairs) if a != b]
    return found
