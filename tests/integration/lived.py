"""A strike lived through, from its announcement to the final figures: what happens, and what must have come of it.

Six trusts of a small England; one merges on the second strike day, one never returns, the last day is suspended. It is
lived in one process (`test_lived`) and on a real scheduler whose clock is moved (`tests/dags/test_lived_by_clock`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
import small_england as england
import yaml
from strike_reporting.clock import LONDON
from strike_reporting.operations.calendar_edits import edit
from strike_reporting.operations.starter import write_starter
from strike_reporting.publishing.drafts import shown
from strike_reporting.publishing.releases import find, read_table
from strike_reporting.reference.actions import resolve
from strike_reporting.site import strike
from strike_reporting.storage import Store

RD = "RD-2024-09-30"
FEEDS = {"cancellations": "activity_date", "staffing": "shift_date"}
TRUSTS = ("RHU", "RHM", "RN5", "R1F", "R1C", "RW1", "R0A")
LISTS = {n: f"{n}@nhs.example" for n in ("england", "hampshire")}
SAID = {
    "dispute": "2024 pay",
    "staff_group": "resident_doctors(junior)",
    "unions": "BMA",
    "start": "2024-09-30T07:00",
    "end": "2024-10-03T07:00",
    "cover_level": "full_walkout",
    "daily_pattern": "continuous",
}
# At which moment which trust sends what of which day: outpatients (or `<5`), and staff absent where it says so.
SENDS = (
    ("09-20 15:00", "RHU", "anticipated", "09-30 20", "10-01 20", "10-02 20"),
    ("09-20 15:05", "RHM", "anticipated", "09-30 30", "10-01 30", "10-02 30"),
    ("10-01 08:05", "RHU", "cancelled", "09-30 40 12"),
    ("10-01 08:30", "RHM", "cancelled", "09-30 25 9"),
    ("10-01 09:02", "RN5", "cancelled", "09-30 <5 4"),  # refused
    ("10-01 09:30", "R1C", "cancelled", "09-30 6 2"),
    ("10-01 10:00", "RW1", "cancelled", "09-30 8 3"),
    ("10-01 10:40", "RN5", "cancelled", "09-30 11 4"),  # mended
    ("10-01 14:00", "R1F", "cancelled", "09-30 5 1"),  # late: 1
    ("10-02 08:05", "RHU", "cancelled", "10-01 38 11"),
    ("10-02 09:00", "RHM", "cancelled", "10-01 25 8"),
    ("10-02 10:00", "RW1", "cancelled", "10-01 15 5"),
    ("10-02 15:00", "RN5", "cancelled", "10-01 10 3"),  # late: 2
    ("10-03 10:00", "R1F", "cancelled", "10-01 4 1"),  # late: 3
    ("10-03 11:00", "RHU", "reinstated", "10-02 10"),
    ("10-04 09:00", "RHM", "cancelled", "10-02 12"),  # late: 4
    ("10-04 12:00", "RHU", "cancelled", "09-30 30 12"),  # a resubmission that lowers the figure
    ("10-05 12:00", "RHM", "cancelled", "10-01 20 8"),  # another
    ("10-20 12:00", "RN5", "cancelled", "10-02 7"),  # late: 5, after the provisional days
)
EDITS = (
    ("09-16 10:00", {**SAID}),
    ("10-01 18:00", {"status": "suspended"}),  # what is left of it: its last day
)
DECIDES = (
    ("10-04 10:00", "approve", "each trust was asked"),
    ("10-05 10:00", "refuse", "RHM says that a ward was counted twice"),
    ("10-06 10:00", "approve", "RHM has sent it anew"),
    ("10-30 10:00", "approve", "the scheduled revision was looked at"),
)
BEGIN, END = "09-16 09:59", "11-14 12:00"
SUMS = ("outpatient_anticipated", "outpatient_cancelled", "outpatient_reinstated", "acute_cancelled", "staff_days_lost")


def at(local: str) -> datetime:
    return datetime.strptime(f"2024-{local}", "%Y-%m-%d %H:%M").replace(tzinfo=LONDON)


def subject(message: EmailMessage) -> str:
    """What a message is about: a long header that was sent is folded, and may begin with a space."""
    return str(message["Subject"]).strip()


@contextmanager
def configured(base: Path) -> Iterator[dict[str, str]]:
    """A small England with a configuration, feeds and their folders; gives its environment, which this process has."""
    write_starter(base / "config")
    feeds = [
        {
            "trust": code,
            "extract": extract,
            "location": f"{code}/{extract}/*.csv",
            "due": "11:00",
            "contact": f"info@{code.lower()}.example",
        }
        for code in TRUSTS
        for extract in FEEDS
    ]
    (base / "config" / "feeds" / "trusts.yaml").write_text(yaml.safe_dump(feeds))
    environment = {
        "STRIKES_CONFIG": str(base / "config"),
        "STRIKES_HOME": str(base / "home"),
        "STRIKES_FOLDER_SETTLE_SECONDS": "0",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        with england.small_england(base / "reference"):
            for feed in feeds:
                (base / "home" / "inbox" / feed["location"]).parent.mkdir(parents=True)
            yield environment


class Life:
    """What happened, in order: a line for each draft, hold, release and mail."""

    def __init__(self, base: Path) -> None:
        self.store, self.inbox = Store(), base / "home" / "inbox"
        self.lines: list[tuple[str, str, str]] = []
        self.mails: list[tuple[str, EmailMessage]] = []
        self.now = ""

    def say(self, kind: str, what: str) -> None:
        self.lines.append((self.now, kind, what))

    def send(self, code: str, status: str, *days: str) -> None:
        """Files of a trust appear in its folders."""
        count = len(list(self.inbox.rglob("*.csv")))
        rows = [(f"2024-{d}", *numbers) for d, *numbers in (day.split() for day in days)]
        head = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
        text = head + "".join(f"{code},{d},outpatient_first,{status},{n[0]}\n" for d, *n in rows)
        (self.inbox / code / "cancellations" / f"{count:03}.csv").write_text(text)
        staff = [f"{code},{d},medical_and_dental,100,{n[1]}\n" for d, *n in rows if len(n) > 1]
        if staff:
            head = "ods_code,shift_date,staff_group,due_to_work,absent_action\n"
            (self.inbox / code / "staffing" / f"{count:03}.csv").write_text(head + "".join(staff))

    def edit(self, local: str, said: dict[str, str]) -> None:
        """Somebody learns something of the strike and says it in the calendar."""
        edit(RD, said, "https://bma.example", f"{at(local):%Y-%m-%d}", at(local), is_new="start" in said)

    def released(self, release_id: str) -> None:
        made = find(self.store, release_id)
        assert made.standing is not None
        self.say("release", f"{made.number} {made.standing.key}: {self.figures(made)}")

    def heard(self, message: EmailMessage) -> None:
        self.mails.append((self.now, message))
        self.say("mail", f"{message['To']}: {subject(message)}")

    def figures(self, release: object) -> str:
        """England's outpatients anticipated, cancelled, reinstated, and staff-days."""
        rows = read_table(self.store, release, "action_totals").to_pylist()  # type: ignore[arg-type]
        row = next(r for r in rows if r["area_type"] == "england")
        names = ("outpatient_anticipated", "outpatient_cancelled", "outpatient_reinstated", "staff_days_lost")
        return " ".join("[x]" if row[n] is None else f"{row[n]}" for n in names)


