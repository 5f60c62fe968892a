"""Editing the strike calendar: one row more in the configuration's overlay of it, and none less or another one.

A row says the whole action, the source of what is new in it, the day by that source, and the moment of the edit. The
newest row of an action holds; the ones above it are what was known before.
"""

from __future__ import annotations

import csv
import fcntl
import io
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from strike_reporting.clock import utc
from strike_reporting.errors import StrikesError
from strike_reporting.intake.config_edits import own_config
from strike_reporting.operations.calendar_checks import wrong
from strike_reporting.reference.actions import Action, action_of, actions, all_days, resolve
from strike_reporting.reference.checking import check_actions
from strike_reporting.reference.due import Calendar, Round, calendar_of
from strike_reporting.reference.facts import (
    VERSIONED,
    Row,
    read_csv,
    read_versions,
    reference_folder,
    reference_sha256,
    require,
)
from strike_reporting.settings import settings

NAME = "strike_calendar"


@dataclass(frozen=True)
class Edited:
    """What an edit made of an action: its row before (empty of a new one) and after, and the file that holds it now.

    added: rounds that are asked for from now on; of those behind us, what the next run makes up. gone: rounds to come
    that are no longer asked for.
    """

    path: Path
    before: Mapping[str, str]
    after: Mapping[str, str]
    added: Sequence[Round]
    gone: Sequence[Round]


def edit(
    action_id: str, said: Mapping[str, str], source: str, told_on: str, now: datetime, *, is_new: bool = False
) -> Edited:
    """Add an action to the calendar, or say otherwise of one: suspended, called off, escalated, other hours.

    Args:
        action_id: which; of a new one letters and its first day, such as `RD-2026-06-15`.
        said: columns of the calendar with their values; times are London's.
        source: where it was said.
        told_on: on which day, by that source.
        now: the moment of the edit.
        is_new: it is to be added.

    Raises:
        UnknownAction: there is no such action.
        StrikesError: it cannot be so; the message names each option that is wrong. Nothing was written.
    """
    said = {column: " ".join(value.split()) for column, value in said.items()}
    with _alone(own_config()) as folder:
        _forget()  # what another process wrote before this one's turn came
        require(check_actions())
        rows = read_csv(NAME)
        before = _before(action_id, rows, is_new)
        after = _after(before, {**said, "action_id": action_id}, " ".join(source.split()), told_on, now)
        if problems := list(wrong(before, after, [r for r in rows if r["action_id"] != action_id], now)):
            raise StrikesError(f"nothing is written: {'; '.join(problems)}")
        edited = action_of(after)
        added, gone = _rounds(actions(), {**actions(), action_id: edited}, edited, now)
        path = folder / "reference" / f"{NAME}.csv"
        _write(path, [*(r for r in read_versions(NAME) if Path(r.path) == path), after])
        _forget()
    return Edited(path, before or {}, after, added, gone)


def _before(action_id: str, rows: Sequence[Row], is_new: bool) -> Row | None:
    """An action's row as it stands; None where a new one is to be made."""
    found = next((r for r in rows if r["action_id"] == action_id), None)
    if is_new and found:
        raise StrikesError(f"there is an action {action_id} already; `strikes calendar change {action_id}` changes it")
    if not is_new and not found:
        resolve(action_id)  # says which ids are near
        raise StrikesError(f"{action_id!r} names more than one action, or not as `strikes calendar` does; name one")
    return found


def _after(before: Row | None, said: Mapping[str, str], source: str, told_on: str, now: datetime) -> dict[str, str]:
    row = dict(before or {**dict.fromkeys(_columns(), ""), "status": "announced", "announced_on": told_on})
    if before and said.get("status", before["status"]) != before["status"]:
        row["status_date"] = told_on
    # A clock that was put back makes no row that comes before the one above it.
    since = max(utc(now), row.get("known_from", ""))
    known = {"source_url": source, **dict(zip(VERSIONED[NAME], (told_on, since), strict=True))}
    return {**row, **said, **known}


def _rounds(
    held: Mapping[str, Action], then: Mapping[str, Action], edited: Action, now: datetime
) -> tuple[list[Round], list[Round]]:
    """Rounds that an edit adds, and those to come that it takes away."""
    was, will = (calendar_of(settings(), of.values()) for of in (held, then))
    closes = [s.closes for of in (was, will) for s in of.spells if s.action_id == edited.action_id]
    until = datetime.combine(max(closes) + timedelta(days=2), datetime.min.time(), UTC)

    def asked(of: Calendar) -> dict[datetime, Round]:
        return {r.due_at: r for r in of.rounds_between(now - timedelta(days=settings().look_back_days), until)}

    one, other = asked(was), asked(will)
    return (
        [r for at, r in other.items() if at not in one],
        [r for at, r in one.items() if at not in other and at > now],
    )


def _columns() -> list[str]:
    with (reference_folder() / f"{NAME}.csv").open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))


def _write(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """The whole file beside the one that it takes the place of: a reader sees the one or the other."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [*_columns(), *VERSIONED[NAME]], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path = path.resolve()
    beside = path.with_suffix(".new")
    try:
        path.parent.mkdir(exist_ok=True)
        with beside.open("w", encoding="utf-8", newline="") as file:
            file.write(text.getvalue())
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, beside)
        beside.replace(path)
    except OSError as error:
        raise StrikesError(f"{path} cannot be written ({error}), so nothing of it is changed") from error


@contextmanager
def _alone(folder: Path) -> Iterator[Path]:
    """One edit at a time: two people at once lose none."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(held)


def _forget() -> None:
    """Read the calendar anew."""
    for kept in (read_csv, reference_sha256, actions, all_days):
        kept.cache_clear()
