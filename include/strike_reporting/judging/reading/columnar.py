"""Parquet: size is known before a row is read; every value becomes the text a CSV would hold."""

from __future__ import annotations

import io
from datetime import date, datetime, time
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from strike_reporting.judging.problems import Rejected
from strike_reporting.judging.reading.build import TableBuilder
from strike_reporting.judging.reading.limits import Limits

_BATCH_CELLS = 10_000


def read(data: bytes, limits: Limits) -> pa.Table:
    """The file's rows under one header row. Row 1 is the header, so data rows are numbered from 2.

    Raises:
        Rejected: damaged, nested columns, or beyond the limits.
    """
    try:
        file = pq.ParquetFile(io.BytesIO(data))
        schema = file.schema_arrow
        limits.check_shape("the file", file.metadata.num_rows, len(schema))
        expanded = sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
        if expanded > limits.max_parquet_bytes:
            raise Rejected("file_expansion", f"the file unpacks to {expanded:,} bytes", "Split it by day.")
        nested = [f.name for f in schema if pa.types.is_nested(f.type)]
        if nested:
            raise Rejected("nested_column", "a column holds lists or records", "Send plain columns.", column=nested[0])
        return _table(file, limits)
    except (Rejected, MemoryError):
        raise
    except Exception as error:  # the parser may raise anything on hostile bytes
        raise Rejected("file_damaged", "the Parquet file cannot be read", "Write and send it again.") from error


def _table(file: pq.ParquetFile, limits: Limits) -> pa.Table:
    built = TableBuilder("the file", limits)
    built.add_columns(1, [[n] for n in file.schema_arrow.names], 1)
    size = 0
    for batch in file.iter_batches(
        max(1, _BATCH_CELLS // max(1, len(file.schema_arrow)))
    ):  # repeated values are stored once: the real size shows on reading
        columns = []
        for values in batch.columns:
            columns.append([_text(v, limits) for v in values.to_pylist()])
            size += sum(map(len, columns[-1]))
            if size > limits.max_parquet_bytes:
                found = f"the file unpacks to over {limits.max_parquet_bytes:,} bytes"
                raise Rejected("file_expansion", found, "Split it by day.")
        built.add_columns(built.height + 1, columns, batch.num_rows)
    return built.table()


def _text(value: Any, limits: Limits) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    text = value.isoformat() if isinstance(value, date) else str(value)
    if len(text) > limits.max_cell_characters:
        raise limits.long_cell()
    return text
