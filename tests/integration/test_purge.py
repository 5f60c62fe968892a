"""After `strikes purge` nothing is left of what was locked away, whatever was killed before; all else is there."""

from __future__ import annotations

import hashlib
import os
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import judge, receipts
from killing import killed_at_every_step, process
from s3 import S3, s3
from strike_reporting.errors import OurFault
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.intake.landing import Arrived, Sender, content, land, object_key
from strike_reporting.intake.purging import Purged, purge, restrict, restricted
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Receipt
from strike_reporting.storage import Store

pytestmark = pytest.mark.integration
SURNAME = b"Featherstonehaugh"
PATIENTS = b"NHS Number,Surname\n" + (b"999 000 0018," + SURNAME + b"\n") * 1000
HASH = hashlib.sha256(PATIENTS).hexdigest()
COUNTS = b"ods_code,activity_date,point_of_delivery,status,cancelled_count\nRHU,2023-04-11,day_case,cancelled,4\n"


def land_one(store: Store, data: bytes = PATIENTS) -> Receipt:
    return land(store, [Arrived(data, "a.csv", Sender("f"))])[0][0]


def holding(root: str | Path) -> list[str]:
    """Every file under the root with the surname in it; that only its owner may read it is checked on the way."""
    found = [p for p in Path(root).rglob("*") if p.is_file() and SURNAME in p.read_bytes()]
    for path in found:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    return [str(p.relative_to(root)) for p in found]


def test_what_was_locked_away_is_deleted_and_its_refusal_stays(store: Store, drop: Callable[..., Path]) -> None:
    collect_drop(store, drop(a__csv=PATIENTS, b__csv=COUNTS), "JD-2023-04-11")
    assert holding(store.base) == [object_key(HASH)], "before it is judged"
    judge(store)
    assert holding(store.base) == [f"landing/restricted/{HASH}"], "after it is judged"
    assert restricted(store) == [HASH]
    assert str(purge(store)) == "1 restricted files deleted."
    assert holding(store.base) == []
    assert purge(store) == Purged(0, 0, 0)
    [refused] = [o for o in ledger_of(store).judged.listed() if o.status == "rejected"]
    kept = {r.sha256: r for r in receipts(store)}
    assert kept[HASH].submission_id == refused.submission_id
    with pytest.raises(FileNotFoundError):
        content(store, kept.pop(HASH))
    assert content(store, *kept.values()) == COUNTS


def test_killed_at_every_step_of_landing_and_locking_away_nothing_is_left_after_a_purge(tmp_path: Path) -> None:
    """Landed bytes that the kill left are landed and judged again; what has no name is gone at once."""

    def work(step: int) -> None:
        store = Store(tmp_path / str(step))
        land_one(store)
        restrict(store, HASH)

    seen = set()
    for step in killed_at_every_step(work):
        store = Store(tmp_path / str(step))
        seen.update(name.rpartition("/")[0] for name in holding(store.base))
        purge(store)
        assert set(holding(store.base)) <= {object_key(HASH)}, "landed, not yet judged: the only copy that there is"
        land_one(store)
        restrict(store, HASH)
        purge(store)
        assert holding(store.base) == []
        assert list(Path(store.base, "tmp").iterdir()) == []
    assert seen == {"tmp", f"landing/objects/{HASH[:2]}", "landing/restricted"}


def test_a_purge_that_is_killed_is_finished_by_the_next(tmp_path: Path) -> None:
    def work(step: int) -> None:
        purge(Store(tmp_path / str(step)))

    for step in range(1, 20):
        store = Store(tmp_path / str(step))
        land_one(store)
        restrict(store, HASH)
        store.write(object_key(HASH), PATIENTS, private=True)  # both, as a crash on S3 leaves them
    for step in killed_at_every_step(work):
        store = Store(tmp_path / str(step))
        purge(store)
        assert holding(store.base) == []
    assert step > 3


def test_a_landing_that_is_going_on_is_not_disturbed(store: Store) -> None:
    pid = process(lambda: land_one(store), signal.SIGSTOP, "fchmod")
    os.waitpid(pid, os.WUNTRACED)
    assert purge(store) == Purged(0, 0, 0)
    os.kill(pid, signal.SIGCONT)
    assert os.waitpid(pid, 0)[1] == 0
    assert content(store, *receipts(store)) == PATIENTS


