"""`strikes calendar`: the industrial actions, and what is not known of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from strike_reporting.cli.output import print_table, say


def calendar(
    doubtful: Annotated[bool, typer.Option("--doubtful", help="List what is not known of each action")] = False,
) -> None:
    """List the industrial actions of the strike calendar, or what is not known of them."""
    from strike_reporting.reference.actions import actions, days_text
    from strike_reporting.reference.doubts import doubts
    from strike_reporting.reference.facts import check_reference, require

    require(check_reference())
    if doubtful:
        found = doubts(datetime.now(UTC).date())
        print_table("Not known", ("Action", "What is not known"), [(d.action_id, d.what) for d in found])
        say(f"{len({d.action_id for d in found})} of {len(actions())} actions.")
        return
    rows = [
        (a.action_id, days_text(a.days), a.group_name.rstrip("’"), a.status.replace("_", " "), a.cover_level)
        for a in actions().values()
    ]
    print_table("Strike calendar", ("Action", "Strike days", "Of", "Status", "Cover"), rows)
