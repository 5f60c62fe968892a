"""Every transport, each said once: what it asks of a feed's line, and the class in its module that opens it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

_STORES = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl")


@dataclass(frozen=True)
class Kind:
    """One transport, in the module of its name.

    opens: its class, made with the connection's endpoint. connection: whether a feed names one. example, check: of a
    location. tls_port: where its server shows a certificate, if that is to be watched.
    """

    opens: str
    connection: Literal["none", "may", "must"]
    example: str
    check: Callable[[str], str | None]
    tls_port: int | None = None

    def problem(self, location: str) -> str | None:
        """What is wrong with a location, as the end of a sentence; None when nothing is."""
        if not location.strip() or not location.isprintable():
            return "it is empty or holds characters that cannot be seen"
        if "\\" in location:
            return "it holds a backslash"
        if ".." in location.split("/") or location.startswith("~"):
            return "it leaves its folder"
        return self.check(location)


def _path(location: str) -> str | None:
    if "://" in location:
        return "it is an address, not a path"
    if re.search(r"[*?\[].*/", location):
        return "only its last part may be a pattern"
    return None


def _on_server(location: str) -> str | None:
    if "://" in location or location.startswith("//"):
        return "it names a server, which is the connection's to name"
    return None


def _mailbox(location: str) -> str | None:
    return None if re.fullmatch(r"[^/\s]+/[^/\s]+", location) else "it is not a workflow and a sender's mailbox"


def _address(location: str) -> str | None:
    scheme, found, rest = location.partition("://")
    if not found or scheme not in _STORES or not rest.strip("/"):
        return f"it is not the address of an object store ({', '.join(_STORES)})"
    return "it holds a secret" if "@" in rest.split("/")[0] else None


KINDS = {
    "folder": Kind("Folder", "none", "RHU/returns or /mnt/share/RHU/*.csv", _path),
    "sftp": Kind("Sftp", "must", "/out/*.csv", _path),
    "https": Kind("Https", "must", "files/ or files/return.csv", _on_server, tls_port=443),
    "mesh": Kind("Mesh", "must", "WORKFLOW/SENDERMAILBOX", _mailbox),
    "object_store": Kind("ObjectStore", "may", "s3://bucket/out/*.csv", _address),
}
