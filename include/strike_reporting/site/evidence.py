"""What stands behind the figures: returns, submissions, and who sent nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from markupsafe import Markup

from strike_reporting.catalogue import statuses
from strike_reporting.catalogue.areas import Area, width
from strike_reporting.catalogue.statuses import OUTSTANDING, RETURNED
from strike_reporting.reference.actions import days_text
from strike_reporting.reference.organisations import organisations
from strike_reporting.site import words
from strike_reporting.site.figures import Figure, Figures, Row, Table


class Evidence:
    """The returns and submissions of one release, as tables for its pages."""

    def __init__(self, figures: Figures, days: Sequence[date]) -> None:
        """`days` decide which areas a trust counts in."""
        self.figures, self.days = figures, days
        self._days: dict[str, list[date]] = {}
        self._areas: dict[str, tuple[Area, ...]] = {}
        self._named = {r["ods_code"]: r["trust_name"] for r in figures.rows("returns")}
        for r in figures.rows("returns"):
            if r["return_status"] in RETURNED:
                self._days.setdefault(r["submission_id"], []).append(r["strike_day"])

    def trust_link(self, code: str, name: str, root: str = "") -> Markup:
        """A trust’s name, leading to its page."""
        return Markup('<a href="{}trusts/{}.html">{} ({})</a>').format(root, code, name, code)

    def areas(self, code: str) -> tuple[Area, ...]:
        """Every area that a trust counts in on any of the days; it may begin or end between them."""
        if code not in self._areas:
            orgs = organisations()
            found = [a for d in self.days if orgs.is_trust(code, d) for a in orgs.areas(code, d)]
            self._areas[code] = tuple(dict.fromkeys(found))
        return self._areas[code]

    def tags(self, code: str) -> str:
        """Codes of these areas, for filters."""
        return " ".join(dict.fromkeys([code.lower(), *(a.area_code.lower() for a in self.areas(code))]))

    def members(self, area_code: str) -> list[tuple[str, str]]:
        """Trusts of an area: code and name."""
        return [(c, n) for c, n in sorted(self._named.items()) if area_code in {a.area_code for a in self.areas(c)}]

    def absent(self, only: set[str] | None = None) -> dict[str, list[Markup]]:
        """Trusts that sent no usable return on any day, by extract."""
        found = {}
        for extract, title in words.EXTRACTS.items():
            mine = [r for r in self.figures.rows("returns", extract=extract) if only is None or r["ods_code"] in only]
            sent = {r["ods_code"] for r in mine if r["return_status"] in RETURNED}
            asked = {r["ods_code"]: r["trust_name"] for r in mine if r["return_status"] in OUTSTANDING}
            names = [self.trust_link(c, n) for c, n in sorted(asked.items(), key=lambda i: i[1]) if c not in sent]
            if names:
                found[title] = names
        return found

    def returns(self, code: str) -> Table:
        """A trust’s returns, each leading to its submission."""
        rows = []
        for r in self.figures.rows("returns", ods_code=code):
            if not statuses.is_asked(r["return_status"]):
                continue
            one = {"ods_code": code, "extract": r["extract"], "strike_day": r["strike_day"]}
            sent = r["submission_id"]
            link = Markup('<a href="../sources.html#s-{}">{}</a>').format(sent, sent[:13]) if sent else "none"
            used = [self.figures.total("returns", f, **one) for f in ("rows_accepted", "rows_quarantined")]
            name = Markup("{}, {}").format(words.EXTRACTS[r["extract"]], words.short_day(r["strike_day"]))
            rows.append(Row(name, [statuses.label(r["return_status"]).lower(), *used, link, r["reason"] or ""]))
        heads = ("Return", "Status", "#Rows used", "#Rows left out", "Submission", "Note")
        return Table("returns", "Its returns", heads, rows)

    def submissions(
        self,
        table_id: str,
        caption: str,
        codes: list[str] | None,
        extract: str = "",
        *,
        root: str = "",
        search: str = "",
        chosen: list[dict[str, Any]] | None = None,
    ) -> Table:
        """Submissions, by trust, with file, hash and quality."""
        named = self._named
        wanted = (
            chosen
            if chosen is not None
            else [
                s
                for s in self.figures.rows("submissions")
                if s["ods_code"] in (codes or ()) and extract in ("", s["extract"])
            ]
        )
        rows = [
            self._submission(s, named, root, one_extract=bool(extract))
            for s in sorted(wanted, key=lambda s: (s["ods_code"] or "", s["extract"] or "", s["received_at"]))
        ]
        heads = ["Trust", "Extract", "File, its reference and its SHA-256", "Received", "Used for"]
        heads += ["#Rows used", "#Left out", "#Warnings", "Result"]
        if extract:
            heads.remove("Extract")
        days = sorted({d for s in wanted for d in self._days.get(s["submission_id"], [])})
        choices = tuple((f"day-{d}", f"{d:%a %-d %B %Y}") for d in days) if search else ()
        return Table(table_id, caption, heads, rows, search=search, choices=choices, choice_label="Only files used for")

    def _submission(self, s: dict[str, Any], named: dict[str, str], root: str, one_extract: bool) -> Row:
        code, one = s["ods_code"] or "", {"submission_id": s["submission_id"]}
        days = sorted(self._days.get(s["submission_id"], []))
        file = Markup("{}<br><code>{}</code><br><code>{}</code>")
        cells: list[Figure | str | Markup] = [
            words.EXTRACTS.get(s["extract"] or "", "not known"),
            file.format(s["source_name"], s["submission_id"], s["sha256"]),
            words.short_moment(s["received_at"]),
            days_text(tuple(days)) if days else "no figure",
            *(self.figures.total("submissions", f, **one) for f in ("rows_accepted", "rows_quarantined", "warnings")),
            words.dimension(s["status"]) + (f": {s['reason']}" if s["status"] == "rejected" else ""),
        ]
        return Row(
            self.trust_link(code, named[code], root) if code in named else code or "trust not known",
            cells[1:] if one_extract else cells,
            id=f"s-{s['submission_id']}" if one_extract else "",
            tags=" ".join([*(self.tags(code).split() if code else []), *(f"day-{d}" for d in days)]),
        )

    def revisions(self, most: int) -> Table | None:
        """Figures that differ from the release before: totals first, and wide areas before narrow ones."""
        found = sorted(
            self.figures.rows("revisions"),
            key=lambda r: (r["table"] != "action_totals", width(_part(r["key"], "area_type"))),
        )
        names = {(r["area_type"], r["area_code"]): r["area_name"] for r in self.figures.rows("action_totals")}
        rows = []
        for r in found[:most]:
            area = (_part(r["key"], "area_type"), _part(r["key"], "area_code"))
            about = [words.dimension(p.partition("=")[2]) for p in r["key"].split("|")[2:]]
            name = ", ".join([names.get(area, area[1]), *about]) + ("" if about else ", whole action")
            cells = [words.dimension(r["field"]), _value(r["old"]), _value(r["new"]), r["reason"]]
            rows.append(Row(name, cells))
        heads = ("Figure", "Field", "#Old", "#New", "Why")
        caption = "Figures that differ from the release before"
        return Table("revisions", caption, heads, rows, search="Find a figure") if rows else None

    def statuses(self) -> Table:
        """How many trusts are in each return status."""
        counted: dict[tuple[str, date], set[str]] = {}
        for r in self.figures.rows("returns"):
            counted.setdefault((r["extract"], r["strike_day"]), set()).add(r["return_status"])
        shown = statuses.shown({s for found in counted.values() for s in found})
        rows = [
            Row(
                Markup('<a href="sources.html?only=day-{}#{}">{}, {}</a>').format(
                    d, e, words.EXTRACTS[e], words.short_day(d)
                ),
                [self.figures.count("returns", extract=e, strike_day=d, return_status=s) for s in shown],
            )
            for (e, d), found in sorted(counted.items())
            if any(map(statuses.is_asked, found))
        ]
        heads = ("Return", *(f"#{statuses.label(s)}" for s in shown))
        return Table("statuses", "Trusts by return status", heads, rows)

    def rules(self) -> Table | None:
        """How often each rule was broken; None when none was."""
        broken = sorted({r["rule"] for r in self.figures.rows("broken_rules")})
        rows = [
            Row(
                words.rule(rule),
                [
                    self.figures.total("broken_rules", "problems", rule=rule),
                    self.figures.count("broken_rules", rule=rule),
                ],
            )
            for rule in broken
        ]
        heads = ("Rule", "#Rows or cells", "#Submissions")
        return Table("rules", "Rules broken, by rule", heads, rows) if rows else None


def _part(key: str, name: str) -> str:
    return next(p.partition("=")[2] for p in key.split("|") if p.startswith(f"{name}="))


def _value(text: str | None) -> str:
    """A revised value as it is written elsewhere on the pages; values that are no numbers as they are."""
    try:
        value = None if text is None else float(text)
    except ValueError:
        return str(text)
    return words.number(value, 0 if value is None or value.is_integer() else 1)
