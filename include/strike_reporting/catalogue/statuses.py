"""What can be said of a return that was expected or came, each status once, in the order in which they are shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Status:
    """One return status. `is_returned`: its figures count. `is_asked`: a return was expected, or came."""

    key: str
    label: str
    definition: str
    is_returned: bool = False
    is_asked: bool = True


STATUSES = (
    Status("received", "Received", "A return that counts, in time.", is_returned=True),
    Status(
        "nil_return",
        "Nil return",
        "A return that says nothing was cancelled or nobody was absent: a true zero.",
        is_returned=True,
    ),
    Status(
        "late",
        "Late",
        "Sent (received, where that is not known) after its feed was due. It counts all the same.",
        is_returned=True,
    ),
    Status("missing", "Missing", "Asked for and not received. Its figures are not known."),
    Status("rejected", "Rejected", "Received, but unusable. The trust was told why."),
    Status("not_expected", "Not expected", "Neither asked for nor received.", is_asked=False),
)
BY_KEY = {s.key: s for s in STATUSES}
ASKED = tuple(s.key for s in STATUSES if s.is_asked)
RETURNED = tuple(s.key for s in STATUSES if s.is_returned)
OUTSTANDING = tuple(s.key for s in STATUSES if s.is_asked and not s.is_returned)


def label(status: str) -> str:
    """A status in words; one that an older or newer version wrote is shown as it is written."""
    return BY_KEY[status].label if status in BY_KEY else status.replace("_", " ").capitalize()


def is_asked(status: str) -> bool:
    """Whether a return of this status was expected, or came; of one that is not known here nobody can say no."""
    return status not in BY_KEY or BY_KEY[status].is_asked


def shown(present: set[str]) -> tuple[str, ...]:
    """Statuses to show beside one another: those that are asked about, then any that are not known here."""
    return (*ASKED, *sorted(present - set(BY_KEY)))
