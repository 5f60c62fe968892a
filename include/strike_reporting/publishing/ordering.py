"""Facts in full order, from sums that have a column for each measure.

Texts are numbers until the last step: to sort long texts is mostly to move them about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from strike_reporting.extracts.measures import BREAKDOWNS, BY_EXTRACT
from strike_reporting.judging.columns import CODED, Column, alike

_PLACE = ("ods_code", "site_code", "strike_day", "submission_id", "extract")
# What of a fact its extract's rows are grouped by.
TOLD_BY = (*_PLACE[:-1], *BREAKDOWNS)
_TYPES = {"strike_day": pa.date32(), **{n: b.type for n, b in BREAKDOWNS.items() if b.is_flag}}
SCHEMA = pa.schema(
    [(n, _TYPES.get(n, pa.string())) for n in (*_PLACE, "measure", *BREAKDOWNS)] + [("value", pa.int64())]
)
"""Of the facts: their order is that of these columns, what is missing last."""

_BATCH_ROWS = 64 * 1024


def coded(rows: pa.RecordBatchReader) -> pa.Table:
    """Rows with each text once: columns are as `SCHEMA` has them, and those of texts are dictionaries."""
    names = rows.schema.names
    parts = [rows.schema.empty_table(), *(pa.Table.from_batches([b]) for b in rows)]
    return pa.concat_tables(pa.table([_coded(n, part[n]) for n in names], names) for part in parts)


def _coded(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    if name in TOLD_BY:  # an extract's own SQL may give it otherwise, so a missing one as a number
        column = column.cast(SCHEMA.field(name).type)
    return column.dictionary_encode() if pa.types.is_string(column.type) else column


def in_order(summed: Mapping[str, pa.Table]) -> Iterator[pa.RecordBatch]:
    """One fact for each measure that a row gives, as `SCHEMA` has them, in its order.

    Args:
        summed: of each extract its rows as `coded` makes them, unlike each other in `TOLD_BY`; a column for each
            measure.
    """
    rows = _side_by_side(summed)
    ranked = [_ranked(rows[name].combine_chunks()) for name in (*_PLACE, *BREAKDOWNS)]
    place, rank = alike(ranked[: len(_PLACE)], rows.num_rows), alike(ranked, rows.num_rows)
    rows = rows.take(pa.array(np.argsort(rank)))
    measures = sorted({m.key for extract in summed for m in BY_EXTRACT[extract].measures})
    # Facts of one place stand together, by measure, and those of a measure as their rows do.
    keys, values, first = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0
    for extract, table in summed.items():
        for measure in (m.key for m in BY_EXTRACT[extract].measures):
            column = table[measure].combine_chunks()
            at = first + np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
            keys.append((place[at] * len(measures) + measures.index(measure)) * len(rank) + rank[at])
            values.append(column.drop_null().to_numpy())
        first += table.num_rows
    key = np.concatenate(keys)
    by_key = np.argsort(key)
    key, value = key[by_key], np.concatenate(values)[by_key]
    names = pa.array(measures)
    for start in range(0, len(key), _BATCH_ROWS):
        some = key[start : start + _BATCH_ROWS]
        measure = pa.array((some // len(rank) % len(measures)).astype(np.int32))
        facts = (
            rows.take(pa.array(some % len(rank)))
            .append_column("measure", pa.DictionaryArray.from_arrays(measure, names))
            .append_column("value", pa.array(value[start : start + _BATCH_ROWS]))
            .select(SCHEMA.names)
            .cast(SCHEMA)
        )
        yield from facts.combine_chunks().to_batches()


def _side_by_side(summed: Mapping[str, pa.Table]) -> pa.Table:
    """What the rows of all extracts are told apart by, as one table."""
    empty = pa.schema([(n, _TYPES.get(n, CODED)) for n in (*_PLACE, *BREAKDOWNS)]).empty_table()
    parts = [empty]
    for extract, table in summed.items():
        name = pa.DictionaryArray.from_arrays(np.zeros(table.num_rows, np.int32), [extract])
        told = table.select([n for n in TOLD_BY if n in table.column_names])
        parts.append(told.append_column("extract", name))
    return pa.concat_tables(parts, promote_options="default").unify_dictionaries().combine_chunks()


def _ranked(column: pa.Array) -> Column:
    """A column by the order of its values, what is missing last."""
    told = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    order = pc.sort_indices(told.dictionary).to_numpy()
    rank = np.empty(len(order) + 1, np.int32)
    rank[order], rank[-1] = np.arange(len(order)), len(order)
    return Column(range(len(rank)), rank[told.indices.fill_null(len(order)).to_numpy()])
