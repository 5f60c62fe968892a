"""The pipeline's compute path on landed files: read, validate, summarise, write. Prints its stages as JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def main(home: Path, action_id: str) -> None:
    start = time.monotonic()
    stages = {}

    def lap(name: str) -> None:
        nonlocal start
        now = time.monotonic()
        stages[name], start = round(now - start, 3), now

    from strike_reporting.extracts import EXTRACTS, load
    from strike_reporting.judging import rules
    from strike_reporting.judging.settle import to_validate, validate
    from strike_reporting.ledger import ledger_of
    from strike_reporting.publishing.frame import frame
    from strike_reporting.publishing.selection import select
    from strike_reporting.publishing.summaries import summarise
    from strike_reporting.reference.actions import resolve
    from strike_reporting.storage import Store

    for extract in EXTRACTS:
        rules._definition(load(extract))
    lap("imports and suites")
    store, action = Store(home), resolve(action_id)
    validate(store, to_validate(store))
    lap("read, validate, write accepted")
    asked = frame(action)
    tables = summarise(store, asked, select(asked, ledger_of(store).judged.listed()))
    lap("summarise")
    import pyarrow.parquet as pq

    for name, table in tables.items():
        pq.write_table(table, home / f"{name}.parquet", compression="zstd")
    lap("write summaries")
    print(json.dumps(stages))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
