"""`strikes release …`: what was published, and proof of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from strike_reporting.cli.output import (
    complain,
    print_table,
    progress_bar,
    reported_area,
    say,
    say_decision,
    say_draft,
    say_hold,
    say_release,
)

if TYPE_CHECKING:
    from strike_reporting.storage import Store

SHOWN = 40  # differences listed
_Reason = Annotated[str, typer.Option("--reason", help="Why: it is kept and shown")]
_Who = Annotated[str, typer.Option("--who", help="Who decides; default the user of this machine")]

app = typer.Typer(no_args_is_help=True, help="Published releases.")


@app.command("show")
def show(release: str, as_json: Annotated[bool, typer.Option("--json", help="The whole manifest")] = False) -> None:
    """Show an action's current release and its draft, or one release by its id."""
    from strike_reporting.publishing.drafts import shown
    from strike_reporting.publishing.releases import NoRelease, decision_of, find
    from strike_reporting.storage import Store

    store = Store()
    draft = shown(store).get(release.replace("_", ";"))
    try:
        found = find(store, release)
    except NoRelease:
        if draft is None or as_json:
            raise
        say_draft(draft)
        return
    if as_json:
        typer.echo(found.dump().decode())
        return
    say_release(found, False)
    say_decision(decision_of(store, found))
    if draft is not None:
        say_draft(draft)
    elif ".r" not in release:
        say(f"  the draft equals release {found.number}")


@app.command("list")
def list_releases() -> None:
    """List every action's current release, and every draft."""
    from strike_reporting.publishing.drafts import shown
    from strike_reporting.publishing.releases import current
    from strike_reporting.storage import Store

    store = Store()
    for release in current(store):
        say_release(release, False)
    for draft in shown(store).values():
        say_draft(draft)


