"""Reports of a release. They read the release's own tables and manifest facts, never accepted data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from strike_reporting.publishing.data_files import data_files
from strike_reporting.publishing.workbook import workbook
from strike_reporting.reference.actions import ActionSet
from strike_reporting.site.pages import Compared, pages

__all__ = ["Compared", "render"]


def render(
    release_id: str,
    action: ActionSet,
    tables: dict[str, pa.Table],
    facts: dict[str, Any],
    inputs: dict[str, Any],
    pasts: list[Compared],
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> dict[str, bytes]:
    """Every report file of a release, by its path inside the release; arguments as `pages.pages`."""
    return {
        **pages(release_id, action, tables, facts, inputs, pasts, progress),
        "workbook.xlsx": workbook(release_id, action, tables, facts),
        **data_files(release_id, action, tables, facts),
    }
