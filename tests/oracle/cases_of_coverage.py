"""More rounds by hand: coverage, averages, areas, days and flags. See `cases`."""

from __future__ import annotations

from oracle.cases import ALL, MD, Case, out, plan, staff
from oracle.rounds import File


def _every_day(trust: str, *counts: int) -> File:
    return staff(trust, *(f"{d} {MD} {n}" for d, n in zip(ALL, counts, strict=True)))


COVERAGE = {
    "an average of the same trusts": Case(  # 2 of 9 came on the 11th, 1 on the others: RHM alone has all days
        (_every_day("RHM", 10, 20, 30, 40), staff("RHU", f"11 {MD} 500")),
        {
            "action_totals ENG": {
                "staff_absent_average": 25.0,
                "staff_absent_peak": 40,
                "staff_absent_trusts": 1,
                "staff_absent_is_same_trusts": True,
                "staff_days_lost": 600,
            }
        },
    ),
    "an average of all that nearly came": Case(  # RHM alone: its days are all there, so it is no matter who is steady
        (_every_day("RHM", 10, 20, 30, 41),),
        {
            "action_totals RHM": {
                "staff_absent_average": 25.25,
                "staff_absent_peak": 41,
                "staff_absent_trusts": 1,
                "staff_absent_is_same_trusts": False,
            }
        },
    ),
    "no average of days on which it was no trust": Case(  # Solent has every day of 2024 and cannot have one of 2025
        (staff("R1C", *(f"2024-{day} {MD} 7" for day in ("06-27", "06-28", "06-29", "06-30", "07-01"))),),
        {
            "action_totals R1C": {
                "staff_absent_average": None,
                "staff_absent_trusts": 0,
                "staff_absent_is_same_trusts": True,
            }
        },
        "JD-2024-06-27;RD-2025-07-25",
    ),
    "no average of days that lack": Case(  # three days of four, and nobody else
        (staff("RHM", f"11 {MD} 10", f"12 {MD} 20", f"13 {MD} 30"),),
        {
            "action_totals RHM": {
                "staff_absent_average": None,
                "staff_absent_peak": None,
                "staff_absent_trusts": 0,
                "staff_absent_is_same_trusts": True,
                "staff_days_lost": 60,
            }
        },
    ),
    "the closing day is in no average": Case(  # 100 over four strike days; 900 of the 15th only in the staff-days
        (_every_day("RHM", 10, 20, 30, 40), staff("RHM", f"15 {MD} 900")),
        {
            "action_totals RHM": {
                "staff_absent_average": 25.0,
                "staff_absent_peak": 40,
                "staff_absent_is_same_trusts": False,
                "staff_days_lost": 1000,
            },
            f"staffing_daily RHM 15 {MD} -": {"absent_action": 900, "trusts_expected": None, "is_partial": False},
        },
    ),
    "who sent it, of those that provide it": Case(  # of 7 acute trusts RHM sent inpatients, RHU outpatients
        (out("RHM", "11 day_case 5"), out("RHU", "11 outpatient_first 5")),
        {
            "coverage ENG inpatient_cancelled 11": {
                "trusts_expected": 7,
                "trusts_covered": 1,
                "percent_covered": 100 / 7,
            },
            "coverage ENG outpatient_cancelled 11": {"trusts_expected": 7, "trusts_covered": 1},
            "coverage ENG acute_cancelled 11": {"trusts_expected": 7, "trusts_covered": 0},
            "coverage ENG inpatient_cancelled -": {
                "trusts_expected": 7,
                "trusts_covered": 1,
                "returns_expected": 28,
                "returns_covered": 1,
            },
            "action_totals ENG": {"trusts_expected": 9, "trusts_returned": 2},
        },
    ),
    "acute is covered by both": Case(  # inpatients and outpatients of one day, in two files
        (out("RHM", "11 day_case 5"), out("RHM", "11 outpatient_first 0")),
        {
            "coverage RHM acute_cancelled -": {"trusts_covered": 1, "returns_expected": 4, "returns_covered": 1},
            "coverage ENG acute_cancelled 11": {"trusts_covered": 1},
            "coverage ENG acute_cancelled 12": {"trusts_covered": 0},
        },
    ),
    "whom nobody asked": Case(  # the ambulance trust's 5 count, and neither above nor below the line of coverage
        (out("RYE", "11 day_case 5"),),
        {
            "action_totals ENG": {
                "inpatient_cancelled": 5,
                "trusts_expected": 9,
                "trusts_returned": 0,
                "trusts_unasked": 1,
                "coverage": 0.0,
            },
            "coverage ENG inpatient_cancelled -": {"trusts_expected": 7, "trusts_covered": 0, "trusts_unasked": 1},
            "cancellations_daily ENG 11 day_case": {"trusts_expected": 9, "trusts_returned": 0},
        },
    ),
    "not provided": Case(  # an ambulance trust has no inpatients; a trust that has and is silent is another matter
        (staff("RYE", f"11 {MD} 5"), out("RHM", "11 outpatient_first 5")),
        {
            "coverage RYE inpatient_cancelled -": {
                "is_applicable": False,
                "trusts_expected": 0,
                "percent_covered": None,
            },
            "coverage RHM inpatient_cancelled -": {
                "is_applicable": True,
                "trusts_expected": 1,
                "trusts_covered": 0,
                "percent_covered": 0.0,
            },
        },
    ),
    "share of the plan": Case(  # of the 400 planned by RHM and RHU on the 11th, RHM's 100 are covered
        (out("RHM", "11 day_case 5"), plan("RHM", "11 day_case 100"), plan("RHU", "11 day_case 300")),
        {
            "coverage ENG inpatient_cancelled 11": {"plan_trusts": 2, "percent_of_planned": 25.0},
            "coverage ENG inpatient_cancelled -": {"plan_trusts": 0, "percent_of_planned": None},
        },
    ),
    "acute at a site": Case(  # RHM provides both; RHM01 has inpatients only, so its acute figure is not whole
        (
            out("RHM", "11 day_case 5 site_code=RHM01", "11 outpatient_first 3 site_code=RHM12"),
            out("RHM", "12 day_case 5 site_code=RHM01", "12 outpatient_first 3 site_code=RHM01"),
        ),
        {
            "coverage RHM01 inpatient_cancelled -": {"returns_expected": 4, "returns_covered": 2},
            "coverage RHM01 acute_cancelled -": {"returns_expected": 4, "returns_covered": 1},
            "coverage RHM acute_cancelled -": {"returns_covered": 2},
        },
    ),
    "only their number is known": Case(  # 30 were asked on the 26th; 2 of these are known by what they sent
        (staff("RHM", f"2023-01-26 {MD} 5"), staff("RYE", f"2023-01-26 {MD} 3")),
        {
            "action_totals ENG": {
                "staffing_trusts_expected": 30,
                "staffing_trusts_returned": 2,
                "staffing_trusts_unasked": 0,
                "staffing_coverage": 100 * 2 / 30,
                "staff_absent_is_same_trusts": True,
            },
            "action_totals RHM": {"staffing_trusts_expected": None, "staffing_coverage": None},
            "coverage ENG staff_days_lost 2023-01-26": {"trusts_expected": 30, "trusts_covered": 2},
            "coverage ENG staff_days_lost -": {"percent_covered": 100 * 2 / 30, "trusts_unasked": 0},
            "coverage HAMPSHIRE staff_days_lost -": {"trusts_expected": None, "percent_covered": None},
            f"staffing_daily ENG 2023-01-26 {MD} -": {"trusts_expected": 30, "is_partial": True},
            f"staffing_daily RHM 2023-01-26 {MD} -": {"trusts_expected": None, "is_partial": False},
            "returns RHU staffing 2023-01-26": None,
        },
        "PHY-2023-01-26",
    ),
    "a number on one day and names on the other": Case(  # 7 and then, of the ten trusts here, RYE by name
        (staff("RYE", f"2023-01-23 {MD} 5", f"2023-01-24 {MD} 6"),),
        {
            "action_totals ENG": {
                "staffing_trusts_expected": 7,
                "staffing_trusts_returned": 1,
                "staffing_coverage": 100 * 2 / 8,
            },
            "coverage ENG staff_days_lost -": {"returns_expected": 8, "returns_covered": 2},
            "coverage ENG staff_days_lost 2023-01-24": {"returns_expected": 1, "returns_covered": 1},
        },
        "AMB-2023-01-23;AMB-2023-01-24",
    ),
    "asked of one site, as of all": Case(  # RW1 counts as asked on the 23rd by what it sent of R1CD1, so R1C03 is too
        (staff("RW1", f"2023-01-23 {MD} 5 site_code=R1CD1", f"2023-01-24 {MD} 6 site_code=R1C03"),),
        {
            "coverage RW1 staff_days_lost -": {"trusts_unasked": 0, "returns_covered": 1},
            "coverage R1C03 staff_days_lost -": {"trusts_unasked": 0, "returns_covered": 0},
            "coverage R1CD1 staff_days_lost -": {"trusts_unasked": 0, "returns_covered": 1},
            "coverage HAMPSHIRE staff_days_lost 2023-01-24": {"trusts_unasked": 1, "returns_covered": 0},
            "coverage ENG staff_days_lost -": {"trusts_unasked": 0, "returns_covered": 1, "returns_expected": 8},
        },
        "AMB-2023-01-23;AMB-2023-01-24",
    ),
    "the closing day": Case(  # its 6 are in the total; nobody was asked for that day
        (out("RHM", "11 day_case 5", "15 day_case 6"),),
        {
            "action_totals RHM": {"inpatient_cancelled": 11, "coverage": 25.0},
            "cancellations_daily RHM 15 day_case": {"cancelled": 6, "trusts_expected": None, "is_partial": False},
        },
    ),
    "before the merger": Case(  # Solent in June 2024 is R1C, in Hampshire, and not in RW1
        (out("R1C", "2024-06-27 community 7"),),
        {
            "action_totals R1C": {"community_cancelled": 7},
            "action_totals HAMPSHIRE": {"community_cancelled": 7},
            "action_totals RW1": {"community_cancelled": None, "area_name": "Southern Health NHS Foundation Trust"},
        },
        "JD-2024-06-27",
    ),
    "after the merger": Case(  # the code ended on 1 October 2024: no figure, and no row of returns
        (out("R1C", "2025-07-25 community 7"), out("RW1", "2025-07-25 community 2")),
        {
            "action_totals HAMPSHIRE": {"community_cancelled": 2},
            "action_totals R1C": None,
            "returns R1C cancellations 2025-07-25": None,
        },
        "RD-2025-07-25",
    ),
    "the name of the day": Case(  # two actions reported as one, on either side of the day of another name
        (out("RW1", "2024-06-27 mental_health 3", "2025-07-25 mental_health 4"),),
        {
            "cancellations_daily RW1 2024-06-27 mental_health": {"area_name": "Southern Health NHS Foundation Trust"},
            "cancellations_daily RW1 2025-07-25 mental_health": {
                "area_name": "Hampshire and Isle of Wight Healthcare NHS Foundation Trust"
            },
        },
        "JD-2024-06-27;RD-2025-07-25",
    ),
    "another action on some days": Case(  # the junior doctors' strike on the 20th, and on the closing day; named once
        (out("RHM", "2023-09-19 day_case 3", "2023-09-20 day_case 4"),),
        {
            "cancellations_daily RHM 2023-09-19 day_case": {"joint_action_ids": None},
            "cancellations_daily RHM 2023-09-20 day_case": {"joint_action_ids": "JD-2023-09-20"},
            "action_totals RHM": {"joint_action_ids": "JD-2023-09-20", "inpatient_cancelled": 7},
        },
        "CON-2023-09-19",
    ),
    "by specialty": Case(  # rows that name neither specialty, priority nor pathway are not in it
        (
            out(
                "RHM",
                "11 day_case 5 treatment_function_code=110 patient_notified=yes",
                "12 elective_inpatient 2 treatment_function_code=110",
                "11 day_case 9 treatment_function_code=",
            ),
        ),
        {"specialties RHM appointment 110 - -": {"cancelled": 7, "notified": 5}},
    ),
}
DOUBTS = {
    "a jump": Case(  # 60 beside 10, 11 and 12; 11 is the middle of the others, and 60 more than five times that
        (out("RHM", "11 day_case 10", "12 day_case 11", "13 day_case 12", "14 day_case 60"),),
        {
            "flags RHM cancellations 14 jump inpatient_cancelled": {"value": 60.0, "compared_with": 11.0},
            "flags RHM cancellations 11 jump inpatient_cancelled": None,
            "coverage RHM inpatient_cancelled -": {"flagged_value": 60},
            "coverage RHM outpatient_cancelled -": {"flagged_value": 0},
            "coverage ENG acute_cancelled -": {"flagged_value": 60},
        },
    ),
    "a fall": Case(  # 3 beside 20, 30 and 40; but not 1 beside 9, 9 and 9, which is chance
        (
            out("RHM", "11 day_case 3", "12 day_case 20", "13 day_case 30", "14 day_case 40"),
            out("RHU", "11 day_case 1", "12 day_case 9", "13 day_case 9", "14 day_case 9"),
        ),
        {
            "flags RHM cancellations 11 jump inpatient_cancelled": {"value": 3.0, "compared_with": 30.0},
            "flags RHU cancellations 11 jump inpatient_cancelled": None,
        },
    ),
    "a weekend is no jump": Case(  # 26 and 27 July are one: 60 beside 10 on weekdays is no wonder, nor the other way
        (staff("RHM", *(f"2025-07-{day} {MD} {60 if day in (26, 27) else 10}" for day in range(25, 30))),),
        {
            "flags RHM staffing 2025-07-26 jump staff_days_lost": None,
            "flags RHM staffing 2025-07-28 jump staff_days_lost": None,
        },
        "RD-2025-07-25",
    ),
    "an outlier": Case(  # 45 of 100 beside 10 of 100 and 15 of 150: the usual is 10 %; RN5 is of another size
        (
            *(out("RHM", "11 day_case 45"), plan("RHM", "11 day_case 100")),
            *(out("RHU", "11 day_case 10"), plan("RHU", "11 day_case 100")),
            *(out("R0A", "11 day_case 15"), plan("R0A", "11 day_case 150")),
            *(out("RN5", "11 day_case 900"), plan("RN5", "11 day_case 1000")),
        ),
        {
            "flags RHM cancellations 11 outlier percent_cancelled": {"value": 45.0, "compared_with": 10.0},
            "flags RHM cancellations 11 outlier percent_planned_maintained": {"value": 45.0, "compared_with": 10.0},
            "flags RHU cancellations 11 outlier percent_cancelled": None,
            "flags RN5 cancellations 11 outlier percent_cancelled": None,
        },
    ),
    "an unusual share": Case(  # 30 of 31 are stays; the usual share of stays, of four trusts, is 6 of 40 and 4 of 20
        (
            out("RHM", "11 elective_inpatient 30", "12 day_case 1"),
            out("RHU", "11 elective_inpatient 6", "12 day_case 34"),
            out("RN5", "11 elective_inpatient 4", "12 day_case 16"),
            out("R0A", "11 elective_inpatient 1", "12 day_case 9"),
        ),
        {
            "flags RHM cancellations - unusual_share inpatient_cancelled": {
                "value": 3000 / 31,
                "compared_with": 17.5,
            },
            "flags R0A cancellations - unusual_share inpatient_cancelled": None,
            "coverage ENG inpatient_cancelled -": {"flagged_value": 31},
        },
    ),
    "what comes from flagged returns": Case(  # of the 12th, once though flagged twice: 3 of 8, and 10 of 15 together
        (out("RHM", "11 day_case 5", "12 day_case 3", "12 community <5"), out("RHM", "12 outpatient_first 7")),
        {
            "flags RHM cancellations 12 part_refused": {"value": 1.0},
            "flags RHM cancellations 12 from_two_files": {"value": 2.0},
            "coverage RHM inpatient_cancelled -": {"flagged_value": 3},
            "coverage ENG acute_cancelled -": {"flagged_value": 10},
        },
    ),
}
