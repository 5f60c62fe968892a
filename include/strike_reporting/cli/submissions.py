"""`strikes outcomes`, `strikes errors`, `strikes rows`, `strikes purge`: what became of what was sent."""

from __future__ import annotations

import io
import sys
from typing import Annotated, Literal

import typer

from strike_reporting.cli.output import err, print_table, say


def outcomes(
    only: Annotated[Literal["accepted", "accepted_in_part", "rejected", ""], typer.Option(help="Show only these")] = "",
) -> None:
    """List what became of every submission."""
    from strike_reporting.ledger import ledger_of
    from strike_reporting.storage import Store

    rows = [
        (o.source_name, o.ods_code or "?", o.extract or "?", o.status, o.reason, o.submission_id)
        for o in ledger_of(Store()).judged.listed(only)
    ]
    print_table("Submissions", ("File", "Trust", "Extract", "Outcome", "Why", "Reference"), rows)


def errors(submission: Annotated[str, typer.Argument(help="Submission reference")]) -> None:
    """Print the error report of one submission."""
    from strike_reporting.judging.filing import report_key
    from strike_reporting.storage import Store

    key, store = report_key(submission, "txt"), Store()
    if "/" in submission or not store.exists(key):
        err.print(f"There is no error report for {submission!r}.")
        raise typer.Exit(1)
    say(store.read(key).decode())


def rows(
    submission: Annotated[str, typer.Argument(help="Submission reference, as on “Where the numbers come from”")],
    day: Annotated[str, typer.Option(help="Only this strike day, such as 2023-04-11")] = "",
) -> None:
    """Write a submission's rows that are in figures as CSV, each with its row and column in the trust's own file."""
    import pyarrow.compute as pc
    import pyarrow.csv as pa_csv
    import pyarrow.parquet as pq

    from strike_reporting.extracts import EXTRACTS, load
    from strike_reporting.judging.filing import accepted_key
    from strike_reporting.publishing.data_files import neutral
    from strike_reporting.storage import Store

    store = Store()
    extract = next((e for e in EXTRACTS if "/" not in submission and store.exists(accepted_key(e, submission))), None)
    if extract is None:
        err.print(f"No row of {submission!r} is in any figure: there is no such submission, or it was refused.")
        raise typer.Exit(1)
    contract = load(extract)
    found = pq.read_table(io.BytesIO(store.read(accepted_key(extract, submission))))
    if day:
        found = found.filter(pc.equal(found[contract.date_field].cast("string"), day))
    names = [n for n in contract.field_names if found[n].null_count < found.num_rows]
    written = io.BytesIO()
    pa_csv.write_csv(neutral(found.select(["source_row", "source_column", *names])), written)
    sys.stdout.write(written.getvalue().decode())
