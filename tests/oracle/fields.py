"""The dictionary: what each field may hold, and what a cell says."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from oracle.rounds import DAY, PODS

KNOWN = {
    "point_of_delivery": {pod for pods in PODS.values() for pod in pods},
    "activity_unit": {"appointment", "clinic_session", "theatre_list"},
    "status": {"anticipated", "cancelled", "reinstated", "rebooked"},
    "staff_group": {
        *("add_prof_scientific_and_technic", "additional_clinical_services", "administrative_and_clerical"),
        *("allied_health_professionals", "estates_and_ancillary", "healthcare_scientists", "medical_and_dental"),
        *("nursing_and_midwifery_registered", "students"),
    },
    "priority": {"P1a", "P1b", "P2", "P3", "P4", "P5", "P6"},
    "shift": {"day", "evening", "night", "all"},
    "grade": {
        *("fy1", "fy2", "core_training", "specialty_registrar", "resident_unsplit", "specialty_doctor", "specialist"),
        *("associate_specialist", "staff_grade", "trust_grade", "consultant", "band_2", "band_3", "band_4", "band_5"),
        *("band_6", "band_7", "band_8_and_above"),
    },
    "cancellation_reason": {
        *("staff_absent", "reduced_in_advance", "theatre_or_clinic_closed", "emergency_pressure", "other"),
    },
}
BOOLS = {"is_cancer", "patient_notified"}
YES_NO = {"yes": True, "no": False}
NUMBERS = {
    "cancelled_count": 20_000,
    "planned_count": 50_000,
    **dict.fromkeys(("due_to_work", "absent_action", "absent_other", "redeployed_in"), 50_000),
}
PATTERNS = {
    "site_code": r"[RT][A-Z0-9]{4}|(?=.*[0-9])[A-Z0-9]{5,9}",
    "treatment_function_code": r"[0-9]{3}|X0[2-6]",
    "record_key": r"(?!\d{3}[-_]?\d{3}[-_]?\d{4}$)[A-Za-z0-9_-]{1,64}",
}
# A bad cell of these costs itself; of numbers among them only one that cannot be read, which the day is told of.
OPTIONAL = {
    *("site_code", "treatment_function_code", "priority", "is_cancer", "patient_notified", "cancellation_reason"),
    *("shift", "grade", "rebooked_date", "record_key", "due_to_work", "absent_other", "redeployed_in"),
}
FIELDS = {*KNOWN, *BOOLS, *NUMBERS, *PATTERNS, "rebooked_date", "ods_code", *DAY.values()}


def missing(text: str) -> bool:
    """Whether a cell says nothing."""
    return text.strip().casefold() in ("", "-", "n/a", "na", "null", "none", "not known")


def count(text: str) -> int | None:
    """A whole number."""
    return int(text) if re.fullmatch(r"[+-]?\d{1,15}", text.strip()) else None


def day_of(text: str) -> date | None:
    """A day as 2023-04-11, or as a British spreadsheet makes it."""
    iso = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text.strip())
    british = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text.strip())
    parts = iso.groups() if iso else british.groups()[::-1] if british else None
    try:
        return date(*map(int, parts)) if parts else None
    except ValueError:
        return None


def is_code(name: str, text: str) -> bool:
    """Whether a label is one that the dictionary knows; of a column that it has not, any text is."""
    said = text.strip().casefold().replace(" ", "_")
    if name in KNOWN:
        return said in {c.casefold() for c in KNOWN[name]}
    if name in BOOLS:
        return said in YES_NO
    return name not in PATTERNS or bool(re.fullmatch(PATTERNS[name], text.strip().upper()))


def value(name: str, text: str) -> Any:
    """What a cell says; None where it says nothing, or nothing that can be read."""
    text = text.strip()
    if missing(text):
        return None
    if name in NUMBERS:
        return count(text)
    if name in BOOLS:
        return YES_NO.get(text.casefold())
    if name == "rebooked_date":
        return day_of(text)
    return text if is_code(name, text) else None
