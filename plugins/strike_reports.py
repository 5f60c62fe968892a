"""Strike reports and the returns board inside the Airflow UI, for signed-in users who may read the publishing DAG."""

from __future__ import annotations

import logging
import mimetypes
import re
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar
from urllib.parse import quote

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.core_api.security import get_user, requires_access_dag
from airflow.plugins_manager import AirflowPlugin
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

DAG = "publish_disruption"
PREFIX = "/strike-reports"
# A part of a path: no dots in front, so neither `..` nor a hidden file.
PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src 'self' data:; form-action 'self'; frame-ancestors 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}
NO_ACCESS = (
    "This is under embargo: only those with pre-release access see it before it is released. The setting "
    "pre_release_access lists them, and so does the release once it is out."
)
log = logging.getLogger(__name__)
User = Annotated[BaseUser, Depends(get_user)]
EXTRA_TYPES = {".parquet": "application/vnd.apache.parquet", ".csv": "text/csv; charset=utf-8"}

app = FastAPI(
    title="Strike reports",
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
    dependencies=[Depends(get_user), Depends(requires_access_dag("GET", None, DAG))],
)


def _admitted(user: BaseUser, what: str) -> bool | None:
    """Whether a user sees what is under embargo, in something that is made when it is asked for; if so it is noted."""
    from strike_reporting.operations.accesses import is_admitted, note
    from strike_reporting.storage import Store

    is_in = is_admitted(str(user.get_id()))
    if is_in:
        note(Store(), what, "", str(user.get_id()), user.get_name(), datetime.now(UTC))
    return is_in


def _kept(key: str) -> Response:
    """A stored file, or 404."""
    from strike_reporting.storage import Store

    store = Store()
    if not all(PART.fullmatch(part) for part in key.split("/")) or not store.exists(key):
        raise HTTPException(404, "There is no such report.", HEADERS)
    try:
        data = store.read(key)
    except (FileNotFoundError, IsADirectoryError):
        raise HTTPException(404, "There is no such report.", HEADERS) from None
    suffix = key[key.rfind(".") :]
    kind = EXTRA_TYPES.get(suffix) or mimetypes.guess_type(key)[0] or "application/octet-stream"
    return Response(data, media_type=kind, headers=HEADERS)


@app.get("/")
def home(request: Request) -> Response:
    """The page of all actions."""
    from strike_reporting.storage import Store

    if not Store().exists("site/index.html"):
        text = "<!DOCTYPE html><html lang=en-GB><title>Strike reports</title><p>Nothing has been published yet."
        return HTMLResponse(text, headers=HEADERS)
    return RedirectResponse(f"{request.scope['root_path']}/site/index.html")


@app.get("/site/{path:path}")
def page(path: str, request: Request) -> Response:
    """A page; a draft's under embargo is in another place."""
    from strike_reporting.operations.accesses import listed_now

    if path.split("/")[1:2] == ["draft"] and listed_now():
        return RedirectResponse(f"{request.scope['root_path']}/embargoed/{quote(path)}", headers=HEADERS)
    return _kept(f"site/{path}")


@app.get("/embargoed/{path:path}")
def embargoed(path: str, request: Request, user: User) -> Response:
    """A page of what is not released, for those with pre-release access; each look is kept. Others lead to the site."""
    from strike_reporting.operations.accesses import is_admitted, look
    from strike_reporting.storage import Store

    path = path or "index.html"
    if not all(PART.fullmatch(part) for part in path.split("/")):
        raise HTTPException(404, "There is no such report.", HEADERS)
    user_id, is_in = str(user.get_id()), is_admitted(str(user.get_id()))
    if is_in is False:
        log.warning("Refused to %r, who has no pre-release access: embargoed/%s", user_id, path)
        raise HTTPException(403, NO_ACCESS, HEADERS)
    try:
        if is_in:
            data = look(Store(), path, user_id, user.get_name(), datetime.now(UTC))
            log.info("Shown to %r, who has pre-release access: embargoed/%s", user_id, path)
            return Response(data, media_type=mimetypes.guess_type(path)[0], headers=HEADERS)
    except (FileNotFoundError, IsADirectoryError):
        if path.split("/")[1:2] == ["draft"]:  # is none any more, and `page` would lead back here
            path = f"{path.partition('/')[0]}/index.html"
    return RedirectResponse(f"{request.scope['root_path']}/site/{quote(path)}", headers=HEADERS)


@app.get("/releases/{path:path}")
def release_file(path: str) -> Response:
    """A file of a release."""
    return _kept(f"releases/{path}")


@app.get("/errors/{name}")
def error_report(name: str, user: User) -> Response:
    """A trust's error report, as `<submission>.txt` or `<submission>.xlsx`; it names figures of a file."""
    submission, _, kind = name.rpartition(".")
    if kind not in ("txt", "xlsx"):
        raise HTTPException(404, "There is no such report.", HEADERS)
    if _admitted(user, f"errors/{name}") is False:
        raise HTTPException(403, NO_ACCESS, HEADERS)
    if kind == "txt" or not PART.fullmatch(submission):
        return _kept(f"quarantine/{submission}/error_report.txt")
    from strike_reporting.judging.filing import error_workbook
    from strike_reporting.storage import Store

    made = error_workbook(Store(), submission)
    if made is None:
        raise HTTPException(404, "There is no such report.", HEADERS)
    return Response(made, media_type=mimetypes.guess_type(name)[0], headers=HEADERS)


@app.get("/returns")
def returns(user: User, action: str = "") -> Response:
    """The returns board, computed from the ledger at each request; under embargo its reasons are not for everybody."""
    from strike_reporting.operations.rounds import returns_board
    from strike_reporting.reference.actions import UnknownAction
    from strike_reporting.storage import Store

    try:
        is_in = _admitted(user, f"returns?action={action}") is not False
        page = returns_board(Store(), action, datetime.now(UTC), is_admitted=is_in)
    except UnknownAction as unknown:
        raise HTTPException(404, str(unknown)[:300], HEADERS) from None
    return HTMLResponse(page, headers=HEADERS)


class StrikeReports(AirflowPlugin):
    """Registers the app and its two places in the navigation."""

    name = "strike_reports"
    fastapi_apps: ClassVar[list[dict[str, Any]]] = [{"app": app, "url_prefix": PREFIX, "name": "Strike reports"}]
    external_views: ClassVar[list[dict[str, Any]]] = [
        {
            "name": "Strike reports",
            "href": f"{PREFIX}/",
            "destination": "nav",
            "url_route": "strike-reports",
            "nav_top_level": True,
        },
        {
            "name": "Returns board",
            "href": f"{PREFIX}/returns",
            "destination": "nav",
            "url_route": "returns-board",
            "nav_top_level": True,
        },
    ]
