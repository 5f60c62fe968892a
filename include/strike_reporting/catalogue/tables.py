"""The published tables: names, keys, columns, units and definitions, each written once."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from strike_reporting.catalogue.areas import AREA_TYPES
from strike_reporting.catalogue.statuses import BY_KEY

TEXT, WHOLE, REAL, DAY, FLAG = pa.string(), pa.int64(), pa.float64(), pa.date32(), pa.bool_()


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


_ACTION = _c("action_id", TEXT, "", "Industrial action, or actions reported jointly (ids joined by ;).")
_AREA = (
    _c("area_type", TEXT, "", f"{AREA_TYPES}. See Areas."),
    _c("area_code", TEXT, "", "ODS or ONS-style code of the area; ENG for England. See Areas."),
    _aside("area_name", TEXT, "", "Name of the area on the day."),
)
_DAY = _c("strike_day", DAY, "date", "Reporting day, running from the action's start hour.")
_JOINT = _c(
    "joint_action_ids",
    TEXT,
    "",
    "Other actions on the same day whose effect is in this figure; it cannot be split.",
)
_ANTICIPATED = _c("anticipated", WHOLE, "count", "Expected to be cancelled when the return was made. Null: not sent.")
_COUNTS = (
    _ANTICIPATED,
    _c(
        "cancelled",
        WHOLE,
        "count",
        "Cancelled or rescheduled because of the action. Null: not sent, never zero.",
    ),
    _c("reinstated", WHOLE, "count", "Cancelled, then put back on the same day. Null: not sent."),
    _c("rebooked", WHOLE, "count", "Cancelled and given a new date. Null: not sent."),
    _c("notified", WHOLE, "count", "Cancelled, and the patient has been told. Null: not sent."),
)
_COVERAGE = (
    _c(
        "trusts_expected",
        WHOLE,
        "trusts",
        "Trusts asked for a return for this area and day. Null on a closing day.",
    ),
    _c("trusts_returned", WHOLE, "trusts", "Of those, trusts whose return is in the figure."),
    _c("is_partial", FLAG, "", "True when a return is missing, so the true figure is higher or unknown."),
)

CANCELLATIONS_DAILY = Table(
    "cancellations_daily",
    "Cancellations by area and strike day",
    (
        "action_id",
        "area_type",
        "area_code",
        "strike_day",
        "care_setting",
        "point_of_delivery",
        "activity_unit",
    ),
    (
        _ACTION,
        *_AREA,
        _DAY,
        _c("care_setting", TEXT, "", "inpatient (with day case), outpatient, community or mental_health."),
        _c(
            "point_of_delivery",
            TEXT,
            "",
            "As in the contract; *_unsplit where a trust cannot tell the parts apart.",
        ),
        _c("activity_unit", TEXT, "", "appointment, clinic_session or theatre_list; never added together."),
        *_COUNTS,
        _c("planned", WHOLE, "count", "Booked for the day before the action. Null: not sent."),
        _c(
            "percent_cancelled",
            REAL,
            "percent",
            "cancelled / planned, only where every trust in the figure sent both.",
        ),
        *_COVERAGE,
        _JOINT,
    ),
)
STAFFING_DAILY = Table(
    "staffing_daily",
    "Staffing by area and strike day",
    ("action_id", "area_type", "area_code", "strike_day", "staff_group", "grade"),
    (
        _ACTION,
        *_AREA,
        _DAY,
        _c("staff_group", TEXT, "", "ESR staff group."),
        _c("grade", TEXT, "", "Grade or band. Null: not sent."),
        _c("due_to_work", WHOLE, "staff", "Rostered headcount, strikers included. Null: not sent."),
        _c("absent_action", WHOLE, "staff", "Absent because of the action."),
        _c("absent_other", WHOLE, "staff", "Absent for other reasons. Null: not sent."),
        _c("redeployed_in", WHOLE, "staff", "Moved in to cover. Null: not sent."),
        _c(
            "percent_absent",
            REAL,
            "percent",
            "absent_action / due_to_work, only where every return sent both.",
        ),
        *_COVERAGE,
        _JOINT,
    ),
)
_SETTINGS = ("inpatient", "outpatient", "community", "mental_health")
ACTION_TOTALS = Table(
    "action_totals",
    "Totals of the action by area",
    ("action_id", "area_type", "area_code"),
    (
        _ACTION,
        *_AREA,
        *(_c(f"{s}_cancelled", WHOLE, "appointments", f"Cancelled {s} appointments, all days.") for s in _SETTINGS),
        _c(
            "acute_cancelled",
            WHOLE,
            "appointments",
            "Inpatient and outpatient together; community and mental health stay apart (double counting).",
        ),
        *(_c(f"{s}_anticipated", WHOLE, "appointments", f"Anticipated {s} cancellations.") for s in _SETTINGS),
        _c(
            "clinic_sessions_cancelled",
            WHOLE,
            "clinic sessions",
            "Whole clinics; never added to appointments.",
        ),
        _c("clinic_sessions_planned", WHOLE, "clinic sessions", "Clinics booked."),
        _c(
            "theatre_lists_cancelled",
            WHOLE,
            "theatre lists",
            "Whole operating lists; never added to appointments.",
        ),
        _c(
            "staff_absent_peak",
            WHOLE,
            "staff",
            "Highest strike day's absence because of the action; closing days left out.",
        ),
        _c("staff_absent_peak_day", DAY, "date", "The day of the peak (the first, if several)."),
        _c(
            "staff_absent_average",
            REAL,
            "staff",
            "Mean absence over the strike days with a return; closing days left out.",
        ),
        _c("staff_days_lost", WHOLE, "staff-days", "Sum of every day's absence."),
        _c(
            "percent_due_absent",
            REAL,
            "percent",
            "Staff-days lost / staff-days due, only where every return sent both.",
        ),
        _c(
            "paired_trusts",
            WHOLE,
            "trusts",
            "Trusts with a plan and an outturn of the same day and setting (inpatient or outpatient appointments), of "
            "which no row was left out.",
        ),
        _c(
            "paired_planned",
            WHOLE,
            "appointments",
            "What they planned for those days and settings. Null: there are none.",
        ),
        _c("paired_cancelled", WHOLE, "appointments", "What they cancelled of it. Null: there are none."),
        _c(
            "percent_planned_maintained",
            REAL,
            "percent",
            "100 - 100 x paired_cancelled / paired_planned: only of what was sent in pairs.",
        ),
        _c("trusts_expected", WHOLE, "trusts", "Trusts asked for cancellations on any strike day."),
        _c("trusts_returned", WHOLE, "trusts", "Of those, trusts with a return for at least one strike day."),
        _c(
            "coverage",
            REAL,
            "percent",
            "Cancellation returns received of expected, counted by trust and strike day.",
        ),
        _c("staffing_trusts_expected", WHOLE, "trusts", "Trusts asked for staffing on any strike day."),
        _c(
            "staffing_trusts_returned",
            WHOLE,
            "trusts",
            "Of those, trusts with a return for at least one strike day.",
        ),
        _c(
            "staffing_coverage",
            REAL,
            "percent",
            "Staffing returns received of expected, counted by trust and strike day.",
        ),
        _c(
            "planned_coverage",
            REAL,
            "percent",
            "Share of planned acute activity in trusts that returned; null unless every expected trust sent its plan.",
        ),
        _c("joint_action_ids", TEXT, "", "Other actions on some of the same days."),
    ),
)
SPECIALTIES = Table(
    "specialties",
    "Cancellations by treatment function, priority and cancer pathway, where sent",
    (
        "action_id",
        "area_type",
        "area_code",
        "activity_unit",
        "treatment_function_code",
        "priority",
        "is_cancer",
    ),
    (
        _ACTION,
        *_AREA,
        _c("activity_unit", TEXT, "", "appointment, clinic_session or theatre_list."),
        _c("treatment_function_code", TEXT, "", "NHS treatment function. Null: not sent."),
        _c("priority", TEXT, "", "Clinical priority. Null: not sent."),
        _c("is_cancer", FLAG, "", "On a cancer pathway. Null: not sent."),
        *_COUNTS,
    ),
)
RETURNS = Table(
    "returns",
    "Every return that was expected or came",
    ("action_id", "ods_code", "extract", "strike_day"),
    (
        _ACTION,
        _c("ods_code", TEXT, "", "Trust, by its code on the day."),
        _aside("trust_name", TEXT, "", "Its name on the day."),
        _c("extract", TEXT, "", "cancellations, staffing or planned_activity."),
        _DAY,
        _c("return_status", TEXT, "", f"{', '.join(BY_KEY)}."),
        _aside("submission_id", TEXT, "", "The submission that counts (or was refused)."),
        _aside("received_at", TEXT, "UTC", "When it was landed."),
        _aside("reason", TEXT, "", "Why it is missing, refused or partial."),
        _aside("rows_accepted", WHOLE, "rows", "Rows of that submission used for the day."),
        _c("rows_quarantined", WHOLE, "rows", "Rows of it left out for the day."),
        _c("total", WHOLE, "count", "Sum of its count field for the day, as accepted, over every status."),
        _aside("refused_submission_id", TEXT, "", "A newer file for the day that could not be used, if there is one."),
        _c("is_newer_refused", FLAG, "", "True when there is one: the figure stands, and a correction may be lost."),
    ),
)
REVISIONS = Table(
    "revisions",
    "Figures that differ from the release before",
    ("action_id", "table", "key", "field"),
    (
        _ACTION,
        _c("table", TEXT, "", "Published table."),
        _c("key", TEXT, "", "Its key, as column=value pairs."),
        _c("field", TEXT, "", "The column that changed."),
        _c("old", TEXT, "", "Value in the release before; null if there was none."),
        _c("new", TEXT, "", "Value now; null if it is gone."),
        _c(
            "reason", TEXT, "", "What brought it about: new returns of its area, or a change that concerns all figures."
        ),
        _c("submission_id", TEXT, "", "The submissions of its area that are new in this release."),
        _c("release", TEXT, "", "The release that changed it."),
    ),
)
TABLES = {t.name: t for t in (CANCELLATIONS_DAILY, STAFFING_DAILY, ACTION_TOTALS, SPECIALTIES, RETURNS, REVISIONS)}
