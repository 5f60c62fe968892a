"""HTTPS: verified TLS, basic, bearer or client certificate, redirects only within the host, capped streaming."""

from __future__ import annotations

import json
import ssl
import time
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

import httpx

from strike_reporting.intake.transports import PullFailed, RemoteFile, TooLarge, Unchanged
from strike_reporting.intake.transports.connections import Endpoint
from strike_reporting.intake.transports.inflating import inflated
from strike_reporting.settings import settings

_TRANSIENT = {408, 425, 429, 500, 502, 503, 504}
_CONDITIONS = {"etag": ("If-None-Match", "ETag"), "last_modified": ("If-Modified-Since", "Last-Modified")}


class Https:
    """One server; the connection's login and password are basic authentication.

    Its extra may hold `bearer`, `ca`, `client_cert` and `client_key` (PEM paths), `timeout` and `deadline` (seconds).
    """

    def __init__(self, endpoint: Endpoint) -> None:
        """Prepare a client that trusts the system's authorities, or only the connection's own."""
        self.endpoint, extra = endpoint, endpoint.extra
        context = ssl.create_default_context(cafile=extra.get("ca"))
        if extra.get("client_cert"):
            context.load_cert_chain(extra["client_cert"], extra.get("client_key"))
        bearer = {"Authorization": f"Bearer {extra['bearer']}"} if extra.get("bearer") else {}
        self.base = f"https://{endpoint.host}:{endpoint.port or 443}/"
        self.host = urlsplit(self.base).hostname
        self.deadline = float(extra.get("deadline", settings().https_deadline_seconds))
        self.client = httpx.Client(
            verify=context,
            headers={"Accept-Encoding": "identity", **bearer},
            auth=(endpoint.login, endpoint.password or "") if endpoint.login and not bearer else None,
            timeout=float(extra.get("timeout", settings().https_timeout_seconds)),
            follow_redirects=False,
            trust_env=False,
        )

    def list(self, location: str) -> list[RemoteFile]:
        """One file, or with a location that ends in `/` every file of a JSON index (name, size, mtime).

        Raises:
            PullFailed: as `fetch`.
        """
        facts = {"transport": "https", "host": self.endpoint.host}
        if not location.endswith("/"):
            name = unquote(urlsplit(location).path.rsplit("/", 1)[-1])
            return [RemoteFile(name, None, None, {**facts, "path": location})]
        body, _, _ = self._get(location, settings().https_index_bytes)
        try:
            entries = json.loads(body)
            listed = [e for e in entries if e.get("type") == "file" and str(e["name"])]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise PullFailed(f"{location!r} is not a JSON index of files", permanent=True) from error
        return sorted((self._entry(location, e, facts) for e in listed), key=lambda f: (f.modified or 0, f.name))

    def _entry(self, location: str, entry: dict[str, Any], facts: dict[str, Any]) -> RemoteFile:
        """One file of an index. One that names another server is refused: our password is not for that one."""
        name, problem = str(entry["name"]), ""
        path = location + quote(name, safe="")
        if "//" in name:
            with suppress(ValueError):  # an address that cannot be read is none of ours
                path = urljoin(self._url(location), name)
            if not self._is_ours(path):
                problem = f"the index of {self.endpoint.host} names {name!r}, on another server, which is not asked"
            name = unquote(urlsplit(path).path.rsplit("/", 1)[-1]) or name
        size, modified = None, None
        with suppress(KeyError, ValueError, TypeError, OverflowError):
            size = int(entry["size"])
        with suppress(KeyError, ValueError, TypeError, OverflowError):
            modified = _moment(str(entry["mtime"])).timestamp()
        return RemoteFile(name, size, modified, {**facts, "path": path}, problem=problem)

    def fetch(self, file: RemoteFile, max_bytes: int) -> bytes:
        """One file's bytes, whole.

        Raises:
            Unchanged: the server answers 304 to the validators of the last landing.
            PullFailed: refused, not found, larger than `max_bytes`, redirected to another host or an invalid
                certificate (permanent); busy, cut short, stalled, unreachable or of another size than the index says
                (to be tried again).
        """
        known = {header: file.seen[v] for v, (header, _) in _CONDITIONS.items() if v in file.seen}
        data, headers, sent = self._get(file.facts["path"], max_bytes, known)
        if file.size is not None and file.size not in (len(data), sent):
            raise PullFailed(
                f"{file.name!r} came with {len(data):,} bytes and the index says {file.size:,}; it is left for the "
                "next round"
            )
        file.facts.update({v: headers[name][:200] for v, (_, name) in _CONDITIONS.items() if name in headers})
        return data

    def _is_ours(self, url: str) -> bool:
        """Whether an address is on the connection's server."""
        try:
            parts = urlsplit(url)
            return (parts.scheme, parts.hostname, parts.port or 443) == ("https", self.host, self.endpoint.port or 443)
        except ValueError:  # no port, or no host, that can be read
            return False

    def _url(self, path: str) -> str:
        """The address of a path: on our server whatever the path says, for each request carries its credential."""
        url = urljoin(self.base, path.lstrip("/"))
        if not self._is_ours(url):
            raise PullFailed(f"{path!r} is on another server than {self.endpoint.host}, and not asked", permanent=True)
        return url

    def _get(self, path: str, max_bytes: int, known: dict[str, str] | None = None) -> tuple[bytes, httpx.Headers, int]:
        """Body, headers, and how many bytes were sent for it."""
        url, until = self._url(path), time.monotonic() + self.deadline
        try:
            for _ in range(4):
                with self.client.stream("GET", url, headers=known) as response:
                    if response.status_code == 304:
                        raise Unchanged(path)
                    if response.is_redirect:
                        url = self._redirected(url, response.headers.get("location", ""))
                        continue
                    self._check(response, path)
                    data = self._body(response, path, max_bytes, until)
                    return data, response.headers, response.num_bytes_downloaded
        except httpx.ConnectError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise PullFailed(
                    f"the certificate of {self.endpoint.host} is not valid: {error}", permanent=True
                ) from error
            raise PullFailed(f"no connection to {self.endpoint.host}: {error}") from error
        except httpx.TimeoutException as error:
            raise PullFailed(f"{self.endpoint.host} did not answer in time") from error
        except httpx.HTTPError as error:
            raise PullFailed(f"the connection to {self.endpoint.host} was lost: {error}") from error
        raise PullFailed(f"{path!r} redirects in a circle", permanent=True)

    def _redirected(self, url: str, target: str) -> str:
        new = urljoin(url, target)
        if not self._is_ours(new):
            raise PullFailed(f"{self.endpoint.host} redirects to another host, which is not followed", permanent=True)
        return new

    def _check(self, response: httpx.Response, path: str) -> None:
        code = response.status_code
        if code == 200:
            return
        wait = response.headers.get("retry-after")
        later = f" (it asks to wait {wait})" if wait else ""
        raise PullFailed(f"{self.endpoint.host} answered {code} for {path!r}{later}", permanent=code not in _TRANSIENT)

    def _body(self, response: httpx.Response, path: str, max_bytes: int, until: float) -> bytes:
        parts, size = [], 0
        codings = response.headers.get("content-encoding", "")
        for part in inflated(response.iter_raw(), codings, max_bytes):
            size += len(part)
            if size > max_bytes:
                raise TooLarge(repr(path), max_bytes)
            if time.monotonic() > until:
                raise PullFailed(f"{path!r} took longer than {self.deadline:.0f} seconds")
            parts.append(part)
        return b"".join(parts)

    def acknowledge(self, file: RemoteFile) -> None:
        """Nothing: the file stays where the trust put it."""

    def close(self) -> None:
        """End the connections."""
        self.client.close()


def _moment(text: str) -> datetime:
    """A time as HTTP writes it, or as ISO 8601 does; without a zone it is UTC."""
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
