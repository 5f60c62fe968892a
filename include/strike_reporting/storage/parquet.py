"""Our own Parquet: written and read without a file, and without threads of Arrow's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def read_parquet(data: bytes) -> pa.Table:
    """The table that a Parquet file holds.

    No thread of Arrow's has a part in it: one that lets go of a Python object while the interpreter ends aborts the
    process, after all its work was done (5 of 250 readings by `pyarrow.parquet.read_table` on a busy machine).

    Raises:
        OSError, pyarrow.ArrowException: it is no Parquet, or damaged.
    """
    return pq.ParquetFile(pa.BufferReader(data), pre_buffer=False).read(use_threads=False)


def write_parquet(table: pa.Table) -> bytes:
    """A table as the bytes of a Parquet file."""
    return write_pieces(table.schema, [table])


def write_pieces(schema: pa.Schema, pieces: Iterable[pa.Table]) -> bytes:
    """Pieces of a table as the bytes of a Parquet file, a row group each, of which one at a time need be in memory.

    Arrow's own buffer takes three quarters of the time of a Python one.
    """
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, schema, compression="zstd") as file:
        for piece in pieces:
            file.write_table(piece)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def distinct(data: bytes, columns: Sequence[str]) -> set[tuple[Any, ...]]:
    """The distinct values of some columns of a Parquet file together, of which a part at a time is in memory."""
    file = pq.ParquetFile(pa.BufferReader(data), pre_buffer=False)
    found: set[tuple[Any, ...]] = set()
    for n in range(file.num_row_groups):
        part = file.read_row_group(n, columns=list(columns), use_threads=False)
        part = part.group_by(list(columns), use_threads=False).aggregate([])
        found.update(zip(*(part[c].to_pylist() for c in columns), strict=True))
    return found
