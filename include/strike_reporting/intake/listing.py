"""What is at a location, and which files of it are whole."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from strike_reporting.intake.transports import RemoteFile, Transport

# Names under which programs upload, or hold a file open, until it is whole.
_UNFINISHED = re.compile(
    r"\.(part|partial|filepart|crdownload|download|tmp|temp|upload|uploading|inprogress|writing|swp)$|^~\$", re.I
)


def listing(
    transport: Transport, location: str, is_known: Callable[[RemoteFile], bool] = lambda file: False
) -> tuple[list[RemoteFile], list[RemoteFile]]:
    """The files of a location that may be fetched, and those that are still being written.

    A file that nobody saw before may be half of one: it is looked at once more, and is whole if nothing has changed.

    Args:
        transport: open.
        location: the feed's.
        is_known: whether a file is as an earlier pull saw it, which is a second look as well.
    """
    found, growing = list(transport.list(location)), set[str]()
    waits = [f.settles for f in found if f.settles and not is_known(f) and not _is_unfinished(f, location)]
    if waits:
        before = {f.key: (f.size, f.modified) for f in found}
        time.sleep(max(waits))
        found = list(transport.list(location))
        growing = {f.key for f in found if f.settles and not is_known(f) and before.get(f.key) != (f.size, f.modified)}
    growing |= {f.key for f in found if _is_unfinished(f, location)}
    return [f for f in found if f.key not in growing], [f for f in found if f.key in growing]


def _is_unfinished(file: RemoteFile, location: str) -> bool:
    """Whether its name says so, and the feed does not ask for such names."""
    named = _UNFINISHED.search(file.name)
    return named is not None and not location.endswith(named[0])
