"""Judge every landed submission that has no outcome yet."""

from __future__ import annotations

from typing import Any

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, dag, get_current_context, task
from strikes_common import ACCEPTED, DAG_DEFAULTS, LANDING

DOC = """
### Validate extracts

Reads, normalises and checks every landed submission that has no outcome under the present contracts and dialects.

* **plan** asks the ledger what there is to do; a lost or doubled event changes nothing.
* **validate** judges one group: structure and patient data, then the contract by Great Expectations, then plausibility.
* **judged** adds the groups up and announces `accepted`.
* **tell_trusts** mails the feed's contact the error report of a file that was refused or used in part, once, through
  the connection `strikes_mail`, if there is one. The report never repeats a value that looks like patient data.

Accepted rows are in `accepted/`, what was left out and why in `quarantine/`, with the error report the trust is sent.
A changed contract or dialect judges the affected submissions again: fix the dialect, trigger this DAG, and the
rejected file is accepted without being sent again. `strikes outcomes --only rejected` lists what needs attention.
"""
SCHEDULE = AssetOrTimeSchedule(timetable=CronTriggerTimetable("40 * * * *", timezone="UTC"), assets=[LANDING])


@dag(dag_display_name="Validate extracts", schedule=SCHEDULE, doc_md=DOC, **DAG_DEFAULTS)
def validate_extracts():
    @task
    def plan() -> list[dict[str, Any]]:
        from strike_reporting.operations.rounds import validate_plan

        return validate_plan()

    @task(map_index_template="{{ group_name }}", multiple_outputs=False)
    def validate(group: dict[str, Any]) -> dict[str, int]:
        from strike_reporting.operations.rounds import validate_group

        get_current_context()["group_name"] = group["name"]
        return validate_group(group)

    @task(outlets=[ACCEPTED], trigger_rule="none_failed", multiple_outputs=False)
    def judged(counts: list[dict[str, int]]) -> dict[str, int]:
        total: dict[str, int] = {}
        for group in counts[:]:  # a slice is one request, iterating is one a group
            for status, number in group.items():
                total[status] = total.get(status, 0) + number
        return total

    @task(trigger_rule="none_failed", multiple_outputs=False)
    def tell_trusts() -> dict[str, int]:
        from datetime import UTC, datetime

        from strike_reporting.operations.mail import notices
        from strikes_mail import mail_out

        return mail_out(lambda store, sender, extra: notices(store, sender, datetime.now(UTC)))

    judged(validate.expand(group=plan())) >> tell_trusts()


validate_extracts()
