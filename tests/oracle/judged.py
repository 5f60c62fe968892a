"""What is used of one file: the dictionary's rules for a row, then those for rows that stand beside one another."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from strike_reporting.reference.actions import all_days
from strike_reporting.reference.organisations import organisations

from oracle.rounds import COUNT, DAY, PODS, File, Row

Typed = dict[str, Any]
Base = tuple[str, ...]
SETTING = {pod: setting for setting, pods in PODS.items() for pod in pods}
WHOLES = {
    "elective_unsplit": {"elective_inpatient", "day_case"},
    "outpatient_unsplit": {"outpatient_first", "outpatient_follow_up"},
    "all": {"day", "evening", "night"},
}
KNOWN = {
    "point_of_delivery": {*SETTING},
    "activity_unit": {"appointment", "clinic_session", "theatre_list"},
    "priority": {"P1a", "P1b", "P2", "P3", "P4", "P5", "P6"},
    "status": {"anticipated", "cancelled", "reinstated", "rebooked"},
    "shift": {"day", "evening", "night", "all"},
    "staff_group": {
        *("add_prof_scientific_and_technic", "additional_clinical_services", "administrative_and_clerical"),
        *("allied_health_professionals", "estates_and_ancillary", "healthcare_scientists", "medical_and_dental"),
        *("nursing_and_midwifery_registered", "students"),
    },
}
# A value that is not known here is left out of its row, and the row is used.
SOFT = {
    "grade": {
        *("fy1", "fy2", "core_training", "specialty_registrar", "resident_unsplit", "specialty_doctor", "specialist"),
        *("associate_specialist", "staff_grade", "trust_grade", "consultant", "band_2", "band_3", "band_4", "band_5"),
        *("band_6", "band_7", "band_8_and_above"),
    },
    "cancellation_reason": {
        *("staff_absent", "reduced_in_advance", "theatre_or_clinic_closed", "emergency_pressure", "other"),
    },
}
NUMBERS = {
    "cancelled_count": 20_000,
    "planned_count": 50_000,
    **dict.fromkeys(("due_to_work", "absent_action", "absent_other", "redeployed_in"), 50_000),
}
PATTERNS = {
    "site_code": r"[RT][A-Z0-9]{4}|[A-Z0-9]{5,9}",
    "treatment_function_code": r"[0-9]{3}|X0[2-6]",
    "record_key": r"(?!\d{3}[-_]?\d{3}[-_]?\d{4}$)[A-Za-z0-9_-]{1,64}",
}
REQUIRED = {
    "cancellations": ("activity_date", "point_of_delivery", "status", "cancelled_count"),
    "planned_activity": ("activity_date", "point_of_delivery", "planned_count"),
    "staffing": ("shift_date", "staff_group", "absent_action"),
}
BLOCK = 3  # rows in a row, different from one another, that are not alike others by chance


@dataclass
class Judged:
    """One file after judging. `is_of_unknown_days`: refused before its days could be read."""

    index: int
    file: File
    is_refused: bool = False
    is_of_unknown_days: bool = False
    used: dict[date, dict[tuple[Base, str | None], list[Typed]]] = field(default_factory=dict)
    left_out: Counter[date] = field(default_factory=Counter)

    def rows(self, day: date) -> int:
        """How many of its rows of a day are used."""
        return sum(map(len, self.used.get(day, {}).values()))

    def says(self, day: date) -> bool:
        """Whether it has anything of a day, used or not."""
        return day in self.used or self.left_out[day] > 0


def judge(index: int, file: File) -> Judged:
    """Judge one file by itself."""
    found = Judged(index, file)
    if file.unreadable or not (file.rows or file.nil_days) or _is_anothers(file):
        found.is_refused = found.is_of_unknown_days = True
        return found
    rows, extract = _expanded(file), file.extract
    typed = [_typed(r, extract) for r in rows]
    keys = Counter((t["record_key"], t["status"]) for t, _ in typed if t.get("record_key") and t.get("status"))
    good: list[Typed] = []
    for row, is_good in typed:
        day = row["day"]
        is_repeated_key = keys[(row.get("record_key"), row.get("status"))] > 1
        is_current = day is None or organisations().is_trust(file.trust, day)
        if is_good and not is_repeated_key and is_current and all(row[n] is not None for n in _needed(extract)):
            good.append(row)
        elif day is not None:
            found.left_out[day] += 1
    lost = any(not r.get("ods_code", file.trust) for r in rows)
    if lost or not good or not any(r["day"] in all_days() for r in good):
        found.is_refused = True
        found.left_out = Counter(r["day"] for r, _ in typed if r["day"] is not None)
        found.is_of_unknown_days = not found.left_out
        return found
    kept = _whole_beside_parts(_unsited_beside_sited(_pasted_again(good)))
    found.left_out += Counter(r["day"] for r in good) - Counter(r["day"] for r in kept)
    for row in kept:
        place = found.used.setdefault(row["day"], {})
        place.setdefault((row["base"], row["site_code"]), []).append(row)
    return found


def _is_anothers(file: File) -> bool:
    """A trust that the file's name does not say stands in it: nobody knows whose it is."""
    codes = {r.get("ods_code", file.trust) for r in file.rows} - {""}
    return bool(file.rows) and codes != {file.trust}


