"""The summary tables, computed in SQL over the facts of the chosen submissions.

DuckDB streams the file of facts and lays aside on disk what does not fit into its memory, so that does not follow the
nation. Every query ends in a full sort by the table's keys: the same inputs give the same bytes.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb
import pyarrow as pa

from strike_reporting.extracts import EXTRACTS, load
from strike_reporting.extracts.tables import TABLES
from strike_reporting.publishing.checks import lost_facts
from strike_reporting.publishing.counting import statements
from strike_reporting.publishing.differing import database
from strike_reporting.publishing.facts import write_facts
from strike_reporting.publishing.frame import Frame
from strike_reporting.publishing.relations import relations
from strike_reporting.publishing.selection import Return
from strike_reporting.storage import Store


def summarise(store: Store, frame: Frame, returns: list[Return]) -> tuple[dict[str, pa.Table], bytes, list[str]]:
    """Every table but `revisions`, sorted by its keys and cast to its schema; the facts as Parquet; what was lost.

    Args:
        store: where accepted files are.
        frame: the reference rows of the action reported.
        returns: from `selection.select`: which submission counts for which trust, extract and day.

    Raises:
        Exception: whatever the reader of an accepted file that is damaged or gone says.
    """
    contracts = {e: load(e) for e in EXTRACTS}
    rows = sum(r.rows_accepted for r in returns)
    with tempfile.TemporaryDirectory(prefix="strikes-") as folder, database(rows) as con:
        con.execute("SET preserve_insertion_order=false")  # whatever is read is sorted
        for name, table in relations(frame, returns, contracts).items():
            con.register("given", table)
            con.execute(f"CREATE TABLE {name} AS FROM given")
        path = Path(folder) / "facts.parquet"
        write_facts(con, store, returns, contracts, path)
        con.read_parquet(str(path)).create_view("facts")
        for statement in statements():
            con.execute(statement)
        lost = lost_facts(con, returns)
        tables = {name: _fetch(con, name) for name in TABLES if name != "revisions"}
        return tables, path.read_bytes(), lost


def _fetch(con: duckdb.DuckDBPyConnection, name: str) -> pa.Table:
    table = TABLES[name]
    columns = ", ".join(f'"{c.name}"' for c in table.columns)
    keys = ", ".join(f'"{k}" NULLS FIRST' for k in table.keys)
    found = con.execute(f"SELECT {columns} FROM out_{name} ORDER BY {keys}").to_arrow_table()
    return found.cast(table.schema)
