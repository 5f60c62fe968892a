"""E-mails: to an area's list when a release is published, and to a trust's contact when a return needs mending.

Built here and sent by the DAGs, through whatever can send an `EmailMessage`. What was sent is in `ledger/mail`,
so nothing is sent twice, and what could not be sent is tried again at the next run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from functools import partial
from typing import Any

from strike_reporting import ledger
from strike_reporting.intake.registry import load_feeds
from strike_reporting.publishing.releases import current, read_table
from strike_reporting.reference.actions import resolve
from strike_reporting.settings import settings
from strike_reporting.site.email import release_message
from strike_reporting.storage import Store

SENT = "ledger/mail"
AREAS = ("england", "hampshire")
_XLSX = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")

Mail = tuple[str, str, Callable[[], EmailMessage]]  # the name it is recorded under, to whom, and what makes it


def announcements(store: Store, lists: Any, sender: str, link: str, now: datetime) -> Iterator[Mail]:
    """A message to each area's list about each current release that is new and was not announced.

    What is still to be announced is asked of the ledger, so a message that failed, or that was never built, is
    tried again by the next run.

    Args:
        store: the state root.
        lists: addresses by area (`england`, `hampshire`).
        sender: the address it comes from.
        link: where the reports are served; the release's path is added.
        now: the moment (UTC): a release whose newest return is older than `mail_age_days` is not announced:
            switching e-mail on does not send the past.

    Raises:
        TypeError: `lists` is not addresses by area.
    """
    if not isinstance(lists, dict) or not all(isinstance(a, str) for a in lists.values()):
        raise TypeError('the distribution is not addresses by area, such as {"england": "a@nhs.example"}')
    for manifest in current(store):
        if not manifest["as_at"] or not _new(manifest["as_at"], now):
            continue
        for area, address in sorted(lists.items()):
            if area in AREAS and address:
                name = f"{manifest['release_id'].replace(';', '_')}.{area}"
                yield name, address, partial(_announcement, store, manifest, area, sender, address, link)


def _announcement(
    store: Store, manifest: dict[str, Any], area: str, sender: str, address: str, link: str
) -> EmailMessage:
    action = resolve(manifest["action_id"])
    totals = read_table(store, action, manifest["number"], "action_totals").to_pylist()
    revised = read_table(store, action, manifest["number"], "revisions").to_pylist()
    where = f"{link.rstrip('/')}/releases/{action.slug}/{manifest['number']:04d}" if link else ""
    row = next((r for r in totals if r["area_type"] == area), None)
    message = release_message(manifest, area, row, revised, where)
    message["From"], message["To"] = sender, address
    return message


def notices(store: Store, sender: str, now: datetime) -> Iterator[Mail]:
    """A message to the contact of each feed whose newest file was refused or used in part, with its error report."""
    contacts = {f.id: f.contact for f in load_feeds()}
    newest = {o.feed_id: o for o in ledger.outcomes(store)}  # oldest first, so the last stands
    for outcome in newest.values():
        new = _new(outcome.received_at, now)
        address = contacts.get(outcome.feed_id, "")
        theirs = outcome.status in ("rejected", "accepted_in_part") and "processing_error" not in outcome.rules
        if new and address and theirs and store.exists(f"{_report(outcome)}.txt"):
            name = f"{outcome.submission_id}.{outcome.status}"
            yield name, address, partial(_notice, store, outcome, sender, address)


def _new(moment: str, now: datetime) -> bool:
    return now - datetime.fromisoformat(moment) <= timedelta(days=settings().mail_age_days)


def _report(outcome: ledger.Outcome) -> str:
    return f"quarantine/{outcome.submission_id}/error_report"


def _notice(store: Store, outcome: ledger.Outcome, sender: str, address: str) -> EmailMessage:
    message = EmailMessage()
    done = "could not be used" if outcome.status == "rejected" else "was used in part"
    message["Subject"] = f"Strike reporting: a {outcome.extract or 'return'} file of yours {done}"
    message["From"], message["To"] = sender, address
    message.set_content(store.read(f"{_report(outcome)}.txt").decode())
    message.add_attachment(store.read(f"{_report(outcome)}.xlsx"), *_XLSX, filename="error_report.xlsx")
    return message


def send(store: Store, mails: Iterable[Mail], post: Callable[[EmailMessage], None]) -> dict[str, int]:
    """Send what has not been sent; how many were sent, failed, or had been sent before.

    A message that cannot be sent is recorded with its reason and never raises: mail is not what we publish.
    """
    counts = {"sent": 0, "failed": 0, "before": 0}
    for name, address, make in mails:
        key = f"{SENT}/{name}.json"
        if store.exists(key) and store.read_json(key)["status"] == "sent":
            counts["before"] += 1
            continue
        record: dict[str, Any] = {"about": name.rpartition(".")[0], "to": address, "status": "sent", "reason": ""}
        try:
            post(make())
        except Exception as error:  # whatever the mail server does, or an address holds
            record.update(status="failed", reason=f"{type(error).__name__}: {error}")
        counts[record["status"]] += 1
        store.write_json(key, record)
    return counts
