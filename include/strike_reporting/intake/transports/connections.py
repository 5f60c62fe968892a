"""Connections by id, through Airflow: its environment variables, secrets back ends or database. Never in YAML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from strike_reporting.intake.transports import PullFailed


@dataclass(frozen=True)
class Endpoint:
    """Where and as whom to connect. `extra` holds what one transport needs, such as `host_key`."""

    host: str
    port: int | None
    login: str | None
    password: str | None
    extra: dict[str, Any]

    def __repr__(self) -> str:
        """Never show a secret."""
        return f"Endpoint({self.host}:{self.port})"


def endpoint(connection: str | None) -> Endpoint:
    """The endpoint that a connection id stands for.

    Raises:
        PullFailed: the feed names no connection, or Airflow has none of that id (permanent).
    """
    if not connection:
        raise PullFailed("the feed names no connection", permanent=True)
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError

    try:
        found = Connection.get(connection)
    except (AirflowNotFoundException, AirflowRuntimeError) as error:
        raise PullFailed(f"Airflow has no connection called {connection!r}", permanent=True) from error
    return Endpoint(found.host or "", found.port, found.login, found.password, dict(found.extra_dejson))
