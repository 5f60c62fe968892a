"""Tiny rounds with their figures worked out by hand from the rules: nothing here was copied from any output.

A row is written as `day kind count name=value …`: the day of April 2023 (or a whole date), the point of delivery or
staff group, the count, and other columns. A cell is named by table, area or trust, and what else its key needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from oracle.rounds import COUNT, DAY, File

JD = "JD-2023-04-11"  # strike days 11 to 14 April, closing day 15; asked here: 7 acute trusts, RW1 and R1C
KIND = {"cancellations": "point_of_delivery", "planned_activity": "point_of_delivery", "staffing": "staff_group"}
ALL = ("11", "12", "13", "14")
MD = "medical_and_dental"


@dataclass(frozen=True)
class Case:
    """Files, and the cells that they must make: by name, the values by column; None: there is no such row."""

    files: tuple[File, ...]
    cells: dict[str, dict[str, Any] | None]
    action: str = JD


def _file(extract: str, trust: str, *lines: str, **how: Any) -> File:
    rows = []
    for line in lines:
        day, kind, count, *rest = line.split()
        row = {"ods_code": trust, DAY[extract]: day if "-" in day else f"2023-04-{day}", KIND[extract]: kind}
        row |= {"status": "cancelled"} if extract == "cancellations" else {}
        row |= {COUNT[extract]: count} | dict(word.split("=") for word in rest)
        rows.append(row)
    return File(trust, extract, tuple(rows), **how)


def out(trust: str, *lines: str, **how: Any) -> File:
    """Cancellations; `status` is cancelled unless said."""
    return _file("cancellations", trust, *lines, **how)


def plan(trust: str, *lines: str, **how: Any) -> File:
    """Planned activity."""
    return _file("planned_activity", trust, *lines, **how)


def staff(trust: str, *lines: str, **how: Any) -> File:
    """Staffing."""
    return _file("staffing", trust, *lines, **how)


def nil(trust: str, *days: str) -> File:
    """A file of the dialect that marks a day as nil."""
    return File(trust, "cancellations", nil_days=tuple(date.fromisoformat(f"2023-04-{d}") for d in days))


SLICES = {
    "a sum": Case(  # 40 + 2 in one setting; outpatients were not sent, so they are unknown and not 0
        (out("RHM", "11 day_case 40", "12 elective_inpatient 2"),),
        {
            "action_totals RHM": {"inpatient_cancelled": 42, "outpatient_cancelled": None, "acute_cancelled": 42},
            "action_totals HAMPSHIRE": {"inpatient_cancelled": 42},
            "action_totals ENG": {"inpatient_cancelled": 42},
            "cancellations_daily RHM 11 day_case": {"cancelled": 40, "planned": None, "rebooked": None},
            "returns RHM cancellations 11": {"return_status": "received", "total": 40, "rows_accepted": 1},
            "returns RHM cancellations 13": {"return_status": "missing", "total": None},
        },
    ),
    "inpatients and outpatients in two files": Case(  # other parts: both stand, 10 + 30, newest named first
        (out("RHM", "11 day_case 10"), out("RHM", "11 outpatient_first 30")),
        {
            "action_totals RHM": {"inpatient_cancelled": 10, "outpatient_cancelled": 30},
            "returns RHM cancellations 11": {"submission_ids": (1, 0), "is_from_two_files": True, "total": 40},
            "flags RHM cancellations 11 from_two_files": {},
        },
    ),
    "a correction of one part": Case(  # the inpatients become 50; the outpatients of the first file stand
        (out("RHM", "11 day_case 40", "11 outpatient_first 30"), out("RHM", "11 day_case 50")),
        {"action_totals RHM": {"inpatient_cancelled": 50, "outpatient_cancelled": 30, "acute_cancelled": 80}},
    ),
    "a correction of one unit": Case(  # clinics are another part than appointments of the same setting
        (out("RHM", "11 outpatient_first 30"), out("RHM", "11 outpatient_first 2 activity_unit=clinic_session")),
        {"action_totals RHM": {"outpatient_cancelled": 30, "clinic_sessions_cancelled": 2}},
    ),
    "a forecast deletes no outturn": Case(  # status is in the part
        (out("RHM", "11 day_case 5"), out("RHM", "11 day_case 9 status=anticipated")),
        {"cancellations_daily RHM 11 day_case": {"cancelled": 5, "anticipated": 9}},
    ),
    "two sites in two files": Case(  # sited meets sited: each replaces itself only, 40 + 25
        (out("RHM", "11 day_case 40 site_code=RHM01"), out("RHM", "11 day_case 25 site_code=RHM12")),
        {
            "action_totals RHM": {"inpatient_cancelled": 65},
            "action_totals RHM01": {"inpatient_cancelled": 40},
            "action_totals RHM12": {"inpatient_cancelled": 25},
        },
    ),
    "one site corrected": Case(  # 40 becomes 30 at RHM01, the 25 of RHM12 stand
        (
            out("RHM", "11 day_case 40 site_code=RHM01", "11 day_case 25 site_code=RHM12"),
            out("RHM", "11 day_case 30 site_code=RHM01"),
        ),
        {"action_totals RHM": {"inpatient_cancelled": 55}, "action_totals RHM12": {"inpatient_cancelled": 25}},
    ),
    "unsited after sited": Case(  # the newer 70 is the whole of the part: it never adds to the sites' 65
        (
            out("RHM", "11 day_case 40 site_code=RHM01", "11 day_case 25 site_code=RHM12"),
            out("RHM", "11 day_case 30", "11 elective_inpatient 40"),
        ),
        {"action_totals RHM": {"inpatient_cancelled": 70}, "action_totals RHM01": None},
    ),
    "sited after unsited": Case(  # one row for one row, so no question: 30 of a site replaces the 70
        (out("RHM", "11 day_case 70"), out("RHM", "11 day_case 30 site_code=RHM01")),
        {"action_totals RHM": {"inpatient_cancelled": 30}, "action_totals RHM01": {"inpatient_cancelled": 30}},
    ),
    "split after unsplit": Case(  # both are inpatients: the newer split 20 + 15 replaces the whole
        (out("RHM", "11 elective_unsplit 30"), out("RHM", "11 day_case 20", "11 elective_inpatient 15")),
        {"action_totals RHM": {"inpatient_cancelled": 35}},
    ),
    "half with fewer rows is held": Case(  # 15 is half of 30 and one row of three: the 30 stands with the question
        (
            out("RHM", "11 day_case 10", "11 elective_inpatient 12", "11 day_case 8 priority=P2"),
            out("RHM", "11 day_case 15"),
        ),
        {
            "action_totals RHM": {"inpatient_cancelled": 30},
            "returns RHM cancellations 11": {"submission_ids": (0,), "is_newer_held": True},
            "flags RHM cancellations 11 newer_held": {},
        },
    ),
    "a question stands until its part goes": Case(  # 6 of RHM01 is asked about; RHM12's new 30 settles nothing of it
        (
            out("RHM", "11 day_case 10 site_code=RHM01", "11 elective_inpatient 12 site_code=RHM01"),
            out("RHM", "11 day_case 25 site_code=RHM12", "11 day_case 6 site_code=RHM01"),
            out("RHM", "11 day_case 30 site_code=RHM12"),
            out("RHM", "12 day_case 8", "12 elective_inpatient 9"),
            out("RHM", "12 day_case 2"),
            out("RHM", "12 day_case 11"),
        ),
        {
            "returns RHM cancellations 11": {"total": 52, "is_newer_held": True, "submission_ids": (2, 0)},
            "returns RHM cancellations 12": {"total": 11, "is_newer_held": False, "submission_ids": (5,)},
        },
    ),
    "mostly refused adds no site of a whole": Case(  # RHM01 is in the 70 already; of the 12th RHM12 is new
        (
            out("RHM", "11 day_case 70", "12 day_case 4 site_code=RHM01"),
            out(
                "RHM",
                *("11 day_case 9 site_code=RHM01", "11 community <5 site_code=RHM01", "11 community *"),
                *("12 day_case 5 site_code=RHM12", "12 community <5 site_code=RHM01", "12 community *"),
            ),
        ),
        {
            "returns RHM cancellations 11": {"total": 70, "submission_ids": (0,), "is_newer_refused": True},
            "returns RHM cancellations 12": {"total": 9, "submission_ids": (1, 0), "is_newer_refused": True},
        },
    ),
    "more than half replaces": Case(  # 16 is more than half of 30
        (out("RHM", "11 day_case 10", "11 elective_inpatient 20"), out("RHM", "11 day_case 16")),
        {
            "action_totals RHM": {"inpatient_cancelled": 16},
            "returns RHM cancellations 11": {"submission_ids": (1,), "is_newer_held": False},
        },
    ),
    "less in as many rows replaces": Case(  # as many rows: a correction, however much smaller
        (out("RHM", "11 day_case 30"), out("RHM", "11 day_case 5")),
        {"action_totals RHM": {"inpatient_cancelled": 5}, "returns RHM cancellations 11": {"is_newer_held": False}},
    ),
    "a zero withdraws its part": Case(  # fewer rows and nothing left, but an explicit 0; outpatients stand
        (
            out("RHM", "11 day_case 10", "11 elective_inpatient 20", "11 outpatient_first 6"),
            out("RHM", "11 day_case 0"),
        ),
        {"action_totals RHM": {"inpatient_cancelled": 0, "outpatient_cancelled": 6, "acute_cancelled": 6}},
    ),
    "a nil mark clears the day": Case(  # also what the marked file has no part for: community is unknown again
        (out("RHM", "11 day_case 30", "11 community 5", "12 day_case 4"), nil("RHM", "11")),
        {
            "action_totals RHM": {"inpatient_cancelled": 4, "outpatient_cancelled": 0, "community_cancelled": None},
            "returns RHM cancellations 11": {"return_status": "nil_return", "total": 0, "submission_ids": (1,)},
        },
    ),
    "a feed that restates the day": Case(  # its file lacks inpatients: there were none
        (out("RHM", "11 day_case 30", "12 day_case 4"), out("RHM", "11 outpatient_first 7", restates=True)),
        {
            "action_totals RHM": {"inpatient_cancelled": 4, "outpatient_cancelled": 7},
            "returns RHM cancellations 11": {"submission_ids": (1,), "is_from_two_files": False},
        },
    ),
    "mostly refused replaces nothing": Case(  # 3 of 5 rows refused: 99 does not replace 40, outpatients are new
        (
            out("RHM", "11 day_case 40"),
            out(
                "RHM",
                *(
                    "11 day_case 99",
                    "11 outpatient_first 6",
                    "11 community <5",
                    "11 community *",
                    "11 mental_health -1",
                ),
            ),
        ),
        {
            "action_totals RHM": {"inpatient_cancelled": 40, "outpatient_cancelled": 6, "community_cancelled": None},
            "returns RHM cancellations 11": {"submission_ids": (1, 0), "is_newer_refused": True, "rows_quarantined": 3},
            "flags RHM cancellations 11 newer_refused": {},
        },
    ),
    "mostly refused is better than nothing": Case(  # nobody held the day: the one usable row counts
        (out("RHM", "11 day_case 40", "11 community <5", "11 mental_health <5"),),
        {
            "action_totals RHM": {"inpatient_cancelled": 40},
            "returns RHM cancellations 11": {"rows_accepted": 1, "rows_quarantined": 2, "is_newer_refused": False},
            "flags RHM cancellations 11 part_refused": {},
        },
    ),
    "judged by day": Case(  # the 11th is mostly refused and stands at 40; the 12th of the same file replaces 5 by 8
        (
            out("RHM", "11 day_case 40", "12 day_case 5"),
            out("RHM", "11 day_case 9", "11 community <5", "11 mental_health <5", "12 day_case 8"),
        ),
        {
            "cancellations_daily RHM 11 day_case": {"cancelled": 40},
            "cancellations_daily RHM 12 day_case": {"cancelled": 8},
        },
    ),
    "an unreadable file deletes nothing": Case(  # nobody knows its days: it is said of every strike day
        (out("RHM", "11 day_case 40"), File("RHM", "cancellations", unreadable=True)),
        {
            "returns RHM cancellations 11": {"return_status": "received", "total": 40, "is_newer_refused": True},
            "returns RHM cancellations 12": {"return_status": "rejected", "total": None},
        },
    ),
    "withdrawn": Case(  # the second is as if it had never come
        (out("RHM", "11 day_case 10"), out("RHM", "11 day_case 20", "12 day_case 3", withdrawn=True)),
        {
            "action_totals RHM": {"inpatient_cancelled": 10},
            "returns RHM cancellations 11": {"submission_ids": (0,)},
            "returns RHM cancellations 12": {"return_status": "missing"},
        },
    ),
    "the same file again": Case(  # the same content, though a correction came between, is no newer word
        (out("RHM", "11 day_case 10"), out("RHM", "11 day_case 20"), out("RHM", "11 day_case 10")),
        {"action_totals RHM": {"inpatient_cancelled": 20}, "returns RHM cancellations 11": {"submission_ids": (1,)}},
    ),
    "late": Case(  # due at 18:00 of the day after, in 2023
        (out("RHM", "11 day_case 10", due=True),),
        {"returns RHM cancellations 11": {"return_status": "late", "total": 10}},
    ),
}
ROWS = {
    "a block pasted again": Case(  # three different rows in the same order once more: 5 + 6 + 7
        (
            out(
                "RHM",
                *("11 day_case 5", "11 elective_inpatient 6", "11 day_case 7 priority=P2"),
                *("11 day_case 5", "11 elective_inpatient 6", "11 day_case 7 priority=P2", "11 community 1"),
            ),
        ),
        {
            "action_totals RHM": {"inpatient_cancelled": 18, "community_cancelled": 1},
            "returns RHM cancellations 11": {"rows_quarantined": 3, "rows_accepted": 4},
        },
    ),
    "every row pasted again": Case(  # each of three stands in it twice, in whatever order and on whatever day
        (
            out(
                "RHM",
                *("11 day_case 5", "12 day_case 6", "12 elective_inpatient 7"),
                *("12 elective_inpatient 7", "12 day_case 6", "11 day_case 5"),
            ),
        ),
        {
            "action_totals RHM": {"inpatient_cancelled": 18},
            "returns RHM cancellations 12": {"rows_quarantined": 2},
        },
    ),
    "identical rows": Case(  # wards may say the same: the same row over and over is no block of different ones
        (out("RHM", *["11 day_case 5"] * 4, "12 day_case 1", "12 community 2", "12 day_case 1"),),
        {
            "cancellations_daily RHM 11 day_case": {"cancelled": 20},
            "cancellations_daily RHM 12 day_case": {"cancelled": 2},
            "returns RHM cancellations 11": {"rows_quarantined": 0},
        },
    ),
    "one row of large numbers pasted again": Case(  # no two wards cancel 60 of one kind each by chance
        (out("RHM", "11 day_case 60", "11 day_case 60", "11 community 4"),),
        {
            "cancellations_daily RHM 11 day_case": {"cancelled": 60},
            "returns RHM cancellations 11": {"rows_quarantined": 1, "rows_accepted": 2},
        },
    ),
    "identical but for the key": Case(  # two records, each with its own key
        (out("RHM", "11 day_case 5 record_key=a", "11 day_case 5 record_key=b"),),
        {"action_totals RHM": {"inpatient_cancelled": 10}},
    ),
    "the total beside its sites": Case(  # 40 + 25 without a site are no less than the site's 60: they may be all of it
        (
            out(
                "RHM",
                *("11 day_case 60 site_code=RHM01", "11 elective_inpatient 40 site_code="),
                *("11 day_case 25 site_code=", "11 community 3 site_code="),
            ),
        ),
        {
            "action_totals RHM": {"inpatient_cancelled": 60, "community_cancelled": 3},
            "returns RHM cancellations 11": {"rows_quarantined": 2},
        },
    ),
    "the rest beside its sites": Case(  # 7 cannot be the total of 40: they are from elsewhere; a 0 is nobody's total
        (
            out(
                "RHM",
                *("11 day_case 40 site_code=RHM01", "11 elective_inpatient 7 site_code="),
                *("11 community 0 site_code=", "11 community 5 site_code=RHM01"),
            ),
        ),
        {
            "action_totals RHM": {"inpatient_cancelled": 47, "community_cancelled": 5},
            "action_totals RHM01": {"inpatient_cancelled": 40},
            "returns RHM cancellations 11": {"rows_quarantined": 0, "rows_accepted": 4},
        },
    ),
    "a rest is corrected with its sites": Case(  # the newer 50 of a site replaces the 40 and the rest of 7
        (
            out("RHM", "11 day_case 40 site_code=RHM01", "11 elective_inpatient 7 site_code="),
            out("RHM", "11 day_case 50 site_code=RHM01", "11 day_case 2 site_code=RHM12"),
        ),
        {"action_totals RHM": {"inpatient_cancelled": 52}},
    ),
    "a whole beside its parts": Case(  # 30 elective holds the 10 day cases
        (out("RHM", "11 elective_unsplit 30", "11 day_case 10", "11 outpatient_unsplit 4"),),
        {"action_totals RHM": {"inpatient_cancelled": 10, "outpatient_cancelled": 4}},
    ),
    "a zero beside its whole": Case(  # a template's zeros for the parts say nothing of the 30
        (out("RHM", "11 elective_unsplit 30", "11 day_case 0", "11 elective_inpatient 0"),),
        {"action_totals RHM": {"inpatient_cancelled": 30}, "returns RHM cancellations 11": {"rows_quarantined": 0}},
    ),
    "the whole day of another grade": Case(  # consultants' whole day is not that of the first-years' shifts
        (
            staff(
                "RHM",
                *(f"11 {MD} 30 shift=all grade=consultant", f"11 {MD} 20 shift=day grade=fy1"),
                *(f"11 {MD} 9 shift=night grade=fy1",),
            ),
        ),
        {"action_totals RHM": {"staff_days_lost": 59}, "returns RHM staffing 11": {"rows_quarantined": 0}},
    ),
    "the whole day beside its shifts": Case(  # 20 + 9; `all` holds them already
        (staff("RHM", f"11 {MD} 30 shift=all", f"11 {MD} 20 shift=day", f"11 {MD} 9 shift=night"),),
        {"action_totals RHM": {"staff_days_lost": 29}},
    ),
    "a row of no trust": Case(  # refuses its file, also where its count cannot be read: 10 stand, the 12th has nothing
        (
            out("RHM", "11 day_case 10"),
            out("RHM", "11 day_case 20", "11 community <5 ods_code="),
            out("RHU", "11 day_case 10"),
            out("RHU", "11 day_case 20", "12 community 5 ods_code="),
            plan("RHM", "12 day_case 9", "12 day_case about_12 ods_code="),
            staff("RHM", f"12 {MD} 9", "12 porters 3 ods_code="),
        ),
        {
            "action_totals RHM": {"inpatient_cancelled": 10, "community_cancelled": None, "staff_days_lost": None},
            "returns RHM cancellations 11": {"rows_accepted": 1, "is_newer_refused": True, "refused_submission_id": 1},
            "returns RHU cancellations 11": {"total": 10, "refused_submission_id": 3},
            "returns RHU cancellations 12": {"return_status": "rejected", "total": None},
            "returns RHU cancellations 13": {"return_status": "rejected", "submission_id": 3},
            "returns RHM planned_activity 12": {"return_status": "rejected", "total": None},
            "returns RHM staffing 12": {"return_status": "rejected", "total": None},
        },
    ),
    "another trust's site": Case(  # Southampton's site is none of the island's: counted without it
        (out("R1F", "11 day_case 33 site_code=RHM01"),),
        {"action_totals R1F": {"inpatient_cancelled": 33}, "action_totals RHM01": None},
    ),
    "told": Case(  # 10 were told, 4 were not, of 6 nothing was said; RHU says nothing at all
        (
            out("RHM", "11 day_case 10 patient_notified=yes", "11 day_case 4 patient_notified=no", "11 day_case 6"),
            out("RHU", "11 day_case 9"),
        ),
        {
            "cancellations_daily RHM 11 day_case": {"cancelled": 20, "notified": 10, "notified_of": 14},
            "cancellations_daily RHU 11 day_case": {"cancelled": 9, "notified": None, "notified_of": None},
            "cancellations_daily ENG 11 day_case": {"cancelled": 29, "notified": 10, "notified_of": 14},
        },
    ),
    "a large sum": Case(  # 20,000 + 19,999 + … + 19,102: no number of 24 bits holds the sum of these 899
        (out("RHM", *(f"11 day_case {20_000 - n}" for n in range(899))),),
        {"action_totals ENG": {"inpatient_cancelled": 899 * (20_000 + 19_102) // 2}},
    ),
    "nobody was told": Case(  # said of 8, of none that they were: a real zero
        (out("RHM", "11 day_case 8 patient_notified=no"),),
        {"cancellations_daily RHM 11 day_case": {"notified": 0, "notified_of": 8}},
    ),
}
