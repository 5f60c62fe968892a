"""Every number on every page is what its query gives on the release's own Parquet, asked of DuckDB by itself."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from html.parser import HTMLParser
from itertools import product
from typing import Any
from urllib.parse import unquote

import duckdb
import pyarrow as pa
import pytest
from strike_reporting import children
from strike_reporting.extracts.tables import TABLES
from strike_reporting.publishing.manifest import Release
from strike_reporting.publishing.releases import find, read_table
from strike_reporting.reference.actions import resolve
from strike_reporting.simulator.examples import ACTIONS
from strike_reporting.site.pages import pages as draw_pages
from strike_reporting.storage import Store
from strike_reporting.storage.parquet import read_parquet


class Page(HTMLParser):
    """Collects numbers with their queries, number cells and headline values, links and ids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.bare, self.links, self.ids = [], [], set()
        self._query: str | None = None
        self._cell: list[Any] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        got = dict(attrs)
        if got.get("id"):
            self.ids.add(got["id"])
        if tag == "a" and got.get("href"):
            self.links.append(got["href"])
        if (tag == "td" and got.get("class") == "n") or got.get("class") == "value":
            self._cell = [tag, False]
        if "data-q" in got:
            self._query = got["data-q"]
            if self._cell:
                self._cell[1] = True

    def handle_data(self, data: str) -> None:
        if self._query is not None:
            self.found.append((self._query, data))
            self._query = None
        elif self._cell and data.strip() and not self._cell[1]:
            self.bare.append(data)

    def handle_endtag(self, tag: str) -> None:
        if self._cell and tag == self._cell[0]:
            self._cell = None


class Asker:
    """Answers page queries from Parquet files and the manifest, not with the code that wrote the page.

    Queries of one shape (the same table, columns and field) are answered together, by a join.
    """

    def __init__(self, store: Store, manifest: Release) -> None:
        self.store, self.own, self.known = store, manifest.release_id, {}
        self.con = duckdb.connect()

    def ask(self, *queries: str) -> dict[str, float | None]:
        """What each query gives."""
        simple = {part for q in queries for part in re.split(r" [+/-] ", q)}
        found = self._simple(simple)
        for q in set(queries) - simple:
            if " + " in q:
                found[q] = sum(found[part] or 0 for part in q.split(" + "))
            elif " / " in q:
                part, whole = (found[p] for p in q.split(" / "))
                found[q] = 100 * part / whole if part is not None and whole else None
            else:
                left, right = q.split(" - ")
                found[q] = found[left] - found[right]
        return found

    def _simple(self, queries: set[str]) -> dict[str, float | None]:
        shapes = defaultdict(list)
        for query in queries:
            path, _, field = query.partition("#")
            table, _, conditions = path.partition("?")
            release, _, table = table.rpartition("/")
            pairs = [c.partition("=")[::2] for c in conditions.split("&") if c]
            columns = tuple(c for c, _ in pairs)
            wanted = [[unquote(v).lower() for v in value.split("|")] for _, value in pairs]
            kind, *rest = field.split(":")
            shape = (self.view(release or self.own, table), columns, kind, rest[0] if rest else field)
            shapes[shape].append((query, wanted, rest[1] if kind == "rank" else None))
        answers: dict[str, float | None] = {}
        for (view, columns, kind, field), asked in shapes.items():
            answers |= self._shape(view, columns, kind, field, asked)
        return answers

    def _shape(self, view: str, columns: tuple, kind: str, field: str, asked: list) -> dict[str, float | None]:
        names = [f"c{n}" for n in range(len(columns))]
        rows = [
            {"query": query, "code": code, **dict(zip(names, values, strict=True))}
            for query, wanted, code in asked
            for values in product(*wanted)
        ]
        self.con.register("asked", pa.Table.from_pylist(rows))
        on = " AND ".join(
            f"coalesce(lower(CAST(t.\"{column}\" AS VARCHAR)), '') = a.{name}"
            for column, name in zip(columns, names, strict=True)
        )
        if kind == "rank":
            place = f'rank() OVER (PARTITION BY query ORDER BY "{field}" DESC) AS place'
            ranked = f"SELECT query, code, area_code, {place} FROM asked a JOIN {view} t ON {on or 'true'}"
            sql = f'SELECT query, place FROM ({ranked} WHERE "{field}" IS NOT NULL) WHERE area_code = code'
        else:
            what = {"count": "count(t.n)", "max": f'max(t."{field}")'}.get(kind, f'sum(t."{field}")')
            numbered = f"(SELECT 1 AS n, * FROM {view})"
            sql = f"SELECT query, {what} FROM asked a LEFT JOIN {numbered} t ON {on or 'true'} GROUP BY query"
        answers = dict.fromkeys((query for query, *_ in asked), None)
        answers |= {q: None if v is None else float(v) for q, v in self.con.execute(sql).fetchall()}
        return answers

    def view(self, release: str, table: str) -> str:
        name = f"t{len(self.known)}"
        if (release, table) not in self.known:
            manifest = find(self.store, release)
            if table == "submissions":
                used = [s.model_dump() for s in manifest.inputs.submissions if s.is_used]
                data = pa.Table.from_pylist([{**s, "rules": None} for s in used])
            elif table == "broken_rules":
                used = [s for s in manifest.inputs.submissions if s.is_used]
                found = [(s.submission_id, r, n) for s in used for r, n in s.rules.items()]
                columns = ("submission_id", "rule", "problems")
                data = pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in found])
            else:
                data = read_parquet(self.store.read(f"{manifest.folder}/{table}.parquet"))
            self.con.register(name, data)
            self.known[(release, table)] = name
        return self.known[(release, table)]


