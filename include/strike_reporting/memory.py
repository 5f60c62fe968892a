"""What is freed goes back to the machine."""

from __future__ import annotations

import ctypes
from functools import cache

_MMAP_THRESHOLD, _BLOCK = -3, 1024 * 1024  # mallopt(3): blocks from this many bytes are mapped by themselves


@cache
def give_back() -> None:
    """Have the C library give back whole columns as soon as they are freed; where it cannot be told so, nothing is.

    Of its own accord glibc raises the threshold to the largest block that was freed, up to 32 MB, and keeps what is
    below it in a heap that only shrinks from its end: a file of a million rows then holds a tenth more than it uses.
    """
    if tell := getattr(ctypes.CDLL(None), "mallopt", None):
        tell(_MMAP_THRESHOLD, _BLOCK)
