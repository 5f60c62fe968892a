"""Parquet: size is known before a row is read; every value becomes the text a CSV would hold."""

from __future__ import annotations

import io
import re
from datetime import date, datetime, time
from decimal import Decimal
from math import isfinite
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from strike_reporting.judging.problems import Rejected, damaged, shown
from strike_reporting.judging.reading.build import TableBuilder
from strike_reporting.judging.reading.limits import Limits

_BATCH_CELLS = 10_000
_INDEX = re.compile(r"__index_level_\d+__")  # of a data frame: no column of its sender


def read(data: bytes, limits: Limits) -> pa.Table:
    """The file's rows under one header row. Row 1 is the header, so data rows are numbered from 2.

    Raises:
        Rejected: damaged, nested columns, or beyond the limits.
    """
    with damaged("the Parquet file cannot be read", "Write and send it again."):
        file = pq.ParquetFile(io.BytesIO(data))
        names = [n for n in file.schema_arrow.names if not _INDEX.fullmatch(n)]
        limits.check_extent("the file", file.metadata.num_rows, 1, limits.max_cells)
        expanded = sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
        if expanded > limits.max_parquet_bytes:
            raise Rejected("file_expansion", f"the file unpacks to {expanded:,} bytes", "Split it by day.")
        nested = [f.name for f in file.schema_arrow if pa.types.is_nested(_inner(f.type))]
        if nested:
            raise Rejected(
                "nested_column", "a column holds lists or records", "Send plain columns.", column=shown(nested[0])
            )
        return _table(file, names, limits)


def _inner(kind: pa.DataType) -> pa.DataType:
    """What a column's values are, however they are kept."""
    while isinstance(kind, pa.BaseExtensionType) or pa.types.is_dictionary(kind):
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind.storage_type
    return kind


def _table(file: pq.ParquetFile, names: list[str], limits: Limits) -> pa.Table:
    built = TableBuilder("the file", limits)
    built.add_columns(1, [[n] for n in names], 1)
    size = 0
    for batch in file.iter_batches(
        max(1, _BATCH_CELLS // max(1, len(names))), columns=names
    ):  # repeated values are stored once: the real size shows on reading
        columns = []
        for values in batch.columns:
            columns.append([_text(v, limits) for v in _values(values)])
            size += sum(map(len, columns[-1]))
            if size > limits.max_parquet_bytes:
                found = f"the file unpacks to over {limits.max_parquet_bytes:,} bytes"
                raise Rejected("file_expansion", found, "Split it by day.")
        built.add_columns(built.height + 1, columns, batch.num_rows)
    return built.table()


def _values(column: pa.Array) -> list[Any]:
    """A column's values as Python's. Python has no nanoseconds."""
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    elif pa.types.is_time64(kind) and kind.unit == "ns":
        column = column.cast(pa.time64("us"), safe=False)
    elif pa.types.is_duration(kind) and kind.unit == "ns":
        column = column.cast(pa.duration("us"), safe=False)
    return column.to_pylist()  # type: ignore[no-any-return]


def _text(value: Any, limits: Limits) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float | Decimal):
        if not isfinite(value):
            return ""  # “not a number” is what a program writes where nothing is given
        return str(int(value)) if value == int(value) else str(value)
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    if isinstance(value, datetime):  # in its own zone: a day is a day where it was written
        local: datetime = value.replace(tzinfo=None)
        return local.date().isoformat() if local.time() == time() else local.isoformat(sep=" ")
    text: str = value.isoformat() if isinstance(value, date) else str(value)
    if len(text) > limits.max_cell_characters:
        raise limits.long_cell()
    return text
