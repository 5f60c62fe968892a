"""Cut the releases of the past, of what was received then."""

from __future__ import annotations

from typing import Any

from airflow.sdk import dag, get_current_context, task
from strike_calendar import StrikeCalendarTimetable
from strikes_common import A_PART_DONE, DAG_DEFAULTS, RELEASE, action_field, asked, tell_releases

DOC = """
### Replay history

Started by hand. Of every action that something was received about and of which there is no release yet, it cuts the
releases that would have been cut had the pipeline run while the files came: at the announced times of then, each of
what had been received by it, by the rules and the reference data of today. Nobody is mailed of the past, and the gate
holds nothing of it; what it finds is kept.

Land and validate everything first, with `publish_disruption` paused: what it has released is not replayed. A run that
was broken off is started again and goes on where it was.

* **plan** asks the ledger which actions there are. * **replay** cuts one action's releases, in order. * **released**
  announces `release`. * **draw** draws the pages.

`strikes release replay` does the same. What fails a run, and what to do: `docs/runs.md`.
"""
FORM = {"action": action_field(StrikeCalendarTimetable(behind=0).calendar, "Only this action. Empty: all of them.")}


@dag(
    dag_display_name="Replay history",
    schedule=None,
    params=FORM,
    doc_md=DOC,
    **{**DAG_DEFAULTS, "deadline": None},  # it takes as long as there is history
)
def replay_history():
    @task
    def plan() -> list[str]:
        from strike_reporting.operations.history import to_replay
        from strike_reporting.storage import Store

        return to_replay(Store(), asked(FORM).get("action", ""))

    @task(map_index_template="{{ action_name }}", multiple_outputs=False)
    def replay(action_id: str) -> list[str]:
        from datetime import UTC, datetime

        from strike_reporting.operations.history import replay as replayed
        from strike_reporting.storage import Store

        get_current_context()["action_name"] = action_id
        return replayed(Store(), action_id, datetime.now(UTC))

    @task(inlets=[RELEASE], outlets=[RELEASE], trigger_rule=A_PART_DONE, multiple_outputs=False)
    def released() -> dict[str, Any]:
        return tell_releases()

    @task
    def draw() -> list[str]:
        from strike_reporting.operations.rounds import draw_site

        return draw_site()

    done = replay.expand(action_id=plan())
    done >> [released(), draw()]


replay_history()
