"""Pull every trust's extracts and land them."""

from __future__ import annotations

from typing import Any

from airflow.sdk import dag, get_current_context, task
from strikes_common import A_PART_DONE, DAG_DEFAULTS, LANDING, added_up

DOC = """
### Collect extracts

Pulls every feed of the registry (the configuration's `feeds`) and lands the bytes as received.

* **plan** reads the registry and makes groups of feeds. A faulty entry stops only itself.
* **collect** pulls one group. Every feed ends in a pull record, also when it failed; one feed never stops another.
* **landed** announces `landing` as soon as every group has ended, whatever failed.
* **verdict** fails the run when a pull failed on our side, or when more than half of the feeds failed (the setting
  `failed_feeds_percent`); a faulty entry is a feed that failed.
* **warn**, beside the verdict, lists what is broken or will be soon: faulty entries, feeds that failed or are silent
  for longer than usual, credentials and certificates near their end. Should it fail itself, the run does not.

A rerun lands nothing twice: a content that a feed delivered before is a duplicate. To pull again by hand, trigger the
DAG; to replay what was landed, trigger `validate_extracts`. What fails a run, and what to do: `docs/runs.md`.
"""


@dag(dag_display_name="Collect extracts", schedule="10 7,9,11,13,17 * * *", doc_md=DOC, **DAG_DEFAULTS)
def collect_extracts():
    @task
    def plan() -> list[dict[str, Any]]:
        from strike_reporting.operations.rounds import collect_plan

        return collect_plan()

    @task(map_index_template="{{ group_name }}", multiple_outputs=False)
    def collect(group: dict[str, Any]) -> dict[str, Any]:
        from strike_reporting.intake.collecting import safe_collection
        from strike_reporting.operations.rounds import collect_group

        context = get_current_context()
        context["group_name"] = group["name"]
        return collect_group(safe_collection(f"{context['dag_run'].run_after:%Y-%m-%d}"), group)

    @task(outlets=[LANDING], trigger_rule=A_PART_DONE, multiple_outputs=False)
    def landed(groups: list[dict[str, Any]]) -> dict[str, int]:
        return added_up(groups)[0]

    @task(trigger_rule="none_failed")
    def verdict(groups: list[dict[str, Any]]) -> None:
        from strike_reporting.operations.rounds import collected

        collected(*added_up(groups))

    @task(retries=0)
    def warn() -> list[str]:
        import logging

        from strike_reporting.operations.rounds import warnings

        found = warnings()
        for warning in found:
            logging.getLogger(__name__).warning(warning)
        return found

    pulled = collect.expand(group=plan())
    landed(pulled)
    verdict(pulled)
    pulled >> warn().as_teardown()  # runs whatever failed before, and fails no run


collect_extracts()
