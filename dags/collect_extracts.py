"""Pull every trust's extracts and land them."""

from __future__ import annotations

from typing import Any

from airflow.sdk import dag, get_current_context, task
from strike_calendar import StrikeCalendarTimetable
from strikes_common import A_PART_DONE, DAG_DEFAULTS, LANDING, added_up, asked, feeds_field, tell

DOC = """
### Collect extracts

Pulls every feed of the registry (the configuration's `feeds`) and lands the bytes as received.

It is woken by the strike calendar, in London time: daily from an action's announcement until 14 days after it, on the
day after each strike day every ten minutes from 07:00 to an hour after the cut-off at 11:00, otherwise once a day
(settings: `docs/settings.md`, “Rounds”). `strikes calendar --days 14` lists the rounds to come, and why. An edit of the
calendar holds from the next parse of the DAG on; a round that it adds in the past week is made up by the next run.

* **plan** takes the rounds that are due in hand, each once, and makes groups of the registry's feeds. A faulty entry
  stops only itself. If none is due any more, the run ends there. A run by hand pulls in any case: all feeds, or those
  that its form names.
* **collect** pulls one group. Every feed ends in a pull record, also when it failed; one feed never stops another.
* **landed** announces `landing` as soon as every group has ended, whatever failed, if something new waits to be judged;
  the event's `extra` says how many files, and of which feeds and trusts.
* **verdict** logs what is broken or will be soon: faulty entries and feeds that failed, and in the first round of a day
  also feeds that are silent for longer than usual, credentials and certificates near their end; what is new of it is
  told to the owner, by e-mail or webhook, if there are connections for it. Then it notes the rounds as done, or fails
  the run when a pull failed on our side, or when more than half of the feeds failed (the setting
  `failed_feeds_percent`); a faulty entry is a feed that failed.
* **chase**, beside the verdict, reminds the contacts of feeds whose returns are missing, an hour before each cut-off
  (the setting `remind_minutes`), and at the cut-off tells England's list and each area's who has not returned. Each is
  mailed once, by the first round after its time. Should it fail itself, the run does not.

A rerun lands nothing twice: a content that a feed delivered before is a duplicate. To pull again by hand, trigger the
DAG; to judge again what was landed, trigger `validate_extracts`. What fails a run, and what to do: `docs/runs.md`.
"""


FORM = {"feeds": feeds_field("Pull only these, and claim no round")}


@dag(
    dag_display_name="Collect extracts",
    schedule=StrikeCalendarTimetable(),
    params=FORM,
    doc_md=DOC,
    **DAG_DEFAULTS,
)
def collect_extracts():
    @task
    def plan() -> list[dict[str, Any]]:
        from datetime import UTC, datetime

        from airflow.sdk.exceptions import AirflowSkipException
        from strike_reporting.operations.rounds import begin_collection
        from strike_reporting.operations.under_way import COLLECTING, begin
        from strike_reporting.storage import Store

        run = get_current_context()["dag_run"]
        only = asked(FORM).get("feeds", [])
        groups = begin_collection(run.run_id, is_woken=run.run_type != "manual", only=only)
        if groups is None:
            raise AirflowSkipException("No round is due: others did what this run was woken for, or it was taken away.")
        if groups:
            begin(Store(), COLLECTING, datetime.now(UTC), run.dag_id, run.run_id)
        return groups

    @task(map_index_template="{{ group_name }}", multiple_outputs=False)
    def collect(group: dict[str, Any]) -> dict[str, Any]:
        from strike_reporting.intake.collecting import safe_collection
        from strike_reporting.operations.rounds import collect_group

        context = get_current_context()
        context["group_name"] = group["name"]
        return collect_group(safe_collection(f"{context['dag_run'].run_after:%Y-%m-%d}"), group)

    @task(inlets=[LANDING], outlets=[LANDING], trigger_rule=A_PART_DONE, multiple_outputs=False)
    def landed() -> dict[str, Any]:
        from strike_reporting.operations import news
        from strike_reporting.operations.under_way import COLLECTING, end
        from strike_reporting.storage import Store

        end(Store(), COLLECTING)
        return tell(LANDING, lambda last: news.landed(Store(), last))

    @task(trigger_rule="none_failed")
    def verdict(planned: list[dict[str, Any]] | None, groups: list[dict[str, Any]]) -> list[str]:
        from strike_reporting.operations.rounds import end_collection
        from strikes_notify import tell_owner

        if planned is None:  # the plan was skipped
            return []
        run_id, only = get_current_context()["dag_run"].run_id, asked(FORM).get("feeds", [])
        return end_collection(run_id, *added_up(groups), only=only, tell=tell_owner)

    @task(retries=0, multiple_outputs=False)
    def chase() -> dict[str, int]:
        from strikes_mail import chase_out
        from strikes_notify import tell_what_is_over

        tell_what_is_over()
        return chase_out()

    planned = plan()
    pulled = collect.expand(group=planned)
    pulled >> landed()
    verdict(planned, pulled) >> chase().as_teardown()  # runs whatever failed before, and fails no run


collect_extracts()
