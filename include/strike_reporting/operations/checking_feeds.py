"""Pulling feeds for real, and judging what they hold, without landing or acknowledging any of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from strike_reporting.errors import StrikesError, attempt
from strike_reporting.intake.collecting import sender_of
from strike_reporting.intake.listing import listing
from strike_reporting.intake.registry import Feed, load_registry
from strike_reporting.intake.remembering import by_age
from strike_reporting.intake.transports import PullFailed, open_transport
from strike_reporting.operations.trying import Tried, try_files
from strike_reporting.settings import settings
from strike_reporting.showing import safe_name, safe_text


@dataclass(frozen=True)
class Checked:
    """What a feed's pull would do.

    problem: why it would fail. files: how many there are, of which the newest are tried.
    """

    feed: Feed
    problem: str
    files: int = 0
    tried: tuple[Tried, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def is_well(self) -> bool:
        """Whether the pull works and every file that was tried could be used."""
        return not self.problem and not self.refused and all(t.counts for t in self.tried)


def feed_named(feed_id: str) -> Feed:
    """One feed of the registry, also a disabled one.

    Raises:
        StrikesError: there is none of this id, or its entry has a fault.
    """
    registry = load_registry()
    found = next((f for f in registry.feeds if f.id == feed_id), None)
    if found is None:
        fault = next((f for f in registry.faults if f.name == feed_id), None)
        raise StrikesError(
            str(fault) if fault else f"the registry has no feed {feed_id!r}; `strikes feed list` has them"
        )
    return found


def check(feed: Feed, most: int) -> Checked:
    """Pull a feed's newest files into memory and judge them."""
    tried = attempt(feed, lambda f: _fetched(f, most))
    if tried.made is None:
        return Checked(feed, safe_text(tried.reason))
    count, files, refused = tried.made
    judged = attempt(feed, lambda f: try_files([(name, data, sender_of(f)) for name, data in files]))
    if judged.made is None:
        return Checked(feed, safe_text(judged.reason), count)
    return Checked(feed, "", count, tuple(judged.made), refused)


def _fetched(feed: Feed, most: int) -> tuple[int, list[tuple[str, bytes]], tuple[str, ...]]:
    """How many files there are, the newest with their bytes, and why the others of these cannot be fetched."""
    files, refused = [], []
    with closing(open_transport(feed.transport, feed.connection)) as transport:
        whole, unfinished = listing(transport, feed.location)
        for file in sorted(whole, key=by_age)[-most:]:
            if file.problem:
                refused.append(safe_text(file.problem))
                continue
            try:
                files.append((safe_name(file.name), transport.fetch(file, settings().max_file_bytes)))
            except PullFailed as failure:
                refused.append(safe_text(str(failure)))
    refused += [f"{safe_name(f.name)!r} is still being written" for f in unfinished]
    return len(whole) + len(unfinished), files, tuple(refused)


def check_fixtures(folder: Path, feeds: Sequence[Feed]) -> list[Checked]:
    """Judge the fixture of each feed that has one by the feed's dialect: what it could read once it must still read."""
    found = []
    for feed in feeds:
        for path in sorted((folder / "fixtures").glob(f"{feed.id}.*")):
            found.append(Checked(feed, "", 1, tuple(try_files([(path.name, path.read_bytes(), sender_of(feed))]))))
    return found
