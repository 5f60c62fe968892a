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
  `release`. It writes the pages across releases.
* **announce** mails each area's list about new releases through the connection `strikes_mail`, if there is one. A
  mail that cannot be sent is recorded in `ledger/mail`, fails nothing, and is tried again at the next run.

Releases are in `releases/<action>/<number>/`; `strikes release reproduce ID` rebuilds one from landing.
"""
SCHEDULE = AssetOrTimeSchedule(timetable=CronTriggerTimetable("55 * * * *", timezone="UTC"), assets=[ACCEPTED])


@dag(dag_display_name="Publish disruption", schedule=SCHEDULE, doc_md=DOC, **DAG_DEFAULTS)
def publish_disruption():
    @task
    def plan() -> list[dict[str, Any]]:
        from strike_reporting.operations.rounds import publish_plan

        return publish_plan()

    @task(map_index_template="{{ group_name }}")
    def publish(group: dict[str, Any]) -> list[dict[str, Any]]:
        from strike_reporting.operations.rounds import publish_group

        get_current_context()["group_name"] = group["name"]
        return publish_group(group)

    @task(outlets=[RELEASE], trigger_rule="none_failed")
    def published(groups: list[list[dict[str, Any]]]) -> list[str]:
        from strike_reporting.site.front import write_front
        from strike_reporting.storage import Store

        done = [item for group in groups[:] for item in group]
        problems = [item["problem"] for item in done if item["problem"]]
        write_front(Store())
        if problems:
            raise RuntimeError("; ".join(problems))
        return [item["release"] for item in done if item["is_new"]]

    @task(trigger_rule="all_done", multiple_outputs=False)
    def announce() -> dict[str, int]:
        from datetime import UTC, datetime

        from strike_reporting.operations.mail import announcements
        from strikes_mail import mail_out

        return mail_out(
            lambda store, sender, extra: announcements(
                store, extra.get("distribution", {}), sender, extra.get("link", ""), datetime.now(UTC)
            )
        )

    published(publish.expand(group=plan())) >> announce()


publish_disruption()
