"""Feeds whose headings are other ones now: the file is refused, or a column is new that nothing maps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from strike_reporting.intake.collecting import DROP
from strike_reporting.judging.filing import findings
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Outcome
from strike_reporting.operations.troubles import Trouble, key_of
from strike_reporting.storage import Store

KIND = "drift"
# Rules by which a file is refused because of its headings, and the one that names a column which nothing maps.
_HEADINGS = frozenset({"header", "sheet", "layout", "ambiguous_layout", "ambiguous_column"})
_EXTRA = "extra_column"


def drift(store: Store, submission_ids: Iterable[str]) -> tuple[list[Trouble], set[str]]:
    """What the newest of these files of each feed shows, and the keys of all feeds that were looked at."""
    judged, newest = ledger_of(store).judged, dict[str, Outcome]()
    for outcome in sorted(judged.some(submission_ids), key=lambda o: o.sequence):
        if outcome.feed_id != DROP and not outcome.is_ours:
            newest[outcome.feed_id] = outcome
    found = []
    for feed_id, outcome in newest.items():
        if what := _changed(store, outcome):
            do = (
                f"`strikes errors {outcome.submission_id}` is what its sender was told; if the file is right, change "
                f"the dialect (`strikes feed new` proposes one) and trigger validate_extracts."
            )
            found.append(Trouble(key_of(KIND, feed_id), f"{feed_id}: {what}", do))
    return found, {key_of(KIND, feed_id) for feed_id in newest}


def _changed(store: Store, outcome: Outcome) -> str:
    name = repr(outcome.source_name)
    if outcome.status == "rejected" and _HEADINGS & {*outcome.rules}:
        return f"the headings of {name} are not those of its dialect: {outcome.reason}"
    before = ledger_of(store).judged.before(outcome)
    if not outcome.warnings or before is None:
        return ""
    known = Counter(map(_heading, _extra(store, before)))
    new = []
    for column in _extra(store, outcome):
        if known[_heading(column)]:
            known[_heading(column)] -= 1
        else:
            new.append(column)
    return f"{name} has columns that its file before had not, and that nothing maps: {', '.join(new)}" if new else ""


def _extra(store: Store, outcome: Outcome) -> list[str]:
    """Columns that nothing maps, as the report names them: place and heading, which is withheld if it is free text."""
    if not outcome.warnings:
        return []
    return [p.column for p in findings(store, outcome.submission_id) if p.rule == _EXTRA and p.column]


def _heading(column: str) -> str:
    return column.partition(": ")[2]
