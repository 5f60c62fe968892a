"""What is used of one file: whose its rows are, then the rules for one row, then those for rows beside one another."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from strike_reporting.reference.actions import all_days, resolve
from strike_reporting.reference.organisations import organisations

from oracle.fields import FIELDS, NUMBERS, OPTIONAL, day_of, missing, value
from oracle.rounds import COUNT, DAY, PODS, File, Row
from oracle.totals import sift

Typed = dict[str, Any]
Base = tuple[str, ...]
SETTING = {pod: setting for setting, pods in PODS.items() for pod in pods}
WHOLES = {
    "elective_unsplit": {"elective_inpatient", "day_case"},
    "outpatient_unsplit": {"outpatient_first", "outpatient_follow_up"},
    "all": {"day", "evening", "night"},
    "resident_unsplit": {"fy1", "fy2", "core_training", "specialty_registrar"},
}
REQUIRED = {
    "cancellations": ("activity_date", "point_of_delivery", "status", "cancelled_count"),
    "planned_activity": ("activity_date", "point_of_delivery", "planned_count"),
    "staffing": ("shift_date", "staff_group", "absent_action"),
}
BLOCK = 3  # rows in a row, different from one another, that are not alike others by chance
LARGE = 50  # numbers of one row that no other row has by chance


@dataclass
class Judged:
    """What a file says of one trust, after judging.

    is_early: refused before its rows could be read. named: the strike days that its cells name all the same.
    left_out: by day, rows that are not used, and used ones without a number that they should have.
    """

    index: int
    file: File
    trust: str
    is_refused: bool = False
    is_early: bool = False
    named: frozenset[date] = frozenset()
    used: dict[date, dict[tuple[Base, str | None], list[Typed]]] = field(default_factory=dict)
    left_out: Counter[date] = field(default_factory=Counter)

    def rows(self, day: date) -> int:
        """How many of its rows of a day are used."""
        return sum(map(len, self.used.get(day, {}).values()))

    def says(self, day: date) -> bool:
        """Whether it has anything of a day, used or not."""
        return day in self.used or self.left_out[day] > 0


def judge(index: int, file: File, meant_for: str) -> list[Judged]:
    """Judge one file by itself, trust by trust. `meant_for`: the action that a drop is said to be for."""
    left = sift(_expanded(file), file.extract)
    rows = [r | {"ods_code": r.get("ods_code", file.trust)} for r in left.rows]
    codes = {r["ods_code"] for r in rows}
    known = {c for c in codes if c and organisations().standing(c)}
    is_silent = any(not r["ods_code"] and _says_something(r, file.extract) for r in rows)
    is_lost = not known or (len(known) == 1 and is_silent)
    if file.unreadable or is_lost or (file.feed != "drop" and known != {file.trust}):
        return [Judged(index, file, file.trust, is_refused=True, is_early=True, named=_named(file))]
    found = []
    for trust in sorted(known):
        places = [n for n, owner in enumerate(_owners(rows, known)) if owner == trust]
        lost = [d for c, d in left.lost if len(known) == 1 or c == trust]
        one = Judged(index, file, trust)
        _judge(one, [rows[n] for n in places], lost, bool(left.asked & {*places}), meant_for)
        found.append(one)
    return found


def _says_something(row: Row, extract: str) -> bool:
    """Whether a row says a day, or one of the fields without which nobody knows what it is of."""
    kinds = {"cancellations": ("point_of_delivery", "status"), "staffing": ("staff_group",)}
    said = (value(name, row.get(name, "")) for name in kinds.get(extract, ("point_of_delivery",)))
    return day_of(row.get(DAY[extract], "")) is not None or any(v is not None for v in said)


def _named(file: File) -> frozenset[date]:
    """The strike days of any action that stand in a refused file."""
    cells = [*file.names, *(v for row in file.rows for v in row.values())]
    return frozenset({d for c in cells if (d := day_of(c))} & all_days())


def _owners(rows: list[Row], known: set[str]) -> list[str]:
    """Whose each row is: of one trust all; of several each by its code, and one without that of the row above."""
    if len(known) == 1:
        return [*known] * len(rows)
    found, above = [], ""
    for row in rows:
        code = row["ods_code"]
        owner = above if not code else code if code in known else ""
        above = owner or above
        found.append(owner)
    return found


def _judge(found: Judged, rows: list[Row], lost: list[date | None], is_asked: bool, meant_for: str) -> None:
    """Judge what a file says of one trust."""
    extract = found.file.extract
    typed = [_typed(r, extract, found.trust) for r in rows]
    keys = Counter((t["record_key"], t["status"]) for t, _ in typed if t.get("record_key") and t.get("status"))
    good: list[Typed] = []
    for row, is_good in typed:
        day = row["day"]
        is_repeated_key = keys[(row.get("record_key"), row.get("status"))] > 1
        is_current = day is None or organisations().is_trust(found.trust, day)
        if is_good and not is_repeated_key and is_current and all(row[n] is not None for n in _needed(extract)):
            good.append(row)
    days = {r["day"] for r in good}
    meant = {*resolve(meant_for).days, *resolve(meant_for).closing_days} if found.file.feed == "drop" else days
    found.is_refused = is_asked or not days & all_days() or not days & meant
    kept = [] if found.is_refused else _whole_beside_parts(_unsited_beside_sited(_pasted_again(good)))
    said = Counter(d for d in (*(r["day"] for r, _ in typed), *lost) if d)
    undated = sum(r["day"] is None for r, _ in typed) + lost.count(None)
    used = Counter(r["day"] for r in kept)
    short = Counter(r["day"] for r in kept if r["is_short"])
    found.left_out = +Counter({d: n - used[d] + short[d] + undated for d, n in said.items()})
    found.is_early = not said  # nothing tells it from a file that was never read
    for row in kept:
        place = found.used.setdefault(row["day"], {})
        place.setdefault((row["base"], row["site_code"]), []).append(row)


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


def _typed(row: Row, extract: str, trust: str) -> tuple[Typed, bool]:
    """The row's values, None for an empty or unreadable one, and whether nothing in it costs the row."""
    made: Typed = {"day": day_of(row.get(DAY[extract], "")), "site_code": None, "is_short": False}
    is_good = row["ods_code"] == trust
    for name in FIELDS & {*row} - {DAY[extract], "ods_code"}:
        raw = row[name]
        made[name] = value(name, raw)
        is_bad = made[name] is None and not missing(raw)
        if name in NUMBERS:
            is_good = is_good and 0 <= (made[name] or 0) <= NUMBERS[name]
            made["is_short"] = made["is_short"] or is_bad
        if is_bad and name not in OPTIONAL:
            is_good = False
    if extract != "staffing":
        made["activity_unit"] = made.get("activity_unit") or "appointment"
        made["care_setting"] = SETTING.get(made.get("point_of_delivery") or "")
    site = organisations().site(made["site_code"]) if made["site_code"] else None
    if site and site.ods_code != organisations().successor(trust):
        made["site_code"] = None  # another trust's: the row is used without it
    made["value"] = made.get(COUNT[extract])
    parts = {
        "cancellations": ("status", "care_setting", "activity_unit"),
        "planned_activity": ("care_setting", "activity_unit"),
        "staffing": ("staff_group",),
    }[extract]
    made["base"] = tuple(made.get(p) or "" for p in parts)
    return made, is_good


