"""Bytes that hold patient data: locked away when they are found, and deleted for good by `strikes purge`.

Each step may be cut short: the next judging moves what was left, and the next purge goes by what the restricted
folder still holds, or ever held where a bucket keeps versions, which it therefore deletes last.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from strike_reporting.errors import OurFault, each
from strike_reporting.intake.landing import RESTRICTED, object_key
from strike_reporting.storage import Store


@dataclass(frozen=True)
class Purged:
    """What a purge deleted: contents, all copies and versions of them, and what processes that died had left."""

    contents: int
    copies: int
    leftovers: int

    def __str__(self) -> str:
        """As it is told on the command line."""
        more = f", with {self.copies} copies and versions" if self.copies > self.contents else ""
        left = f" {self.leftovers} leftovers of processes that died cleared." if self.leftovers else ""
        return f"{self.contents} restricted files deleted{more}.{left}"


def restrict(store: Store, sha256: str) -> None:
    """Move bytes that hold patient data to the restricted folder, readable by the owner only."""
    store.move(object_key(sha256), f"{RESTRICTED}/{sha256}", private=True)


def restricted(store: Store) -> list[str]:
    """Hashes of the contents that a purge deletes, those included of which a bucket keeps only earlier versions."""
    return [key.rpartition("/")[2] for key in store.traces(RESTRICTED)]


def purge(store: Store) -> Purged:
    """Delete for good every restricted content, each copy and earlier version of it, and leftovers of dead processes.

    Receipts and outcomes stay.

    Raises:
        OurFault: some could not be deleted; the others were.
    """
    leftovers = store.clear_leftovers() + _clear_earlier_editions_leftovers(store)

    def erase(sha256: str) -> int:
        return store.erase(object_key(sha256)) + store.erase(f"{RESTRICTED}/{sha256}")

    tried = list(each(restricted(store), erase))
    if failed := [t for t in tried if t.error is not None]:
        raise OurFault(f"{len(failed)} of {len(tried)} restricted files could not be deleted: {failed[0].reason}")
    return Purged(len(tried), sum(t.made or 0 for t in tried), leftovers)


def _clear_earlier_editions_leftovers(store: Store) -> int:
    """Earlier editions wrote beside the data, and left there what a kill interrupted."""
    if not store.local:
        return 0
    found = list(Path(store.base, "landing").rglob(".writing-*"))
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)
