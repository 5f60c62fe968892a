"""The rows of two tables that are worth comparing: most of a nation's are the same from release to release."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from strike_reporting.settings import settings


@contextmanager
def database(rows: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB in memory, within the limits of the settings; what is more lies in files that go with it.

    Args:
        rows: about how many it reads: a thread has `summed_rows` to do. With fewer, threads wait for one another, and
            small statements take a third longer.
    """
    threads = min(settings().duckdb_threads, 1 + rows // settings().summed_rows)
    with tempfile.TemporaryDirectory(prefix="strikes-") as aside, duckdb.connect() as con:
        con.execute("SET TimeZone='UTC'")
        con.execute(f"SET temp_directory='{aside}'")
        con.execute(f"SET memory_limit='{settings().duckdb_memory}'")
        con.execute(f"SET threads={threads}")
        yield con


def differing(
    con: duckdb.DuckDBPyConnection, was: pa.Table, now: pa.Table, by: Sequence[str]
) -> tuple[pa.Table, pa.Table]:
    """Both tables without the rows that share their `by` with no row that differs; rows are told apart by hashes.

    Args:
        con: a `database`; to open one takes half of the time of a comparison.
        was: a table.
        now: another one with the same columns.
        by: columns; a missing value is equal to a missing one. Without any, all rows share theirs.
    """
    if was.equals(now):
        return was.slice(0, 0), now.slice(0, 0)
    if not by:
        return was, now
    con.register("was", was)
    con.register("now", now)
    return _differing(con, by, was.column_names)


def differing_files(was: bytes, now: bytes, by: Sequence[str], told: Sequence[str]) -> tuple[pa.Table, pa.Table]:
    """Some columns of two Parquet files, likewise; neither is read into memory as a whole."""
    rows = sum(pq.read_metadata(pa.BufferReader(data)).num_rows for data in (was, now))
    with tempfile.TemporaryDirectory(prefix="strikes-") as folder, database(rows) as con:
        for name, data in (("was", was), ("now", now)):
            path = Path(folder) / f"{name}.parquet"
            path.write_bytes(data)
            con.read_parquet(str(path)).create_view(name)
        return _differing(con, by, told)


def _differing(con: duckdb.DuckDBPyConnection, by: Sequence[str], told: Sequence[str]) -> tuple[pa.Table, pa.Table]:
    keys, every = (", ".join(f'"{n}"' for n in names) for names in (by, told))
    groups = f"SELECT {keys}, count(*) AS rows_in, sum(hash({every})::HUGEINT) AS said FROM {{}} GROUP BY ALL"
    same = " AND ".join(f't."{n}" IS NOT DISTINCT FROM d."{n}"' for n in by)
    for name in ("was", "now"):
        con.execute(f"CREATE OR REPLACE TABLE in_{name} AS {groups.format(name)}")
    con.execute(
        f"CREATE OR REPLACE TABLE differ AS SELECT DISTINCT {keys} FROM "
        "((FROM in_was EXCEPT FROM in_now) UNION ALL (FROM in_now EXCEPT FROM in_was))"
    )
    kept = (con.execute(f"SELECT {every} FROM {t} t SEMI JOIN differ d ON {same}") for t in ("was", "now"))
    before, after = (found.to_arrow_table() for found in kept)
    return before, after
