"""Every word that the pages explain, by key: the entries of the catalogue, and the few words that are none."""

from __future__ import annotations

from typing import Protocol

from strike_reporting.catalogue.flags import FLAGS
from strike_reporting.catalogue.glossary import OWN, Term
from strike_reporting.catalogue.standings import STANDINGS
from strike_reporting.catalogue.statuses import STATUSES
from strike_reporting.extracts.measures import MEASURES, SHARES, TOTALS
from strike_reporting.site.figures import Head


class _Said(Protocol):
    """Whatever the catalogue names and defines."""

    @property
    def key(self) -> str: ...

    @property
    def label(self) -> str: ...

    @property
    def definition(self) -> str: ...


def _terms() -> dict[str, Term]:
    entries: list[_Said] = [*TOTALS.values(), *SHARES.values(), *MEASURES.values(), *STATUSES, *STANDINGS.values()]
    entries += FLAGS.values()
    return {t.key: t for t in (*OWN, *(Term(e.key, e.label, e.definition) for e in entries))}


TERMS = _terms()


def head(key: str, text: str = "") -> Head:
    """A heading over numbers of an entry, which says what it means."""
    return Head(text or TERMS[key].name, term=key)
