"""More rounds by hand: shares. See `cases`."""

from __future__ import annotations

from oracle.cases import MD, Case, out, plan, staff

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
    "a little more than planned": Case(  # 2 of 1 beside 9 of 99: 2 of 101 is under 2 %, so the share may be relied on
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
    "a share of a site": Case(  # 10 of 40 at RHM01; RHM12 sent no outturn, so its plan of 60 is no part of a pair
        (
            out("RHM", "11 day_case 10 site_code=RHM01"),
            plan("RHM", "11 day_case 40 site_code=RHM01", "11 day_case 60 site_code=RHM12"),
        ),
        {
            "action_totals RHM01": {"percent_planned_maintained": 75.0},
            "action_totals RHM12": NO_SHARE,
            "action_totals RHM": {"percent_planned_maintained": 75.0, "paired_planned": 40},
        },
    ),
    "some of it without a site": Case(  # 3 are of no named site: the trust's pair is 13 of 100, and no site has one
        (
            out("RHM", "11 day_case 10 site_code=RHM01", "11 day_case 3 site_code="),
            plan("RHM", "11 day_case 40 site_code=RHM01", "11 day_case 60 site_code=RHM12"),
        ),
        {
            "action_totals RHM": {"percent_planned_maintained": 87.0, "paired_planned": 100},
            "action_totals RHM01": NO_SHARE,
        },
    ),
    "nothing was planned": Case(  # 3 of 0 cannot be; RHU's 0 of 0 is no pair; 4 of 100 remain
        (
            *(out("RHM", "11 day_case 3", "13 day_case 4"), plan("RHM", "11 day_case 0", "13 day_case 100")),
            *(out("RHU", "12 day_case 0"), plan("RHU", "12 day_case 0")),
        ),
        {
            "action_totals ENG": {"percent_planned_maintained": 96.0, "paired_planned": 100, "paired_trusts": 1},
            "action_totals RHU": NO_SHARE,
            "cancellations_daily RHM 11 day_case": {"percent_cancelled": None, "paired_trusts": 0},
            "cancellations_daily RHU 12 day_case": {"percent_cancelled": None, "paired_trusts": 0},
            "flags RHM cancellations 11 above_100": {"value": 3.0, "compared_with": 0.0},
            "flags RHU cancellations 12 above_100": None,
        },
    ),
    "nobody was due": Case(  # 0 of 0 is no pair of staff either
        (staff("RHM", f"11 {MD} 0 due_to_work=0"),),
        {
            "action_totals RHM": {"percent_due_absent": None, "due_absent_trusts": 0, "paired_due": None},
            f"staffing_daily RHM 11 {MD} -": {"percent_absent": None, "paired_trusts": 0, "absent_action": 0},
        },
    ),
    "one of a setting's parts is impossible": Case(  # 12 of 10 day cases; with the stays 15 of 110, which can be
        (
            out("RHM", "11 day_case 12", "11 elective_inpatient 3"),
            plan("RHM", "11 day_case 10", "11 elective_inpatient 100"),
        ),
        {
            "action_totals RHM": {"percent_planned_maintained": 100 - 1500 / 110, "is_maintained_unreliable": False},
            "cancellations_daily RHM 11 day_case": {"percent_cancelled": None, "paired_trusts": 0},
            "cancellations_daily RHM 11 elective_inpatient": {"percent_cancelled": 3.0},
            "flags RHM cancellations 11 above_100": {"value": 12.0, "compared_with": 10.0},
        },
    ),
    "an impossible setting has no possible part": Case(  # 200 of 110: the stays' 3 of 100 stand on the same plan
        (
            out("RHM", "11 day_case 197", "11 elective_inpatient 3"),
            plan("RHM", "11 day_case 10", "11 elective_inpatient 100"),
        ),
        {"cancellations_daily RHM 11 elective_inpatient": {"percent_cancelled": None, "paired_trusts": 0}},
    ),
    "a zero meets any plan": Case(  # nothing was cancelled, however the plan is split
        (out("RHM", "11 elective_unsplit 0"), plan("RHM", "11 day_case 60")),
        {"action_totals RHM": {"percent_planned_maintained": 100.0, "paired_planned": 60, "paired_cancelled": 0}},
    ),
    "weighed by the larger side": Case(  # 3 of 1 beside 9 of 99: 3 of 3 + 99 is more than 2 %
        (
            *(out("RHM", "11 day_case 3"), plan("RHM", "11 day_case 1")),
            *(out("RHU", "11 day_case 9"), plan("RHU", "11 day_case 99")),
        ),
        {"action_totals ENG": {"is_maintained_unreliable": True}},
    ),
    "no share of a site whose plan names none": Case(  # the trust's own is 10 of 40
        (out("RHM", "11 day_case 10 site_code=RHM01"), plan("RHM", "11 day_case 40")),
        {"action_totals RHM01": NO_SHARE, "action_totals RHM": {"percent_planned_maintained": 75.0}},
    ),
}
