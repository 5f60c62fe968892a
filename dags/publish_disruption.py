"""Publish a release of every action for which there is something new to tell."""

from __future__ import annotations

from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import AssetOrTimeSchedule, dag, get_current_context, task
from strike_calendar import StrikeCalendarTimetable
from strikes_common import A_PART_DONE, ACCEPTED, DAG_DEFAULTS, RELEASE, action_field, asked, tell_releases, wait_for

DOC = """
### Publish disruption

Summarises, for every action that was touched since it was last looked at, the newest usable submission of each trust,
extract and strike day, and cuts a release where a reader is told something new: at once, or with the setting
`cut_at_once = false` at the announced times (`release_times`). Until then today's figures are a draft.

It is started by the event of `accepted`, at the announced times, and `checked_ahead_minutes` before each. Should an
event be lost, or a mail be left, the strike calendar starts it half an hour behind the daily round and, on a day on
which returns are due, hourly.

* **plan** asks the ledger which actions were touched. Where none was, only it, the drawing and the mail run. Started by
  the calendar or by hand while a validation is under way, it waits for its end, without a slot.
* **publish** stages, checks and publishes each action of a group, alone and jointly where its effect cannot be split;
  or makes its draft.
* **cut** releases the drafts whose announced time has come; a time is neither lost nor used twice. What the release
  gate holds waits for a person and stops no other; when its figures are other ones, those are judged at once. What the
  next announced time will release is judged from `checked_ahead_minutes` before it, so that a person can decide by
  then; nothing is released sooner. With `cut_at_once` it has nothing to do.
* **held** and **ask_a_person** start a run of `approve_release` for everything that is held and has none.
* **published** (and **released**, after `cut`) announces `release` as soon as every group has ended, if there is a new
  one; the event's `extra` says of each its action and id, how many returned, which trusts are in it, and how many flags
  of each kind.
* **verdict** fails the run if any action's figures did not add up or could not be published; the others are published
  all the same.
* **draw** draws the pages of what is not drawn by today's code, and writes those that changed. It fails the run if a
  release could not be drawn; the others are drawn all the same.
* **announce**, beside the verdict, mails each area's list about new releases through the connection `strikes_mail`, if
  there is one. A mail that cannot be sent stays in the ledger's outbox with its reason and is tried at the next run.
  Should the task fail itself, the run does not.

A run by hand may name an action in its form: it is looked at although nothing touched it.

Releases are in `releases/<action>/<number>/`, pages in `site/`; `strikes release reproduce ID` makes a release again
from landing. What fails a run, and what to do: `docs/runs.md`.
"""
CALENDAR = StrikeCalendarTimetable(behind=30, releases=True)
SCHEDULE = AssetOrTimeSchedule(timetable=CALENDAR, assets=[ACCEPTED])
FORM = {
    "action": action_field(CALENDAR.calendar, "Look at this action as well. Empty: at those that were touched."),
}


@dag(dag_display_name="Publish disruption", schedule=SCHEDULE, params=FORM, doc_md=DOC, **DAG_DEFAULTS)
def publish_disruption():
    @task
    def plan() -> list[dict[str, Any]]:
        from strike_reporting.operations.by_hand import look_at
        from strike_reporting.operations.rounds import publish_plan
        from strike_reporting.operations.under_way import JUDGING
        from strike_reporting.storage import Store

        wait_for(JUDGING)
        look_at(Store(), **asked(FORM))
        return publish_plan()

    @task(map_index_template="{{ group_name }}", multiple_outputs=False)
    def publish(group: dict[str, Any]) -> dict[str, Any]:
        from strike_reporting.operations.rounds import publish_group

        get_current_context()["group_name"] = group["name"]
        return publish_group(group)

    @task(trigger_rule="none_failed", multiple_outputs=False)
    def cut() -> dict[str, Any]:
        from datetime import UTC, datetime

        from airflow.sdk.exceptions import AirflowSkipException
        from strike_reporting.operations.ahead import cut_and_check
        from strike_reporting.operations.holding import to_ask
        from strike_reporting.storage import Store

        done = cut_and_check(Store(), datetime.now(UTC))
        if not any(done.values()) and not to_ask(Store()):
            raise AirflowSkipException("No announced time has come, and nothing is held.")
        return dict(done)

    @task
    def held() -> list[Any]:
        from strike_reporting.operations.holding import to_ask
        from strike_reporting.storage import Store

        return to_ask(Store())

    @task(inlets=[RELEASE], outlets=[RELEASE], trigger_rule=A_PART_DONE, multiple_outputs=False)
    def published() -> dict[str, Any]:
        return tell_releases()

    @task(inlets=[RELEASE], outlets=[RELEASE], multiple_outputs=False)
    def released() -> dict[str, Any]:
        return tell_releases()

    @task(trigger_rule="none_failed_min_one_success")
    def verdict(groups: list[dict[str, Any]], at_its_time: dict[str, Any] | None) -> None:
        from strike_reporting.errors import fail_for

        problems = [problem for group in groups[:] for problem in group["problems"]]
        fail_for([*problems, *(at_its_time or {}).get("problems", ())], "not published")

    @task(trigger_rule="none_failed")
    def draw() -> list[str]:
        from strike_reporting.operations.rounds import draw_site

        return draw_site()

    @task(retries=0, multiple_outputs=False)
    def announce() -> dict[str, int]:
        from strikes_mail import mail_out
        from strikes_notify import tell_what_is_over

        tell_what_is_over()
        return mail_out()

    done, drawn, cut_out = publish.expand(group=plan()), draw(), cut()
    done >> [published(), cut_out]
    waiting = held()
    cut_out >> [released(), waiting]
    TriggerDagRunOperator.partial(
        task_id="ask_a_person", trigger_dag_id="approve_release", logical_date=None, skip_when_already_exists=True
    ).expand_kwargs(waiting)
    [done, cut_out] >> drawn
    [drawn, verdict(done, cut_out)] >> announce().as_teardown()  # runs whatever failed before, and fails no run


publish_disruption()
