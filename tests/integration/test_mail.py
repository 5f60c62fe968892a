"""E-mails through Airflow's SMTP hook to a real SMTP server on loopback."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
import sqlalchemy as sa
from conftest import judge
from inbox import Inbox, inbox
from strike_reporting.errors import OurFault
from strike_reporting.intake.collecting import collect, collect_drop
from strike_reporting.intake.registry import load_feeds
from strike_reporting.ledger import ledger_of
from strike_reporting.operations.mail import Post, checked_lists, deliver
from strike_reporting.publishing.releases import build, find, read_table
from strike_reporting.reference.actions import resolve
from strike_reporting.simulator.examples import write_examples
from strike_reporting.storage import Store

__all__ = ["inbox"]  # a fixture
JD = "JD-2023-04-11"
LISTS = {"england": "england@nhs.example", "hampshire": "one@hants.example, two@hants.example"}
pytestmark = pytest.mark.integration


def publish(store: Store, folder: Path) -> str:
    collect_drop(store, folder, JD)
    judge(store)
    return build(store, resolve(JD))[0].release_id


def mail(store: Store, lists: object = LISTS, later: timedelta = timedelta(0)) -> dict[str, int]:
    """Send what is due through Airflow's hook and the connection, as the DAGs do."""
    from strikes_mail import CONNECTION, Mailer

    mailer = Mailer(smtp_conn_id=CONNECTION)
    sender = mailer.get_connection(CONNECTION).extra_dejson["from_email"]
    post = Post(sender, mailer.post, checked_lists(lists), "https://strikes.nhs.example")
    return {k: n for k, n in deliver(store, post, datetime.now(UTC) + later).items() if n}


def test_a_release_is_announced_once_to_each_areas_list(store: Store, home: Path, inbox: Inbox) -> None:
    write_examples(home / "inbox")
    collect(store, "2026-11-24", load_feeds())
    judge(store)
    build(store, resolve(JD))
    assert mail(store) == {"sent": 4}
    assert mail(store) == {}
    areas = [["england@nhs.example"], ["one@hants.example", "two@hants.example"]]
    asked = ["information@rn5.example"]  # of its two files, which name no site in one row
    assert sorted(inbox.recipients) == sorted([*areas, asked, asked])
    pairs = list(zip(inbox.messages, inbox.recipients, strict=True))
    announced = [message for to in areas for message, recipients in pairs if recipients == to]
    release = find(store, JD)
    totals = {r["area_code"]: r for r in read_table(store, release, "action_totals").to_pylist()}
    covers = {
        r["area_code"]: r
        for r in read_table(store, release, "coverage").to_pylist()
        if r["measure"] == "outpatient_cancelled" and r["strike_day"] is None
    }
    for message, code in zip(announced, ("ENG", "HAMPSHIRE"), strict=True):
        plain = message.get_body(("plain",)).get_content()
        html = message.get_body(("html",)).get_content()
        number = f"{totals[code]['outpatient_cancelled']:,}"
        cover = f"reported so far by {covers[code]['trusts_covered']} of {covers[code]['trusts_expected']} trusts"
        assert f"Outpatient cancelled: {number} {cover}" in plain
        assert number in html and cover in html
        assert "first release" in plain and "https://strikes.nhs.example/site/JD-2023-04-11/0001/" in plain
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
    england, hampshire = (m.get_body(("plain",)).get_content() for m in inbox.messages if "release 3" in m["Subject"])
    line = "- Inpatient and day case cancelled: 7, was 5 (up 2; resubmissions: RHU cancellations (a.csv) +2)"
    assert line in england and line in hampshire
    assert "RJ1" not in england and "What changed since JD-2023-04-11.r2" in england


def test_a_full_mailbox_fails_nothing_and_is_tried_again(store: Store, drop, inbox: Inbox) -> None:
    head = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
    release = publish(store, drop(a__csv=head + "RHU,2023-04-11,day_case,cancelled,4\n"))
    inbox.full = True
    assert mail(store) == {"failed": 2}
    assert find(store, JD).release_id == release
    [letter, _] = ledger_of(store).letters.listed("failed")
    assert letter.name == f"{release}.england" and "mailbox full" in letter.reason
    inbox.full = False
    assert mail(store) == {"sent": 2}
    assert len(inbox.messages) == 2


def test_old_news_is_never_sent_and_mail_without_an_address_waits(store: Store, drop, inbox: Inbox) -> None:
    head = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
    publish(store, drop(a__csv=head + "RHU,2023-04-11,day_case,cancelled,4\n"))
    assert mail(store, {"england": "england@nhs.example"}) == {"sent": 1, "no_address": 1}
    assert mail(store, later=timedelta(days=3)) == {"expired": 1}
    assert len(inbox.messages) == 1


