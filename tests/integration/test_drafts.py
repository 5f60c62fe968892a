"""Drafts: today's figures, whole or the one before, drawn as what they are, and gone where a release says the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from conftest import TODAY, drawn, judge
from drafted import JD, Come, arrive, config
from strike_reporting.cli import app
from strike_reporting.errors import Transient
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.ledger import ledger_of
from strike_reporting.operations import rounds
from strike_reporting.operations.doctor import examine
from strike_reporting.operations.rebuild import rebuild
from strike_reporting.operations.withdrawing import withdraw
from strike_reporting.publishing import drafts as drafting
from strike_reporting.publishing.drafts import draft, shown
from strike_reporting.publishing.releases import build, current, read_table
from strike_reporting.reference.actions import resolve
from strike_reporting.simulator import simulate
from strike_reporting.site.draw import draw
from strike_reporting.storage import Store
from typer.testing import CliRunner

__all__ = ["config"]  # a fixture
pytestmark = pytest.mark.integration


@pytest.fixture
def come(store: Store, drop: Callable[..., Path]) -> Come:
    """A file comes and is judged: `come(name, "RHU 4")`."""
    return partial(arrive, store, drop)


def publish() -> dict[str, list[str]]:
    """A round of publishing as the DAG does it."""
    done = [rounds.publish_group(group) for group in rounds.publish_plan()]
    assert [p for d in done for p in d["problems"]] == []
    return {k: [x for d in done for x in d[k]] for k in ("releases", "drafts")}


def cancelled(store: Store) -> int:
    """England's figure in the draft."""
    rows = read_table(store, shown(store)[JD], "action_totals").to_pylist()
    return next(r["inpatient_cancelled"] for r in rows if r["area_type"] == "england")


def files(store: Store, folder: str = "drafts") -> set[str]:
    return set(store.list(folder))


def test_a_draft_follows_every_file_numbers_nothing_and_mails_nobody(store: Store, come: Come) -> None:
    come("a", "RHU 4")
    assert publish() == {"releases": [], "drafts": [f"{JD}.draft"]}
    first = shown(store)[JD]
    assert (first.number, first.previous, first.data_class, first.is_draft) == (0, None, "real", True)
    assert cancelled(store) == 4 and "cancellations 1 of 7 trusts" in str(first.coverage)
    come("b", "RHM 7")
    assert publish()["drafts"] == [f"{JD}.draft"]
    second = shown(store)[JD]
    assert cancelled(store) == 11 and second.identity != first.identity and (second.as_at or "") > (first.as_at or "")
    assert current(store) == [] and files(store, "releases") == set()
    assert ledger_of(store).letters.listed() == []
    manifest = json.loads(store.read(f"{second.folder}/manifest.json"))
    assert (manifest["release_id"], manifest["number"], manifest["previous"]) == (f"{JD}.draft", 0, None)
    assert pq.read_schema(Path(store.path(f"{second.folder}/flags.parquet"))).metadata[b"release_id"] == b"%s.draft" % (
        JD.encode()
    )


def test_it_is_rewritten_only_where_it_is_another(store: Store, come: Come) -> None:
    come("a", "RHU 4")
    publish()
    before = {k: Path(store.path(k)).stat().st_mtime_ns for k in files(store)}
    come("b", '"RHU" 4')  # the same figure from another file
    assert len(ledger_of(store).judged.listed()) == 2 and publish() == {"releases": [], "drafts": []}
    assert {k: Path(store.path(k)).stat().st_mtime_ns for k in files(store)} == before
    assert draft(store, resolve(JD)) == (shown(store)[JD], False)


def test_where_nothing_differs_from_the_release_there_is_no_draft(store: Store, come: Come) -> None:
    come("a", "RHU 4")
    build(store, resolve(JD))
    assert draft(store, resolve(JD)) == (None, False)
    come("b", "RHU 6")
    publish()
    drawn(store)
    assert cancelled(store) == 6 and files(store, f"site/{JD}/draft")
    [wrong] = [o.submission_id for o in ledger_of(store).judged.listed() if o.source_name == "b.csv"]
    withdraw(store, wrong, "an engineer", "sent in error")
    assert publish() == {"releases": [], "drafts": []}
    assert shown(store) == {}
    said = CliRunner().invoke(app, ["release", "show", JD]).output
    assert "the draft equals release 1" in said and "Draft of" not in said
    drawn(store)
    assert files(store, f"site/{JD}/draft") == files(store) == set() and ledger_of(store).drafts.everything() == []
    assert '<h2 id="draft">' not in store.read(f"site/{JD}/index.html").decode()
    assert "DRAFT" not in store.read("site/index.html").decode()


