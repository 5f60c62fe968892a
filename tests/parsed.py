"""A file's bytes matched to a dialect, read as the product reads them: in a worker process."""

from __future__ import annotations

from collections.abc import Iterable

from strike_reporting.extracts import load
from strike_reporting.intake.dialects import Dialect, dialects
from strike_reporting.judging.matching import Matched, layouts, match
from strike_reporting.judging.normalise import Named, Normalised, normalise
from strike_reporting.judging.reading.document import Document
from strike_reporting.judging.reading.reader import shared_reader
from strike_reporting.judging.rulebook import Candidate


def read_document(data: bytes, known: list[Candidate]) -> Document:
    return shared_reader().read(data, layouts(known))


def tables(data: bytes, candidates: Iterable[Dialect] | None = None) -> list[Matched]:
    tried = dialects().values() if candidates is None else candidates
    known = [Candidate(d, load(d.extract)) for d in tried]
    return match(read_document(data, known), known)


def matched(data: bytes, candidates: Iterable[Dialect] | None = None) -> Matched:
    (one,) = tables(data, candidates)
    return one


def normalised(
    data: bytes, candidates: Iterable[Dialect] | None = None, trust: str = "", name: str = "sent.csv"
) -> Normalised:
    return normalise(tables(data, candidates), Named(trust, name))
