"""The strike calendar as a timetable. It only wakes: what is due is asked of the ledger by the run that it starts.

What it knows is read when the DAG file is parsed and goes into the serialised DAG, so the scheduler reads no file of
ours, and an edit of the calendar or of a setting holds from the next parse on.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pendulum
from airflow.plugins_manager import AirflowPlugin
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable
from strike_reporting.reference.due import Calendar, calendar_or_always


class StrikeCalendarTimetable(Timetable):
    """Wakes at each round of the strike calendar, or behind it: for what an asset's event should have started."""

    description = "By the strike calendar: `strikes calendar --days 14` lists the rounds to come, and why"

    def __init__(self, calendar: Calendar | None = None, *, behind: int = 0, releases: bool = False) -> None:
        """Without a calendar, that of the reference data; or so many minutes behind it, and at times of releases."""
        made = calendar or calendar_or_always()
        self.calendar = made.behind(behind, releases=releases) if behind else made

    @property
    def summary(self) -> str:
        """Shown beside the DAG."""
        return "Strike calendar cannot be read" if self.calendar.always else "Strike calendar"

    def serialize(self) -> dict[str, Any]:
        """The calendar, and its hash: another calendar is another version of the DAG."""
        return {"sha256": self.calendar.sha256, "calendar": self.calendar.dump()}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> StrikeCalendarTimetable:
        """As it was when the DAG was parsed."""
        return cls(Calendar.load(data["calendar"]))

    def infer_manual_data_interval(self, *, run_after: pendulum.DateTime) -> DataInterval:
        """A run by hand is of its moment."""
        return DataInterval.exact(run_after)

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The next round after the last run; of several that were missed, the last, unless the DAG catches up."""
        last, floor, now = last_automated_data_interval, restriction.earliest, datetime.now(UTC)
        just_before = (floor or now) - timedelta(microseconds=1)
        coming = self.calendar.next_after(last.end if last else just_before)
        if not restriction.catchup:
            coming = max(coming, self.calendar.last_until(now), key=lambda r: r.due_at)
        if floor and coming.due_at < floor:
            coming = self.calendar.next_after(just_before)
        if restriction.latest is not None and coming.due_at > restriction.latest:
            return None
        return DagRunInfo.exact(pendulum.instance(coming.due_at))


class StrikeCalendar(AirflowPlugin):
    """Registers the timetable."""

    name = "strike_calendar"
    timetables: ClassVar[list[type[Timetable]]] = [StrikeCalendarTimetable]
