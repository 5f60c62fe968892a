"""How many requests to S3 (moto, with the ledger in PostgreSQL) the stages of a round make. Prints them as JSON.

A request costs its delay, not processor time: what counts is how many there are for each file, and that those of one
stage go out side by side.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "integration"))
from postgres import postgres
from s3 import s3


@contextmanager
def object_store() -> Iterator[Callable[[], int]]:
    """State on S3 with PostgreSQL, empty; requests to S3 so far."""
    with postgres() as ledger, s3("bench") as server:
        os.environ.update(server.environment, STRIKES_HOME="s3://bench/home", STRIKES_LEDGER=ledger)
        yield lambda: len(server.requests)


def main(drop: Path, action_id: str) -> None:
    made: dict[str, int] = {}
    with object_store() as requests:
        from strike_reporting.intake.collecting import collect_drop
        from strike_reporting.judging.settle import to_validate, validate
        from strike_reporting.publishing.releases import build
        from strike_reporting.reference.actions import resolve
        from strike_reporting.site.draw import draw
        from strike_reporting.storage import Store

        store, action = Store(), resolve(action_id)
        stages: dict[str, Callable[[], object]] = {
            "land": lambda: collect_drop(store, drop, action_id),
            "read, judge, write accepted": lambda: validate(store, to_validate(store)),
            "figures of a release": lambda: build(store, action),
            "pages": lambda: draw(store),
            "nothing to do": lambda: (validate(store, to_validate(store)), draw(store)),
        }
        for name, work in stages.items():
            before = requests()
            work()
            made[name] = requests() - before
    print(json.dumps(made))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
