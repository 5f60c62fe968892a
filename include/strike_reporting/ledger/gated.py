"""What the release gate found of figures, and what it holds for a person to decide."""

from __future__ import annotations

from collections.abc import Iterable

from strike_reporting.clock import dated
from strike_reporting.ledger.records import Part, Record


class Check(Part):
    """What one check of the release gate found.

    passed: None where nobody can say. evidence: whose, how much, how much may be, and the setting that says so.
    """

    key: str
    label: str
    passed: bool | None
    evidence: str

    @property
    def said(self) -> str:
        """Its verdict in a word."""
        return {True: "passed", False: "FAILED", None: "cannot be said"}[self.passed]


def in_lines(checks: Iterable[Check]) -> list[str]:
    """Every check in a line: those that failed first, then those that cannot say."""
    order = sorted(checks, key=lambda c: (c.passed is not False, c.passed is not None))
    return [f"{c.label}: {c.said}. {c.evidence}" for c in order]


def failed(checks: Iterable[Check]) -> list[Check]:
    """Those that hold a release for a person."""
    return [c for c in checks if c.passed is False]


class Hold(Record):
    """A release that the gate held for a person, bound to figures: `identity` is theirs, and no other ones are meant.

    state: `held`, `approved`, `refused`, `superseded` (the figures are other ones now) or `withdrawn` (judged again at
    the next announced time). since, at: UTC, ISO 8601; who, at, why: of whoever decided.
    outcome: what came of it: a release's id, or why there is none; empty while that is to be seen.
    not_before: the announced time ahead of which it was held: approved sooner, it is released at it, or at the time
    that is announced instead.
    """

    action_id: str
    since: str
    identity: str
    checks: tuple[Check, ...] = ()
    state: str = "held"
    who: str = ""
    at: str = ""
    why: str = ""
    outcome: str = ""
    not_before: str = ""

    @property
    def hold_id(self) -> str:
        """What it is called in file names and ids of runs."""
        return f"{self.action_id.replace(';', '_')}.{self.since[:19].replace(':', '').replace('-', '')}"

    @property
    def run_id(self) -> str:
        """The id of the Airflow run that asks about it: the same at every try."""
        return f"held__{self.hold_id}"

    @property
    def letter(self) -> str:
        """The name of the letter that tells those who decide."""
        return f"{self.hold_id}.held"

    @property
    def is_unfinished(self) -> bool:
        """Whether it waits for a person, or for the release that follows from what was decided."""
        return self.state == "held" or (self.state in ("approved", "superseded") and not self.outcome)

    @property
    def sentence(self) -> str:
        """How it stands, since when, and who decided why."""
        ahead = f", ahead of its announced time, {dated(self.not_before)}" if self.not_before else ""
        began = f"held since {dated(self.since)}{ahead}"
        if self.state == "held":
            return f"{began}, for a person to decide"
        if self.state == "superseded":
            return f"{began}; superseded" + (f" ({self.outcome})" if self.outcome else " by newer figures")
        then = "; it is released at that time" if ahead and self.state == "approved" and not self.outcome else ""
        return f"{began}; {self.state} by {self.who} on {dated(self.at)}: {self.why}{then}"
