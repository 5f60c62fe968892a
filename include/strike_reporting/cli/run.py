"""`strikes run`, `strikes simulate`, `strikes examples`: the whole path without a scheduler."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from strike_reporting.cli.output import complain, print_table, progress_bar, say, say_draft, say_release

if TYPE_CHECKING:
    from strike_reporting.ledger.records import Outcome
    from strike_reporting.publishing.manifest import Release
    from strike_reporting.storage import Store


def run(
    action: Annotated[str, typer.Option(help="Action id, such as JD-2023-04-11; join several with ;")],
    drop: Annotated[Path, typer.Option(help="Folder of files for this action", exists=True, file_okay=False)],
    dialect: Annotated[str, typer.Option(help="The dialect of all its files; otherwise each is tried with all")] = "",
) -> None:
    """Take a folder of files through the whole path, and publish a release.

    With the setting `cut_at_once = false` it makes a draft, as the scheduler does; what releases it is said.
    """
    from strike_reporting.judging.reading.reader import shared_reader

    shared_reader().begin()
    from strike_reporting.errors import StrikesError
    from strike_reporting.intake.collecting import collect_drop
    from strike_reporting.intake.config_files import nearest
    from strike_reporting.intake.dialects import dialects
    from strike_reporting.judging.settle import to_validate, validate
    from strike_reporting.ledger import ledger_of
    from strike_reporting.publishing.drafts import draft
    from strike_reporting.publishing.releases import build
    from strike_reporting.reference.actions import resolve
    from strike_reporting.settings import settings
    from strike_reporting.site.draw import draw
    from strike_reporting.storage import Store

    if dialect and dialect not in dialects():
        raise StrikesError(f"there is no dialect called {dialect!r}. {nearest(dialect, dialects())}")
    actions, store = resolve(action), Store()
    with progress_bar() as progress:
        task = progress.add_task("Landing the files", total=None)
        pulled = collect_drop(store, drop, actions.action_id, dialect=dialect or None)
        todo = to_validate(store)
        progress.update(task, description="Checking files (the checks take some seconds to load)", total=len(todo))
        judged = validate(store, todo, lambda _: progress.advance(task))
        progress.update(task, description="Summarising and publishing", completed=0, total=None)
        made: tuple[Release | None, bool]
        made = build(store, actions) if settings().cut_at_once else draft(store, actions)
        progress.update(task, description="Drawing the pages", completed=0)
        drawn = draw(store, progress=lambda done, of: progress.update(task, completed=done, total=of))
    wanted = {r.submission_id for r in pulled.landed}
    came = [o for s in sorted(wanted) if (o := ledger_of(store).judged.get(s))]
    came.sort(key=lambda o: o.sequence)
    shown = settings().files_shown
    rows = [
        (o.source_name, o.ods_code or "?", o.extract or "?", o.status, o.reason, o.fix)
        for o in came
        if len(wanted) <= shown or o.status == "rejected"
    ]
    rows += [(n, "", "", "duplicate", "its content was landed before; counted once", "") for n in pulled.duplicates]
    if pulled.status == "failed":
        rows.append(("", "", "", "not landed", pulled.reason, "Send a smaller file."))
    if not wanted and not rows:
        complain(f"No new file was found in {drop}.")
    if passed := pulled.passed_over:
        more = f" and {len(passed) - 5} more" if len(passed) > 5 else ""
        said = f"Passed over the folders {', '.join(passed[:5])}{more}: put their files beside the others."
        complain(said)
    if rows:
        print_table("Files", ("File", "Trust", "Extract", "Outcome", "Why", "What to do"), rows)
    if len(wanted) > shown:
        found = Counter(o.status.replace("_", " ") for o in came)
        counted = ", ".join(f"{n:,} {status}" for status, n in sorted(found.items()))
        say(f"{len(wanted):,} files: {counted}. `strikes outcomes` lists them all.")
    _say_warnings(store, came)
    _say_made(actions.action_id, *made)
    wrong = [j.reason for j in judged if j.outcome is None]
    wrong += [o.reason for j in judged if (o := j.outcome) is not None and o.is_ours]
    wrong += [f"{d.item.release_id} was not drawn: {d.reason}" for d in drawn if d.error is not None]
    for reason in wrong:
        complain(f"strikes: {reason}")
    if wrong:
        raise typer.Exit(4)


def _say_made(action_id: str, made: Release | None, is_new: bool) -> None:
    """The release or the draft that was made."""
    from strike_reporting.publishing.manifest import Draft

    if made is None:
        say(f"{action_id}: today's figures are those of its current release, so there is no draft.")
    elif not isinstance(made, Draft):
        say_release(made, is_new)
    else:
        say_draft(made)
        say(f"  nothing is released: an announced time does that, or `strikes release cut {action_id}`")


def _say_warnings(store: Store, came: list[Outcome]) -> None:
    """How many warnings there are, and the first few: of files whose rows are counted all the same."""
    from strike_reporting.judging.filing import findings
    from strike_reporting.settings import settings
    from strike_reporting.showing import place, safe_text

    doubtful = [o for o in came if o.counts and o.warnings]
    if not doubtful:
        return
    every, files = sum(o.warnings for o in doubtful), len(doubtful)
    many = f"{every:,} warning{'s' * (every > 1)} in {files:,} file{'s' * (files > 1)}"
    say(f"{many}; unless it is said, the rows are counted:")
    left = settings().warnings_shown
    for outcome in doubtful:
        if left <= 0:
            break
        warned = [p for p in findings(store, outcome.submission_id) if p.severity == "warning"][:left]
        left -= len(warned)
        for p in warned:
            say(safe_text(f"  {outcome.source_name}, {place(p.row, p.column, p.sheet)}: {p.message}. {p.fix}"))
        say(f"  all of this file: `strikes submission show {outcome.submission_id}`")


def simulate(
    action: Annotated[str, typer.Option(help="Action id")],
    folder: Annotated[Path, typer.Option(help="Where to write the files")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes")] = 1,
    dirt: Annotated[float, typer.Option(min=0, max=1, help="Chance that a row is wrong")] = 0.0,
    match_published: Annotated[bool, typer.Option(help="Meet England's published total exactly")] = False,
) -> None:
    """Write a national round of synthetic extracts, marked synthetic, to try with `strikes run`."""
    from strike_reporting.reference.actions import resolve
    from strike_reporting.simulator import simulate as simulated

    with progress_bar() as progress:
        task = progress.add_task("Simulating", total=None)
        done = simulated(
            resolve(action),
            folder,
            seed=seed,
            dirt=dirt,
            match_published=match_published,
            progress=lambda code: progress.update(task, description=f"Simulating {code}"),
        )
    say(f"{done.files} synthetic files in {folder}, {sum(done.rows.values()):,} rows.")


def examples() -> None:
    """Write the embedded example extracts (real published figures) into the inbox, where their feeds look."""
    from strike_reporting.simulator.examples import write_examples
    from strike_reporting.storage import home

    say(f"{write_examples(Path(home()) / 'inbox')} example files written.")