def said(text: str) -> float | None:
    """The number that a text says."""
    if text in ("[x]", "[z]"):
        return None
    sign = -1 if text.startswith("down") else 1
    return sign * float(re.sub(r"^(up|down) |,|%| percentage points", "", text))


def agree(text: str, value: float | None) -> bool:
    if text == "under 0.1%":
        return value is not None and 0 < value < 0.05
    if text == "over 99.9%":
        return value is not None and 99.95 <= value < 100
    if text == "no change":
        return value == 0
    if text.startswith(("up by under 0.1", "down by under 0.1")):
        return value is not None and 0 < (value if text.startswith("up") else -value) < 0.0501
    number = said(text)
    if number is None or value is None:
        return number is None and value is None
    return abs(number - value) <= (0.05001 if "." in text else 0.0)


def pages(store: Store, action_id: str) -> tuple[Release, dict[str, Page]]:
    manifest = find(store, action_id)
    where = f"site/{manifest.slug}/{manifest.number:04d}/"
    names = [k.removeprefix(where) for k in store.list(where, ".html")]
    return manifest, {n: Page(store.read(f"{where}{n}").decode()) for n in names}


def check_pages(store: Store, action_id: str) -> int:
    """Check every number of every page of a release; how many there were."""
    manifest, found = pages(store, action_id)
    answers = Asker(store, manifest).ask(*{q for page in found.values() for q, _ in page.found if q})
    checked = 0
    for name, page in found.items():
        assert page.bare == [], f"{name}: numbers without a query"
        for query, text in page.found:
            value = answers[query] if query else None
            assert agree(text, value), f"{name} says {text!r}; {query} is {value}"
            checked += 1
    return checked


@pytest.mark.parametrize("action_id", ACTIONS)
def test_every_number_is_the_parquets(action_id: str, examples: Store) -> None:
    assert check_pages(examples, action_id) > 500


def test_every_number_across_releases_is_the_parquets(examples: Store) -> None:
    asker = Asker(examples, find(examples, ACTIONS[0]))
    page = Page(examples.read("site/index.html").decode())
    answers = asker.ask(*{q for q, _ in page.found if q})
    assert page.bare == [] and len(answers) > 20
    assert [(q, t) for q, t in page.found if not agree(t, answers[q] if q else None)] == []


def test_pages_are_the_same_whichever_process_draws_them(examples: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    release = find(examples, "JD-2023-04-11")
    tables = {n: read_table(examples, release, n) for n in TABLES}

    def drawn(processors: int) -> list[tuple[str, bytes]]:
        monkeypatch.setattr(children, "processors", lambda: processors)
        return list(draw_pages(release, resolve(release.action_id), tables, [], None))

    monkeypatch.setattr(children, "_WORTH", 1)
    alone = drawn(1)
    assert sum(name.startswith("trusts/") for name, _ in alone) > 1
    assert drawn(2) == alone


FOLLOWED = ("JD-2023-04-11", "NUR-2022-12-15;NUR-2022-12-20")  # in CI: one action, and one reported jointly


@pytest.mark.parametrize(
    "action_id", [a if a in FOLLOWED else pytest.param(a, marks=pytest.mark.exhaustive) for a in ACTIONS]
)
def test_every_link_leads_somewhere(action_id: str, examples: Store) -> None:
    manifest, found = pages(examples, action_id)
    for name, page in found.items():
        for link in page.links:
            if link.startswith(("https://", "http://")):
                continue
            path, _, anchor = link.partition("#")
            path = path.partition("?")[0]
            here = f"site/{manifest.slug}/{manifest.number:04d}/{name}"
            target = posixpath.normpath(f"{posixpath.dirname(here)}/{path}") if path else here
            assert examples.exists(target), f"{name}: {link}"
            if anchor:
                assert anchor in Page(examples.read(target).decode()).ids, f"{name}: {link}"


def test_a_wrong_number_would_be_seen(examples: Store) -> None:
    asker = Asker(examples, find(examples, "JD-2023-04-11"))
    query = "action_totals?area_type=england&area_code=ENG#outpatient_cancelled"
    none = "action_totals?area_type=trust&area_code=NONE#outpatient_cancelled"
    found = asker.ask(query, f"{query} - {query}", none)
    value = found[query]
    assert value and agree(f"{value:,.0f}", value) and not agree(f"{value + 1:,.0f}", value)
    assert found[f"{query} - {query}"] == 0
    assert found[none] is None
    assert not agree("0", None)
    assert set(TABLES) >= {"action_totals"}
