"""Tells the owner of troubles, by e-mail and webhook: what failed, fell silent or changed, and when it is over.

E-mail goes through the connection `strikes_mail`, if its extra names an `owner`; the webhook is the connection
`strikes_webhook` (type HTTP), which gets a POST with JSON. Without either nothing is told, and nothing fails. It is
among the plugins because the triggerer, which runs what a deadline calls, knows no module of the DAGs' folder.
"""

from __future__ import annotations

import hashlib
import html
import logging
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseNotifier, Connection, Variable, get_current_context

if TYPE_CHECKING:
    from strike_reporting.operations.troubles import Message, Trouble

MAIL, WEBHOOK, AWAY = "strikes_mail", "strikes_webhook", "strikes_ledger_away_told"
ROUND_MINUTES = 45  # in which a run must be finished after it was queued
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
log = logging.getLogger(__name__)


class WebhookNotifier(BaseNotifier):
    """Posts one JSON document to where an HTTP connection points; the server's certificate is verified."""

    def __init__(self, connection_id: str, document: dict[str, Any]) -> None:
        super().__init__()
        self.connection_id, self.document = connection_id, document

    def notify(self, context: Any) -> None:
        """Post it.

        Raises:
            OurFault: the connection is no HTTPS address, or the server did not take it.
        """
        import httpx
        from strike_reporting.errors import OurFault

        there = Connection.get(self.connection_id)
        extra = there.extra_dejson
        host = (there.host or "").removeprefix("https://").strip("/")
        is_plain = (there.schema or "") == "http" and host in _LOOPBACK
        if not host or "://" in host:
            raise OurFault(f"the connection {self.connection_id} names no host of an HTTPS server")
        port = f":{there.port}" if there.port else ""
        name, _, path = host.partition("/")
        url = f"http{'' if is_plain else 's'}://{name}{port}/{(extra.get('path') or path).lstrip('/')}"
        headers = {"Authorization": f"Bearer {extra['bearer']}"} if extra.get("bearer") else {}
        auth = (there.login, there.password or "") if there.login else None
        verify: Any = _trusted(extra["ca"]) if extra.get("ca") else True
        try:
            answer = httpx.post(url, json=self.document, headers=headers, auth=auth, timeout=20, verify=verify)
        except httpx.HTTPError as error:  # its text may hold the address, which may hold a secret
            raise OurFault(f"{self.connection_id}: the webhook was not reached ({type(error).__name__})") from None
        if not answer.is_success:
            raise OurFault(f"{self.connection_id}: the webhook answered {answer.status_code}")


class OwnerNotifier(BaseNotifier):
    """Tells the owner of a task that failed for good."""

    def notify(self, context: Any) -> None:
        """Tell it, unless it was told today."""
        from strike_reporting.errors import Away
        from strike_reporting.operations.troubles import run_failed

        ti = context["ti"]
        trouble = run_failed(ti.dag_id, ti.task_id, ti.run_id, context.get("exception"))
        try:
            tell_owner([trouble], lambda _: False)
        except Away:
            _tell_without_ledger(trouble)


def tell_owner(found: Sequence[Trouble], looked_at: Callable[[str], bool]) -> None:
    """Tell the owner what is new among these troubles, and which of those looked at are over."""
    from strike_reporting.operations.troubles import tell
    from strike_reporting.storage import Store

    if told := tell(Store(), datetime.now(UTC), found, looked_at, channels):
        log.info("The owner was told: %s", told.subject)


def _tell_without_ledger(trouble: Trouble) -> None:
    """The ledger, which remembers what was told, is what is away: an Airflow variable holds the day of the telling."""
    from strike_reporting.operations.troubles import Message

    today = f"{datetime.now(UTC):%Y-%m-%d}"
    if Variable.get(AWAY, default="") == today or not (sends := channels()):
        return
    for send in sends:
        send(Message(f"Strike reporting: the ledger is away ({trouble.key})", (trouble,), ()))
    Variable.set(AWAY, today)