def of(life: Life, *kinds: str) -> list[str]:
    return [f"{when} {what}" for when, kind, what in life.lines if kind in kinds]


def test_the_draft_follows_and_is_cut_at_its_time_or_held_for_a_person(life: Life) -> None:
    """Outpatients anticipated, cancelled and reinstated, and staff-days, of England."""
    assert of(life, "hold", "person", "release") == [
        "09-21 08:30 coverage",  # two trusts of six; it is judged an hour ahead
        "10-01 08:10 coverage, flagged",  # each newer draft takes the place of what is held, and is judged at once
        "10-01 08:30 coverage, flagged",
        "10-01 09:10 coverage, flagged",
        "10-01 09:30 coverage, flagged",
        "10-01 10:00 flagged",
        "10-01 10:40 1 provisional: 150 90 [x] 30",
        "10-02 08:30 flagged",
        "10-02 09:00 flagged",
        "10-02 10:00 2 provisional: 150 173 [x] 55",
        "10-03 09:30 3 provisional: 150 183 [x] 58",
        "10-04 08:30 flagged",
        "10-04 10:00 approve: each trust was asked",
        "10-04 10:00 4 provisional: 150 187 10 59",
        "10-05 08:30 flagged",
        "10-05 10:00 refuse: RHM says that a ward was counted twice",
        "10-06 08:30 flagged",
        "10-06 10:00 approve: RHM has sent it anew",
        "10-06 10:00 5 provisional: 150 184 10 59",
        "10-30 08:30 flagged",
        "10-30 10:00 approve: the scheduled revision was looked at",
        "10-30 10:00 6 revised: 150 191 10 59",
    ]
    drafts = of(life, "draft")
    assert len(drafts) == 17
    assert (drafts[0], drafts[-1]) == ("09-20 17:10 150 [x] [x] [x]", "10-20 17:10 150 191 10 59")
    assert [d for d in drafts if d.startswith("10-02 07:30")] == ["10-02 07:30 150 95 [x] 31"], "the suspension alone"


