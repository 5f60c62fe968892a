"""Endpoints are pulled side by side, and none sees more connections than it may, however many tasks there are.

Every group is a process, as mapped tasks are, and the servers count the questions that wait for an answer.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from itertools import accumulate
from pathlib import Path

import killing
import pytest
from pulling import Settings, Web, csv, feed_at, given, old
from strike_reporting.intake.collecting import groups, safe_collection
from strike_reporting.intake.registry import Feed
from strike_reporting.ledger import ledger_of
from strike_reporting.operations import rounds
from strike_reporting.storage import Store

__all__ = ["given"]  # fixture
pytestmark = pytest.mark.integration
TRUSTS = ("RHM", "RHU", "RN5", "R1F", "RW1", "R0A", "RJ1", "RYJ")


def feed(code: str, connection: str | None) -> Feed:
    transport = "https" if connection else "folder"
    return feed_at("files/").model_copy(update={"trust": code, "connection": connection, "transport": transport})


def most_at_once(web: Web) -> int:
    return max(accumulate(change for _, change in sorted(web.busy)))


def test_groups_that_are_pulled_side_by_side_share_no_endpoint(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: Settings
) -> None:
    webs = [Web(tmp_path / name, monkeypatch, name, timeout=60) for name in ("north", "south")]
    begun, met = [threading.Event(), threading.Event()], list[bool]()
    for n, web in enumerate(webs):
        web.slow = 0.1

        def until_the_other_is_asked(n: int = n) -> None:
            begun[n].set()
            met.append(begun[1 - n].wait(30))

        web.meanwhile = until_the_other_is_asked
    entries = []
    for number, code in enumerate(TRUSTS):
        web = webs[number % 2]
        web.files[f"{code}.csv"] = csv(number)
        entries.append({"trust": code, "location": f"files/{code}.csv", "connection": web.connection})
        (tmp_path / "inbox" / code).mkdir(parents=True)
        old(tmp_path / "inbox" / code / "a.csv", csv(number))
        entries.append({"trust": code, "extract": "staffing", "location": str(tmp_path / "inbox" / code)})
    given_each = {"extract": "cancellations", "contact": "a@b.example"}
    whole = [{**given_each, **e, "transport": "https" if "connection" in e else "folder"} for e in entries]
    (tmp_path / "config" / "feeds").mkdir(parents=True)
    (tmp_path / "config" / "feeds" / "feeds.yaml").write_text(json.dumps(whole))
    monkeypatch.setenv("STRIKES_CONFIG", str(tmp_path / "config"))
    given(tasks_at_once=4, feeds_in_group=1, pulls_at_one_endpoint=2)
    parts = rounds.collect_plan()
    assert [len(p["feeds"]) for p in parts] == [4, 4, 4, 4]
    tasks = [
        killing.process(lambda p=p: rounds.collect_group(safe_collection("r"), p), signal.SIGKILL, "never")
        for p in parts
    ]
    assert [os.waitpid(task, 0)[1] for task in tasks] == [0] * 4
    pulled = ledger_of(store).receiving.pulls("r")
    assert sorted(p.status for p in pulled) == ["landed"] * 16
    assert [most_at_once(web) for web in webs] == [2, 2], "lanes of one task, not of each"
    assert met == [True] * 8, "side by side"
    for web in webs:
        web.server.shutdown()
        web.server.server_close()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 16])
def test_every_feed_is_in_one_group_and_every_connection_too(size: int) -> None:
    feeds = [feed(code, c) for code, c in zip(TRUSTS, ("x", "x", "x", "y", "y", None, None, "z"), strict=True)]
    found = groups(feeds, size)
    assert sorted(f.id for _, part in found for f in part) == sorted(f.id for f in feeds)
    for connection in "xyz":
        assert sum(any(f.connection == connection for f in part) for _, part in found) == 1
    assert len(found) <= -(-len(feeds) // size) and all(name and part for name, part in found)
    assert groups([], size) == []
    alone = [feed(code, None) for code in TRUSTS]
    in_order = sorted(alone, key=lambda f: f.id)
    assert [f for _, part in groups(alone, size) for f in part] == in_order, "without connections as they stand"


def test_a_server_of_every_feed_is_one_task() -> None:
    [(name, part)] = groups([feed(code, "x") for code in TRUSTS], 2)
    assert (name, len(part)) == ("R0A to RYJ", 8)
