"""Publish a release of every action whose inputs changed."""

from __future__ import annotations

from typing import Any

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, dag, get_current_context, task
from strikes_common import ACCEPTED, DAG_DEFAULTS, RELEASE

DOC = """
### Publish disruption

Summarises the newest accepted submission of each trust, extract and strike day, and publishes a release.

* **plan** finds the actions that any submission concerns, and those that must be reported jointly.
* **publish** stages, checks and publishes each action of a group; unchanged inputs leave the current
  release alone.
* **published** fails the run if any action's figures did not add up (nothing of it was published) and announces
  `release`.

Releases are in `releases/<action>/<number>/`; `strikes release reproduce ID` rebuilds one from landing.
"""
SCHEDULE = AssetOrTimeSchedule(timetable=CronTriggerTimetable("55 * * * *", timezone="UTC"), assets=[ACCEPTED])


@dag(dag_display_name="Publish disruption", schedule=SCHEDULE, doc_md=DOC, **DAG_DEFAULTS)
def publish_disruption():
    @task
    def plan() -> list[dict[str, Any]]:
        from strike_reporting.pipeline import publish_plan

        return publish_plan()

    @task(map_index_template="{{ group_name }}")
    def publish(group: dict[str, Any]) -> list[dict[str, Any]]:
        from strike_reporting.pipeline import publish_group

        get_current_context()["group_name"] = group["name"]
        return publish_group(group)

    @task(outlets=[RELEASE], trigger_rule="none_failed")
    def published(groups: list[list[dict[str, Any]]]) -> list[str]:
        done = [item for group in groups[:] for item in group]
        problems = [item["problem"] for item in done if item["problem"]]
        if problems:
            raise RuntimeError("; ".join(problems))
        return [item["release"] for item in done if item["is_new"]]

    published(publish.expand(group=plan()))


publish_disruption()