def _expanded(file: File) -> list[Row]:
    """A mark of nothing to report is a zero for inpatients and one for outpatients."""
    nothing = [
        {"activity_date": d.isoformat(), "point_of_delivery": p, "status": "cancelled", "cancelled_count": "0"}
        for d in file.nil_days
        for p in ("elective_unsplit", "outpatient_unsplit")
    ]
    return [*file.rows, *nothing]


def _needed(extract: str) -> tuple[str, ...]:
    return tuple("day" if n == DAY[extract] else n for n in REQUIRED[extract])


def _typed(row: Row, extract: str) -> tuple[Typed, bool]:
    """The row's values, None for an empty or unreadable one, and whether every value is as it should be."""
    made: Typed = {"day": None, "site_code": None}
    is_good = True
    for name, raw in row.items():
        value: Any = raw.strip() or None
        fine = True
        if name == DAY[extract]:
            value = _day(value)
            fine = value is not None
            name = "day"
        elif value is None:
            pass
        elif name in NUMBERS:
            fine = bool(re.fullmatch(r"[+-]?\d{1,15}", value)) and 0 <= int(value) <= NUMBERS[name]
            value = int(value) if re.fullmatch(r"[+-]?\d{1,15}", value) else None
        elif name in ("is_cancer", "patient_notified"):
            value = {"yes": True, "no": False}.get(value.casefold())
            fine = value is not None
        elif name in KNOWN:
            fine = value in KNOWN[name]
        elif name in SOFT:
            value = value if value in SOFT[name] else None
        elif name in PATTERNS:
            fine = bool(re.fullmatch(PATTERNS[name], value))
        made[name] = value
        is_good = is_good and fine
    if extract != "staffing":
        made["activity_unit"] = made.get("activity_unit") or "appointment"
        made["care_setting"] = SETTING.get(made.get("point_of_delivery") or "")
    site = organisations().site(made["site_code"]) if made["site_code"] else None
    if site and row.get("ods_code") and site.ods_code != organisations().successor(row["ods_code"]):
        made["site_code"] = None  # another trust's: the row is used without it
    made["value"] = made.get(COUNT[extract])
    parts = {
        "cancellations": ("status", "care_setting", "activity_unit"),
        "planned_activity": ("care_setting", "activity_unit"),
        "staffing": ("staff_group",),
    }[extract]
    made["base"] = tuple(made.get(p) or "" for p in parts)
    return made, is_good


def _day(value: str | None) -> date | None:
    try:
        return date.fromisoformat(value) if value and re.fullmatch(r"\d{4}-\d\d-\d\d", value) else None
    except ValueError:
        return None


def _same(row: Typed) -> tuple[str, ...]:
    return tuple(f"{k}={v}" for k, v in sorted(row.items()) if k != "base" and v is not None)


def _says(row: Typed) -> bool:
    """Whether a row counts anything: one of zeros decides nothing, and is never left out beside others."""
    return any(row.get(name) for name in NUMBERS)


def _pasted_again(rows: list[Typed]) -> list[Typed]:
    """Without the later copies of a block of rows, or of all the file's rows when each stands in it equally often."""
    able = [n for n, r in enumerate(rows) if _says(r) and not r.get("record_key")]
    words = {n: _same(rows[n]) for n in able}
    times = Counter(words.values())
    if len(times) >= BLOCK and len({*times.values()}) == 1:
        copies = {n for place, n in enumerate(able) if words[n] in [words[m] for m in able[:place]]}
        return [r for n, r in enumerate(rows) if n not in copies]
    copies = set()
    for day in {r["day"] for r in rows}:
        of_day = [n for n in able if rows[n]["day"] == day]
        blocks = [of_day[start : start + BLOCK] for start in range(len(of_day) - BLOCK + 1)]
        for place, block in enumerate(blocks):
            said = [words[n] for n in block]
            if len({*said}) == BLOCK and said in [[words[n] for n in before] for before in blocks[:place]]:
                copies |= {*block}
    return [r for n, r in enumerate(rows) if n not in copies]


def _unsited_beside_sited(rows: list[Typed]) -> list[Typed]:
    """Without unsited rows that together are so much that they may be the total of the sited ones."""
    found: dict[tuple[Any, ...], dict[bool, list[int]]] = defaultdict(lambda: {True: [], False: []})
    for row in filter(_says, rows):
        found[row["day"], row["base"]][row["site_code"] is not None].append(row["value"])
    totals = {k for k, by in found.items() if by[True] and by[False] and sum(by[False]) >= sum(by[True])}
    return [r for r in rows if r["site_code"] or not _says(r) or (r["day"], r["base"]) not in totals]


def _whole_beside_parts(rows: list[Typed]) -> list[Typed]:
    def place(row: Typed) -> tuple[Any, ...]:
        return row["day"], row["base"], row["site_code"], row.get("grade")

    def kind(row: Typed) -> str:
        return row.get("point_of_delivery") or row.get("shift") or ""

    there: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    for row in filter(_says, rows):
        there[place(row)].add(kind(row))
    return [r for r in rows if not (_says(r) and WHOLES.get(kind(r), set()) & there[place(r)])]
