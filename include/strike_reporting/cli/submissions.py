"""`strikes outcomes`, `strikes errors`, `strikes rows`, `strikes submission …`: what became of what was sent."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from strike_reporting.cli.output import complain, print_table, say
from strike_reporting.errors import StrikesError

if TYPE_CHECKING:
    from strike_reporting.storage import Store

_BEGINS = 8  # characters of a reference that are enough: pages show thirteen
app = typer.Typer(no_args_is_help=True, help="One submission: what became of it, and taking it out of the figures.")


def outcomes(
    only: Annotated[Literal["accepted", "accepted_in_part", "rejected", ""], typer.Option(help="Show only these")] = "",
) -> None:
    """List what became of every submission."""
    from strike_reporting.ledger import ledger_of
    from strike_reporting.storage import Store

    rows = [
        (o.source_name, o.ods_code or "?", o.extract or "?", o.status, o.withdrawn or o.reason, o.submission_id)
        for o in ledger_of(Store()).judged.listed(only)
    ]
    print_table("Submissions", ("File", "Trust", "Extract", "Outcome", "Why", "Reference"), rows)


def errors(
    submission: Annotated[str, typer.Argument(help="Submission reference")],
    workbook: Annotated[Path | None, typer.Option(help="Write it as a workbook to this file instead")] = None,
) -> None:
    """Print the error report of one submission, or write it as the workbook that its sender is mailed."""
    from strike_reporting.judging.filing import error_workbook, report_key
    from strike_reporting.storage import Store

    store = Store()
    key = report_key(submission := _reference(store, submission))
    if "/" in submission or not store.exists(key):
        complain(f"There is no error report for {submission!r}.")
        raise typer.Exit(1)
    if workbook is None:
        say(store.read(key).decode())
    elif made := error_workbook(store, submission):
        try:
            workbook.write_bytes(made)
        except OSError as error:
            raise StrikesError(f"{workbook} cannot be written: {error.strerror}. Name a file in a folder") from error
        say(f"Written to {workbook}.")
    else:
        complain("Its findings are gone: `strikes doctor` says what mends it.")
        raise typer.Exit(1)


def rows(
    submission: Annotated[str, typer.Argument(help="Submission reference, as on “Where the numbers come from”")],
    day: Annotated[str, typer.Option(help="Only this strike day, such as 2023-04-11")] = "",
) -> None:
    """Write a submission's accepted rows as CSV, each with its row and column in the trust's own file.

    They are in figures unless it was withdrawn, or a newer file says the same parts.
    """
    from datetime import date

    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv as pa_csv

    from strike_reporting.extracts import load
    from strike_reporting.judging.filing import accepted_key
    from strike_reporting.ledger import ledger_of
    from strike_reporting.publishing.data_files import neutral
    from strike_reporting.storage import Store
    from strike_reporting.storage.parquet import read_parquet

    try:
        wanted = date.fromisoformat(day) if day else None
    except ValueError as error:
        raise StrikesError(f"--day {day!r} is no day; write it as YYYY-MM-DD") from error
    store = Store()
    outcome = ledger_of(store).judged.get(_reference(store, submission))
    if outcome is None or not outcome.rows_accepted or outcome.extract is None:
        complain(f"{submission!r} has no accepted row: there is no such submission, or it was refused.")
        raise typer.Exit(1)
    if outcome.parts:
        complain(f"It is a collective return; each trust's rows are its own: {', '.join(outcome.parts)}.")
        raise typer.Exit(1)
    contract = load(outcome.extract)
    try:
        found = read_parquet(store.read(accepted_key(contract.name, outcome.submission_id)))
    except (OSError, pa.ArrowException) as error:
        raise StrikesError("its accepted rows are gone or damaged: `strikes doctor` says what mends it") from error
    if outcome.withdrawn:
        complain(f"It is {outcome.withdrawn}: none of these rows is in any figure.")
    if wanted:
        found = found.filter(pc.equal(found[contract.date_field], wanted))
    given = [n for n in contract.field_names if found[n].null_count < found.num_rows]
    lineage = [n for n in ("source_sheet", "source_row", "source_column") if n in found.column_names]
    written = io.BytesIO()
    pa_csv.write_csv(neutral(found.select([*lineage, *given])), written)
    sys.stdout.write(written.getvalue().decode())


def _reference(store: Store, said: str) -> str:
    """A submission's reference; what begins one is enough, where it begins no other."""
    from strike_reporting.ledger import ledger_of

    judged = ledger_of(store).judged
    if (
        len(said) < _BEGINS or judged.get(said) is not None
    ):  # all that was ever judged is looked through for a part only
        return said
    found = [o.submission_id for o in judged.listed() if o.submission_id.startswith(said)]
    return found[0] if len(found) == 1 else said


@app.command("show")
def show(submission: Annotated[str, typer.Argument(help="Submission reference")]) -> None:
    """Say what became of one submission, what it says by day and part, and everything that was found of it."""
    from strike_reporting.judging.filing import findings
    from strike_reporting.ledger import ledger_of
    from strike_reporting.showing import place, safe_text
    from strike_reporting.storage import Store

    store = Store()
    outcome = ledger_of(store).judged.get(submission := _reference(store, submission))
    if outcome is None:
        complain(f"There is no outcome of {submission!r}; `strikes outcomes` lists them.")
        raise typer.Exit(1)
    facts = {
        "File": outcome.source_name,
        "Trust": outcome.ods_code or "not known",
        "Extract": outcome.extract or "not known",
        "Feed": outcome.feed_id + (", whose files restate the whole day" if outcome.restates_day else ""),
        "Received": f"{outcome.received_at[:16].replace('T', ' ')} UTC, number {outcome.sequence}",
        "Outcome": f"{outcome.status.replace('_', ' ')}: {outcome.reason}",
        "What to do": outcome.fix,
        "Withdrawn": outcome.withdrawn,
    }
    for name, value in facts.items():
        if value:
            say(safe_text(f"{name}: {value}"))
    days = [
        (
            str(s.day),
            s.part or "left out",
            f"{s.rows or s.quarantined:,}",
            ", ".join(f"{k} {v:,}" for k, v in s.sums.items()),
        )
        for s in outcome.said
    ]
    if days:
        print_table("What it says", ("Day", "Part", "Rows", "Sums"), days)
    found = [
        (place(p.row, p.column, p.sheet), p.value or "", p.severity, p.message, p.fix)
        for p in findings(store, submission)
    ]
    if found:
        print_table("What was found", ("Where", "Value", "Severity", "What is wrong", "What to do"), found)


@app.command("withdraw")
def withdraw(
    submission: Annotated[str, typer.Argument(help="Submission reference")],
    who: Annotated[str, typer.Option(help="Who withdraws it")],
    why: Annotated[str, typer.Option(help="Why: it is kept and shown")],
) -> None:
    """Take a submission that was sent in error out of the figures; what it replaced counts again."""
    from strike_reporting.operations.withdrawing import withdraw as taken
    from strike_reporting.storage import Store

    outcome, actions = taken(Store(), submission, who, why)
    say(f"{outcome.source_name} ({submission}) is {outcome.withdrawn}.")
    if actions:
        say(f"To be published again: {', '.join(actions)}; the next publication does it, or `strikes run`.")
