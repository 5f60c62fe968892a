"""What was known at a moment, and how final what was released is, in a spring that is lived through by the clock."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from conftest import drawn
from drafted import JD, Come, arrive, config
from strike_reporting.cli import app
from strike_reporting.clock import LONDON
from strike_reporting.errors import OurFault, StrikesError
from strike_reporting.ledger import ledger_of
from strike_reporting.operations import cutting, history, rounds, withdrawing
from strike_reporting.operations.mail import Post, deliver
from strike_reporting.operations.rebuild import rebuild
from strike_reporting.publishing.known import Known, known
from strike_reporting.publishing.releases import find
from strike_reporting.reference.areas import reported
from strike_reporting.site.then import headlines
from strike_reporting.storage import Store
from typer.testing import CliRunner

__all__ = ["config"]  # a fixture
pytestmark = pytest.mark.integration


def at(local: str) -> datetime:
    return datetime.strptime(f"2023-{local}", "%Y-%m-%d %H:%M").replace(tzinfo=LONDON)


@pytest.fixture
def live(store: Store, drop: Callable[..., Path]) -> Come:
    """A moment comes, with a file or without: it is judged and in the draft, and what is due is cut."""

    def make(local: str, name: str = "", *rows: str) -> list[str]:
        with time_machine.travel(at(local), tick=False):
            if name:
                arrive(store, drop, name, *rows)
            for group in rounds.publish_plan():
                assert rounds.publish_group(group)["problems"] == []
            done = cutting.cut_announced(store, datetime.now(UTC))
            assert done["problems"] == []
            return list(done["releases"])

    return make


def of(number: int) -> list[str]:
    """Rows of one trust for every strike day."""
    return [f"RHU 2023-04-{day} {number}" for day in (11, 12, 13, 14)]


def one(store: Store, local: str) -> Known | None:
    return next(known(store, at(local), JD), None)


def figures(store: Store, local: str, area: str = "england") -> tuple[str, str]:
    """The first figure of the headline at a moment, by release and by draft, without its coverage."""
    found = one(store, local)
    assert found is not None
    wanted = next(r.area for r in reported() if r.area.area_type == area)
    _, release, draft = headlines(store, found, wanted)[0]
    return release.split(" reported")[0], draft.split(" reported")[0]


def test_what_was_known_is_shown_by_release_and_by_draft(store: Store, live: Come) -> None:
    live("04-13 07:00")
    live("04-13 09:00", "a", "RHU 4")
    assert live("04-13 09:30") == [f"{JD}.r1"]
    live("04-13 11:00", "b", "RHM 3")
    live("04-13 12:00", "c", "RHU 9")
    assert live("04-14 09:30") == [f"{JD}.r2"]
    assert one(store, "04-13 08:59") is None, "nothing had come"
    assert figures(store, "04-13 09:15") == ("none", "4")
    assert figures(store, "04-13 09:30") == ("4", "4")
    assert figures(store, "04-13 11:30") == ("4", "7")
    assert figures(store, "04-14 09:00") == ("4", "12")
    assert figures(store, "04-14 10:00") == ("12", "12") == figures(store, "04-14 10:00", "hampshire")
    before, after = one(store, "04-13 11:30"), one(store, "04-14 10:00")
    assert before is not None and not before.is_same and after is not None and after.is_same
    assert before.release == find(store, f"{JD}.r1")


def test_what_was_withdrawn_later_counted_then(store: Store, live: Come) -> None:
    live("04-13 07:00", "a", "RHU 4")
    live("04-13 08:00", "b", "RHM 3")
    told = one(store, "04-13 08:30")
    assert told is not None and told.draft is not None
    [late] = [s.submission_id for s in told.draft.inputs.submissions if s.source_name == "b.csv"]
    with time_machine.travel(at("04-13 09:00"), tick=False):
        withdrawing.withdraw(store, late, "A. Nalyst", "sent in error")
    live("04-13 09:30")
    assert figures(store, "04-13 08:30")[1] == "7" and figures(store, "04-13 09:10")[1] == "4"


def test_a_ledger_that_was_rebuilt_knows_when_releases_were_cut(store: Store, live: Come) -> None:
    live("04-13 07:00", "a", "RHU 4")
    live("04-13 09:30")
    live("04-13 11:00", "b", "RHM 3")
    live("04-14 09:30")
    told = [figures(store, m) for m in ("04-13 08:00", "04-13 12:00", "04-14 12:00")]
    rebuild(store)
    assert [figures(store, m) for m in ("04-13 08:00", "04-13 12:00", "04-14 12:00")] == told
    assert told == [("none", "4"), ("4", "7"), ("7", "7")]


def test_the_command_shows_it_in_london_time_and_says_when_nothing_was_known(store: Store, live: Come) -> None:
    live("04-13 07:00", "a", "RHU 4")
    with time_machine.travel(at("04-13 09:30").replace(second=40), tick=False):
        cutting.cut_announced(store, datetime.now(UTC))
    run = CliRunner()
    done = run.invoke(app, ["release", "as-at", "2023-04-13T09:29", "--action", JD])
    assert done.exit_code == 0 and "no release yet" in done.output and "09:29 on 13 April 2023" in done.output
    done = run.invoke(app, ["release", "as-at", "2023-04-13T09:30"])
    assert "release 1" in done.output and "draft, the same" in done.output
    done = run.invoke(app, ["release", "as-at", "2023-04-12"])
    assert done.output.strip() == "Nothing was known at 00:00 on 12 April 2023."
    done = run.invoke(app, ["release", "as-at", "2023-04-13", "--area", "kent"])
    assert done.exit_code != 0 and "hampshire" in str(done.exception) + done.output


def test_releases_are_provisional_then_revised_once_then_final_and_then_corrected_by_hand(
    store: Store, live: Come
) -> None:
    last = {"provisional": "04-28", "revised": "05-12", "final": "05-26"}  # the strike's last day is 14 April
    live("04-15 07:00", "a", *of(4))
    assert live("04-15 09:30") == [f"{JD}.r1"]
    assert live(f"{last['provisional']} 09:30", "b", *of(5)) == [f"{JD}.r2"]
    assert live("04-29 09:30", "c", *of(6)) == live("05-11 09:30") == [], "it waits in the draft"
    assert live(f"{last['revised']} 09:30") == [f"{JD}.r3"]
    assert live("05-13 09:30", "d", *of(7)) == []
    assert live("05-27 08:00") == [f"{JD}.r4"], "the final figures of the 26th, although nobody was awake then"
    assert live("05-28 09:30", "e", *of(8)) == live("07-01 09:30") == []
    with time_machine.travel(at("07-02 10:00"), tick=False):
        cutting.cut(store, JD, "RHU counted a ward twice", "A. Nalyst", datetime.now(UTC))
        drawn(store)
    standings = [find(store, f"{JD}.r{n}").standing for n in (1, 2, 3, 4, 5)]
    keys = [s.key for s in standings if s is not None]
    assert keys == ["provisional", "provisional", "revised", "final", "correction"]
    trust = {n: store.read(f"site/{JD}/{n:04d}/trusts/RHU.html").decode() for n in (1, 2, 3, 4)}
    assert "Provisional [p]: may change until 28 April 2023" in trust[2]
    assert [("</a> [p]<" in t, "</a> [p][r]<" in t, "</a> [r]<" in t) for t in trust.values()] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
        (False, False, True),
    ]
    corrected = store.read(f"site/{JD}/0005/report.html").decode()
    assert "Correction of figures that were final on 26 May 2023. Notice: RHU counted a ward twice." in corrected


def test_the_past_is_replayed_into_the_releases_that_were_cut_live(
    store: Store, live: Come, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From landing alone, into an empty root; broken off after the first release, and taken up again."""
    live("04-15 07:00", "a", *of(4))
    live("04-15 09:30")
    live("04-15 12:00", "b", *of(5), "RHM 3")
    live("04-16 09:30")
    live("04-28 09:30")
    live("05-11 12:00", "c", *of(6))
    live("05-12 09:30")
    live("05-26 09:30")
    cut = [c for c in ledger_of(store).published.everything() if c.state == "published"]
    assert len(cut) == 3, "at two of the times there was nothing new"
    monkeypatch.setenv("STRIKES_HOME", str(tmp_path / "again"))
    shutil.copytree(Path(store.base) / "landing", tmp_path / "again" / "landing")
    again = Store()
    rebuild(again)
    [todo] = history.to_replay(again)
    real, made = history.build, []

    def breaks_off(*args: object, **kwargs: object) -> object:
        if made:
            raise OurFault("killed")
        made.append(real(*args, **kwargs))  # type: ignore[arg-type]
        return made[0]

    with monkeypatch.context() as patch, pytest.raises(OurFault):
        patch.setattr(history, "build", breaks_off)
        history.replay(again, todo, at("06-30 12:00"))
    assert history.to_replay(again) == [JD]
    assert history.replay(again, JD, at("06-30 12:00")) == [f"{JD}.r2", f"{JD}.r3"]
    then = [c for c in ledger_of(again).published.everything() if c.state == "published"]
    assert [(c.release_id, c.identity) for c in then] == [(c.release_id, c.identity) for c in cut]
    told = [[find(s, c.release_id).standing for c in cut] for s in (store, again)]
    assert told[0] == told[1] and [s.key for s in told[0] if s] == ["provisional", "provisional", "revised"]
    assert history.to_replay(again) == []
    with pytest.raises(StrikesError, match="has releases already"):
        history.to_replay(again, JD)
    deliver(
        again, Post("a@nhs.example", lambda message: pytest.fail("nobody is mailed of the past")), datetime.now(UTC)
    )
