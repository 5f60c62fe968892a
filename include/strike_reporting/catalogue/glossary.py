"""The words on the pages that are no entry of the catalogue; whatever is an entry is defined where it stands."""

from __future__ import annotations

from dataclasses import dataclass

from strike_reporting.catalogue.standings import REVISED_MARK


@dataclass(frozen=True)
class Term:
    """One word of the reports, shown where it stands and listed in the glossary."""

    key: str
    name: str
    definition: str


OWN = (
    Term(
        "not-available",
        "[x]",
        "Not available: somebody could have sent it, and it is not known. It is never zero.",
    ),
    Term(
        "not-applicable",
        "[z]",
        "Not applicable: nobody there provides such care, or was asked, so there is nothing to send.",
    ),
    Term(
        "unreliable",
        "[u]",
        "Low reliability: in too many of its pairs the part is more than the whole. They are left out of the share.",
    ),
    Term("revised-figure", REVISED_MARK, "Revised: the figure is another one than in the release before."),
    Term(
        "so-far",
        "Reported so far",
        "What came of too few of the trusts that were asked. It is no figure of the area; nothing is compared with it.",
    ),
    Term(
        "strike-day",
        "Strike day",
        "Runs from the action’s start hour, so it crosses midnight. A last calendar day that holds only the small "
        "hours is shown as closing hours and takes no part in averages.",
    ),
    Term(
        "coverage",
        "Coverage",
        "Beside a figure, of the trusts that were asked and provide such care, those whose value is in it.",
    ),
    Term(
        "returns",
        "Returns",
        "The share of the returns asked for, by trust and strike day, that are in the figures.",
    ),
    Term(
        "left-out",
        "Rows left out",
        "Rows that broke a rule. They are kept with the reason, and are in no figure.",
    ),
    Term(
        "flag",
        "Flag",
        "A doubt about a return or a figure, kept beside it. It takes no figure away.",
    ),
    Term("joint", "Joint", "Another action took place on the same day: the figures cover both and cannot be split."),
    Term(
        "release",
        "Release",
        "A numbered publication that never changes. When a trust sends more, there is a new release, which lists what "
        "changed.",
    ),
    Term(
        "data-class",
        "Data class",
        "Synthetic: made by a simulator to try the software. Real: anything else; in the embedded examples, published "
        "figures written as the files that those trusts could have sent.",
    ),
)
