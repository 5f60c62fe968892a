"""Cutting releases: at the announced times in London, whatever the clocks do, and by hand with a reason."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
import small_england as england
from conftest import drawn
from drafted import JD, Come, at, come, config
from strike_reporting.cli import app
from strike_reporting.errors import OurFault
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.published import Published
from strike_reporting.operations import cutting, holding, rounds
from strike_reporting.operations.cutting import cut, cut_announced
from strike_reporting.operations.mail import Post, deliver
from strike_reporting.publishing.announced import last_announced
from strike_reporting.publishing.drafts import shown
from strike_reporting.publishing.releases import build, current, decision_of, find
from strike_reporting.reference.actions import resolve
from strike_reporting.storage import Store
from typer.testing import CliRunner

__all__ = ["come", "config"]  # fixtures
pytestmark = pytest.mark.integration
JUNE = "JD-2023-06-14"


def said(store: Store, release_id: str) -> tuple[str, str]:
    decision = decision_of(store, find(store, release_id))
    assert decision is not None
    return decision.reason, decision.who


def test_a_release_is_cut_at_the_announced_time_and_only_then(store: Store, come: Come) -> None:
    cut_announced(store, at("13 07:00"))
    come("a", "RHU 2023-04-11 4")
    assert cut_announced(store, at("13 09:29"))["releases"] == []
    done = cut_announced(store, at("13 09:30"))
    assert (done["announced"], done["releases"]) == ("2023-04-13T08:30:00+00:00", [f"{JD}.r1"])
    assert shown(store) == {}
    reason = "the first release of this action; cut at the announced time, 09:30 on 13 April 2023"
    assert said(store, f"{JD}.r1") == (reason, "automatic")
    come("b", "RHU 2023-04-11 6")
    assert not any(cut_announced(store, at("13 09:31")).values())
    assert cut_announced(store, at("13 23:59"))["releases"] == [] and list(shown(store)) == [JD]
    assert cut_announced(store, at("14 09:35"))["releases"] == [f"{JD}.r2"], "a little late, and once"
    assert cut_announced(store, at("14 09:36"))["announced"] == ""


def test_an_announced_time_without_a_change_says_so(store: Store, come: Come, caplog: pytest.LogCaptureFixture) -> None:
    come("a", "RHU 2023-04-11 4")
    cut_announced(store, at("13 09:30"))
    with caplog.at_level("INFO"):
        done = cut_announced(store, at("14 09:30"))
    assert (done["releases"], done["no_change"]) == ([], [JD])
    assert f"{JD}: no change at the announced time, 09:30 on 14 April 2023." in caplog.text
    assert cut_announced(store, at("14 09:40"))["no_change"] == [], "once for each time"
    long_after = at("14 09:30") + timedelta(days=60)
    assert cut_announced(store, long_after)["no_change"] == [JD], "the days of its revision were slept through"
    assert cut_announced(store, long_after + timedelta(days=1))["no_change"] == [], "of what is long over nobody asks"


def test_a_time_that_nobody_was_awake_for_is_made_good_and_a_new_ledger_goes_back_an_hour(
    store: Store, come: Come
) -> None:
    come("a", "RHU 2023-04-11 4")
    assert cut_announced(store, at("13 14:00"))["releases"] == [], "09:30 is no business of a ledger begun at 13:00"
    assert cut_announced(store, at("15 06:00"))["releases"] == [f"{JD}.r1"], "the 14th was slept through"


def test_one_action_that_cannot_be_cut_is_tried_again_and_stops_no_other(
    store: Store, come: Come, monkeypatch: pytest.MonkeyPatch
) -> None:
    come("a", "RHU 2023-04-11 4", "RHU 2023-06-14 5")
    real = build

    def one_fails(store: Store, action: object, *args: object) -> object:
        if action.action_id == JD:  # type: ignore[attr-defined]
            raise OurFault("the disk is full")
        return real(store, action, *args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(holding, "build", one_fails)
        done = cut_announced(store, at("13 09:30"))
    assert done["releases"] == [f"{JUNE}.r1"] and done["problems"] == [f"{JD}: the disk is full"]
    come("b", "RHU 2023-06-14 9")
    again = cut_announced(store, at("13 09:50"))
    assert again["releases"] == [f"{JD}.r1"] and list(shown(store)) == [JUNE], "the others wait for their time"
    assert cut_announced(store, at("13 10:00"))["releases"] == []


def test_a_kill_at_the_announced_time_loses_no_release_and_makes_none_twice(
    store: Store, come: Come, monkeypatch: pytest.MonkeyPatch
) -> None:
    come("a", "RHU 2023-04-11 4", "RHU 2023-06-14 5")

    def die(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Published, "publish", die)
        cut_announced(store, at("13 09:30"))
    assert current(store) == []
    cut_announced(store, at("13 09:40"))
    assert sorted(r.release_id for r in current(store)) == [f"{JD}.r1", f"{JUNE}.r1"]
    assert shown(store) == {}


@pytest.mark.parametrize(
    ("now", "found"),
    [
        ("2025-03-29T09:29:59+00:00", "2025-03-28T09:30:00+00:00"),
        ("2025-03-29T09:30:00+00:00", "2025-03-29T09:30:00+00:00"),
        ("2025-03-30T08:29:59+00:00", "2025-03-29T09:30:00+00:00"),  # the clocks went forward: 09:29:59 BST
        ("2025-03-30T08:30:00+00:00", "2025-03-30T08:30:00+00:00"),
        ("2025-10-26T09:29:59+00:00", "2025-10-25T08:30:00+00:00"),  # and back: 09:29:59 GMT
        ("2025-10-26T09:30:00+00:00", "2025-10-26T09:30:00+00:00"),
    ],
)
def test_an_announced_time_is_londons(now: str, found: str) -> None:
    assert last_announced(datetime.fromisoformat(now), ["09:30"]) == datetime.fromisoformat(found)


@pytest.mark.parametrize(("first", "times"), [("2025-03-28", 4), ("2025-10-24", 4)])
def test_a_time_that_the_clocks_skip_or_repeat_comes_once_a_day(first: str, times: int) -> None:
    begin = datetime.fromisoformat(f"{first}T12:00+00:00")
    seen = [last_announced(begin + timedelta(minutes=m), ["01:30"]) for m in range(times * 24 * 60)]
    each_once = sorted({m for m in seen if m is not None})
    assert seen == sorted(seen), "never back"
    assert len(each_once) == times + 1
    days = [b - a for a, b in itertools.pairwise(each_once)]
    assert all(timedelta(hours=23) <= d <= timedelta(hours=25) for d in days)


def test_the_times_are_a_setting_and_none_is_none(store: Store, come: Come, monkeypatch: pytest.MonkeyPatch) -> None:
    assert last_announced(at("13 16:10"), ["09:30", "16:00"]) == at("13 16:00")
    come("a", "RHU 2023-04-11 4")
    monkeypatch.setenv("STRIKES_RELEASE_TIMES", "09:30 16:00")
    england.forget()
    assert cut_announced(store, at("13 16:00"))["releases"] == [f"{JD}.r1"]


def test_by_hand_with_a_reason_that_is_kept_and_shown(store: Store, come: Come) -> None:
    come("a", "RHU 2023-04-11 4")
    run = CliRunner()
    done = run.invoke(app, ["release", "cut", JD, "--reason", "the minister asked", "--who", "A. Analyst"])
    assert done.exit_code == 0 and f"Release {JD}.r1 (new" in done.output, done.output
    assert said(store, f"{JD}.r1") == ("the minister asked", "A. Analyst")
    listed = store.read(f"site/{JD}/index.html").decode()
    assert "the minister asked (A. Analyst)" in listed and '<h2 id="draft">' not in listed
    assert [e.area for e in ledger_of(store).letters.listed()] == ["england", "hampshire"]


@pytest.mark.parametrize(
    ("action", "reason", "says"),
    [
        (JD, "again", f"nothing that a reader is told has changed since {JD}.r1"),
        (JD, "  ", "give a reason"),
        (JUNE, "early", f"no return has come for {JUNE}"),
        ("NO-SUCH", "early", "NO-SUCH"),
    ],
)
def test_what_cannot_be_cut_is_refused_in_plain_words(
    store: Store, come: Come, action: str, reason: str, says: str
) -> None:
    come("a", "RHU 2023-04-11 4")
    cut(store, JD, "the first", "somebody", datetime.now(UTC))
    done = CliRunner().invoke(app, ["release", "cut", action, "--reason", reason])
    assert done.exit_code != 0 and says in str(done.exception)
    assert [r.release_id for r in current(store)] == [f"{JD}.r1"]


def test_mail_about_a_release_is_as_new_as_its_cut(store: Store, come: Come) -> None:
    come("a", "RHU 2023-04-11 4")
    later = datetime.now(UTC) + timedelta(days=5)  # the newest return is older than `mail_age_days` by then
    cut(store, JD, "the scheduled revision", "somebody", later)
    came: list[EmailMessage] = []
    deliver(store, Post("a@nhs.example", came.append, {"england": "e@nhs.example"}), later + timedelta(hours=1))
    assert [m["To"] for m in came] == ["e@nhs.example"]


def test_drafts_and_cuts_on_postgresql(
    store: Store, come: Come, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIKES_LEDGER", postgres_url)
    cut_announced(store, at("13 09:00"))
    come("a", "RHU 2023-04-11 4")
    drawn(store)
    assert list(shown(store)) == [JD] and store.exists(f"site/{JD}/draft/report.html")
    assert cut_announced(store, at("13 09:30"))["releases"] == [f"{JD}.r1"]
    drawn(store)
    assert ledger_of(store).drafts.everything() == [] and not store.list("drafts")
    come("b", "RHU 2023-04-11 6")
    build(store, resolve(JD))  # of the same figures
    come("c", "RHU 2023-04-11 7")
    come("d", '"RHU" 2023-04-11 6')
    assert shown(store) == {} and cutting.cut_announced(store, at("13 09:40"))["releases"] == []


def test_cut_at_once_is_said_in_the_decision(store: Store, come: Come, monkeypatch: pytest.MonkeyPatch) -> None:
    come("a", "RHU 2023-04-11 4")
    monkeypatch.setenv("STRIKES_CUT_AT_ONCE", "yes")
    england.forget()
    ledger_of(store).judged.touch([JD])
    [done] = [rounds.publish_group(group) for group in rounds.publish_plan()]
    assert done["releases"] == [f"{JD}.r1"]
    assert said(store, f"{JD}.r1") == ("the first release of this action; cut at once", "automatic")
    assert cut_announced(store, at("13 09:30"))["announced"] == "", "nothing waits for a time then"
    drawn(store)
    assert re.search("the first release of this action; cut at once", store.read(f"site/{JD}/index.html").decode())
