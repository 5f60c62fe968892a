"""E-mails through Airflow's SMTP hook to a real SMTP server on loopback."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from conftest import ROOT
from servers import free_port
from strike_reporting.intake.collecting import collect, collect_drop
from strike_reporting.intake.registry import load_feeds
from strike_reporting.judging.settle import to_validate, validate
from strike_reporting.operations.mail import announcements, notices, send
from strike_reporting.publishing.releases import build, find, read_table
from strike_reporting.reference.actions import resolve
from strike_reporting.simulator.examples import write_examples
from strike_reporting.storage import Store

JD = "JD-2023-04-11"
LISTS = {"england": "england@nhs.example", "hampshire": "one@hants.example, two@hants.example"}
pytestmark = pytest.mark.integration


class Inbox:
    """What the server received; refuses everything while `full`."""

    def __init__(self) -> None:
        self.full, self.messages, self.recipients = False, [], []

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        if self.full:
            return "452 4.2.2 mailbox full"
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients.append(envelope.rcpt_tos)
        return "250 OK"


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    held = Inbox()
    port = free_port()
    server = Controller(held, hostname="127.0.0.1", port=port)
    server.start()
    connection = {
        "conn_type": "smtp",
        "host": "127.0.0.1",
        "port": port,
        "extra": {"disable_ssl": True, "disable_tls": True, "from_email": "strikes@nhs.example", "retry_limit": 1},
    }
    monkeypatch.setenv("AIRFLOW_CONN_STRIKES_MAIL", json.dumps(connection))
    monkeypatch.syspath_prepend(str(ROOT / "dags"))
    yield held
    server.stop()
    sys.modules.pop("strikes_mail", None)


def publish(store: Store, folder: Path) -> str:
    collect_drop(store, folder, JD)
    validate(store, to_validate(store))
    return build(store, resolve(JD))[0]["release_id"]


def mail(store: Store, lists: object = LISTS) -> dict[str, int]:
    from strikes_mail import mail_out

    now = datetime.now(UTC)
    return mail_out(lambda s, sender, extra: announcements(s, lists, sender, "https://strikes.nhs.example", now))


def test_a_release_is_announced_once_to_each_areas_list(store: Store, home: Path, inbox: Inbox) -> None:
    write_examples(home / "inbox")
    collect(store, "2026-11-24", load_feeds())
    validate(store, to_validate(store))
    build(store, resolve(JD))
    assert mail(store) == {"sent": 2, "failed": 0, "before": 0}
    assert mail(store) == {"sent": 0, "failed": 0, "before": 2}
    assert inbox.recipients == [["england@nhs.example"], ["one@hants.example", "two@hants.example"]]
    assert not list(announcements(store, LISTS, "a@b.example", "", datetime.now(UTC) + timedelta(days=3)))
    totals = {r["area_code"]: r for r in read_table(store, resolve(JD), 1, "action_totals").to_pylist()}
    for message, code in zip(inbox.messages, ("ENG", "HAMPSHIRE"), strict=True):
        plain = message.get_body(("plain",)).get_content()
        html = message.get_body(("html",)).get_content()
        number = f"{totals[code]['outpatient_cancelled']:,}"
        cover = f"{totals[code]['trusts_returned']} of {totals[code]['trusts_expected']} trusts"
        assert f"Outpatient cancelled: {number} ({cover})" in plain
        assert number in html and cover in html
        assert "first release" in plain and "https://strikes.nhs.example/releases/JD-2023-04-11/0001/" in plain
        assert message["Subject"].startswith("Junior doctors’ strike, 11 to 14 April 2023")


def test_a_revised_release_says_what_changed_and_why(store: Store, drop, inbox: Inbox) -> None:
    head = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
    publish(store, drop(a__csv=head + "RHU,2023-04-11,day_case,cancelled,4\nRHU,2023-04-12,day_case,cancelled,1\n"))
    folder = drop(b__csv=head + "RJ1,2023-04-11,outpatient_first,cancelled,9\n")
    release = publish(store, folder)
    (folder / "a.csv").write_text(head + "RHU,2023-04-11,day_case,cancelled,6\n")
    latest = publish(store, folder)
    assert (release[-2:], latest[-2:]) == ("r2", "r3")
    mail(store)
    england, hampshire = (m.get_body(("plain",)).get_content() for m in inbox.messages)
    line = "- Inpatient and day case cancelled: 7, was 5 (new or replaced returns: RHU cancellations)"
    assert line in england and line in hampshire
    assert "RJ1" not in england and "What changed since JD-2023-04-11.r2" in england


def test_a_full_mailbox_fails_nothing_and_is_tried_again(store: Store, drop, inbox: Inbox) -> None:
    head = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
    release = publish(store, drop(a__csv=head + "RHU,2023-04-11,day_case,cancelled,4\n"))
    inbox.full = True
    assert mail(store) == {"sent": 0, "failed": 2, "before": 0}
    assert find(store, JD)["release_id"] == release
    record = store.read_json(f"ledger/mail/{release}.england.json")
    assert record["status"] == "failed" and "mailbox full" in record["reason"]
    inbox.full = False
    assert mail(store) == {"sent": 2, "failed": 0, "before": 0}
    assert len(inbox.messages) == 2


def test_without_a_connection_nothing_is_sent(store: Store, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_STRIKES_MAIL")
    assert mail(store) == {}


def test_the_trusts_contact_gets_the_reason_and_no_patient_data(store: Store, home: Path, inbox: Inbox) -> None:
    from strikes_mail import mail_out

    folder = home / "inbox" / "published" / "RHM" / "cancellations"
    folder.mkdir(parents=True)
    numbers = ["943 476 5919", "943 476 5870", "943 476 5862", "987 654 4321"]
    rows = "".join(f"RHM,2023-04-11,day_case,cancelled,1,{n}\n" for n in numbers)
    (folder / "x.csv").write_text("ods_code,activity_date,point_of_delivery,status,cancelled_count,note\n" + rows)
    collect(store, "2026-11-24", [f for f in load_feeds() if f.id == "RHM.cancellations"])
    [outcome] = validate(store, to_validate(store))
    assert outcome.status == "rejected"
    now = datetime.now(UTC)
    assert mail_out(lambda s, sender, extra: notices(s, sender, now)) == {"sent": 1, "failed": 0, "before": 0}
    [message] = inbox.messages
    assert message["To"] == "information@rhm.example"
    assert "could not be used" in message["Subject"]
    said = message.get_body(("plain",)).get_content()
    assert outcome.fix in said
    assert "476" not in said
    [attached] = list(message.iter_attachments())
    assert attached.get_filename() == "error_report.xlsx"
    assert b"476 5" not in attached.get_content()
    assert mail_out(lambda s, sender, extra: notices(s, sender, now))["before"] == 1
    assert not list(notices(store, "a@b.example", now + timedelta(days=3)))


def test_one_message_that_fails_leaves_the_next_alone(store: Store) -> None:
    sent: list[str] = []

    def post(message: EmailMessage) -> None:
        if message["To"] == "bad@nhs.example":
            raise OSError("no route")
        sent.append(message["To"])

    def make(to: str) -> EmailMessage:
        message = EmailMessage()
        message["To"] = to
        return message

    addresses = ("bad@nhs.example", "two\nlines@nhs.example", "good@nhs.example")
    mails = [(f"x{n}.a", to, partial(make, to)) for n, to in enumerate(addresses)]
    assert send(store, mails, post) == {"sent": 1, "failed": 2, "before": 0}
    assert sent == ["good@nhs.example"]
    reasons = [store.read_json(f"ledger/mail/x{n}.a.json")["reason"] for n in range(3)]
    assert "no route" in reasons[0] and "ValueError" in reasons[1] and not reasons[2]


@pytest.mark.parametrize("lists", [["england"], "england@nhs.example", None, {"england": None}])
def test_a_distribution_of_another_form_fails_nothing(lists: object, store: Store, drop, inbox: Inbox) -> None:
    head = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
    publish(store, drop(a__csv=head + "RHU,2023-04-11,day_case,cancelled,4\n"))
    assert mail(store, lists) == {}
    assert mail(store) == {"sent": 2, "failed": 0, "before": 0}


def test_only_the_newest_file_and_never_our_own_fault_is_complained_of(store: Store, home: Path) -> None:
    folder = home / "inbox" / "published" / "RHM" / "cancellations"
    folder.mkdir(parents=True)
    feeds = [f for f in load_feeds() if f.id == "RHM.cancellations"]
    for name, text in (("a.csv", "nothing like it"), ("b.csv", None)):
        head = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
        (folder / name).write_text(text or head + "RHM,2023-04-11,day_case,cancelled,1\n")
        collect(store, "2026-11-24", feeds)
        validate(store, to_validate(store))
        assert len(list(notices(store, "a@b.example", datetime.now(UTC)))) == (1 if text else 0)
