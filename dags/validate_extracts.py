"""Judge every landed submission that has no outcome yet."""

from __future__ import annotations

from typing import Any

from airflow.sdk import AssetOrTimeSchedule, dag, get_current_context, task
from strike_calendar import StrikeCalendarTimetable
from strikes_common import A_PART_DONE, ACCEPTED, DAG_DEFAULTS, LANDING, added_up

DOC = """
### Validate extracts

Reads, normalises and checks every landed submission that has no outcome, or whose contract, dialect or reference rows
have changed since.

It is started by the event of `landing`. Should that be lost, or a mail be left, the strike calendar starts it a quarter
of an hour behind the daily round and, on a day on which returns are due, hourly behind the pulls.

* **plan** asks the ledger what there is to do; a lost or doubled event changes nothing. Where there is nothing, only
  it and the mail run.
* **validate** judges one group: each file is read in a process of its own with limits, then structure and patient data,
  then the contract by Great Expectations, then plausibility. One file's fault is that file's outcome. A group that is
  tried again goes on where it was.
* **judged** announces `accepted` as soon as every group has ended, if one did its work.
* **verdict** fails the run when a submission could not be judged through our own fault; the others are judged all the
  same. A file that a sender must mend fails nothing.
* **tell_trusts**, beside the verdict, mails the feed's contact the error report of a file that was refused or used in
  part, once, through the connection `strikes_mail`, if there is one. Should it fail itself, the run does not.

Accepted rows are in `accepted/`, what was left out and why in `quarantine/`, with the error report the trust is sent.
Fix a dialect, trigger this DAG, and the rejected file is accepted without being sent again. `strikes outcomes --only
rejected` lists what needs attention. What fails a run, and what to do: `docs/runs.md`.
"""
SCHEDULE = AssetOrTimeSchedule(timetable=StrikeCalendarTimetable(behind=15), assets=[LANDING])


@dag(dag_display_name="Validate extracts", schedule=SCHEDULE, doc_md=DOC, **DAG_DEFAULTS)
def validate_extracts():
    @task
    def plan() -> list[dict[str, Any]]:
        from strike_reporting.operations.rounds import validate_plan

        return validate_plan()

    @task(map_index_template="{{ group_name }}", multiple_outputs=False)
    def validate(group: dict[str, Any]) -> dict[str, Any]:
        from strike_reporting.operations.rounds import validate_group

        get_current_context()["group_name"] = group["name"]
        return validate_group(group)

    @task(outlets=[ACCEPTED], trigger_rule=A_PART_DONE, multiple_outputs=False)
    def judged(groups: list[dict[str, Any]]) -> dict[str, int]:
        return added_up(groups)[0]

    @task(trigger_rule="none_failed_min_one_success")
    def verdict(groups: list[dict[str, Any]]) -> None:
        from strike_reporting.errors import fail_for

        fail_for(added_up(groups)[1], "not judged, through our own fault")

    @task(retries=0, multiple_outputs=False)
    def tell_trusts() -> dict[str, int]:
        from strikes_mail import mail_out

        return mail_out()

    done = validate.expand(group=plan())
    judged(done)
    verdict(done)
    done >> tell_trusts().as_teardown()  # runs whatever failed before, and fails no run


validate_extracts()
