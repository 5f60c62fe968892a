"""The e-mail that announces a release: plain text and HTML with the same words."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

from strike_reporting.catalogue.areas import REPORTED_ENGLAND, Reported
from strike_reporting.publishing.manifest import Release
from strike_reporting.site import words
from strike_reporting.site.pages import environment

_LINES = (
    ("Inpatient and day case cancelled", "inpatient_cancelled", "trusts", 0),
    ("Outpatient cancelled", "outpatient_cancelled", "trusts", 0),
    ("Community cancelled", "community_cancelled", "trusts", 0),
    ("Mental health cancelled", "mental_health_cancelled", "trusts", 0),
    ("Staff absent, peak day", "staff_absent_peak", "staffing_trusts", 0),
    ("Staff absent, average day", "staff_absent_average", "staffing_trusts", 1),
    ("Staff-days lost", "staff_days_lost", "staffing_trusts", 0),
)


def release_message(
    release: Release, to: Reported, totals: dict[str, Any] | None, revised: list[dict[str, Any]], link: str
) -> EmailMessage:
    """Headline with coverage, what changed and a link; the sender fills in who it is from and to.

    Args:
        release: its manifest.
        to: the area whose list it is for.
        totals: the area's row of `action_totals`; None when nobody there was asked.
        revised: rows of the release's `revisions`.
        link: the release's folder where it is served; may be empty.
    """
    area, key = to.area, f"area_type={to.area.area_type}|area_code={to.area.area_code}"
    moved = {r["field"]: r for r in revised if (r["table"], r["key"]) == ("action_totals", key)}
    lines, changes = [], []
    for label, field, kind, places in _LINES:
        if totals is None:
            break
        value = words.number(totals[field], places)
        cover = words.of(totals[f"{kind}_returned"], totals[f"{kind}_expected"])
        lines.append((label, value, cover))
        if field in moved:
            was = moved[field]["old"]
            before = words.number(None if was is None else float(was), places)
            changes.append(f"{label}: {value}, was {before} ({moved[field]['reason']})")
    context = {
        "release": release,
        "area": area.area_name,
        "lines": lines,
        "changes": changes,
        "changed": words.number(len(revised)),
        "link": f"{link}/{to.page or REPORTED_ENGLAND.page}" if link else "",
        "synthetic": release.data_class == "synthetic",
    }
    message = EmailMessage()
    mark = "[SYNTHETIC DATA] " if context["synthetic"] else ""
    message["Subject"] = f"{mark}{release.title}: {area.area_name}, release {release.number}"
    plain = environment().overlay(autoescape=False)
    message.set_content(str(plain.get_template("email.txt.jinja").render(**context)))
    message.add_alternative(str(environment().get_template("email.html.jinja").render(**context)), subtype="html")
    return message
