"""Under embargo: what is not released is drawn for those with pre-release access alone, and each look is kept."""

from __future__ import annotations

import re
from email.message import EmailMessage

import pytest
import small_england as england
from conftest import TODAY
from drafted import JD, Come, at, come, config, first
from strike_reporting.cli import app
from strike_reporting.operations import rounds
from strike_reporting.operations.accesses import ACCESSES, accesses, is_admitted, look, note
from strike_reporting.operations.ahead import cut_and_check
from strike_reporting.operations.chase_letters import _item
from strike_reporting.operations.doctor import examine
from strike_reporting.operations.holding import approve, held, question, refuse
from strike_reporting.operations.mail import Post, deliver
from strike_reporting.operations.outstanding import Missing
from strike_reporting.operations.rebuild import rebuild
from strike_reporting.publishing.releases import find
from strike_reporting.publishing.reproduce import reproduce
from strike_reporting.reference.actions import UnknownAction
from strike_reporting.site.draw import draw
from strike_reporting.storage import Store
from typer.testing import CliRunner

__all__ = ["come", "config"]  # fixtures
pytestmark = pytest.mark.integration
WHO = "a.analyst, 7:B. Briefed"
FIGURE = re.compile(rb"(?<![0-9a-f])7,?919(?![0-9a-f])")  # such as no other is, but a part of a hash
UNTIL = "draft is under embargo until 09:30 on 13 April 2023"


@pytest.fixture(autouse=True)
def _under_embargo(monkeypatch: pytest.MonkeyPatch, config: None) -> None:
    monkeypatch.setenv("STRIKES_PRE_RELEASE_ACCESS", WHO)
    england.forget()


def drawn(store: Store, local: str) -> None:
    assert [d.reason for d in draw(store, TODAY, now=at(local)) if d.error is not None] == []


def telling(store: Store, *roots: str) -> list[str]:
    """Files below these that say the figure."""
    found = store.read_many([k for root in roots for k in store.list(root)])
    return [key for key, data in found.items() if FIGURE.search(data)]


@pytest.fixture
def jumped(store: Store, come: Come) -> None:
    """A first release of 300, then a draft of 7,919 that is held ahead of its time, and drawn."""
    first(store, come, cut_and_check)
    come("b", "RHU 7919")
    assert cut_and_check(store, at("13 08:30"))["held"] == [JD]
    drawn(store, "13 08:30")


def test_no_page_that_everybody_reads_says_a_figure_of_it(store: Store, jumped: None) -> None:
    assert telling(store, "site", "releases") == []
    assert {f"embargoed/{JD}/draft/report.html", f"embargoed/{JD}/index.html"} <= {*telling(store, "embargoed")}
    assert UNTIL in store.read(f"site/{JD}/index.html").decode()
    assert UNTIL in store.read("site/index.html").decode() and "DRAFT" not in store.read("site/index.html").decode()
    assert not store.list(f"site/{JD}/draft") and "held since" not in store.read(f"site/{JD}/index.html").decode()
    board = rounds.returns_board(store, JD, at("13 08:31"), is_admitted=False)
    assert UNTIL in board and "release 1" in board and "held since" not in board and not FIGURE.search(board.encode())
    full = rounds.returns_board(store, JD, at("13 08:31"))
    assert UNTIL in full and "held since" in full and FIGURE.search(full.encode()), "a reason names it"
    inner = store.read(f"embargoed/{JD}/draft/report.html").decode()
    assert UNTIL in inner and "each look at it is kept" in inner and "held since 13 April 2023, 08:30" in inner
    assert f'href="{JD}/draft/report.html"' in store.read("embargoed/index.html").decode()
    assert [f for f in examine(store) if "embargo" in str(f)] == []


def test_what_comes_while_pages_are_drawn_is_under_embargo_at_once(store: Store, come: Come) -> None:
    first(store, come, cut_and_check)
    told: list[str] = []

    def meanwhile(done: int, of: int) -> None:
        if not told:
            come("b", "RHU 7919")
            told.extend(cut_and_check(store, at("13 08:30"))["held"])

    assert [d.reason for d in draw(store, TODAY, meanwhile, now=at("13 08:30")) if d.error is not None] == []
    assert told == [JD] and telling(store, "site") == []
    assert UNTIL in store.read(f"site/{JD}/index.html").decode() and UNTIL in store.read("site/index.html").decode()


def test_neither_what_is_asked_in_airflow_nor_the_mail_says_one(store: Store, jumped: None) -> None:
    [hold] = held(store)
    came: list[EmailMessage] = []
    post = Post("s@nhs.example", came.append, {}, "https://airflow.nhs.example/strike-reports", "owner@nhs.example")
    deliver(store, post, at("13 08:31"))
    [told] = [m.get_content() for m in came if "held" in m["Subject"]]
    for said in (question(hold), told):
        assert "Jump against the release before" in said and "embargo" in said
        assert not FIGURE.search(said.encode())
    assert f"https://airflow.nhs.example/strike-reports/embargoed/{JD}/draft/report.html" in told


