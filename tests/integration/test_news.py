"""What an asset's event tells and when it is not emitted, what a run by hand asks for, and what a round warns of."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from strike_reporting.errors import OurFault, StrikesError
from strike_reporting.intake.collecting import collect, collect_drop
from strike_reporting.intake.landing import object_key
from strike_reporting.intake.registry import load_feeds
from strike_reporting.ledger import ledger_of
from strike_reporting.operations import news, rounds, watch
from strike_reporting.operations.by_hand import again, checked, look_at
from strike_reporting.operations.rounds import begin_collection, end_collection, validate_group, validate_plan
from strike_reporting.reference.actions import UnknownAction
from strike_reporting.settings import settings
from strike_reporting.storage import Store

pytestmark = pytest.mark.integration
JD, NUR = "JD-2023-04-11", "NUR-2022-12-15"
HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
EXTRACTS = {"RHM": "cancellations", "RHU": "cancellations", "RJ1": "cancellations"}


def csv(trust: str, action: str = JD, count: int = 5) -> str:
    return f"{HEAD}{trust},{action.partition('-')[2]},day_case,cancelled,{count}\n"


@pytest.fixture
def feeds(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Three trusts that deliver into folders of their own, one of which is not pulled, and an entry that is faulty."""
    config, inbox = tmp_path / "config", tmp_path / "inbox"
    (config / "feeds").mkdir(parents=True)
    lines = []
    for trust in EXTRACTS:
        (inbox / trust).mkdir(parents=True)
        entry = {"trust": trust, "extract": "cancellations", "location": str(inbox / trust), "contact": "a@b.example"}
        lines.append(json.dumps(entry | ({"enabled": "false"} if trust == "RJ1" else {})))
    lines.append(json.dumps({**entry, "trust": "RHW", "due": "25:99"}))
    (config / "feeds" / "feeds.yaml").write_text("".join(f"- {line}\n" for line in lines))
    monkeypatch.setenv("STRIKES_CONFIG", str(config))
    settings.cache_clear()
    yield inbox
    settings.cache_clear()


def judge() -> list[str]:
    """Judge what waits; the ids of what was to be judged."""
    planned = validate_plan()
    for group in planned:
        validate_group(group)
    return [submission_id for group in planned for submission_id in group["submissions"]]


def publish() -> list[str]:
    return [r for group in rounds.publish_plan() for r in rounds.publish_group(group)["releases"]]


def test_each_stage_tells_once_what_changed_and_nothing_else(store: Store, drop: Callable[..., Path]) -> None:
    assert news.landed(store, {}) is None and news.accepted(store, {}, []) is None and news.released(store, {}) is None
    collect_drop(store, drop(RHM__csv=csv("RHM"), RHU__csv=csv("RHU")), JD)
    landed = news.landed(store, {})
    assert landed and (landed["submissions"], landed["feeds"]) == (2, ["manual-drop"])
    assert news.landed(store, landed) is None, "a run that is tried again, or one that found nothing new"
    collect_drop(store, drop(RJ1__csv=csv("RJ1", NUR)), NUR)
    more = news.landed(store, landed)
    assert more and more["submissions"] == 3

    judged = judge()
    assert news.landed(store, more) is None, "nothing waits"
    accepted = news.accepted(store, {}, judged)
    assert accepted and {k: v for k, v in accepted.items() if k != "state"} == {
        "actions": [JD, NUR],
        "trusts": ["RHM", "RHU", "RJ1"],
        "outcomes": {"accepted": 3},
        "flags": 0,
    }
    assert news.accepted(store, accepted, judged) is None

    assert publish() == [f"{JD}.r1", f"{NUR}.r1"]
    assert news.accepted(store, accepted, judged) is None, "nothing is touched"
    released = news.released(store, {})
    assert released and [(r["action"], r["release"], r["trusts"]) for r in released["releases"]] == [
        (JD, f"{JD}.r1", ["RHM", "RHU"]),
        (NUR, f"{NUR}.r1", ["RJ1"]),
    ]
    assert released["releases"][0]["returned"].startswith("cancellations 2 of 200 trusts")
    assert news.released(store, released) is None

    collect_drop(store, drop(RHM_again__csv=csv("RHM", count=7)), JD)
    assert (second := news.accepted(store, accepted, judge())) and second["actions"] == [JD]
    assert publish() == [f"{JD}.r2"]
    last = news.released(store, released)
    assert last and [r["release"] for r in last["releases"]] == [f"{JD}.r2"]
    assert last["current"] == {JD: f"{JD}.r2", NUR: f"{NUR}.r1"}


