"""`strikes`: the whole path without a scheduler, and questions about what it did."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from strike_reporting.cli import config

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="National strike reporting.",
)
release_app = typer.Typer(no_args_is_help=True, help="Published releases.")
app.add_typer(release_app, name="release")
app.command("init")(config.init)
out = Console(soft_wrap=True)
err = Console(stderr=True)


def _progress() -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=err, transient=True)


@app.command()
def run(
    action: Annotated[str, typer.Option(help="Action id, such as JD-2023-04-11; join several with ;")],
    drop: Annotated[Path, typer.Option(help="Folder of files for this action", exists=True, file_okay=False)],
) -> None:
    """Take a folder of files through the whole path and publish a release."""
    from strike_reporting import ledger
    from strike_reporting.intake.collecting import collect_drop
    from strike_reporting.judging.settle import to_validate, validate
    from strike_reporting.publishing.releases import build
    from strike_reporting.reference.actions import resolve
    from strike_reporting.settings import settings
    from strike_reporting.site.front import write_front
    from strike_reporting.storage import Store

    actions, store = resolve(action), Store()
    with _progress() as progress:
        task = progress.add_task("Landing the files", total=None)
        pulled = collect_drop(store, drop, actions.action_id)
        todo = to_validate(store)
        progress.update(task, description="Checking files (the checks take some seconds to load)", total=len(todo))
        validate(store, todo, lambda _: progress.advance(task))
        progress.update(task, description="Summarising and publishing", completed=0, total=None)
        manifest, is_new = build(
            store,
            actions,
            lambda done, of: progress.update(task, description="Writing the pages", completed=done, total=of),
        )
        progress.update(task, description="Writing the pages across releases", total=None)
        write_front(store)
    wanted, shown = {r.submission_id for r in pulled.landed}, settings().files_shown
    came = [o for o in ledger.outcomes(store) if o.submission_id in wanted]
    rows = [
        (o.source_name, o.ods_code or "?", o.extract or "?", o.status, o.reason, o.fix)
        for o in came
        if len(wanted) <= shown or o.status == "rejected"
    ]
    rows += [(n, "", "", "duplicate", "its content was landed before; counted once", "") for n in pulled.duplicates]
    if pulled.status == "failed":
        rows.append(("", "", "", "not landed", pulled.reason, "Send a smaller file."))
    if not wanted and not rows:
        err.print(f"No new file was found in {drop}.", highlight=False)
    if rows:
        _print("Files", ("File", "Trust", "Extract", "Outcome", "Why", "What to do"), rows)
    if len(wanted) > shown:
        found = Counter(o.status.replace("_", " ") for o in came)
        counted = ", ".join(f"{n:,} {status}" for status, n in sorted(found.items()))
        out.print(f"{len(wanted):,} files: {counted}. `strikes outcomes` lists them all.", highlight=False)
    _say_release(manifest, is_new)


def _print(title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from strike_reporting.showing import safe_text

    table = Table(title=title, title_justify="left", show_lines=False)
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*(Text(safe_text(str(v))) for v in row))  # as text: what a trust sent is never markup
    Console().print(table)


def _say_release(manifest: dict, is_new: bool) -> None:  # type: ignore[type-arg]
    from strike_reporting.publishing.releases import folder
    from strike_reporting.reference.actions import resolve
    from strike_reporting.storage import Store

    cover = manifest["coverage"]
    out.print(
        f"Release {manifest['release_id']} ({'new' if is_new else 'unchanged'}, {manifest['data_class']} data): "
        f"{manifest['title']}",
        highlight=False,
    )
    out.print(
        f"  returned: cancellations {cover['trusts_returned']} of {cover['trusts_expected']} trusts, "
        f"staffing {cover['staffing_trusts_returned']} of {cover['staffing_trusts_expected']}",
        highlight=False,
    )
    where = Store().path(folder(resolve(manifest["action_id"]), manifest["number"]))
    out.print(f"  report: {where}/report.html", highlight=False)


@app.command("simulate")
def simulate_round(
    action: Annotated[str, typer.Option(help="Action id")],
    folder: Annotated[Path, typer.Option(help="Where to write the files")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes")] = 1,
    dirt: Annotated[float, typer.Option(min=0, max=1, help="Chance that a row is wrong")] = 0.0,
    match_published: Annotated[bool, typer.Option(help="Meet England's published total exactly")] = False,
) -> None:
    """Write a national round of synthetic extracts, marked synthetic, to try with `strikes run`."""
    from strike_reporting.reference.actions import resolve
    from strike_reporting.simulator import simulate

    with _progress() as progress:
        task = progress.add_task("Simulating", total=None)
        done = simulate(
            resolve(action),
            folder,
            seed=seed,
            dirt=dirt,
            match_published=match_published,
            progress=lambda code: progress.update(task, description=f"Simulating {code}"),
        )
    out.print(f"{done.files} synthetic files in {folder}, {sum(done.rows.values()):,} rows.", highlight=False)


@app.command()
def examples() -> None:
    """Write the embedded example extracts (real published figures) into the inbox, where their feeds look."""
    from strike_reporting.simulator.examples import write_examples
    from strike_reporting.storage import home

    out.print(f"{write_examples(Path(home()) / 'inbox')} example files written.", highlight=False)


@app.command()
def outcomes(
    only: Annotated[Literal["accepted", "accepted_in_part", "rejected", ""], typer.Option(help="Show only these")] = "",
) -> None:
    """List what became of every submission."""
    from strike_reporting import ledger
    from strike_reporting.storage import Store

    rows = [
        (o.source_name, o.ods_code or "?", o.extract or "?", o.status, o.reason, o.submission_id)
        for o in ledger.outcomes(Store())
        if only in ("", o.status)
    ]
    _print("Submissions", ("File", "Trust", "Extract", "Outcome", "Why", "Reference"), rows)


@app.command()
def errors(submission: Annotated[str, typer.Argument(help="Submission reference")]) -> None:
    """Print the error report of one submission."""
    from strike_reporting.storage import Store

    key = f"quarantine/{submission}/error_report.txt"
    store = Store()
    if "/" in submission or not store.exists(key):
        err.print(f"There is no error report for {submission!r}.")
        raise typer.Exit(1)
    out.print(store.read(key).decode(), highlight=False, markup=False)


@app.command()
def rows(
    submission: Annotated[str, typer.Argument(help="Submission reference, as on “Where the numbers come from”")],
    day: Annotated[str, typer.Option(help="Only this strike day, such as 2023-04-11")] = "",
) -> None:
    """Write a submission's rows that are in figures as CSV, each with its row and column in the trust's own file."""
    import io
    import sys

    import pyarrow.compute as pc
    import pyarrow.csv as pa_csv
    import pyarrow.parquet as pq

    from strike_reporting.extracts import EXTRACTS, load
    from strike_reporting.judging.settle import accepted_key
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


@release_app.command("show")
def show(release: str, as_json: Annotated[bool, typer.Option("--json", help="The whole manifest")] = False) -> None:
    """Show an action's current release, or one release by its id."""
    from strike_reporting.publishing.releases import find
    from strike_reporting.storage import Store

    manifest = find(Store(), release)
    if as_json:
        typer.echo(json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False))
    else:
        _say_release(manifest, False)


