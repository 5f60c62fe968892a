"""Ten releases in turn, each brought about by two things at once: every figure that changed is put down to its own.

What each thing did is written here by hand, cell by cell; figures and who moved them are added up in plain Python.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import small_england as england
from conftest import judge
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.ledger import ledger_of
from strike_reporting.operations.starter import write_starter
from strike_reporting.operations.withdrawing import withdraw
from strike_reporting.publishing import staging, summaries
from strike_reporting.publishing.releases import build, read_table
from strike_reporting.publishing.reproduce import reproduce
from strike_reporting.reference.actions import resolve
from strike_reporting.storage import Store

pytestmark = pytest.mark.integration
JD, D1, D2 = "JD-2023-04-11", "2023-04-11", "2023-04-12"
CANCELLED = "ods_code,site_code,activity_date,point_of_delivery,status,cancelled_count\n"
PLANNED = "ods_code,activity_date,point_of_delivery,planned_count\n"
STAFF = "ods_code,shift_date,staff_group,due_to_work,absent_action\n"
DIALECT = """\
id: letters
extract: cancellations
description: A trust's own letters.
columns:
  ods_code: Our code
  activity_date: {header: Our day, format: "%d/%m/%Y"}
  point_of_delivery: {header: Letter, codes: {X: WHAT}}
  cancelled_count: How many put off
