"""What a page must not make a reader believe: a thin round with a missing day, two files, a doubt and a bad share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from conftest import drawn, judge
from strike_reporting.catalogue.flags import FLAGS
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.operations.rounds import returns_board
from strike_reporting.publishing.releases import build, find, read_table
from strike_reporting.reference.actions import resolve
from strike_reporting.reference.areas import mailed
from strike_reporting.site.email import NEEDED, release_message
from strike_reporting.storage import Store
from test_pages import check_pages

JD = "JD-2023-04-11"
HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count,priority\n"
FIRST = """\
RHU,2023-04-11,elective_unsplit,cancelled,44,P2
RHU,2023-04-11,outpatient_unsplit,cancelled,131,
RHU,2023-04-12,elective_unsplit,cancelled,59,
RHU,2023-04-14,elective_unsplit,cancelled,38,
RHU,2023-04-14,outpatient_unsplit,cancelled,79,
"""
SECOND = "RHU,2023-04-12,outpatient_unsplit,cancelled,129,\n"
PLAN = """\
ods_code,activity_date,point_of_delivery,planned_count
RHU,2023-04-11,elective_unsplit,100
RHU,2023-04-14,elective_unsplit,30
RHU,2023-04-14,outpatient_unsplit,300
"""
STAFF = "ods_code,shift_date,staff_group,grade,absent_action\nRHU,2023-04-11,doctors,FY1,10\n"


@pytest.fixture(scope="module")
def thin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    base = tmp_path_factory.mktemp("thin")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRIKES_HOME", str(base / "home"))
        store = Store()
        for name, text in (("a", HEAD + FIRST), ("b", HEAD + SECOND), ("plan", PLAN), ("staff", STAFF)):
            folder = base / name
            folder.mkdir()
            (folder / f"{name}.csv").write_text(text)
            collect_drop(store, folder, JD)
            judge(store)
        build(store, resolve(JD))
        drawn(store)
        yield store


def page(store: Store, name: str) -> str:
    return store.read(f"site/{JD}/0001/{name}").decode()


def plain(html: str) -> str:
    """The text of a page, on one line."""
    from markupsafe import Markup

    return Markup(html.partition("<main")[2]).striptags()  # noqa: S704 - our own page


def test_one_trust_is_not_england(thin: Store) -> None:
    said = plain(page(thin, "report.html"))
    assert "141 reported so far by 1 of 136 trusts" in said and "Too few to be the area’s figure" in said
    assert "No share is drawn" in said and "Of no integrated care board has enough been reported" in said
    assert "480 so far" in said and "trusts-of" not in said
    trust = plain(page(thin, "trusts/RHU.html"))
    assert "Place among" not in trust, "nobody is ranked among one"
    assert "480 so far" in plain(thin.read("site/index.html").decode())


def test_a_missing_day_is_drawn_as_missing(thin: Store) -> None:
    html = page(thin, "trusts/RHU.html")
    svg = html.partition("<svg")[2].partition("</svg>")[0]
    assert all(f"{d} Apr" in svg for d in (11, 12, 13, 14)) and "[x] no return" in svg
    said = plain(html)
    assert "Nothing is known of Thu 13 April 2023" in said and "The day with most" not in said
    assert "It has no return for every strike day, so days cannot be compared" in said


def test_a_share_says_what_it_is_of_and_what_it_leaves_out(thin: Store) -> None:
    said = plain(page(thin, "trusts/RHU.html"))
    assert "Booked activity not cancelled 69.2% [u] 277 of 400 appointments" in said
    assert "With the pairs in whose part is more than the whole: 62.6%" in said


def test_a_breakdown_says_how_much_it_explains(thin: Store) -> None:
    assert "Clinical priority explains 9.2% of the 480 cancelled." in plain(page(thin, "trusts/RHU.html"))


def test_flags_and_both_files_are_said_everywhere(thin: Store) -> None:
    release = find(thin, JD)
    flags = read_table(thin, release, "flags").to_pylist()
    assert {f["flag"] for f in flags} >= {"from_two_files", "above_100"} and {f["flag"] for f in flags} <= {*FLAGS}
    quality, trust = page(thin, "quality.html"), page(thin, "trusts/RHU.html")
    for label in ("From two files", "Above 100 %"):
        assert label in quality and label in trust
    assert "Flagged returns contribute" in trust
    row = plain("<main" + trust.partition('id="returns"')[2].partition("</table>")[0])
    assert "from 2 files" in row
    assert trust.count("sources.html#s-") >= 5 and "two-files" in quality
    board = returns_board(thin, JD, datetime(2026, 11, 24, tzinfo=UTC))
    assert "From two files, Above 100 %" in board and "flag-above_100" in board
    tables = {n: read_table(thin, release, n).to_pylist() for n in NEEDED}
    body = release_message(release, mailed()["hampshire"], tables, "").get_body(("plain",))
    assert body is not None and f"{len(flags)} flags on returns and figures" in body.get_content()


def test_its_numbers_are_the_parquets(thin: Store) -> None:
    assert check_pages(thin, JD) > 500
