"""An S3 of the tests' own: moto behind a real socket, which writes down each request and can be told to refuse some."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import s3fs
from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import make_server

REFUSAL = "<Error><Code>{code}</Code><Message>{code}</Message></Error>"
REASONS = {
    403: ("Forbidden", "AccessDenied"),
    409: ("Conflict", "ConditionalRequestConflict"),
    412: ("Precondition Failed", "PreconditionFailed"),
}


class _Quiet(MotoRequestHandler):
    def log(self, *_: object) -> None:
        """Requests are in `S3.requests`."""


class S3:
    """Listens on loopback. `requests` holds every (method, path with query); `refuse` sees each before moto does."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self.refuse: Callable[[str, str], int | None] = lambda method, path: None
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._listen(0)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.environment = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "testing-key",
            "AWS_SECRET_ACCESS_KEY": "testing-secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def _listen(self, port: int) -> None:
        self._server = make_server("127.0.0.1", port, self._answer, threaded=True, request_handler=_Quiet)

    def _answer(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        method, query = environ["REQUEST_METHOD"], environ["QUERY_STRING"]
        path = environ["PATH_INFO"] + (f"?{query}" if query else "")
        self.requests.append((method, path))
        if status := self.refuse(method, path):
            reason, code = REASONS[status]
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start(f"{status} {reason}", [("Content-Type", "application/xml")])
            return [REFUSAL.format(code=code).encode()]
        return self._moto(environ, start)  # type: ignore[no-any-return]

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.05)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def refuse_one(self, n: int, status: int) -> None:
        """Refuse the n-th request from now, and no other."""
        coming = itertools.count(1)
        self.refuse = lambda method, path: status if next(coming) == n else None

    @contextmanager
    def away(self) -> Iterator[None]:
        """Nobody listens while the block runs; what is stored stays."""
        port = self._server.server_port
        self.close()
        try:
            yield
        finally:
            self._listen(port)
            Thread(target=self.serve, daemon=True).start()

    def client(self) -> s3fs.S3FileSystem:
        """A client of the test's own, which shares nothing with the product's."""
        return s3fs.S3FileSystem(
            key="testing-key",
            secret="testing-secret",
            client_kwargs={"endpoint_url": self.url},
            skip_instance_cache=True,
            use_listings_cache=False,
        )

    @contextmanager
    def counted(self) -> Iterator[Counter[str]]:
        """How many requests of each method the block made."""
        count: Counter[str] = Counter()
        before = len(self.requests)
        yield count
        count.update(method for method, _ in self.requests[before:])

    def connection(self) -> str:
        """The server as an Airflow connection."""
        extra = {"endpoint_url": self.url}
        return json.dumps({"conn_type": "aws", "login": "testing-key", "password": "testing-secret", "extra": extra})


@contextmanager
def s3(*buckets: str) -> Iterator[S3]:
    """The server with these buckets, empty. Moto keeps them for the whole process; those of other servers stay."""
    server = S3()
    thread = Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        s3fs.S3FileSystem.clear_instance_cache()  # clients are kept by their arguments, not by where they connect to
        client, kept = server.client(), s3_backends[ACCOUNT]["aws"]
        for bucket in buckets:
            if bucket in kept.buckets:
                kept.buckets[bucket].keys.clear()
                kept.delete_bucket(bucket)
            client.mkdir(bucket)
        yield server
    finally:
        server.close()
        thread.join()
