# ruff: noqa: E501 - a rule a line reads best
"""The reference: what a good analyst-engineer would write for one round instead of a pipeline.

One process, one DuckDB connection, explicit schemas, a few large scans. It reads the same template CSV files,
applies the contract's rules, keeps the rejects with their reasons and writes the same daily and total tables.
It has no landing, dialects, lineage by cell, releases or reproducibility: it is the speed to be compared with.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

CANCELLATIONS = {
    "ods_code": "VARCHAR", "site_code": "VARCHAR", "activity_date": "VARCHAR", "point_of_delivery": "VARCHAR",
    "treatment_function_code": "VARCHAR", "priority": "VARCHAR", "is_cancer": "VARCHAR", "status": "VARCHAR",
    "patient_notified": "VARCHAR", "cancelled_count": "VARCHAR",
}  # fmt: skip
PLANNED = {
    "ods_code": "VARCHAR", "site_code": "VARCHAR", "activity_date": "VARCHAR", "point_of_delivery": "VARCHAR",
    "treatment_function_code": "VARCHAR", "planned_count": "VARCHAR",
}  # fmt: skip
STAFFING = {
    "ods_code": "VARCHAR", "site_code": "VARCHAR", "shift_date": "VARCHAR", "shift": "VARCHAR",
    "staff_group": "VARCHAR", "grade": "VARCHAR", "due_to_work": "VARCHAR", "absent_action": "VARCHAR",
    "absent_other": "VARCHAR", "redeployed_in": "VARCHAR",
}  # fmt: skip
PODS = "('elective_inpatient','day_case','elective_unsplit','outpatient_first','outpatient_follow_up','outpatient_unsplit','community','mental_health')"
CODE = "regexp_full_match(ods_code, '[RT][A-Z0-9]{2}|[A-Z][0-9][A-Z][0-9][A-Z]')"
SITE = "(site_code IS NULL OR regexp_full_match(site_code, '[A-Z0-9]{5,9}'))"


def scan(con: duckdb.DuckDBPyConnection, folder: Path, extract: str, columns: dict[str, str]) -> None:
    """All of an extract's files that have a body, in one scan with a declared schema."""
    files = [str(p) for p in sorted(folder.glob(f"*_{extract}.csv")) if p.stat().st_size]
    con.execute(
        f"CREATE TABLE raw_{extract} AS SELECT * FROM read_csv($files, header=true, columns={columns}, "
        "filename=true, auto_detect=false, delim=',', quote='\"', nullstr='')",
        {"files": files},
    )


def split(con: duckdb.DuckDBPyConnection, extract: str, typed: str, rules: dict[str, str]) -> None:
    """Typed rows with the first rule each breaks; then the good and the rejected apart."""
    reason = (
        "CASE " + " ".join(f"WHEN NOT coalesce({test}, false) THEN '{name}'" for name, test in rules.items()) + " END"
    )
    con.execute(
        f"CREATE TABLE judged_{extract} AS SELECT *, {reason} AS reason FROM (SELECT {typed} FROM raw_{extract})"
    )
    con.execute(f"CREATE TABLE {extract} AS SELECT * EXCLUDE reason FROM judged_{extract} WHERE reason IS NULL")