def test_what_earlier_editions_left_beside_the_data_is_cleared(store: Store) -> None:
    land_one(store, COUNTS)
    for folder in ("objects/ab", "restricted"):
        left = Path(store.base, "landing", folder, ".writing-x8s_1")
        left.parent.mkdir(parents=True, exist_ok=True)
        left.write_bytes(PATIENTS)
    assert str(purge(store)) == "0 restricted files deleted. 2 leftovers of processes that died cleared."
    assert not list(Path(store.base).rglob(".writing-*"))
    assert content(store, *receipts(store)) == COUNTS


@pytest.fixture(params=["versions are kept", "no versions"])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, postgres_url: str) -> Iterator[S3]:
    monkeypatch.setenv("STRIKES_HOME", "s3://state/home")
    monkeypatch.setenv("STRIKES_LEDGER", postgres_url)
    with s3("state") as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        if request.param == "versions are kept":
            running.client().make_bucket_versioned("state")
        yield running


def versions(server: S3) -> dict[str, int]:
    """How many versions and delete markers of each key the bucket holds."""
    page = server.client().call_s3("list_object_versions", Bucket="state")
    keys = [v["Key"] for v in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]]
    return {key: keys.count(key) for key in keys}


def test_on_s3_no_earlier_version_is_left(server: S3) -> None:
    store = Store("s3://state/home")
    receipt = land_one(store)
    other = land_one(store, COUNTS)
    for _ in range(2):  # the second time: the same content again from another feed
        store.write(object_key(HASH), PATIENTS, private=True)
        assert content(store, receipt) == PATIENTS
        restrict(store, HASH)
        restrict(store, HASH)
    assert content(store, receipt) == PATIENTS
    before = versions(server)
    assert restricted(store) == [HASH]
    assert purge(store).contents == 1
    gone = {f"home/{object_key(HASH)}", f"home/landing/restricted/{HASH}"}
    assert versions(server) == {k: n for k, n in before.items() if k not in gone}
    assert content(store, other) == COUNTS
    assert purge(store) == Purged(0, 0, 0)


def test_on_s3_a_purge_that_fails_anywhere_says_so_and_is_finished_by_the_next(server: S3) -> None:
    store = Store("s3://state/home")
    failed = 0
    for request in range(1, 12):
        store.write(object_key(HASH), PATIENTS)
        restrict(store, HASH)
        store.write(object_key(HASH), PATIENTS)  # both, as a crash between copy and delete leaves them
        server.refuse_one(request, 403)
        try:
            purge(store)
        except (OurFault, PermissionError):
            failed += 1
            purge(store)
        server.refuse = lambda method, path: None
        assert {key for key in versions(server) if "receipts" not in key} == set()
    assert 4 < failed < 11, "every request of a purge was refused once"


def test_on_s3_one_that_cannot_be_deleted_keeps_no_other(server: S3) -> None:
    store = Store("s3://state/home")
    other = hashlib.sha256(COUNTS).hexdigest()
    for data, sha256 in ((PATIENTS, HASH), (COUNTS, other)):
        store.write(object_key(sha256), data)
        restrict(store, sha256)
    server.refuse = lambda method, path: 403 if method == "DELETE" and HASH in path else None
    with pytest.raises(OurFault, match="1 of 2 restricted files could not be deleted"):
        purge(store)
    assert restricted(store) == [HASH]


def test_on_s3_what_a_crash_left_between_copy_and_delete_is_completed(server: S3) -> None:
    store = Store("s3://state/home")
    receipt = land_one(store)
    server.refuse = lambda method, path: 403 if method == "DELETE" else None
    with pytest.raises(PermissionError):
        restrict(store, HASH)
    server.refuse = lambda method, path: None
    assert store.exists(object_key(HASH))
    assert store.exists(f"landing/restricted/{HASH}")
    assert content(store, receipt) == PATIENTS, "so the next judging finds it again"
    restrict(store, HASH)
    assert not store.exists(object_key(HASH))
    assert purge(store).contents == 1
    assert not [key for key in versions(server) if HASH in key]
