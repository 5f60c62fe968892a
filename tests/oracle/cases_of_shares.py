"""More rounds by hand: shares, coverage, averages, areas and days. See `cases`."""

from __future__ import annotations

from oracle.cases import ALL, MD, Case, out, plan, staff
from oracle.rounds import File

NO_SHARE = {"percent_planned_maintained": None, "paired_trusts": 0, "paired_planned": None, "paired_cancelled": None}
SHARES = {
    "planned and not listed had none": Case(  # 9 of 100, 0 of 50; 9 of 150 are 6 %
        (out("RHM", "11 day_case 9"), plan("RHM", "11 day_case 100", "11 elective_inpatient 50")),
        {
            "cancellations_daily RHM 11 day_case": {"percent_cancelled": 9.0, "paired_planned": 100},
            "cancellations_daily RHM 11 elective_inpatient": {"percent_cancelled": 0.0, "paired_cancelled": 0},
            "action_totals ENG": {"percent_planned_maintained": 94.0, "paired_planned": 150, "paired_cancelled": 9},
        },
    ),
    "a plan of day cases, an outturn of stays": Case(  # neither unsplit: nothing to compare
        (out("RHM", "11 elective_inpatient 9"), plan("RHM", "11 day_case 10")),
        {"action_totals RHM": NO_SHARE, "cancellations_daily RHM 11 day_case": {"percent_cancelled": None}},
    ),
    "an unsplit outturn of a split plan": Case(  # 10 of 60 + 40: the setting has a share, its parts have none
        (out("RHM", "11 elective_unsplit 10"), plan("RHM", "11 day_case 60", "11 elective_inpatient 40")),
        {
            "action_totals RHM": {"percent_planned_maintained": 90.0, "paired_trusts": 1},
            "cancellations_daily RHM 11 day_case": {"percent_cancelled": None, "paired_trusts": 0},
            "cancellations_daily RHM 11 elective_unsplit": {"percent_cancelled": None},
        },
    ),
    "an unsplit outturn of half a plan": Case(  # the plan may lack the stays that the outturn holds
        (out("RHM", "11 elective_unsplit 10"), plan("RHM", "11 day_case 60")),
        {"action_totals RHM": NO_SHARE},
    ),
    "an unsplit plan": Case(  # whatever the outturn's split, it is of those 200
        (out("RHM", "11 day_case 10", "11 elective_inpatient 40"), plan("RHM", "11 elective_unsplit 200")),
        {"action_totals RHM": {"percent_planned_maintained": 75.0, "paired_cancelled": 50}},
    ),
    "another setting, another unit": Case(  # no setting and unit has both
        (
            out("RHM", "11 day_case 5", "11 outpatient_first 5 activity_unit=clinic_session"),
            plan("RHM", "11 outpatient_first 50"),
        ),
        {"action_totals RHM": NO_SHARE},
    ),
    "only of the trusts with both": Case(  # RHU planned 900 and sent no outturn: 20 of 100, not of 1,000
        (out("RHM", "11 day_case 20"), plan("RHM", "11 day_case 100"), plan("RHU", "11 day_case 900")),
        {
            "action_totals ENG": {"percent_planned_maintained": 80.0, "paired_trusts": 1},
            "cancellations_daily ENG 11 day_case": {"planned": 1000, "percent_cancelled": 20.0, "paired_trusts": 1},
        },
    ),
    "a row left out spoils its day": Case(  # the 11th may lack outpatients that were hidden; the 12th is whole: 5 of 50
        (
            out("RHM", "11 outpatient_first 9", "11 outpatient_follow_up <5", "12 outpatient_first 5"),
            plan("RHM", "11 outpatient_first 100", "12 outpatient_first 50"),
        ),
        {"action_totals RHM": {"percent_planned_maintained": 90.0, "paired_planned": 50}},
    ),
    "more cancelled than planned": Case(  # RHM's 12 of 10 are out: 20 of 100; with them 32 of 110. 10 > 2 % of 110
        (
            *(out("RHM", "11 day_case 12"), plan("RHM", "11 day_case 10")),
            *(out("RHU", "11 day_case 20"), plan("RHU", "11 day_case 100")),
        ),
        {
            "action_totals ENG": {
                "percent_planned_maintained": 80.0,
                "percent_planned_maintained_with_impossible": 100 - 3200 / 110,
                "is_maintained_unreliable": True,
                "paired_trusts": 1,
            },
            "cancellations_daily ENG 11 day_case": {"cancelled": 32, "percent_cancelled": 20.0},
            "flags RHM cancellations 11 above_100": {},
            "flags RHU cancellations 11 above_100": None,
        },
    ),
    "a little more than planned": Case(  # 2 of 1 beside 9 of 99: 1 is 1 % of 100, so the share may be relied on
        (
            *(out("RHM", "11 day_case 2"), plan("RHM", "11 day_case 1")),
            *(out("RHU", "11 day_case 9"), plan("RHU", "11 day_case 99")),
        ),
        {
            "action_totals ENG": {
                "percent_planned_maintained": 100 - 900 / 99,
                "percent_planned_maintained_with_impossible": 89.0,
                "is_maintained_unreliable": False,
            }
        },
    ),
    "60 absent of 10 due": Case(  # out; 5 of 50 remain. With them 65 of 60; 10 due > 2 % of 60
        (staff("RHM", f"11 {MD} 60 due_to_work=10 grade=fy1", f"11 {MD} 5 due_to_work=50 grade=consultant"),),
        {
            "action_totals RHM": {
                "percent_due_absent": 10.0,
                "percent_due_absent_with_impossible": 6500 / 60,
                "is_due_absent_unreliable": True,
                "due_absent_trusts": 1,
                "paired_due": 50,
                "paired_absent": 5,
                "staff_days_lost": 65,
            },
            f"staffing_daily RHM 11 {MD} fy1": {"percent_absent": None, "absent_action": 60},
            "flags RHM staffing 11 above_100": {},
        },
    ),
    "due of some": Case(  # RHU did not say how many were due: 4 of 40, and 10 absent in all
        (staff("RHM", f"11 {MD} 4 due_to_work=40"), staff("RHU", f"11 {MD} 6")),
        {
            "action_totals ENG": {"percent_due_absent": 10.0, "due_absent_trusts": 1, "staff_days_lost": 10},
            f"staffing_daily ENG 11 {MD} -": {"percent_absent": 10.0, "paired_due": 40, "paired_trusts": 1},
        },
    ),
    "a share of a site": Case(  # 10 of 40 at RHM01, of which both are sited; 10 of 100 in all
        (
            out("RHM", "11 day_case 10 site_code=RHM01"),
            plan("RHM", "11 day_case 40 site_code=RHM01", "11 day_case 60 site_code=RHM12"),
        ),
        {
            "action_totals RHM01": {"percent_planned_maintained": 75.0},
            "action_totals RHM": {"percent_planned_maintained": 90.0},
        },
    ),
    "no share of a site whose plan names none": Case(  # the trust's own is 10 of 40
        (out("RHM", "11 day_case 10 site_code=RHM01"), plan("RHM", "11 day_case 40")),
        {"action_totals RHM01": NO_SHARE, "action_totals RHM": {"percent_planned_maintained": 75.0}},
    ),
}


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
    "no average of days that lack": Case(  # three days of four, and nobody else
        (staff("RHM", f"11 {MD} 10", f"12 {MD} 20", f"13 {MD} 30"),),
        {
            "action_totals RHM": {
                "staff_absent_average": None,
                "staff_absent_peak": None,
                "staff_absent_trusts": 0,
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
            "action_totals RW1": {"community_cancelled": None},
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
