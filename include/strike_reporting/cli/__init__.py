"""`strikes`: the whole path without a scheduler, and questions about what it did. One module a noun."""

from __future__ import annotations

import gc

import typer

from strike_reporting.cli import calendar, checks, config, feeds, ledger, releases, replay, run, submissions
from strike_reporting.cli.output import complain
from strike_reporting.errors import StrikesError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: half the time, and the same on every width and for a screen reader
    context_settings={"max_content_width": 120},
    help="National strike reporting.",
)
app.add_typer(releases.app, name="release")
app.add_typer(feeds.app, name="feed")
app.add_typer(ledger.app, name="ledger")
app.add_typer(submissions.app, name="submission")
for command in (
    run.run,
    run.simulate,
    run.examples,
    submissions.outcomes,
    submissions.errors,
    submissions.rows,
    replay.replay,
    checks.feeds,
    checks.doctor,
    checks.purge,
    checks.docs,
):
    app.command()(command)
app.add_typer(calendar.app, name="calendar")
app.command("init")(config.init)
app.command("check-reference")(checks.check_reference)


def main() -> None:
    """Entry point: known errors are one line and an exit code of their own, not a traceback.

    What is imported stays to the end, so looking through it for garbage, again and again while it grows and once more
    when all is over, is a fifth of a short command.
    """
    gc.set_threshold(100_000, 50, 50)
    try:
        app()
    except StrikesError as error:
        complain(f"strikes: {error}")
        raise SystemExit(error.exit_code) from None
    finally:
        gc.freeze()
