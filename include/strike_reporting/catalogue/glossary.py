"""What the words on the pages mean, each written once: shown on hover, and listed in the glossary."""

from __future__ import annotations

from dataclasses import dataclass

from strike_reporting.catalogue.statuses import STATUSES


@dataclass(frozen=True)
class Term:
    """One word of the reports. `heads` are the headings and labels that it explains."""

    key: str
    name: str
    definition: str
    heads: tuple[str, ...] = ()


TERMS = (
    Term("not-available", "[x]", "Not available. It is never zero."),
    Term(
        "strike-day",
        "Strike day",
        "Runs from the action’s start hour, so it crosses midnight. A last calendar day that holds only the small "
        "hours is shown as closing hours and takes no part in averages.",
        ("Day",),
    ),
    Term(
        "inpatient",
        "Inpatient",
        "Elective admissions, day case included.",
        ("Inpatient", "Inpatient and day case cancelled"),
    ),
    Term(
        "outpatient",
        "Outpatient",
        "Outpatient appointments, first and follow-up.",
        ("Outpatient", "Outpatient cancelled"),
    ),
    Term(
        "both",
        "Inpatient and outpatient together",
        "The sum that NHS England gives as the total rescheduled. Community and mental health are not in it.",
        ("Both", "Inpatient and outpatient together"),
    ),
    Term(
        "apart",
        "Community and mental health",
        "Kept apart from inpatient and outpatient, because some activity is counted in both.",
        ("Community", "Mental health", "Community cancelled", "Mental health cancelled"),
    ),
    Term(
        "anticipated",
        "Anticipated",
        "Expected to be cancelled when the return was made, before the day.",
        (
            "Anticipated",
            "Anticipated inpatient",
            "Anticipated outpatient",
            "Inpatient and day case, anticipated",
            "Outpatient, anticipated",
        ),
    ),
    Term("cancelled", "Cancelled", "Cancelled or rescheduled because of the action.", ("Cancelled", "Cancelled, ours")),
    Term(
        "reinstated",
        "Reinstated",
        "Cancelled, then put back on the same day, as when a strike is called off.",
        ("Reinstated",),
    ),
    Term("rebooked", "Rebooked", "Cancelled and given a new date.", ("Rebooked",)),
    Term("notified", "Notified", "Cancelled, and the patient has been told.", ("Notified",)),
    Term(
        "session",
        "Clinic session, theatre list",
        "A whole clinic or operating list. Never added to appointments.",
        (
            "Clinics",
            "Clinics cancelled",
            "Clinic sessions cancelled",
            "Theatre lists",
            "Theatre lists cancelled",
        ),
    ),
    Term(
        "sessions-planned",
        "Clinics planned",
        "Clinics booked, of the trusts that sent a plan; the clinics cancelled may be of others as well.",
        ("Clinics planned",),
    ),
    Term(
        "staff-absent",
        "Staff absent",
        "Absent because of the action, each person once a day. The peak is the highest day’s figure; the average is "
        "over strike days with a return.",
        ("Staff absent", "Staff absent, peak day", "Staff absent, average day"),
    ),
    Term(
        "staff-days",
        "Staff-days lost",
        "The absences of all days added up: one person absent on three days is three staff-days.",
        ("Staff-days lost", "Staff-days absent"),
    ),
    Term(
        "staff-due",
        "Staff due",
        "Rostered to work on the day, strikers included. Not the whole workforce.",
        ("Staff due", "Staff-days due", "Share of staff due who were absent"),
    ),
    Term("redeployed", "Redeployed in", "Moved in from other work to cover.", ("Redeployed in",)),
    Term(
        "maintained",
        "Planned activity maintained",
        "The share of booked inpatient and outpatient appointments that was not cancelled, over the days and settings "
        "for which a trust sent both the plan and the outturn, whole. How many trusts those are stands beside it.",
        ("Maintained", "Planned activity maintained", "Trusts in that share"),
    ),
    Term(
        "returns",
        "Returns",
        "The share of the returns asked for, by trust and strike day, that are in the figures.",
        ("Cancellation returns", "Staffing returns"),
    ),
    # “Received” stands over times as well, and is explained in the glossary alone.
    *(
        Term(s.key.replace("_", "-"), s.label, s.definition, () if s.key == "received" else (s.label,))
        for s in STATUSES
    ),
    Term(
        "left-out",
        "Rows left out",
        "Rows that broke a rule. They are kept with the reason, and are in no figure.",
        ("Left out", "Rows left out"),
    ),
    Term("joint", "Joint", "Another action took place on the same day: the figures cover both and cannot be split."),
    Term(
        "release",
        "Release",
        "A numbered publication that never changes. When a trust sends more, there is a new release, which lists what "
        "changed.",
        ("Release",),
    ),
    Term(
        "data-class",
        "Data class",
        "Synthetic: made by a simulator to try the software. Real: anything else; in the embedded examples, published "
        "figures written as the files that those trusts could have sent.",
    ),
)
BY_HEAD = {head: term for term in TERMS for head in term.heads}
