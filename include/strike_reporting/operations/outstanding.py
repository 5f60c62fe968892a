"""Who has not returned what is due on a day, and whose feed it would come by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from strike_reporting.extracts import EXTRACTS
from strike_reporting.extracts.measures import asked_with
from strike_reporting.intake.registry import Feed, load_feeds
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import EVERY, Receipt
from strike_reporting.operations.due_days import DueDay
from strike_reporting.publishing.frame import Frame, frame
from strike_reporting.publishing.selection import select, window
from strike_reporting.reference.organisations import organisations
from strike_reporting.storage import Store

LANDED = "landed"  # it came and waits to be judged


@dataclass(frozen=True)
class Missing:
    """One return that is expected and not there.

    status: `missing`, `rejected` or `LANDED`. feeds: by which it may come. last_used: when a file of theirs last came
    that could be used (UTC, ISO 8601). failure: why the last pull failed, or the last file could not be used.
    """

    ods_code: str
    trust_name: str
    extract: str
    status: str
    feeds: tuple[Feed, ...]
    last_used: str
    failure: str


@dataclass(frozen=True)
class Outstanding:
    """All that is due on a day and not there. asked_number: by extract, how many are asked where nobody lists which."""

    due: DueDay
    missing: tuple[Missing, ...]
    expected: frozenset[tuple[str, str]]
    asked_number: dict[str, int]
    areas: dict[str, frozenset[str]]

    def of(self, area_type: str) -> tuple[Missing, ...]:
        """What is missing of an area's trusts."""
        return tuple(m for m in self.missing if area_type in self.areas[m.ods_code])

    def expected_of(self, area_type: str) -> int:
        """How many returns are expected of an area's trusts."""
        return sum(area_type in self.areas[code] for code, _ in self.expected)


def outstanding(store: Store, due: DueDay, feeds: Sequence[Feed] | None = None) -> Outstanding:
    """Who is missing as the ledger knows it now.

    Args:
        store: the state root.
        due: the day.
        feeds: the feeds that are pulled; default those of the registry.
    """
    ledger, asked = ledger_of(store), frame(due.actions)
    asked = asked.model_copy(update={"days": (due.strike_day,), "closing_days": ()})
    expected = _expected(asked, due.strike_day)
    outcomes = ledger.judged.about([due.strike_day], [a.action_id for a in due.actions.actions], window(asked.days))
    failures = ledger.receiving.failing()
    open_ones = [
        r
        for r in select(asked, outcomes, failures)
        if not r.counts and (r.ods_code, r.extract) in expected and r.strike_day == due.strike_day
    ]
    known, waiting = feeds if feeds is not None else load_feeds(), ledger.receiving.to_judge()
    by = {(r.ods_code, r.extract): _feeds_of(r.ods_code, r.extract, known) for r in open_ones}
    used = ledger.judged.last_used({f.id for found in by.values() for f in found})
    missing = []
    for r in open_ones:
        mine = by[(r.ods_code, r.extract)]
        ids = [f.id for f in mine]
        is_landed = any(w.feed_id in ids or _is_of(w, r.ods_code, r.extract) for w in waiting)
        failed = [failures[i] for i in ids if i in failures]
        why = r.reason if r.return_status == "rejected" else "; ".join(dict.fromkeys(failed))
        last = max((used[i] for i in ids if i in used), default="")
        status = LANDED if is_landed else r.return_status
        missing.append(Missing(r.ods_code, r.trust_name, r.extract, status, mine, last, why))
    here = (m for m in asked.members if due.strike_day in m.days)
    areas = {m.ods_code: frozenset(area_type for area_type, *_ in m.areas) for m in here}
    number = {e: n for e, days in asked.asked_number.items() if (n := days.get(due.strike_day))}
    return Outstanding(due, tuple(missing), expected, number, areas)


def _expected(asked: Frame, day: date) -> frozenset[tuple[str, str]]:
    """Trust and extract of every return that is asked for by name."""
    extracts = (e for e in EXTRACTS if asked_with(e) == e)
    return frozenset((code, e) for e in extracts for code in asked.asked[e].get(day, ()) if asked.member(code, day))


def _is_of(receipt: Receipt, code: str, extract: str) -> bool:
    return receipt.ods_code == code and receipt.extract in (extract, None)


def _feeds_of(code: str, extract: str, feeds: Iterable[Feed]) -> tuple[Feed, ...]:
    """The feeds by which a trust's return comes: its own, else of who took it over, else collective ones."""
    mine = [f for f in feeds if f.extract == extract]
    today = organisations().successor(code)
    return tuple(
        [f for f in mine if f.trust == code]
        or [f for f in mine if f.trust == today]
        or [f for f in mine if {EVERY, code, today} & {*f.speaks_for}]
    )
