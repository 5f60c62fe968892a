"""The release's HTML page: self-contained, accessible, the same for the same release."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import jinja2
import pyarrow as pa
from markupsafe import Markup

from strike_reporting.actions import ActionSet
from strike_reporting.reports import charts, words
from strike_reporting.reports.published import compare
from strike_reporting.selection import RETURNED
from strike_reporting.summaries.tables import TABLES

_HERE = Path(__file__).parent
_AREAS = (("england", "ENG", "England"), ("hampshire", "HAMPSHIRE", "Hampshire"))


def page(
    release_id: str,
    action: ActionSet,
    tables: dict[str, pa.Table],
    facts: dict[str, Any],
    inputs: dict[str, Any],
) -> str:
    """The page as HTML 5, under 1 MB, with no reference to any other host."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "number": words.number,
        "percent": words.percent,
        "day": words.day,
        "moment": words.moment,
        "dimension": words.dimension,
    }
    rows = {n: t.to_pylist() for n, t in tables.items()}
    sections = [_section(kind, code, name, action, rows) for kind, code, name in _AREAS]
    named = {r["area_code"]: r["area_name"] for r in rows["action_totals"] if r["area_type"] == "trust"}
    source = environment.get_template("page.html.jinja").render(
        release_id=release_id,
        action=action,
        facts=facts,
        sections=sections,
        trusts=_trusts(rows),
        sites=[r for r in rows["action_totals"] if r["area_type"] == "site"],
        returns=_returns(rows["returns"]),
        absent=_not_returned(rows["returns"]),
        submissions=[{**s, "trust": named.get(s["ods_code"], s["ods_code"])} for s in inputs["submissions"]],
        published=compare(action, tables),
        revisions=rows["revisions"][:200],
        revision_count=len(rows["revisions"]),
        tables=list(TABLES.values()),
        extracts=words.EXTRACTS,
        style=Markup((_HERE / "style.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
        of=words.of,
    )
    return str(source)


def _section(
    kind: str, code: str, name: str, action: ActionSet, rows: dict[str, list[dict[str, Any]]]
) -> dict[str, Any]:
    """One area's headline, days and chart."""
    totals = next((r for r in rows["action_totals"] if r["area_code"] == code and r["area_type"] == kind), None)
    daily = [r for r in rows["cancellations_daily"] if r["area_code"] == code and r["area_type"] == kind]
    staff = [r for r in rows["staffing_daily"] if r["area_code"] == code and r["area_type"] == kind]
    days = [
        _day(d, d in action.days, daily, staff, rows["returns"], kind, code)
        for d in (*action.days, *action.closing_days)
    ]
    days = [d for d in days if d["strike"] or d["any"]]
    chart, finding = _chart(days, action)
    return {
        "id": code.lower(),
        "name": name,
        "totals": totals,
        "days": days,
        "chart": Markup(chart) if chart else None,  # noqa: S704 - drawn by us from numbers
        "finding": finding,
        "has_anticipated": any(d["anticipated"] is not None for d in days),
        "has_sessions": any(r["activity_unit"] != "appointment" for r in daily),
    }


def _sum(values: list[int | None]) -> int | None:
    known = [v for v in values if v is not None]
    return sum(known) if known else None


def _day(
    day: date,
    strike: bool,
    daily: list[dict[str, Any]],
    staff: list[dict[str, Any]],
    returns: list[dict[str, Any]],
    kind: str,
    code: str,
) -> dict[str, Any]:
    mine = [r for r in daily if r["strike_day"] == day]
    booked = [r for r in mine if r["activity_unit"] == "appointment"]
    people = [r for r in staff if r["strike_day"] == day]
    return {
        "day": day,
        "strike": strike,
        **{s: _sum([r["cancelled"] for r in booked if r["care_setting"] == s]) for s in words.SETTINGS},
        "anticipated": _sum([r["anticipated"] for r in booked]),
        "sessions": _sum([r["cancelled"] for r in mine if r["activity_unit"] == "clinic_session"]),
        "sessions_planned": _sum([r["planned"] for r in mine if r["activity_unit"] == "clinic_session"]),
        "absent": _sum([r["absent_action"] for r in people]),
        "due": _sum([r["due_to_work"] for r in people]),
        "any": bool(mine or people),
        "returned": mine[0]["trusts_returned"] if mine else 0,
        "staff_returned": people[0]["trusts_returned"] if people else 0,
        "expected": mine[0]["trusts_expected"] if mine else None,
        "staff_expected": people[0]["trusts_expected"] if people else None,
        "joint": mine[0]["joint_action_ids"] if mine else None,
    }


def _chart(days: list[dict[str, Any]], action: ActionSet) -> tuple[str | None, str]:
    rows = [
        {"day": f"{d['day']:%-d %b}", "order": n, "setting": title, "count": d[key]}
        for n, d in enumerate(days)
        for key, title in words.SETTINGS.items()
        if d[key] is not None
    ]
    if not rows:
        return None, "No return of cancelled appointments has been received, so there is nothing to draw."
    totals = {
        d["day"]: sum(d[k] or 0 for k in words.SETTINGS) for d in days if any(d[k] is not None for k in words.SETTINGS)
    }
    worst = max(totals, key=lambda d: totals[d])
    if len(totals) == 1:
        finding = f"{totals[worst]:,} appointments were reported cancelled on {words.day(worst)}."
    else:
        finding = (
            f"The day with most reported cancellations was {words.day(worst)}, with {totals[worst]:,} of "
            f"{sum(totals.values()):,} over {len(totals)} days."
        )
    return charts.days_chart(rows, "Cancelled appointments"), finding


def _trusts(rows: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Trusts with any return, most cancellations first."""
    sent = {r["ods_code"] for r in rows["returns"] if r["return_status"] in (*RETURNED, "rejected")}
    found = [r for r in rows["action_totals"] if r["area_type"] == "trust" and r["area_code"] in sent]
    keys = ("acute_cancelled", "inpatient_anticipated", "outpatient_anticipated", "staff_days_lost")
    return sorted(found, key=lambda r: ([-(r[k] or 0) for k in keys], r["area_name"]))


def _returns(returns: list[dict[str, Any]]) -> list[tuple[str, date, dict[str, int]]]:
    counted: dict[tuple[str, date], Counter[str]] = {}
    for r in returns:
        counted.setdefault((r["extract"], r["strike_day"]), Counter())[r["return_status"]] += 1
    shown = [(e, d, dict(c)) for (e, d), c in sorted(counted.items()) if set(c) != {"not_expected"}]
    return [(words.EXTRACTS[e], d, c) for e, d, c in shown]


def _not_returned(returns: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Names of trusts that sent no usable return on any day, by extract."""
    found = {}
    for extract, title in words.EXTRACTS.items():
        mine = [r for r in returns if r["extract"] == extract]
        sent = {r["ods_code"] for r in mine if r["return_status"] in RETURNED}
        asked = {r["ods_code"]: r["trust_name"] for r in mine if r["return_status"] in ("missing", "rejected")}
        names = sorted(f"{n} ({c})" for c, n in asked.items() if c not in sent)
        if names:
            found[title] = names
    return found