def test_a_release_of_the_same_figures_ends_the_draft_and_another_one_has_it_made_again(
    store: Store, come: Come
) -> None:
    come("a", "RHU 4")
    publish()
    drawn(store)
    build(store, resolve(JD))
    assert shown(store) == {}, "the draft is the release now"
    assert publish() == {"releases": [], "drafts": []}
    drawn(store)
    assert files(store) == files(store, f"site/{JD}/draft") == set()
    come("b", "RHU 6")
    publish()
    come("c", "RHU 9")
    build(store, resolve(JD))  # before its round: it knows more than the draft
    assert shown(store) == {}, "an older draft is never shown beside a newer release"
    assert publish() == {"releases": [], "drafts": []} and shown(store) == {}


def test_it_says_everywhere_that_it_is_a_draft_and_what_differs(store: Store, come: Come) -> None:
    come("a", "RHU 4")
    build(store, resolve(JD))
    come("b", "RHU 6", "R0A 9")
    publish()
    drawn(store)
    pages = {k: store.read(k).decode() for k in files(store, f"site/{JD}/draft") if k.endswith(".html")}
    assert {f"site/{JD}/draft/{n}" for n in ("report.html", "hampshire.html", "quality.html", "trusts/RHU.html")} <= {
        *pages
    }
    for key, html in pages.items():
        assert re.search(r"<title>DRAFT: ", html), key
        banner = re.sub(r"<[^>]+>|\s+", " ", html[html.index('class="banner"') :][:600])
        assert "not a release; may change at any minute" in banner and "Draft as at" in banner, key
        assert "release 1" in banner and "To cite" not in html, key
        up = "../" * (key.count("/") - 2)
        for href in re.findall(r'href="(?!https:)([^"#?]+)', html):
            at = Path(store.path(key)).parent / href
            assert at.exists(), f"{key} leads to {href}"
        assert f'href="{up[3:]}../0001/report.html"' in html, key
    quality = pages[f"site/{JD}/draft/quality.html"].replace("&#39;", "'")
    said = re.findall(r"<li>(.*?)</li>", quality[quality.index('id="changes"') :])
    assert said[0].startswith("Inpatient and day case cancelled: 15, was 4 (up 11; new returns: R0A cance")
    status = "Manchester University (R0A): cancellations of 11 Apr 2023 received, was missing (b.csv)"
    assert status in said
    listed = store.read(f"site/{JD}/index.html").decode()
    assert 'href="draft/report.html">Draft as at' in listed and "draft/quality.html#changes" in listed
    assert f'href="{JD}/draft/report.html">DRAFT as at' in store.read("site/index.html").decode()
    assert "DRAFT" not in store.read(f"site/{JD}/0001/report.html").decode()
    board = rounds.returns_board(store, JD, datetime(2023, 4, 12, tzinfo=UTC))
    assert f'href="site/{JD}/draft/report.html">draft as at' in board and f"the current release is {JD}.r1" in board
    shows = CliRunner().invoke(app, ["release", "show", JD]).output
    assert f"Draft of {JD} as at" in shows and f"differs from {JD}.r1" in shows
    assert "Draft of" in CliRunner().invoke(app, ["release", "list"]).output


def test_an_action_without_a_release_has_its_draft_listed(store: Store, come: Come) -> None:
    come("a", "RHU 4")
    publish()
    drawn(store)
    listed = store.read(f"site/{JD}/index.html").decode()
    assert "There is no release of this action yet" in listed and 'href="draft/report.html"' in listed
    assert not store.exists(f"site/{JD}/current.html")
    assert "There is no release of this action yet" in store.read(f"site/{JD}/draft/report.html").decode()
    assert f'href="{JD}/draft/report.html">DRAFT as at' in store.read("site/index.html").decode()
    assert "no release of this action yet" in CliRunner().invoke(app, ["release", "show", JD]).output


def test_synthetic_data_are_marked_in_a_draft_too(store: Store, drop: Callable[..., Path]) -> None:
    folder = drop()
    simulate(resolve(JD), folder, trusts=["RHU"], detail=3)
    collect_drop(store, folder, JD)
    judge(store)
    publish()
    drawn(store)
    assert shown(store)[JD].data_class == "synthetic"
    assert "Synthetic data: made by a simulator" in store.read(f"site/{JD}/draft/report.html").decode()


