"""All reports of a round that `ours.py` has judged: files and pages. Prints seconds and sizes as JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from strike_reporting.publishing.releases import build
from strike_reporting.reference.actions import resolve
from strike_reporting.site.draw import draw
from strike_reporting.storage import Store


def main(home: Path, action_id: str) -> None:
    store = Store(home)
    start = time.monotonic()
    release, _ = build(store, resolve(action_id))
    draw(store)
    seconds = time.monotonic() - start
    folder = f"site/{release.slug}/{release.number:04d}"
    pages = len(store.list(folder, ".html"))
    print(json.dumps({"seconds": seconds, "pages": pages, "england_bytes": len(store.read(f"{folder}/report.html"))}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
