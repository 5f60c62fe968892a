"""`strikes doctor`, `feeds`, `purge`, `check-reference`, `docs`: what is wrong, or will be, and what mends it."""

from __future__ import annotations

from typing import Annotated

import typer

from strike_reporting.cli.output import complain, print_table, progress_bar, say


def feeds() -> None:
    """Say what will break soon: faulty entries, expiring credentials, changed host keys, silent feeds."""
    from strike_reporting.intake.registry import load_registry
    from strike_reporting.operations.watch import feed_warnings
    from strike_reporting.storage import Store

    registry = load_registry()
    with progress_bar() as progress:
        progress.add_task(f"Looking at {len(registry.feeds)} feeds", total=None)
        found = feed_warnings(Store(), registry.feeds)
    for fault in registry.faults:
        complain(str(fault))
    if found:
        print_table("To see to", ("Feed", "What"), [(w.feed_id, w.what) for w in found])
    elif not registry.faults:
        say(f"Nothing to see to in {len(registry.feeds)} feeds.")


def doctor() -> None:
    """Look at everything that is kept; say what is damaged or left over, and which command mends it."""
    from strike_reporting.operations.doctor import examine
    from strike_reporting.storage import Store

    with progress_bar() as progress:
        task = progress.add_task("Examining", total=None)
        found = examine(Store(), lambda what: progress.update(task, description=f"Examining {what}"))
    if not found:
        say("Nothing is damaged and nothing is left over.")
        return
    print_table("To mend", ("What", "Is wrong", "Mend it by"), [(f.what, f.wrong, f.mend) for f in found])
    raise typer.Exit(4)


def purge(yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False) -> None:
    """Delete for good what was locked away because it held patient data, with every copy and leftover of it."""
    from strike_reporting.intake.purging import purge as purge_all
    from strike_reporting.intake.purging import restricted
    from strike_reporting.storage import Store

    store = Store()
    found = len(restricted(store))
    if found and not yes:
        typer.confirm(f"Delete {found} restricted files for good? Receipts and outcomes stay", abort=True)
    say(str(purge_all(store)))


def check_reference() -> None:
    """Check that the reference data agree with themselves."""
    from strike_reporting.reference.checking import check_reference as found

    problems = found()
    for problem in problems:
        complain(problem)
    say(f"{len(problems)} problems.")
    raise typer.Exit(1 if problems else 0)


def docs(
    check: Annotated[bool, typer.Option("--check", help="Fail if a generated page is stale")] = False,
) -> None:
    """Generate the data dictionary, the DAG pages, the settings page and the blank templates."""
    from strike_reporting.operations.documentation import generate, stale

    if check:
        wrong = stale()
        if wrong:
            complain(f"Stale: {', '.join(wrong)}. Run `make docs` and commit the result.")
            raise typer.Exit(1)
        say("Generated documents are current.")
        return
    say(f"{generate()} documents written.")
