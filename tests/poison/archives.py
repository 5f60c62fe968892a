"""ZIP, GZIP and Parquet."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq

from poison.corpus import HEAD, poison
from poison.formats import cell, xlsx, zipped


@poison("many_members.csv.gz", "header", "file_damaged", "layout", "too_large_to_read")
def many_members() -> bytes:
    return gzip.compress(b"a,b\n") * 200_000


@poison("bomb.csv.gz", "file_expansion")
def gzip_bomb() -> bytes:
    return gzip.compress(bytes(49_000_000)) * 900


@poison("in_each_other.zip", "archive_nesting")
def in_each_other() -> bytes:
    data = HEAD.encode()
    for _ in range(50):
        data = zipped({"a.zip": data})
    return data


@poison("tight.zip", "file_expansion")
def tight() -> bytes:
    return zipped({"a.csv": bytes(60_000_000)}, zipfile.ZIP_LZMA)


@poison("many_files.zip", "archive_files")
def many_files() -> bytes:
    return zipped({f"{n}": b"" for n in range(65_000)}, zipfile.ZIP_STORED)


@poison("larger_than_it_says.zip", "file_damaged", "file_expansion")
def zip_larger_than_it_says() -> bytes:
    data = zipped({"a.csv": b"a," * 50_000_000})
    at = data.rindex(b"PK\x01\x02")
    return data[: at + 24] + struct.pack("<I", 100) + data[at + 28 :]


@poison("a_thousand_files.zip", "archive_files")
def a_thousand_files() -> bytes:
    return zipped({f"{n}.csv": HEAD for n in range(1_000)})


@poison("four_bombs.zip", "file_expansion")
def four_bombs() -> bytes:
    """Each within the limits, together beyond them."""
    return zipped({f"{n}.csv": b"a,b\n" * 6_000_000 for n in range(4)}, zipfile.ZIP_LZMA)


@poison("forty_workbooks.zip", "row_limit")
def forty_workbooks() -> bytes:
    """Each within the limits, together far beyond what they allow a workbook."""
    return zipped({f"{n}.xlsx": xlsx(cell("A1") + cell("B999000")) for n in range(40)})


def parquet(table: pa.Table, **options: object) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **options)
    return buffer.getvalue()


@poison("dictionary.parquet", "file_expansion")
def dictionary() -> bytes:
    column = pa.array(["x" * 1_900]).take(pa.array([0] * 150_000, pa.int32()))
    return parquet(pa.table({"a": column, "b": column}))


@poison("many_rows.parquet", "row_limit")
def many_rows() -> bytes:
    return parquet(pa.table({"a": pa.nulls(20_000_000, pa.int8())}))


@poison("many_columns.parquet", "column_limit")
def many_columns() -> bytes:
    return parquet(pa.table({f"c{n}": pa.array([1]) for n in range(20_000)}))


@poison("long_text.parquet", "cell_limit", "file_expansion")
def long_text() -> bytes:
    return parquet(pa.table({"a": ["x" * 60_000_000]}))


@poison("wide_batch.parquet", "file_expansion")
def wide_batch() -> bytes:
    """Two hundred columns of the same long text: small until it is read."""
    column = pa.array(["x" * 1_900]).take(pa.array([0] * 2_000, pa.int32()))
    return parquet(pa.table({f"c{n}": column for n in range(200)}))


@poison("nested.parquet", "nested_column", "file_damaged")
def nested() -> bytes:
    kind, value = pa.int8(), 1
    for _ in range(60):
        kind, value = pa.list_(kind), [value]  # type: ignore[assignment]
    return parquet(pa.table({"a": pa.array([value], kind)}))