constants: {status: cancelled}
"""
AREAS = "area_code,area_name,members,page,mail_list,sites,source\nHAMPSHIRE,NAME,MEMBERS,yes,,yes,a test\n"
ASKED = (
    "action_id,extract,trusts,qualifier,ods_codes,source\n"
    + f"{JD},cancellations,6,exact,RHM;RHU;RN5;RW1;R1C;R0A,a test\n"
)
CARE = {"day_case": "inpatient", "elective_inpatient": "inpatient", "outpatient_first": "outpatient"}
HANTS = ("RHM", "RHU", "RN5", "R1F", "RW1")
WIDE = {c: [("icb", "QRL"), ("region", "Y59")] for c in HANTS} | {"R0A": [("icb", "QOP"), ("region", "Y62")]}
NEW, RESENT, AGAIN, WITHDRAWN = "new returns", "resubmissions", "judged again", "withdrawn"
MEMBERS, ASKED_OTHERWISE, METHOD = "trusts of the area changed", "asked otherwise", "a change of method"

Cell = tuple[str, str, str, str]  # trust, day, measure, point of delivery or staff group
Cause = tuple[str, str]  # what happened, and of whom
Figure = tuple[str, str, str]  # table, key, column


@dataclass
class World:
    """What trusts have said up to now that counts, and to which areas they belong."""

    cells: dict[Cell, int]
    hampshire: tuple[str, ...] = HANTS
    asked: tuple[str, ...] = (*HANTS, "R0A")

    def areas(self, trust: str, measure: str) -> Iterator[tuple[str, str]]:
        yield from (("trust", trust), ("england", "ENG"), *WIDE[trust])
        if trust in self.hampshire:
            yield ("hampshire", "HAMPSHIRE")
        if trust == "RHM" and measure in ("cancelled", "rebooked"):
            yield ("site", "RHM01")  # its files name it in every row


@dataclass
class Round:
    """Two things that happen at once. changes: cells to what they are now, and which of them it was."""

    changes: dict[Cell, tuple[int | None, Cause]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    withdrawn: tuple[str, ...] = ()
    config: dict[str, str] = field(default_factory=dict)
    hampshire: tuple[str, ...] | None = None
    asked: tuple[str, ...] | None = None
    others: tuple[Cause, ...] = ()  # what changes no sum
    is_by_method: bool = False
    is_made_again: bool = False  # costs seconds


def cancelled(*rows: tuple[str, str, str, int], status: str = "cancelled") -> str:
    """A file of cancellations; those of RHM name their site."""
    site = {"RHM": "RHM01"}
    return CANCELLED + "".join(f"{t},{site.get(t, '')},{d},{pod},{status},{n}\n" for t, d, pod, n in rows)


def new(trust: str, name: str, extract: str = "cancellations") -> Cause:
    return NEW, f"{trust} {extract} ({name})"


def resent(trust: str, name: str, extract: str = "cancellations") -> Cause:
    return RESENT, f"{trust} {extract} ({name})"


BASE: dict[Cell, int] = {
    ("RHM", D1, "cancelled", "day_case"): 40,
    ("RHM", D1, "cancelled", "elective_inpatient"): 20,
    ("RHM", D2, "cancelled", "day_case"): 30,
    ("RHM", D1, "cancelled", "outpatient_first"): 100,
    ("RHM", D1, "planned", "day_case"): 400,
    ("RHM", D1, "planned", "elective_inpatient"): 200,
    ("RHM", D1, "absent_action", "medical_and_dental"): 12,
    ("RHM", D1, "due_to_work", "medical_and_dental"): 30,
    ("RHU", D1, "cancelled", "outpatient_first"): 50,
    ("RHU", D1, "cancelled", "day_case"): 10,
    ("R0A", D1, "cancelled", "day_case"): 70,
    ("R1F", D1, "cancelled", "day_case"): 8,
}
FIRST = {
    "rhm1.csv": cancelled(
        ("RHM", D1, "day_case", 40), ("RHM", D1, "elective_inpatient", 20), ("RHM", D2, "day_case", 30)
    ),
    "rhm2.csv": cancelled(("RHM", D1, "outpatient_first", 100)),
    "rhmp.csv": f"{PLANNED}RHM,{D1},day_case,400\nRHM,{D1},elective_inpatient,200\n",
    "rhms.csv": f"{STAFF}RHM,{D1},medical_and_dental,30,12\n",
    "rhu1.csv": cancelled(("RHU", D1, "outpatient_first", 50), ("RHU", D1, "day_case", 10)),
    "r0a1.csv": cancelled(("R0A", D1, "day_case", 70)),
    "r1f1.csv": "Our code,Our day,Letter,How many put off\nR1F,11/04/2023,X,8\n",
}
GONE = (WITHDRAWN, "RHM cancellations (rhm2.csv)")
ROUNDS = {
    "a late return, and another trust's correction": Round(
        files={
            "rn5.csv": cancelled(("RN5", D1, "day_case", 15)),
            "rhu2.csv": cancelled(("RHU", D1, "outpatient_first", 55)),
        },
        changes={
            ("RN5", D1, "cancelled", "day_case"): (15, new("RN5", "rn5.csv")),
            ("RHU", D1, "cancelled", "outpatient_first"): (55, resent("RHU", "rhu2.csv")),
        },
    ),
    "one trust's file withdrawn, and another of its files corrected, of the same day": Round(
        is_made_again=True,
        withdrawn=("rhm2.csv",),
        files={"rhm3.csv": cancelled(("RHM", D1, "day_case", 42), ("RHM", D1, "elective_inpatient", 21))},
        changes={
            ("RHM", D1, "cancelled", "outpatient_first"): (None, GONE),
            ("RHM", D1, "cancelled", "day_case"): (42, resent("RHM", "rhm3.csv")),
            ("RHM", D1, "cancelled", "elective_inpatient"): (21, resent("RHM", "rhm3.csv")),
        },
    ),
    "two extracts of one trust and day, and another status": Round(
        files={
            "rhm4.csv": cancelled(("RHM", D1, "day_case", 5), status="rebooked"),
            "rhms2.csv": f"{STAFF}RHM,{D1},medical_and_dental,30,14\n",
        },
        changes={
            ("RHM", D1, "rebooked", "day_case"): (5, new("RHM", "rhm4.csv")),
            ("RHM", D1, "absent_action", "medical_and_dental"): (14, resent("RHM", "rhms2.csv", "staffing")),
        },
    ),
    "a trust leaves an area, and another's return is late": Round(
        config={"reference/areas.csv": AREAS.replace("NAME", "Hampshire").replace("MEMBERS", "RHM;RHU;R1F;RW1")},
        hampshire=("RHM", "RHU", "R1F", "RW1"),
        files={"rw1.csv": f"{STAFF}RW1,{D1},medical_and_dental,6,3\n"},
        changes={
            ("RW1", D1, "absent_action", "medical_and_dental"): (3, new("RW1", "rw1.csv", "staffing")),
            ("RW1", D1, "due_to_work", "medical_and_dental"): (6, new("RW1", "rw1.csv", "staffing")),
        },
    ),
    "a dialect that was wrong, with the same total, and a correction": Round(
        is_made_again=True,
        config={"dialects/letters.yaml": DIALECT.replace("WHAT", "elective_inpatient")},
        files={"rhu3.csv": cancelled(("RHU", D1, "outpatient_first", 56))},
        changes={
            ("R1F", D1, "cancelled", "day_case"): (None, (AGAIN, "R1F cancellations (r1f1.csv)")),
            ("R1F", D1, "cancelled", "elective_inpatient"): (8, (AGAIN, "R1F cancellations (r1f1.csv)")),
            ("RHU", D1, "cancelled", "outpatient_first"): (56, resent("RHU", "rhu3.csv")),
        },
    ),
    "a correction that moves as much as it takes, and a withdrawal": Round(
        withdrawn=("r0a1.csv",),
        files={"rhm5.csv": cancelled(("RHM", D1, "day_case", 40), ("RHM", D1, "elective_inpatient", 23))},
        changes={
            ("R0A", D1, "cancelled", "day_case"): (None, (WITHDRAWN, "R0A cancellations (r0a1.csv)")),
            ("RHM", D1, "cancelled", "day_case"): (40, resent("RHM", "rhm5.csv")),
            ("RHM", D1, "cancelled", "elective_inpatient"): (23, resent("RHM", "rhm5.csv")),
        },
    ),
    "a file that is refused beside what stands, and another plan": Round(
        files={
            "rhu4.csv": cancelled(("RHU", D1, "outpatient_first", 0)).replace(",0\n", ",many\n"),
            "rhmp2.csv": f"{PLANNED}RHM,{D1},day_case,380\nRHM,{D1},elective_inpatient,200\n",
        },
        changes={("RHM", D1, "planned", "day_case"): (380, resent("RHM", "rhmp2.csv", "planned activity"))},
    ),
    "fewer are asked, and one more returns": Round(
        config={"reference/asked.csv": ASKED},
        asked=("RHM", "RHU", "RN5", "RW1", "R0A"),
        files={"r0a2.csv": cancelled(("R0A", D2, "day_case", 9))},
        changes={("R0A", D2, "cancelled", "day_case"): (9, new("R0A", "r0a2.csv"))},
        others=((ASKED_OTHERWISE, "R1F cancellations"),),
    ),
    "another method for a share, and a correction": Round(
        is_by_method=True,
        files={"rhu5.csv": cancelled(("RHU", D1, "outpatient_first", 57))},
        changes={("RHU", D1, "cancelled", "outpatient_first"): (57, resent("RHU", "rhu5.csv"))},
        others=((METHOD, ""),),
    ),
    "a label, and a return that is withdrawn whole": Round(
        config={
            "reference/areas.csv": AREAS.replace("NAME", "Hampshire and more").replace("MEMBERS", "RHM;RHU;R1F;RW1")
        },
        withdrawn=("rn5.csv",),
        changes={("RN5", D1, "cancelled", "day_case"): (None, (WITHDRAWN, "RN5 cancellations (rn5.csv)"))},
    ),
}


def figures(world: World) -> dict[Figure, Counter[str]]:
    """Every sum that is published, by trust."""
    found: dict[Figure, Counter[str]] = defaultdict(Counter)
    returned: set[tuple[str, str]] = set()
    for (trust, day, measure, kind), value in world.cells.items():
        is_staff = kind == "medical_and_dental"
        if measure != "planned":
            returned.add(("staffing_" if is_staff else "", trust))
        for area_type, code in world.areas(trust, measure):
            area = f"area_type={area_type}|area_code={code}"
            if is_staff:
                found["staffing_daily", f"{area}|strike_day={day}|staff_group=medical_and_dental", measure][trust] += (
                    value
                )
            else:
                cell = f"care_setting={CARE[kind]}|point_of_delivery={kind}|activity_unit=appointment"
                found["cancellations_daily", f"{area}|strike_day={day}|{cell}", measure][trust] += value
            for total in _totals(measure, kind):
                found["action_totals", area, total][trust] += value
    for prefix, trust in returned:
        for area_type, code in world.areas(trust, ""):
            if prefix or trust in world.asked:
                found["action_totals", f"area_type={area_type}|area_code={code}", f"{prefix}trusts_returned"][trust] = 1
    return found


def _totals(measure: str, kind: str) -> tuple[str, ...]:
    if measure == "absent_action":
        return ("staff_days_lost",)
    return (f"{CARE[kind]}_cancelled", "acute_cancelled") if measure == "cancelled" else ()


SUMS = {"cancelled", "rebooked", "planned", "absent_action", "due_to_work", "staff_days_lost", "acute_cancelled"}
SUMS |= {"inpatient_cancelled", "outpatient_cancelled"}


def is_summed(figure: Figure) -> bool:
    """Whether `figures` says it: sums, and how many trusts returned in all."""
    return figure[2] in SUMS or (figure[0] == "action_totals" and figure[2].endswith("trusts_returned"))


def expected(before: World, after: World, what: Round) -> dict[Figure, set[Cause]]:
    """Every sum that changes, with what changed it."""
    found: dict[Figure, set[Cause]] = {}
    was, now = figures(before), figures(after)
    cells = {figure: changed_cells(figure, what) for figure in {*was, *now}}
    for figure in {*was, *now}:
        old, new_ = was.get(figure, Counter()), now.get(figure, Counter())
        if figure[2].endswith("trusts_returned"):
            differs = sum(old.values()) != sum(new_.values())
        else:
            differs = (figure in was, sum(old.values())) != (figure in now, sum(new_.values()))
        if not differs:
            continue
        for trust in {t for t in {*old, *new_} if (t in old, old[t]) != (t in new_, new_[t])}:
            is_moved = "HAMPSHIRE" in figure[1] and (trust in before.hampshire) != (trust in after.hampshire)
            causes = {(MEMBERS, trust)} if is_moved else {c for t, c in cells[figure] if t == trust}
            if not causes and figure[2] == "trusts_returned":
                causes = {c for c in what.others if c[0] == ASKED_OTHERWISE and c[1].startswith(trust)}
            found.setdefault(figure, set()).update(causes)
    return found


def changed_cells(figure: Figure, what: Round) -> list[tuple[str, Cause]]:
    """Trust and cause of the cells behind a figure that change."""
    table, key, column = figure
    return [
        (trust, cause)
        for (trust, day, measure, kind), (_, cause) in what.changes.items()
        if (
            f"strike_day={day}" in key and kind in key and measure == column
            if table != "action_totals"
            else column in _totals(measure, kind)
            or column == ("staffing_trusts_returned" if kind == "medical_and_dental" else "trusts_returned")
        )
    ]


def said(reason: str) -> dict[Cause, int | None]:
    """A published reason, taken apart: its causes, each with its amount where it has one."""
    found: dict[Cause, int | None] = {}
    for part in reason.split("; "):
        what, _, of = part.partition(": ")
        for one in of.split(", "):
            named = re.fullmatch(r"(.*?)(?: ([+-]\d+))?", one)
            assert named is not None
            found[what, named[1]] = int(named[2]) if named[2] else None
    return found


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, str]], None]]:
    """A configuration to write files into."""
    write_starter(tmp_path / "config")
    monkeypatch.setenv("STRIKES_CONFIG", str(tmp_path / "config"))

    def write(files: dict[str, str]) -> None:
        for name, text in files.items():
            (tmp_path / "config" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "config" / name).write_text(text, encoding="utf-8")
        england.forget()

    with england.small_england(tmp_path / "reference"):
        write({"dialects/letters.yaml": DIALECT.replace("WHAT", "day_case")})
        yield write


def publish(store: Store, folder: Path, files: dict[str, str]) -> list[dict[str, str]]:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    collect_drop(store, folder, JD)
    judge(store)
    release, is_new = build(store, resolve(JD))
    assert is_new
    return read_table(store, release, "revisions").to_pylist()


def other_method(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count one more of those absent where it is known how many were due: in a share, and in no sum."""
    real = summaries.statements

    def statements(*args: object) -> Iterator[str]:
        for statement in real(*args):
            yield statement
            if statement.startswith("CREATE TABLE facts "):
                yield "UPDATE facts SET value = value + 1 WHERE measure = 'absent_where_due'"

    monkeypatch.setattr(summaries, "statements", statements)
    monkeypatch.setattr(staging, "METHOD", staging.METHOD + 1)


