"""What a sender is told of a file that is not judged: it was not taken, or its bytes were found wanting before."""

from __future__ import annotations

import hashlib

from strike_reporting.clock import utc
from strike_reporting.intake.landing import moment
from strike_reporting.intake.transports import RemoteFile
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Letter, Receipt
from strike_reporting.showing import safe_name
from strike_reporting.storage import Store


def not_taken(store: Store, feed_id: str, file: RemoteFile, reason: str) -> None:
    """A file is not landed for what it is; told once, as long as it is the same."""
    name = safe_name(file.name)
    text = (
        f"Your file {name!r} ({feed_id.replace('.', ', ')}) was not taken, and nothing of it is used.\n\n"
        f"Why: {reason}.\n"
        "What to do: Send a smaller file, of the strike days only and without pictures or other sheets.\n"
    )
    letter = Letter(
        name=f"{_digest(feed_id, file.key, file.size, file.modified)}.not_taken",
        kind="not_taken",
        about=feed_id,
        created_at=utc(moment()),
        subject="Strike reporting: a file of yours was not taken",
        text=text,
    )
    ledger_of(store).letters.add([letter])


def again(store: Store, first: Receipt, name: str) -> Letter | None:
    """What is said when a file of which something must be mended comes once more, under another name.

    None where nothing is: of one that waits to be judged the notice is still to come.
    """
    outcome = ledger_of(store).judged.get(first.submission_id)
    if outcome is None or outcome.status == "accepted" or outcome.is_ours or outcome.withdrawn:
        return None
    return Letter(
        name=f"{first.submission_id}.{outcome.status}.{_digest(name)}",
        kind="notice",
        about=first.submission_id,
        created_at=utc(moment()),
        text=f"Your file {name!r} holds the same as {first.source_name!r}, of which this was found:\n\n",
    )


def _digest(*of: object) -> str:
    return hashlib.sha256(repr(of).encode()).hexdigest()[:12]
