"""What each process of Airflow reads when it starts: those that fork tasks import what tasks use, once.

Only other people's libraries: a task reads our own modules anew, so a new version of them holds from the next task on.
docs/decisions/0035 says why, and what else was thought of.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

__all__: list[str] = []  # no setting of Airflow's is another one
LIBRARIES = (
    "alembic.command",
    "alembic.config",
    "altair",
    "fsspec",
    "gptables",
    "great_expectations",
    "jinja2",
    "openpyxl",
    "pandas.core.reshape.reshape",
    "psycopg",
    "pyarrow.acero",
    "pyarrow.compute",
    "pyarrow.parquet",
    "vl_convert",
)


def warm() -> None:
    """Import them. What is quickly imported (DuckDB) is left to the tasks; nothing here starts a thread of Python's."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for name in LIBRARIES:
        import_module(name)


if sys.argv[1:2] == ["scheduler"] or sys.argv[1:3] == ["celery", "worker"]:
    warm()