def test_one_cut_short_at_any_write_leaves_the_one_before_and_is_made_by_the_next(
    store: Store, come: Come, monkeypatch: pytest.MonkeyPatch
) -> None:
    come("a", "RHU 4")
    publish()
    come("b", "RHU 6")
    write, delete, put = Store.write, Store.delete, type(ledger_of(store).drafts).put
    done = after = 0

    def counted(method: Callable[..., object]) -> Callable[..., object]:
        def step(*args: object, **kwargs: object) -> object:
            nonlocal done
            done += 1
            if done == after:
                raise KeyboardInterrupt
            return method(*args, **kwargs)

        return step

    while True:
        after, done = after + 1, 0
        with monkeypatch.context() as patch:
            patch.setattr(Store, "write", counted(write))
            patch.setattr(Store, "write_many", counted(Store.write_many))
            patch.setattr(Store, "delete", counted(delete))
            patch.setattr(type(ledger_of(store).drafts), "put", counted(put))
            try:
                publish()
                break
            except KeyboardInterrupt:
                assert cancelled(store) == 4, f"cut short at change {after}"
    assert after > 3 and cancelled(store) == 6


def test_two_processes_never_take_a_draft_back(store: Store, come: Come, monkeypatch: pytest.MonkeyPatch) -> None:
    come("a", "RHU 4")
    publish()
    come("b", "RHU 6")
    real = drafting.staged_of

    def slow(*args: object) -> object:
        staged = real(*args)  # type: ignore[arg-type]
        monkeypatch.setattr(drafting, "staged_of", real)
        come("c", "RHU 9")
        with monkeypatch.context() as patch:  # another process, as far as the ledger can tell
            patch.setattr("strike_reporting.processes.me", lambda: "other-0-1-1")
            patch.setattr("strike_reporting.ledger.drafts.me", lambda: "other-0-1-1")
            patch.setattr("strike_reporting.processes.is_alive", lambda owner: True)
            with pytest.raises(Transient, match="in another process's hands"):
                publish()
        return staged

    monkeypatch.setattr(drafting, "staged_of", slow)
    publish()
    assert cancelled(store) == 6, "whole, of what the ledger said when it was staged"
    assert publish()["drafts"] == [f"{JD}.draft"] and cancelled(store) == 9


def test_whoever_lost_a_draft_meanwhile_changes_nothing(
    store: Store, come: Come, monkeypatch: pytest.MonkeyPatch
) -> None:
    come("a", "RHU 4")
    real = drafting.staged_of

    def overtaken(*args: object) -> object:
        staged = real(*args)  # type: ignore[arg-type]
        monkeypatch.setattr(drafting, "staged_of", real)
        come("b", "RHU 6")
        draft(store, resolve(JD))  # takes it over, as from a process that was silent for longer than the lease
        return staged

    monkeypatch.setattr(drafting, "staged_of", overtaken)
    with pytest.raises(Transient):
        draft(store, resolve(JD))
    assert cancelled(store) == 6


def test_a_release_cut_while_a_draft_is_made_has_it_made_again(
    store: Store, come: Come, monkeypatch: pytest.MonkeyPatch
) -> None:
    come("a", "RHU 4")
    build(store, resolve(JD))
    come("b", "RHU 6")
    real = drafting.staged_of

    def meanwhile(*args: object) -> object:
        staged = real(*args)  # type: ignore[arg-type]
        monkeypatch.setattr(drafting, "staged_of", real)
        build(store, resolve(JD))
        return staged

    monkeypatch.setattr(drafting, "staged_of", meanwhile)
    assert draft(store, resolve(JD)) == (None, False), "release 2 says what the draft would have said"
    assert shown(store) == {}


def test_a_damaged_draft_is_made_again(store: Store, come: Come) -> None:
    come("a", "RHU 4")
    publish()
    key = f"{shown(store)[JD].folder}/flags.parquet"
    store.write(key, b"PAR1")
    assert [(f.what, f.wrong) for f in examine(store) if "drafts/" in f.what] == [(key, "it is not as it was drafted")]
    assert [type(d.error).__name__ for d in draw(store, TODAY) if d.error] == ["Damaged"]
    assert publish()["drafts"] == [f"{JD}.draft"]
    drawn(store)
    store.delete(f"{shown(store)[JD].folder}/manifest.json")
    assert shown(store) == {}
    assert draft(store, resolve(JD))[1] and cancelled(store) == 4


def test_a_rebuilt_ledger_makes_its_drafts_again(store: Store, come: Come) -> None:
    come("a", "RHU 4")
    build(store, resolve(JD))
    come("b", "RHU 6")
    publish()
    drawn(store)
    rebuild(store)
    assert shown(store) == {} and files(store) == files(store, f"site/{JD}/draft") == set()
    assert publish() == {"releases": [], "drafts": [f"{JD}.draft"]} and cancelled(store) == 6
    drawn(store)
    assert files(store, f"site/{JD}/draft")
