"""The summary tables, computed in SQL over the accepted Parquet of the chosen submissions.

DuckDB streams the accepted files, so memory does not follow the nation. Every query ends in a full sort by
the table's keys: the same inputs give the same bytes.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

from strike_reporting.catalogue.statuses import RETURNED
from strike_reporting.catalogue.tables import RETURNS, TABLES
from strike_reporting.extracts import EXTRACTS, load
from strike_reporting.judging.filing import accepted_key
from strike_reporting.publishing.frame import Frame
from strike_reporting.publishing.selection import Return
from strike_reporting.settings import settings
from strike_reporting.storage import Store

_SQL = Path(__file__).parent / "models" / "summaries.sql"


def summarise(store: Store, frame: Frame, returns: list[Return]) -> dict[str, pa.Table]:
    """Every summary table but `revisions`, sorted by its keys and cast to its published schema.

    Args:
        store: where accepted files are.
        frame: the reference rows of the action reported.
        returns: from `selection.select`: which submission counts for which trust, extract and day.

    Raises:
        Exception: whatever the reader of an accepted file that is damaged or gone says.
    """
    with duckdb.connect() as con:
        con.execute("SET TimeZone='UTC'")
        con.execute(f"SET memory_limit='{settings().duckdb_memory}'")
        con.execute(f"SET threads={settings().duckdb_threads}")
        con.register("returns", _returns(frame, returns))
        con.register("membership", _membership(frame, returns))
        con.register("days", _days(frame))
        con.register("settings", _pairs(frame.care_settings, "point_of_delivery", "care_setting"))
        con.register("sites", _pairs(frame.sites, "site_code", "site_name"))
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


def _returns(frame: Frame, returns: list[Return]) -> pa.Table:
    rows = [
        {"action_id": frame.action_id, **r.__dict__, "is_newer_refused": r.refused_submission_id is not None}
        for r in returns
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema([(c.name, c.type) for c in RETURNS.columns]))


def _membership(frame: Frame, returns: list[Return]) -> pa.Table:
    """Every area that each trust counts in on each day."""
    pairs = sorted({(r.ods_code, r.strike_day) for r in returns})
    rows = [
        {"ods_code": code, "strike_day": day, "area_type": kind, "area_code": area, "area_name": name}
        for code, day in pairs
        if (member := frame.member(code, day))
        for kind, area, name in member.areas
    ]
    schema = pa.schema(
        [("ods_code", pa.string()), ("strike_day", pa.date32())]
        + [(n, pa.string()) for n in ("area_type", "area_code", "area_name")]
    )
    return pa.Table.from_pylist(rows, schema=schema)


def _days(frame: Frame) -> pa.Table:
    rows = [
        {"strike_day": d, "is_strike_day": d in frame.days, "joint": ";".join(frame.overlapping.get(d, ())) or None}
        for d in frame.all_days
    ]
    schema = pa.schema([("strike_day", pa.date32()), ("is_strike_day", pa.bool_()), ("joint", pa.string())])
    return pa.Table.from_pylist(rows, schema=schema)


def _pairs(pairs: dict[str, str], key: str, value: str) -> pa.Table:
    return pa.table({key: pa.array(pairs, pa.string()), value: pa.array(pairs.values(), pa.string())})


def counting(returns: list[Return], extract: str) -> list[str]:
    """The submissions whose accepted rows of an extract are in the figures."""
    return sorted(
        {r.submission_id for r in returns if r.submission_id and r.extract == extract and r.return_status in RETURNED}
    )


def _accepted(store: Store, extract: str, returns: list[Return]) -> ds.Dataset | pa.Table:
    wanted = counting(returns, extract)
    schema = load(extract).schema
    if not wanted:
        return schema.empty_table()
    paths = [store.path(accepted_key(extract, s)) for s in wanted]
    return ds.dataset(paths, schema=schema, format="parquet", filesystem=store.fs)
