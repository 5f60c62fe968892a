"""Sends e-mail through the Airflow connection `strikes_mail` (type SMTP).

Its extra may hold `from_email`, `link` (where the reports are served) and `distribution` (addresses by area).
Without the connection nothing is sent: e-mail is optional.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError

if TYPE_CHECKING:
    from strike_reporting.operations.mail import Mail
    from strike_reporting.storage import Store

CONNECTION = "strikes_mail"
log = logging.getLogger(__name__)


class Mailer(SmtpHook):
    """Airflow's SMTP hook, for a whole message: its own method takes HTML only."""

    def post(self, message: EmailMessage) -> None:
        """Send one message in its own session, so that one failure leaves the next alone."""
        with self:
            self._smtp_client.send_message(message)


def mail_out(mails: Callable[[Store, str, dict[str, Any]], Iterable[Mail]]) -> dict[str, int]:
    """Send the mails that `mails(store, sender, extra)` yields; nothing without the connection."""
    from strike_reporting.operations.mail import send
    from strike_reporting.storage import Store

    mailer = Mailer(smtp_conn_id=CONNECTION)
    try:
        connection = mailer.get_connection(CONNECTION)
    except (AirflowNotFoundException, AirflowRuntimeError):
        log.info("No connection %s: nothing is mailed.", CONNECTION)
        return {}
    extra = connection.extra_dejson
    sender = extra.get("from_email") or connection.login or "strike-reporting@localhost"
    store = Store()
    try:
        counts = send(store, mails(store, sender, extra), mailer.post)
    except TypeError as error:
        log.error("The connection %s is not set up as docs/feeds.md says: %s", CONNECTION, error)
        return {}
    (log.error if counts["failed"] else log.info)("E-mail: %s; reasons are in ledger/mail.", counts)
    return counts
