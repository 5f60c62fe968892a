"""What can make a return or a figure doubtful, each flag once. A flag never takes a figure away: it asks a question."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Flag:
    """One doubt. `value`, `against`: what its two numbers are; empty where it has none worth a reader's while."""

    key: str
    label: str
    definition: str
    value: str = ""
    against: str = ""


FLAGS = {
    f.key: f
    for f in (
        Flag(
            "from_two_files",
            "From two files",
            "The day's figures come from more than one file, each with parts that the others do not hold.",
            "files",
        ),
        Flag("part_refused", "Part refused", "Some of the day's rows broke a rule and are left out.", "rows left out"),
        Flag(
            "newer_refused",
            "Newer file refused",
            "A newer file for the day could not be used. The figure stands, and a correction may be lost.",
        ),
        Flag(
            "newer_held",
            "Newer file held",
            "A newer file says half or less of a part, in fewer rows. It is not taken over until it is confirmed.",
        ),
        Flag(
            "above_100",
            "Above 100 %",
            "More was cancelled than was planned, or more staff were absent than due. It is in no share.",
            "the part",
            "the whole",
        ),
        Flag(
            "jump",
            "Jump",
            "Far from what the trust sent for its other days of the same kind, weekdays or weekend.",
            "the day",
            "its usual day",
        ),
        Flag("outlier", "Outlier", "A share far from that of trusts of its size on the day.", "its %", "peers' %"),
        Flag(
            "unusual_share",
            "Unusual share",
            "One part of a breakdown is a far larger or smaller share of the trust's total than it is elsewhere.",
            "its %",
            "usual %",
        ),
    )
}


def label(flag: str) -> str:
    """A flag in words; one that another version wrote is shown as it is written."""
    return FLAGS[flag].label if flag in FLAGS else flag.replace("_", " ").capitalize()
