"""E-mails: to an area's list when a release is published, and to a trust's contact when a return needs mending.

Built here and sent by the DAGs, through whatever can send an `EmailMessage`. What was sent is in `ledger/mail`,
so nothing is sent twice, and what could not be sent is tried again at the next run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

from strike_reporting import ledger
from strike_reporting.actions import resolve
from strike_reporting.feeds import load_feeds
from strike_reporting.releases import current, read_table
from strike_reporting.reports.email import release_message
from strike_reporting.storage import Store

SENT = "ledger/mail"
NEW = timedelta(days=2)  # older ones are never mailed: switching e-mail on does not send the past
AREAS = {"england": "ENG", "hampshire": "HAMPSHIRE"}
_XLSX = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")

Mail = tuple[str, EmailMessage]  # the name it is recorded under, and the message


def announcements(
    store: Store, lists: dict[str, str], sender: str, link: str, releases: Iterable[str] = ()
) -> Iterator[Mail]:
    """A message to each area's list for each release that has not been announced.

    Args:
        store: the state root.
        lists: addresses by area (`england`, `hampshire`).
        sender: the address it comes from.
        link: where the reports are served; the release's path is added.
        releases: release ids just published. Those whose mail failed before are added.
    """
    wanted = {*releases, *(r["about"] for r in store.each_json(SENT) if r["status"] == "failed")}
    for manifest in current(store):
        if manifest["release_id"] not in wanted:
            continue
        action = resolve(manifest["action_id"])
        totals = read_table(store, action, manifest["number"], "action_totals").to_pylist()
        revised = read_table(store, action, manifest["number"], "revisions").to_pylist()
        where = f"{link.rstrip('/')}/releases/{action.slug}/{manifest['number']:04d}" if link else ""
        for area, address in sorted(lists.items()):
            if area in AREAS and address:
                name = f"{manifest['release_id'].replace(';', '_')}.{area}"
                row = next((r for r in totals if r["area_type"] == area), None)
                message = release_message(manifest, area, row, revised, where)
                message["From"], message["To"] = sender, address
                yield name, message


def notices(store: Store, sender: str, now: datetime) -> Iterator[Mail]:
    """A message to the contact of each feed whose newest file was refused or used in part, with its error report."""
    contacts = {f.id: f.contact for f in load_feeds()}
    for outcome in ledger.outcomes(store):
        new = now - datetime.fromisoformat(outcome.received_at) <= NEW
        key = f"quarantine/{outcome.submission_id}/error_report"
        address = contacts.get(outcome.feed_id, "")
        if not new or outcome.status not in ("rejected", "accepted_in_part") or not address:
            continue
        if outcome.reason and store.exists(f"{key}.txt"):
            message = EmailMessage()
            done = "could not be used" if outcome.status == "rejected" else "was used in part"
            message["Subject"] = f"Strike reporting: a {outcome.extract or 'return'} file of yours {done}"
            message["From"], message["To"] = sender, address
            message.set_content(store.read(f"{key}.txt").decode())
            workbook = store.read(f"{key}.xlsx")
            message.add_attachment(workbook, *_XLSX, filename="error_report.xlsx")
            yield f"{outcome.submission_id}.{outcome.status}", message


def send(store: Store, mails: Iterable[Mail], post: Callable[[EmailMessage], None]) -> dict[str, int]:
    """Send what has not been sent; how many were sent, failed, or had been sent before.

    A message that cannot be sent is recorded with its reason and never raises: mail is not what we publish.
    """
    counts = {"sent": 0, "failed": 0, "before": 0}
    for name, message in mails:
        key = f"{SENT}/{name}.json"
        if store.exists(key) and store.read_json(key)["status"] == "sent":
            counts["before"] += 1
            continue
        record: dict[str, Any] = {"about": name.rpartition(".")[0], "to": message["To"], "status": "sent", "reason": ""}
        try:
            post(message)
        except Exception as error:  # whatever the mail server does
            record.update(status="failed", reason=f"{type(error).__name__}: {error}")
        counts[record["status"]] += 1
        store.write_json(key, record)
    return counts
