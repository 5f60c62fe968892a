"""The wheel: installed away from the clone, it has its data, no example feeds, and keeps no state beside itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site-packages")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(folder)]
    subprocess.run([*command, str(wheel)], check=True)
    return folder


def strikes(installed: Path, home: Path, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command as a user of this machine would, its own user folder being `home`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("STRIKES_")}
    given = {**kept, "PYTHONPATH": str(installed), "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    home.mkdir(exist_ok=True)
    given.pop("XDG_DATA_HOME", None)
    command = [sys.executable, *(args if args[0] == "-c" else (str(installed / "bin" / "strikes"), *args))]
    return subprocess.run(command, cwd=home, env=given, capture_output=True, text=True, check=False)


def test_everything_of_the_package_is_in_the_wheel_and_nothing_of_the_example(wheel: Path) -> None:
    package = ROOT / "include" / "strike_reporting"
    mine = {p.relative_to(package.parent).as_posix() for p in package.rglob("*") if p.is_file() and p.suffix != ".pyc"}
    facts = {f"strike_reporting/_data/reference/{p.name}" for p in (ROOT / "include" / "reference").iterdir()}
    packed = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
    assert packed == mine | facts
    assert {Path(n).suffix for n in packed} >= {".sql", ".yaml", ".jinja", ".css", ".csv"}


def test_it_finds_its_data_has_no_feed_and_keeps_no_state_beside_itself(installed: Path, tmp_path: Path) -> None:
    code = """
import json, strike_reporting
from strike_reporting.extracts import EXTRACTS, load
from strike_reporting.intake.dialects import dialects
from strike_reporting.intake.registry import load_registry
from strike_reporting.reference.checking import check_reference
from strike_reporting.reference.organisations import organisations
from strike_reporting.storage import home
print(json.dumps({
    "package": strike_reporting.__file__, "home": home(), "reference": check_reference(),
    "known": organisations().is_known("RHU"), "rules": [len(load(e).rules) for e in EXTRACTS],
    "feeds": len(load_registry().feeds), "faults": len(load_registry().faults), "dialects": sorted(dialects()),
}))
"""
    done = strikes(installed, tmp_path / "user", "-c", code)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["package"].startswith(str(installed))
    assert not found["home"].startswith(str(installed))
    assert found["home"].startswith(str(tmp_path / "user"))
    assert (found["reference"], found["known"], found["feeds"], found["faults"]) == ([], True, 0, 0)
    assert all(found["rules"])
    assert found["dialects"] == ["template.cancellations", "template.planned_activity", "template.staffing"]


def test_it_takes_a_round_to_a_release(installed: Path, tmp_path: Path) -> None:
    user, home = tmp_path / "user", tmp_path / "home"
    action = ["--action", "JD-2023-04-11"]
    drop = tmp_path / "drop"
    drop.mkdir()
    head = "ods_code,activity_date,point_of_delivery,status,cancelled_count"
    (drop / "RHU.csv").write_text(f"{head}\nRHU,2023-04-11,day_case,cancelled,7\n")
    done = strikes(installed, user, "run", *action, "--drop", str(drop), STRIKES_HOME=str(home))
    assert done.returncode == 0, done.stderr
    assert (home / "releases" / "JD-2023-04-11" / "0001" / "manifest.json").exists()
    before = sorted(p for p in installed.rglob("*"))
    simulated = strikes(installed, user, "simulate", *action, "--folder", str(tmp_path / "round"))
    assert simulated.returncode == 0, simulated.stderr
    assert sorted(p for p in installed.rglob("*")) == before


def test_what_belongs_to_a_clone_says_so(installed: Path, tmp_path: Path) -> None:
    for command in ("examples", "docs"):
        done = strikes(installed, tmp_path / "user", command, STRIKES_HOME=str(tmp_path / "home"))
        assert done.returncode == 2, done.stderr
        assert "belong to a clone" in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr


def test_a_configuration_is_begun_and_its_first_feed_is_pulled(installed: Path, tmp_path: Path) -> None:
    config, user = tmp_path / "config", tmp_path / "user"
    begun = strikes(installed, user, "init", str(config))
    assert begun.returncode == 0, begun.stderr
    assert f"export STRIKES_CONFIG={config}" in begun.stdout
    assert strikes(installed, user, "init", str(config)).returncode == 2
    (config / "feeds" / "feeds.yaml").write_text(
        "- {trust: RHU, extract: cancellations, location: RHU, contact: a@b.nhs.uk}\n"
        "- {trust: RHM, extract: cancellations, location: RHM, contact: a@b.nhs.uk, due: '25:99'}\n"
    )
    code = """
from strike_reporting.intake.registry import load_registry
print(*[f.id for f in load_registry().feeds], load_registry().faults[0])
"""
    done = strikes(installed, user, "-c", code, STRIKES_CONFIG=str(config))
    assert done.stdout.startswith("RHU.cancellations ")
    assert "feeds.yaml, line 2: feed RHM.cancellations: due = '25:99'" in done.stdout
