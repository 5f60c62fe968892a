"""A root of version 0.1 is brought along: no figure changes, no release is cut, nobody is mailed."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from roots import A, B, Root, built, current, sql
from strike_reporting import ledger
from strike_reporting.cli import app
from strike_reporting.intake.landing import submission_id
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.engine import LedgerMissing
from strike_reporting.operations import rounds
from strike_reporting.operations.doctor import examine
from strike_reporting.operations.upgrade import upgrade
from strike_reporting.publishing.releases import find
from strike_reporting.storage import Store
from strike_reporting.storage.parquet import read_parquet
from typer.testing import CliRunner

PURGED = hashlib.sha256(b"it held a name").hexdigest()
PURGED_ID = submission_id("RN5.cancellations", PURGED)
Told = tuple[object, ...]
LATE = "2026-11-30T08:00:00.000000+00:00"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Root]:
    with built(tmp_path_factory.mktemp("upgrade")) as root:
        make_old(root)
        yield root


def make_old(root: Root) -> None:
    """Write the state as version 0.1 did."""
    known = ledger_of(Store())
    outcomes, pulls = known.judged.listed(), known.receiving.pulls("2026-11-22")
    for outcome in outcomes:
        said = outcome.model_dump(mode="json", exclude={"schema_version", "sequence", "grace_minutes", "pins", "said"})
        days = {
            str(d): {"rows": v.rows, "total": v.total, "quarantined": v.quarantined} for d, v in outcome.days.items()
        }
        put(root, f"ledger/submissions/{outcome.submission_id}.json", {**said, "days": days, "rules_version": "1"})
        change(root, f"landing/receipts/{outcome.submission_id}.json", _old_receipt)
    for pull in pulls:
        said = pull.model_dump(mode="json", exclude={"schema_version"})
        put(root, f"ledger/pulls/2026-11-21/{pull.feed_id}.json", {**said, "status": "failed", "reason": "before"})
        put(root, f"ledger/pulls/2026-11-22/{pull.feed_id}.json", said)
    failed = {"feed_id": "R1F.cancellations", "collection": "2026-11-22", "status": "failed", "files": []}
    put(root, "ledger/pulls/2026-11-22/R1F.cancellations.json", {**failed, "reason": "its server is away"})
    put(root, "ledger/validators/RN5.cancellations.json", {"a.csv": {"etag": "1"}})
    twice = {"submission_id": outcomes[0].submission_id, "feed_id": "RHU.cancellations", "source_name": "again.csv"}
    twice |= {"sha256": outcomes[0].sha256, "reason": "the same content", "fix": "Nothing.", "status": "duplicate"}
    put(root, f"ledger/deliveries/{outcomes[0].submission_id}-0.json", twice)
    put(root, f"ledger/mail/{A}.r2.england.json", {"about": f"{A}.r2", "to": "e@x", "status": "sent", "reason": ""})
    put(root, f"ledger/mail/{B}.r1.england.json", {"about": f"{B}.r1", "to": "e@x", "status": "failed", "reason": "no"})
    _purged(root)
    for manifest in (root.home / "releases").rglob("manifest.json"):
        shutil.rmtree(manifest.parent / "kept")
        (manifest.parent / "decision.json").unlink()
        returns = read_parquet((manifest.parent / "returns.parquet").read_bytes())
        pq.write_table(returns.drop_columns(["is_newer_refused"]), manifest.parent / "returns.parquet")
        (manifest.parent / "report.html").write_text("<h1>As it was published</h1>")
        files = _facts(manifest.parent)
        change(
            root, str(manifest.relative_to(root.home)), lambda said, files=files: _old_manifest(said) | {"files": files}
        )
        put(root, f"releases/{manifest.parts[-3]}/claims/{manifest.parts[-2]}.json", {"inputs_sha256": "0"})
    (root.home / "releases" / "index.html").write_text("<h1>All actions</h1>")
    shutil.rmtree(root.home / "site")
    for path in (root.home / "ledger").glob("ledger.sqlite*"):
        path.unlink()
    ledger._opened.clear()


def put(root: Root, key: str, value: dict[str, Any]) -> None:
    path = root.home / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def change(root: Root, key: str, how: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    put(root, key, how(json.loads((root.home / key).read_bytes())))


def _old_receipt(said: dict[str, Any]) -> dict[str, Any]:
    newer = ("schema_version", "sequence", "collection", "sent_at", "grace_minutes")
    return {k: v for k, v in said.items() if k not in newer}


def _old_manifest(said: dict[str, Any]) -> dict[str, Any]:
    inputs = {k: v for k, v in said["inputs"].items() if k not in ("method", "judging_method", "commit", "libraries")}
    used = [s for s in inputs["submissions"] if s["is_used"]]
    inputs["submissions"] = [{k: v for k, v in s.items() if k not in ("sequence", "is_used")} for s in used]
    inputs |= {"action_id": said["action_id"], "reference_sha256": "0", "contracts_sha256": "0", "returns_sha256": "0"}
    kept = {k: v for k, v in said.items() if k not in ("schema_version", "identity", "files")}
    return kept | {"inputs": inputs, "inputs_sha256": "0"}


def _facts(folder: Path) -> dict[str, dict[str, object]]:
    contents = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    del contents["manifest.json"]
    return {n: {"bytes": len(d), "sha256": hashlib.sha256(d).hexdigest()} for n, d in sorted(contents.items())}


def _purged(root: Root) -> None:
    """A file that held patient data, and whose bytes were deleted."""
    common = {"submission_id": PURGED_ID, "feed_id": "RN5.cancellations", "source_name": "names.csv", "sha256": PURGED}
    common |= {"received_at": LATE, "ods_code": "RN5", "extract": "cancellations", "dialect": "template.cancellations"}
    common |= {"action_id": None, "due": None, "data_class": "real"}
    put(root, f"landing/receipts/{PURGED_ID}.json", {**common, "size": 14, "transport": {}})
    refused = {
        "status": "rejected",
        "reason": "it holds names",
        "fix": "Send it without.",
        "rules": {"patient_data": 1},
    }
    refused |= {"rows_read": 0, "rows_accepted": 0, "rows_quarantined": 0, "warnings": 0, "days": {}}
    put(
        root,
        f"ledger/submissions/{PURGED_ID}.json",
        {**common, **refused, "contract_version": None, "rules_version": ""},
    )


def test_it_keeps_every_figure_and_publishes_and_mails_nothing(root: Root) -> None:
    before = root.files("releases", "landing/objects")
    with pytest.raises(LedgerMissing, match="strikes ledger upgrade"):
        rounds.validate_plan()
    (finding,) = [f for f in examine(Store()) if f.what == "ledger"]
    assert finding.mend == "`strikes ledger upgrade`"
    done = CliRunner().invoke(app, ["ledger", "upgrade"])
    assert "4 receipts numbered and judged again, 3 releases kept; nothing was mailed.\n" in done.output, done.output
    for group in rounds.publish_plan():
        assert rounds.publish_group(group)["releases"] == rounds.publish_group(group)["problems"] == []
    assert current() == [f"{A}.r2", f"{B}.r1"]
    after = root.files("releases", "landing/objects")
    gone = {k for k in before if "/claims/" in k or k == "releases/index.html"}
    new = {k for k in after if k.endswith(("/decision.json", "/manifest.0.1.json"))}
    assert set(after) == set(before) - gone | new
    assert {k for k in set(before) - gone if before[k] != after[k]} == {
        k for k in before if k.endswith("/manifest.json")
    }
    assert all(after[k] == before[k.replace(".0.1.", ".")] for k in new if ".0.1." in k)
    assert sorted(rounds.draw_site()) == [f"{A}.r1", f"{A}.r2", f"{B}.r1"] and examine(Store()) == []
    assert "The ledger is of this version." in CliRunner().invoke(app, ["ledger", "upgrade"]).output


def test_what_only_the_old_ledger_knew_is_taken_over(root: Root) -> None:
    upgrade(Store())
    known = ledger_of(Store())
    assert known.receiving.failing() == {"R1F.cancellations": "its server is away"}
    assert [d.source_name for d in known.receiving.duplicates()] == ["again.csv"]
    assert {(e.name, e.state) for e in known.letters.listed()} == {
        (f"{A}.r2.england", "sent"),
        (f"{B}.r1.england", "expired"),
    }
    receipts = known.receiving.everything()
    assert [r.sequence for r in receipts] == [1, 2, 3, 4]
    assert [r.received_at for r in receipts] == sorted(r.received_at for r in receipts)
    purged = known.judged.get(PURGED_ID)
    assert purged is not None and (purged.status, purged.reason) == ("rejected", "it holds names")
    assert find(Store(), f"{A}.r1").inputs.commit == "version 0.1.0"
    assert not [p for p in (root.home / "ledger").rglob("*.json")]


def told(root: Root) -> Told:
    """All that an upgrade leaves, but marks and moments."""
    rows = [
        sql(f"SELECT {columns} FROM {table} ORDER BY {columns.partition(',')[0]}")
        for table, columns in {
            "receipts": "sequence, submission_id, is_landed, is_judged, record",
            "outcomes": "submission_id, record",
            "feeds": "feed_id, is_failing, last_pull",
            "duplicates": "source_name, record",
            "outbox": "name, state, record",
            "releases": "release_id, state, is_current, identity, summary",
        }.items()
    ]
    return rows, root.files("landing", "releases", "accepted", "quarantine")


@pytest.fixture(scope="module")
def whole(prepared: Root, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What an upgrade leaves that was not cut short."""
    copy = prepared.copied(tmp_path_factory.mktemp("whole"))
    with pytest.MonkeyPatch.context() as patch:
        copy.use(patch)
        upgrade(Store())
        return told(copy)


# Where it may be cut short: before each change of the root. All of them in `make test-all`.
POINTS = [pytest.param(n, marks=() if n % 9 == 1 else pytest.mark.exhaustive) for n in range(1, 61)]


@pytest.mark.parametrize("point", POINTS)
def test_cut_short_it_is_finished_by_doing_it_again(
    root: Root, whole: Told, point: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0

    def counted(method: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: object, **kwargs: object) -> object:
            nonlocal steps
            steps += 1
            if steps == point:
                raise KeyboardInterrupt
            return method(*args, **kwargs)

        return step

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write_many", counted(Store.write_many))  # every write goes through it
        patch.setattr(Store, "delete", counted(Store.delete))
        try:
            upgrade(Store())
        except KeyboardInterrupt:
            ledger._opened.clear()  # as in the next process
            upgrade(Store())
        else:
            assert steps < point, "all points are past"
    assert told(root) == whole
    assert examine(Store()) == []