def _same(row: Typed) -> tuple[str, ...]:
    return tuple(f"{k}={v}" for k, v in sorted(row.items()) if k not in ("base", "is_short") and v is not None)


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
    for place, n in enumerate(able):
        is_large = sum(rows[n].get(name) or 0 for name in NUMBERS) >= LARGE
        if is_large and words[n] in [words[m] for m in able[:place]]:
            copies.add(n)
    return [r for n, r in enumerate(rows) if n not in copies]


def _unsited_beside_sited(rows: list[Typed]) -> list[Typed]:
    """Without unsited rows that together are so much that they may be the total of the sited ones."""
    found: dict[tuple[Any, ...], dict[bool, list[int]]] = defaultdict(lambda: {True: [], False: []})
    for row in filter(_says, rows):
        found[row["day"], row["base"]][row["site_code"] is not None].append(row["value"])
    totals = {k for k, by in found.items() if by[True] and by[False] and sum(by[False]) >= sum(by[True])}
    return [r for r in rows if r["site_code"] or not _says(r) or (r["day"], r["base"]) not in totals]


def _whole_beside_parts(rows: list[Typed]) -> list[Typed]:
    """Without the rows of a whole that together are so much that they may be the total of its parts."""
    out: set[int] = set()
    for name, beside in (("point_of_delivery", ""), ("shift", "grade"), ("grade", "shift")):
        there: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
        places = [(r["day"], r["base"], r["site_code"], r.get(beside)) for r in rows]
        for place, row in zip(places, rows, strict=True):
            if _says(row):
                there[place][row.get(name) or ""] += row["value"]
        for n, (place, row) in enumerate(zip(places, rows, strict=True)):
            kind = row.get(name) or ""
            parts = [value for other, value in there[place].items() if other in WHOLES.get(kind, ())]
            if _says(row) and parts and there[place][kind] >= sum(parts):
                out.add(n)
    return [r for n, r in enumerate(rows) if n not in out]
