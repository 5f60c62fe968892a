"""Plausibility: what is possible but unlikely (a warning: the rows stay), and what no whole file can be."""

from __future__ import annotations

from collections.abc import Set
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from strike_reporting.extracts import Contract
from strike_reporting.judging.columns import Column, distinct
from strike_reporting.judging.problems import Problem
from strike_reporting.settings import settings


def days_in(contract: Contract, rows: pa.Table) -> set[date]:
    """The days of some rows."""
    return {*pc.unique(rows[contract.date_field]).to_pylist()}


def implausible(contract: Contract, rows: pa.Table, strike_days: Set[date]) -> list[Problem]:
    """Warnings about one submission's accepted rows.

    Args:
        contract: its contract.
        rows: its accepted rows.
        strike_days: those of its days that are a day of an industrial action.
    """
    found, days = [], Column.of(rows[contract.date_field])
    first = dict(zip(days.known, np.unique(days.codes, return_index=True)[1].tolist(), strict=True))
    for day in sorted({*first} - strike_days):
        row = rows["source_row"][first[day]].as_py()
        message = f"{day} is not a day of any industrial action, so its rows are in no release"
        found.append(
            Problem(
                "date_outside_action",
                "warning",
                message,
                "Check the date.",
                row,
                contract.date_field,
                str(day),
            )
        )
    return found


def _parts(contract: Contract, rows: pa.Table) -> int:
    """How many days and parts some rows speak of."""
    return int(distinct([rows[contract.date_field], *contract.part_columns(rows)]).num_rows)


def unusable(
    contract: Contract,
    good: pa.Table,
    strike_days: Set[date],
    action_id: str | None = None,
    meant: Set[date] | None = None,
) -> Problem | None:
    """Why a file of which rows could be used is refused all the same; None when it is not. As `implausible`.

    `meant`: the days of the action that it was dropped for.
    """
    days, most = days_in(contract, good), settings().max_parts
    if good.num_rows > most and (many := _parts(contract, good)) > most:
        message = f"it tells {many:,} sites and days apart, and {most:,} are the most that one file may"
        fix = "Check the codes of sites: a trust has some hundreds at the most. Then send the file again."
        return Problem("too_many_parts", "critical", message, fix, column=contract.site_field)
    if not strike_days:
        message = f"none of its days ({min(days)} to {max(days)}) is a day of any industrial action"
        fix = "Check the dates (is the month written first?), and send the file again."
        return Problem("date_outside_action", "critical", message, fix)
    if meant is not None and not days & meant:
        message = f"it was dropped for {action_id}, and none of its days ({min(days)} to {max(days)}) is of that action"
        fix = "Check the dates (is the month written first?), or drop it for the action that it is of."
        return Problem("another_action", "critical", message, fix)
    return None
