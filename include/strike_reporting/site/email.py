"""The e-mail that announces a release: plain text and HTML with the same words."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

from strike_reporting.catalogue.areas import REPORTED_ENGLAND, Reported
from strike_reporting.catalogue.tables import COVERAGE, FLAGS, RETURNS, REVISIONS
from strike_reporting.extracts.measures import TOTALS_TABLE
from strike_reporting.publishing.manifest import Release
from strike_reporting.publishing.news import News
from strike_reporting.reference.actions import resolve
from strike_reporting.settings import settings
from strike_reporting.site import words
from strike_reporting.site.area import Place
from strike_reporting.site.changes import lines
from strike_reporting.site.evidence import Evidence
from strike_reporting.site.figures import Figures
from strike_reporting.site.headline import headline, with_mark
from strike_reporting.site.rendering import environment

NEEDED = (TOTALS_TABLE, COVERAGE.name, FLAGS.name, RETURNS.name, REVISIONS.name)


def release_message(
    release: Release, to: Reported, tables: dict[str, list[dict[str, Any]]], link: str, found: News | None = None
) -> EmailMessage:
    """Headline with coverage, what changed and why, and a link; the sender fills in who it is from and to.

    Args:
        release: its manifest.
        to: the area whose list it is for.
        tables: rows of the release's tables that are `NEEDED`.
        link: the release's folder where it is served; may be empty.
        found: what differs from the release before; None where only its revised figures are known.
    """
    area = to.area
    found = found or News(tables[REVISIONS.name], [], [], [])
    figures = Figures(tables)
    evidence = Evidence(figures, resolve(release.action_id).days)
    flags = evidence.flags_here(Place.of(area))
    here = found.of(area.area_type, area.area_code, {code for code, _ in evidence.members(area.area_code)})
    names = {(r["area_type"], r["area_code"]): r["area_name"] for r in tables[TOTALS_TABLE]}
    files = {s.submission_id: s.source_name for s in release.inputs.submissions}
    changes, most = lines(here, area, names, files), settings().mail_lines
    context = {
        "release": release,
        "area": area.area_name,
        "lines": [
            (line.label, with_mark(line), "; ".join(n.striptags() for n in line.notes))
            for line in headline(figures, Place.of(area), [], release.mark)
        ],
        "changes": changes[:most],
        "more": words.number(len(changes[most:])) if changes[most:] else "",
        "flags": int(flags.value or 0) if flags else 0,
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
