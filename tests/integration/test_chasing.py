"""Who has not returned is reminded before the cut-off and listed at it, once, in two strike days by the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
import small_england as england
import time_machine
from conftest import judge
from drafted import at
from inbox import Inbox, inbox
from strike_reporting.cli import app
from strike_reporting.intake.collecting import collect
from strike_reporting.intake.registry import load_feeds
from strike_reporting.ledger import ledger_of
from strike_reporting.operations.chasing import chase
from strike_reporting.operations.mail import Post, deliver
from strike_reporting.operations.rebuild import rebuild
from strike_reporting.reference import due
from strike_reporting.settings import settings
from strike_reporting.storage import Store
from typer.testing import CliRunner

__all__ = ["inbox"]  # a fixture
pytestmark = pytest.mark.integration
HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
STAFF = "ods_code,shift_date,staff_group,due_to_work,absent_action\n"
LISTS = {"england": "england@nhs.example", "hampshire": "hampshire@nhs.example"}
FEEDS = """
- {trust: RHU, extract: cancellations, location: rhu, contact: one@rhu.example}
- {trust: RHU, extract: staffing, location: rhu-staff, contact: one@rhu.example, due: "10:30"}
- {trust: RHM, extract: cancellations, location: rhm, contact: info@rhm.example}
- {trust: RHM, extract: staffing, location: rhm-staff, contact: people@rhm.example}
- {sender: the-group, trusts: [R0A, RN5, RHU], extract: cancellations, location: group, contact: group@nhs.example}
- {trust: R0A, extract: staffing, location: r0a, contact: off@r0a.example, enabled: false}
"""
WIDE = {"COLUMNS": "300"}
Mails = dict[str, EmailMessage]


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with england.with_feeds(tmp_path, monkeypatch, FEEDS) as folder:
        yield folder


@pytest.fixture
def rounds(store: Store, home: Path) -> Callable[..., Mails]:
    """A round comes at a moment; what lies at the feeds is pulled, and judged unless that is still to come."""
    for name in ("rhu", "rhu-staff", "rhm", "rhm-staff", "group"):
        (home / "inbox" / name).mkdir(parents=True)

    def come(local: str, is_judged: bool = True, **files: str) -> Mails:
        with time_machine.travel(at(local), tick=False):
            for n, (folder, text) in enumerate(files.items()):
                (home / "inbox" / folder.replace("_", "-") / f"{local.replace(':', '')}-{n}.csv").write_text(text)
            collect(store, "r", load_feeds())
            if is_judged:
                judge(store)
            chase(store, datetime.now(UTC))
            came: list[EmailMessage] = []
            counts = deliver(store, Post("a@nhs.example", came.append, LISTS), datetime.now(UTC))
            assert not counts["failed"], [e.reason for e in ledger_of(store).letters.listed("failed")]
            return {m["To"]: m for m in came if "returns" in m["Subject"] or "have returned" in m["Subject"]}

    return come


def sent(code: str, day: int) -> str:
    return f"{HEAD}{code},2023-04-{day},day_case,cancelled,4\n"


def test_each_contact_is_reminded_once_of_all_that_is_missing(rounds: Callable[..., Mails]) -> None:
    assert rounds("12 09:50") == {}, "an hour before the cut-off, and no earlier"
    mails = rounds("12 10:10")  # the round of 10:00 was lost
    assert set(mails) == {"one@rhu.example", "info@rhm.example", "people@rhm.example", "group@nhs.example"}
    said = mails["one@rhu.example"]
    assert said["Subject"] == "Strike reporting: returns for 11 April 2023 are due at 11:00 on 12 April 2023"
    text = said.get_content()
    assert (
        "- Portsmouth Hospitals University NHS Trust (RHU): cancellations\n  due at 11:00 on 12 April 2023, London"
        in text
    )
    assert "the time of your feed is 10:30" in text and "as before, by folder (rhu-staff)" in text
    assert "(cancelled_count) is 0" in text and "(absent_action) is 0" in text
    group = mails["group@nhs.example"].get_content()
    assert "(R0A): cancellations" in group and "(RN5): cancellations" in group
    assert "(RHU)" not in group, "it has a feed of its own"
    assert said["Message-ID"].startswith("<reminder.2023-04-12.1100.") and said["Date"].startswith("Wed, 12 Apr 2023")
    assert rounds("12 10:10") == rounds("12 10:20") == {}


def test_nobody_is_reminded_of_what_came_or_waits_to_be_judged(rounds: Callable[..., Mails]) -> None:
    rounds("12 08:00", rhu=sent("RHU", 11), group=sent("R0A", 11))
    mails = rounds("12 10:00", is_judged=False, rhm=sent("RHM", 11))
    assert set(mails) == {"one@rhu.example", "people@rhm.example", "group@nhs.example"}
    assert "cancellations" not in mails["one@rhu.example"].get_content()
    assert "R0A" not in mails["group@nhs.example"].get_content()


def test_a_file_that_was_refused_is_not_returned(rounds: Callable[..., Mails]) -> None:
    mails = rounds("12 10:00", rhm="nothing like it", rhu=sent("RHU", 11))
    assert "what went wrong last: " in mails["info@rhm.example"].get_content()
    listed = rounds("12 11:00")["hampshire@nhs.example"].get_content()
    assert "(RHM)\n- Cancellations: came, and could not be used\n  feed RHM.cancellations (folder)" in listed


def test_at_the_cut_off_each_list_gets_who_is_missing_of_its_own(rounds: Callable[..., Mails]) -> None:
    rounds("12 07:10", rhu=sent("RHU", 11))
    rounds("12 10:00")
    assert rounds("12 10:50") == {}
    mails = rounds("12 11:00")
    assert set(mails) == {*LISTS.values()}
    ours, all_of_it = (mails[LISTS[n]].get_content() for n in ("hampshire", "england"))
    assert "Manchester University NHS Foundation Trust (R0A)" in all_of_it and "R0A" not in ours
    assert "- Staffing: nothing was received\n  feed RHU.staffing (folder), contact one@rhu.example\n" in ours
    assert "(R0A)\n- Cancellations: nothing was received\n  feed the-group.cancellations" in all_of_it
    lost = all_of_it.partition("Without a feed, so nobody was reminded")[2]
    assert "- Manchester University NHS Foundation Trust (R0A): staffing\n" in lost, "its feed is disabled"
    assert "(RHU)" not in lost
    assert "last success: never" in ours
    counted = mails[LISTS["hampshire"]]["Subject"]
    assert counted.startswith("Strike reporting: Hampshire, 11 April 2023: ") and "returns are outstanding" in counted
    assert rounds("12 11:10") == rounds("12 12:00") == {}
    again = rounds("13 10:00")
    assert "returns for 12 April 2023" in again["info@rhm.example"]["Subject"], "each day for itself"
    listed = rounds("13 11:00", is_judged=False, rhu=sent("RHU", 12))[LISTS["hampshire"]].get_content()
    assert "(RHU)\n- Cancellations: came, and is being judged" in listed
    assert "last success: 07:10 on 12 April 2023" in listed


def test_that_all_have_returned_is_said_once_and_no_contact_hears(
    rounds: Callable[..., Mails], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "strike_reporting.operations.outstanding._expected", lambda *_: frozenset({("RHU", "cancellations")})
    )
    assert rounds("12 10:00", rhu=sent("RHU", 11)) == {}
    mails = rounds("12 11:00")
    assert [m["Subject"].rpartition(": ")[2] for m in mails.values()] == ["all have returned"] * 2
    assert "All 1 expected returns have come." in mails[LISTS["england"]].get_content()
    assert rounds("12 11:10") == {}


def test_what_is_long_past_or_not_struck_is_not_chased(
    rounds: Callable[..., Mails], monkeypatch: pytest.MonkeyPatch, config: Path
) -> None:
    late = rounds("12 17:10")
    assert "was due at 11:00" in late["info@rhm.example"].get_content() and LISTS["england"] in late
    assert all("15 April" not in m["Subject"] for m in rounds("17 11:10").values())
    assert rounds("17 11:20") == {}, "the 14th is due on the 15th, more than two days ago"


def test_of_a_strike_that_was_called_off_nobody_is_chased_for_the_days_after(
    rounds: Callable[..., Mails], config: Path, store: Store
) -> None:
    row = {"action_id": "JD-2023-04-11", "status": "suspended", "status_date": "2023-04-11"}
    _overlay(config, row)
    assert "info@rhm.example" in rounds("12 10:00"), "the first day was struck"
    assert rounds("13 10:00") == {} or set(rounds("13 10:00")) <= {*LISTS.values()}
    assert [n for n in chase(store, at("14 11:30")) if "2023-04-14" in n] == []


def _overlay(config: Path, changed: dict[str, str]) -> None:
    import csv

    from strike_reporting.reference.facts import reference_folder

    with (reference_folder() / "strike_calendar.csv").open() as file:
        rows = list(csv.DictReader(file))
    [row] = [r for r in rows if r["action_id"] == changed["action_id"]]
    (config / "reference").mkdir(exist_ok=True)
    with (config / "reference" / "strike_calendar.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [*row])
        writer.writeheader()
        writer.writerow(row | changed)
    england.forget()


def test_a_ledger_made_again_says_nothing_twice(rounds: Callable[..., Mails], store: Store) -> None:
    assert rounds("12 10:00") and rounds("12 11:00")
    with time_machine.travel(at("12 11:05"), tick=False):
        rebuild(store)
    assert rounds("12 11:10") == {}


def test_an_idle_hour_asks_next_to_nothing(
    rounds: Callable[..., Mails], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("strike_reporting.operations.outstanding.outstanding", lambda *_: 1 / 0)
    rounds("08 10:00")
    monkeypatch.setattr("strike_reporting.operations.chasing.ledger_of", lambda *_: 1 / 0)
    assert chase(store, at("08 10:00")) == [], "no strike is near, so not even the ledger is asked"


def test_no_reminder_where_the_setting_says_so(rounds: Callable[..., Mails], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIKES_REMIND_MINUTES", "0")
    settings.cache_clear()
    assert rounds("12 10:30") == {}
    assert set(rounds("12 11:00")) == {*LISTS.values()}


@pytest.mark.parametrize("inbox", [{"distribution": LISTS}], indirect=True)
def test_a_server_takes_notice_reminder_and_list_as_the_rounds_send_them(
    rounds: Callable[..., Mails], inbox: Inbox, home: Path
) -> None:
    from strikes_mail import chase_out, mail_out

    with time_machine.travel(at("12 09:30")):
        (home / "inbox" / "rhm" / "x.csv").write_text("nothing like it")
        collect(Store(), "r", load_feeds())
        judge(Store())
        assert mail_out()["sent"] == 1
    with time_machine.travel(at("12 10:00")):
        assert chase_out()["sent"] == 4 and chase_out() == {}
    with time_machine.travel(at("12 11:00")):
        assert chase_out()["sent"] == 2 and chase_out() == {}
    kinds = [
        "a cancellations file of yours could not be used",
        *["are due at 11:00"] * 4,
        *["returns are outstanding"] * 2,
    ]
    assert all(kind in m["Subject"] for kind, m in zip(kinds, inbox.messages, strict=True))
    assert [m["Date"].datetime.strftime("%H:%M") for m in inbox.messages] == ["08:30", *["09:00"] * 4, *["10:00"] * 2]
    assert len({m["Message-ID"] for m in inbox.messages}) == 7
    assert all(m["Message-ID"].endswith("@nhs.example>") for m in inbox.messages)
    assert {to for tos in inbox.recipients[5:] for to in tos} == {*LISTS.values()}


def test_an_engineer_sees_the_list_before_anybody_is_mailed(rounds: Callable[..., Mails]) -> None:
    rounds("12 08:00", rhu=sent("RHU", 11))
    with time_machine.travel(at("12 09:00"), tick=False):
        shown = CliRunner().invoke(app, ["feed", "outstanding", "--area", "hampshire"], env=WIDE)
    assert shown.exit_code == 0, shown.output
    assert "RHM.staffing" in shown.output and "the-group.cancellations" in shown.output and "R0A" not in shown.output
    assert "returns of 2023-04-11 are outstanding." in shown.output
    with time_machine.travel(at("12 10:00"), tick=False):
        wrong = CliRunner().invoke(app, ["feed", "outstanding", "--area", "hamshire"])
        none = CliRunner().invoke(app, ["feed", "outstanding", "--due", "2023-04-10"])
    assert "The nearest is hampshire" in str(wrong.exception)
    assert "No returns are due on 2023-04-10" in none.output


def test_what_is_due_on_a_day_is_what_was_struck() -> None:
    assert due.calendar().returns_due(at("12 00:00").date()) == ("JD-2023-04-11",)
    assert due.calendar().returns_due(at("11 00:00").date()) == ()
