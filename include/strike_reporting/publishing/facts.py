"""The facts behind every figure: one for each measure that a submission says of a trust, place, day and breakdowns.

They are summed from the accepted rows of some trusts at a time, trust after trust, and sorted into one Parquet file. So
what is in memory follows these trusts and not the nation, and the tables are counted from that file.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, groupby
from pathlib import Path
from typing import BinaryIO

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from strike_reporting.extracts import Contract, contracts_dir, load
from strike_reporting.extracts.contract import BETWEEN
from strike_reporting.extracts.measures import BY_EXTRACT
from strike_reporting.judging.filing import accepted_key
from strike_reporting.publishing.counting import listed
from strike_reporting.publishing.ordering import SCHEMA, TOLD_BY, coded, in_order
from strike_reporting.publishing.relations import held
from strike_reporting.publishing.selection import Return
from strike_reporting.settings import settings
from strike_reporting.storage import Store

_GROUP_ROWS = 1024 * 1024  # as one table would be written whole
_READ_ROWS = 128 * 1024  # whose texts are held beside their numbers
_SORTED_ROWS = 1_000_000  # accepted rows whose facts are sorted together, in memory
# The first columns of the full order as one value; a missing site comes last.
_PLACE = "struct_pack(a := ods_code, b := site_code IS NULL, c := coalesce(site_code, ''), d := strike_day)"


def write_facts(
    con: duckdb.DuckDBPyConnection, store: Store, returns: list[Return], contracts: dict[str, Contract], path: Path
) -> None:
    """Write the facts of some returns to a Parquet file, in full order.

    Args:
        con: where the relation `rolled` is.
        store: where accepted files are.
        returns: which submission counts of which part.
        contracts: of each extract, by which its accepted rows were filed.
        path: of the file.

    Raises:
        Exception: whatever the reader of an accepted file that is damaged or gone says.
    """
    with path.open("wb") as file:
        writer = _Writer(file)
        for some in _together(returns):
            con.register("held", held(some))
            for extract in BY_EXTRACT:
                con.register(f"all_{extract}", _accepted(store, extract, some))
                for statement in _views(contracts[extract]):
                    con.execute(statement)
            for where in _spans(con, sum(r.rows_accepted for r in some)):
                for batch in in_order({e: _summed(con, e, where) for e in BY_EXTRACT}):
                    writer.add(batch)
                pa.default_memory_pool().release_unused()  # it keeps what one group took, and the next takes its own
        writer.close()
    con.execute("DROP TABLE IF EXISTS spans")


def counting(returns: list[Return], extract: str) -> list[str]:
    """The submissions whose accepted rows of an extract are in the figures."""
    return sorted({s for r in returns if r.extract == extract and r.counts for s in r.submission_ids})


def _together(returns: list[Return]) -> Iterator[list[Return]]:
    """Returns by trusts, in the order of their codes: so many at a time as may be summed together, and at least one."""
    if not returns:
        yield []
    by_trust = [list(of_one) for _, of_one in groupby(sorted(returns, key=lambda r: r.ods_code), lambda r: r.ods_code)]
    before = accumulate((sum(r.rows_accepted for r in of_one) for of_one in by_trust), initial=0)
    numbered = zip(before, by_trust, strict=False)
    for _, some in groupby(numbered, lambda n: n[0] // settings().summed_rows):
        yield [r for _, of_one in some for r in of_one]


class _Writer:
    """A Parquet file of sorted rows, byte for byte as if all were written at once."""

    def __init__(self, file: BinaryIO) -> None:
        self._to = pq.ParquetWriter(file, SCHEMA, compression="zstd", version="2.6")
        self._kept, self._rows, self._groups = list[pa.RecordBatch](), 0, 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Rows that come after all before."""
        while self._rows + batch.num_rows >= _GROUP_ROWS:
            fits = _GROUP_ROWS - self._rows
            self._kept.append(batch.slice(0, fits))
            batch = batch.slice(fits)
            self._write()
        self._kept.append(batch)
        self._rows += batch.num_rows

    def close(self) -> None:
        """Write what is left; a file of no rows has one empty group."""
        if self._rows or not self._groups:
            self._write()
        self._to.close()

    def _write(self) -> None:
        self._to.write_table(pa.Table.from_batches(self._kept, SCHEMA), row_group_size=_GROUP_ROWS)
        self._kept, self._rows, self._groups = [], 0, self._groups + 1


