"""Who could have been due and absent at one trust on each strike day. Shapes are plausible, not measured."""

from __future__ import annotations

import random

from strike_reporting.extracts.simulating import Rows, Sender, Simulator, vary

_GRADES = {
    "medical_and_dental": ("fy1", "fy2", "core_training", "specialty_registrar"),
    "nursing_and_midwifery_registered": ("band_5", "band_6", "band_7", "band_8_and_above"),
    "allied_health_professionals": ("band_5", "band_6", "band_7"),
}
# The calendar's staff groups, by the contract's; the others are doctors.
_GROUPS = {
    "nurses": "nursing_and_midwifery_registered",
    "nurses_and_other_staff": "nursing_and_midwifery_registered",
    "ambulance": "allied_health_professionals",
    "physiotherapists": "allied_health_professionals",
    "radiographers": "allied_health_professionals",
}


def _rows(sender: Sender, stream: random.Random, _: Rows) -> Rows:
    """By day, shift, grade and site (a ward-level roster has many rows)."""
    size = sender.size(stream)
    groups = sorted({_GROUPS.get(g, "medical_and_dental") for g in sender.staff_groups})
    joining = stream.uniform(0.6, 0.8)
    rows: Rows = []
    for day in sender.days:
        for group in groups:
            for grade in _GRADES[group]:
                for shift, share in (("day", 1.0), ("night", 0.3)):
                    for _ward in range(max(1, sender.detail // 4)):
                        due = vary(stream, 14 * size * share)
                        absent = min(due, vary(stream, due * joining))
                        rows.append(
                            {
                                "ods_code": sender.code,
                                "site_code": stream.choice(sender.sites),
                                "shift_date": day,
                                "shift": shift,
                                "staff_group": group,
                                "grade": grade,
                                "due_to_work": due,
                                "absent_action": absent,
                                "absent_other": vary(stream, (due - absent) * 0.04),
                                "redeployed_in": vary(stream, absent * 0.2),
                            }
                        )
    return rows


SIMULATOR = Simulator(
    rows=_rows,
    figures={"staff_absent": {"staff_group": "medical_and_dental", "grade": "resident_unsplit"}},
    figures_name_sites=False,
)
