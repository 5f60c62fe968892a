"""Processes that this one begins: they end with it, whatever ends it, and work beside it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_PR_SET_PDEATHSIG = 1
_WORTH = 40  # things: for fewer it takes longer to begin processes than to do the work
_TOGETHER = 5  # things that a process takes at a time

_work: Callable[[Any], Any]  # in a process of `side_by_side`: what it does with each thing


def end_with(parent: int) -> None:
    """Have the kernel end this process with its parent: a fork of the parent may keep our input open."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit(0)


def processors() -> int:
    """How many processes of one task may work: one on each processor of this machine, at most `tasks_at_once`."""
    from strike_reporting.settings import settings

    here = os.cpu_count() or 1
    return min(settings().tasks_at_once or here, here)


@contextmanager
def side_by_side(work: Callable[[T], R], things: Sequence[T]) -> Iterator[Iterator[R]]:
    """Begin to work on things on every processor; gives what becomes of each, in order, as it is asked for.

    The processes are forks, so they have all that this one holds in memory and load nothing; what this one does
    meanwhile goes first. A lock that another thread holds just then would stay locked in them: `work` only reads what
    is in memory.

    Args:
        work: what to do with each; what becomes of it is sent here.
        things: to work on. A few are left to this process, which does each when it is asked for.

    Raises:
        BrokenProcessPool: when asked for more, if one of the processes was killed.
    """
    from multiprocessing import current_process, get_all_start_methods, get_context

    may_fork = "fork" in get_all_start_methods() and not current_process().daemon  # a daemon has no children
    if processors() < 2 or len(things) < _WORTH or not may_fork:
        yield map(work, things)
        return
    from concurrent.futures import ProcessPoolExecutor

    pool = ProcessPoolExecutor(processors(), get_context("fork"), initializer=_begin, initargs=(os.getpid(), work))
    try:
        yield pool.map(_one, things, chunksize=_TOGETHER)
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(parent: int, work: Callable[[Any], Any]) -> None:
    global _work
    _work = work
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # and what the parent does at its end is not done twice
    os.nice(5)
    end_with(parent)


def _one(thing: Any) -> Any:
    return _work(thing)
