"""All reports of a round that `ours.py` has judged: pages, workbook, CSV. Prints seconds and sizes as JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from strike_reporting.catalogue.tables import TABLES
from strike_reporting.publishing.releases import build, read_table
from strike_reporting.reference.actions import resolve
from strike_reporting.site import render
from strike_reporting.storage import Store


def main(home: Path, action_id: str) -> None:
    store, action = Store(home), resolve(action_id)
    manifest, _ = build(store, action)
    tables = {n: read_table(store, action, manifest["number"], n) for n in TABLES}
    start = time.monotonic()
    files = render(manifest["release_id"], action, tables, manifest, manifest["inputs"], [])
    seconds = time.monotonic() - start
    pages = sum(n.endswith(".html") for n in files)
    print(json.dumps({"seconds": seconds, "pages": pages, "england_bytes": len(files["report.html"])}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
