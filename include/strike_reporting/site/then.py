"""What was known at a moment in the words of the pages: the headline of an area by release and by draft."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from strike_reporting.catalogue.areas import Area
from strike_reporting.catalogue.tables import COVERAGE, FLAGS
from strike_reporting.extracts.measures import TOTALS_TABLE
from strike_reporting.publishing.known import Known
from strike_reporting.publishing.releases import read_table
from strike_reporting.site.area import Place
from strike_reporting.site.figures import Figures
from strike_reporting.site.headline import headline, with_mark
from strike_reporting.storage import Store

NOTHING = "none"
_NEEDED = (TOTALS_TABLE, COVERAGE.name, FLAGS.name)


def headlines(store: Store, known: Known, area: Area) -> list[tuple[str, str, str]]:
    """Label, figure of the release and figure of the draft, each with its coverage, for every figure of the headline.

    Raises:
        Damaged: a table of the release is not as it was published.
    """
    release = known.release
    tables = {n: read_table(store, release, n) for n in _NEEDED} if release else {}
    mark = release.mark if release else ""
    said = _said(tables, area, mark), _said(known.draft.tables if known.draft else {}, area)
    labels = dict.fromkeys([*said[0], *said[1]])
    return [(label, said[0].get(label, NOTHING), said[1].get(label, NOTHING)) for label in labels]


def _said(tables: Mapping[str, pa.Table], area: Area, mark: str = "") -> dict[str, str]:
    if not tables:
        return {}
    figures = Figures({n: tables[n].to_pylist() for n in _NEEDED})
    lines = headline(figures, Place.of(area), [], mark)
    return {line.label: f"{with_mark(line)} ({'; '.join(n.striptags() for n in line.notes[:1])})" for line in lines}
