"""What is broken or will be soon: feeds that fail or fell silent, credentials and certificates that expire."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median

from cryptography import x509

from strike_reporting.errors import attempt
from strike_reporting.intake.registry import Feed
from strike_reporting.intake.transports import PullFailed
from strike_reporting.intake.transports.connections import Endpoint, endpoint
from strike_reporting.intake.transports.kinds import KINDS
from strike_reporting.ledger import ledger_of
from strike_reporting.settings import settings
from strike_reporting.storage import Store

_DO = {
    "pull": "`strikes feed files {0}` lists what could not be landed and why, `strikes feed pull {0}` tries it now; "
    "ask the trust if its server is away.",
    "silent": "ask its contact whether it still sends; `strikes feed disable {0}` if it does not.",
    "expiring": "renew it, in the connection that the feed names.",
}
_REMEMBERED = 30  # files of a feed by which its usual gap is told


@dataclass(frozen=True)
class Warned:
    """One thing to see to before it loses a return. kind: `pull`, `silent` or `expiring`."""

    feed_id: str
    what: str
    kind: str = "silent"

    @property
    def do(self) -> str:
        """What to do about it."""
        return _DO[self.kind].format(self.feed_id)


def feed_warnings(store: Store, feeds: Iterable[Feed], now: datetime | None = None) -> list[Warned]:
    """Everything that should be seen to, by feed.

    Args:
        store: the state root, for what was received and how the last pulls went.
        feeds: the feeds to look at.
        now: the moment to judge by (UTC); default the present.
    """
    now, feeds = now or datetime.now(UTC), list(feeds)
    known: dict[str, list[str]] = {}
    found = [*failing(store, feeds), *_silent(store, feeds, now)]
    for feed in feeds:
        if not feed.connection:
            continue
        if feed.connection not in known:
            tried = attempt(feed, lambda f: _expiring(f, now))
            known[feed.connection] = [tried.reason] if tried.made is None else tried.made
        found += [Warned(feed.id, what, "expiring") for what in known[feed.connection]]
    return sorted(found, key=lambda w: (w.feed_id, w.what))


def failing(store: Store, feeds: Iterable[Feed]) -> list[Warned]:
    """Feeds whose last pull failed, and why."""
    known = ledger_of(store).receiving.failing()
    return [Warned(f.id, f"the last pull failed: {known[f.id]}", "pull") for f in feeds if f.id in known]


def _silent(store: Store, feeds: list[Feed], now: datetime) -> list[Warned]:
    found = []
    for feed in feeds:
        times = [datetime.fromisoformat(t) for t in ledger_of(store).receiving.last_times(feed.id, _REMEMBERED)]
        if len(times) < 3:
            continue  # too few to say what is usual
        usual = timedelta(seconds=median((b - a).total_seconds() for a, b in pairwise(times)))
        quiet = now - times[-1]
        if quiet > max(settings().silent_after_gaps * usual, timedelta(days=settings().silent_after_days)):
            found.append(Warned(feed.id, f"silent for {quiet.days} days; it usually sends every {_gap(usual)}"))
    return found


def _gap(usual: timedelta) -> str:
    return f"{usual.days} days" if usual.days > 1 else "day"


def _expiring(feed: Feed, now: datetime) -> list[str]:
    """What expires soon, or has, on one connection."""
    try:
        end = endpoint(feed.connection)
    except PullFailed as failure:
        return [str(failure)]
    moments: dict[str, datetime] = {}
    if end.extra.get("expires"):
        moments["the credential"] = datetime.combine(date.fromisoformat(end.extra["expires"]), datetime.min.time(), UTC)
    if end.extra.get("client_cert"):
        certificate = x509.load_pem_x509_certificate(Path(end.extra["client_cert"]).read_bytes())
        moments["our client certificate"] = certificate.not_valid_after_utc
    port = KINDS[feed.transport].tls_port
    if port and (served := _served(end, port)):
        moments["the server's certificate"] = served
    return [
        f"{what} of connection {feed.connection!r} {'expired' if when <= now else 'expires'} on {when:%-d %B %Y}"
        for what, when in moments.items()
        if when - now <= timedelta(days=settings().expiry_warning_days)
    ]


def _served(end: Endpoint, port: int) -> datetime | None:
    """When the certificate that a server shows expires; None when it cannot be asked: the pull says why."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # only looked at: nothing is sent
    try:
        with (
            socket.create_connection((end.host, end.port or port), settings().look_timeout_seconds) as plug,
            context.wrap_socket(plug, server_hostname=end.host) as tls,
        ):
            shown = tls.getpeercert(binary_form=True)
    except OSError:
        return None
    return x509.load_der_x509_certificate(shown).not_valid_after_utc if shown else None
