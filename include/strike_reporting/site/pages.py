"""The pages of one release: England, each named area with a page, each trust, sources, quality, definitions.

They are a view: drawn by today's code from a release's own files, again whenever that code or the releases change.
Every page is one file with its style and script inside and no reference to another host, so that it can be opened from
a file share. Links between pages are relative.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import pyarrow as pa
from markupsafe import Markup

from strike_reporting.catalogue.areas import ENGLAND, KINDS, NamedArea, kind_of
from strike_reporting.catalogue.measures import Total
from strike_reporting.children import side_by_side
from strike_reporting.extracts.measures import LABELS, TOTALS_TABLE, shown_in
from strike_reporting.extracts.tables import TABLES
from strike_reporting.ledger.gated import Hold
from strike_reporting.ledger.records import Cut
from strike_reporting.publishing.manifest import Release
from strike_reporting.reference.actions import ActionSet
from strike_reporting.reference.areas import named_areas, reported
from strike_reporting.reference.organisations import organisations
from strike_reporting.settings import settings
from strike_reporting.site import area, drawn, strike, words
from strike_reporting.site.area import Place
from strike_reporting.site.cover import Cover
from strike_reporting.site.evidence import WITHOUT_RETURN, Evidence
from strike_reporting.site.figures import Figure, Figures, Row, Table
from strike_reporting.site.headline import Past, headline
from strike_reporting.site.published import compared_table
from strike_reporting.site.rendering import environment

_HEADER_END = re.compile(rb'(<p class="superseded">.*</p>\n)?</header>')
_SEARCH = "Find a trust, board, region or file"
_SITES_OF = "Its sites, where the return names them"


_BESIDE = (
    ("report.html#trusts", "Trusts"),
    ("sources.html", "Where the numbers come from"),
    ("quality.html", "Quality and revisions"),
    ("definitions.html", "Definitions and files"),
    ("../index.html", "Its releases"),
    ("../../index.html", "All actions"),
    ("../../before.html", "Before a strike"),
)


def area_pages() -> tuple[tuple[str, str], ...]:
    """Page and name of every area that has one: England, then the named areas."""
    return tuple((r.page, r.area.area_name) for r in reported() if r.page)


def pages(
    release: Release,
    action: ActionSet,
    tables: dict[str, pa.Table],
    pasts: list[Compared],
    superseded_by: Cut | None,
    progress: Callable[[int, int], None] = lambda done, of: None,
    differs: list[str] | None = None,
    held: Hold | None = None,
    embargo: str = "",
) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of every page of a release, or of a draft, England's first.

    Args:
        release: its manifest.
        action: what it reports.
        tables: its tables.
        pasts: releases to compare with.
        superseded_by: the action's current release, when it is another one.
        progress: called with pages done and pages in all.
        differs: of a draft, what differs from the current release, in words.
        held: of a draft, how it stands with the release gate, where that held it.
        embargo: of a draft, until when it is under embargo, as a sentence.
    """
    rows = {n: t.to_pylist() for n, t in tables.items()}
    used = [s for s in release.inputs.submissions if s.is_used]
    rows["submissions"] = [s.model_dump() for s in used]
    rows["broken_rules"] = [
        {"submission_id": s.submission_id, "rule": rule, "problems": n} for s in used for rule, n in s.rules.items()
    ]
    book = _Book(
        release,
        action,
        Figures(rows),
        [Past(p.label, p.what, Figures({n: t.to_pylist() for n, t in p.tables.items()}, p.release_id)) for p in pasts],
        superseded_by,
        differs or [],
        held,
        embargo,
    )
    trusts = sorted({r["ods_code"]: r["trust_name"] for r in rows["returns"]}.items())
    total = len(book.evidence.present & {c for c, _ in trusts}) + len(area_pages()) + 4
    for done, (name, html) in enumerate(book.all(trusts), start=1):
        yield name, html.encode()
        progress(done, total)


def superseded(name: str, page: bytes, by: Cut) -> bytes:
    """A page of a release as it is drawn once another one is the current: the last words of its header say so."""
    root = "../" * name.count("/")
    said = environment().get_template("superseded.html.jinja").render(superseded_by=by, root=root).encode()
    return _HEADER_END.sub(lambda _: said + b"\n</header>", page, count=1)


@dataclass(frozen=True)
class Compared:
    """A release that figures are compared with: how a line about it begins, what it is, and some of its tables."""

    label: str
    what: str
    release_id: str
    tables: dict[str, pa.Table]