def _accepted(store: Store, extract: str, returns: list[Return]) -> ds.Dataset | pa.Table:
    wanted = counting(returns, extract)
    schema = load(extract).schema
    if not wanted:
        return schema.empty_table()
    paths = [store.path(accepted_key(extract, s)) for s in wanted]
    return ds.dataset(paths, schema=schema, format="parquet", filesystem=None if store.local else store.fs)


def _views(contract: Contract) -> Iterator[str]:
    """An extract's accepted rows as they are counted."""
    extract = contract.name
    grain = (contracts_dir(extract) / "grain.sql").read_text(encoding="utf-8")
    yield f"CREATE OR REPLACE VIEW rows_{extract} AS {_rows(contract)}"
    yield f"CREATE OR REPLACE VIEW grain_{extract} AS WITH rows AS (SELECT * FROM rows_{extract}) {grain}"


def _spans(con: duckdb.DuckDBPyConnection, rows: int) -> list[str]:
    """Conditions that part so many rows by their places, in order: a trust may have sent several of the largest files.

    No place is cut: what a trust says of a site and day is sorted together, however much that is.
    """
    if rows <= _SORTED_ROWS:
        return ["true"]
    every = " UNION ALL ".join(f"SELECT {_PLACE} AS place FROM grain_{extract}" for extract in BY_EXTRACT)
    con.execute(
        "CREATE OR REPLACE TABLE spans AS SELECT span, min(place) AS first, max(place) AS last FROM (SELECT place, "
        f"((sum(n) OVER (ORDER BY place ROWS UNBOUNDED PRECEDING) - n) // {_SORTED_ROWS})::BIGINT AS span "
        f"FROM (SELECT place, count(*) AS n FROM ({every}) GROUP BY ALL)) GROUP BY ALL"
    )
    spans = con.execute("SELECT span FROM spans ORDER BY span").fetchall()
    return [f"(SELECT {_PLACE} BETWEEN first AND last FROM spans WHERE span = {span})" for (span,) in spans]


def _summed(con: duckdb.DuckDBPyConnection, extract: str, where: str) -> pa.Table:
    """Every measure of an extract in a span, summed to what figures are told apart by, in one pass over its files."""
    sums = [
        f"(sum(({m.value})::BIGINT) FILTER (WHERE {m.where}))::BIGINT AS {m.key}" for m in BY_EXTRACT[extract].measures
    ]
    told = f"COLUMNS(c -> c IN ({listed(TOLD_BY)}))"
    found = con.execute(f"SELECT {told}, {', '.join(sums)} FROM grain_{extract} WHERE {where} GROUP BY ALL")
    return coded(found.to_arrow_reader(_READ_ROWS))


def _rows(contract: Contract) -> str:
    """Accepted rows of the parts that count, with what their coded fields roll up to."""
    extract = contract.name
    ups = {f.rolls_up_to: f.name for f in contract.fields if f.rolls_up_to}
    joins = " ".join(f"LEFT JOIN rolled r_{u} ON r_{u}.up = '{u}' AND r_{u}.code = a.{f}" for u, f in ups.items())
    rolled = "".join(f", r_{u}.rolls_up_to AS {u}" for u in ups)
    return (
        f"SELECT a.*{rolled} FROM all_{extract} a {joins} "
        f"JOIN held h ON h.extract = '{extract}' AND h.submission_id = a.submission_id AND h.ods_code = a.ods_code "
        f"AND h.strike_day = a.{contract.date_field} AND h.part = {_part(contract)}"
    )


def _part(contract: Contract) -> str:
    """The part of a row, as `Contract.part_keys` makes it."""
    words = []
    for name in contract.part:
        field = contract.behind(name)
        if field is None:
            words.append("''")
        elif field.name == name:
            words.append(f"coalesce(a.{name}, '{field.default or ''}')")
        else:
            words.append(f"coalesce(r_{name}.rolls_up_to, '')")
    return f"concat_ws('{BETWEEN}', {', '.join(words)})"
