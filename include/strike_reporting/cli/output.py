"""What the commands print: tables, progress, one release in two lines. What a sender wrote is text, never markup."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from strike_reporting.catalogue.areas import Area
    from strike_reporting.ledger.gated import Hold
    from strike_reporting.publishing.manifest import Decision, Draft, Release

_COPIED = frozenset({"Reference", "Feed", "Release"})
_WIDE = 10_000


def progress_bar() -> Progress:
    """A bar on standard error that is gone when the work is done."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=_console(stderr=True), transient=True)


def say(text: str) -> None:
    """One line of plain text."""
    _console(stderr=False).print(text, highlight=False, markup=False)


def complain(text: str) -> None:
    """A line of plain text on standard error: what is wrong, or asked."""
    _console(stderr=True).print(text, highlight=False, markup=False)


def print_table(title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """A table whose cells are shown as text; what is to be copied from it is never cut, and none of it for a file."""
    import os

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from strike_reporting.showing import safe_text

    table = Table(title=title, title_justify="left", show_lines=False)
    for head in heads:
        table.add_column(head, overflow="fold", no_wrap=head in _COPIED)
    for row in rows:
        table.add_row(*(Text(safe_text(str(v))) for v in row))
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(width=_WIDE)
    console.print(table)


def reported_area(area_type: str) -> Area:
    """England, or the named area that is called so.

    Raises:
        StrikesError: there is none.
    """
    from strike_reporting.errors import StrikesError
    from strike_reporting.intake.config_files import nearest
    from strike_reporting.reference.areas import reported

    areas = {r.area.area_type: r.area for r in reported()}
    if area_type not in areas:
        raise StrikesError(f"there is no area {area_type!r}. {nearest(area_type, areas)}")
    return areas[area_type]


def say_release(release: Release, is_new: bool) -> None:
    """A release, how complete it is, and where its pages and files are."""
    from strike_reporting.storage import Store

    store = Store()
    new = "new" if is_new else "unchanged"
    say(f"Release {release.release_id} ({new}, {release.data_class} data): {release.title}")
    if release.standing:
        say(f"  {release.standing.sentence}")
    say(f"  returned: {release.coverage}")
    say(f"  report: {store.path(f'site/{release.slug}/{release.number:04d}')}/report.html")
    say(f"  files: {store.path(release.folder)}")


def say_draft(draft: Draft) -> None:
    """A draft, how complete it is, what it is measured by, how it stands with the gate, and where its pages are."""
    from strike_reporting.ledger import ledger_of
    from strike_reporting.publishing.embargo import drafts_root
    from strike_reporting.storage import Store

    hold = ledger_of(Store()).holds.about(draft.action_id, draft.identity)
    beside = f"differs from {draft.previous}" if draft.previous else "no release of this action yet"
    say(f"Draft of {draft.action_id} as at {draft.as_at} ({draft.data_class} data), {beside}: {draft.title}")
    say(f"  returned: {draft.coverage}")
    if hold is not None:
        say(f"  {hold.sentence}")
    say(f"  report: {Store().path(f'{drafts_root()}/{draft.slug}/draft')}/report.html")


def say_decision(decision: Decision | None) -> None:
    """Who released it and why, and what the gate found."""
    if decision is None:
        return
    from strike_reporting.ledger.gated import in_lines

    say(f"  why: {decision.reason}" + (f" ({decision.who})" if decision.who else ""))
    for line in in_lines(decision.gate):
        say(f"  gate, {line}")


def say_hold(hold: Hold) -> None:
    """A held release: how it stands, and what the gate found."""
    from strike_reporting.ledger.gated import in_lines

    say(f"{hold.action_id}: {hold.sentence}")
    for line in in_lines(hold.checks):
        say(f"  {line}")


@cache
def _console(*, stderr: bool) -> Console:
    """Made when something is said: a command that only helps needs none of it."""
    from rich.console import Console

    return Console(stderr=stderr, soft_wrap=not stderr)
