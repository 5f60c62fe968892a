"""What stands behind the figures: returns, submissions, and who sent nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import Any

from markupsafe import Markup

from strike_reporting.catalogue import flags, statuses
from strike_reporting.catalogue.areas import ENGLAND, Area, width
from strike_reporting.catalogue.statuses import OUTSTANDING, RETURNED
from strike_reporting.extracts.measures import LABELS, TOTALS_TABLE, label_of
from strike_reporting.publishing.news import part_of
from strike_reporting.reference.actions import days_text
from strike_reporting.reference.organisations import organisations
from strike_reporting.site import changes, words
from strike_reporting.site.area import Place
from strike_reporting.site.figures import Figure, Figures, Head, Row, Table
from strike_reporting.site.terms import head

WITHOUT_RETURN = "without-return.html"  # the one page of the trusts of which nothing came


class Evidence:
    """The returns and submissions of one release, as tables for its pages."""

    def __init__(self, figures: Figures, days: Sequence[date]) -> None:
        """`days` decide which areas a trust counts in."""
        self.figures, self.days = figures, days
        self._days: dict[str, list[date]] = {}
        self._areas: dict[str, tuple[Area, ...]] = {}
        self._named = {r["ods_code"]: r["trust_name"] for r in figures.rows("returns")}
        for r in figures.rows("returns"):
            for submission in _files(r) if r["return_status"] in RETURNED else ():
                self._days.setdefault(submission, []).append(r["strike_day"])

    @cached_property
    def present(self) -> frozenset[str]:
        """Trusts of which something came, whatever became of it."""
        returns = self.figures.rows("returns")
        came = {r["ods_code"] for r in returns if _files(r) or r["return_status"] in RETURNED}
        return frozenset(came | {r["ods_code"] for t in ("submissions", "flags") for r in self.figures.rows(t)})

    def trust_link(self, code: str, name: str, root: str = "") -> Markup:
        """A trust’s name, leading to its page, or to its row where nothing came of it."""
        page = f"{code}.html" if code in self.present else f"{WITHOUT_RETURN}#t-{code}"
        return Markup('<a href="{}trusts/{}">{} ({})</a>').format(root, page, name, code)

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
        for extract, title in LABELS.items():
            mine = [r for r in self.figures.rows("returns", extract=extract) if only is None or r["ods_code"] in only]
            sent = {r["ods_code"] for r in mine if r["return_status"] in RETURNED}
            asked = {r["ods_code"]: r["trust_name"] for r in mine if r["return_status"] in OUTSTANDING}
            names = [self.trust_link(c, n) for c, n in sorted(asked.items(), key=lambda i: i[1]) if c not in sent]
            if names:
                found[title] = names
        return found

    def without_return(self, trusts: Sequence[tuple[str, str]]) -> Table:
        """Trusts of which nothing came: for how many days of each extract they were asked, and what is known of why."""
        rows = []
        for code, name in trusts:
            asked = [self._outstanding(code, e) for e in LABELS]
            why = dict.fromkeys(r["reason"] for r in self.figures.rows("returns", ods_code=code) if r["reason"])
            label = Markup("{} ({})").format(name, code)
            rows.append(Row(label, [*asked, "; ".join(why)], id=f"t-{code}", tags=self.tags(code)))
        heads: list[str | Head] = ["Trust", *(Head(f"{t}, days missing") for t in LABELS.values()), "Note"]
        caption = "Trusts of which nothing has come"
        return Table("without-return", caption, heads, rows, search="Find a trust by name or code")

    def _outstanding(self, code: str, extract: str) -> Figure | str:
        count = self.figures.count("returns", ods_code=code, extract=extract, return_status=tuple(sorted(OUTSTANDING)))
        return count if count.value else "not asked"

    def returns(self, code: str) -> Table:
        """A trust’s returns, each leading to its submission."""
        rows = []
        for r in self.figures.rows("returns", ods_code=code):
            if not statuses.is_asked(r["return_status"]):
                continue
            one = {"ods_code": code, "extract": r["extract"], "strike_day": r["strike_day"]}
            links = Markup(", ").join(_to_file(s, "../") for s in _files(r)) or "none"
            used = [self.figures.total("returns", f, **one) for f in ("rows_accepted", "rows_quarantined")]
            name = Markup("{}, {}").format(_extract(r["extract"]), words.short_day(r["strike_day"]))
            rows.append(Row(name, [statuses.label(r["return_status"]).lower(), *used, links, r["reason"] or ""]))
        left = Head("Rows left out", term="left-out")
        heads = (Head("Return", is_number=False, term="returns"), "Status", "#Rows used", left, "Files", "Note")
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
        heads: list[str | Head] = ["Trust", "Extract", "File, its reference and its SHA-256", "Received", "Used for"]
        heads += ["#Rows used", Head("Left out", term="left-out"), "#Warnings", "Result"]
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
            _extract(s["extract"]) if s["extract"] else "not known",
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
            key=lambda r: (r["table"] != TOTALS_TABLE, width(part_of(r["key"], "area_type"))),
        )
        names = {(r["area_type"], r["area_code"]): r["area_name"] for r in self.figures.rows(TOTALS_TABLE)}
        rows = []
        for r in found[:most]:
            area = (part_of(r["key"], "area_type"), part_of(r["key"], "area_code"))
            of = changes.about(r["key"])
            name = ", ".join([*filter(None, [names.get(area, area[1])]), *of]) + ("" if of else ", whole action")
            cells = [label_of(r["field"]), changes.value(r["old"]), changes.value(r["new"]), r["reason"]]
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
                    d, e, _extract(e), words.short_day(d)
                ),
                [self.figures.count("returns", extract=e, strike_day=d, return_status=s) for s in shown],
            )
            for (e, d), found in sorted(counted.items())
            if any(map(statuses.is_asked, found))
        ]
        heads: list[str | Head] = [
            "Return",
            *(head(s) if s in statuses.BY_KEY else Head(statuses.label(s)) for s in shown),
        ]
        return Table("statuses", "Trusts by return status", heads, rows)

    def flags(self, table_id: str, caption: str, code: str = "", most: int | None = None) -> Table | None:
        """What makes returns and figures doubtful, by trust, day and figure; None when nothing does."""
        found = self.figures.rows("flags", **({"ods_code": code} if code else {}))
        rows = [self._flag(r, is_one_trust=bool(code)) for r in found[:most]]
        heads = [] if code else ["Trust"]
        heads += ["Return", "Day", "Figure", "Flag", "Value", "Held against", "What it says"]
        present = {r["flag"] for r in found[:most]}
        choices = tuple((f"is-{f}", flags.label(f)) for f in flags.FLAGS if f in present)
        filters: dict[str, Any] = {"search": "Find a trust, figure or flag", "choices": choices, "choice_label": "Only"}
        return Table(table_id, caption, heads, rows, **({} if code else filters)) if rows else None

    def _flag(self, r: dict[str, Any], *, is_one_trust: bool) -> Row:
        one = {k: r[k] for k in ("ods_code", "extract", "strike_day", "measure", "flag", "part")}
        told = flags.FLAGS.get(r["flag"])
        value, against = (
            self.figures.total("flags", v, places=int(bool((r[v] or 0) % 1)), **one) for v in ("value", "compared_with")
        )
        part = f" ({words.dimension(r['part'])})" if r["part"] else ""
        cells: list[Figure | str | Markup] = [
            words.short_day(r["strike_day"]) if r["strike_day"] else "whole action",
            (label_of(r["measure"]) if r["measure"] else "the whole return") + part,
            flags.label(r["flag"]),
            Markup("{} {}").format(value, told.value) if told and told.value else "",
            Markup("{} {}").format(against, told.against) if told and told.against else "",
            told.definition if told else "",
        ]
        code = r["ods_code"]
        tags = " ".join([*self.tags(code).split(), f"is-{r['flag']}"])
        if is_one_trust:
            return Row(_extract(r["extract"]), cells, tags=tags)
        return Row(self.trust_link(code, self._named.get(code, code)), [_extract(r["extract"]), *cells], tags=tags)

    def flags_here(self, place: Place) -> Figure | None:
        """How many flags the trusts of an area have; None when none has one."""
        of: dict[str, dict[str, Any]] = {ENGLAND.area_type: {}, "trust": {"ods_code": place.area_code}}
        codes = () if place.area_type in of else tuple(c for c, _ in self.members(place.area_code))
        count = self.figures.count("flags", **of.get(place.area_type, {"ods_code": codes}))
        return count if count.value else None

    def two_files(self) -> Table | None:
        """Returns whose parts come from more than one file, or of which a newer file is held or could not be used."""
        rows = []
        for r in self.figures.rows("returns"):
            if r["is_from_two_files"] or r["is_newer_held"] or r["is_newer_refused"]:
                later = [s for s in (r["refused_submission_id"],) if s]
                links = Markup(", ").join(_to_file(s) for s in dict.fromkeys([*_files(r), *later]))
                cells = [_extract(r["extract"]), words.short_day(r["strike_day"]), links, r["reason"] or ""]
                rows.append(Row(self.trust_link(r["ods_code"], r["trust_name"]), cells))
        heads = ("Trust", "Return", "Day", "Files", "What is to be known")
        caption = "From more than one file, or with a newer file that is not taken over"
        return Table("two-files", caption, heads, rows) if rows else None

    def late(self) -> Table | None:
        """Returns that came after their time; None when none did."""
        rows = [
            Row(
                self.trust_link(r["ods_code"], r["trust_name"]),
                [_extract(r["extract"]), words.short_day(r["strike_day"]), words.short_moment(r["received_at"])],
            )
            for r in self.figures.rows("returns", return_status="late")
        ]
        return Table("late", "Late returns", ("Trust", "Extract", "Day", "Received"), rows) if rows else None

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


def _extract(name: str) -> str:
    return LABELS.get(name, words.dimension(name).capitalize())


def _files(r: dict[str, Any]) -> list[str]:
    """The submissions of a return that count, newest first; else the one that was refused."""
    sent = r["submission_ids"] or r["submission_id"]
    return sent.split(";") if sent else []


def _to_file(submission: str, root: str = "") -> Markup:
    return Markup('<a href="{}sources.html#s-{}">{}</a>').format(root, submission, submission[:13])
