"""The pipeline's compute path on landed files: read, judge, summarise, write. Prints each stage's seconds as JSON.

Seconds are wall and processor; the processor's are this process's and its reading worker's.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

IMPORTS = "imports and suites"


def processor() -> float:
    """Processor seconds of this process and of those that it has waited for."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def main(home: Path, action_id: str) -> None:
    start, stages = (time.monotonic(), 0.0), dict[str, tuple[float, float]]()

    def lap(name: str) -> None:
        nonlocal start
        now = (time.monotonic(), processor())
        stages[name], start = (now[0] - start[0], now[1] - start[1]), now

    from strike_reporting.extracts import EXTRACTS, load
    from strike_reporting.judging import rules
    from strike_reporting.judging.reading.reader import shared_reader
    from strike_reporting.judging.settle import to_validate, validate
    from strike_reporting.ledger import ledger_of
    from strike_reporting.publishing.frame import frame
    from strike_reporting.publishing.selection import select
    from strike_reporting.publishing.summaries import summarise
    from strike_reporting.reference.actions import resolve
    from strike_reporting.storage import Store

    for extract in EXTRACTS:
        rules._definition(load(extract))
    lap(IMPORTS)
    store, action = Store(home), resolve(action_id)
    validate(store, to_validate(store))
    shared_reader().close()
    lap("read, judge, write accepted")
    asked = frame(action)
    tables, *_ = summarise(store, asked, select(asked, ledger_of(store).judged.listed()))
    lap("summarise")
    import pyarrow.parquet as pq

    for name, table in tables.items():
        pq.write_table(table, home / f"{name}.parquet", compression="zstd")
    lap("write summaries")
    print(json.dumps(stages))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
