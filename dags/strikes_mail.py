"""Sends e-mail through the Airflow connection `strikes_mail` (type SMTP).

Its extra may hold `from_email`, `link` (where the reports are served) and `distribution` (addresses by mail list).
Without the connection nothing is sent: e-mail is optional.
"""

from __future__ import annotations

import logging
from email.message import EmailMessage

from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError

CONNECTION = "strikes_mail"
log = logging.getLogger(__name__)


class Mailer(SmtpHook):
    """Airflow's SMTP hook, for a whole message: its own method takes HTML only."""

    def post(self, message: EmailMessage) -> None:
        """Send one message in its own session, so that one failure leaves the next alone."""
        with self:
            self._smtp_client.send_message(message)


def mail_out() -> dict[str, int]:
    """Send what the outbox holds. Without the connection it waits there, and what grows too old is never sent."""
    from datetime import UTC, datetime

    from strike_reporting.errors import OurFault
    from strike_reporting.operations.mail import Post, checked_lists, deliver
    from strike_reporting.storage import Store

    mailer = Mailer(smtp_conn_id=CONNECTION)
    post = None
    try:
        connection = mailer.get_connection(CONNECTION)
        extra = connection.extra_dejson
        post = Post(
            sender=extra.get("from_email") or connection.login or "strike-reporting@localhost",
            send=mailer.post,
            lists=checked_lists(extra.get("distribution", {})),
            link=extra.get("link", ""),
            owner=extra.get("owner", ""),
        )
    except (AirflowNotFoundException, AirflowRuntimeError):
        log.info("No connection %s: nothing is mailed.", CONNECTION)
    except OurFault as error:
        log.error("The connection %s is not set up as docs/feeds.md says: %s", CONNECTION, error)
    counts = deliver(Store(), post, datetime.now(UTC))
    (log.error if counts["failed"] else log.info)("E-mail: %s; reasons are in the outbox.", counts)
    return counts


def chase_out() -> dict[str, int]:
    """Remind who has not returned, tell the lists at the cut-off, and send it with whatever else waits."""
    from datetime import UTC, datetime

    from strike_reporting.ledger import ledger_of
    from strike_reporting.operations.chasing import chase
    from strike_reporting.storage import Store

    queued = chase(Store(), datetime.now(UTC))
    if queued:
        log.info("Reminders and lists, queued: %s.", ", ".join(queued))
    return mail_out() if queued or ledger_of(Store()).letters.due() else {}
