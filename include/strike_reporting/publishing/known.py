"""What was known at a moment: of each action the release that was current then, and what its draft said.

The draft is made again from what had been received by then, by today's rules and reference data and the strike
calendar as it was told then; files that came later, and withdrawals made later, are as if they had never been.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Cut, Damaged
from strike_reporting.publishing.frame import frame
from strike_reporting.publishing.manifest import Release
from strike_reporting.publishing.releases import cut_at, decision_of, read_manifest
from strike_reporting.publishing.staging import Staged, stage
from strike_reporting.reference.actions import ActionSet, actions_as_at, resolve
from strike_reporting.storage import Store


@dataclass(frozen=True)
class Known:
    """What was known of an action.

    release: the one that was current; None where none had been cut. One that cannot be read is passed over, and `wrong`
        says so.
    draft: None where nothing had come.
    """

    action: ActionSet
    release: Release | None
    draft: Staged | None
    wrong: str = ""

    @property
    def is_same(self) -> bool:
        """Whether the draft said what the release says."""
        return bool(self.release and self.draft and self.release.identity == self.draft.identity)


def known(store: Store, moment: datetime, only: str = "") -> Iterator[Known]:
    """What was known at a moment, by action; actions of which nothing was are left out.

    Args:
        store: the state root.
        moment: with its time zone.
        only: one action's id; empty for all.

    Raises:
        UnknownAction: the strike calendar has no such action.
        CheckFailed: the figures of that moment do not add up by today's rules.
    """
    published = ledger_of(store).published
    cuts: dict[str, list[Cut]] = {}
    for cut in published.everything():
        if cut.state == "published":
            cuts.setdefault(cut.action_id, []).append(cut)
    calendar = actions_as_at(moment)
    wanted = [resolve(only).action_id] if only else sorted({*cuts, *calendar})
    for action_id in wanted:
        ids = action_id.split(";")
        if any(i not in calendar for i in ids):
            continue
        one = _known(store, ActionSet(tuple(calendar[i] for i in ids)), cuts.get(action_id, []), moment)
        if one.release or one.draft or one.wrong:
            yield one


def _known(store: Store, action: ActionSet, cuts: list[Cut], moment: datetime) -> Known:
    """Of one action, whose releases these are by number."""
    release, wrong = None, ""
    for cut in cuts:
        try:
            found = read_manifest(store, action.slug, cut.number)
        except (OSError, Damaged) as error:
            wrong = str(error)
            continue
        if (at := cut_at(found, decision_of(store, found))) and datetime.fromisoformat(at) <= moment:
            release = found
    if not ledger_of(store).judged.has_days([*action.days, *action.closing_days]):
        return Known(action, release, None, wrong)
    staged = stage(store, frame(action), {}, until=moment)
    has_come = any(s.is_used for s in staged.inputs.submissions)
    return Known(action, release, staged if has_come else None, wrong)