def test_at_its_time_it_is_a_release_that_lists_who_had_access(store: Store, jumped: None) -> None:
    approve(store, JD, "the trust confirms", "a.analyst", at("13 08:50"))
    drawn(store, "13 08:50")
    assert (
        telling(store, "site", "releases") == []
        and "approved by a.analyst" in store.read(f"embargoed/{JD}/draft/report.html").decode()
    )
    assert cut_and_check(store, at("13 09:30"))["releases"] == [f"{JD}.r2"]
    drawn(store, "13 09:30")
    assert find(store, JD).pre_release_access == ("a.analyst", "B. Briefed")
    assert "Pre-release access: a.analyst, B. Briefed." in store.read(f"site/{JD}/0002/report.html").decode()
    assert not store.list(f"embargoed/{JD}") and "embargo" not in store.read(f"site/{JD}/index.html").decode()
    assert reproduce(store, f"{JD}.r2").files == ()


def test_what_is_held_beyond_its_time_waits_for_a_person(store: Store, jumped: None) -> None:
    cut_and_check(store, at("13 09:30"))
    drawn(store, "13 09:31")
    assert "A draft is under embargo until a person releases it." in store.read(f"site/{JD}/index.html").decode()
    refuse(store, JD, "ask the trust", "a.analyst", at("13 10:00"))
    drawn(store, "13 10:00")
    assert "under embargo until 09:30 on 14 April 2023" in store.read(f"site/{JD}/index.html").decode()
    assert telling(store, "site", "releases") == []


def test_a_list_that_comes_or_goes_moves_the_drafts(
    store: Store, jumped: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STRIKES_PRE_RELEASE_ACCESS")
    england.forget()
    drawn(store, "13 08:40")
    assert not telling(store, "embargoed") and f"site/{JD}/draft/report.html" in telling(store, "site")
    assert "index.html" not in "".join(store.list("embargoed"))
    monkeypatch.setenv("STRIKES_PRE_RELEASE_ACCESS", WHO)
    england.forget()
    drawn(store, "13 08:50")
    assert telling(store, "site") == [] and f"embargoed/{JD}/draft/report.html" in telling(store, "embargoed")
    rebuild(store)
    assert telling(store, "embargoed", "site") == []
    for group in rounds.publish_plan():
        rounds.publish_group(group)
    drawn(store, "13 08:55")
    assert telling(store, "site") == [] and f"embargoed/{JD}/draft/report.html" in telling(store, "embargoed")


def test_each_look_is_kept_before_it_is_given(store: Store, jumped: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [is_admitted(u) for u in ("a.analyst", "7", "B. Briefed", "c.other")] == [True, True, False, False]
    page = look(store, f"{JD}/draft/report.html", "7", "B. Briefed", at("13 08:41"))
    assert FIGURE.search(page)
    look(store, "index.html", "a.analyst", "a.analyst", at("13 08:42"))
    with pytest.raises(FileNotFoundError):
        look(store, f"{JD}/draft/no-such.html", "7", "B. Briefed", at("13 08:43"))
    found = accesses(store)
    assert [(a.at, a.user_id, a.action_id, a.what) for a in found] == [
        ("2023-04-13T07:41:00+00:00", "7", JD, f"embargoed/{JD}/draft/report.html"),
        ("2023-04-13T07:42:00+00:00", "a.analyst", "every action", "embargoed/index.html"),
    ]
    assert accesses(store, JD) == found[:1]
    done = CliRunner().invoke(app, ["release", "accesses", JD])
    assert done.exit_code == 0 and "13 April 2023, 08:41" in done.output and "7 (B. Briefed)" in done.output
    unknown = CliRunner().invoke(app, ["release", "accesses", "JD-2023-04"])
    assert isinstance(unknown.exception, UnknownAction), "nobody looked at what there is not"

    def full(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="disk"):
        patch.setattr(Store, "write_many", full)
        look(store, "index.html", "7", "B. Briefed", at("13 08:44"))
    assert len(store.list(ACCESSES)) == 2
    monkeypatch.setenv("STRIKES_PRE_RELEASE_ACCESS", "a.analyst")
    assert is_admitted("7") is False, "off the list is off it at once"
    monkeypatch.delenv("STRIKES_PRE_RELEASE_ACCESS")
    assert is_admitted("7") is None
    rebuild(store)
    assert accesses(store) == found, "they are in landing"


def test_looks_within_a_second_stand_in_their_order(store: Store) -> None:
    first = at("13 08:41")
    for n, (what, slug) in enumerate((("embargoed/index.html", ""), ("a page", JD), ("returns", ""))):
        note(store, what, slug, "7", "B. Briefed", first.replace(microsecond=n))
    assert [a.what for a in accesses(store)] == ["embargoed/index.html", "a page", "returns"]


def test_a_list_that_hears_who_is_missing_gets_no_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Missing("RHU", "A trust", "cancellations", "rejected", (), "", "its total is 7,919")
    assert "7,919" not in " ".join(_item(one))
    monkeypatch.delenv("STRIKES_PRE_RELEASE_ACCESS")
    england.forget()
    assert "  last failure: its total is 7,919" in _item(one)
