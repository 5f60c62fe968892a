"""The floor: the reference, if it kept what was sent submission by submission.

It reads, types and judges all files of an extract in one scan, as the reference does. Then it files the good rows of
each submission as a Parquet file of their own, with their numbers and the hash of what was sent, has it written to
disk, and counts the same tables from those files. What ours does beside (dialects, guard, contract, doubles, findings,
reports, outcomes, ledger, facts by site) comes on top of it.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import reference

EXTRACTS = ("cancellations", "planned_activity", "staffing")
FIRST_COUNTED = "CREATE TABLE leaf"


class Keeping:
    """The reference's connection: what it counts is filed first, and read from there."""

    def __init__(self, con: duckdb.DuckDBPyConnection, out: Path) -> None:
        self.con, self.out = con, out

    def execute(self, query: str, *parameters: Any) -> None:
        """Any statement, in its order."""
        if FIRST_COUNTED in query:
            for extract in EXTRACTS:
                self._file(extract)
        self.con.execute(query, *parameters)

    def _file(self, extract: str) -> None:
        folder = self.out / "accepted" / extract
        folder.mkdir(parents=True)
        good = self.con.execute(f"SELECT * FROM {extract}").to_arrow_table()
        for number, (source, rows) in enumerate(_by_file(good)):
            kept = folder / f"{number}.parquet"
            sha = hashlib.sha256(Path(source).read_bytes()).hexdigest()
            rows = rows.append_column("submission_id", pa.repeat(sha, rows.num_rows))
            rows = rows.append_column("source_row", pa.array(np.arange(rows.num_rows)))
            with kept.open("wb") as file:
                pq.write_table(rows, file, compression="zstd")
                file.flush()
                os.fsync(file.fileno())
        self.con.execute(f"DROP TABLE {extract}")
        self.con.execute(f"CREATE VIEW {extract} AS SELECT * FROM '{folder}/*.parquet'")


def _by_file(good: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """The rows of each file."""
    files = good["filename"].combine_chunks().dictionary_encode()
    of = files.indices.to_numpy()
    order = np.argsort(of, kind="stable")
    rows = good.drop_columns(["filename"]).take(pa.array(order))
    ends = np.searchsorted(of[order], np.arange(len(files.dictionary) + 1))
    for name, start, end in zip(files.dictionary.to_pylist(), ends, ends[1:], strict=False):
        yield name, rows.slice(start, end - start)


if __name__ == "__main__":
    connect = duckdb.connect
    duckdb.connect = lambda: Keeping(connect(), Path(sys.argv[2]))  # type: ignore[assignment]
    reference.main(*map(Path, sys.argv[1:4]))
