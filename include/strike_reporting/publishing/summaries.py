"""The summary tables, computed in SQL over the accepted Parquet of the chosen submissions.

DuckDB streams the accepted files, so memory does not follow the nation. Every query ends in a full sort by
the table's keys: the same inputs give the same bytes.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

from strike_reporting.extracts import EXTRACTS, load
from strike_reporting.extracts.tables import TABLES
from strike_reporting.judging.filing import accepted_key
from strike_reporting.publishing.checks import lost_facts
from strike_reporting.publishing.counting import statements
from strike_reporting.publishing.differing import database
from strike_reporting.publishing.frame import Frame
from strike_reporting.publishing.relations import relations
from strike_reporting.publishing.selection import Return
from strike_reporting.storage import Store


def summarise(store: Store, frame: Frame, returns: list[Return]) -> tuple[dict[str, pa.Table], pa.Table, list[str]]:
    """Every table but `revisions`, sorted by its keys and cast to its published schema; the facts; what was lost.

    Args:
        store: where accepted files are.
        frame: the reference rows of the action reported.
        returns: from `selection.select`: which submission counts for which trust, extract and day.

    Raises:
        Exception: whatever the reader of an accepted file that is damaged or gone says.
    """
    contracts = {e: load(e) for e in EXTRACTS}
    with database() as con:
        for name, table in relations(frame, returns, contracts).items():
            con.register(name, table)
        for extract in EXTRACTS:
            con.register(f"all_{extract}", _accepted(store, extract, returns))
        for statement in statements(contracts):
            con.execute(statement)
        lost = lost_facts(con, returns)
        tables = {name: _fetch(con, name) for name in TABLES if name != "revisions"}
        return tables, con.execute("SELECT * FROM facts ORDER BY ALL").to_arrow_table(), lost


def _fetch(con: duckdb.DuckDBPyConnection, name: str) -> pa.Table:
    table = TABLES[name]
    columns = ", ".join(f'"{c.name}"' for c in table.columns)
    keys = ", ".join(f'"{k}" NULLS FIRST' for k in table.keys)
    found = con.execute(f"SELECT {columns} FROM out_{name} ORDER BY {keys}").to_arrow_table()
    return found.cast(table.schema)


def counting(returns: list[Return], extract: str) -> list[str]:
    """The submissions whose accepted rows of an extract are in the figures."""
    return sorted({s for r in returns if r.extract == extract and r.counts for s in r.submission_ids})


def _accepted(store: Store, extract: str, returns: list[Return]) -> ds.Dataset | pa.Table:
    wanted = counting(returns, extract)
    schema = load(extract).schema
    if not wanted:
        return schema.empty_table()
    paths = [store.path(accepted_key(extract, s)) for s in wanted]
    return ds.dataset(paths, schema=schema, format="parquet", filesystem=store.fs)
