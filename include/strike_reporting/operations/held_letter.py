"""The e-mail about a release that is held: what was found, by when and how to decide. It is sent once."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage

from strike_reporting.clock import clocked
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.gated import Hold, failed
from strike_reporting.ledger.records import Letter
from strike_reporting.publishing.embargo import drafts_root, with_access
from strike_reporting.reference.actions import resolve
from strike_reporting.storage import Store

_SERVED = "/strike-reports"  # where the plugin serves the reports inside Airflow


def asked_about(store: Store, letter: Letter) -> Hold | None:
    """The hold that a letter is about, while it waits for a person."""
    return next((h for h in ledger_of(store).holds.unfinished() if h.letter == letter.name and h.state == "held"), None)


def held_message(hold: Hold, link: str) -> EmailMessage:
    """What those who decide are told; under embargo without any figure.

    Args:
        hold: what waits for them.
        link: where the reports are served; empty where nobody has said.
    """
    action, message, is_secret = resolve(hold.action_id), EmailMessage(), bool(with_access())
    message["Subject"] = f"Strike reporting: a release of {hold.action_id} is held, please decide"
    link = link.rstrip("/")
    lines = [
        f"{action.title} ({hold.action_id})",
        "",
        f"The release is {hold.sentence}. What the release gate found:",
        *(f"- {c.label}" + ("" if is_secret else f": {c.evidence}") for c in failed(hold.checks)),
        "",
        _by_when(hold),
        "",
        "How to decide, with a reason that is kept and shown:",
        "- in Airflow, under Required Actions" + (f": {_form(link, hold)}" if link.endswith(_SERVED) else ""),
        f"- or by `strikes release approve {hold.action_id} --reason TEXT`, or `refuse`",
    ]
    if link:
        lines += ["", f"The draft: {link}/{drafts_root()}/{action.slug}/draft/report.html"]
    message.set_content("\n".join(lines) + "\n")
    return message


def _by_when(hold: Hold) -> str:
    newer = "Should newer figures come meanwhile, they are judged instead, and you are asked again if need be."
    if not hold.not_before:
        return f"Its announced time has come: it is released as soon as it is approved. {newer}"
    time = clocked(datetime.fromisoformat(hold.not_before))
    return f"Approved by {time}, it is released at that time; later, as soon as it is approved. {newer}"


def _form(link: str, hold: Hold) -> str:
    """Where Airflow asks."""
    return f"{link.removesuffix(_SERVED)}/dags/approve_release/runs/{hold.run_id}/tasks/ask/required_actions"
