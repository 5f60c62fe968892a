"""`strikes replay`: judging again what was landed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from strike_reporting.cli.output import complain, print_table, progress_bar, say

if TYPE_CHECKING:
    from strike_reporting.ledger.records import Outcome


def replay(
    trust: Annotated[str, typer.Option(help="Only this trust's")] = "",
    extract: Annotated[str, typer.Option(help="Only of this extract")] = "",
    feed: Annotated[str, typer.Option(help="Only of this feed")] = "",
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Received from this day on")
    ] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Received until this day")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference and change nothing")] = False,
) -> None:
    """Judge again what was landed, after a dialect was mended; shows old and new outcome before anything changes."""
    from strike_reporting.judging.filing import concerned
    from strike_reporting.operations.replaying import Asked, commit, compare, selected
    from strike_reporting.storage import Store

    store = Store()
    asked = Asked(trust, extract, feed, first.date() if first else None, last.date() if last else None)
    with progress_bar() as progress:
        task = progress.add_task("Reading receipts", total=None)
        chosen = selected(store, asked)
        progress.update(task, description="Judging again, beside what counts", total=len(chosen))
        found = compare(store, chosen, lambda: progress.advance(task))
    if not chosen:
        say("No landed file is meant by that.")
        return
    differing = [a for a in found if a.differs]
    rows = [
        (
            a.receipt.source_name,
            a.receipt.received_at[:16].replace("T", " "),
            a.receipt.ods_code or "",
            _of(a.before),
            _of(a.after) + (", of other values" if a.other_rows and _of(a.before) == _of(a.after) else ""),
        )
        for a in differing
    ]
    if rows:
        print_table("What changes", ("File", "Received", "Trust", "Is", "Would be"), rows)
    failed = [a for a in found if a.after is None]
    for one in failed:
        complain(f"{one.receipt.source_name}: not judged again: {one.reason}")
    say(
        f"{len(found):,} judged again: {len(differing):,} differ, {len(found) - len(differing) - len(failed):,} do not."
    )
    if not differing or dry_run:
        raise typer.Exit(4 if failed else 0)
    if not yes:
        typer.confirm("Let the new outcomes count", abort=True)
    with progress_bar() as progress:
        task = progress.add_task("Judging again, for good", total=len(differing))
        done = commit(store, found, lambda _: progress.advance(task))
    actions = sorted({a for one in (*done, *(d.before for d in differing if d.before)) for a in concerned(one)})
    say(f"{len(done):,} outcomes replaced. The next publication explains it for {', '.join(actions) or 'no action'}.")
    if failed:
        raise typer.Exit(4)


def _of(outcome: Outcome | None) -> str:
    """An outcome in a few words: status, rows, total."""
    from strike_reporting.operations.trying import total

    if outcome is None:
        return "not judged"
    rows = f"{outcome.rows_accepted:,} of {outcome.rows_read:,} rows, total {total([outcome]):,}"
    return f"{outcome.status.replace('_', ' ')}: {rows if outcome.counts else outcome.reason}"
