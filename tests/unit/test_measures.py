"""The catalogue of measures: which returns a published column comes from."""

from __future__ import annotations

import pytest
from strike_reporting.extracts.measures import concerned


@pytest.mark.parametrize(
    ("table", "field", "extracts"),
    [
        ("cancellations_daily", "trusts_expected", ("cancellations",)),
        ("staffing_daily", "trusts_expected", ("staffing",)),
        ("staffing_daily", "percent_absent", ("staffing",)),
        ("cancellations_daily", "planned", ("planned_activity",)),
        ("cancellations_daily", "percent_cancelled", ("cancellations", "planned_activity")),
        ("specialties", "notified", ("cancellations",)),
        ("action_totals", "trusts_returned", ("cancellations",)),
        ("action_totals", "staffing_coverage", ("staffing",)),
        ("action_totals", "staff_absent_peak_day", ("staffing",)),
        ("action_totals", "percent_planned_maintained", ("cancellations", "planned_activity")),
    ],
)
def test_a_column_comes_from_the_returns_of_its_extract(table: str, field: str, extracts: tuple[str, ...]) -> None:
    assert concerned(table, field) == extracts