def main(folder: Path, out: Path, areas: Path) -> None:
    con = duckdb.connect()
    con.execute(f"CREATE TABLE areas AS SELECT * FROM '{areas}'")
    scan(con, folder, "cancellations", CANCELLATIONS)
    scan(con, folder, "planned_activity", PLANNED)
    scan(con, folder, "staffing", STAFFING)
    split(
        con,
        "cancellations",
        "* REPLACE (try_cast(activity_date AS DATE) AS activity_date, try_cast(cancelled_count AS BIGINT) AS "
        "cancelled_count, lower(is_cancer) AS is_cancer, lower(patient_notified) = 'yes' AS patient_notified)",
        {
            "ods_code": CODE, "site_code": SITE,
            "activity_date": "activity_date BETWEEN DATE '2015-01-01' AND DATE '2040-12-31'",
            "point_of_delivery": f"point_of_delivery IN {PODS}",
            "treatment_function_code": "treatment_function_code IS NULL OR regexp_full_match(treatment_function_code, '[0-9]{3}|X0[2-6]')",
            "priority": "priority IS NULL OR priority IN ('P1a','P1b','P2','P3','P4','P5','P6')",
            "is_cancer": "is_cancer IS NULL OR is_cancer IN ('yes','no')",
            "status": "status IN ('anticipated','cancelled','reinstated','rebooked')",
            "cancelled_count": "cancelled_count BETWEEN 0 AND 20000",
        },
    )  # fmt: skip
    split(
        con,
        "planned_activity",
        "* REPLACE (try_cast(activity_date AS DATE) AS activity_date, try_cast(planned_count AS BIGINT) AS planned_count)",
        {
            "ods_code": CODE, "site_code": SITE,
            "activity_date": "activity_date BETWEEN DATE '2015-01-01' AND DATE '2040-12-31'",
            "point_of_delivery": f"point_of_delivery IN {PODS}",
            "planned_count": "planned_count BETWEEN 0 AND 50000",
        },
    )  # fmt: skip
    whole = ", ".join(
        f"try_cast({c} AS BIGINT) AS {c}" for c in ("due_to_work", "absent_action", "absent_other", "redeployed_in")
    )
    split(
        con,
        "staffing",
        f"* REPLACE (try_cast(shift_date AS DATE) AS shift_date, {whole})",
        {
            "ods_code": CODE, "site_code": SITE,
            "shift_date": "shift_date BETWEEN DATE '2015-01-01' AND DATE '2040-12-31'",
            "shift": "shift IS NULL OR shift IN ('day','evening','night','all')",
            "staff_group": "staff_group IN ('medical_and_dental','nursing_and_midwifery_registered','allied_health_professionals')",
            "due_to_work": "due_to_work IS NULL OR due_to_work BETWEEN 0 AND 50000",
            "absent_action": "absent_action BETWEEN 0 AND 50000",
            "absent_other": "absent_other IS NULL OR absent_other BETWEEN 0 AND 50000",
            "redeployed_in": "redeployed_in IS NULL OR redeployed_in BETWEEN 0 AND 50000",
        },
    )  # fmt: skip
    con.execute("""
        CREATE TABLE leaf AS
        WITH c AS (
            SELECT ods_code, activity_date AS strike_day, point_of_delivery,
                sum(cancelled_count) FILTER (status = 'cancelled') AS cancelled,
                sum(cancelled_count) FILTER (status = 'rebooked') AS rebooked,
                sum(cancelled_count) FILTER (status = 'cancelled' AND patient_notified) AS notified
            FROM cancellations GROUP BY ALL
        ), p AS (
            SELECT ods_code, activity_date AS strike_day, point_of_delivery, sum(planned_count) AS planned
            FROM planned_activity GROUP BY ALL
        ) SELECT * FROM c FULL JOIN p USING (ods_code, strike_day, point_of_delivery)""")
    tables = {
        "cancellations_daily": """
            SELECT area_type, area_code, strike_day, point_of_delivery, sum(cancelled) AS cancelled,
                sum(rebooked) AS rebooked, sum(notified) AS notified, sum(planned) AS planned,
                round(100.0 * sum(cancelled) / sum(planned), 4) AS percent_cancelled, count(DISTINCT ods_code) AS trusts
            FROM leaf JOIN areas USING (ods_code) GROUP BY ALL ORDER BY ALL""",
        "staffing_daily": """
            SELECT area_type, area_code, shift_date AS strike_day, staff_group, grade, sum(due_to_work) AS due_to_work,
                sum(absent_action) AS absent_action, sum(absent_other) AS absent_other,
                sum(redeployed_in) AS redeployed_in, count(DISTINCT ods_code) AS trusts
            FROM staffing JOIN areas USING (ods_code) GROUP BY ALL ORDER BY ALL""",
        "specialties": """
            SELECT area_type, area_code, treatment_function_code, priority, is_cancer,
                sum(cancelled_count) FILTER (status = 'cancelled') AS cancelled
            FROM cancellations JOIN areas USING (ods_code) GROUP BY ALL ORDER BY ALL""",
        "action_totals": """
            WITH days AS (
                SELECT area_type, area_code, shift_date, sum(absent_action) AS absent
                FROM staffing JOIN areas USING (ods_code) GROUP BY ALL
            ), staff AS (
                SELECT area_type, area_code, max(absent) AS peak, avg(absent) AS average, sum(absent) AS staff_days
                FROM days GROUP BY ALL
            ), counts AS (
                SELECT area_type, area_code,
                    sum(cancelled) FILTER (point_of_delivery IN ('elective_inpatient', 'day_case')) AS inpatient,
                    sum(cancelled) FILTER (starts_with(point_of_delivery, 'outpatient')) AS outpatient
                FROM leaf JOIN areas USING (ods_code) GROUP BY ALL
            ) SELECT * FROM counts FULL JOIN staff USING (area_type, area_code) ORDER BY ALL""",
    }
    for name, query in tables.items():
        con.execute(f"COPY ({query}) TO '{out / name}.parquet' (FORMAT parquet, COMPRESSION zstd)")
    for extract in ("cancellations", "planned_activity", "staffing"):
        con.execute(
            f"COPY (SELECT * FROM judged_{extract} WHERE reason IS NOT NULL) TO '{out / extract}_rejects.parquet' "
            "(FORMAT parquet, COMPRESSION zstd)"
        )
        con.execute(f"COPY {extract} TO '{out / extract}.parquet' (FORMAT parquet, COMPRESSION zstd)")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
