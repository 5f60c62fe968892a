"""The compound file (OLE) that old workbooks, old documents, mails and encrypted workbooks come in."""

from __future__ import annotations

import struct
from dataclasses import dataclass

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LAST_SECTOR = 0xFFFFFFFA  # from here on a sector number is a mark
_SECTOR, _MINI_SECTOR, _SMALL_STREAM = 512, 64, 4096
_ROOT, _ENTRY = 5, 128


@dataclass(frozen=True)
class Compound:
    """A compound file: each stream's first sector and size by its name, as far as they can be told."""

    data: bytes
    sector: int
    fat: tuple[int, ...]
    small_first: int
    root: int
    streams: dict[str, tuple[int, int]]

    @classmethod
    def of(cls, data: bytes) -> Compound:
        """Read the directory; what is not as it should be has no streams."""
        nothing = cls(data, _SECTOR, (), 0, 0, {})
        if len(data) < _SECTOR:
            return nothing
        (shift,) = struct.unpack_from("<H", data, 30)
        if shift not in (9, 12):
            return nothing
        fat_sectors, directory, small_first = (
            *struct.unpack_from("<II", data, 44),
            *struct.unpack_from("<I", data, 60),
        )
        sector = 1 << shift
        heads = [n for n in struct.unpack_from("<109I", data, 76)[:fat_sectors] if n < _LAST_SECTOR]
        table = b"".join(data[(n + 1) * sector : (n + 2) * sector] for n in heads)
        fat = struct.unpack(f"<{len(table) // 4}I", table[: len(table) // 4 * 4])
        entries = _chain(data, fat, directory, sector, sector)
        root, streams = 0, dict[str, tuple[int, int]]()
        for at in range(0, len(entries) - _ENTRY + 1, _ENTRY):
            length, kind = struct.unpack_from("<HB", entries, at + 64)
            name = entries[at : at + max(min(length, 64) - 2, 0)].decode("utf-16-le", errors="replace")
            start, size = struct.unpack_from("<II", entries, at + 116)
            if kind == _ROOT:
                root = start
            elif name:
                streams.setdefault(name.casefold(), (start, size))
        return cls(data, sector, fat, small_first, root, streams)

    def stream(self, *names: str) -> bytes:
        """The first of the named streams that is there; empty where none is: the parser says what is wrong."""
        found = next((self.streams[n] for n in names if n in self.streams), None)
        if found is None:
            return b""
        start, size = found
        if size >= _SMALL_STREAM:
            return _chain(self.data, self.fat, start, self.sector, self.sector)[:size]
        small = _chain(self.data, self.fat, self.small_first, self.sector, self.sector)
        small_fat = struct.unpack(f"<{len(small) // 4}I", small[: len(small) // 4 * 4])
        inside = _chain(self.data, self.fat, self.root, self.sector, self.sector)
        return _chain(inside, small_fat, start, _MINI_SECTOR, 0)[:size]


def _chain(data: bytes, fat: tuple[int, ...], sector: int, size: int, skip: int) -> bytes:
    """The bytes of a chain of sectors; a chain that runs in a circle ends when every sector was passed."""
    found = []
    for _ in range(len(fat)):
        if sector >= len(fat):
            break
        found.append(data[skip + sector * size : skip + (sector + 1) * size])
        sector = fat[sector]
    return b"".join(found)
