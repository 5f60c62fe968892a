"""What a server packed for the way, unpacked within limits that hold at every layer, whatever it claims to be.

The client's own decoder unpacks a piece whole: 1.7 kB packed twice take 2 GB before anybody can look at the size.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from strike_reporting.intake.transports import PullFailed, TooLarge

_WINDOW = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_MOST_LAYERS = 2
_PIECE = 64 * 1024


def inflated(parts: Iterable[bytes], codings: str, max_bytes: int) -> Iterator[bytes]:
    """The bytes of a body in pieces.

    Args:
        parts: as they were sent.
        codings: the header `Content-Encoding`: what was applied, in that order.
        max_bytes: that any layer may come to.

    Raises:
        PullFailed: too many layers, one that is not known, one that is too large (permanent) or damaged.
    """
    names = [n for c in codings.lower().split(",") if (n := c.strip()) not in ("", "identity")]
    if unknown := [n for n in names if n not in _WINDOW] or names[_MOST_LAYERS:]:
        raise PullFailed(
            f"the server packs what it sends in a way that is not read ({unknown[0][:20]})", permanent=True
        )
    for name in reversed(names):
        parts = _layer(parts, _WINDOW[name], max_bytes)
    yield from parts


def _layer(parts: Iterable[bytes], window: int, max_bytes: int) -> Iterator[bytes]:
    unpacking, size = zlib.decompressobj(window), 0
    try:
        for part in parts:
            waiting, piece = part, b""
            while waiting or (len(piece) == _PIECE and not unpacking.eof):  # what was taken in may give more
                if unpacking.eof:  # gzip may hold several members, one after the other
                    unpacking = zlib.decompressobj(window)
                piece = unpacking.decompress(waiting, _PIECE)
                waiting = unpacking.unconsumed_tail or unpacking.unused_data
                size += len(piece)
                if size > max_bytes:
                    raise TooLarge("what the server sent", max_bytes, "unpacks to more than")
                yield piece
    except zlib.error as error:
        raise PullFailed("what the server sent is packed, and damaged") from error
    if not unpacking.eof:
        raise PullFailed("what the server sent is packed, and cut short")
