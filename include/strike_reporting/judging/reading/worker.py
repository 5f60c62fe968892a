"""The reading worker: `python -m strike_reporting.judging.reading.worker PARENT LIMITS` (as JSON).

It reads one file at a time from standard input and answers on standard output. What a file does to it (a crash, a
memory limit, a time-out) is that file's outcome and nothing else's: the parent starts another.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import sys
import traceback
from dataclasses import asdict
from importlib.abc import MetaPathFinder
from typing import Any


# Libraries that pyarrow would load where they are installed. The worker has no use for them, and their
# memory would come out of the file's.
class _Unused(MetaPathFinder):
    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        if fullname in ("pandas", "numpy", "fsspec"):
            raise ModuleNotFoundError(name=fullname)


sys.meta_path.insert(0, _Unused())

import pyarrow as pa  # noqa: E402

from strike_reporting.children import end_with  # noqa: E402
from strike_reporting.judging.problems import Problem, Rejected, know  # noqa: E402
from strike_reporting.judging.reading.document import Layout  # noqa: E402
from strike_reporting.judging.reading.limits import Limits  # noqa: E402
from strike_reporting.judging.reading.loose import with_patients  # noqa: E402
from strike_reporting.judging.reading.parsing import parse  # noqa: E402
from strike_reporting.judging.reading.wire import Broken, layouts_in, part_out, receive, send  # noqa: E402

OUT_OF_MEMORY = 77
_SELDOM = 200_000  # objects between two looks for garbage: a table's rows are none, and each look goes through them


def main(parent: int, limits: Limits) -> None:
    """Hear the words of the contracts, and answer until the parent closes our input or ends."""
    end_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    source, answers = os.dup(0), os.dup(1)
    gc.set_threshold(_SELDOM)
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # what a crash leaves would hold what the file held
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (limits.read_memory_bytes, limits.read_memory_bytes))
    list(parse(b"a,b\n1,2\n", [Layout(("utf-8",), ",")], limits))  # a limit too low for any file is not a file's fault
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)  # what a library prints must not break the frames
    os.dup2(quiet, 2)  # and its last words may quote the file
    know({*receive(source, limits.read_memory_bytes)[1].decode().split()})
    gc.freeze()  # what is loaded stays
    send(answers, {"ready": True})
    while True:
        try:
            head, data = receive(source, limits.read_memory_bytes)
        except Broken:
            return
        signal.setitimer(signal.ITIMER_PROF, limits.read_seconds)  # processor time: others may keep the machine busy
        _answer(answers, head, data, limits)
        signal.setitimer(signal.ITIMER_PROF, 0)
        gc.collect()  # an error that says why a file cannot be read may hold its bytes in a circle


def _answer(answers: int, head: dict[str, Any], received: bytearray, limits: Limits) -> None:
    try:
        data = bytes(received)
        received.clear()
        try:
            if "refused" in head:  # another worker ended while it read the file: it is only searched
                raise Rejected.of(Problem(**head["refused"]))
            for part in parse(data, layouts_in(head["layouts"]), limits):
                send(answers, *part_out(part))
        except Rejected as rejected:
            raise with_patients(data, limits, rejected) from rejected
        send(answers, {"end": True})
    except Rejected as rejected:
        send(answers, {"rejected": asdict(rejected.problem)})
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except Exception as error:
        # Where, never what: a message may quote the file.
        place = traceback.extract_tb(error.__traceback__)[-1]
        send(answers, {"fault": f"{type(error).__name__} in {place.name}, line {place.lineno} of {place.filename}"})


if __name__ == "__main__":
    main(int(sys.argv[1]), Limits(**json.loads(sys.argv[2])))
