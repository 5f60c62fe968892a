"""`strikes ledger …`: making the ledger again from what is kept for good, and bringing an older one along."""

from __future__ import annotations

import typer

from strike_reporting.cli.output import complain, progress_bar, say

app = typer.Typer(no_args_is_help=True, help="The ledger: what came, what became of it, what was published.")


@app.command("rebuild")
def rebuild_ledger() -> None:
    """Make the ledger again from landing and the release folders. Mails nobody and cuts no release."""
    from strike_reporting.operations.rebuild import rebuild
    from strike_reporting.storage import Store

    with progress_bar() as progress:
        task = progress.add_task("Reading receipts and releases", total=None)
        found = rebuild(Store(), lambda done, of: progress.update(task, completed=done, total=of))
    for aside in found.set_aside:
        complain(f"set aside: {aside}")
    say(f"{found.receipts} receipts judged again, {found.releases} releases found; no mail, no release.")


@app.command("upgrade")
def upgrade_ledger() -> None:
    """Bring the ledger to this version: by migrations, or from JSON files (before 0.2)."""
    from strike_reporting.operations.upgrade import upgrade
    from strike_reporting.storage import Store

    with progress_bar() as progress:
        task = progress.add_task("Upgrading", total=None)
        done = upgrade(Store(), lambda done, of: progress.update(task, completed=done, total=of))
    say(done)
