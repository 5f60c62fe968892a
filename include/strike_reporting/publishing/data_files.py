"""Every table as CSV, described with its Parquet file by a Frictionless data package."""

from __future__ import annotations

import hashlib
import io
import json

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from strike_reporting.extracts.tables import TABLES
from strike_reporting.publishing.manifest import Release

SYNTHETIC = "SYNTHETIC DATA: made by a simulator, not reported by any trust"
_TYPES = {"string": "string", "int64": "integer", "double": "number", "date32[day]": "date", "bool": "boolean"}
_RISKY = r"^[=+\-@\t\r\n＝＋－＠]"  # what a spreadsheet would take for the start of a formula


def neutral(table: pa.Table) -> pa.Table:
    """The table with an apostrophe before every text that a spreadsheet would run as a formula."""
    for place, field in enumerate(table.schema):
        if field.type == pa.string():
            safe = pc.replace_substring_regex(table[place], pattern=rf"({_RISKY})", replacement=r"'\1")
            table = table.set_column(place, field, safe)
    return table


def data_files(release: Release, tables: dict[str, pa.Table]) -> dict[str, bytes]:
    """`csv/<table>.csv` for every table and one `datapackage.json` (Frictionless Data Package v1).

    In the CSV an empty cell is a value that is not known, never zero.
    """
    files, resources = {}, []
    for name, table in tables.items():
        path, buffer = f"csv/{name}.csv", io.BytesIO()
        pa_csv.write_csv(neutral(table), buffer)
        files[path] = buffer.getvalue()
        described = TABLES[name]
        resources.append(
            {
                "name": name,
                "title": described.title,
                "path": path,
                "profile": "tabular-data-resource",
                "format": "csv",
                "encoding": "utf-8",
                "bytes": len(files[path]),
                "hash": "sha256:" + hashlib.sha256(files[path]).hexdigest(),
                "alternatives": [{"path": f"{name}.parquet", "format": "parquet"}],
                "schema": {
                    "fields": [
                        {"name": c.name, "type": _TYPES[str(c.type)], "unit": c.unit, "description": c.definition}
                        for c in described.columns
                    ],
                    "missingValues": [""],
                },
            }
        )
    package = {
        "profile": "tabular-data-package",
        "name": release.release_id.lower().replace("_", "-"),
        "title": release.title,
        "description": SYNTHETIC if release.data_class == "synthetic" else f"Release {release.release_id}.",
        "data_class": release.data_class,
        "created": release.as_at or None,
        "standing": release.standing.sentence if release.standing else None,
        "resources": resources,
    }
    files["datapackage.json"] = json.dumps(
        {k: v for k, v in package.items() if v is not None}, indent=1, ensure_ascii=False
    ).encode()
    return files
