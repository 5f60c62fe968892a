"""An object store (moto) whose writes a test can hold back: what a process had begun when it died is then known."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server


class Gate:
    """Holds the writes below a prefix, from the nth on, until it is opened."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app, self._part, self._left = app, "", 0
        self.reached, self._open = threading.Event(), threading.Event()
        self._open.set()
        self.requests = 0

    def hold(self, part: str, after: int) -> None:
        """From now on, let `after` writes to keys that contain `part` through and hold the others."""
        self._part, self._left = part, after
        self.reached.clear()
        self._open.clear()

    def open(self) -> None:
        """Let everything through, also what waits."""
        self._open.set()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.requests += 1
        if not self._open.is_set() and environ["REQUEST_METHOD"] == "PUT" and self._part in environ["PATH_INFO"]:
            self._left -= 1
            if self._left < 0:
                self.reached.set()
                self._open.wait()
        return self._app(environ, start_response)


@contextmanager
def object_store() -> Iterator[tuple[str, Gate]]:
    """A store on loopback: its URL and its gate."""
    gate = Gate(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, gate, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", gate
    finally:
        gate.open()
        server.shutdown()
        thread.join(10)
