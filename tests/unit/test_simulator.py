from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from conftest import drawn, judge
from strike_reporting.errors import OurFault
from strike_reporting.extracts import EXTRACTS, contracts_dir
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.ledger import ledger_of
from strike_reporting.publishing.manifest import Release
from strike_reporting.publishing.releases import build
from strike_reporting.reference.actions import resolve
from strike_reporting.simulator import simulate
from strike_reporting.simulator.loading import simulators
from strike_reporting.storage import Store
from strike_reporting.storage.parquet import read_parquet

ACTION = resolve("JD-2023-04-11")
TRUSTS = ["RHM", "RHU", "RN5", "R1F", "RW1", "R1C", "RX1"]


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def publish(store: Store, folder: Path) -> Release:
    collect_drop(store, folder, ACTION.action_id)
    judge(store)
    return build(store, ACTION)[0]


def totals(home: Path) -> dict[str, dict]:
    rows = read_parquet((home / "releases/JD-2023-04-11/0001/action_totals.parquet").read_bytes()).to_pylist()
    return {r["area_code"]: r for r in rows if r["area_type"] != "site"}


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        simulate(ACTION, tmp_path / name, seed=seed, trusts=TRUSTS, detail=3, dirt=0.05)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert files(tmp_path / "a") != files(tmp_path / "c")


def test_one_trust_never_shifts_another(tmp_path: Path) -> None:
    simulate(ACTION, tmp_path / "one", trusts=["RHU"], detail=3)
    simulate(ACTION, tmp_path / "all", trusts=TRUSTS, detail=3)
    one, everyone = files(tmp_path / "one"), files(tmp_path / "all")
    assert {n: d for n, d in everyone.items() if n.startswith("RHU")} == {
        n: d for n, d in one.items() if n != "SYNTHETIC"
    }


@pytest.mark.slow
def test_calibration_is_exact_through_the_pipeline_and_marked_synthetic(
    home: Path, store: Store, tmp_path: Path
) -> None:
    done = simulate(ACTION, tmp_path / "drop", trusts=TRUSTS, detail=3, match_published=True)
    manifest = publish(store, tmp_path / "drop")
    england = totals(home)["ENG"]
    assert done.targets == {"inpatient": 20470, "outpatient": 175755}
    assert (england["inpatient_cancelled"], england["outpatient_cancelled"]) == (20470, 175755)
    assert england["acute_cancelled"] == 196225
    assert manifest.data_class == "synthetic"
    drawn(store)
    page = home / "site" / "JD-2023-04-11" / "0001" / "report.html"
    assert "Synthetic data: made by a simulator" in page.read_text()
    release = home / "releases" / "JD-2023-04-11" / "0001"
    for path in release.glob("*.parquet"):
        assert b"SYNTHETIC" in pq.read_schema(path).metadata[b"warning"]
    accepted = next((home / "accepted" / "staffing").glob("*.parquet"))
    assert pq.read_schema(accepted).metadata[b"data_class"] == b"synthetic"


@pytest.mark.slow
def test_dirt_never_touches_another_trust(home: Path, store: Store, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    simulate(ACTION, drop, trusts=TRUSTS, detail=3)
    clean = Store(tmp_path / "clean")
    publish(clean, drop)
    simulate(ACTION, tmp_path / "dirty", trusts=TRUSTS, detail=3, dirt=0.5)
    for path in (tmp_path / "dirty").glob("RX1_*"):
        (drop / path.name).write_bytes(path.read_bytes())
    publish(store, drop)
    dirty = [o for o in ledger_of(store).judged.listed() if o.status != "accepted"]
    assert {o.ods_code or o.source_name[:3] for o in dirty} == {"RX1"}
    before, after = totals(tmp_path / "clean"), totals(home)
    for code in ("RHM", "RHU", "RN5", "R1F", "RW1", "R1C", "HAMPSHIRE"):
        assert after[code] == before[code]
    assert after["RX1"] != before["RX1"]


def test_no_published_total_is_said(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="no England total"):
        simulate(resolve("JD-2016-09-12"), tmp_path, trusts=["RHU"], match_published=True)


def test_an_extract_of_the_configuration_may_bring_a_simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = next(iter(EXTRACTS))
    folder = tmp_path / "extracts" / "toys"
    folder.mkdir(parents=True)
    contract = (contracts_dir(name) / "contract.yaml").read_text().replace(f"\nname: {name}", "\nname: toys")
    (folder / "contract.yaml").write_text(contract)
    monkeypatch.setenv("STRIKES_CONFIG", str(tmp_path))
    assert "toys" in EXTRACTS and list(simulators()) == [e for e in EXTRACTS if e != "toys"], "it is optional"
    (folder / "simulate.py").write_text("SIMULATOR = None\n")
    with pytest.raises(OurFault, match=r"toys/simulate.py: it holds no `SIMULATOR"):
        simulators()
    said = "from strike_reporting.extracts.simulating import Simulator\n"
    (tmp_path / "extracts" / "toys" / "simulate.py").write_text(said + "SIMULATOR = Simulator(rows=lambda *_: [])\n")
    assert list(simulators()) == list(EXTRACTS)
