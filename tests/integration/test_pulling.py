"""Pulling that never starves: each file for itself, and what is remembered of it, over real servers."""

from __future__ import annotations

import itertools
import json
import shutil
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from conftest import judge, receipts
from pulling import Settings, Web, csv, feed_at, given, inbox, names, old, pull, unprivileged, web
from strike_reporting import ledger
from strike_reporting.cli import app
from strike_reporting.errors import OurFault
from strike_reporting.intake import collecting, remembering
from strike_reporting.intake.collecting import collect
from strike_reporting.intake.landing import Arrived, Sender, land
from strike_reporting.intake.transports.https import Https
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.receiving import Receiving
from strike_reporting.ledger.records import Pull
from strike_reporting.ledger.remote import Change, Remote
from strike_reporting.operations.rebuild import rebuild
from strike_reporting.storage import Store
from test_object_store import bucket, server
from typer.testing import CliRunner

__all__ = ["bucket", "given", "inbox", "server", "web"]  # fixtures
pytestmark = pytest.mark.integration


# --- each file for itself


def test_a_503_and_a_404_hold_back_none_of_the_others(web: Web, store: Store) -> None:
    web.files = {"1.csv": csv(1), "2.csv": csv(2), "3.csv": csv(3), "4.csv": csv(4)}
    web.answers = {"1.csv": 503, "2.csv": 404}
    first = pull(store, web.feed())
    assert (first.status, names(first)) == ("failed", ["3.csv", "4.csv"])
    assert "answered 503 for 'files/1.csv'" in first.reason and "answered 404 for 'files/2.csv'" in first.reason
    web.fetched()
    web.files["5.csv"], web.answers = csv(5), {"2.csv": 404}
    second = pull(store, web.feed())
    assert web.fetched() == ["5.csv", "1.csv", "2.csv"], "new ones first, and what is landed is not asked for"
    assert (second.status, names(second)) == ("failed", ["5.csv", "1.csv"])
    web.answers = {}
    assert names(pull(store, web.feed())) == ["2.csv"]
    assert pull(store, web.feed()).status == "nothing_new"


