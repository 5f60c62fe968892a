"""`make bench-history`: what a round costs after 1, 10 and 100 past actions and two years of pulls.

In a folder with SQLite in processor seconds, on S3 (moto) with PostgreSQL in requests; docs/performance-history.md says
both.

A calendar of 100 invented actions (overlay of the configuration) and a few trusts: the cost of one trust's work is
the same in each, so what grows can only be history. Synthetic data, thrown away.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

from objects import object_store

TRUSTS = ("RHU", "RHM", "RN5")
HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
FIRST, MANY = date(2016, 1, 4), 102
HEADING = """# What history costs

`make bench-history` writes this page: three trusts, and one, ten and a hundred past actions of which every return came.
The work to do is the same each time, so what grows is history. In brackets how many times the first row.
"""
ROOTS = {
    "folder": "In a folder with SQLite, processor seconds without imports",
    "s3": "On S3 with PostgreSQL, requests to S3",
}
FEED = "- {{trust: {0}, extract: cancellations, location: {1}/{0}, contact: a@b.example, data_class: synthetic}}\n"


def calendar(folder: Path, like: dict[str, str]) -> list[tuple[str, date]]:
    """Write the invented actions, three weeks apart."""
    found = [(f"X-{n:03d}", FIRST + timedelta(days=21 * n)) for n in range(MANY)]
    with (folder / "strike_calendar.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(like))
        writer.writeheader()
        for action_id, day in found:
            moment = {"start": f"{day}T07:00", "end": f"{day + timedelta(days=1)}T07:00"}
            writer.writerow({**like, "action_id": action_id, **moment, "status": "went_ahead"})
    return found


@contextmanager
def folder(root: Path) -> Iterator[Callable[[], float]]:
    """State in a folder with SQLite; processor seconds of this process so far."""
    os.environ["STRIKES_HOME"] = str(root / "home")
    yield time.process_time


def main() -> None:
    parts = [HEADING]
    for root, title in ROOTS.items():
        print(title, flush=True)
        run = subprocess.run([sys.executable, __file__, root], check=True, stdout=subprocess.PIPE, text=True)
        parts += [f"## {title}", "", run.stdout]
        print(run.stdout, flush=True)
    (Path(__file__).parent.parent / "docs" / "performance-history.md").write_text("\n".join(parts), encoding="utf-8")


def on(root_kind: str) -> None:
    """Print the table of one kind of root. A process of its own: settings are read once."""
    is_s3 = root_kind == "s3"
    with (
        tempfile.TemporaryDirectory(prefix="strikes-history-") as root,
        object_store() if is_s3 else folder(Path(root)) as spent,
    ):
        inbox, config = Path(root, "inbox"), Path(root, "config")
        os.environ["STRIKES_CONFIG"] = str(config)
        for name in ("feeds", "dialects", "reference"):
            (config / name).mkdir(parents=True)
        (config / "feeds" / "feeds.yaml").write_text("".join(FEED.format(t, inbox) for t in TRUSTS))
        (config / "settings.toml").write_text("folder_settle_seconds = 0\n")
        from strike_reporting.reference.facts import read_csv

        like = next(r for r in read_csv("strike_calendar") if r["action_id"] == "JD-2023-04-11")
        known = calendar(config / "reference", dict(like))
        from small_england import forget, small_england

        with small_england(Path(root, "reference")):
            forget()
            measure(inbox, known, spent, "requests" if is_s3 else "s")


def measure(inbox: Path, known: list[tuple[str, date]], spent: Callable[[], float], unit: str) -> None:
    """Fill the ledger action by action; stop and look after 1, 10 and 100."""
    from strike_reporting.ledger import ledger_of
    from strike_reporting.ledger.records import Pull
    from strike_reporting.ledger.remote import Change
    from strike_reporting.operations import rounds
    from strike_reporting.site.draw import draw
    from strike_reporting.storage import Store

    def cost(work: Callable[[], object]) -> float:
        before = spent()
        work()
        return spent() - before

    store = Store()
    receiving = ledger_of(store).receiving
    for n in range(730):  # two years of pulls
        day = (FIRST - timedelta(days=730 - n)).isoformat()
        pulls = [Pull(feed_id=f"{t}.cancellations", collection=day, status="no_file", reason="") for t in TRUSTS]
        receiving.pulled([(pull, Change()) for pull in pulls])
    heads = ("past actions", "nothing to do", "one late file: release and pages", "board")
    print(f"| {' | '.join(heads)} |\n| --- | --- | --- | --- |")
    first: list[float] = []
    for n, (action_id, day) in enumerate(known):
        for trust in TRUSTS:
            send(inbox, trust, day, n)
        whole(rounds, day.isoformat(), store, draw)
        if n + 1 not in (1, 10, 100):
            continue
        idle = cost(lambda: whole(rounds, "idle", store, draw))
        send(inbox, TRUSTS[0], day, n, more=7)
        changed = cost(lambda: whole(rounds, "changed", store, draw))
        seen = cost(partial(rounds.returns_board, store, action_id, datetime.now(UTC)))
        took = [idle, changed, seen]
        first = first or took
        cells = [_cell(t, f, unit) for t, f in zip(took, first, strict=True)]
        print(f"| {n + 1} | {' | '.join(cells)} |", flush=True)


def _cell(took: float, first: float, unit: str) -> str:
    said = f"{took:.2f}" if unit == "s" else f"{took:.0f}"
    return f"{said} ({took / first:.1f}×)" if first and took != first else said


def send(inbox: Path, trust: str, day: date, n: int, more: int = 0) -> None:
    place = inbox / trust
    place.mkdir(parents=True, exist_ok=True)
    for old in place.iterdir():
        old.unlink()
    (place / f"{day}-{more}.csv").write_text(HEAD + f"{trust},{day},day_case,cancelled,{n + 10 + more}\n")


def whole(rounds, collection: str, store, draw) -> None:  # type: ignore[no-untyped-def]
    """One round of everything there is to do."""
    for feeds in rounds.collect_plan():
        assert not rounds.collect_group(collection, feeds)["problems"]  # noqa: S101
    for submissions in rounds.validate_plan():
        assert not rounds.validate_group(submissions)["problems"]  # noqa: S101
    for actions in rounds.publish_plan():
        assert not rounds.publish_group(actions)["problems"]  # noqa: S101
    assert not [d.reason for d in draw(store) if d.error is not None]  # noqa: S101


if __name__ == "__main__":
    on(sys.argv[1]) if sys.argv[1:] else main()
