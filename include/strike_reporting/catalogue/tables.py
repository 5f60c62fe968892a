"""What published tables are made of, and those that no extract shapes: returns, coverage, flags and revisions."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from strike_reporting.catalogue.areas import AREA_TYPES
from strike_reporting.catalogue.statuses import BY_KEY

TEXT, WHOLE, REAL, DAY_TYPE, FLAG = pa.string(), pa.int64(), pa.float64(), pa.date32(), pa.bool_()


@dataclass(frozen=True)
class Column:
    """One published column. `is_told`: a reader is told something new when it changes.

    Names, reasons and provenance are not: they never make a release.
    """

    name: str
    type: pa.DataType
    unit: str
    definition: str
    is_told: bool = True


@dataclass(frozen=True)
class Table:
    """One published table; rows are sorted by `keys`."""

    name: str
    title: str
    keys: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pa.Schema:
        """Arrow schema whose fields carry unit and definition."""
        return pa.schema(
            [pa.field(c.name, c.type, metadata={"unit": c.unit, "definition": c.definition}) for c in self.columns]
        )

    @property
    def told(self) -> tuple[str, ...]:
        """Columns by which a release is another one than the release before."""
        return tuple(c.name for c in self.columns if c.is_told)

    @property
    def measures(self) -> tuple[str, ...]:
        """Columns that are neither keys nor names: what a revision can change."""
        return tuple(c.name for c in self.columns if c.name not in self.keys and c.name != "area_name")


def _c(name: str, type_: pa.DataType, unit: str, definition: str) -> Column:
    return Column(name, type_, unit, definition)


def _aside(name: str, type_: pa.DataType, unit: str, definition: str) -> Column:
    return Column(name, type_, unit, definition, is_told=False)


ACTION = _c("action_id", TEXT, "", "Industrial action, or actions reported jointly (ids joined by ;).")
AREA = (
    _c("area_type", TEXT, "", f"{AREA_TYPES}. See Areas."),
    _c("area_code", TEXT, "", "ODS or ONS-style code of the area; ENG for England. See Areas."),
    _aside("area_name", TEXT, "", "Name of the area on the day."),
)
DAY = _c("strike_day", DAY_TYPE, "date", "Reporting day, running from the action's start hour.")
JOINT = _c(
    "joint_action_ids",
    TEXT,
    "",
    "Other actions on the same day whose effect is in this figure; it cannot be split.",
)
_UNASKED = _c("trusts_unasked", WHOLE, "trusts", "Trusts that nobody asked and whose return is in the figure as well.")
COVER_BY_DAY = (
    _c(
        "trusts_expected",
        WHOLE,
        "trusts",
        "Trusts asked for a return. Null on a closing day, or where only England's number is known.",
    ),
    _c("trusts_returned", WHOLE, "trusts", "Of those, trusts whose return is in the figure."),
    _UNASKED,
    _c("is_partial", FLAG, "", "True when a return is missing, so the true figure is higher or unknown."),
)


def cover_of_totals(prefix: str, label: str) -> tuple[Column, ...]:
    """How many of the trusts that were asked for an extract returned it, over the whole action."""
    said = label.lower()
    return (
        _c(f"{prefix}trusts_expected", WHOLE, "trusts", f"Trusts asked for {said} on any strike day."),
        _c(
            f"{prefix}trusts_returned",
            WHOLE,
            "trusts",
            "Of those, trusts with a return for at least one strike day.",
        ),
        _c(f"{prefix}trusts_unasked", WHOLE, "trusts", f"Trusts that sent {said} and were not asked; in the figures."),
        _c(
            f"{prefix}coverage",
            REAL,
            "percent",
            f"{label} returns received of those asked for, counted by trust and strike day.",
        ),
    )


COVERAGE = Table(
    "coverage",
    "Of whom each total is: trusts with a value, of those that provide such care",
    ("action_id", "area_type", "area_code", "measure", "strike_day"),
    (
        ACTION,
        *AREA,
        _c("measure", TEXT, "", "The total, by its column in action_totals."),
        _c("strike_day", DAY_TYPE, "date", "Null: the whole action. Days stand for areas wider than a trust."),
        _c("is_applicable", FLAG, "", "False where nobody in the area provides such care, so there is no value [z]."),
        _c("trusts_expected", WHOLE, "trusts", "Trusts that were asked and provide such care, on any strike day."),
        _c("trusts_covered", WHOLE, "trusts", "Of those, trusts whose value is in the figure on at least one."),
        _c("trusts_unasked", WHOLE, "trusts", "Trusts that were not asked and whose value is in the figure as well."),
        _c("returns_expected", WHOLE, "returns", "The same, counted by trust and strike day."),
        _c("returns_covered", WHOLE, "returns", "Of those, with a value."),
        _c("percent_covered", REAL, "percent", "100 x returns_covered / returns_expected."),
        _c("plan_trusts", WHOLE, "trusts", "Expected trusts whose booked appointments are known for every day."),
        _c("percent_of_planned", REAL, "percent", "What those who are covered had booked, of what all of them had."),
        _c("flagged_value", WHOLE, "count", "How much of the total comes from returns or figures with a flag."),
    ),
)
FLAGS = Table(
    "flags",
    "What makes a return or a figure doubtful",
    ("action_id", "ods_code", "extract", "strike_day", "measure", "flag", "part"),
    (
        ACTION,
        _c("ods_code", TEXT, "", "Trust, by its code on the day."),
        _c("extract", TEXT, "", "Which return."),
        _c("strike_day", DAY_TYPE, "date", "Null: the whole action."),
        _c("measure", TEXT, "", "The total or share. Null: all that the return holds for the day."),
        _c("flag", TEXT, "", "Which doubt; see the glossary."),
        _c("part", TEXT, "", "Of an unusual share, which part of the breakdown."),
        _c("value", REAL, "", "What is doubted."),
        _c("compared_with", REAL, "", "What it was held against, if anything."),
    ),
)
RETURNS = Table(
    "returns",
    "Every return that was expected or came",
    ("action_id", "ods_code", "extract", "strike_day"),
    (
        ACTION,
        _c("ods_code", TEXT, "", "Trust, by its code on the day."),
        _aside("trust_name", TEXT, "", "Its name on the day."),
        _c("extract", TEXT, "", "Which return, by the name of its contract."),
        DAY,
        _c("return_status", TEXT, "", f"{', '.join(BY_KEY)}."),
        _aside("submission_id", TEXT, "", "The newest submission that counts (or was refused)."),
        _aside("received_at", TEXT, "UTC", "When it was landed."),
        _aside("reason", TEXT, "", "Why it is missing, refused or partial."),
        _aside("rows_accepted", WHOLE, "rows", "Rows used for the day."),
        _c("rows_quarantined", WHOLE, "rows", "Rows left out for the day, of the submissions that count."),
        _c("total", WHOLE, "count", "Sum of its count field for the day, as accepted, over every status."),
        _aside("submission_ids", TEXT, "", "All submissions whose rows are in the figures, newest first, joined by ;."),
        _c("is_from_two_files", FLAG, "", "True when its parts come from more than one submission."),
        _aside("refused_submission_id", TEXT, "", "A newer file for the day that could not be used, if there is one."),
        _c("is_newer_refused", FLAG, "", "True when there is one: the figure stands, and a correction may be lost."),
        _c("is_newer_held", FLAG, "", "True when a newer file's smaller part is not taken over until it is confirmed."),
    ),
)
REVISIONS = Table(
    "revisions",
    "Figures that differ from the release before",
    ("action_id", "table", "key", "field"),
    (
        ACTION,
        _c("table", TEXT, "", "Published table."),
        _c("key", TEXT, "", "Its key, as column=value pairs."),
        _c("field", TEXT, "", "The column that changed."),
        _c("old", TEXT, "", "Value in the release before; null if there was none."),
        _c("new", TEXT, "", "Value now; null if it is gone."),
        _c(
            "reason",
            TEXT,
            "",
            "What brought it about, late returns first, with trust, file and, of a sum, its amount; they add up.",
        ),
        _c("submission_id", TEXT, "", "The submissions that the reason names, joined by ;."),
        _c("release", TEXT, "", "The release that changed it."),
    ),
)