def test_a_pull_that_cannot_be_kept_fails_alone(inbox: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What pulls did is written for many together; a fault in one record must not lose the others."""
    feeds = [feed_at(inbox / trust).model_copy(update={"trust": trust}) for trust in ("RHM", "RHU", "RN5")]
    for n, feed in enumerate(feeds):
        Path(feed.location).mkdir()
        (Path(feed.location) / f"{n}.csv").write_bytes(csv(n))
    real = Receiving.pulled

    def kept(self: Receiving, done: list[tuple[Pull, Change]]) -> None:
        if any(one.feed_id == feeds[1].id for one, _ in done):
            raise OurFault("this record cannot be kept")
        real(self, done)

    monkeypatch.setattr(Receiving, "pulled", kept)
    found = collect(store, "2026-11-24", feeds)
    assert [(p.status, p.is_ours) for p in found] == [("landed", False), ("failed", True), ("landed", False)]
    assert (found[1].reason, len(receipts(store))) == ("this record cannot be kept", 3)
    assert [p.feed_id for p in ledger_of(store).receiving.pulls("2026-11-24")] == [feeds[0].id, feeds[2].id]
    monkeypatch.undo()
    again = collect(store, "2026-11-24", feeds)
    assert [p.status for p in again] == ["nothing_new", "landed", "nothing_new"], "the round takes up what it landed"


def test_a_file_that_comes_late_by_our_fault_keeps_its_place_in_the_order(web: Web, store: Store) -> None:
    """The corrected return is in the order after the first one, whichever of them could be fetched first."""
    web.files, web.answers = {"v1.csv": csv(1), "v2.csv": csv(2)}, {"v1.csv": 503}
    assert names(pull(store, web.feed())) == ["v2.csv"]
    web.files["v3.csv"], web.answers = csv(3), {"v1.csv": 500, "v3.csv": 503}
    assert names(pull(store, web.feed())) == []
    web.answers = {}
    assert names(pull(store, web.feed())) == ["v1.csv", "v3.csv"]
    assert [r.source_name for r in receipts(store)] == ["v1.csv", "v2.csv", "v3.csv"]
    assert [r.sequence for r in receipts(store)] == sorted({r.sequence for r in receipts(store)})
    kept = json.loads(store.read(f"landing/receipts/{receipts(store)[0].submission_id}.json"))
    assert kept["sequence"] == receipts(store)[0].sequence
    judge(store)
    rebuild(store)
    assert [r.source_name for r in receipts(store)] == ["v1.csv", "v2.csv", "v3.csv"]


def test_a_pull_that_dies_does_not_change_the_order(web: Web, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    web.files, web.answers = {"v1.csv": csv(1), "v2.csv": csv(2)}, {"v1.csv": 503}
    with monkeypatch.context() as patch:
        patch.setattr(type(ledger_of(store).receiving), "pulled", lambda *_: 1 / 0)
        assert names(pull(store, web.feed())) == ["v2.csv"]
    web.answers = {}
    assert names(pull(store, web.feed())) == ["v2.csv", "v1.csv"], "v2 was landed in this round and not told of"
    assert [r.source_name for r in receipts(store)] == ["v1.csv", "v2.csv"]


def test_a_share_that_is_away_for_a_moment(inbox: Path, store: Store) -> None:
    old(inbox / "a.csv", csv(1))
    pull(store, feed_at(inbox), "1")
    away = inbox.rename(inbox.with_name("away"))
    assert pull(store, feed_at(inbox), "2").status == "no_file"
    inbox.mkdir()
    assert pull(store, feed_at(inbox), "3").status == "no_file"
    inbox.rmdir()
    away.rename(inbox)
    (inbox / "a.csv").chmod(0)
    with unprivileged(store, Path(store.base), inbox):
        assert pull(store, feed_at(inbox), "4").status == "nothing_new", "it is not read again"
    (inbox / "a.csv").unlink()
    old(inbox / "b.csv", csv(2))
    pull(store, feed_at(inbox), "5")
    remembered = ledger_of(store).receiving.remotes.of("RHU.cancellations").values()
    assert {r.name for r in remembered if r.state == "landed"} == {"b.csv"}


def test_a_file_that_fails_in_round_after_round_is_left_alone_for_longer_and_longer(
    web: Web, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.files, web.answers = {"a.csv": csv(1), "b.csv": csv(2)}, {"a.csv": 404}
    start, tried = datetime.now(UTC), []
    for minutes in range(0, 300, 10):
        monkeypatch.setattr(remembering, "moment", lambda now=start + timedelta(minutes=minutes): now)
        assert pull(store, web.feed(), f"{minutes}").status == "failed", "also in the rounds that do not ask for it"
        tried += [minutes] * ("a.csv" in web.fetched())
    assert tried == [0, 10, 20, 30, 50, 90, 150, 210, 270]
    web.answers = {}
    assert names(pull(store, web.feed(), "by hand", at_once=True)) == ["a.csv"]


def test_an_unreadable_file_of_a_folder(inbox: Path, store: Store) -> None:
    old(inbox / "a.csv", csv(1), 7200)
    old(inbox / "b.csv", csv(2))
    (inbox / "a.csv").chmod(0)
    with unprivileged(store, Path(store.base), inbox):
        pulled = pull(store, feed_at(inbox))
    assert (pulled.status, pulled.reason) == ("failed", "'a.csv' could not be read: Permission denied")
    assert names(pulled) == ["b.csv"]
    listed = CliRunner().invoke(app, ["feed", "files"], env={"COLUMNS": "250"}).output
    assert "RHU.cancellations" in listed and "Permission denied" in listed and "b.csv" not in listed
    (inbox / "a.csv").chmod(0o644)
    assert names(pull(store, feed_at(inbox))) == ["a.csv"]
    assert [r.source_name for r in receipts(store)] == ["a.csv", "b.csv"]


def test_more_files_than_a_round_has_time_for(
    inbox: Path, store: Store, given: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock is one that each look at it moves by a second, so that no machine is too fast for this."""
    for n in range(60):
        old(inbox / f"{n:02}.csv", csv(n), 7200 - n)
    given(round_seconds=20)
    looks = itertools.count()
    monkeypatch.setattr(collecting, "time", SimpleNamespace(monotonic=lambda: float(next(looks)), sleep=time.sleep))
    landed: list[str] = []
    for round_number in range(100):
        pulled = pull(store, feed_at(inbox), str(round_number))
        landed += names(pulled)
        if pulled.status != "failed":
            break
        assert "minutes were over; the next round" in pulled.reason
    assert landed == [f"{n:02}.csv" for n in range(60)]
    assert 2 <= round_number <= 5


def test_feeds_that_were_left_are_the_next_rounds_first(
    inbox: Path, store: Store, given: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a server that is too slow for all of them, it was always the same feeds that nobody asked for."""
    feeds = [feed_at(inbox).model_copy(update={"trust": t}) for t in ("R1F", "RHM", "RHU", "RN5", "RTP")]
    given(pulls_at_once=1, pulls_at_one_endpoint=1)
    begun: list[str] = []
    over = collecting._check_time

    def two_a_round(until: float) -> None:
        begun.append("")
        over(until if len(begun) % 5 in (1, 2) else 0.0)

    monkeypatch.setattr(collecting, "_check_time", two_a_round)
    rounds = [collect(store, f"{n}", feeds) for n in range(3)]
    assert [[p.feed_id[:3] for p in r if p.status == "no_file"] for r in rounds] == [
        ["R1F", "RHM"],
        ["RHU", "RN5"],
        ["R1F", "RTP"],
    ]
    assert rounds[0][-1].reason == "the round's 15 minutes were over; the next round asks this feed before others"


def test_files_that_stall_do_not_take_the_whole_round(web: Web, store: Store, given: Settings) -> None:
    given(failing_seconds=0.05)
    web.files = {f"{n}.csv": csv(n) for n in range(8)}
    web.answers = dict.fromkeys(list(web.files)[:6], 503)
    slow, real = threading.Event(), Https.fetch

    def fetch(self: Https, file: Any, max_bytes: int) -> bytes:
        if file.name in web.answers:
            slow.wait(0.04)
        return real(self, file, max_bytes)

    Https.fetch = fetch  # type: ignore[method-assign]
    try:
        found = [pull(store, web.feed(), str(n)) for n in range(7)]
    finally:
        Https.fetch = real  # type: ignore[method-assign]
    assert "files that could not be fetched took" in found[0].reason
    assert sorted(n for p in found for n in names(p)) == ["6.csv", "7.csv"]


# --- a vanished landing


def test_a_vanished_landing_is_filled_again(inbox: Path, store: Store) -> None:
    for n in range(3):
        old(inbox / f"{n}.csv", csv(n), 7200 - n)
    first = pull(store, feed_at(inbox), "1")
    judge(store)
    shutil.rmtree(store.path("landing"))
    again = pull(store, feed_at(inbox), "2")
    assert (again.status, [r.sequence for r in again.landed]) == ("landed", [r.sequence for r in first.landed])
    assert {o.status for o in judge(store)} == {"accepted"}
    Path(store.path(f"landing/objects/{first.landed[1].sha256[:2]}/{first.landed[1].sha256}")).unlink()
    assert names(pull(store, feed_at(inbox), "3")) == ["1.csv"]
    assert pull(store, feed_at(inbox), "4").status == "nothing_new"


def test_purged_bytes_are_not_fetched_again(inbox: Path, store: Store) -> None:
    old(inbox / "a.csv", b"ods_code,nhs_number,activity_date\nRHU,943 476 5919,2023-04-11\n")
    pull(store, feed_at(inbox), "1")
    assert [o.status for o in judge(store)] == ["rejected"]
    assert CliRunner().invoke(app, ["purge", "--yes"]).exit_code == 0
    assert pull(store, feed_at(inbox), "2").status == "nothing_new"
    assert not list(Path(store.path("landing")).glob("objects/*/*"))
    assert CliRunner().invoke(app, ["feed", "files"]).exit_code == 0


# --- what a round costs


def test_old_files_cost_a_listing(inbox: Path, store: Store) -> None:
    many = 2000
    for n in range(many):
        old(inbox / f"{n:05}.csv", csv(n), 90_000 - n)
    feed, engine, said = feed_at(inbox), ledger_of(store).engine, [0]
    pull(store, feed, "1")

    @sa.event.listens_for(engine, "before_cursor_execute")
    def count(*_: object) -> None:
        said[0] += 1

    began = time.process_time()
    assert pull(store, feed, "2").status == "nothing_new"
    assert said[0] < 25, "statements do not go with the number of files"
    assert time.process_time() - began < 2
    sa.event.remove(engine, "before_cursor_execute", count)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_ledger_of_before_is_brought_along(
    inbox: Path, home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    """And the round after it lands nothing twice, in the order that numbers were kept for, on both databases."""
    if database == "postgresql":
        monkeypatch.setenv("STRIKES_LEDGER", request.getfixturevalue("postgres_url"))
    store = Store()
    old(inbox / "a.csv", csv(1), 7200)
    pull(store, feed_at(inbox), "1")
    with ledger_of(store).engine.begin() as connection:
        for statement in (
            "DROP TABLE remote_files",
            "ALTER TABLE feeds ADD COLUMN validators TEXT",
            "UPDATE alembic_version SET version_num = '0002'",
        ):
            connection.execute(sa.text(statement))
    ledger._opened.clear()
    old(inbox / "b.csv", csv(2), 3600)
    assert names(pull(store, feed_at(inbox), "2")) == ["b.csv"]
    engine = ledger_of(store).engine
    assert "validators" not in {c["name"] for c in sa.inspect(engine).get_columns("feeds")}
    [kept] = ledger_of(store).receiving.reserve("RHU.cancellations", [Remote("x", "late.csv", "failed")])
    old(inbox / "c.csv", csv(3), 1800)
    pull(store, feed_at(inbox), "3")
    land(store, [Arrived(csv(4), "late.csv", Sender("RHU.cancellations"), kept.sequence)])
    assert [r.source_name for r in receipts(store)] == ["a.csv", "b.csv", "late.csv", "c.csv"]
    assert pull(store, feed_at(inbox), "4").status == "nothing_new"
    ledger_of(store).receiving.remotes.forget("RHU.cancellations")
    assert pull(store, feed_at(inbox), "5").status == "nothing_new"
    assert len(ledger_of(store).receiving.remotes.of("RHU.cancellations")) == 4
