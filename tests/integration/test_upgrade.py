"""A root of version 0.1 brought along: its releases stay, the next round cuts none, and nobody is mailed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from small_england import FILES, A, B, Root, round_of, small_england, small_root, use
from strike_reporting.ledger import ledger_of
from strike_reporting.operations.upgrade import KEPT_MANIFEST, upgrade
from strike_reporting.publishing.releases import current
from strike_reporting.storage import Store


def aged(root: Root) -> None:
    """Rewrite a root of today as version 0.1 kept it: no numbers, no identity, a ledger of JSON files."""
    home = root.home
    submissions = home / "ledger" / "submissions"
    outcomes = ledger_of(Store()).judged.listed()
    shutil.rmtree(home / "ledger")
    shutil.rmtree(home / "site")
    submissions.mkdir(parents=True)
    for outcome in outcomes:
        kept = json.loads(outcome.dump())
        record = {n: v for n, v in kept.items() if n not in ("sequence", "pins", "schema_version")}
        (submissions / f"{outcome.submission_id}.json").write_text(json.dumps(record))
    for path in (home / "landing" / "receipts").glob("*.json"):
        without(path, "sequence", "schema_version", "collection", "sent_at", "grace_minutes")
    for manifest in (home / "releases").rglob("manifest.json"):
        folder = manifest.parent
        shutil.rmtree(folder / "kept")
        (folder / "decision.json").unlink()
        returns = pq.read_table(folder / "returns.parquet")
        pq.write_table(returns.drop_columns(["is_newer_refused"]), folder / "returns.parquet")
        said = json.loads(manifest.read_text())
        inputs = said["inputs"]
        for gone in ("method", "judging_method", "commit", "libraries", "schema_version"):
            inputs.pop(gone, None)
        inputs["submissions"] = [
            {n: v for n, v in s.items() if n not in ("sequence", "is_used")}
            for s in inputs["submissions"]
            if s["is_used"]
        ]
        for gone in ("identity", "schema_version"):
            said.pop(gone, None)
        manifest.write_text(json.dumps({**said, "inputs_sha256": "0" * 64}))
    (home / "releases" / "index.html").write_text("<h1>All actions</h1>")


def without(path: Path, *fields: str) -> None:
    kept = json.loads(path.read_text())
    path.write_text(json.dumps({n: v for n, v in kept.items() if n not in fields}))


def test_a_root_of_0_1_keeps_its_releases_and_tells_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = small_root(tmp_path / "small")
    with small_england(root.folder / "reference"):
        use(root, monkeypatch)
        for trust in ("RHU", "RN5"):
            root.send(trust, FILES[trust])
        assert round_of("2026-11-20") == []
        aged(root)
        totals = {p: p.read_bytes() for p in root.home.glob("releases/*/*/action_totals.parquet")}
        assert "2 receipts numbered and judged again, 2 releases kept; nothing was mailed." in upgrade(Store())
        assert not list(root.home.glob("ledger/**/*.json"))
        assert not (root.home / "releases" / "index.html").exists()
        assert round_of("2026-11-21") == []
        assert sorted(r.release_id for r in current(Store())) == [f"{A}.r1", f"{B}.r1"]
        assert len(ledger_of(Store()).published.everything()) == 2
        assert ledger_of(Store()).letters.listed() == []
        assert {p: p.read_bytes() for p in totals} == totals and len(totals) == 2
        assert len(list(root.home.glob(f"releases/*/*/{KEPT_MANIFEST}"))) == 2
        assert upgrade(Store()) == "The ledger is of this version."
