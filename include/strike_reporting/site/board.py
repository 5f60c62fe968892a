"""The returns board: every trust, extract and strike day, as it stands now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from markupsafe import Markup

from strike_reporting.catalogue import flags, statuses
from strike_reporting.extracts.measures import LABELS
from strike_reporting.ledger.gated import Hold
from strike_reporting.publishing.manifest import Release
from strike_reporting.publishing.selection import Return
from strike_reporting.reference.actions import ActionSet
from strike_reporting.reference.areas import named_areas
from strike_reporting.reference.organisations import organisations
from strike_reporting.site.figures import Row, Table
from strike_reporting.site.rendering import environment

Flagged = Mapping[tuple[str, str], Sequence[str]]
NAV = (
    ("site/index.html", "All actions"),
    ("site/before.html", "Before a strike"),
    ("returns", "Returns board"),
)


def board(
    action: ActionSet,
    actions: Sequence[ActionSet],
    returns: list[Return],
    flagged: Flagged,
    reports: set[str] | None,
    synthetic: bool,
    now: str,
    unflagged: str = "",
    beside: Release | None = None,
    held: Hold | None = None,
    embargo: str = "",
) -> str:
    """The board as a page.

    Args:
        action: the one shown.
        actions: those that may be chosen.
        returns: from `selection.select`.
        flagged: by trust and extract, the flags that its draft, or else its current release, gives them.
        reports: submissions that have an error report; None for who may see neither those nor any reason, which name
            figures.
        synthetic: whether any submission is.
        now: the moment, UTC.
        unflagged: why the flags are not known, where they are not.
        beside: the draft or release whose figures go with it.
        held: how that draft stands with the release gate, where it held it.
        embargo: until when a draft is under embargo, as a sentence.
    """
    asked = [r for r in returns if statuses.is_asked(r.return_status)]
    grouped: dict[tuple[str, str, str], dict[date, Return]] = {}
    for r in asked:
        grouped.setdefault((r.ods_code, r.trust_name, r.extract), {})[r.strike_day] = r
    days = [d for d in (*action.days, *action.closing_days) if any(r.strike_day == d for r in asked)]
    doubts = {key: None if unflagged else flagged.get((key[0], key[2]), ()) for key in grouped}
    rows = [_row(*key, found, days, doubts[key], reports) for key, found in sorted(grouped.items())]
    counted = Counter(r.return_status for r in asked)
    shown = statuses.shown(set(counted))
    present = {f for found in flagged.values() for f in found}
    table = Table(
        "board",
        f"Returns for the {action.title[0].lower()}{action.title[1:]}",
        ("Trust", "Extract", *(f"{d:%a %-d %b}" for d in days), "Flags", "Reason", "Error report"),
        rows,
        search="Find a trust, status or reason",
        choices=(
            *((n.area.area_code.lower(), n.area.area_name) for n in named_areas()),
            *((f"is-{s}", f"Trusts with one {statuses.label(s).lower()}") for s in shown),
            *((f"flag-{f}", f"Flag: {flags.label(f).lower()}") for f in flags.FLAGS if f in present),
        ),
        choice_label="Only",
    )
    page = (
        environment()
        .get_template("board.html.jinja")
        .render(
            facts={"data_class": "synthetic" if synthetic else "real"},
            nav=NAV,
            root="",
            here="returns",
            heading="Returns board",
            action=action,
            actions=actions,
            board=table,
            counts=[(statuses.label(s), counted[s]) for s in shown],
            now=now,
            unflagged=unflagged,
            beside=beside,
            held=held,
            embargo=embargo,
            hides=reports is None,
        )
    )
    return str(page)


def _row(
    code: str,
    name: str,
    extract: str,
    found: dict[date, Return],
    days: list[date],
    doubts: Sequence[str] | None,
    reports: set[str] | None,
) -> Row:
    """One trust's extract. doubts: its flags; None where they are not known. reports: None hides reasons as well."""
    cells: list[str | Markup] = []
    for day in days:
        status = found[day].return_status if day in found else ""
        shown = Markup('<span class="{}">{}</span>').format(status, statuses.label(status).lower())
        cells.append(shown if status else "not asked")
    reasons = dict.fromkeys(r.reason for r in found.values() if r.reason and reports is not None)
    ids = (s for r in found.values() for s in (r.refused_submission_id, r.submission_id))
    sent = dict.fromkeys(s for s in ids if s in (reports or ()))
    links = Markup(", ").join(
        Markup('<a href="errors/{0}.txt">text</a>, <a href="errors/{0}.xlsx">workbook</a>').format(s) for s in sent
    )
    first = min(found)
    tags = {a.area_code.lower() for a in organisations().areas(code, first)}
    tags |= {f"is-{r.return_status}" for r in found.values()} | {f"flag-{f}" for f in doubts or ()}
    told = "not known" if doubts is None else ", ".join(map(flags.label, doubts))
    return Row(
        f"{name} ({code})",
        [LABELS[extract], *cells, told, "; ".join(reasons), links or "none"],
        tags=" ".join(sorted(tags)),
    )
