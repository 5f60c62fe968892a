"""Rounds: what a few trusts send of an action or two, drawn by a seed so that every rule of counting is met by chance.

A file is rows of text, as a trust would type them. Nothing here says what becomes of them.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from strike_reporting.reference.actions import resolve
from strike_reporting.reference.organisations import organisations

Row = dict[str, str]
DAY = {"cancellations": "activity_date", "planned_activity": "activity_date", "staffing": "shift_date"}
COUNT = {"cancellations": "cancelled_count", "planned_activity": "planned_count", "staffing": "absent_action"}
HAMPSHIRE = ("RHM", "RHU", "RN5", "R1F", "RW1", "R1C")
TRUSTS = (*HAMPSHIRE, "R0A", "RBN", "RVY", "RYE")  # RYE is an ambulance trust, RVY became RBN
# One action, joint ones, overlapping ones, nights, a suspended one, a closing day, named trusts, a set across a merger.
ACTIONS = (
    ("JD-2023-04-11",),
    ("CON-2023-10-02;JD-2023-10-02", "RAD-2023-10-03"),
    ("CON-2023-09-19", "JD-2023-09-20"),
    ("AMB-2022-12-21",),
    ("NUR-2023-04-30", "UNI-2023-05-01"),
    ("JD-2015-12-01",),
    ("PHY-2023-01-26", "AMB-2023-01-23"),
    ("JD-2023-06-14",),
    ("JD-2024-06-27",),
    ("RD-2025-07-25",),
    ("JD-2024-06-27;RD-2025-07-25",),
    ("AMB-2023-01-23;AMB-2023-01-24",),
)
PODS = {
    "inpatient": ("elective_inpatient", "day_case", "elective_unsplit"),
    "outpatient": ("outpatient_first", "outpatient_follow_up", "outpatient_unsplit"),
    "community": ("community",),
    "mental_health": ("mental_health",),
}
GROUPS = ("medical_and_dental", "nursing_and_midwifery_registered")
SPOILT = {
    "cancellations": ("site_code", "priority", "is_cancer", "patient_notified", "cancellation_reason"),
    "planned_activity": ("site_code", "treatment_function_code", "activity_unit"),
    "staffing": ("shift", "grade", "due_to_work", "absent_other", "redeployed_in"),
}
# A column, and two labels of it.
SPLIT = {
    "cancellations": (
        ("priority", ("P3", "P5")),
        ("is_cancer", ("yes", "no")),
        ("treatment_function_code", ("100", "101")),
    ),
    "planned_activity": (("treatment_function_code", ("100", "101")), ("activity_unit", ("clinic_session", ""))),
    "staffing": (("grade", ("fy2", "core_training")), ("shift", ("evening", "night"))),
}
GRADES = ("", "fy1", "consultant", "resident_unsplit")


@dataclass(frozen=True)
class File:
    """One file. `trust` and `extract` stand in its name; the rows may say otherwise.

    due, restates: it comes through a feed of the trust, with a due time (long past) or one that restates whole days.
    nil_days: it is of the dialect with a mark for "nothing to report", and marks these days.
    withdrawn: it is taken back by hand after it was judged.
    unreadable: it is no table. names: days that it names all the same. untold: not even its name says the extract.
    """

    trust: str
    extract: str
    rows: tuple[Row, ...] = ()
    nil_days: tuple[date, ...] = ()
    due: bool = False
    restates: bool = False
    withdrawn: bool = False
    unreadable: bool = False
    names: tuple[str, ...] = ()
    untold: bool = False

    @property
    def feed(self) -> str:
        """Whose deliveries it is compared with to see whether it came before."""
        return f"{self.trust}.{self.extract}" if self.due or self.restates else "drop"


@dataclass(frozen=True)
class Round:
    """Files in the order in which they land, and the actions that are then published."""

    name: str
    actions: tuple[str, ...]
    files: tuple[File, ...]

    @property
    def meant_for(self) -> str:
        """What the drop was said to be for."""
        return self.actions[0]


def text(file: File) -> str:
    """The file as it is sent."""
    if file.unreadable:
        return "\n".join([f"Apologies, the return of {file.trust} follows", *file.names, ""])
    if file.nil_days:
        lines = [f"{file.trust},{d:%d-%b-%Y},,,Yes" for d in file.nil_days]
        return "\n".join(["Code,Date,Inpatient cases,Outpatient cases,Nil return", *lines, ""])
    columns = list(dict.fromkeys(c for row in file.rows for c in row))
    lines = [",".join(row.get(c, "") for c in columns) for row in file.rows]
    return "\n".join([",".join(columns), *lines, ""])


def drawn(seed: int) -> Round:
    """The round of a seed."""
    rng = random.Random(seed)  # noqa: S311 - a repeatable draw
    actions = ACTIONS[rng.randrange(len(ACTIONS))]
    days = sorted({d for a in actions for d in (*resolve(a).days, *resolve(a).closing_days)})
    senders = rng.sample(TRUSTS, rng.randint(3, 8))
    files: list[File] = []
    for trust in senders:
        for extract, chance in (("cancellations", 0.9), ("planned_activity", 0.75), ("staffing", 0.7)):
            if rng.random() < chance:
                files += _Sender(rng, trust, extract, days, random.Random(f"{seed} {trust} {extract}")).files()  # noqa: S311
    rng.shuffle(files)
    return Round(f"seed {seed}", actions, tuple(files))


@dataclass
class _Sender:
    """One trust's deliveries of one extract: each file is new, or made from the one before.

    mess: draws what is added to a file, so that the rest of a seed's round is as it was before that was thought of.
    """

    rng: random.Random
    trust: str
    extract: str
    days: Sequence[date]
    mess: random.Random

    def __post_init__(self) -> None:
        self.sites = [s.site_code for s in organisations().sites() if s.ods_code == self.trust][:2]
        self.is_sited = bool(self.sites) and self.rng.random() < 0.5
        self.settings = self.rng.sample(list(PODS), self.rng.randint(1, 3))
        self.is_split = self.rng.random() < 0.6

    def files(self) -> list[File]:
        made = [self.file(self.days)]
        for _ in range(self.rng.choice((0, 0, 1, 1, 2, 3))):
            made.append(self.next(made[-1]))
        return [self.messy(self.delivered(f)) for f in made]

    def messy(self, file: File) -> File:
        """The file with what a clerk adds: bad cells that are optional, rows without a day, totals; or a bad file."""
        rng, rows = self.mess, [dict(r) for r in file.rows]
        if file.unreadable:
            names = (rng.choice(list(self.days)).isoformat(),) if rng.random() < 0.4 else ()
            return replace(file, names=names, untold=file.feed == "drop" and rng.random() < 0.3)
        if not rows:
            return file
        if rng.random() < 0.2:
            rng.choice(rows)[rng.choice(SPOILT[self.extract])] = rng.choice(("n/k", "X9!", "<5"))
        if rng.random() < 0.08:
            rows.append(rng.choice(rows) | {DAY[self.extract]: rng.choice(("", "soon", "2023-02-30"))})
        if rng.random() < 0.05:
            rows[-1] |= {"ods_code": rng.choice(("XYZ", "R0A"))}
        if rng.random() < 0.2:
            rows = self.totalled(rows)
        return replace(file, rows=tuple(rows))

    def totalled(self, rows: list[Row]) -> list[Row]:
        """With one row split in two by a label, and their total beside them: by name, without one, or unknown."""
        rng, count = self.mess, COUNT[self.extract]
        name, parts = rng.choice(SPLIT[self.extract])
        place = rng.randrange(len(rows))
        if not rows[place].get(count, "").isdigit():
            return rows
        whole = int(rows[place][count])
        first = rng.randint(0, whole)
        split = [
            rows[place] | {name: part, count: str(n)} for part, n in zip(parts, (first, whole - first), strict=True)
        ]
        word, more = rng.choice(("", "", "Total", "All sites", "X9!")), rng.choice((0, 0, 0, 1))
        total = rows[place] | {name: word, count: str(whole + more)}
        return [*rows[:place], *rng.sample([*split, total], 3), *rows[place + 1 :]]

    def next(self, before: File) -> File:
        rng = self.rng
        rows = [dict(r) for r in before.rows]
        count = COUNT[self.extract]
        kind = rng.choice(
            ("new", "new", "fewer", "part", "zero", "more", "day", "forecast", "sites", "nil", "bad", "off")
        )
        if kind == "nil" and self.extract == "cancellations":
            return File(self.trust, self.extract, nil_days=tuple(sorted(rng.sample(list(self.days), 1))))
        if kind == "off":
            return File(self.trust, self.extract, unreadable=True)
        if kind == "forecast" and self.extract == "cancellations":
            rows = [r | {"status": rng.choice(("anticipated", "rebooked", "reinstated"))} for r in rows]
        elif kind == "sites":
            self.is_sited = bool(self.sites) and not self.is_sited
            return self.file(self.days)
        elif kind == "day":
            return self.file([rng.choice(list(self.days))])
        elif kind in ("fewer", "part", "zero", "more", "bad") and rows:
            keep = rng.sample(rows, max(1, len(rows) // 2)) if kind in ("fewer", "part") else rows
            times = {"fewer": 0.5, "part": 1.1, "zero": 0, "more": 1.5, "bad": 1}[kind]
            rows = [r | {count: str(int(float(r[count]) * times))} if r[count].isdigit() else r for r in keep]
            if kind == "bad":
                rows = [r | {count: "<5"} if rng.random() < 0.6 else r for r in rows]
        else:
            return self.file(self.days)
        return File(self.trust, self.extract, tuple(rows))

    def delivered(self, file: File) -> File:
        chance = self.rng.random()
        is_feed = self.trust not in ("R1C", "RVY") and not file.nil_days
        return replace(
            file,
            due=is_feed and chance < 0.1,
            restates=is_feed and 0.05 < chance < 0.15,
            withdrawn=0.2 < chance < 0.26 and not file.unreadable,
        )

    def file(self, days: Iterable[date]) -> File:
        rng, rows = self.rng, []
        for day in days:
            if rng.random() < 0.85:
                rows += self.staff(day) if self.extract == "staffing" else self.activity(day)
        if not rows:
            rows = self.staff(self.days[0]) if self.extract == "staffing" else self.activity(self.days[0])
        return File(self.trust, self.extract, tuple(self.dirty(rows)))

    def activity(self, day: date) -> list[Row]:
        rng, found = self.rng, []
        top = 20 if self.extract == "cancellations" else 60
        for setting in self.settings:
            pods = (
                PODS[setting][-1:]
                if not self.is_split
                else (PODS[setting][:2] if rng.random() < 0.85 else PODS[setting])
            )
            for pod in pods:
                if rng.random() < 0.25:
                    continue
                row = {
                    "ods_code": self.trust,
                    "site_code": rng.choice(self.sites) if self.is_sited and rng.random() < 0.95 else "",
                    "activity_date": day.isoformat(),
                    "point_of_delivery": pod,
                    "activity_unit": rng.choice(("", "", "", "appointment", "clinic_session", "theatre_list")),
                    "treatment_function_code": rng.choice(("", "", "110", "130")),
                    COUNT[self.extract]: str(rng.choice((0, 1, rng.randint(2, top), rng.randint(2, top)))),
                }
                if self.extract == "cancellations":
                    row |= {
                        "status": rng.choice(("cancelled",) * 4 + ("anticipated", "rebooked", "reinstated")),
                        "priority": rng.choice(("", "", "P2", "P4")),
                        "is_cancer": rng.choice(("", "", "yes", "no")),
                        "patient_notified": rng.choice(("", "yes", "no")),
                        "cancellation_reason": rng.choice(("", "staff_absent", "weather")),
                    }
                found.append(row)
        return found

    def staff(self, day: date) -> list[Row]:
        rng, found = self.rng, []
        for group in GROUPS[: rng.randint(1, 2)]:
            for grade in rng.sample(GRADES, rng.randint(1, 2)):
                absent = rng.choice((0, 1, rng.randint(2, 30)))
                found.append(
                    {
                        "ods_code": self.trust,
                        "site_code": rng.choice(self.sites) if self.is_sited and rng.random() < 0.95 else "",
                        "shift_date": day.isoformat(),
                        "shift": rng.choice(("", "", "day", "night", "all")),
                        "staff_group": group,
                        "grade": grade if rng.random() < 0.95 else "Dr Who",
                        "due_to_work": rng.choice(("", str(absent + rng.randint(-2, 40)), str(absent + 30))).replace(
                            "-", ""
                        ),
                        "absent_action": str(absent),
                        "absent_other": rng.choice(("", "0", "4")),
                        "redeployed_in": rng.choice(("", "3")),
                    }
                )
        return found

    def dirty(self, rows: list[Row]) -> list[Row]:
        """What goes wrong in a file now and then."""
        rng, count = self.rng, COUNT[self.extract]
        rows = [dict(r) for r in rows]
        if rows and rng.random() < 0.12:
            rows.append(dict(rng.choice(rows)))  # one row twice
        if rows and rng.random() < 0.06:
            start = rng.randrange(len(rows))
            rows += [dict(r) for r in rows[start : start + rng.randint(2, 6)]]  # a block pasted again
        if rows and rng.random() < 0.12:
            rng.choice(rows)[count] = rng.choice(("<5", "", "-3", "1000000", "about 12"))
        if rows and rng.random() < 0.05:
            rng.choice(rows)[DAY[self.extract]] = rng.choice(("11/04/2023", "", "2023-02-30"))
        if rows and rng.random() < 0.05:
            rng.choice(rows)[DAY[self.extract]] = (self.days[0] - timedelta(days=100)).isoformat()
        if rows and rng.random() < 0.05:
            rng.choice(rows)["site_code"] = rng.choice(("R0A02", "?", "RHM01"))
        if rows and rng.random() < 0.03:
            rng.choice(rows)["ods_code"] = rng.choice(("", "R0A", "XYZ"))
        return rows