def test_ten_rounds_of_two_causes_each(
    store: Store, tmp_path: Path, config: Callable[[dict[str, str]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    assert publish(store, folder, FIRST) == [], "the first release revises nothing"
    world = World(dict(BASE))
    for number, (name, what) in enumerate(ROUNDS.items(), start=2):
        if what.config:
            config(what.config)
        if what.is_by_method:
            other_method(monkeypatch)
        for o in ledger_of(store).judged.listed():
            if o.source_name in what.withdrawn:
                withdraw(store, o.submission_id, "A. Analyst", "sent in error")
        rows = publish(store, folder, what.files)

        cells = {**world.cells, **{c: v for c, (v, _) in what.changes.items() if v is not None}}
        for gone in (c for c, (v, _) in what.changes.items() if v is None):
            del cells[gone]
        after = World(cells, what.hampshire or world.hampshire, what.asked or world.asked)
        reasons = {(r["table"], r["key"], r["field"]): said(r["reason"]) for r in rows}
        revised = {figure: {*causes} for figure, causes in reasons.items()}
        for r in rows:
            amounts = reasons[r["table"], r["key"], r["field"]].values()
            if r["field"] in SUMS:
                assert sum(a or 0 for a in amounts) == int(r["new"] or 0) - int(r["old"] or 0), (name, r)
            else:
                assert {*amounts} == {None}, (name, r)
        sums = {figure: causes for figure, causes in revised.items() if is_summed(figure)}
        assert sums == expected(world, after, what), name
        every = {cause for _, cause in what.changes.values()} | {*what.others}
        every |= {(MEMBERS, t) for t in {*world.hampshire} ^ {*after.hampshire}}
        for figure, causes in revised.items():
            assert causes <= every, (name, figure)
            where = figure[1].split("|")[1].removeprefix("area_code=")
            for _, of in causes:
                trusts = {"ENG": of[:3], "HAMPSHIRE": of[:3], "RHM01": "RHM"}
                inside = {c for c in WIDE if where in (c, *(a for _, a in WIDE[c]))} | {trusts.get(where)}
                assert of[:3] in inside or not of, (name, figure, causes)
        for figure in revised:
            if figure[2] in ("percent_planned_maintained", "percent_cancelled"):
                assert {of[:3] for _, of in revised[figure]} == {"RHM"}, (name, figure)
        release, _ = build(store, resolve(JD))
        assert release.number == number
        if what.is_made_again:
            assert reproduce(store, release.release_id).files == (), name
        world = after
