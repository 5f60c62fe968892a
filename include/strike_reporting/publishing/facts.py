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

from strike_reporting.catalogue.measures import Measure
from strike_reporting.extracts import Contract, contracts_dir, load
from strike_reporting.extracts.contract import BETWEEN
from strike_reporting.extracts.measures import BREAKDOWNS, BY_EXTRACT
from strike_reporting.judging.filing import accepted_key
from strike_reporting.publishing.counting import listed
from strike_reporting.publishing.relations import held
from strike_reporting.publishing.selection import Return
from strike_reporting.settings import settings
from strike_reporting.storage import Store

_SAID = ("ods_code", "site_code", "strike_day", "submission_id", *BREAKDOWNS)
_SORTED_ROWS = 250_000  # accepted rows, or facts, that are sorted together: a sort is held in memory
# The first columns of the full order as one value; a missing site comes last.
_PLACE = (
    "struct_pack(a := ods_code, b := site_code IS NULL, c := coalesce(site_code, ''), d := strike_day, "
    "e := submission_id, f := extract, g := measure)"
)
_GROUP_ROWS, _BATCH_ROWS = 1024 * 1024, 64 * 1024  # as one table would be written whole


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
        writer: _Writer | None = None
        for some in _together(returns):
            con.register("held", held(some))
            for extract in BY_EXTRACT:
                con.register(f"all_{extract}", _accepted(store, extract, some))
                for statement in _summing(contracts[extract]):
                    con.execute(statement)
            for asked in _in_order(con, sum(r.rows_accepted for r in some)):
                batches = con.execute(asked).to_arrow_reader(_BATCH_ROWS)
                writer = writer or _Writer(file, batches.schema)
                for batch in batches:
                    writer.add(batch)
        if writer is not None:
            writer.close()
    for table in ("places", *(f"summed_{extract}" for extract in BY_EXTRACT)):
        con.execute(f"DROP TABLE IF EXISTS {table}")


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

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self._to = pq.ParquetWriter(file, schema, compression="zstd", version="2.6")
        self._schema, self._kept, self._rows, self._groups = schema, list[pa.RecordBatch](), 0, 0

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
        self._to.write_table(pa.Table.from_batches(self._kept, self._schema), row_group_size=_GROUP_ROWS)
        self._kept, self._rows, self._groups = [], 0, self._groups + 1


def _accepted(store: Store, extract: str, returns: list[Return]) -> ds.Dataset | pa.Table:
    wanted = counting(returns, extract)
    schema = load(extract).schema
    if not wanted:
        return schema.empty_table()
    paths = [store.path(accepted_key(extract, s)) for s in wanted]
    return ds.dataset(paths, schema=schema, format="parquet", filesystem=None if store.local else store.fs)


def _summing(contract: Contract) -> Iterator[str]:
    """Every measure of an extract summed to what figures are told apart by, in one pass over the accepted files."""
    extract = contract.name
    grain = (contracts_dir(extract) / "grain.sql").read_text(encoding="utf-8")
    sums = [
        f"(sum(({m.value})::BIGINT) FILTER (WHERE {m.where}))::BIGINT AS {m.key}" for m in BY_EXTRACT[extract].measures
    ]
    yield f"CREATE OR REPLACE VIEW rows_{extract} AS {_rows(contract)}"
    yield f"CREATE OR REPLACE VIEW grain_{extract} AS WITH rows AS (SELECT * FROM rows_{extract}) {grain}"
    yield (
        f"CREATE OR REPLACE TABLE summed_{extract} AS SELECT COLUMNS(c -> c IN ({listed(_SAID)})), {', '.join(sums)} "
        f"FROM grain_{extract} GROUP BY ALL"
    )


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


def _every_fact() -> str:
    """One fact for each measure of each extract."""
    typed = ", ".join(f"NULL::{_sql_type(b)} AS {b}" for b in BREAKDOWNS)
    empty = (
        f"SELECT NULL::VARCHAR AS ods_code, NULL::VARCHAR AS site_code, NULL::DATE AS strike_day, "
        f"NULL::VARCHAR AS submission_id, NULL::VARCHAR AS extract, NULL::VARCHAR AS measure, {typed}, "
        f"NULL::BIGINT AS value WHERE false"
    )
    return " UNION ALL BY NAME ".join([empty, *(_fact(e, m) for e in BY_EXTRACT for m in BY_EXTRACT[e].measures)])


def _in_order(con: duckdb.DuckDBPyConnection, rows: int) -> Iterator[str]:
    """What asks for all facts of a group of so many rows in full order; of many piece after piece."""
    if rows <= _SORTED_ROWS:
        yield f"SELECT * FROM ({_every_fact()}) ORDER BY ALL"
        return
    con.execute(
        "CREATE OR REPLACE TABLE places AS SELECT place, "
        f"((sum(n) OVER (ORDER BY place ROWS UNBOUNDED PRECEDING) - n) // {_SORTED_ROWS})::BIGINT AS piece "
        f"FROM (SELECT {_PLACE} AS place, count(*) AS n FROM ({_every_fact()}) GROUP BY ALL)"
    )
    for (piece,) in con.execute("SELECT DISTINCT piece FROM places ORDER BY piece").fetchall():
        bounds = f"SELECT min(place) AS first, max(place) AS last FROM places WHERE piece = {piece}"
        yield f"SELECT f.* FROM ({_every_fact()}) f, ({bounds}) WHERE {_PLACE} BETWEEN first AND last ORDER BY ALL"


def _fact(extract: str, m: Measure) -> str:
    return (
        f"SELECT COLUMNS(c -> c IN ({listed(_SAID)})), '{extract}' AS extract, '{m.key}' AS measure, "
        f"{m.key} AS value FROM summed_{extract} WHERE {m.key} IS NOT NULL"
    )


def _sql_type(breakdown: str) -> str:
    return "BOOLEAN" if BREAKDOWNS[breakdown].is_flag else "VARCHAR"
