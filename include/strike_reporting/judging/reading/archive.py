"""ZIP and GZIP: every file of them, within limits that hold while unpacking, not after it.

A member's name is only text: nothing is ever written under it.
"""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import IO

from strike_reporting.judging.problems import Rejected, damaged, shown
from strike_reporting.judging.reading.kinds import kind
from strike_reporting.judging.reading.limits import Limits

# What a Mac, Windows and open programs leave in a folder.
_LEFTOVERS = re.compile(r"(^|/)(__MACOSX/|\._|~\$|\.~lock\.|(\.DS_Store|Thumbs\.db|desktop\.ini)$)", re.IGNORECASE)

_DAMAGED = ("the archive is cut short or damaged", "Make it again and send it again.")
_FILE_NAME = re.compile(r"([^/]+)(\.[A-Za-z0-9]{1,5})$")


@dataclass(frozen=True)
class Member:
    """One file: its name in the archive, what messages call it (nothing where it is the only one), and what it is."""

    name: str
    label: str
    data: bytes
    kind: str

    def refused(self, rejected: Rejected) -> Rejected:
        """The refusal of the whole archive for what is wrong with this file."""
        return _inside(self.label, rejected)


def members(data: bytes, limits: Limits) -> Iterator[Member]:
    """The files of an archive in their order, or the file itself; archives in it are unpacked too.

    Raises:
        Rejected: an archive that is damaged, protected, nested too deep, too large when unpacked, that holds no file or
            too many, or one that is of no kind that is read.
    """
    yield from _Unpacking(limits).members(data, "", "", 0)


class _Unpacking:
    """What may still be unpacked, over all archives inside one another."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.bytes, self.files = limits, limits.max_file_bytes, limits.max_archive_files

    def members(self, data: bytes, name: str, label: str, depth: int) -> Iterator[Member]:
        found = kind(data, self.limits)
        if found not in ("gzip", "zip"):
            yield Member(name, label, data, found)
            return
        if depth == self.limits.max_archive_depth:
            raise Rejected("archive_nesting", "the archive holds archives inside archives", "Send the extract itself.")
        inside = self._gunzip(data, name) if found == "gzip" else self._unzip(data, name)
        for inner_name, inner_label, inner in inside:
            full = ", ".join(x for x in (label, inner_label) if x)
            try:
                yield from self.members(inner, inner_name, full, depth + 1)
            except Rejected as rejected:
                raise _inside(inner_label, rejected) from rejected

    def _read(self, stream: IO[bytes] | gzip.GzipFile, packed: int) -> bytes:
        limit = min(self.bytes, self.limits.max_expansion_ratio * max(packed, 10_000))
        data = stream.read(limit + 1)
        if len(data) > limit:
            found = f"the archive unpacks to more than {min(self.limits.max_file_bytes, limit):,} bytes"
            raise Rejected("file_expansion", found, "Send less.")
        self.bytes -= len(data)
        return data

    def _gunzip(self, data: bytes, name: str) -> Iterator[tuple[str, str, bytes]]:
        with damaged(*_DAMAGED), gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            unpacked = self._read(stream, len(data))
        yield name, "", unpacked

    def _unzip(self, data: bytes, name: str) -> Iterator[tuple[str, str, bytes]]:
        with damaged(*_DAMAGED), zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = [e for e in archive.infolist() if not e.is_dir() and not _LEFTOVERS.search(e.filename)]
        self.files -= len(files) - 1  # an archive is no file of the one that it is in
        names = {e.filename for e in files}
        if not files or self.files < 1 or len(names) < len(files):
            twice = ", two of them of one name" if len(names) < len(files) else ""
            raise Rejected(
                "archive_files",
                f"the archive holds {len(files) or 'no'} file{'s' * (len(files) != 1)}{twice}",
                f"Send the extracts in one archive: at most {self.limits.max_archive_files} files, each once.",
            )
        for number, entry in enumerate(files, start=1):
            label = _label(entry.filename, number) if len(files) > 1 else ""
            if entry.flag_bits & 1:
                raise _inside(
                    label, Rejected("file_encrypted", "the archive has a password", "Send it without a password.")
                )
            try:
                with damaged(*_DAMAGED), zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(entry) as stream:
                    unpacked = self._read(stream, len(data))
            except Rejected as rejected:
                raise _inside(label, rejected) from rejected
            yield f"{name}/{entry.filename}" if name else entry.filename, label, unpacked


def _label(name: str, number: int) -> str:
    named = _FILE_NAME.search(name)
    text = shown(named[1]) if named else "[withheld]"
    return f"file {number} of the archive" + (
        "" if not named or text.startswith("[withheld") else f" ({text}{named[2]})"
    )


def _inside(label: str, rejected: Rejected) -> Rejected:
    problem = rejected.problem
    return Rejected.of(replace(problem, message=f"{label}: {problem.message}")) if label else rejected
