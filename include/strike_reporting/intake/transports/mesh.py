"""MESH, the NHS's message exchange: our mailbox's messages of one workflow from the trust's own mailbox.

A message is acknowledged only after its bytes have been landed, so a crash between the two means that it is
delivered again and found to be landed already.
"""

from __future__ import annotations

from typing import Any

import requests
from mesh_client import MeshClient

from strike_reporting.intake.transports import PullFailed, RemoteFile, TooLarge
from strike_reporting.intake.transports.connections import Endpoint
from strike_reporting.settings import settings


class Mesh:
    """One mailbox of ours: the connection's host is the exchange's URL, its login and password the mailbox's.

    Its extra holds `shared_key`, and `ca`, `client_cert` and `client_key` (PEM paths) where the exchange asks.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        """Prepare the client; nothing is sent before the first listing."""
        extra = endpoint.extra
        certificate = (extra["client_cert"], extra["client_key"]) if extra.get("client_cert") else None
        self.url = endpoint.host
        self.client = MeshClient(
            endpoint.host,
            endpoint.login or "",
            endpoint.password or "",
            shared_key=str(extra.get("shared_key", "")).encode(),
            cert=certificate,
            verify=extra.get("ca", True) if endpoint.host.startswith("https://") else False,
            timeout=float(extra.get("timeout", settings().mesh_timeout_seconds)),
            max_retries=0,
        )
        self.greeted = False

    def list(self, location: str) -> list[RemoteFile]:
        """Messages of `WORKFLOW/SENDER`: that workflow id, and sent by that mailbox and no other.

        Raises:
            PullFailed: refused (permanent), unreachable or busy.
        """
        workflow, _, sender = location.partition("/")
        if not sender:
            raise PullFailed(f"the location {location!r} is not WORKFLOW/SENDER", permanent=True)
        found = []
        try:
            if not self.greeted:
                self.client.handshake()
                self.greeted = True
            for identity in self.client.iterate_message_ids(workflow_filter=workflow):
                facts = {"transport": "mesh", "path": str(identity), "message_id": str(identity)}
                try:
                    message = self.client.retrieve_message(identity)
                except requests.HTTPError as error:  # of this message: the mailbox was just listed
                    found.append(RemoteFile(str(identity), None, None, facts, problem=str(self._failed(error))))
                    continue
                if message.workflow_id == workflow and message.sender == sender:
                    facts |= {"sender": sender, "workflow": workflow}
                    found.append(RemoteFile(str(message.filename or identity), None, None, facts))
                message.close()
        except requests.RequestException as error:
            raise self._failed(error) from error
        return found

    def fetch(self, file: RemoteFile, max_bytes: int) -> bytes:
        """One message's body, all its chunks put together. The message stays in the mailbox.

        Raises:
            PullFailed: as `list`, or larger than `max_bytes` (permanent).
        """
        try:
            message = self.client.retrieve_message(file.facts["message_id"])
            data = bytes(message.read(max_bytes + 1))
            message.close()
        except (requests.RequestException, OSError) as error:
            raise self._failed(error) from error
        if len(data) > max_bytes:
            raise TooLarge(repr(file.name), max_bytes)
        return data

    def acknowledge(self, file: RemoteFile) -> None:
        """Tell the exchange that the message is safe with us: it is then gone from the mailbox."""
        try:
            self.client.acknowledge_message(file.facts["message_id"])
        except requests.RequestException as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> PullFailed:
        response: Any = getattr(error, "response", None)
        code = response.status_code if response is not None else None
        if code in (401, 403):
            return PullFailed(f"the exchange refused our mailbox ({code})", permanent=True)
        return PullFailed(f"the exchange answered {code}" if code else f"no connection to the exchange: {error}")

    def close(self) -> None:
        """End the session."""
        self.client.close()