def test_the_flags_of_a_release_are_among_its_facts(store: Store, drop: Callable[..., Path]) -> None:
    partly = csv("RHU") + "RHU,2023-04-11,elective_inpatient,cancelled,many\n"
    collect_drop(store, drop(RHM__csv=csv("RHM"), RHU__csv=partly), JD)
    judge()
    publish()
    assert (told := news.released(store, {})) and told["releases"][0]["flags"] == {"part_refused": 1}


def test_what_cannot_be_judged_through_our_fault_is_told_once(store: Store, drop: Callable[..., Path]) -> None:
    [bad] = collect_drop(store, drop(RHM__csv=csv("RHM")), JD).landed
    store.write(object_key(bad.sha256), b"damaged")
    told = news.landed(store, {})
    judge()
    assert told and news.landed(store, told) is None, "it still waits, and starts no run in each round of a strike day"
    collect_drop(store, drop(RHU__csv=csv("RHU")), JD)
    assert (more := news.landed(store, told)) and more["submissions"] == 2


def test_a_release_whose_files_are_damaged_is_told_by_its_id(store: Store, drop: Callable[..., Path]) -> None:
    collect_drop(store, drop(RHM__csv=csv("RHM")), JD)
    judge()
    publish()
    store.write(f"releases/{JD}/0001/returns.parquet", b"damaged")
    told = news.released(store, {})
    assert told and told["releases"] == [{"release": f"{JD}.r1"}]


def test_an_event_of_another_root_or_by_hand_hides_nothing(store: Store, drop: Callable[..., Path]) -> None:
    collect_drop(store, drop(RHM__csv=csv("RHM")), JD)
    assert news.landed(store, {"state": "of another root"}) and news.landed(store, {"note": "by hand"})


@pytest.mark.parametrize(("names", "pulled"), [(["RHM"], ["RHM"]), (["RHU.cancellations", "RHM"], ["RHM", "RHU"])])
def test_a_run_by_hand_pulls_the_feeds_that_it_names_and_takes_no_round(
    store: Store, feeds: Path, names: list[str], pulled: list[str]
) -> None:
    groups = begin_collection("by hand", is_woken=False, only=names)
    assert groups and [f for g in groups for f in g["feeds"]] == [f"{t}.cancellations" for t in pulled]
    now = datetime.now(UTC)
    assert [r for r in ledger_of(store).rounds.between(now - timedelta(days=9), now) if r.claimed_by] == []
    end_collection("by hand", {"landed": 1}, [], only=names)  # the faulty entry was not to be pulled
    every = begin_collection("by hand", is_woken=False)
    assert every and [f for g in every for f in g["feeds"]] == ["RHM.cancellations", "RHU.cancellations"]


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (
            ["RHMM.cancellations"],
            "feeds: 'RHMM.cancellations' is no feed and no trust that has one. The nearest is RHM.",
        ),
        (["everybody"], "feeds: 'everybody' is no feed and no trust that has one. `strikes feed list` lists them."),
        (["RJ1.cancellations"], "feeds: RJ1.cancellations: not enabled. `strikes feed enable ID` mends it"),
        (["RHM", "rhu"], "feeds: 'rhu' is no feed and no trust that has one. The nearest is RHU"),
    ],
)
def test_a_feed_that_is_none_is_named_and_nothing_is_pulled(
    store: Store, feeds: Path, names: list[str], why: str
) -> None:
    with pytest.raises(StrikesError) as refused:
        begin_collection("by hand", is_woken=False, only=names)
    assert why in str(refused.value)
    assert ledger_of(store).receiving.last_pulls() == {}


