"""What `docker-compose.yaml` says, for running it by hand: each service's command and environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml
from conftest import ROOT

FILE = ROOT / "docker-compose.yaml"
# A default may hold another variable; the inner one is replaced first, so that the outer one then matches.
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<text>[^{}]*))?\}")


class NotSet(Exception):
    """A variable that the file requires is not given."""


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """Text with `${NAME}`, `${NAME:-default}`, `${NAME:?message}` and `$$` replaced as Compose does."""

    def value(match: re.Match[str]) -> str:
        given = variables.get(match["name"], "")
        if not given and match["kind"] == "?":
            raise NotSet(match["text"])
        return given or (match["text"] if match["kind"] == "-" else "")

    while (changed := VARIABLE.sub(value, text)) != text:
        text = changed
    return text.replace("$$", "$")


def services(variables: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The services with every variable replaced; a name without a value is passed on when it is given."""

    def replaced(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: replaced(v) for k, v in value.items()}
        if isinstance(value, list):
            return [replaced(v) for v in value]
        return interpolated(value, variables) if isinstance(value, str) else value

    found: dict[str, dict[str, Any]] = replaced(_raw())
    for service in found.values():
        given = service.get("environment", {})
        service["environment"] = {
            k: variables.get(k) if v is None else v for k, v in given.items() if v is not None or k in variables
        }
    return found


def variables() -> dict[str, bool]:
    """Every variable that the file reads, and whether it refuses to start without it."""
    text = FILE.read_text()
    found = dict.fromkeys(re.findall(r"\$\{(\w+)", text), False)
    for service in _raw().values():
        found |= dict.fromkeys((k for k, v in service.get("environment", {}).items() if v is None), False)
    return found | {m["name"]: True for m in VARIABLE.finditer(text) if m["kind"] == "?"}


def _raw() -> dict[str, dict[str, Any]]:
    return dict(yaml.safe_load(FILE.read_text())["services"])