def test_without_a_connection_nothing_is_sent(
    store: Store, drop, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from strikes_mail import mail_out

    head = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
    publish(store, drop(a__csv=head + "RHU,2023-04-11,day_case,cancelled,4\n"))
    monkeypatch.delenv("AIRFLOW_CONN_STRIKES_MAIL")
    monkeypatch.setenv("STRIKES_HOME", store.base)
    assert mail_out() == {"sent": 0, "failed": 0, "expired": 0, "no_address": 2}
    assert inbox.messages == []


def test_what_waits_for_a_connection_is_not_written_again(store: Store, drop) -> None:
    """Three tasks of every round look at all that waits: to write of each held up the publication beside them."""
    head = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
    publish(store, drop(a__csv=head + "RHU,2023-04-11,day_case,cancelled,4\n"))
    said: set[str] = set()

    def noted(_: object, __: object, statement: str, *___: object) -> None:
        said.add(statement.split()[0])

    with_engine = (ledger_of(store).engine, "before_cursor_execute", noted)
    sa.event.listen(*with_engine)
    try:
        counts = deliver(store, None, datetime.now(UTC))
    finally:
        sa.event.remove(*with_engine)
    assert (counts["no_address"], said) == (2, {"BEGIN", "SELECT"})


def test_the_trusts_contact_gets_the_reason_and_no_patient_data(store: Store, home: Path, inbox: Inbox) -> None:
    folder = home / "inbox" / "published" / "RHM" / "cancellations"
    folder.mkdir(parents=True)
    numbers = ["943 476 5919", "943 476 5870", "943 476 5862", "987 654 4321"]
    rows = "".join(f"RHM,2023-04-11,day_case,cancelled,1,{n}\n" for n in numbers)
    (folder / "x.csv").write_text("ods_code,activity_date,point_of_delivery,status,cancelled_count,record_key\n" + rows)
    collect(store, "2026-11-24", [f for f in load_feeds() if f.id == "RHM.cancellations"])
    [outcome] = judge(store)
    assert outcome.status == "rejected"
    assert mail(store) == {"sent": 1}
    [message] = inbox.messages
    assert message["To"] == "information@rhm.example"
    assert "could not be used" in message["Subject"]
    said = message.get_body(("plain",)).get_content()
    assert outcome.fix in said
    assert "476" not in said
    [attached] = list(message.iter_attachments())
    assert attached.get_filename() == "error_report.xlsx"
    assert b"476 5" not in attached.get_content()
    assert mail(store) == {}


def test_one_message_that_fails_leaves_the_next_alone(store: Store, drop) -> None:
    head = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
    publish(store, drop(a__csv=head + "RHU,2023-04-11,day_case,cancelled,4\n"))
    sent: list[str] = []

    def send(message: EmailMessage) -> None:
        if message["To"] == "bad@nhs.example":
            raise OSError("no route")
        sent.append(message["To"])

    lists = {"england": "bad@nhs.example", "hampshire": "good@nhs.example"}
    assert deliver(store, Post("a@b.example", send, lists), datetime.now(UTC))["failed"] == 1
    assert sent == ["good@nhs.example"]
    [failed] = ledger_of(store).letters.listed("failed")
    assert "no route" in failed.reason
    lists["england"] = "two\nlines@nhs.example"
    assert deliver(store, Post("a@b.example", send, lists), datetime.now(UTC))["failed"] == 1
    [failed] = ledger_of(store).letters.listed("failed")
    assert "ValueError" in failed.reason and failed.tries == 2


@pytest.mark.parametrize("lists", [["england"], "england@nhs.example", None, {"england": None}])
def test_a_distribution_of_another_form_is_said(lists: object) -> None:
    with pytest.raises(OurFault, match="not addresses by mail list"):
        checked_lists(lists)


def test_a_trust_is_told_of_its_bad_file_once_and_never_of_our_own_fault(
    store: Store, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home / "inbox" / "published" / "RHM" / "cancellations"
    folder.mkdir(parents=True)
    feeds = [f for f in load_feeds() if f.id == "RHM.cancellations"]
    head = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
    (folder / "a.csv").write_text("nothing like it")
    (folder / "b.csv").write_text(head + "RHM,2023-04-11,day_case,cancelled,1\n")
    collect(store, "2026-11-24", feeds)
    with monkeypatch.context() as patch:
        patch.setattr("strike_reporting.judging.settle.open_submission", lambda *_: 1 / 0)
        judge(store)
    assert ledger_of(store).letters.listed() == []
    judge(store)
    refused = next(o for o in ledger_of(store).judged.listed() if o.status == "rejected")
    assert [e.name for e in ledger_of(store).letters.listed()] == [f"{refused.submission_id}.rejected"]