def test_a_field_that_the_form_has_not_is_no_silent_pull_of_everything() -> None:
    form = ("feeds", "action", "from_landing")
    assert checked({"feeds": [" RHM ", ""], "action": " ", "from_landing": False}, form) == {"feeds": ["RHM"]}
    assert checked({"feeds": None, "action": "", "from_landing": True}, form) == {"from_landing": True}
    with pytest.raises(StrikesError, match="the form has no field 'feed'"):
        checked({"feed": ["RHM"]}, ("feeds", "action"))


def test_what_was_landed_is_judged_again_by_action_and_feed(store: Store, feeds: Path) -> None:
    for trust, action in (("RHM", JD), ("RHU", JD), ("RHU", NUR)):
        (feeds / trust / f"{action}.csv").write_text(csv(trust, action))
    collect(store, "round", load_feeds())
    judge()
    assert again(store) == 0 and validate_plan() == []
    assert again(store, action=JD, from_landing=True) == 2 and len(judge()) == 2
    assert again(store, feeds=["RHU"], from_landing=True) == 2 and len(judge()) == 2
    assert again(store, action=NUR, feeds=["RHU.cancellations"], from_landing=True) == 1 and len(judge()) == 1
    assert again(store, action=NUR, feeds=["RHM"], from_landing=True) == 0
    assert again(store, from_landing=True) == 3 and len(judge()) == 3
    for wrong, why in (
        ({"action": JD}, "action and feeds choose what is judged again: set from_landing as well"),
        ({"feeds": ["RHM"]}, "action and feeds choose what is judged again: set from_landing as well"),
        ({"action": "JD-2023-04-12", "from_landing": True}, "did you mean JD-2023-04-11"),
        ({"feeds": ["RHX"], "from_landing": True}, "feeds: 'RHX' is no feed and no trust that has one"),
    ):
        with pytest.raises(StrikesError, match=why):
            again(store, **wrong)  # type: ignore[arg-type]
    assert validate_plan() == []


def test_an_action_is_looked_at_by_hand(store: Store) -> None:
    look_at(store)
    assert ledger_of(store).judged.touched() == {}
    look_at(store, f"{JD};{NUR}")
    assert set(ledger_of(store).judged.touched()) == {JD, NUR}
    with pytest.raises(UnknownAction, match="`strikes calendar` lists them"):
        look_at(store, "nonsense")


def end(caplog: pytest.LogCaptureFixture) -> list[str]:
    """End a round; what it warned of."""
    caplog.clear()
    said = end_collection("run", {"landed": 2}, [])
    assert said == [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    return said


def test_a_round_warns_each_time_of_what_fails_and_once_a_day_of_what_ends(
    store: Store, feeds: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.WARNING)
    soon = watch.Warned("RHU.cancellations", "silent for 9 days")
    looked: list[object] = []

    def slow(store: Store, feeds: object, now: datetime) -> list[watch.Warned]:
        looked.append(now)
        return [*watch.failing(store, load_feeds()), soon]

    monkeypatch.setattr(watch, "feed_warnings", slow)
    first = end(caplog)
    assert ["due = '25:99'" in first[0], first[1]] == [True, "RHU.cancellations: silent for 9 days"]
    shutil.rmtree(feeds)
    collect(store, "round", load_feeds())
    second = end(caplog)
    assert "due = '25:99'" in second[0] and second[1].startswith("RHM.cancellations: the last pull failed")
    assert len(second) == 3 and len(looked) == 1
    ledger_of(store).keep_fact("watched", "2026-01-01")
    assert "RHU.cancellations: silent for 9 days" in end(caplog), "the first round of the next day"


def test_a_warning_that_cannot_be_made_fails_nothing_and_is_made_by_the_next_round(
    store: Store, feeds: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> list[watch.Warned]:
        raise ZeroDivisionError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(watch, "feed_warnings", broken)
        assert end_collection("run", {"landed": 2}, []) == []
    assert "It could not be said what should be seen to: the fault is ours (ZeroDivisionError: a bug)" in caplog.text
    assert ledger_of(store).fact("watched") == ""
    assert any("25:99" in said for said in end_collection("run", {"landed": 2}, []))


def test_a_round_that_fails_has_warned_before(store: Store, feeds: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(OurFault, match="3 of 4 feeds failed"):
        end_collection("run", {"failed": 2, "landed": 1}, ["a", "b"])
    assert "25:99" in caplog.text
