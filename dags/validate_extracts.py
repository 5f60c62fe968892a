"""Judge every landed submission that has no outcome yet."""

from __future__ import annotations

from typing import Any

from airflow.sdk import AssetOrTimeSchedule, Param, dag, get_current_context, task
from strike_calendar import StrikeCalendarTimetable
from strikes_common import (
    A_PART_DONE,
    ACCEPTED,
    DAG_DEFAULTS,
    LANDING,
    action_field,
    added_up,
    asked,
    feeds_field,
    tell,
    wait_for,
)

DOC = """
### Validate extracts

Reads, normalises and checks every landed submission that has no outcome, or whose contract, dialect or reference rows
have changed since.

It is started by the event of `landing`. Should that be lost, or a mail be left, the strike calendar starts it a quarter
of an hour behind the daily round and, on a day on which returns are due, hourly behind the pulls.

* **plan** asks the ledger what there is to do; a lost or doubled event changes nothing. Where there is nothing, only
  it and the mail run. Started by the calendar or by hand while a collection is under way, it waits for its end, without
  a slot, at most for `round_seconds`.
* **validate** judges one group: each file is read in a process of its own with limits, then structure and patient data,
  then the contract by Great Expectations, then plausibility. One file's fault is that file's outcome. A group that is
  tried again goes on where it was.
* **judged** announces `accepted` as soon as every group has ended, if an action may be told otherwise by it; the
  event's `extra` says which actions, by which trusts, with how many outcomes of each kind and how many flags.
* **verdict** fails the run when a submission could not be judged through our own fault; the others are judged all the
  same. A file that a sender must mend fails nothing.
* **tell_trusts**, beside the verdict, mails the feed's contact the error report of a file that was refused or used in
  part, once, through the connection `strikes_mail`, if there is one, and tells the owner of feeds whose headings
  changed. Should it fail itself, the run does not.

Accepted rows are in `accepted/`, what was left out and why in `quarantine/`, with the error report the trust is sent.
Fix a dialect, trigger this DAG, and the rejected file is accepted without being sent again. The form of a run by hand
also judges again, from landing, what has an outcome: all of it, or only about an action or of some feeds.
`strikes outcomes --only rejected` lists what needs attention. What fails a run, and what to do: `docs/runs.md`.
"""
CALENDAR = StrikeCalendarTimetable(behind=15)
SCHEDULE = AssetOrTimeSchedule(timetable=CALENDAR, assets=[LANDING])
FORM = {
    "from_landing": Param(
        False,
        type="boolean",
        title="From landing",
        description="Judge again what was landed, also what has an outcome. Otherwise only what is to be judged.",
    ),
    "action": action_field(CALENDAR.calendar, "From landing, only what is about this action. Empty: about any."),
    "feeds": feeds_field("From landing, only of these"),
}


@dag(dag_display_name="Validate extracts", schedule=SCHEDULE, params=FORM, doc_md=DOC, **DAG_DEFAULTS)
def validate_extracts():
    @task
    def plan() -> list[dict[str, Any]]:
        from datetime import UTC, datetime

        from strike_reporting.operations.by_hand import again
        from strike_reporting.operations.rounds import validate_plan
        from strike_reporting.operations.under_way import COLLECTING, JUDGING, begin
        from strike_reporting.storage import Store

        wait_for(COLLECTING)
        again(Store(), **asked(FORM))
        if groups := validate_plan():
            run = get_current_context()["dag_run"]
            begin(Store(), JUDGING, datetime.now(UTC), run.dag_id, run.run_id)
        return groups

    @task(map_index_template="{{ group_name }}", multiple_outputs=False)
    def validate(group: dict[str, Any]) -> dict[str, Any]:
        from strike_reporting.operations.rounds import validate_group

        get_current_context()["group_name"] = group["name"]
        return validate_group(group)

    def planned() -> list[str]:
        found = get_current_context()["ti"].xcom_pull(task_ids="plan")  # no upstream: its success is no work done
        return [submission_id for group in found or () for submission_id in group["submissions"]]

    @task(inlets=[ACCEPTED], outlets=[ACCEPTED], trigger_rule=A_PART_DONE, multiple_outputs=False)
    def judged() -> dict[str, Any]:
        from strike_reporting.operations import news
        from strike_reporting.operations.under_way import JUDGING, end
        from strike_reporting.storage import Store

        todo = planned()
        end(Store(), JUDGING)
        return tell(ACCEPTED, lambda last: news.accepted(Store(), last, todo))

    @task(trigger_rule="none_failed_min_one_success")
    def verdict(groups: list[dict[str, Any]]) -> None:
        from strike_reporting.errors import fail_for

        fail_for(added_up(groups)[1], "not judged, through our own fault")

    @task(retries=0, multiple_outputs=False)
    def tell_trusts() -> dict[str, int]:
        from strikes_mail import mail_out
        from strikes_notify import tell_of_drift, tell_what_is_over

        tell_of_drift(planned())
        tell_what_is_over()
        return mail_out()

    done = validate.expand(group=plan())
    done >> judged()
    verdict(done) >> tell_trusts().as_teardown()  # runs whatever failed before, and fails no run


validate_extracts()
