"""The house: which room may know which (design, part 4), measured on the imports themselves."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from conftest import ROOT

PACKAGE = ROOT / "include" / "strike_reporting"
# Each room with the rooms below it that it may know. A file goes one way: intake, judging, ledger, publishing, site.
LEAVES = {
    "errors",
    "children",
    "clock",
    "memory",
    "processes",
    "nhs_number",
    "showing",
    "settings",
    "setting_groups",
    "storage",
    "yaml_text",
}
BELOW = {
    "catalogue": set(),
    "extracts": {"catalogue"},
    "reference": {"catalogue"},
    "ledger": set(),
    "intake": {"extracts", "reference", "ledger"},
    "judging": {"extracts", "reference", "ledger", "intake"},
    "publishing": {"catalogue", "extracts", "reference", "ledger", "intake", "judging"},
    "site": {"catalogue", "extracts", "reference", "ledger", "publishing"},
    "simulator": {"catalogue", "extracts", "reference", "intake"},
    "operations": {"catalogue", "extracts", "reference", "ledger", "intake", "judging", "publishing", "site"},
}
AIRFLOW = ("storage/", "ledger/", "intake/transports/")  # for connections only


def imported(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    return found | {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}


def rooms(path: Path) -> set[str]:
    """Rooms and leaves of the package that a file knows."""
    return {m.split(".")[1] for m in imported(path) if m.startswith("strike_reporting.")}


@pytest.mark.parametrize("room", sorted(BELOW))
def test_a_room_knows_only_the_rooms_below_it(room: str) -> None:
    files = sorted((PACKAGE / room).rglob("*.py"))
    assert files, "the room is there"
    for path in files:
        above = rooms(path) - BELOW[room] - LEAVES - {room}
        assert above == set(), f"{path.relative_to(PACKAGE)} knows {', '.join(sorted(above))}"


def test_leaves_know_no_room() -> None:
    for name in LEAVES:
        files = [PACKAGE / f"{name}.py"] if (PACKAGE / f"{name}.py").is_file() else list((PACKAGE / name).rglob("*.py"))
        assert files, name
        for path in files:
            assert rooms(path) <= LEAVES, path.relative_to(PACKAGE)


def test_no_circle_and_seven_levels_at_most() -> None:
    level: dict[str, int] = {}
    while len(level) < len(BELOW):
        ready = [r for r in BELOW if r not in level and all(b in level for b in BELOW[r])]
        assert ready, "the rooms know one another in a circle"
        level |= {r: 1 + max((level[b] for b in BELOW[r]), default=0) for r in ready}
    assert max(level.values()) <= 7


@pytest.mark.slow
def test_airflow_is_known_only_where_connections_are_looked_up() -> None:
    for path in PACKAGE.rglob("*.py"):
        inside = path.relative_to(PACKAGE).as_posix()
        if not inside.startswith(AIRFLOW):
            assert not [m for m in imported(path) if m.split(".")[0] == "airflow"], inside
        assert not [m for m in imported(path) if m.split(".")[0] in ("dags", "plugins")], inside


def test_dags_and_plugins_import_the_package_and_are_imported_by_nobody() -> None:
    files = [*(ROOT / "dags").glob("*.py"), *(ROOT / "plugins").glob("*.py")]
    assert len(files) >= 5
    assert any(m.startswith("strike_reporting") for path in files for m in imported(path))
