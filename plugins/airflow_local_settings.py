"""What each process of Airflow reads when it starts: those that fork tasks import what tasks use, once.

Other people's libraries, and those of our modules that read nothing but themselves when they are imported. A task whose
modules are other ones on the disk by then reads all of them anew, so a new version holds from the next task on and is
never mixed with an old one. docs/decisions/0035 says why, and what else was thought of.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

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
OURS = (
    "strike_reporting.intake.collecting",
    "strike_reporting.intake.transports.folder",
    "strike_reporting.judging.settle",
    "strike_reporting.operations.by_hand",
    "strike_reporting.operations.news",
    "strike_reporting.operations.rounds",
    "strike_reporting.operations.under_way",
)
_PLUGINS = {path.stem for path in Path(__file__).parent.glob("strike*.py")}  # they hold on to modules of ours
_IN_A_TASK = "strikes_common"  # what every DAG reads first: a task goes on with what it began with
_read: dict[str, tuple[int, int]] = {}


def warm() -> None:
    """Import them. What is quickly imported (DuckDB) is left to the tasks; nothing here starts a thread of Python's."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for name in (*LIBRARIES, *OURS):
        import_module(name)
    _read.update((name, stamp) for name in _ours() if (stamp := _stamp(name)))
    os.register_at_fork(after_in_child=_forget_what_changed)


def _ours() -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] == "strike_reporting"]


def _stamp(name: str) -> tuple[int, int] | None:
    """When a module's file was written, and its size; none where there is no file."""
    try:
        found = Path(sys.modules[name].__file__ or "").stat()
    except (OSError, KeyError):
        return None
    return found.st_mtime_ns, found.st_size


def _forget_what_changed() -> None:
    """In a process that is to be a task: read all of our modules anew, where one of them is another one by now."""
    if _IN_A_TASK not in sys.modules and any(_stamp(name) != stamp for name, stamp in _read.items()):
        for name in (*_ours(), *_PLUGINS):
            sys.modules.pop(name, None)
        _read.clear()


if sys.argv[1:2] == ["scheduler"] or sys.argv[1:3] == ["celery", "worker"]:
    warm()
