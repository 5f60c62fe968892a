"""A file's bytes matched to a dialect, read as the product reads them: in a worker process."""

from __future__ import annotations

from collections.abc import Iterable

from strike_reporting.extracts import load
from strike_reporting.intake.dialects import Dialect, dialects
from strike_reporting.judging.matching import Matched, layouts, match
from strike_reporting.judging.reading.reader import shared_reader
from strike_reporting.judging.rulebook import Candidate


def matched(data: bytes, candidates: Iterable[Dialect] | None = None) -> Matched:
    tried = dialects().values() if candidates is None else candidates
    known = [Candidate(d, load(d.extract)) for d in tried]
    return match(shared_reader().read(data, layouts(known)), known)
