"""A process that is sent a signal at a chosen step on disk, to see what it leaves."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

STEPS = ("open", "mkdir", "fsync", "fchmod", "chmod", "link", "rename", "replace", "unlink")


def process(work: Callable[[], object], sent: signal.Signals, at: str) -> int:
    """Fork one that does the work and is sent a signal before its n-th step, or before its first of one kind."""
    pid = os.fork()
    if pid:
        return pid
    done = 0

    def watched(name: str, step: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            nonlocal done, at
            done += 1
            if at in (name, str(done)):
                at = ""
                os.kill(os.getpid(), sent)
            return step(*args, **kwargs)

        return call

    try:
        for name in STEPS:
            setattr(os, name, watched(name, getattr(os, name)))
        work()
        os._exit(0)
    finally:
        os._exit(1)


def killed_at_every_step(work: Callable[[int], object]) -> Iterator[int]:
    """Kill the work before its first step, its second, and so on, until it gets through; gives each step's number.

    `work` is given the number, so that each can have a root of its own.
    """
    step = 0
    while True:
        step += 1
        ended = os.waitpid(process(lambda n=step: work(n), signal.SIGKILL, str(step)), 0)[1]  # type: ignore[misc]
        assert ended == 0 or os.WTERMSIG(ended) == signal.SIGKILL, "the work itself failed"
        yield step
        if ended == 0:
            return
