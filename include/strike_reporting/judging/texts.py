"""Texts one after the other, in few bytes each: there may be a million findings, and each has three."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np

from strike_reporting.judging.columns import Codes

_NONE = -1
_SURROGATES = "surrogatepass"  # a sender's text may hold half of one


class Texts(Sequence[str | None]):
    """Some texts in order, of which any may be none; a text that comes again is kept once.

    As objects in a list a million different ones would take five times the memory.
    """

    def __init__(self, known: int) -> None:
        """So many are known again at most; each of these is an object besides."""
        self._most, self._places = known, dict[str, int]()
        self._codes, self._ends, self._bytes = array("i"), array("q"), bytearray()

    def __len__(self) -> int:
        return len(self._codes)

    @overload
    def __getitem__(self, at: int) -> str | None: ...
    @overload
    def __getitem__(self, at: slice) -> list[str | None]: ...
    def __getitem__(self, at: int | slice) -> str | list[str | None] | None:
        return [*map(self._text, self._codes[at])] if isinstance(at, slice) else self._text(self._codes[at])

    def __iter__(self) -> Iterator[str | None]:
        return map(self._text, self._codes)

    def _text(self, code: int) -> str | None:
        if code == _NONE:
            return None
        start = self._ends[code - 1] if code else 0
        return self._bytes[start : self._ends[code]].decode(errors=_SURROGATES)

    def append(self, text: str | None) -> None:
        """One more."""
        code = _NONE if text is None else self._places.get(text)
        if code is None and text is not None:
            code = len(self._ends)
            self._bytes += text.encode(errors=_SURROGATES)
            self._ends.append(len(self._bytes))
            if len(self._places) < self._most:
                self._places[text] = code
        self._codes.append(_NONE if code is None else code)

    def __iadd__(self, others: Texts) -> Texts:
        codes, before, end = np.array(others._codes, np.int32), len(self._ends), len(self._bytes)
        codes[codes != _NONE] += before
        self._codes.frombytes(codes.tobytes())
        self._ends.frombytes((np.asarray(others._ends) + end).tobytes())
        self._bytes += others._bytes
        return self

    def take(self, order: Codes) -> None:
        """Put them into an order of their places."""
        self._codes = array("i", np.asarray(self._codes)[order].tobytes())

    def become(self, texts: Iterable[str | None]) -> None:
        """Hold others in their place."""
        fresh = Texts(self._most)
        for text in texts:
            fresh.append(text)
        self.__dict__ = fresh.__dict__
