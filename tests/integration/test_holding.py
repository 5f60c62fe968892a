"""The release gate at work: what it holds, what people decide about it, and what becomes of figures that move on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import small_england as england
from conftest import Once, drawn
from drafted import JD, Come, arrive, at, come, config, first
from strike_reporting.cli import app
from strike_reporting.errors import StrikesError
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.gated import Hold, failed
from strike_reporting.ledger.published import Published
from strike_reporting.operations import rounds
from strike_reporting.operations.cutting import cut, cut_announced
from strike_reporting.operations.holding import (
    Decided,
    Superseded,
    approve,
    decision_key,
    held,
    refuse,
    still_held,
    to_ask,
    withdraw_hold,
)
from strike_reporting.operations.rebuild import rebuild
from strike_reporting.publishing.drafts import shown
from strike_reporting.publishing.manifest import Decision
from strike_reporting.publishing.releases import decision_of, find
from strike_reporting.storage import Store
from typer.testing import CliRunner

__all__ = ["come", "config"]  # fixtures
pytestmark = pytest.mark.integration
JUNE = "JD-2023-06-14"
NOON = "13 09:30"


@pytest.fixture
def jumped(store: Store, come: Come, once: Once) -> Hold:
    """A first release of 300, then 900 of the same trust: held at the announced time."""

    def bring() -> None:
        first(store, come, cut_announced)
        come("b", "RHU 900")
        assert cut_announced(store, at(NOON))["held"] == [JD]

    once(bring)
    [hold] = held(store)
    return hold


def decision(store: Store, release_id: str) -> Decision:
    found = decision_of(store, find(store, release_id))
    assert found is not None
    return found


def states(store: Store) -> list[tuple[str, str]]:
    return [(h.state, h.outcome) for h in ledger_of(store).holds.of(JD)]


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["release", *words])
    return done.exit_code, done.output + (str(done.exception) if done.exception else "")


def test_what_the_gate_holds_waits_stops_no_other_and_is_not_tried_again(store: Store, come: Come) -> None:
    first(store, come, cut_announced)
    come("b", "RHU 900", "RHU 2023-06-14 5")
    done = cut_announced(store, at(NOON))
    assert (done["held"], done["releases"], done["problems"]) == ([JD], [f"{JUNE}.r1"], [])
    [hold] = held(store)
    assert (hold.state, hold.since) == ("held", "2023-04-13T08:30:00+00:00")
    assert hold.identity == shown(store)[JD].identity
    [jump] = failed(hold.checks)
    assert jump.key == "jump" and f": 900, was 300 in {JD}.r1" in jump.evidence
    assert [a["conf"]["action"] for a in to_ask(store)] == [JD]
    for later in ("13 09:40", "14 09:30", "14 10:30"):
        done = cut_announced(store, at(later))
        assert done["held"] == done["releases"] == done["problems"] == [], later
    assert held(store) == [hold] and find(store, JD).release_id == f"{JD}.r1"


def test_board_draft_and_commands_say_that_it_is_held_since_when_and_why(store: Store, jumped: Hold) -> None:
    drawn(store)
    for key in (f"site/{JD}/draft/report.html", f"site/{JD}/index.html"):
        page = store.read(key).decode()
        assert "held since 13 April 2023, 09:30" in page and f"900, was 300 in {JD}.r1" in page, key
    assert "held since 13 April 2023, 09:30" in rounds.returns_board(store, JD, at("13 10:00"))
    code, said = run("held")
    assert code == 0 and f"{JD}: held since 13 April 2023, 09:30" in said and "FAILED" in said
    assert "held since 13 April 2023, 09:30" in run("list")[1]
    code, said = run("refuse", JD, "--reason", "ask the trust", "--who", "A. Analyst")
    assert code == 0 and "refused by A. Analyst" in said
    assert "refused by A. Analyst" in store.read(f"site/{JD}/draft/report.html").decode(), "drawn again"
    assert run("held") == (0, "Nothing is held.\n")


def test_an_approval_releases_exactly_what_was_seen(store: Store, jumped: Hold) -> None:
    code, said = run("approve", JD, "--reason", "the trust confirms", "--who", "A. Analyst")
    assert code == 0 and f"Release {JD}.r2 (new" in said, said
    kept = decision(store, f"{JD}.r2")
    assert (kept.who, kept.reason, kept.held) == ("A. Analyst", "the trust confirms", jumped.since)
    assert [c.key for c in failed(kept.gate)] == ["jump"]
    assert find(store, JD).identity == jumped.identity and shown(store) == {}
    assert states(store) == [("approved", f"{JD}.r2")]
    assert Hold.load(store.read(decision_key(jumped)), "kept").outcome == f"{JD}.r2"
    again = approve(store, JD, "the trust confirms", "A. Analyst", at("13 11:00"))
    assert again.release_id == f"{JD}.r2", "a task that is tried again says the same"
    for decide in (approve, refuse):
        with pytest.raises(Decided, match=r"approved by A\. Analyst on .*: the trust confirms; a release is"):
            decide(store, JD, "no", "B. Other", at("13 11:00"), jumped.since)
    listed = store.read(f"site/{JD}/index.html").decode()
    assert (
        "the trust confirms (A. Analyst, held since 13 April 2023, 09:30)" in listed
        and f"900, was 300 in {JD}.r1" in listed
    )
    assert "Jump against the release before: FAILED" in run("show", JD)[1]


def test_figures_that_moved_on_are_not_approved_and_are_judged_at_once(
    store: Store, jumped: Hold, drop: Callable[..., Path], come: Come
) -> None:
    arrive(store, drop, "c", "RHU 950")  # landed and judged, in no draft yet
    with pytest.raises(Superseded, match="superseded by newer figures, so nothing was cut"):
        approve(store, JD, "the trust confirms", "A. Analyst", at("13 10:00"))
    assert find(store, JD).number == 1 and states(store) == [("superseded", "")]
    with pytest.raises(Superseded):
        still_held(store, JD, jumped.since)
    done = cut_announced(store, at("13 10:10"))
    assert done["held"] == [JD] and states(store) == [("superseded", "held anew"), ("held", "")]
    come("d", "RHU 310")
    done = cut_announced(store, at("13 10:20"))
    assert (done["releases"], done["held"]) == ([f"{JD}.r2"], []), "they pass, and their time had come"
    assert states(store) == [("superseded", "held anew"), ("superseded", f"{JD}.r2")]
    kept = decision(store, f"{JD}.r2")
    assert (kept.who, kept.held) == ("automatic", "") and failed(kept.gate) == []


def test_figures_that_are_those_of_the_release_again_end_what_was_held(store: Store, jumped: Hold, come: Come) -> None:
    come("c", '"RHU" 300')
    assert cut_announced(store, at("13 10:10"))["no_change"] == [JD]
    assert states(store) == [("superseded", f"the figures are those of {JD}.r1 again")]
    assert cut_announced(store, at("13 10:20"))["no_change"] == []


def test_what_is_refused_stays_a_draft_until_there_are_other_figures(store: Store, jumped: Hold, come: Come) -> None:
    refuse(store, JD, "not before the trust has answered", "A. Analyst", at("13 10:00"))
    for later in ("13 10:10", "14 09:30", "15 09:30"):
        assert cut_announced(store, at(later))["releases"] == []
    assert list(shown(store)) == [JD] and states(store) == [("refused", "")]
    with pytest.raises(Decided, match="refused by"):
        approve(store, JD, "yes", "B. Other", at("15 10:00"))
    come("c", "RHU 310")
    assert cut_announced(store, at("15 10:10"))["releases"] == [], "they wait for their time"
    assert cut_announced(store, at("16 09:30"))["releases"] == [f"{JD}.r2"]


def test_a_hold_that_is_taken_back_is_judged_anew(store: Store, jumped: Hold, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = run("withdraw-hold", JD, "--reason", "the setting was wrong", "--who", "A. Analyst")
    assert code == 0 and "withdrawn by A. Analyst" in said and held(store) == []
    assert cut_announced(store, at("13 11:00"))["releases"] == []
    monkeypatch.setenv("STRIKES_GATE_JUMP_PERCENT", "500")
    england.forget()
    assert cut_announced(store, at("14 09:30"))["releases"] == [f"{JD}.r2"]


def test_a_cut_by_hand_is_a_persons_decision_and_ends_the_hold(store: Store, jumped: Hold) -> None:
    release = cut(store, JD, "the minister asked", "A. Analyst", at("13 10:00"))
    kept = decision(store, release.release_id)
    assert (kept.who, kept.reason, kept.held) == ("A. Analyst", "the minister asked", jumped.since)
    assert [c.key for c in failed(kept.gate)] == ["jump"] and states(store) == [("approved", release.release_id)]


def test_an_approval_that_was_killed_is_made_good_by_the_next_run(
    store: Store, jumped: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Published, "publish", die)
        approve(store, JD, "the trust confirms", "A. Analyst", at("13 10:00"))
    assert find(store, JD).number == 1 and states(store) == [("approved", "")]
    assert cut_announced(store, at("13 10:10"))["problems"] == []
    assert find(store, JD).number == 2 and states(store) == [("approved", f"{JD}.r2")]
    kept = decision(store, f"{JD}.r2")
    assert (kept.who, kept.reason) == ("A. Analyst", "the trust confirms")


@pytest.mark.parametrize(
    ("action", "reason", "who", "says"),
    [
        (JD, " ", "A. Analyst", "give a reason"),
        (JD, "yes", " ", "say who decides"),
        (JUNE, "yes", "A. Analyst", f"no release of {JUNE} is held"),
        ("NO-SUCH", "yes", "A. Analyst", "NO-SUCH"),
    ],
)
def test_what_cannot_be_decided_is_refused_in_plain_words(
    store: Store, jumped: Hold, action: str, reason: str, who: str, says: str
) -> None:
    for decide in (approve, refuse, withdraw_hold):
        with pytest.raises(StrikesError, match=says):
            decide(store, action, reason, who, at("13 10:00"))
    assert held(store) == [jumped]


def test_a_rebuilt_ledger_knows_what_is_held_and_what_people_decided(store: Store, jumped: Hold) -> None:
    rebuild(store)
    assert held(store) == [jumped]
    refused = refuse(store, JD, "ask the trust", "A. Analyst", at("13 10:00"))
    with ledger_of(store).engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM holds")  # a ledger that lost it
    rebuild(store)
    assert ledger_of(store).holds.of(JD) == [refused]
    for group in rounds.publish_plan():
        rounds.publish_group(group)
    cut_announced(store, at("13 10:30"))
    assert cut_announced(store, at("14 09:30"))["releases"] == [], "it stays refused"


def test_where_all_is_cut_at_once_nothing_is_held_and_what_spoke_against_it_is_shown(
    store: Store, drop: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIKES_CUT_AT_ONCE", "yes")
    monkeypatch.setenv("STRIKES_GATE_COVERAGE_PERCENT", "50")
    england.forget()
    arrive(store, drop, "a", "RHU 4")
    for group in rounds.publish_plan():
        rounds.publish_group(group)
    kept = decision(store, f"{JD}.r1")
    assert kept.who == "automatic" and [c.key for c in failed(kept.gate)] == ["coverage"]
    assert ledger_of(store).holds.everything() == []
    drawn(store)
    said = kept.gate[1].evidence
    assert "of the returns asked for over all strike days, from 1 of" in said
    assert said in store.read(f"site/{JD}/index.html").decode() and said in run("show", JD)[1].replace("\n", "")
    old = Decision.load('{"release_id": "A.r1", "previous": null, "reason": "r", "changed": {}}', "of before")
    assert old.gate == () and old.held == ""


def test_a_run_without_a_scheduler_releases_nothing_that_is_held(store: Store, jumped: Hold, tmp_path: Path) -> None:
    """It released whatever the setting, past the gate, and the hold was gone without a word."""
    (empty := tmp_path / "nothing").mkdir()
    said = CliRunner().invoke(app, ["run", "--action", JD, "--drop", str(empty)])
    assert said.exit_code == 0, said.output
    assert "Draft of" in said.output and f"strikes release cut {JD}" in said.output
    assert held(store) == [jumped] and find(store, JD).number == 1
    assert [d.identity for d in shown(store).values()] == [jumped.identity]
