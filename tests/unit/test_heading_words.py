"""What a heading is called may say that it is not what it seems."""

from __future__ import annotations

import pytest
from strike_reporting.extracts import load
from strike_reporting.intake.proposing.words import words_of


@pytest.mark.parametrize(
    ("extract", "heading"),
    [
        *(("cancellations", f"{word} cancelled") for word in ("%", "Percentage", "Not", "Target", "Cumulative", "YTD")),
        *(("cancellations", h) for h in ("Cancellations avoided", "Cancelled hours", "Cancelled (%)")),
        *(("cancellations", f"{word} date") for word in ("Submission", "Snapshot", "Letter", "Received")),
        *(("staffing", h) for h in ("Absent %", "WTE absent", "Absence rate", "Cumulative absent")),
    ],
)
def test_a_word_that_turns_a_heading_into_something_else(extract: str, heading: str) -> None:
    assert words_of(load(extract)).field(heading) == []


def test_what_did_not_happen_is_no_value_of_a_wide_heading() -> None:
    contract = load("cancellations")
    pods, words = contract.field("point_of_delivery"), words_of(contract)
    said = [words.mentioned(pods, h) for h in ("Elective cancelled", "Elective not cancelled", "Elective % cancelled")]
    assert said == ["elective_inpatient", None, None]
    assert words_of(load("staffing")).field("Absent not strike")[0].name == "absent_other", "a field's own words"
