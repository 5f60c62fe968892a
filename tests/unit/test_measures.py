"""The catalogue of measures: which returns a published column comes from, and what is refused."""

from __future__ import annotations

import pytest
from strike_reporting.extracts import load, measures
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


def test_a_breakdown_that_nobody_declares_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    of = measures.BY_EXTRACT["staffing"]
    table = of.tables[0].model_copy(update={"by": ("strike_day", "warrd")})
    monkeypatch.setitem(measures.BY_EXTRACT, "staffing", of.model_copy(update={"tables": (table,)}))
    [fault] = measures._check("staffing", load("staffing"))
    assert (
        "staffing/measures.yaml: no breakdown is called warrd: add it under `breakdowns`" in fault and "grade" in fault
    )
