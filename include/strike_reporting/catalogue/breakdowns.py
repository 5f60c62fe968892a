"""What figures are split by: each breakdown once, for facts, published tables, pages and the dictionary alike."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True)
class Breakdown:
    """One column by which figures are told apart.

    field: the contract field whose labels name its values. names: the reference file that does. is_code_shown: the code
    says something by itself. adds_up: False where values are never added together. yes, no: what true and false mean.
    """

    key: str
    label: str
    definition: str
    type: pa.DataType = pa.string()  # noqa: RUF009 - Arrow types cannot be changed
    field: str = ""
    names: str = ""
    is_code_shown: bool = False
    adds_up: bool = True
    yes: str = "Yes"
    no: str = "No"


BREAKDOWNS = {
    b.key: b
    for b in (
        Breakdown("care_setting", "Care setting", "inpatient (with day case), outpatient, community or mental_health."),
        Breakdown(
            "point_of_delivery",
            "Point of delivery",
            "As in the contract; *_unsplit where a trust cannot tell the parts apart.",
            field="point_of_delivery",
        ),
        Breakdown(
            "activity_unit",
            "Unit",
            "appointment, clinic_session or theatre_list; never added together.",
            field="activity_unit",
            adds_up=False,
        ),
        Breakdown(
            "treatment_function_code",
            "Specialty (treatment function)",
            "NHS treatment function. Null: not sent.",
            field="treatment_function_code",
            names="treatment_functions",
        ),
        Breakdown(
            "priority", "Clinical priority", "Clinical priority. Null: not sent.", field="priority", is_code_shown=True
        ),
        Breakdown(
            "is_cancer",
            "Cancer pathway",
            "On a cancer pathway. Null: not sent.",
            pa.bool_(),
            yes="On a cancer pathway",
            no="Not on a cancer pathway",
        ),
        Breakdown("staff_group", "Staff group", "ESR staff group.", field="staff_group"),
        Breakdown("grade", "Grade", "Grade or band. Null: not sent.", field="grade"),
    )
}
