"""A real SMTP server on loopback with the Airflow connection that leads to it, and a webhook."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from conftest import ROOT
from servers import free_port


class Inbox:
    """What the server received; refuses everything while `full`."""

    def __init__(self) -> None:
        self.full, self.messages, self.recipients = False, [], []

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        if self.full:
            return "452 4.2.2 mailbox full"
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients.append(envelope.rcpt_tos)
        return "250 OK"


@pytest.fixture
def inbox(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    held = Inbox()
    port = free_port()
    server = Controller(held, hostname="127.0.0.1", port=port)
    server.start()
    connection = {
        "conn_type": "smtp",
        "host": "127.0.0.1",
        "port": port,
        "extra": {
            "disable_ssl": True,
            "disable_tls": True,
            "from_email": "strikes@nhs.example",
            "retry_limit": 1,
            "owner": "owner@nhs.example, second@nhs.example",
            **getattr(request, "param", {}),
        },
    }
    monkeypatch.setenv("AIRFLOW_CONN_STRIKES_MAIL", json.dumps(connection))
    for folder in ("dags", "plugins"):
        monkeypatch.syspath_prepend(str(ROOT / folder))
    yield held
    server.stop()
    for name in ("strikes_mail", "strikes_notify"):
        sys.modules.pop(name, None)


class Hook:
    """What a webhook was posted; it answers as it is told to."""

    def __init__(self) -> None:
        self.answer, self.got, self.auth = 200, list[dict[str, Any]](), list[str]()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.auth.append(f"{self.path} {self.headers.get('Authorization', '')}")
                hook.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(hook.answer)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """What came is in `got`."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
