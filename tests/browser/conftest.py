"""A busy state root, the pages of its releases, a browser, and a real Airflow web server."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from conftest import ROOT, drawn, judge, made_once
from held import ended
from servers import free_port, wait_for
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.publishing.drafts import draft
from strike_reporting.publishing.releases import build
from strike_reporting.reference.actions import resolve
from strike_reporting.simulator import simulate
from strike_reporting.storage import Store

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MODULES = Path(__file__).parent / "node_modules"
ACTION, EARLIER = "RD-2025-11-14", "RD-2025-07-25"
TRUSTS = ("RHM", "RN5", "RHU", "R1F", "RW1", "RJ1", "R0A", "RAE")
PASSWORD = secrets.token_hex(16)


def publish(store: Store, folder: Path, action_id: str) -> None:
    collect_drop(store, folder, action_id)
    judge(store)
    build(store, resolve(action_id))


def _draft(store: Store, folder: Path) -> None:
    """A return for the earlier action that is in its draft and in no release."""
    folder.mkdir()
    head = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
    (folder / "RCF_late.csv").write_text(f"{head}RCF,2025-07-25,day_case,cancelled,3\n")
    collect_drop(store, folder, EARLIER)
    judge(store)
    assert draft(store, resolve(EARLIER))[1]


def _busy(home: Path) -> None:
    """Synthetic returns of a few trusts for two actions: one refused, one revised, published twice; and a draft."""
    store, base = Store(), home.parent
    for seed, action_id in enumerate((EARLIER, ACTION)):
        everything, some = base / f"all-{seed}", base / f"some-{seed}"
        simulate(resolve(action_id), everything, seed=seed, dirt=0.01)
        some.mkdir()
        for path in everything.iterdir():
            if path.name.startswith(TRUSTS) or (path.suffix != ".csv" and action_id == ACTION):
                shutil.copy(path, some)
        if action_id == ACTION:
            late = some / "RHU_cancellations.csv"
            late.rename(base / late.name)
            (some / "RHU_cancellations.csv").write_text("Dear all, please see attached.\n")
        publish(store, some, action_id)
    fixed = base / "fixed"
    fixed.mkdir()
    shutil.move(base / "RHU_cancellations.csv", fixed)
    publish(store, fixed, ACTION)
    refused = base / "refused"
    refused.mkdir()
    unknown_group = "ods_code,shift_date,staff_group,absent_action\nRCF,2025-11-14,doctors,1\n"
    (refused / "RCF_staffing.csv").write_text(unknown_group)
    publish(store, refused, ACTION)
    _draft(store, base / "drafted")
    drawn(store, date(2025, 11, 1))


@pytest.fixture(scope="session")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A root with everything that pages can show."""
    home = made_once(tmp_path_factory, "busy", _busy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRIKES_HOME", str(home))
        yield Store()


@pytest.fixture(scope="session")
def site(busy: Store) -> Path:
    """The pages of the newest release of `ACTION`."""
    pointer = Path(busy.path(f"releases/{ACTION}/latest.json"))
    return Path(busy.path(f"site/{ACTION}")) / f"{json.loads(pointer.read_text())['number']:04d}"


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    """Debian's Chromium, headless."""
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: apt-get install chromium (see .ci/system-packages)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        sandbox = [] if os.getuid() else ["--no-sandbox"]
        browser = play.chromium.launch(executable_path=CHROMIUM, args=sandbox)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: object) -> Iterator[object]:
    """A fresh page; a script error on it fails the test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


@pytest.fixture(scope="session")
def airflow(busy: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a real Airflow web server with one user who may only look."""
    with serving(busy, tmp_path_factory.mktemp("airflow"), ("analyst",)) as address:
        yield address


@contextmanager
def serving(store: Store, folder: Path, users: Sequence[str], **more: str) -> Iterator[str]:
    """A real Airflow web server of a state root, with users who may only look; its log is `log` in the folder."""
    port = free_port()
    (folder / "passwords.json").write_text(json.dumps(dict.fromkeys(users, PASSWORD)))
    tool = Path(sys.executable).parent / "airflow"
    env = {
        **os.environ,
        "STRIKES_HOME": store.base,
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:viewer" for user in users),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "passwords.json"),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API_AUTH__JWT_SECRET": "x" * 64,
        "PATH": f"{tool.parent}:{os.environ['PATH']}",
        **more,
    }
    ended([tool, "db", "migrate"], folder / "log", env=env)
    log = (folder / "log").open("a")
    server = subprocess.Popen(
        [tool, "api-server", "--workers", "1"], env=env, stdout=log, stderr=log, start_new_session=True
    )
    try:
        wait_for(port, server, 120)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
        log.close()
