"""Published against expected, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from strike_reporting.extracts.tables import TABLES
from strike_reporting.ledger.records import receipt_of

from oracle.counted import Counted
from oracle.rounds import Round
from oracle.tables import Table, expected_tables
from oracle.world import Published, Rows

SUBMISSIONS = ("submission_id", "refused_submission_id")


def differences(drawn: Round, published: Published) -> list[str]:
    """Every cell that is not as it must be, as a sentence; empty when all are."""
    found = []
    for action_id in drawn.actions:
        counted = Counted(drawn, action_id)
        for name, expected in expected_tables(counted).items():
            rows = published.tables[counted.action.action_id if action_id not in published.tables else action_id]
            if name not in rows:
                found.append(f"{drawn.name}: {action_id}: there is no table {name}")
                continue
            found += [f"{drawn.name}: {p}" for p in _table(name, expected, rows[name], published.ids)]
    return found


def _table(name: str, expected: Table, rows: Rows, ids: dict[str, int]) -> Iterator[str]:
    keys = TABLES[name].keys
    got = {tuple(r[k] for k in keys): r for r in rows}
    for key in sorted({*expected} - {*got}, key=str):
        yield f"{name} {_said(key)}: the row is missing; {_told(expected[key])}"
    for key in sorted({*got} - {*expected}, key=str):
        yield f"{name} {_said(key)}: the row should not be; {_told(got[key])}"
    for key in sorted({*expected} & {*got}, key=str):
        for column, value in expected[key].items():
            if column not in got[key]:
                yield f"{name}: there is no column {column}"
                return
            published = plain(column, got[key][column], ids)
            if not same(value, published):
                yield f"{name} {_said(key)}: {column} must be {value}, published is {published}"


def plain(column: str, value: Any, ids: dict[str, int]) -> Any:
    """A published value; submissions as the number of their file, also those of one trust in a collective return."""
    if value is not None and column in SUBMISSIONS:
        return ids.get(receipt_of(value), value)
    if value is not None and column == "submission_ids":
        listed = value.split(";") if isinstance(value, str) else value
        return tuple(ids.get(receipt_of(s), s) for s in listed) or None
    return value


def same(expected: Any, published: Any) -> bool:
    if isinstance(expected, float) and isinstance(published, (int, float)):
        return abs(expected - published) < 0.0001  # what is published is rounded
    return bool(expected == published)


def _said(key: tuple[Any, ...]) -> str:
    return " ".join("-" if k is None else str(k) for k in key[1:])


def _told(cells: dict[str, Any]) -> str:
    return ", ".join(f"{k} {v}" for k, v in cells.items() if v not in (None, 0, False)) or "no values"