@app.command("as-at")
def as_at(
    moment: Annotated[
        datetime, typer.Argument(formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d"], help="London time, the whole minute")
    ],
    action: Annotated[str, typer.Option(help="Only this action")] = "",
    area: Annotated[str, typer.Option(help="England, or a named area of areas.csv")] = "england",
) -> None:
    """Show what was known at a moment: the release that was current, and what the draft said."""
    from strike_reporting.clock import LONDON, clocked
    from strike_reporting.publishing.known import known
    from strike_reporting.site.then import headlines
    from strike_reporting.storage import Store

    here, store, number = reported_area(area), Store(), 0
    whole_minute = moment.replace(second=59, microsecond=999_999, tzinfo=LONDON)
    for one in known(store, whole_minute, action):
        number += 1
        say(f"{one.action.action_id}: {one.action.title}, {here.area_name}")
        if one.wrong:
            complain(f"  {one.wrong}")
        cut = f"release {one.release.number}" if one.release else "no release yet"
        heads = ("Figure", cut, "draft, the same" if one.is_same else "draft")
        print_table(f"Known at {clocked(whole_minute)}", heads, headlines(store, one, here))
    if not number:
        say(f"Nothing was known at {clocked(whole_minute)}.")


@app.command("replay")
def replay_history(action: Annotated[str, typer.Option(help="Only this action")] = "") -> None:
    """Cut the releases of the past at the announced times that were then, of actions that have none."""
    from datetime import UTC

    from strike_reporting.operations.history import replay, to_replay
    from strike_reporting.operations.rounds import draw_site
    from strike_reporting.storage import Store

    store = Store()
    todo = to_replay(store, action)
    with progress_bar() as progress:
        task = progress.add_task("Replaying", total=len(todo))
        made = []
        for one in todo:
            made += replay(store, one, datetime.now(UTC))
            progress.advance(task)
        progress.update(task, description="Drawing the pages", total=None)
        draw_site()
    say(f"{len(made)} releases of {len(todo)} actions: {', '.join(made) or 'nothing was received that is in none'}")


@app.command("cut")
def cut_release(
    action: str,
    reason: _Reason,
    who: _Who = "",
) -> None:
    """Release what an action's draft says, without waiting for the announced time, whatever the gate finds."""
    from strike_reporting.operations.cutting import cut
    from strike_reporting.operations.rounds import draw_site

    release = cut(*_asked(action, reason, who))
    draw_site()
    say_release(release, True)


@app.command("held")
def list_held() -> None:
    """List what the release gate holds for a person, with what it found."""
    from strike_reporting.operations.holding import held
    from strike_reporting.storage import Store

    found = held(Store())
    for hold in found:
        say_hold(hold)
    if not found:
        say("Nothing is held.")


@app.command("approve")
def approve_release(action: str, reason: _Reason, who: _Who = "") -> None:
    """Release exactly the figures of an action that are held, at their announced time where that is still to come.

    Refused in words where they are other ones now.
    """
    from strike_reporting.ledger.gated import Hold
    from strike_reporting.operations.holding import approve_now
    from strike_reporting.operations.rounds import draw_site

    store, action, reason, who, _ = _asked(action, reason, who)
    approved = approve_now(store, action, reason, who)
    draw_site()
    if isinstance(approved, Hold):
        say_hold(approved)
    else:
        say_release(approved, True)


@app.command("refuse")
def refuse_release(action: str, reason: _Reason, who: _Who = "") -> None:
    """Leave what is held of an action a draft; other figures are judged at the next announced time."""
    from strike_reporting.operations.holding import refuse
    from strike_reporting.operations.rounds import draw_site

    say_hold(refuse(*_asked(action, reason, who)))
    draw_site()


@app.command("withdraw-hold")
def withdraw_held(action: str, reason: _Reason, who: _Who = "") -> None:
    """Take a hold back, as when a setting was wrong: the next announced time judges the figures anew."""
    from strike_reporting.operations.holding import withdraw_hold
    from strike_reporting.operations.rounds import draw_site

    say_hold(withdraw_hold(*_asked(action, reason, who)))
    draw_site()


def _asked(action: str, reason: str, who: str) -> tuple[Store, str, str, str, datetime]:
    """What a decision about a held release is made of."""
    from datetime import UTC
    from getpass import getuser

    from strike_reporting.storage import Store

    return Store(), action, reason, who or getuser(), datetime.now(UTC)


@app.command("accesses")
def list_accesses(action: Annotated[str, typer.Argument(help="Only this action; default all")] = "") -> None:
    """List who looked at figures under embargo, at what and when."""
    from strike_reporting.clock import dated
    from strike_reporting.operations.accesses import accesses
    from strike_reporting.reference.actions import resolve
    from strike_reporting.storage import Store

    found = accesses(Store(), resolve(action).action_id if action else "")
    rows = [(dated(a.at), a.user_id if a.name == a.user_id else f"{a.user_id} ({a.name})", a.what) for a in found]
    if not rows:
        say("Nobody looked at anything under embargo.")
        return
    print_table("Looks at figures under embargo", ("When", "Who", "What"), rows)


@app.command("set-aside")
def set_release_aside(release: str) -> None:
    """Put a damaged release aside: the one before is current again, and the next round publishes anew."""
    from strike_reporting.operations.setting_aside import set_aside
    from strike_reporting.storage import Store

    say(f"{release} is in {set_aside(Store(), release)}; the next round publishes under a new number.")


@app.command("reproduce")
def reproduce_release(release: str) -> None:
    """Make a release again from landing: byte for byte with the same programs, else cell by cell."""
    from strike_reporting.publishing.reproduce import reproduce
    from strike_reporting.storage import Store

    with progress_bar() as progress:
        progress.add_task("Making it again from landing", total=None)
        found = reproduce(Store(), release)
    name = found.release.release_id
    for version in found.versions:
        say(f"  {version}")
    if not found.files:
        say(f"{name} reproduced: {len(found.release.files)} files identical.")
        return
    for cell in found.cells[:SHOWN]:
        complain(f"  {cell}")
    if found.versions and not found.cells:
        say(f"{name} reproduced in every cell; these files have other bytes: {', '.join(found.files)}")
        return
    complain(f"{name} was NOT reproduced; these files differ: {', '.join(found.files)}")
    raise typer.Exit(1)