def channels() -> list[Callable[[Message], None]]:
    """The ways to the owner that are set up."""
    found: list[Callable[[Message], None]] = []
    if (mail := _connection(MAIL)) and mail.extra_dejson.get("owner"):
        extra = mail.extra_dejson
        sender = extra.get("from_email") or mail.login or "strike-reporting@localhost"
        found.append(lambda message: _mail(message, extra["owner"], sender))
    if _connection(WEBHOOK):
        found.append(lambda message: WebhookNotifier(WEBHOOK, document(message)).notify({}))
    return found


def document(message: Message) -> dict[str, Any]:
    """What a webhook gets: `text` is what chats show."""
    return {
        "subject": message.subject,
        "text": f"{message.subject}\n\n{message.text}",
        "troubles": [{"key": t.key, "what": t.what, "do": t.do} for t in message.fresh],
        "over": [{"key": t.key, "what": t.what} for t in message.over],
    }


def _mail(message: Message, owner: str, sender: str) -> None:
    from email.utils import formatdate, parseaddr

    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    now = formatdate()
    digest = hashlib.sha256(f"{now}{message.text}".encode()).hexdigest()[:20]
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    # Not called but told to notify: what is called renders its text as a template, and a fault may hold anything.
    SmtpNotifier(
        smtp_conn_id=MAIL,
        to=[part.strip() for part in owner.split(",")],
        from_email=sender,
        subject=" ".join(message.subject.split()),
        html_content=f"<pre>{html.escape(message.text)}</pre>",
        custom_headers={"Message-ID": f"<trouble.{digest}@{domain}>", "Auto-Submitted": "auto-generated"},
    ).notify({})


def _connection(connection_id: str) -> Connection | None:
    from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError

    try:
        return Connection.get(connection_id)
    except (AirflowNotFoundException, AirflowRuntimeError):
        return None


def _trusted(ca: str) -> Any:
    import ssl

    return ssl.create_default_context(cafile=ca)


def tell_what_is_over() -> None:
    """Tell the owner which failures of earlier runs this one has not: for a DAG's last task. It fails nothing."""
    from strike_reporting.errors import attempt
    from strike_reporting.operations.troubles import open_troubles
    from strike_reporting.storage import Store

    def look(context: Any) -> None:
        ti, run = context["ti"], context["dag_run"]
        standing = {*open_troubles(Store(), f"run {ti.dag_id} "), *open_troubles(Store(), f"late {ti.dag_id}")}
        if not standing:
            return
        states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id]).get(ti.run_id, {})
        in_time = (datetime.now(UTC) - (run.start_date or run.run_after)).total_seconds() < ROUND_MINUTES * 60
        well = {
            f"run {ti.dag_id} {task}"
            for task in {k.split()[2] for k in standing if k.startswith("run ")}
            if task == ti.task_id or _is_well(task, states)
        }
        tell_owner([], lambda key: key in well or (key == f"late {ti.dag_id}" and in_time and key in standing))

    if (looked := attempt(get_current_context(), look)).error:
        log.error("%s", looked.reason)


def _is_well(task: str, states: dict[str, Any]) -> bool:
    """Whether a task, or each of its mapped instances, ended well or had nothing to do."""
    mine = {str(state) for name, state in states.items() if re.fullmatch(rf"{re.escape(task)}(_\d+)?", name)}
    return bool(mine) and mine <= {"success", "skipped"}


def tell_of_drift(submission_ids: Sequence[str]) -> None:
    """Tell the owner of feeds whose headings changed, by what was just judged. It fails nothing."""
    from strike_reporting.errors import attempt
    from strike_reporting.operations.drift import drift
    from strike_reporting.storage import Store

    def look(ids: Sequence[str]) -> None:
        found, looked_at = drift(Store(), ids)
        tell_owner(found, lambda key: key in looked_at)

    if submission_ids and (looked := attempt(submission_ids, look)).error:
        log.error("%s", looked.reason)


async def late_run(context: Any) -> None:
    """Tell the owner of a run that is not finished in its time: the callback of every DAG's deadline.

    It runs in the triggerer, so that it is told also when no worker is free.
    """
    from asgiref.sync import sync_to_async
    from strike_reporting.operations.troubles import run_late

    run = context["dag_run"]
    late = run_late(run["dag_id"], run["dag_run_id"], ROUND_MINUTES)
    await sync_to_async(tell_owner)([late], lambda _: False)
