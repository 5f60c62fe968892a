"""A release's summary: England's rows, kept in the ledger so that pages across releases need no other file."""

from __future__ import annotations

import json
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from strike_reporting.catalogue.areas import ENGLAND
from strike_reporting.catalogue.tables import COVERAGE
from strike_reporting.clock import LONDON
from strike_reporting.errors import each
from strike_reporting.extracts.measures import PIVOTS, TOTALS_TABLE
from strike_reporting.extracts.tables import TABLES
from strike_reporting.ledger import ledger_of
from strike_reporting.ledger.records import Record
from strike_reporting.publishing.manifest import Release
from strike_reporting.reference.actions import ActionSet, resolve
from strike_reporting.settings import settings
from strike_reporting.storage import Store

KEPT = (TOTALS_TABLE, *(name for name, pivot in PIVOTS.items() if "strike_day" in pivot.by), COVERAGE.name)


class Summary(Record):
    """England's rows of some tables, columns by name, and what a list of releases says."""

    release_id: str
    number: int
    action_id: str
    as_at: str | None
    data_class: str
    tables: dict[str, dict[str, list[str | int | float | bool | None]]]

    @property
    def slug(self) -> str:
        """The action's id as a folder name."""
        return self.action_id.replace(";", "_")

    @property
    def as_at_day(self) -> date:
        """The local day of the newest return in the release; the first day of all when it has none."""
        if not self.as_at:
            return date.min
        return datetime.fromisoformat(self.as_at).astimezone(LONDON).date()

    @property
    def is_early(self) -> bool:
        """Whether it was made before the action's first strike day."""
        return bool(self.as_at) and self.as_at_day < resolve(self.action_id).days[0]

    def table(self, name: str) -> pa.Table:
        """England's rows of a table, in its published schema."""
        schema = TABLES[name].schema
        columns = self.tables[name]
        arrays = [pa.array(columns[f.name]).cast(f.type) for f in schema]
        return pa.table(arrays, schema=schema)


def earlier_summaries(store: Store, action: ActionSet) -> list[Summary]:
    """Of actions of the same staff groups that were over before this one began, the current releases, newest first."""
    current = [resolve(c.action_id) for c in ledger_of(store).published.current()]
    alike = [a for a in current if a.staff_groups == action.staff_groups and a.days[-1] < action.days[0]]
    alike.sort(key=lambda a: (a.days, a.action_id), reverse=True)
    wanted = [a.action_id for a in alike[: settings().gate_plausible_at_most]]
    texts = ledger_of(store).published.some_summaries(wanted)
    found = [t.made for t in each(texts, lambda text: Summary.load(text, "summary")) if t.made is not None]
    return sorted(found, key=lambda s: wanted.index(s.action_id))


def summary_of(release: Release, tables: dict[str, pa.Table]) -> Summary:
    """The summary of a release, given its `KEPT` tables."""
    england = {}
    for name in KEPT:
        rows = tables[name].filter(pc.equal(tables[name]["area_code"], ENGLAND.area_code)).to_pydict()
        england[name] = json.loads(json.dumps(rows, default=str))
    return Summary(
        release_id=release.release_id,
        number=release.number,
        action_id=release.action_id,
        as_at=release.as_at,
        data_class=release.data_class,
        tables=england,
    )
