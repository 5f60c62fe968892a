"""A file that cannot be used is told to whoever sent it, once, in whatever company and order it came."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import small_england as england
import time_machine
from conftest import judge, receipts
from strike_reporting.intake.collecting import collect
from strike_reporting.intake.registry import load_feeds
from strike_reporting.judging import filing
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.judged import Settled
from strike_reporting.operations.mail import Post, deliver
from strike_reporting.settings import settings
from strike_reporting.storage import Store

pytestmark = pytest.mark.integration
HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
GOOD, BETTER = (f"{HEAD}RHU,2023-04-11,day_case,cancelled,{n}\n" for n in (4, 5))
BAD, PART = "nothing like it", f"{GOOD}RHU,2023-04-12,day_case,cancelled,many\n"
UNKNOWN = f"{HEAD}XYZ,2023-04-11,day_case,cancelled,4\n"
BOTH = f"{GOOD}R0A,2023-04-11,day_case,cancelled,9\n"
FEEDS = """
- {trust: RHU, extract: cancellations, location: rhu, contact: one@rhu.example}
- {sender: the-group, trusts: [RHU, R0A], extract: cancellations, location: group, contact: group@nhs.example}
"""
Come = Callable[..., list[EmailMessage]]


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with england.with_feeds(tmp_path, monkeypatch, FEEDS) as folder:
        yield folder


def sent(store: Store, sender: str = "Strikes <strikes@nhs.example>") -> list[EmailMessage]:
    """What is mailed now."""
    came: list[EmailMessage] = []
    counts = deliver(store, Post(sender, came.append), datetime.now(UTC))
    assert counts["failed"] == 0, [e.reason for e in ledger_of(store).letters.listed("failed")]
    return came


@pytest.fixture
def come(store: Store, home: Path) -> Come:
    """A round: files come in this order, are judged, and what is due is mailed."""

    def make(*files: tuple[str, str], sender: str = "rhu") -> list[EmailMessage]:
        folder = home / "inbox" / sender
        (home / "inbox" / "rhu").mkdir(parents=True, exist_ok=True)
        (home / "inbox" / "group").mkdir(parents=True, exist_ok=True)
        began = datetime.now(UTC).timestamp() - 60
        for n, (name, text) in enumerate(files):
            (folder / name).write_text(text)
            os.utime(folder / name, (began + n, began + n))
        collect(store, "2023-04-12", load_feeds())
        judge(store)
        return sent(store)

    return make


def told(messages: Sequence[EmailMessage]) -> list[tuple[str, str]]:
    """To whom, and of which file."""
    bodies = [m.get_body(("plain",)) for m in messages]
    assert all(bodies)
    names = [re.findall(r"Your file '([^']*)'", b.get_content())[0] for b in bodies if b]
    return sorted((m["To"].split("@")[0], n) for m, n in zip(messages, names, strict=True))


@pytest.mark.parametrize(
    ("rounds", "expected"),
    [
        ([[("a.csv", GOOD), ("b.csv", BAD)]], [["b.csv"]]),
        ([[("a.csv", BAD), ("b.csv", GOOD)]], [["a.csv"]]),
        ([[("a.csv", GOOD), ("b.csv", PART)]], [["b.csv"]]),
        ([[("a.csv", PART), ("b.csv", BAD), ("c.csv", GOOD)]], [["a.csv", "b.csv"]]),
        ([[("a.csv", GOOD)], [("b.csv", BAD)]], [[], ["b.csv"]]),
        ([[("a.csv", BAD)], [("b.csv", GOOD)]], [["a.csv"], []]),
        ([[("a.csv", BAD)], [("a.csv", GOOD)], [("a.csv", PART)]], [["a.csv"], [], ["a.csv"]]),
        ([[("a.csv", UNKNOWN)]], [["a.csv"]]),
        ([[("a.csv", "")]], [["a.csv"]]),
        # The same bytes once more: a duplicate, of which something must still be mended.
        ([[("a.csv", BAD)], [("b.csv", BAD)], [("b.csv", BAD), ("c.csv", PART)]], [["a.csv"], ["b.csv"], ["c.csv"]]),
        ([[("a.csv", BAD), ("b.csv", BAD)]], [["a.csv"]]),
        # Whoever looks at the second file again after the first was judged has nothing to add.
        ([[("a.csv", BAD), ("b.csv", BAD)], [("b.csv", BAD)]], [["a.csv"], []]),
        ([[("a.csv", GOOD)], [("b.csv", GOOD)]], [[], []]),
    ],
)
def test_a_file_to_mend_is_told_once_in_any_company(
    come: Come, rounds: list[list[tuple[str, str]]], expected: list[list[str]]
) -> None:
    assert [told(come(*files)) for files in rounds] == [[("one", n) for n in names] for names in expected]
    assert come() == [], "and never again"


def test_the_sender_of_a_collective_return_is_told_of_all_of_it_in_one_letter(come: Come) -> None:
    part = BOTH + "R0A,2023-04-12,day_case,cancelled,many\n"
    first = come(("good.csv", BOTH), ("part.csv", part), ("bad.csv", BAD), sender="group")
    assert told(first) == [("group", "bad.csv"), ("group", "part.csv")]
    [said] = [m.get_body(("plain",)).get_content() for m in first if "part.csv" in m.as_string()]
    assert "R0A" in said and "many" in said
    elsewhere = come(("stray.csv", BOTH + "XYZ,2023-04-11,day_case,cancelled,1\n"), sender="group")
    assert told(elsewhere) == [("group", "stray.csv")]


def test_a_file_too_large_to_be_landed_is_told_once(come: Come, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIKES_MAX_FILE_BYTES", "200")
    settings.cache_clear()
    [message] = come(("big.csv", GOOD * 20), ("good.csv", GOOD))
    assert message["To"] == "one@rhu.example" and "'big.csv' is larger than 200 bytes" in message.get_content()
    assert come() == []
    assert told(come(("big.csv", GOOD * 21))) == [("one", "big.csv")], "another file under its name"


def test_what_was_kept_from_judging_for_days_is_told_and_what_is_judged_again_is_not(
    come: Come, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("strike_reporting.judging.settle.open_submission", lambda *_: 1 / 0)
        assert come(("a.csv", BAD)) == [], "the fault is ours"
    with time_machine.travel(datetime.now(UTC) + timedelta(days=3)):
        judge(store)
        assert told(sent(store)) == [("one", "a.csv")]
    assert told(come(("b.csv", PART))) == [("one", "b.csv")]
    ledger_of(store).receiving.judge_again(r.submission_id for r in receipts(store))
    made = filing._outcome
    with time_machine.travel(datetime.now(UTC) + timedelta(days=3)), monkeypatch.context() as patch:
        patch.setattr(filing, "_outcome", lambda v: made(v).model_copy(update={"status": "rejected"}))
        judge(store)
        assert sent(store) == [], "a rule of today that a file of last week breaks is no news"
    assert sorted(e.state for e in ledger_of(store).letters.listed()) == ["expired", "sent", "sent"]


def test_a_letter_that_judging_again_overtook_is_not_sent(come: Come, store: Store, home: Path) -> None:
    (home / "inbox" / "rhu").mkdir(parents=True)
    (home / "inbox" / "group").mkdir()
    (home / "inbox" / "rhu" / "a.csv").write_text(BAD)
    collect(store, "2023-04-12", load_feeds())
    [outcome] = judge(store)
    better = outcome.model_copy(update={"status": "accepted", "rules": {}})
    ledger_of(store).judged.settle([Settled(better, {}, frozenset())])
    assert sent(store) == []
    [letter] = ledger_of(store).letters.listed()
    assert (letter.state, letter.reason) == ("expired", "the file was judged again, and otherwise")


def test_a_message_has_its_date_and_its_id_also_when_it_is_sent_again(come: Come, store: Store) -> None:
    with time_machine.travel("2023-04-12T09:30:00+00:00", tick=False):
        [first] = come(("a.csv", BAD))
    [letter] = ledger_of(store).letters.listed()
    ledger_of(store).letters.put(letter, "failed", "no route")
    with time_machine.travel("2023-04-12T15:30:00+00:00", tick=False):
        [again] = sent(store)
    names = ("Subject", "From", "To", "Date", "Message-ID", "References")
    assert [first[n] for n in names] == [again[n] for n in names]
    assert first.get_body(("plain",)).get_content() == again.get_body(("plain",)).get_content()
    assert parsedate_to_datetime(first["Date"]) == datetime(2023, 4, 12, 9, 30, tzinfo=UTC)
    assert first["Message-ID"] == f"<{letter.about}.rejected@nhs.example>"
    assert first["References"] == f"<{letter.about}@nhs.example>"
    assert first["Auto-Submitted"] == "auto-generated"
