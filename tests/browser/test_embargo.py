"""Under embargo in a real Airflow web server: one user with pre-release access, one without; each look is kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from conftest import judge
from playwright.sync_api import Page
from strike_reporting.intake.collecting import collect_drop
from strike_reporting.operations.accesses import accesses
from strike_reporting.operations.cutting import cut
from strike_reporting.publishing.drafts import draft
from strike_reporting.reference.actions import resolve
from strike_reporting.settings import settings
from strike_reporting.site.draw import draw
from strike_reporting.storage import Store

from browser.conftest import PASSWORD, serving

pytestmark = [pytest.mark.browser, pytest.mark.airflow]
ROOT, JD = "/strike-reports", "JD-2023-04-11"
HEAD = "ods_code,activity_date,point_of_delivery,status,cancelled_count\n"
PAGE = f"{ROOT}/embargoed/{JD}/draft/report.html"
SAID = {"STRIKES_PRE_RELEASE_ACCESS": "listed", "STRIKES_CUT_AT_ONCE": "no"}


@pytest.fixture(scope="module")
def embargoed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A release of 4 and a draft of 7,919, which is under embargo."""
    base = tmp_path_factory.mktemp("embargoed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STRIKES_HOME", str(base / "home"))
        for name, value in SAID.items():
            patch.setenv(name, value)
        settings.cache_clear()
        store = Store()
        for name, count in (("a", 4), ("b", 7919)):
            (base / name).mkdir()
            (base / name / f"{name}.csv").write_text(f"{HEAD}RHM,2023-04-11,day_case,cancelled,{count}\n")
            collect_drop(store, base / name, JD)
            judge(store)
            if name == "a":
                cut(store, JD, "the first", "somebody", datetime.now(UTC))
        assert draft(store, resolve(JD))[1]
        assert [d.reason for d in draw(store) if d.error] == []
        yield store
    settings.cache_clear()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("airflow-embargo")


@pytest.fixture(scope="module")
def served(embargoed: Store, folder: Path) -> Iterator[str]:
    with serving(embargoed, folder, ("listed", "other"), AIRFLOW__API__WORKERS="1", **SAID) as address:
        yield address


def client(served: str, user: str) -> httpx.Client:
    answer = httpx.post(f"{served}/auth/token", json={"username": user, "password": PASSWORD}, timeout=30)
    return httpx.Client(
        base_url=served, headers={"Authorization": f"Bearer {answer.json()['access_token']}"}, timeout=60
    )


def test_who_is_listed_sees_the_draft_and_is_logged_and_others_are_refused_in_words(
    served: str, embargoed: Store, folder: Path
) -> None:
    before = len(accesses(embargoed))
    with client(served, "other") as other:
        for path in (PAGE, f"{ROOT}/embargoed/", f"{ROOT}/embargoed/{JD}/no-such.html"):
            refused = other.get(path)
            assert refused.status_code == 403 and "only those with pre-release access" in refused.text, path
        moved = other.get(f"{ROOT}/site/{JD}/draft/report.html")
        assert moved.status_code == 307 and moved.headers["location"].endswith(PAGE)
        for open_to_all in (f"/site/{JD}/index.html", "/site/index.html", f"/returns?action={JD}"):
            page = other.get(f"{ROOT}{open_to_all}")
            assert page.status_code == 200 and "draft is under embargo until" in page.text
            assert "7,919" not in page.text and "7919" not in page.text
        assert other.get(f"{ROOT}/errors/x.txt").status_code == 403
    assert len(accesses(embargoed)) == before, "who was refused saw nothing"
    with client(served, "listed") as listed:
        page = listed.get(PAGE)
        assert page.status_code == 200 and "7,919" in page.text and page.headers["cache-control"] == "private, no-store"
        assert f"{JD}/draft/report.html" in listed.get(f"{ROOT}/embargoed/").text
        assert "the submission before said 4" in listed.get(f"{ROOT}/returns?action={JD}").text
        released = listed.get(f"{ROOT}/embargoed/{JD}/0001/report.html")
        assert released.status_code == 307 and released.headers["location"].endswith(f"/site/{JD}/0001/report.html")
        gone = listed.get(f"{ROOT}/embargoed/{JD}/draft/no-such.html")
        assert gone.status_code == 307 and gone.headers["location"].endswith(f"/site/{JD}/index.html")
    kept = accesses(embargoed)[before:]
    assert [(a.user_id, a.what) for a in kept] == [
        ("listed", f"embargoed/{JD}/draft/report.html"),
        ("listed", "embargoed/index.html"),
        ("listed", f"returns?action={JD}"),
    ]
    said = (folder / "log").read_text()
    assert f"Shown to 'listed', who has pre-release access: embargoed/{JD}/draft/report.html" in said
    assert f"Refused to 'other', who has no pre-release access: embargoed/{JD}/draft/report.html" in said
    assert httpx.get(f"{served}{PAGE}", timeout=30).status_code == 401


def test_from_the_sentence_to_the_draft_and_back_in_the_airflow_frame(page: Page, served: str) -> None:
    page.goto(served)
    page.locator("input[name=username]").fill("listed")
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda u: "/login" not in u, timeout=60_000)
    page.goto(f"{served}{ROOT}/returns?action={JD}")
    page.get_by_role("link", name="embargoed").click()
    page.get_by_role("link", name="DRAFT as at").click()
    assert "under embargo until" in page.locator(".banner").first.inner_text() and "7,919" in page.content()
    page.get_by_role("link", name="Its releases").click()
    page.get_by_role("link", name="release 1", exact=True).click()
    assert page.url.endswith(f"/site/{JD}/0001/report.html")
    assert "Pre-release access: listed." in page.locator("header").inner_text()
