"""The plugin in a real Airflow web server: nothing without a session, the board and the releases with one."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Page

from browser.conftest import ACTION, MODULES, PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.airflow]
ROOT = "/strike-reports"
SERVED = (
    "/",
    "/returns",
    "/site/index.html",
    f"/site/{ACTION}/0001/report.html",
    f"/releases/{ACTION}/0001/action_totals.parquet",
    "/errors/0123456789abcdef.txt",
    "/docs",
    "/redoc",
    "/openapi.json",
)


@pytest.fixture(scope="module")
def token(airflow: str) -> str:
    answer = httpx.post(f"{airflow}/auth/token", json={"username": "analyst", "password": PASSWORD}, timeout=30)
    assert answer.status_code == 201, answer.text
    return answer.json()["access_token"]


@pytest.mark.parametrize("path", SERVED)
def test_nothing_without_a_session(path: str, airflow: str) -> None:
    answer = httpx.get(f"{airflow}{ROOT}{path}", timeout=30)
    assert answer.status_code in (401, 404) and (answer.status_code == 401 or path in SERVED[-3:])
    assert "trust" not in answer.text.lower()


def test_a_forged_session_is_refused(airflow: str) -> None:
    for headers in ({"Authorization": "Bearer not.a.token"}, {"Cookie": "_token=not.a.token"}):
        assert httpx.get(f"{airflow}{ROOT}/returns", headers=headers, timeout=30).status_code in (401, 403)


@pytest.mark.parametrize(
    "path",
    [
        "/releases/../landing/index.html",
        "/site/../ledger/ledger.sqlite",
        "/releases/%2e%2e/ledger/submissions",
        "/releases/..%2f..%2f..%2fetc%2fpasswd",
        "/releases/%2Fetc%2Fpasswd",
        "/releases//etc/passwd",
        "/releases/.hidden",
        f"/releases/{ACTION}",
        "/releases/",
        "/releases/x%00.html",
        "/errors/..%2f..%2fledger%2fsubmissions.txt",
        "/errors/x.html",
        "/errors/.txt",
        "/errors/..%2f..%2fledger%2fsubmissions.xlsx",
        "/errors/no-such.xlsx",
        "/docs",
        "/openapi.json",
    ],
)
def test_no_path_outside_the_releases(path: str, airflow: str, token: str) -> None:
    import socket

    host, port = airflow.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 30) as plug:  # as it is: a client library would tidy the path
        plug.sendall(
            f"GET {ROOT}{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n".encode()
            + b"Connection: close\r\n\r\n"
        )
        answer = b"".join(iter(lambda: plug.recv(65536), b""))
    assert answer.split()[1] in (b"404", b"400", b"422"), answer[:300]
    assert b"root:" not in answer


def test_releases_earlier_ones_too_and_their_files(airflow: str, token: str) -> None:
    with httpx.Client(base_url=f"{airflow}{ROOT}", headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        for number in ("0001", "0002"):
            page = client.get(f"/site/{ACTION}/{number}/report.html")
            assert page.status_code == 200 and "England" in page.text
            assert page.headers["content-security-policy"].startswith("default-src 'none'")
            assert page.headers["x-content-type-options"] == "nosniff"
        table = client.get(f"/releases/{ACTION}/0002/action_totals.parquet")
        assert table.content[:4] == b"PAR1"
        assert client.get("/returns", params={"action": "NO-SUCH"}).status_code == 404
        assert client.get("/").headers["location"].endswith(f"{ROOT}/site/index.html")


def signed_in(page: Page, airflow: str) -> None:
    page.goto(airflow)
    page.locator("input[name=username]").fill("analyst")
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda u: "/login" not in u, timeout=60_000)


def test_the_board_and_the_reports_in_the_airflow_frame(page: Page, airflow: str) -> None:
    signed_in(page, airflow)
    page.goto(f"{airflow}/plugin/returns-board")
    frame = page.frame_locator("iframe")
    frame.locator("#board tbody tr").first.wait_for(timeout=60_000)
    every = frame.locator("#board tbody tr:visible").count()
    frame.get_by_label("Only").select_option("Hampshire")
    hampshire = frame.locator("#board tbody tr:visible")
    assert 10 <= hampshire.count() < every
    assert "received" in hampshire.first.inner_text()
    frame.get_by_label("Only").select_option("Trusts with one rejected")
    refused = frame.locator("#board tbody tr:visible").filter(has_text="rejected")
    assert 0 < refused.count() == frame.locator("#board tbody tr:visible").count()
    name = refused.first.locator("th").inner_text()
    with page.expect_response(lambda r: "/errors/" in r.url) as answer:
        refused.first.get_by_role("link", name="text").first.click()
    assert answer.value.status == 200 and name.rpartition("(")[2].rstrip(")") in answer.value.text()
    made = page.request.get(answer.value.url.replace(".txt", ".xlsx"))
    assert made.status == 200 and made.body().startswith(b"PK"), "its workbook is made when it is opened"
    page.goto(f"{airflow}/plugin/strike-reports")
    frame = page.frame_locator("iframe")
    frame.get_by_role("link", name="Resident doctors’ strike, 14 to 18 November 2025").first.click()
    frame.get_by_role("heading", name="England", exact=True).wait_for(timeout=60_000)
    assert "synthetic" in frame.locator(".synthetic").inner_text().lower()


def test_axe_on_the_served_board(page: Page, airflow: str) -> None:
    axe = MODULES / "axe-core" / "axe.min.js"
    if not axe.exists():
        pytest.skip("axe-core is not installed: run `make test`, which fetches it with npm")
    signed_in(page, airflow)
    page.goto(f"{airflow}{ROOT}/returns")
    found = page.evaluate(f"() => {{ {axe.read_text()}; return axe.run().then(r => r.violations.map(v => v.id)); }}")
    assert found == []
