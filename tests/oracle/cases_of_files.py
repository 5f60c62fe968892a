"""Rounds by hand of what trusts really send: bad cells, rows without a day or a trust, refused files, totals."""

from __future__ import annotations

from oracle.cases import MD, Case, out, staff
from oracle.rounds import File

NURSING = "nursing_and_midwifery_registered"
BAD = "priority=P9 treatment_function_code=Cardiology is_cancer=maybe patient_notified=unknown site_code=?"

CELLS = {
    "a bad cell costs itself": Case(  # the 12 count, without what was said badly of them
        (out("RHM", f"11 day_case 12 {BAD} cancellation_reason=weather rebooked_date=soon"),),
        {
            "action_totals RHM": {"inpatient_cancelled": 12},
            "returns RHM cancellations 11": {"rows_accepted": 1, "rows_quarantined": 0},
            "cancellations_daily RHM 11 day_case": {"notified_of": None},
            "specialties RHM appointment Cardiology P9 -": None,
        },
    ),
    "what decides the part costs the row": Case(  # nobody knows of what the 3, 4 and 5 are
        (
            out(
                "RHM",
                *("11 day_case 12", "11 community 3 activity_unit=visits", "11 wards 4", "11 day_case 5 status=moved"),
            ),
        ),
        {
            "action_totals RHM": {"inpatient_cancelled": 12, "community_cancelled": None},
            "returns RHM cancellations 11": {"rows_accepted": 1, "rows_quarantined": 3},
        },
    ),
    "an unread number marks the day": Case(  # one row counts and lacks numbers; 60,000 was read and costs its row
        (
            staff(
                "RHM",
                f"11 {MD} 9 due_to_work=n/k absent_other=<5 redeployed_in=2",
                *(f"11 {NURSING} 4 due_to_work=60000", f"12 {MD} 5 due_to_work=40"),
            ),
        ),
        {
            "staffing_daily RHM 11 medical_and_dental -": {"absent_action": 9, "due_to_work": None, "redeployed_in": 2},
            "returns RHM staffing 11": {"total": 9, "rows_accepted": 1, "rows_quarantined": 2},
            "returns RHM staffing 12": {"rows_quarantined": 0},
        },
    ),
    "a row left out lacks no number besides": Case(  # the whole day beside its shifts; a file without a usable row
        (
            staff("RHM", f"11 {MD} 30 shift=all due_to_work=n/k", f"11 {MD} 20 shift=day", f"11 {MD} 9 shift=night"),
            staff("RHU", f"11 {MD} <5 due_to_work=n/k"),
        ),
        {
            "returns RHM staffing 11": {"total": 29, "rows_accepted": 2, "rows_quarantined": 1},
            "returns RHU staffing 11": {"return_status": "rejected", "rows_quarantined": 1},
        },
    ),
    "a key that is none": Case(  # not kept, so it repeats no other
        (out("RHM", "11 day_case 5 record_key=A/1", "11 day_case 6 record_key=A/1"),),
        {"action_totals RHM": {"inpatient_cancelled": 11}, "returns RHM cancellations 11": {"rows_quarantined": 0}},
    ),
    "rows without a day": Case(  # the 5 and the 6 may be of either day; the last row says nothing and is a note
        (out("RHM", "11 day_case 10", "12 day_case 4", "31 day_case 5", "- day_case 6", "- notes -"),),
        {
            "returns RHM cancellations 11": {"total": 10, "rows_quarantined": 2},
            "returns RHM cancellations 12": {"total": 4, "rows_quarantined": 2},
            "returns RHM cancellations 13": {"return_status": "missing"},
        },
    ),
}
WHOSE = {
    "a code that is no trust": Case(  # costs its row
        (out("RHM", "11 day_case 10", "12 day_case 5", "12 day_case 4 ods_code=XYZ"),),
        {
            "returns RHM cancellations 11": {"total": 10, "rows_quarantined": 0},
            "returns RHM cancellations 12": {"total": 5, "rows_quarantined": 1},
        },
    ),
    "another trust in a feed's file": Case(  # refuses it, for every day of the action that it names
        (out("RHM", "11 day_case 10", "11 day_case 4 ods_code=RHU", due=True),),
        {
            "returns RHM cancellations 11": {"return_status": "rejected", "submission_id": 0},
            "returns RHM cancellations 13": {"return_status": "rejected"},
            "returns RHU cancellations 11": {"return_status": "missing"},
        },
    ),
    "several trusts in a drop": Case(  # each has its rows; the 6 without a code are left out below RHU's
        (
            out(
                "RHM",
                *("11 day_case 10", "11 day_case 4 ods_code=RHU", "11 day_case 6 ods_code="),
                *("12 day_case 9 ods_code=RHU", "12 day_case 7 ods_code=XYZ"),
            ),
        ),
        {
            "returns RHM cancellations 11": {"total": 10, "rows_quarantined": 0, "submission_ids": (0,)},
            "returns RHU cancellations 11": {"total": 4, "rows_quarantined": 1, "submission_ids": (0,)},
            "returns RHU cancellations 12": {"total": 9, "rows_quarantined": 0},
            "returns RHM cancellations 12": {"return_status": "missing"},
            "action_totals HAMPSHIRE": {"inpatient_cancelled": 23},
        },
    ),
    "several trusts, taken back": Case(  # all that the file said
        (out("RHM", "11 day_case 10", "11 day_case 4 ods_code=RHU", withdrawn=True),),
        {
            "returns RHM cancellations 11": {"return_status": "missing"},
            "returns RHU cancellations 11": {"return_status": "missing"},
        },
    ),
    "a drop is whose its rows say": Case(  # and not whose its name says
        (out("RHM", "11 day_case 8 ods_code=RHU"),),
        {
            "returns RHU cancellations 11": {"total": 8},
            "returns RHM cancellations 11": {"return_status": "missing"},
        },
    ),
    "an unreadable file names a day": Case(  # RHM's and R1F's of this action, RHU's of another; RN5's feed names none
        (
            File("RHM", "cancellations", unreadable=True, names=("2023-04-12",)),
            File("RHU", "cancellations", unreadable=True, names=("2023-06-14",)),
            File("R1F", "cancellations", unreadable=True, names=("12/04/2023",), due=True),
            File("RN5", "cancellations", unreadable=True, due=True),
        ),
        {
            "returns RHM cancellations 11": {"return_status": "rejected", "submission_id": 0},
            "returns RHU cancellations 11": {"return_status": "missing"},
            "returns R1F cancellations 14": {"return_status": "rejected", "submission_id": 2},
            "returns RN5 cancellations 11": {"return_status": "missing"},
        },
    ),
    "nobody knows of what it is": Case(  # so it may be either that is missing, and no plan, which nobody asked for
        (
            staff("RHM", f"12 {MD} 3"),
            File("RHM", "cancellations", unreadable=True, untold=True),
        ),
        {
            "returns RHM cancellations 11": {"return_status": "rejected", "submission_id": 1},
            "returns RHM staffing 11": {"return_status": "rejected", "submission_id": 1},
            "returns RHM staffing 12": {"return_status": "received", "is_newer_refused": False},
            "returns RHM planned_activity 11": {"return_status": "not_expected"},
        },
    ),
    "dropped for two actions": Case(  # a day of either is enough
        (out("RHM", "2025-07-25 day_case 5"),),
        {"returns RHM cancellations 2025-07-25": {"total": 5}},
        action="JD-2024-06-27;RD-2025-07-25",
    ),
}
TFC = "treatment_function_code"
TOTALS = {
    "a word for a total": Case(  # 10 + 6 are the 16
        (
            out(
                "RHM",
                *("11 day_case 10 site_code=RHM01", "11 day_case 6 site_code=RHM12", "11 day_case 16 site_code=Total"),
            ),
        ),
        {
            "returns RHM cancellations 11": {"total": 16, "rows_accepted": 2, "rows_quarantined": 0},
            "action_totals RHM01": {"inpatient_cancelled": 10},
        },
    ),
    "a total that its parts contradict": Case(  # 10 + 6 are no 20: four are missing somewhere, and the day says so
        (
            out(
                "RHM",
                *("11 day_case 10 site_code=RHM01", "11 day_case 6 site_code=RHM12", "11 day_case 20 site_code=Total"),
            ),
        ),
        {"returns RHM cancellations 11": {"total": 16, "rows_accepted": 2, "rows_quarantined": 1}},
    ),
    "a total without parts": Case(  # is all that was sent
        (out("RHM", "11 day_case 16 site_code=All-sites"),),
        {"returns RHM cancellations 11": {"total": 16, "rows_quarantined": 0}},
    ),
    "a row without a label": Case(  # 20 are 12 + 8; 11 are not 12, and 7 are 4 + 3 by chance
        (
            out(
                "RHM",
                *(f"11 day_case 12 {TFC}=110", f"11 day_case 8 {TFC}=130", f"11 day_case 20 {TFC}="),
                *(f"12 day_case 12 {TFC}=110", f"12 day_case 11 {TFC}="),
                *(f"13 day_case 4 {TFC}=110", f"13 day_case 3 {TFC}=130", f"13 day_case 7 {TFC}="),
            ),
        ),
        {
            "returns RHM cancellations 11": {"total": 20, "rows_accepted": 2, "rows_quarantined": 0},
            "returns RHM cancellations 12": {"total": 23, "rows_accepted": 2},
            "returns RHM cancellations 13": {"total": 14, "rows_accepted": 3},
        },
    ),
    "a row without a label in a column that nobody reads": Case(  # 25 + 15 of two wards
        (out("RHM", "11 day_case 40 ward=", "11 day_case 25 ward=A", "11 day_case 15 ward=B"),),
        {"returns RHM cancellations 11": {"total": 40, "rows_accepted": 2, "rows_quarantined": 0}},
    ),
    "all numbers of a total": Case(  # 12 + 8 are the 20 absent, and 30 + 31 are no 60 due; the 12th's are both
        (
            staff(
                "RHM",
                *(f"11 {MD} 12 due_to_work=30 grade=fy1", f"11 {MD} 8 due_to_work=31 grade=fy2"),
                *(f"11 {MD} 20 due_to_work=60 grade=", f"12 {MD} 12 due_to_work=30 grade=fy1"),
                *(f"12 {MD} 8 due_to_work=31 grade=fy2", f"12 {MD} 20 due_to_work=61 grade="),
            ),
        ),
        {"returns RHM staffing 11": {"total": 40}, "returns RHM staffing 12": {"total": 20, "rows_accepted": 2}},
    ),
    "an unknown word": Case(  # 20 are 12 + 8: RHM's return is held, RHU's is not; equal to one row it is none
        (
            out(
                "RHM",
                *("11 day_case 12 priority=P2", "11 day_case 8 priority=P4", "11 day_case 20 priority=Any"),
                *("12 day_case 5 priority=P2", "11 day_case 12 priority=P2 ods_code=RHU"),
                *("11 day_case 12 priority=Any ods_code=RHU",),
            ),
        ),
        {
            "returns RHM cancellations 11": {"return_status": "rejected", "rows_quarantined": 3},
            "returns RHM cancellations 12": {"return_status": "rejected", "rows_quarantined": 1},
            "returns RHM cancellations 13": {"return_status": "missing"},
            "returns RHU cancellations 11": {"total": 24, "rows_quarantined": 0},
        },
    ),
    "an unknown word beside an empty cell": Case(  # which says the unit that is usual: 20 are its 12 and 8 lists
        (out("RHM", "11 day_case 12", "11 day_case 8 activity_unit=theatre_list", "11 day_case 20 activity_unit=Any"),),
        {"returns RHM cancellations 11": {"return_status": "rejected", "rows_quarantined": 3}},
    ),
    "all patients beside those with cancer": Case(  # 30 may hold the 12; 11 cannot, and with yes and no 50 are meant
        (
            out("RHM", "11 day_case 12 is_cancer=yes", "11 day_case 30 is_cancer="),
            out("RHU", "11 day_case 12 is_cancer=yes", "11 day_case 11 is_cancer="),
            out("RN5", "11 day_case 12 is_cancer=yes", "11 day_case 8 is_cancer=no", "11 day_case 30 is_cancer="),
        ),
        {
            "returns RHM cancellations 11": {"return_status": "rejected", "rows_quarantined": 2},
            "returns RHU cancellations 11": {"total": 23},
            "returns RN5 cancellations 11": {"total": 50},
        },
    ),
    "no unit is an appointment": Case(  # and no total of clinics, of which there are as many
        (out("RHM", "11 outpatient_first 12 activity_unit=clinic_session", "11 outpatient_first 12 activity_unit="),),
        {"action_totals RHM": {"outpatient_cancelled": 12, "clinic_sessions_cancelled": 12}},
    ),
    "of which": Case(  # the 12 are among the 30
        (out("RHM", "11 day_case 30 ward=A", "11 day_case 12 ward=of-which-cancer"),),
        {"returns RHM cancellations 11": {"total": 30, "rows_quarantined": 0}},
    ),
    "a row of no trust and no day": Case(  # a line that somebody worked out below the table costs itself
        (out("RHM", "11 day_case 12", "11 . 150 ods_code= activity_date= status=Check"),),
        {
            "action_totals RHM": {"inpatient_cancelled": 12},
            "returns RHM cancellations 11": {"rows_accepted": 1, "rows_quarantined": 1},
        },
    ),
    "a pivot's gaps": Case(  # trust and day stand in the first row only: whose the 9 are is not guessed
        (out("RHM", "11 day_case 12", "11 outpatient_first 9 ods_code= activity_date="),),
        {"returns RHM cancellations 11": {"return_status": "rejected", "total": None}},
    ),
    "a comment on what is in a row": Case(  # no other row can hold these
        (out("RHM", "11 day_case 30 ward=A", "11 outpatient_first 12 ward=including-nine-of-cancer"),),
        {"action_totals RHM": {"inpatient_cancelled": 30, "outpatient_cancelled": 12}},
    ),
    "less than its parts is no whole": Case(  # 14 inpatients beside 30 day cases: 44, which is asked about
        (out("RHM", "11 elective_unsplit 14", "11 day_case 30"),),
        {"action_totals RHM": {"inpatient_cancelled": 44}},
    ),
    "residents beside their grades": Case(  # the 52 are the 22 and the 30
        (staff("RHM", f"11 {MD} 52 grade=resident_unsplit", f"11 {MD} 22 grade=fy1", f"11 {MD} 30 grade=fy2"),),
        {"action_totals RHM": {"staff_days_lost": 52}},
    ),
}
FILES = CELLS | WHOSE | TOTALS