@release_app.command("list")
def list_releases() -> None:
    """List every action's current release."""
    from strike_reporting.publishing.releases import current
    from strike_reporting.storage import Store

    for manifest in current(Store()):
        _say_release(manifest, False)


@release_app.command("reproduce")
def reproduce_release(release: str) -> None:
    """Rebuild a release from landing and prove it identical, byte for byte."""
    from strike_reporting.publishing.releases import find, reproduce
    from strike_reporting.storage import Store

    with _progress() as progress:
        progress.add_task("Rebuilding from landing", total=None)
        different = reproduce(Store(), release)
    manifest = find(Store(), release)
    if different:
        err.print(f"{manifest['release_id']} was NOT reproduced; these files differ: {', '.join(different)}")
        raise typer.Exit(1)
    out.print(f"{manifest['release_id']} reproduced: {len(manifest['files'])} files identical.", highlight=False)


@app.command()
def feeds() -> None:
    """Say what will break soon: expiring credentials and certificates, changed host keys, silent feeds."""
    from strike_reporting.intake.registry import load_registry
    from strike_reporting.operations.watch import feed_warnings
    from strike_reporting.storage import Store

    registry = load_registry()
    known = registry.enabled
    for fault in registry.faults:
        err.print(str(fault), highlight=False, markup=False)
    with _progress() as progress:
        progress.add_task(f"Looking at {len(known)} feeds", total=None)
        found = feed_warnings(Store(), known)
    if found:
        _print("To see to", ("Feed", "What"), [(w.feed_id, w.what) for w in found])
    elif not registry.faults:
        out.print(f"Nothing to see to in {len(known)} feeds.", highlight=False)


@app.command()
def purge(yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False) -> None:
    """Delete for good the landed bytes that were locked away because they held patient data."""
    from strike_reporting.intake.purging import purge as purge_restricted
    from strike_reporting.intake.purging import restricted
    from strike_reporting.storage import Store

    found = len(restricted(Store()))
    if found and not yes:
        typer.confirm(f"Delete {found} restricted files for good? Receipts and outcomes stay", abort=True)
    out.print(str(purge_restricted(Store())), highlight=False)


@app.command("check-reference")
def check_reference_data() -> None:
    """Check that the reference data agree with themselves."""
    from strike_reporting.reference.facts import check_reference

    problems = check_reference()
    for problem in problems:
        err.print(problem, highlight=False)
    out.print(f"{len(problems)} problems.", highlight=False)
    raise typer.Exit(1 if problems else 0)


@app.command()
def docs(
    check: Annotated[bool, typer.Option("--check", help="Fail if a generated page is stale")] = False,
) -> None:
    """Generate the data dictionary, the DAG pages and the blank templates."""
    from strike_reporting.operations.documentation import generate, stale

    if check:
        wrong = stale()
        if wrong:
            err.print(f"Stale: {', '.join(wrong)}. Run `make docs` and commit the result.")
            raise typer.Exit(1)
        out.print("Generated documents are current.")
        return
    out.print(f"{generate()} documents written.", highlight=False)


def main() -> None:
    """Entry point: known errors are one line, not a traceback."""
    from strike_reporting.errors import StrikesError
    from strike_reporting.intake.transports import PullFailed
    from strike_reporting.publishing.releases import CheckFailed, NoRelease
    from strike_reporting.reference.actions import UnknownAction
    from strike_reporting.simulator import NoPublishedTotal

    try:
        app()
    except StrikesError as error:
        err.print(f"strikes: {error}", highlight=False, markup=False)
        raise SystemExit(error.exit_code) from None
    except (UnknownAction, NoPublishedTotal, NoRelease, CheckFailed, PullFailed) as error:
        err.print(f"strikes: {error}", highlight=False, markup=False)
        raise SystemExit(2) from None
