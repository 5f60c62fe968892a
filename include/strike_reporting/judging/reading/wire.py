"""What goes between a reading worker and its parent: frames of a small JSON head and a payload of bytes."""

from __future__ import annotations

import json
import os
import select
import struct
from dataclasses import asdict
from math import inf
from time import monotonic
from typing import Any

import pyarrow as pa

from strike_reporting.judging.problems import Problem
from strike_reporting.judging.reading.document import Layout, Sheet, Unread

_LENGTHS = struct.Struct(">IQ")
_MAX_HEAD = 10_000_000


class Broken(Exception):
    """The other side is gone, or does not speak as it should."""


class Late(Exception):
    """The other side is there, and did not answer in time."""


def send(descriptor: int, head: dict[str, Any], payload: bytes | pa.Buffer = b"", until: float = inf) -> None:
    """Write one frame.

    Raises:
        Broken: the other side ended.
        Late: it did not take it before `until` (of the monotonic clock).
    """
    said = json.dumps(head).encode()
    view = memoryview(payload)
    _write(descriptor, memoryview(_LENGTHS.pack(len(said), len(view)) + said), until)
    _write(descriptor, view, until)


def receive(descriptor: int, limit: int, until: float = inf) -> tuple[dict[str, Any], bytearray]:
    """The next frame.

    Raises:
        Broken: the other side ended, or announces a payload larger than `limit`.
        Late: it did not answer before `until`.
    """
    head_size, size = _LENGTHS.unpack(_read(descriptor, _LENGTHS.size, until))
    if head_size > _MAX_HEAD or size > limit:
        raise Broken("a frame is larger than it can be")
    head: dict[str, Any] = json.loads(_read(descriptor, head_size, until))
    return head, _read(descriptor, size, until)


def _write(descriptor: int, view: memoryview, until: float) -> None:
    while view:
        _wait(descriptor, select.POLLOUT, until)
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            continue
        except BrokenPipeError as error:
            raise Broken("the other side ended") from error


def _read(descriptor: int, size: int, until: float) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        _wait(descriptor, select.POLLIN, until)
        count = os.readv(descriptor, [view])
        if not count:
            raise Broken("the other side ended")
        view = view[count:]
    return data


def _wait(descriptor: int, event: int, until: float) -> None:
    if until < inf:
        poll = select.poll()
        poll.register(descriptor, event)
        if not poll.poll(max(until - monotonic(), 0) * 1000):
            raise Late("no answer in time")


def layouts_out(layouts: tuple[Layout, ...] | list[Layout]) -> list[Any]:
    """Layouts as JSON."""
    return [[list(x.encodings), x.delimiter] for x in layouts]


def layouts_in(said: list[Any]) -> tuple[Layout, ...]:
    """Layouts from JSON."""
    return tuple(Layout(tuple(encodings), delimiter) for encodings, delimiter in said)


def part_out(part: Sheet | Unread) -> tuple[dict[str, Any], bytes | pa.Buffer]:
    """A part of a document as a frame: its table is an Arrow IPC stream."""
    if isinstance(part, Unread):
        return {"unread": asdict(part.problem), "layouts": layouts_out(part.layouts), "file": part.file}, b""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, part.table.schema) as writer:
        writer.write_table(part.table)
    head = {"sheet": part.name, "hidden": part.hidden, "commonest": part.commonest, "merged": part.merged}
    return {**head, "layouts": layouts_out(part.layouts), "file": part.file}, sink.getvalue()


def part_in(head: dict[str, Any], payload: bytearray) -> Sheet | Unread:
    """A part of a document from a frame."""
    layouts = layouts_in(head["layouts"])
    if "unread" in head:
        return Unread(Problem(**head["unread"]), layouts, head["file"])
    table = pa.ipc.open_stream(pa.py_buffer(payload)).read_all()
    merged = tuple((column, first, last) for column, first, last in head["merged"])
    return Sheet(table, head["sheet"], head["hidden"], layouts, head["commonest"], head["file"], merged)
