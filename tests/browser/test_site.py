"""The report in a real browser: sorting, filtering, following a figure, keyboard, axe-core, valid HTML."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from strike_reporting.operations.rounds import returns_board
from strike_reporting.storage import Store
from test_pages import check_pages

from browser.conftest import ACTION, EARLIER, MODULES

pytestmark = pytest.mark.browser
PAGES = (
    "report.html",
    "hampshire.html",
    "trusts/RHM.html",
    "trusts/RCF.html",
    "trusts/without-return.html",
    "sources.html",
    "quality.html",
    "definitions.html",
    "../../index.html",
    "../../before.html",
    "../../board.html",
)
DRAFTED = tuple(f"../../{EARLIER}/{n}" for n in ("draft/report.html", "draft/quality.html", "index.html"))


@pytest.fixture(scope="session")
def written(site: Path, busy: Store) -> Path:
    """The site with the returns board beside it, as a file."""
    board = returns_board(busy, ACTION, datetime(2026, 11, 24, 10, tzinfo=UTC))
    (site.parent.parent / "board.html").write_text(board)
    return site


def url(site: Path, name: str) -> str:
    return (site / name).resolve().as_uri()


def column(page, table: str, number: int) -> list[str]:
    return page.locator(f"#{table} tbody tr:visible > :nth-child({number})").all_inner_texts()


def follow(page, link, address: str) -> None:
    """Click a link and wait until the page that it leads to is loaded: its script filters what is to be seen."""
    link.click()
    page.wait_for_url(lambda found: found.endswith(address))


def test_every_number_of_a_revised_synthetic_release(busy: Store) -> None:
    assert check_pages(busy, ACTION) > 1000
    assert check_pages(busy, EARLIER) > 500


def test_sort_by_mouse_and_by_keyboard(page, written: Path) -> None:
    page.goto(url(written, "report.html"))
    assert column(page, "trusts", 1)[0] != sorted(column(page, "trusts", 1))[0]
    page.get_by_role("button", name="Trust", exact=True).click()
    names = column(page, "trusts", 1)
    assert names == sorted(names, key=str.lower) and len(names) > 190
    assert page.locator("#trusts th[aria-sort]").get_attribute("aria-sort") == "ascending"
    page.locator("#trusts thead").get_by_role("button", name="Outpatient", exact=True).focus()
    page.keyboard.press("Enter")
    found = column(page, "trusts", 3)
    known = [int(t.replace(",", "")) for t in found if t not in ("[x]", "[z]")]
    assert known == sorted(known, reverse=True) and len(known) > 4
    assert set(found[len(known) :]) == {"[x]", "[z]"}, "what is not available comes last"
    page.keyboard.press("Enter")
    again = [int(t.replace(",", "")) for t in column(page, "trusts", 3) if t not in ("[x]", "[z]")]
    assert again == sorted(known) and column(page, "trusts", 3)[-1] in ("[x]", "[z]")


def test_search_and_filter(page, written: Path) -> None:
    page.goto(url(written, "report.html"))
    page.get_by_label("Find a trust by name or code").fill("southampton")
    assert column(page, "trusts", 1) == ["University Hospital Southampton NHS Foundation Trust (RHM)"]
    assert "1 of " in page.locator(".filter output").first.inner_text()
    page.get_by_label("Find a trust by name or code").fill("")
    page.get_by_label("Only trusts in").select_option("Hampshire")
    names = column(page, "trusts", 1)
    assert len(names) == 5 and all(any(c in n for c in ("RHM", "RN5", "RHU", "R1F", "RW1")) for n in names)


def test_which_release_was_current_at_a_moment(page, written: Path) -> None:
    page.goto(url(written, "../index.html"))
    cut = page.locator("tr[data-from]").evaluate_all("rows => rows.map(row => row.dataset.from)")
    assert len(cut) == 3 and cut == sorted(cut, reverse=True)
    moment, said = page.get_by_label("Day and time in London"), page.locator(".then output")
    moment.fill(cut[0])
    assert said.inner_text().startswith("Release 3 was current:")
    follow(page, said.locator("a"), "0003/report.html")
    page.goto(url(written, "../index.html"))
    moment.fill("2001-01-01T09:30")
    assert said.inner_text() == "No release had been cut."
    assert "strikes release as-at 2001-01-01T09:30 --action" in page.locator("#main").inner_text()


def test_follow_a_figure_to_its_submissions_in_two_clicks(page, written: Path) -> None:
    page.goto(url(written, "hampshire.html"))
    figure = page.locator("dl.figures > div", has_text="Outpatient cancelled").locator("a.value")
    assert figure.inner_text().replace(",", "").isdigit()
    follow(page, figure, "sources.html?q=hampshire#cancellations")
    rows = page.locator("#cancellations tbody tr:visible")
    assert rows.count() == 5
    assert "RHU_cancellations.csv" in " ".join(rows.all_inner_texts())
    page.goto(url(written, "trusts/RHU.html"))
    follow(page, page.locator("a.value").first, "#returns")
    link = page.locator("#returns a").first
    follow(page, link, link.get_attribute("href").lstrip("./"))
    row = page.locator("tr:target")
    assert "Portsmouth" in row.inner_text() and len(row.locator("code").nth(1).inner_text()) == 64


def test_every_page_says_it_is_synthetic(page, written: Path) -> None:
    for name in PAGES:
        page.goto(url(written, name))
        assert page.locator(".synthetic").count() == 1, name
        assert page.locator(".synthetic").inner_text().startswith("Synthetic data")
        assert "synthetic" in page.title()


def test_without_a_script_everything_is_there(chromium, written: Path) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url(written, "report.html"))
    assert page.locator("#trusts tbody tr").count() > 190
    assert page.locator(".filter:visible").count() == 0
    context.close()


def test_follow_a_row_of_any_table_to_its_files(page, written: Path) -> None:
    page.goto(url(written, "trusts/RHM.html"))
    link = page.locator("#days-RHM tbody a").nth(1)
    follow(page, link, "sources.html?q=rhm&only=day-2025-11-15#cancellations")
    rows = page.locator("#cancellations tbody tr:visible")
    assert rows.count() == 1 and "RHM_cancellations" in rows.first.inner_text()
    assert page.get_by_label("Only files used for").first.input_value() == "day-2025-11-15"
    page.goto(url(written, "hampshire.html"))
    link = page.locator("#by-staff-group-grade-staffing-HAMPSHIRE").locator("xpath=../following-sibling::p[1]/a")
    follow(page, link, link.get_attribute("href").lstrip("./"))
    names = page.locator("#staffing tbody tr:visible th").all_inner_texts()
    assert len(names) == 5 and all(any(c in n for c in ("RHM", "RN5", "RHU", "R1F", "RW1")) for n in names)
    assert page.evaluate("document.getElementById('staffing').getBoundingClientRect().top") < 900


def test_a_word_says_what_it_means(page, written: Path) -> None:
    page.goto(url(written, "report.html"))
    term = page.locator("dl.figures a", has_text="Booked activity not cancelled")
    assert "not the activity delivered that NHS England publishes" in term.get_attribute("title")
    follow(page, term, term.get_attribute("href").lstrip("./"))
    assert page.locator("dt:target").inner_text() == "Booked activity not cancelled"
    page.goto(url(written, "report.html"))
    head = page.locator("#trusts th", has_text="Staff-days lost")
    assert "three staff-days" in head.get_attribute("title")


@pytest.mark.parametrize("name", PAGES + DRAFTED)
def test_axe_finds_no_violation(name: str, page, written: Path) -> None:
    axe = MODULES / "axe-core" / "axe.min.js"
    if not axe.exists():
        pytest.skip("axe-core is not installed: run `make test`, which fetches it with npm")
    page.goto(url(written, name))
    page.add_script_tag(path=axe)
    found = page.evaluate("async () => (await axe.run({resultTypes: ['violations']})).violations")
    assert [(v["id"], [n["html"][:200] for n in v["nodes"]][:3]) for v in found] == []


@pytest.mark.parametrize("name", PAGES + DRAFTED)
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_page_scrolls_sideways(name: str, width: int, page, written: Path) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(url(written, name))
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", PAGES + DRAFTED)
def test_keyboard_reaches_the_main_part_and_shows_where_it_is(name: str, page, written: Path) -> None:
    page.goto(url(written, name))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the figures"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    inside = "document.activeElement.closest('main, footer') !== null"
    if page.locator("main").locator("a, button, summary, [tabindex]").count():
        assert page.evaluate(inside)
        style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert style == "solid"


def test_html_is_valid(written: Path, tmp_path: Path) -> None:
    tool = MODULES / "html-validate" / "bin" / "html-validate.mjs"
    if not tool.exists():
        pytest.skip("html-validate is not installed: run `make test`, which fetches it with npm")
    node = Path(sys.executable).parent / "node"
    files = [str((written / n).resolve()) for n in PAGES + DRAFTED]
    config = Path(__file__).parent / ".htmlvalidate.json"
    command = [node, tool, "--config", config, "--formatter", "json", *files]
    with (tmp_path / "found.json").open("w") as out:  # a pipe would be cut off when node ends
        subprocess.run(command, stdout=out, timeout=120, check=False)
    found = [
        (Path(f["filePath"]).name, m["ruleId"], m["message"], m["line"])
        for f in json.loads((tmp_path / "found.json").read_text())
        for m in f["messages"]
    ]
    assert sorted({(rule, message) for _, rule, message, _ in found}) == []
