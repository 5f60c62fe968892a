"""E-mails: about releases to an area's list and to those who decide, about files and what is missing to contacts.

What is to be sent stands in the ledger's outbox, put there in the transaction that published or judged; it is built
here and sent by the DAGs, through whatever can send an `EmailMessage`. What could not be sent is tried again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import parseaddr

from strike_reporting.errors import OurFault, attempt
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Letter, Outcome
from strike_reporting.operations.held_letter import asked_about, held_message
from strike_reporting.reference.areas import mailed
from strike_reporting.settings import settings
from strike_reporting.storage import Store

_BECAME = {
    "rejected": "could not be used",
    "accepted_in_part": "was used in part",
    "accepted": "was used, with warnings",
}
DECIDERS = "approvers"  # the mail list of those who decide; without it the owner is told
_XLSX = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")


@dataclass(frozen=True)
class Post:
    """How mail leaves: the sender's address, what sends, addresses by mail list, where reports are, the owner."""

    sender: str
    send: Callable[[EmailMessage], None]
    lists: dict[str, str] = field(default_factory=dict)
    link: str = ""
    owner: str = ""


def checked_lists(value: object) -> dict[str, str]:
    """Addresses by the name of a mail list.

    Raises:
        OurFault: it is not that.
    """
    if not isinstance(value, dict) or not all(isinstance(a, str) for pair in value.items() for a in pair):
        raise OurFault('the distribution is not addresses by mail list, such as {"england": "a@nhs.example"}')
    return dict(value)


def deliver(store: Store, post: Post | None, now: datetime) -> dict[str, int]:
    """Send what is due; how many were sent, failed, found too old, or wait for an address (or for any `post` at all).

    A message that cannot be sent is kept with its reason and never raises: mail is not what we publish. Letters older
    than the setting `mail_age_days` are never sent: switching e-mail on does not send the past.
    """
    letters = ledger_of(store).letters
    counts = {"sent": 0, "failed": 0, "expired": 0, "no_address": 0}
    due = letters.due()
    contacts = _contacts() if due else {}
    for letter in due:
        is_old = _is_old(letter, now)
        if post is None and not is_old:
            counts["no_address"] += 1  # it waits as it is: three tasks of every round look at all that wait
            continue
        taken = letters.take(letter)
        if taken is None:
            continue  # another process has it in hand
        state, reason = ("expired", "") if post is None or is_old else _one(store, post, taken, contacts)
        letters.put(taken, "queued" if state == "no_address" else state, reason)
        counts[state] += 1
    return counts


def _is_old(letter: Letter, now: datetime) -> bool:
    """Whether it is too late to send it: it is older than `mail_age_days`, or does not say how old it is."""
    since = letter.news_of or letter.created_at
    return not since or now - datetime.fromisoformat(since) > timedelta(days=settings().mail_age_days)


def _contacts() -> dict[str, str]:
    from strike_reporting.intake.registry import load_registry

    return {f.id: f.contact for f in load_registry().feeds}  # also of one that was disabled since


def _one(store: Store, post: Post, letter: Letter, contacts: dict[str, str]) -> tuple[str, str]:
    """What became of one letter, and why."""
    outcome = ledger_of(store).judged.get(letter.about) if letter.kind == "notice" else None
    if outcome and letter.name.split(".")[1] != outcome.status:
        return "expired", "the file was judged again, and otherwise"
    if outcome and outcome.is_ours:
        return "no_address", "the fault is ours, and the file is judged again first"
    hold = asked_about(store, letter) if letter.kind == "held" else None
    if letter.kind == "held" and hold is None:
        return "expired", "it was decided about, or newer figures came"
    address = _address(post, letter, outcome, contacts)
    if not address:
        return "no_address", ""

    def send(letter: Letter) -> None:
        message = held_message(hold, post.link) if hold else _message(store, letter, outcome, post.link)
        message["From"], message["To"] = post.sender, address
        message["Date"] = datetime.fromisoformat(letter.created_at)  # also when it is sent again
        message["Message-ID"] = _message_id(letter.name, post.sender)  # twice sent is seen as one
        if outcome:
            message["References"] = _message_id(outcome.submission_id, post.sender)
        message["Auto-Submitted"] = "auto-generated"  # so that nobody's absence note answers it
        post.send(message)

    tried = attempt(letter, send)
    if tried.error is None:
        return "sent", ""
    return "failed", f"{type(tried.error).__name__}: {tried.error}"


def _message_id(name: str, sender: str) -> str:
    """The id of a message: the same each time it is sent, under the sender's own domain."""
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    return f"<{re.sub(r'[^A-Za-z0-9._-]', '_', name)}@{domain}>"


def _message(store: Store, letter: Letter, outcome: Outcome | None, link: str) -> EmailMessage:
    """What a letter says."""
    if outcome:
        return _notice(store, outcome, letter.text)
    if letter.kind == "release":
        return _announcement(store, letter, link)
    message = EmailMessage()
    message["Subject"] = letter.subject
    message.set_content(letter.text)
    return message


def _address(post: Post, letter: Letter, outcome: Outcome | None, contacts: dict[str, str]) -> str:
    """To whom a letter goes; nobody when its feed, its area or the area's list is gone."""
    if letter.kind in ("notice", "not_taken"):
        return contacts.get(outcome.feed_id if outcome else letter.about, "")
    if letter.kind == "held":
        return post.lists.get(DECIDERS) or post.owner
    to = mailed().get(letter.area)
    return letter.to or (post.lists.get(to.mail_list, "") if to else "")


def _announcement(store: Store, letter: Letter, link: str) -> EmailMessage:
    from strike_reporting.publishing.news import COMPARED, News, news
    from strike_reporting.publishing.releases import find, read_table
    from strike_reporting.site.email import NEEDED, release_message

    release, to = find(store, letter.about), mailed()[letter.area]
    tables = {n: read_table(store, release, n) for n in NEEDED}

    def compared(previous: str) -> News:
        before = find(store, previous)
        return news(before, {t.name: read_table(store, before, t.name) for t in COMPARED}, release, tables)

    # The release before may be damaged since: then only the figures are told, which this one holds.
    found = attempt(release.previous, compared).made if release.previous else None
    where = f"{link.rstrip('/')}/site/{release.slug}/{release.number:04d}" if link else ""
    return release_message(release, to, {n: t.to_pylist() for n, t in tables.items()}, where, found)


def _notice(store: Store, outcome: Outcome, above: str) -> EmailMessage:
    from strike_reporting.judging.filing import error_workbook, report_key

    message = EmailMessage()
    done = _BECAME[outcome.status]
    message["Subject"] = f"Strike reporting: a {outcome.extract or 'return'} file of yours {done}"
    message.set_content(above + store.read(report_key(outcome.submission_id)).decode())
    if workbook := error_workbook(store, outcome.submission_id):
        message.add_attachment(workbook, *_XLSX, filename="error_report.xlsx")
    return message
