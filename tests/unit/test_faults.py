"""The one boundary of fault: what one item's is, and what is everybody's."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from s3 import s3
from strike_reporting.errors import Away, OurFault, SenderFault, Transient, attempt, each, fail_for
from strike_reporting.storage import Store


def test_whatever_happens_to_one_item_is_its_own_outcome() -> None:
    faults = {2: SenderFault("no table"), 3: OurFault("no rules"), 4: Transient("busy"), 5: KeyError("x")}

    def stage(item: int) -> int:
        if item in faults:
            raise faults[item]
        return item * 10

    tried = list(each(range(1, 7), stage))
    assert [t.made for t in tried] == [10, None, None, None, None, 60]
    assert [t.reason for t in tried[1:4]] == ["no table", "no rules", "busy"]
    assert tried[4].reason == "the fault is ours (KeyError: 'x'); see the log"


@dataclass
class Found:
    """Rows of somebody, known by the file that they are from."""

    receipt: SimpleNamespace
    rows: list[str]


def test_a_log_names_an_item_by_its_id_and_shows_nothing_of_it(caplog: pytest.LogCaptureFixture) -> None:
    some = [Found(SimpleNamespace(submission_id=f"s{n}", reason="K4711"), ["K4711"]) for n in range(22)]
    for item in (some[0], some, b"K4711", [b"K4711"], {"rows": "K4711"}, SimpleNamespace(rows="K4711")):
        attempt(item, lambda _: 1 / 0)
    assert "K4711" not in caplog.text
    assert "'s0'" in caplog.text and "'s19'" in caplog.text and "'s20' and 2 more" not in caplog.text
    assert "and 2 more" in caplog.text and "bytes failed" in caplog.text


def test_what_every_item_needs_and_is_away_ends_them_all() -> None:
    done = []

    def stage(item: int) -> None:
        if item == 2:
            raise Away("the ledger cannot be used now")
        done.append(item)

    with pytest.raises(Away):
        list(each([1, 2, 3], stage))
    assert done == [1]


def test_a_verdict_names_the_first_twenty_problems() -> None:
    fail_for([], "not judged")
    with pytest.raises(OurFault, match=r"^not judged: 0; 1; .*; 19; and 5 more$"):
        fail_for([str(n) for n in range(25)], "not judged")


@pytest.mark.slow
def test_an_object_store_that_nobody_answers_for_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    with s3("state") as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        store = Store("s3://state/root")
        store.write("a/b", b"1")
        with server.away(), pytest.raises(Away, match="the object store cannot be reached now"):
            store.read("a/b")
        assert store.read("a/b") == b"1"
        server.refuse = lambda method, path: 403
        with pytest.raises(PermissionError):  # it answers: no other try would help
            store.read("a/b")
