"""What is judged, released, drawn and mailed again when one thing changes: only what it concerns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import TODAY, drawn, judge
from small_england import forget, small_england
from strike_reporting.intake.collecting import collect
from strike_reporting.intake.registry import load_feeds
from strike_reporting.judging.settle import to_validate
from strike_reporting.ledger import ledger_of
from strike_reporting.operations import rounds
from strike_reporting.publishing.releases import current
from strike_reporting.reference import facts
from strike_reporting.site import draw as drawing
from strike_reporting.storage import Store

HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
OURS = "Trust,Day,Kind,Result,Number\n"
FEED = "- {{trust: {0}, extract: cancellations, location: {0}, contact: a@b.example{1}}}\n"
DIALECT = """id: ours
extract: cancellations
description: A hospital's own headings.
columns:
  ods_code: Trust
  activity_date: Day
  point_of_delivery: Kind
  status: Result
  cancelled_count: Number
"""


@pytest.fixture
def config(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Two feeds, one with a dialect of its own, one published and drawn round behind them."""
    folder = tmp_path / "config"
    for name in ("feeds", "dialects"):
        (folder / name).mkdir(parents=True)
    (folder / "feeds" / "feeds.yaml").write_text(FEED.format("RHU", ", dialect: ours") + FEED.format("RHM", ""))
    (folder / "dialects" / "ours.yaml").write_text(DIALECT)
    for trust, head in (("RHU", OURS), ("RHM", HEAD)):
        (home / "inbox" / trust).mkdir(parents=True)
        row = f"{trust},2023-04-11,day_case,cancelled,4\n"
        (home / "inbox" / trust / "a.csv").write_text(head + row)
    monkeypatch.setenv("STRIKES_CONFIG", str(folder))
    with small_england(tmp_path / "reference"):
        store = Store()
        collect(store, "r", load_feeds())
        assert [o.status for o in judge(store)] == ["accepted", "accepted"]
        published()
        drawn(store)
        assert [r.release_id for r in current(store)] == ["JD-2023-04-11.r1"]
        yield folder


def published() -> list[str]:
    """Publish what there is to publish; the new releases."""
    done = [rounds.publish_group(group) for group in rounds.publish_plan()]
    assert [p for d in done for p in d["problems"]] == []
    return [r for d in done for r in d["releases"]]


def mails() -> list[str]:
    return [e.name for e in ledger_of(Store()).letters.listed()]


def again() -> list[str]:
    """Trusts whose submissions would be judged again."""
    forget()
    return [r.ods_code or "" for r in to_validate(Store())]


def test_one_dialect_line_concerns_its_own_files(config: Path) -> None:
    before = mails()
    path = config / "dialects" / "ours.yaml"
    path.write_text(path.read_text() + "totals: [Summe]\n")
    assert again() == ["RHU"]
    judge(Store())
    assert published() == [] and mails() == before, "a reader is told nothing new"


def test_one_dialect_line_that_changes_a_figure_makes_one_release(config: Path) -> None:
    path = config / "dialects" / "ours.yaml"
    path.write_text(
        path.read_text().replace("  status: Result", "  status: {header: Result, codes: {cancelled: rebooked}}")
    )
    assert again() == ["RHU"]
    judge(Store())
    assert published() == ["JD-2023-04-11.r2"]
    assert published() == []


@pytest.mark.parametrize(
    ("name", "column", "concerned"),
    [("treatment_functions", "name", []), ("published_figures", "note", []), ("organisations", "name", [])],
)
def test_a_reference_row_that_judging_does_not_ask_concerns_no_file(
    config: Path, name: str, column: str, concerned: list[str]
) -> None:
    path = facts.reference_folder() / f"{name}.csv"
    lines = path.read_text().splitlines(keepends=True)
    place = lines[0].strip().split(",").index(column)
    cells = lines[1].rstrip("\n").split(",")
    cells[place] = "changed"
    path.write_text("".join([lines[0], ",".join(cells) + "\n", *lines[2:]]))
    assert again() == concerned
    assert published() == [], "no figure hangs on it"


def test_a_trusts_own_row_concerns_its_own_files(config: Path) -> None:
    path = facts.reference_folder() / "organisation_openings.csv"
    head = path.read_text().splitlines()[0].split(",")
    row = dict.fromkeys(head, "") | {"ods_code": "RHM", head[1]: "2001-04-01"}
    path.write_text(path.read_text() + ",".join(row[h] for h in head) + "\n")
    assert again() == ["RHM"]


def test_a_word_or_a_colour_draws_again_and_makes_no_release(
    config: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = mails()
    monkeypatch.setattr(drawing, "site_version", lambda: "another label, another line of CSS")
    assert [d.item.release_id for d in drawing.draw(store, TODAY)] == ["JD-2023-04-11.r1"]
    assert drawing.draw(store, TODAY) == []
    assert again() == [] and published() == [] and mails() == before


def test_a_method_that_changes_no_figure_makes_no_release(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: Callable[[], list[tuple[str, int]]] = lambda: rounds.to_publish(Store())  # noqa: E731
    assert looked() == []
    monkeypatch.setattr(rounds, "METHOD", 99, raising=False)
    monkeypatch.setattr("strike_reporting.publishing.manifest.METHOD", 99)
    assert [a for a, _ in looked()] == ["JD-2023-04-11"], "every action that holds a figure is looked at once"
    assert published() == [] and looked() == []