def test_who_hears_of_what_and_when(life: Life) -> None:
    by_kind: dict[str, list[str]] = defaultdict(list)
    for when, message in life.mails:
        said = subject(message)
        kind = next(k for k in ("release", "could not be used", "outstanding", "are due") if k in said)
        name, _, host = str(message["To"]).partition("@")
        by_kind[kind].append(f"{when} {name if name in LISTS else host}")
    assert by_kind["could not be used"] == ["10-01 09:10 rn5.example"]
    assert by_kind["are due"] == [f"10-0{day} 10:00 {code}.example" for day in (1, 2) for code in ("r0a", "r1f", "rn5")]
    assert by_kind["outstanding"] == [f"10-0{day} 11:00 {name}" for day in (1, 2) for name in LISTS]
    cut = ["10-01 10:40", "10-02 10:00", "10-03 09:30", "10-04 10:00", "10-06 10:00", "10-30 10:00"]
    assert by_kind["release"] == [f"{when} {name}" for when in cut for name in LISTS]
    listed = [m.get_content() for w, m in life.mails if w == "10-02 11:00" and "england" in str(m["To"])]
    assert "(R0A)" in listed[0] and "(R1C)" not in listed[0], "it merged that day"
    expected = "Strike reporting: England, 1 October 2024: 6 of 12 returns are outstanding"
    assert expected in [subject(m) for _, m in life.mails]


def test_every_revision_of_a_sum_is_explained_by_trust_and_adds_up(life: Life) -> None:
    told = {}
    for number in range(2, 7):
        rows = read_table(life.store, find(life.store, f"{RD}.r{number}"), "revisions").to_pylist()
        sums = [r for r in rows if r["table"] == "action_totals" and r["field"] in SUMS]
        assert sums
        for r in sums:
            moved = int(r["new"] or 0) - int(r["old"] or 0)
            assert sum(map(int, re.findall(r" ([+-]\d+)(?=[,;]|$)", r["reason"]))) == moved, r
        told |= {(number, r["field"]): r["reason"] for r in sums if "england" in r["key"]}
    names = re.compile(r" \(\d+\.csv\)")
    told = {key: names.sub("", reason) for key, reason in told.items()}
    assert told[2, "outpatient_cancelled"] == (
        "late returns: R1F cancellations +5; "
        "new returns: RHM cancellations +25, RHU cancellations +38, RW1 cancellations +15"
    )
    assert told[3, "outpatient_cancelled"] == "late returns: RN5 cancellations +10"
    assert told[4, "outpatient_cancelled"] == "late returns: R1F cancellations +4"
    assert told[4, "outpatient_reinstated"] == "late returns: RHU cancellations +10"
    assert told[5, "outpatient_cancelled"] == (
        "late returns: RHM cancellations +12; resubmissions: RHM cancellations -5, RHU cancellations -10"
    )
    assert told[6, "outpatient_cancelled"] == "late returns: RN5 cancellations +7"


def test_the_final_figures_name_the_trust_that_never_returned_and_ask_nobody_of_the_day_that_was_not_struck(
    life: Life,
) -> None:
    release = find(life.store, RD)
    assert (release.number, release.status) == (6, "suspended") and shown(life.store) == {}
    returns = read_table(life.store, release, "returns").to_pylist()
    told = [(r["return_status"], r["ods_code"], r["extract"], f"{r['strike_day']:%m-%d}") for r in returns]
    missing = {(code, day) for status, code, extract, day in told if status == "missing" and extract == "staffing"}
    assert missing == {("R0A", "09-30"), ("R0A", "10-01")}
    assert {code for status, code, _, day in told if status == "missing" and day < "10-02"} == {"R0A"}
    assert {day for status, code, _, day in told if status == "received" and code == "R1C"} == {"09-30"}
    off = f"{RD} was suspended on 1 October 2024; struck were 30 September and 1 October 2024"
    assert strike.off(resolve(RD)) == off


def test_nothing_happens_in_an_idle_week(life: Life) -> None:
    """Rounds come, and there is no draft, no release and no mail."""
    assert [line for line in life.lines if "10-07" <= line[0] < "10-20" or line[0] >= "10-31"] == []
