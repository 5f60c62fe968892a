"""What can be read of a file that no reader opens: its loose text, to be searched for patients.

It is not parsed, only looked through, within bounds: the bytes themselves, and what is packed in them.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from html import unescape

from strike_reporting.judging.identifiers import search
from strike_reporting.judging.problems import Rejected
from strike_reporting.judging.reading.compound import MAGIC, Compound
from strike_reporting.judging.reading.limits import Limits

_PIECE = 100_000
_MOST_TEXT = 10_000_000  # a large part is sampled evenly: what tells a person stands in every row
_OVERLAP = 200  # a name or number on the edge of two pieces is whole in one
_DEEPEST = 8
_MOST_MEMBERS = 1_000
_MEMBER, _MEMBER_HEAD = b"PK\x03\x04", 30
_WORDS = re.compile(r"[^\x00-\x08\x0e-\x1f\x7f-\x9f]{4,}")
_WIDE = re.compile(rb"(?:[\t\n\r\x20-\x7e]\x00){4,}")
_WIDE_BIG = re.compile(rb"(?:\x00[\t\n\r\x20-\x7e]){4,}")
_TAGS = re.compile(r"<[^<>]{0,2000}>")
_DEFLATED = re.compile(rb"stream\r?\n(?=[\x58\x68\x78])")  # how a PDF packs its pages
_SHOWN = re.compile(r"\(((?:[^()\\]|\\.){0,500})\)")
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{60,76}\r?\n){2,}[A-Za-z0-9+/=]{0,76}")
_QUOTED = re.compile(rb"=\r?\n|=([0-9A-F]{2})")


def with_patients(data: bytes, limits: Limits, refused: Rejected) -> Rejected:
    """The refusal of a file, or the one that names what it holds of patients, the reason added. No value is echoed."""
    found = None if refused.problem.rule == "patient_data" else search(texts(data, limits))
    if not found:
        return refused
    return Rejected(
        "patient_data",
        f"the file holds what looks like {found}; it could not be read either: {refused}",
        "Send the extract without them. What you sent is locked away and can be purged.",
    )


def texts(data: bytes, limits: Limits) -> Iterator[str]:
    """Pieces of text."""
    yield from _Search(limits).texts(data, 0)


class _Search:
    """What may still be unpacked and looked at; no part takes more than half of it, so that the last has its share."""

    def __init__(self, limits: Limits) -> None:
        self._ratio = limits.max_expansion_ratio
        self._left = limits.max_file_bytes
        self._text = _MOST_TEXT
        self._members = _MOST_MEMBERS

    def texts(self, data: bytes, depth: int) -> Iterator[str]:
        if data.startswith(b"PK"):
            if depth < _DEEPEST:
                yield from self._members_of(data, depth + 1)
            return
        if data.startswith(b"\x1f\x8b"):
            yield from self._inflated(data, 31, depth)
            return
        if data.startswith(MAGIC):
            yield from Compound.of(data).streams
        yield from self._readable(data)
        if data.startswith(b"%PDF"):
            for m in _DEFLATED.finditer(data):
                for said in self._inflated(data[m.end() : m.end() + 10_000_000], 15, depth):
                    yield "".join(_SHOWN.findall(said)) or said
        elif b"=3D" in data or b"base64" in data.lower():
            yield from self._readable(_QUOTED.sub(lambda m: bytes([int(m[1], 16)]) if m[1] else b"", data))
            for m in _BASE64.finditer(data):
                if depth < _DEEPEST and len(m[0]) < self._left:
                    self._left -= len(m[0])
                    try:
                        packed = base64.b64decode(m[0])
                    except binascii.Error:
                        continue
                    yield from self.texts(packed, depth + 1)

    def _members_of(self, data: bytes, depth: int) -> Iterator[str]:
        """The names of a ZIP's members, and what they hold, found by the head of each: the directory may be cut off."""
        view, at = memoryview(data), data.find(_MEMBER)
        while at >= 0 and self._members:
            self._members -= 1
            after = data.find(_MEMBER, at + 4)
            if len(data) < at + _MEMBER_HEAD:
                return
            method, name, extra = struct.unpack_from("<H16xHH", data, at + 8)
            body = at + _MEMBER_HEAD + name + extra
            yield data[at + _MEMBER_HEAD : at + _MEMBER_HEAD + name].decode(errors="replace")
            if method == zipfile.ZIP_DEFLATED:
                yield from self._inflated(view[body:], -15, depth)
            elif method == zipfile.ZIP_STORED:
                yield from self.texts(data[body : after if after > 0 else None], depth)
            at = after

    def _inflated(self, data: bytes | memoryview, window: int, depth: int) -> Iterator[str]:
        """What is packed, up to where it is damaged."""
        packed, found, rest = zlib.decompressobj(window), bytearray(), memoryview(data)
        most = min(self._left // 2, self._ratio * len(data))
        with contextlib.suppress(zlib.error):
            waiting: bytes | memoryview = b""
            while not packed.eof and len(found) < most and (waiting or rest):
                if not waiting:
                    waiting, rest = rest[:_PIECE], rest[_PIECE:]
                found += packed.decompress(waiting, _PIECE)
                waiting = packed.unconsumed_tail
        self._left -= len(found)
        if found and depth <= _DEEPEST:
            yield from self.texts(bytes(found), depth + 1)

    def _readable(self, data: bytes) -> Iterator[str]:
        """The bytes as text, in one and in two bytes a character, without markup."""
        step = _PIECE * max(-(-len(data) // max(self._text // 2, _PIECE)), 1)
        for start in range(0, len(data), step):
            piece = data[start : start + _PIECE + _OVERLAP]
            self._text -= len(piece)
            plain = "\n".join(_WORDS.findall(piece.decode("utf-8", errors="ignore")))
            yield unescape(_TAGS.sub("\n", plain)) if "<" in plain else plain
            if b"\0" in piece:
                for pattern, encoding in ((_WIDE, "utf-16-le"), (_WIDE_BIG, "utf-16-be")):
                    yield "\n".join(m.decode(encoding) for m in pattern.findall(piece))
