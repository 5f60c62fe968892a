"""Why a release is cut: what the gate finds of the figures, who lets them out, and what of it is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pyarrow as pa

from strike_reporting.ledger.gated import Check
from strike_reporting.publishing.gate import WEIGHED, Tables, gate
from strike_reporting.publishing.manifest import Decision, Release, Why
from strike_reporting.publishing.staging import Staged
from strike_reporting.publishing.summary import earlier_summaries
from strike_reporting.reference.actions import ActionSet
from strike_reporting.storage import Store

__all__ = ["WEIGHED", "Let", "decision", "weighed"]
# Says why figures of this identity, so checked, are cut; it raises where they are not.
Let = Callable[[str, tuple[Check, ...]], Why]


def weighed(
    store: Store, action: ActionSet, staged: Staged, before: tuple[str, Tables] | None, at: datetime
) -> tuple[Check, ...]:
    """What the release gate finds of staged figures, beside the release before and what was released earlier."""
    return gate(action, at, staged.inputs.data_class, staged.tables, before, earlier_summaries(store, action))


def decision(
    release: Release, why: Why, revised: pa.Table, areas: dict[str, int], checks: tuple[Check, ...]
) -> Decision:
    """What is kept beside a release of why it was cut."""
    fields = revised["field"].to_pylist()
    return Decision(
        release_id=release.release_id,
        previous=release.previous,
        reason=why.sentence(release.previous),
        changed={f: fields.count(f) for f in sorted(set(fields))},
        areas=areas,
        who=why.who,
        at=why.at,
        gate=checks,
        held=why.held,
    )
