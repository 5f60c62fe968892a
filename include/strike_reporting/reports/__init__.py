"""Reports of a release. They read the release's own tables and manifest facts, never accepted data."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from strike_reporting.actions import ActionSet
from strike_reporting.reports.data import data_files
from strike_reporting.reports.page import page
from strike_reporting.reports.workbook import workbook


def render(
    release_id: str,
    action: ActionSet,
    tables: dict[str, pa.Table],
    facts: dict[str, Any],
    inputs: dict[str, Any],
) -> dict[str, bytes]:
    """Every report file of a release, by its path inside the release."""
    return {
        "report.html": page(release_id, action, tables, facts, inputs).encode(),
        "workbook.xlsx": workbook(release_id, action, tables, facts),
        **data_files(release_id, action, tables, facts),
    }
