"""The summary tables, computed in SQL over the accepted Parquet of the chosen submissions.

DuckDB streams the accepted files, so memory does not follow the nation. Every query ends in a full sort by
the table's keys: the same inputs give the same bytes.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

from strike_reporting.catalogue.tables import RETURNS, TABLES
from strike_reporting.extracts import EXTRACTS, care_settings, load
from strike_reporting.judging.settle import accepted_key
from strike_reporting.publishing.selection import RETURNED, Return
from strike_reporting.reference.actions import ActionSet
from strike_reporting.reference.organisations import organisations
from strike_reporting.storage import Store

_SQL = Path(__file__).parent / "models" / "summaries.sql"


def summarise(store: Store, action: ActionSet, returns: list[Return]) -> dict[str, pa.Table]:
    """Every summary table but `revisions`, sorted by its keys and cast to its published schema.

    Args:
        store: where accepted files are.
        action: the action reported.
        returns: from `selection.select`: which submission counts for which trust, extract and day.
    """
    with duckdb.connect() as con:
        con.execute("SET TimeZone='UTC'")
        con.register("returns", _returns(action, returns))
        con.register("membership", _membership(returns))
        con.register("days", _days(action))
        con.register("settings", _settings())
        con.register("sites", _sites())
        for extract in EXTRACTS:
            con.register(f"all_{extract}", _accepted(store, extract, returns))
        for statement in _SQL.read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                con.execute(statement)
        return {name: _fetch(con, name) for name in TABLES if name != "revisions"}


def _fetch(con: duckdb.DuckDBPyConnection, name: str) -> pa.Table:
    table = TABLES[name]
    columns = ", ".join(f'"{c.name}"' for c in table.columns)
    keys = ", ".join(f'"{k}" NULLS FIRST' for k in table.keys)
    found = con.execute(f"SELECT {columns} FROM out_{name} ORDER BY {keys}").to_arrow_table()
    return found.cast(table.schema)


def _returns(action: ActionSet, returns: list[Return]) -> pa.Table:
    rows = [{"action_id": action.action_id, **r.__dict__} for r in returns]
    return pa.Table.from_pylist(rows, schema=pa.schema([(c.name, c.type) for c in RETURNS.columns]))


def _membership(returns: list[Return]) -> pa.Table:
    """Every area that each trust counts in on each day."""
    pairs = sorted({(r.ods_code, r.strike_day) for r in returns})
    rows = [
        {
            "ods_code": code,
            "strike_day": day,
            "area_type": a.area_type,
            "area_code": a.area_code,
            "area_name": a.area_name,
        }
        for code, day in pairs
        for a in organisations().areas(code, day)
    ]
    schema = pa.schema(
        [("ods_code", pa.string()), ("strike_day", pa.date32())]
        + [(n, pa.string()) for n in ("area_type", "area_code", "area_name")]
    )
    return pa.Table.from_pylist(rows, schema=schema)


def _days(action: ActionSet) -> pa.Table:
    rows = [
        {"strike_day": d, "is_strike_day": d in action.days, "joint": ";".join(action.overlapping(d)) or None}
        for d in (*action.days, *action.closing_days)
    ]
    schema = pa.schema([("strike_day", pa.date32()), ("is_strike_day", pa.bool_()), ("joint", pa.string())])
    return pa.Table.from_pylist(rows, schema=schema)


def _settings() -> pa.Table:
    pairs = care_settings()
    return pa.table({"point_of_delivery": list(pairs), "care_setting": list(pairs.values())})


def _sites() -> pa.Table:
    sites = organisations().sites()
    return pa.table({"site_code": [s.site_code for s in sites], "site_name": [s.name for s in sites]})


def _accepted(store: Store, extract: str, returns: list[Return]) -> ds.Dataset | pa.Table:
    wanted = sorted(
        {r.submission_id for r in returns if r.submission_id and r.extract == extract and r.return_status in RETURNED}
    )
    schema = load(extract).schema
    if not wanted:
        return schema.empty_table()
    paths = [store.path(accepted_key(extract, s)) for s in wanted]
    return ds.dataset(paths, schema=schema, format="parquet", filesystem=store.fs)
