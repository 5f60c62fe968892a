"""How final a release is, by hand: of a strike that ends on 14 April 2023, with 28 April, 12 May and 26 May."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from strike_reporting.publishing.standing import Standing, is_due, standing

DAYS = [date(2023, 4, d) for d in (11, 12, 13, 14)]


def on(day: str) -> date:
    return date.fromisoformat(f"2023-{day}")


def made(day: str, is_first: bool = False, is_scheduled: bool = False) -> Standing:
    return standing(DAYS, on(day), is_first, is_scheduled, "a trust resubmitted")


@pytest.mark.parametrize(
    ("day", "key"),
    [
        ("04-10", "provisional"),
        ("04-28", "provisional"),
        ("04-29", "revised"),
        ("05-25", "revised"),
        ("05-26", "correction"),
    ],
)
def test_the_day_says_how_final_a_release_is(day: str, key: str) -> None:
    assert made(day).key == key


def test_what_is_first_or_scheduled_after_the_last_day_is_final_and_no_correction() -> None:
    assert made("05-26", is_scheduled=True).key == made("09-01", is_first=True).key == "final"


def test_each_standing_says_what_is_still_to_come() -> None:
    assert made("04-15").sentence == (
        "Provisional [p]: may change until 28 April 2023; one scheduled revision on 12 May 2023; final on 26 May 2023."
    )
    assert made("05-12").sentence == "Revised: scheduled revision 12 May 2023; final on 26 May 2023."
    assert made("06-01", is_first=True).sentence == (
        "Final since 26 May 2023, of the returns that came; a correction will come with a notice."
    )
    assert made("06-01").sentence == (
        "Correction of figures that were final on 26 May 2023. Notice: a trust resubmitted."
    )


def cuts(first: str, last: str) -> list[str]:
    """The days on which an announced time cuts a draft, asked day by day."""
    found, day = [], on(first)
    while day <= on(last):
        if is_due(DAYS, day - timedelta(days=1), day, is_first=False):
            found.append(f"{day:%m-%d}")
        day += timedelta(days=1)
    return found


def test_after_the_provisional_days_only_the_revision_and_the_final_figures_are_cut() -> None:
    assert cuts("04-27", "12-31") == ["04-27", "04-28", "05-12", "05-26"]


def test_a_scheduled_day_that_was_slept_through_is_made_good_once() -> None:
    assert is_due(DAYS, on("05-10"), on("05-15"), is_first=False)
    assert not is_due(DAYS, on("05-15"), on("05-16"), is_first=False)
    assert is_due(DAYS, on("04-27"), on("05-02"), is_first=False), "the last of the provisional days"
    assert not is_due(DAYS, on("04-28"), on("05-02"), is_first=False)


def test_what_has_no_release_yet_waits_for_no_schedule() -> None:
    assert is_due(DAYS, on("07-01"), on("07-02"), is_first=True)
