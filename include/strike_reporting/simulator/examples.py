"""The embedded example: real published figures, written as the extracts that the trusts could have sent.

Only trusts whose figures were published day by day are used. The numbers are real and their sources are in
`published_figures.csv`; the files are ours. Nothing is scaled, filled in or estimated.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from strike_reporting.extracts import load
from strike_reporting.intake.dialects import ISO, Dialect, load_dialects
from strike_reporting.intake.registry import Feed, dialect_for, load_registry
from strike_reporting.reference.facts import PublishedFigure, published_figures
from strike_reporting.settings import example_config
from strike_reporting.simulator.loading import simulators
from strike_reporting.simulator.writing import FileType, write

# The actions, in the order of the calendar; the last is the joint figure of the two nurses' strikes.
ACTIONS = (
    "JD-2015-12-01",
    "JD-2016-01-12",
    "NUR-2022-12-15",
    "NUR-2022-12-20",
    "JD-2023-04-11",
    "JD-2023-12-20",
    "NUR-2022-12-15;NUR-2022-12-20",
)
_TITLES = ("Industrial action: rescheduled activity", "Management information, not for publication")
_PREAMBLES = {"RGT": _TITLES, "south-west": _TITLES}
_TOTALS = {"RP4", "RAE", "south-west"}

# Both operations were at Basingstoke (note of the published figure).
_SITE_OF_OPERATIONS = {"RN5": "RN506"}


def rows_of(feed: Feed) -> dict[str, list[dict[str, Any]]]:
    """The published figures that a feed's trusts could have sent, as contract rows by round of the calendar."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for trust in [feed.trust] if feed.trust else feed.speaks_for:
        for round_name, rows in _rows_of(trust, feed.extract).items():
            found[round_name] += rows
    return dict(found)


def _rows_of(trust: str, extract: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    sites: dict[tuple[str, str], int] = defaultdict(int)
    contract, simulator = load(extract), simulators()[extract]
    figures = [f for f in published_figures() if f.action_id in ACTIONS and f.day and f.measure in simulator.figures]
    own = [f for f in figures if f.geography_type == "site" and f.geography_code[:3] == trust]
    own += [f for f in figures if f.geography_type == "trust" and f.geography_code == trust]
    for f in own:
        if f.value is None:
            continue
        number = int(f.value)
        site = f.geography_code if f.geography_type == "site" else _SITE_OF_OPERATIONS.get(trust)
        if f.geography_type == "site":
            sites[(f.action_id, f.measure)] += number
        elif (
            f.action_id,
            f.measure,
        ) in sites:  # what the coded sites leave is at Alton, whose code is not known
            number, site = number - sites[(f.action_id, f.measure)], None
        placed = {"site_code": site} if simulator.figures_name_sites else {}
        day = {contract.date_field: f.day}
        row = {"ods_code": trust, **placed, **day, **simulator.figures[f.measure], contract.count_field: number}
        found[_round(f)].append(row)
    return dict(found)


def _round(figure: PublishedFigure) -> str:
    """The two nurses' strikes were five days apart: trusts reported them in one file."""
    return "NUR-2022-12" if figure.action_id.startswith("NUR-2022-12") else figure.action_id


def write_examples(inbox: Path) -> int:
    """Write every example file under the inbox, where the example feeds look; returns how many.

    Files that are already there with the same content are left alone.

    Raises:
        StrikesError: this is no clone: the example is not part of the installed package.
    """
    config, written = example_config(), 0
    known = load_dialects(config)
    for feed in load_registry(config).feeds:
        dialect = dialect_for(feed, known)
        for round_name, rows in sorted(rows_of(feed).items()):
            kind: FileType = "xlsx" if feed.location.endswith("*.xlsx") else "csv"
            data = write(rows, dialect, kind, preamble=_PREAMBLES.get(feed.whose, ()), totals=feed.whose in _TOTALS)
            if dialect.nil and all(r[load(feed.extract).count_field] == 0 for r in rows):
                data = _nil_file(feed, dialect, rows)
            path = inbox / feed.location.removesuffix("/*.xlsx") / f"{feed.whose}_{feed.extract}_{round_name}.{kind}"
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists() or path.read_bytes() != data:
                path.write_bytes(data)
                written += 1
    return written


def _nil_file(feed: Feed, dialect: Dialect, rows: list[dict[str, Any]]) -> bytes:
    """A nil return in the dialect's own way: the marker, and no numbers."""
    assert dialect.nil and dialect.unpivot  # noqa: S101 - called for such a dialect only
    date_field = load(feed.extract).date_field
    date_format = (dialect.columns[date_field].format or (ISO,))[0]
    days = sorted({r[date_field] for r in rows})
    blanks = "," * len(dialect.unpivot.columns)
    lines = [
        ",".join(
            [
                dialect.columns["ods_code"].header[0],
                dialect.columns[date_field].header[0],
                *dialect.unpivot.columns,
                dialect.nil.header,
            ]
        )
    ]
    lines += [f"{feed.whose},{d.strftime(date_format)}{blanks},Nil" for d in days]
    return ("\r\n".join(lines) + "\r\n").encode()