class _Book:
    """One release while its pages are written."""

    def __init__(
        self,
        release: Release,
        action: ActionSet,
        figures: Figures,
        pasts: list[Past],
        superseded_by: Cut | None,
        differs: list[str],
        held: Hold | None,
        embargo: str,
    ) -> None:
        self.action, self.facts, self.figures, self.pasts = action, release, figures, pasts
        self.evidence, self.what = Evidence(figures, action.days), "draft" if release.is_draft else "release"
        self.off = strike.off(action)
        self._orders: dict[str, tuple[str, ...]] = {}
        self.common = {
            "release_id": release.release_id,
            "action": action,
            "facts": release,
            "superseded_by": superseded_by,
            "what": self.what,
            "differs": differs,
            "held": held,
            "embargo": embargo,
            "files": f"../../../{release.folder}/",
            "root": "",
            "nav": (*area_pages(), *_BESIDE),
        }

    def all(self, trusts: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Path and HTML of every page, England's first."""
        present = [t for t in trusts if t[0] in self.evidence.present]
        first = [self.trust(*one) for one in present[:1]]  # what the others look up, and with, is then in memory
        with side_by_side(lambda one: self.trust(*one), present[1:]) as others:
            yield from self._wide(trusts)
            yield from zip((f"trusts/{code}.html" for code, _ in present), chain(first, others), strict=True)
        if away := [t for t in trusts if t[0] not in self.evidence.present]:
            yield f"trusts/{WITHOUT_RETURN}", self.without_return(away)

    def _wide(self, trusts: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        yield "report.html", self.england(trusts)
        for named in (n for n in named_areas() if n.page):
            yield named.page, self.named(named)
        yield "sources.html", self.sources()
        yield "quality.html", self.quality()
        yield (
            "definitions.html",
            self._page(
                "definitions", "Definitions and files", tables=list(TABLES.values()), kinds=KINDS, named=named_areas()
            ),
        )

    def _page(self, template: str, title: str, here: str = "", **context: Any) -> str:
        source = environment().get_template(f"{template}.html.jinja")
        return str(source.render(**{**self.common, "here": here or f"{template}.html", "heading": title, **context}))

    def _area(self, place: Place) -> dict[str, Any]:
        chart, finding = drawn.days(self.figures, self.action, place)
        shown = headline(self.figures, place, self.pasts, self.facts.mark)
        said = Markup(" ").join(c for h in shown for c in h.compared)
        return {
            "place": place,
            "headline": shown,
            "compared_with": [p for p in self.pasts if f"{p.label}:" in said],
            "chart": chart,
            "finding": finding,
            "days": area.by_day(self.figures, self.action, place),
            "breakdowns": area.breakdowns(self.figures, place),
            "flags": self.evidence.flags_here(place),
            "off": self.off,
            "unasked": strike.unasked(),
            "not_held": strike.not_held(self.figures, place) if self.off else None,
        }

    def england(self, trusts: list[tuple[str, str]]) -> str:
        """Headline, days, regions, boards, trusts, specialties, staff, and who has not returned."""
        icbs = [self._place(r) for r in self.figures.rows(TOTALS_TABLE, area_type="icb")]
        regions = [self._place(r) for r in self.figures.rows(TOTALS_TABLE, area_type="region")]
        tiles, tiles_say = drawn.tiles(self.figures, icbs)
        found = [(Place("trust", c, n), self.evidence.trust_link(c, n), self.evidence.tags(c)) for c, n in trusts]
        named = [Place.of(n.area) for n in named_areas()]
        choices = tuple((p.area_code.lower(), p.name) for p in (*named, *regions, *icbs))
        listed = area.beside(
            self.figures,
            "trusts",
            "Every trust",
            "Trust",
            found,
            says_order=True,
            search="Find a trust by name or code",
            choices=choices,
            choice_label="Only trusts in",
        )
        return self._page(
            "area",
            "England",
            "report.html",
            **self._area(Place.of(ENGLAND)),
            tiles=tiles,
            tiles_say=tiles_say,
            regions=self._wider("region", regions),
            icbs=self._wider("icb", icbs) if icbs else None,
            trusts=listed,
            absent=self.evidence.absent(),
            each_day=strike.each_day(self.action),
            published=compared_table(self.figures, self.action, self.facts.data_class == "synthetic", self.what),
        )

    def named(self, named: NamedArea) -> str:
        """The same for a named area, its trusts side by side, and its hospital sites."""
        place = Place.of(named.area, sources=f"sources.html?q={named.area.area_type}#{{extract}}")
        codes = self.evidence.members(place.area_code)
        trusts = [(Place("trust", c, n), self.evidence.trust_link(c, n), "") for c, n in codes]
        bars, bars_say = drawn.trusts(self.figures, [p for p, *_ in trusts])
        return self._page(
            "area",
            place.name,
            named.page,
            **self._area(place),
            trust_bars_say=bars_say,
            trusts=area.beside(self.figures, "trusts", f"{place.name}’s trusts side by side", "Trust", trusts),
            trust_bars=bars,
            sites=self._sites("Hospital sites, where the return names them", [c for c, _ in codes])
            if named.shows_sites
            else None,
            absent=self.evidence.absent({c for c, _ in codes}),
        )

    def without_return(self, trusts: list[tuple[str, str]]) -> str:
        """The trusts of which nothing came, together: each page by itself would say the same."""
        listed = self.evidence.without_return(trusts)
        here = f"trusts/{WITHOUT_RETURN}"
        return self._page("without_return", "Trusts without a return", here, root="../", listed=listed)

    def trust(self, code: str, name: str) -> str:
        """A trust's figures, its place among its peers, and its returns with their quality."""
        place = Place("trust", code, name, "#returns", "../")
        return self._page(
            "area",
            name,
            f"trusts/{code}.html",
            root="../",
            **self._area(place),
            peers=self._peers(code),
            sites=self._sites(_SITES_OF, [code], "#returns"),
            returns=self.evidence.returns(code),
            its_flags=self.evidence.flags("flags", "Flags of its returns and figures", code=code),
            submissions=self.evidence.submissions("submissions", "Its submissions", [code], root="../"),
        )

    def sources(self) -> str:
        """Every submission behind the release."""
        codes = sorted({s["ods_code"] for s in self.figures.rows("submissions") if s["ods_code"]})
        found = [
            (title, self.evidence.submissions(e, f"{title}: submissions", codes, e, search=_SEARCH))
            for e, title in LABELS.items()
        ]
        return self._page("sources", "Where the numbers come from", extracts=found)

    def quality(self) -> str:
        """Coverage, what was left out, late returns, and every figure that changed."""
        revised = self.figures.rows("revisions")
        left = [s for s in self.figures.rows("submissions") if s["rows_quarantined"] or s["status"] == "rejected"]
        return self._page(
            "quality",
            "Quality and revisions",
            statuses=self.evidence.statuses(),
            flags=self.evidence.flags("flags", "Flags by trust, day and figure", most=settings().revisions_shown),
            flag_count=self.figures.count("flags"),
            two_files=self.evidence.two_files(),
            revisions=self.evidence.revisions(settings().revisions_shown),
            revision_count=len(revised),
            shown=settings().revisions_shown,
            left_out=self.evidence.submissions(
                "left-out", "Submissions refused, or with rows left out", None, chosen=left
            )
            if left
            else None,
            rules=self.evidence.rules(),
            late=self.evidence.late(),
        )

    def _sites(self, caption: str, codes: list[str], link: str = "") -> Table | None:
        """The sites of trusts; each leads to its trust’s returns."""
        of = {organisations().successor(c): c for c in codes}
        found = []
        for row in self.figures.rows(TOTALS_TABLE, area_type="site"):
            if code := of.get(organisations().trust_of_site(row["area_code"])):
                href = link or f"trusts/{code}.html#returns"
                name = Markup('<a href="{}">{} ({})</a>').format(href, row["area_name"], row["area_code"])
                found.append((self._place(row), name, ""))
        return area.beside(self.figures, "sites", caption, "Site", found) if found else None

    def _place(self, row: dict[str, Any]) -> Place:
        return Place(row["area_type"], row["area_code"], row["area_name"])

    def _wider(self, area_type: str, places: list[Place]) -> Table:
        label = kind_of(area_type).label
        link = Markup('<a href="sources.html?q={}">{} ({})</a>')
        named = [(p, link.format(p.area_code.lower(), words.short(p.name), p.area_code), "") for p in places]
        return area.beside(self.figures, f"{area_type}s", f"By {label.lower()}", label, named)

    def _peers(self, code: str) -> Table | None:
        """The trust's place in England and in its region; none by a figure of which too little is there."""
        region = next((a.area_code for a in self.evidence.areas(code) if a.area_type == "region"), "")
        kin = tuple(c for c, _ in self.evidence.members(region)) if region else ()
        rows = []
        for entry in shown_in("peers"):
            known = self._ranked(entry.key, code)
            if known:
                near = tuple(c for c in known if c in kin)
                cells = [cell for among in (known, near) for cell in self._rank(entry.key, code, among)]
                rows.append(Row(entry.label, cells))
        heads = ("Figure", "#Place in England", "#of trusts", "#Place in region", "#of trusts in region")
        return Table("peers", "Place among trusts with a whole figure, highest first", heads, rows) if rows else None

    def _ranked(self, key: str, code: str) -> tuple[str, ...]:
        """The trusts that can be put in order by a figure; none when this one cannot, or too few can."""
        if key not in self._orders:
            entry = next(e for e in shown_in("peers") if e.key == key)
            by = entry if isinstance(entry, Total) else drawn.main_total()

            def is_thin(place: Place) -> bool:
                return Cover(self.figures, place.where, by.key).is_thin

            rows = self.figures.rows(TOTALS_TABLE, area_type="trust")
            known = sorted(r["area_code"] for r in rows if r[key] is not None and not is_thin(self._place(r)))
            self._orders[key] = () if is_thin(Place.of(ENGLAND)) else tuple(known)
        return self._orders[key] if code in self._orders[key] else ()

    def _rank(self, key: str, code: str, among: tuple[str, ...]) -> list[Figure]:
        where: dict[str, Any] = {"area_type": "trust", "area_code": among}
        place = self.figures.rank(TOTALS_TABLE, key, code, **where)
        return [place, self.figures.count(TOTALS_TABLE, **where)]
