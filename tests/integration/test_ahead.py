"""Checking ahead: what an announced time will release is judged before it, decided about, and released at it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from email.message import EmailMessage
from pathlib import Path

import announced
import pytest
import small_england as england
from conftest import Once
from drafted import JD, Come, arrive, at, come, config, first
from strike_reporting.cli import app
from strike_reporting.clock import utc
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.gated import Hold
from strike_reporting.operations import ahead, rounds
from strike_reporting.operations.ahead import check_ahead, cut_and_check
from strike_reporting.operations.cutting import cut
from strike_reporting.operations.holding import (
    Decided,
    Superseded,
    approve,
    approve_now,
    decision_key,
    held,
    refuse,
    to_ask,
    withdraw_hold,
)
from strike_reporting.operations.mail import Post, deliver
from strike_reporting.operations.rebuild import rebuild
from strike_reporting.publishing.announced import next_announced, next_cut
from strike_reporting.publishing.releases import decision_of, find
from strike_reporting.reference import facts
from strike_reporting.reference.actions import resolve
from strike_reporting.reference.due import calendar_of
from strike_reporting.settings import Settings, settings
from strike_reporting.site.draw import draw
from strike_reporting.storage import Store
from typer.testing import CliRunner

__all__ = ["come", "config"]  # fixtures
pytestmark = pytest.mark.integration


@pytest.fixture
def early(store: Store, come: Come, once: Once) -> Hold:
    """A first release of 300, then 900 of the same trust: held an hour before the announced time."""

    def bring() -> None:
        first(store, come, cut_and_check)
        come("b", "RHU 900")
        assert cut_and_check(store, at("13 08:29"))["held"] == [], "an hour before, and no sooner"
        assert cut_and_check(store, at("13 08:30"))["held"] == [JD]

    once(bring)
    [hold] = held(store)
    return hold


def states(store: Store) -> list[tuple[str, str]]:
    return [(h.state, h.outcome) for h in ledger_of(store).holds.of(JD)]


def test_what_the_gate_would_hold_is_asked_about_before_its_time(store: Store, early: Hold) -> None:
    assert (early.since, early.not_before) == ("2023-04-13T07:30:00+00:00", "2023-04-13T08:30:00+00:00")
    said = "held since 13 April 2023, 08:30, ahead of its announced time, 13 April 2023, 09:30, for a person to decide"
    assert early.sentence == said and [a["conf"]["since"] for a in to_ask(store)] == [early.since]
    for later in ("13 08:40", "13 09:20", "13 09:30", "13 09:40", "14 08:30", "14 09:30"):
        done = cut_and_check(store, at(later))
        assert done["held"] == done["releases"] == done["problems"] == [], later
    assert held(store) == [early], "asked once, and it waits as long as it takes"


def test_approved_ahead_it_is_released_at_its_time_and_not_before(store: Store, early: Hold) -> None:
    for _ in range(2):
        said = approve(store, JD, "the trust confirms", "A. Analyst", at("13 08:50"))
        assert isinstance(said, Hold) and said.state == "approved"
        assert said.sentence.endswith("the trust confirms; it is released at that time")
    for decide in (approve, refuse):
        with pytest.raises(Decided, match=r"approved by A\. Analyst"):
            decide(store, JD, "no", "B. Other", at("13 08:55"))
    rebuild(store)
    for group in rounds.publish_plan():
        rounds.publish_group(group)
    for sooner in ("13 08:50", "13 09:29"):
        assert cut_and_check(store, at(sooner))["releases"] == [] and find(store, JD).number == 1, sooner
    assert cut_and_check(store, at("13 09:34"))["releases"] == [f"{JD}.r2"]
    kept = decision_of(store, find(store, JD))
    assert kept and (kept.who, kept.reason, kept.held) == ("A. Analyst", "the trust confirms", early.since)
    assert kept.at == early.not_before, "it was current from its time on, not from the approval"
    assert states(store)[-1] == ("approved", f"{JD}.r2")
    assert Hold.load(store.read(decision_key(early)), "kept").outcome == f"{JD}.r2"
    assert approve(store, JD, "the trust confirms", "A. Analyst", at("13 10:00")).dump() == find(store, JD).dump()


def test_an_approval_during_which_its_time_comes_is_released_at_once(store: Store, early: Hold) -> None:
    def clock() -> datetime:
        shown.append(at(("13 09:29", "13 09:31")[len(shown)]))
        if len(shown) == 2:  # what cut at the time had looked before the answer was kept
            assert find(store, JD).number == 1
        return shown[-1]

    shown: list[datetime] = []
    assert approve_now(store, JD, "the trust confirms", "A. Analyst", clock=clock).dump() == find(store, JD).dump()
    assert states(store) == [("approved", f"{JD}.r2")] and len(shown) == 2
    kept = decision_of(store, find(store, JD))
    assert kept and kept.at == early.not_before
    assert cut_and_check(store, at("13 09:31"))["releases"] == []


def test_newer_figures_are_judged_afresh_whatever_was_said_of_the_old_ones(
    store: Store, early: Hold, come: Come, drop: Callable[..., Path]
) -> None:
    approve(store, JD, "the trust confirms", "A. Analyst", at("13 08:50"))
    come("c", "RHU 950")
    assert cut_and_check(store, at("13 09:00"))["held"] == [JD]
    assert states(store) == [("superseded", "held anew"), ("held", "")]
    arrive(store, drop, "d", "RHU 960")  # in no draft yet
    with pytest.raises(Superseded):
        approve(store, JD, "yes", "A. Analyst", at("13 09:05"))
    come("e", "RHU 310")
    assert cut_and_check(store, at("13 09:10"))["held"] == [] and held(store) == []
    assert ledger_of(store).holds.unfinished() == []
    done = cut_and_check(store, at("13 09:30"))
    assert (done["releases"], done["held"]) == ([f"{JD}.r2"], [])
    kept = decision_of(store, find(store, JD))
    assert kept and (kept.who, kept.held) == ("automatic", "")


def test_refused_ahead_it_is_not_released_and_taken_back_it_is_judged_at_its_time(store: Store, early: Hold) -> None:
    withdraw_hold(store, JD, "the setting was wrong", "A. Analyst", at("13 08:40"))
    assert cut_and_check(store, at("13 08:50"))["held"] == []
    assert cut_and_check(store, at("13 09:30"))["held"] == [JD]
    [anew] = held(store)
    assert anew.not_before == "" and anew.since == "2023-04-13T08:30:00+00:00"
    refuse(store, JD, "not before the trust has answered", "A. Analyst", at("13 09:40"))
    for later in ("14 08:30", "14 09:30"):
        done = cut_and_check(store, at(later))
        assert done["held"] == done["releases"] == [], later


def test_what_passes_is_neither_delayed_nor_released_early_and_is_judged_once(
    store: Store, come: Come, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_and_check(store, at("13 07:00"))
    come("a", "RHU 300")
    judged: list[str] = []
    real = ahead.hold_ahead

    def count(store: Store, action: object, coming: datetime, now: datetime) -> Hold | None:
        judged.append(f"{now:%H:%M}")
        return real(store, action, coming, now)  # type: ignore[arg-type]

    monkeypatch.setattr(ahead, "hold_ahead", count)
    for minute in ("08:30", "08:40", "09:29"):
        assert cut_and_check(store, at(f"13 {minute}"))["releases"] == []
    assert judged == ["08:30"]
    assert cut_and_check(store, at("13 09:30"))["releases"] == [f"{JD}.r1"]


def test_one_that_cannot_be_judged_is_a_problem_and_is_tried_again(
    store: Store, come: Come, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_and_check(store, at("13 07:00"))
    come("a", "RHU 300")

    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(ahead, "hold_ahead", fail)
        held_now, problems = check_ahead(store, at("13 08:30"))
    assert held_now == [] and len(problems) == 1 and problems[0].startswith(f"{JD}: ") and "disk" in problems[0]
    assert check_ahead(store, at("13 08:40")) == ([], [])


def test_by_hand_a_person_may_still_release_it_sooner(store: Store, early: Hold) -> None:
    release = cut(store, JD, "the minister asked", "A. Analyst", at("13 08:45"))
    kept = decision_of(store, release)
    assert kept and (kept.who, kept.at) == ("A. Analyst", "2023-04-13T07:45:00+00:00")
    assert states(store) == [("approved", f"{JD}.r2")]


def test_the_command_says_when_it_will_be_released(store: Store, come: Come, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC)
    soon = next_announced(now, settings().release_times)
    assert soon is not None
    hold = Hold(action_id=JD, since=utc(now), identity="x", not_before=utc(soon))
    come("a", "RHU 300")
    [draft] = ledger_of(store).drafts.shown()
    ledger_of(store).holds.hold(hold.model_copy(update={"identity": draft.identity}))
    done = CliRunner().invoke(app, ["release", "approve", JD, "--reason", "yes", "--who", "A. Analyst"])
    assert done.exit_code == 0 and "it is released at that time" in done.output.replace("\n", " "), done.output


def test_the_calendar_wakes_ahead_also_on_the_day_before() -> None:
    given = Settings(cut_at_once=False, release_times=("00:30", "09:30"), checked_ahead_minutes=60)
    found = calendar_of(given, [announced.action(date(2026, 6, 10))]).behind(30, releases=True)
    woken = found.rounds_between(datetime(2026, 6, 10, 22, tzinfo=UTC), datetime(2026, 6, 11, 8, 30, tzinfo=UTC))
    assert {"2026-06-10T23:30", "2026-06-11T00:30", "2026-06-11T08:30", "2026-06-11T09:30"} <= {
        r.round_id for r in woken
    }
    late = found.rounds_between(datetime(2026, 6, 10, 22, tzinfo=UTC), datetime(2026, 6, 10, 22, 40, tzinfo=UTC))
    assert [r.round_id for r in late] == ["2026-06-10T23:30"]
    none = calendar_of(Settings(cut_at_once=False, checked_ahead_minutes=0), [announced.action(date(2026, 6, 10))])
    assert none.hours.released == (9 * 60 + 30,)


@pytest.mark.parametrize(
    ("now", "is_first", "found"),
    [
        ("2023-04-20T07:00+00:00", False, "2023-04-20T08:30+00:00"),  # provisional until the 28th
        ("2023-04-20T08:30+00:00", False, "2023-04-20T15:00+00:00"),
        ("2023-04-28T15:00+00:00", False, "2023-05-12T08:30+00:00"),  # the scheduled revision, at its first time
        ("2023-05-12T08:30+00:00", False, "2023-05-26T08:30+00:00"),
        ("2023-05-26T08:30+00:00", False, None),
        ("2023-07-01T12:00+00:00", True, "2023-07-01T15:00+00:00"),
    ],
)
def test_which_time_would_cut_a_draft(
    now: str, is_first: bool, found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIKES_RELEASE_TIMES", "09:30 16:00")
    england.forget()
    cut_at = next_cut(resolve(JD), is_first, datetime.fromisoformat(now))
    assert cut_at == (found and datetime.fromisoformat(found))


def sent(store: Store, now: datetime, **how: object) -> list[EmailMessage]:
    """What goes out."""
    came: list[EmailMessage] = []
    deliver(store, Post("strikes@nhs.example", came.append, **how), now)  # type: ignore[arg-type]
    return [m for m in came if "held" in m["Subject"]]


def test_those_who_decide_are_told_once_of_what_is_held(store: Store, early: Hold, come: Come) -> None:
    lists, link = {"approvers": "decide@nhs.example"}, "https://airflow.nhs.example/strike-reports/"
    [told] = sent(store, at("13 08:31"), lists=lists, link=link, owner="owner@nhs.example")
    text = told.get_content()
    assert told["To"] == "decide@nhs.example" and told["Subject"].endswith(f"a release of {JD} is held, please decide")
    for said in (
        f"900, was 300 in {JD}.r1",
        "Approved by 09:30 on 13 April 2023, it is released at that time",
        f"https://airflow.nhs.example/dags/approve_release/runs/{early.run_id}/tasks/ask/required_actions",
        f"strikes release approve {JD} --reason TEXT",
        f"https://airflow.nhs.example/strike-reports/site/{JD}/draft/report.html",
    ):
        assert said in text, text
    cut_and_check(store, at("13 08:40"))
    assert sent(store, at("13 08:41"), lists=lists) == []
    come("c", "RHU 950")
    cut_and_check(store, at("13 08:50"))
    [again] = sent(store, at("13 08:51"), owner="owner@nhs.example")
    assert again["To"] == "owner@nhs.example" and "required_actions" not in again.get_content()


def test_of_what_was_decided_before_the_mail_could_leave_nobody_is_told(store: Store, early: Hold) -> None:
    assert sent(store, at("13 08:31")) == [], "nobody is set up to be told: it waits"
    refuse(store, JD, "ask the trust", "A. Analyst", at("13 08:40"))
    assert sent(store, at("13 08:41"), owner="owner@nhs.example") == []
    [letter] = [e for e in ledger_of(store).letters.listed() if e.kind == "held"]
    assert (letter.state, letter.reason) == ("expired", "it was decided about, or newer figures came")


def test_where_the_announced_times_are_moved_what_was_approved_ahead_moves_with_them(
    store: Store, early: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    approve(store, JD, "the trust confirms", "A. Analyst", at("13 08:50"))
    monkeypatch.setenv("STRIKES_RELEASE_TIMES", "12:00")
    england.forget()
    for sooner in ("13 09:30", "13 11:59"):
        assert cut_and_check(store, at(sooner))["releases"] == [], sooner
    monkeypatch.setenv("STRIKES_RELEASE_TIMES", "09:00")
    england.forget()
    assert cut_and_check(store, at("13 09:01"))["releases"] == [f"{JD}.r2"]
    kept = decision_of(store, find(store, JD))
    assert kept and kept.at == "2023-04-13T08:01:00+00:00", "not of a time that is no more"


def test_an_action_taken_out_of_the_calendar_stops_no_other(
    store: Store, early: Hold, come: Come, monkeypatch: pytest.MonkeyPatch
) -> None:
    come("other", "RHU 2023-05-02 7")
    gone = "UNI-2023-05-01"
    monkeypatch.setenv("STRIKES_PRE_RELEASE_ACCESS", "analyst: A. Analyst")
    table = facts.reference_folder() / "strike_calendar.csv"
    table.write_text("".join(row for row in table.read_text().splitlines(True) if not row.startswith(f"{gone},")))
    england.forget()
    assert {d.action_id for d in ledger_of(store).drafts.shown()} == {JD, gone}
    held_now, problems = check_ahead(store, at("13 08:45"))
    assert held_now == [] and [p for p in problems if gone in p] == problems != []
    approve(store, JD, "the trust confirms", "A. Analyst", at("13 08:50"))
    done = cut_and_check(store, at("13 09:30"))
    assert done["releases"] == [f"{JD}.r2"]
    assert done["problems"] and all(f"no industrial action is called '{gone}'" in p for p in done["problems"]), done
    drawn = {t.item.action_id: t.error is None for t in draw(store, now=at("13 09:31"))}
    assert drawn == {JD: True, gone: False}
