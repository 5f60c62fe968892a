"""Parquet: size is known before a row is read; every value becomes the text a CSV would hold."""

from __future__ import annotations

import io
from datetime import date, datetime, time
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from strike_reporting.judging.problems import Rejected
from strike_reporting.judging.reading import MAX_BYTES, MAX_CELL, Sheet, check_shape


def read(data: bytes) -> Sheet:
    """The file's rows under one header row. Row 1 is the header, so data rows are numbered from 2.

    Raises:
        Rejected: damaged, nested columns, or beyond the limits.
    """
    try:
        file = pq.ParquetFile(io.BytesIO(data))
        schema = file.schema_arrow
        check_shape("the file", file.metadata.num_rows, len(schema))
        expanded = sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
        if expanded > 4 * MAX_BYTES:
            raise Rejected("file_expansion", f"the file unpacks to {expanded:,} bytes", "Split it by day.")
        nested = [f.name for f in schema if pa.types.is_nested(f.type)]
        if nested:
            raise Rejected("nested_column", "a column holds lists or records", "Send plain columns.", column=nested[0])
        columns: list[list[str]] = [[] for _ in schema]
        size = 0
        for batch in file.iter_batches(10_000):  # repeated values are stored once: the real size shows on reading
            for column, values in zip(columns, batch.columns, strict=True):
                texts = [_text(v) for v in values.to_pylist()]
                size += sum(map(len, texts))
                column += texts
            if size > 4 * MAX_BYTES:
                raise Rejected(
                    "file_expansion", f"the file unpacks to over {4 * MAX_BYTES:,} bytes", "Split it by day."
                )
    except Rejected:
        raise
    except Exception as error:  # the parser may raise anything on hostile bytes
        raise Rejected("file_damaged", "the Parquet file cannot be read", "Write and send it again.") from error
    rows = [list(schema.names), *map(list, zip(*columns, strict=True))]
    return Sheet("", rows, list(range(1, len(rows) + 1)))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    text = value.isoformat() if isinstance(value, date) else str(value)
    if len(text) > MAX_CELL:
        raise Rejected("cell_limit", f"a cell holds more than {MAX_CELL:,} characters", "Remove any notes.")
    return text
