"""Pull every trust's extracts and land them."""

from __future__ import annotations

from typing import Any

from airflow.sdk import dag, get_current_context, task
from strikes_common import DAG_DEFAULTS, LANDING

DOC = """
### Collect extracts

Pulls every feed of the registry (`include/config/feeds`) and lands the bytes as received.

* **plan** reads the registry and makes groups of feeds.
* **collect** pulls one group. Every feed ends in a pull record, also when it failed; one feed never stops another.
* **landed** adds the groups up, fails the run only when more than half the feeds failed, and announces `landing`.
* **warn** lists what will break soon: credentials and certificates within 14 days of their end, changed host keys,
  feeds silent for longer than usual.

A rerun lands nothing twice: a content that a feed delivered before is a duplicate. What became of each feed is in
`ledger/pulls/<date>/`. To pull again by hand, trigger the DAG; to replay what was landed, trigger `validate_extracts`.
"""


@dag(dag_display_name="Collect extracts", schedule="10 7,9,11,13,17 * * *", doc_md=DOC, **DAG_DEFAULTS)
def collect_extracts():
    @task
    def plan() -> list[dict[str, Any]]:
        from strike_reporting.operations.rounds import collect_plan

        return collect_plan()

    @task(map_index_template="{{ group_name }}", multiple_outputs=False)
    def collect(group: dict[str, Any]) -> dict[str, int]:
        from strike_reporting.intake.collecting import safe_collection
        from strike_reporting.operations.rounds import collect_group

        context = get_current_context()
        context["group_name"] = group["name"]
        return collect_group(safe_collection(f"{context['dag_run'].run_after:%Y-%m-%d}"), group)

    @task(outlets=[LANDING], trigger_rule="none_failed", multiple_outputs=False)
    def landed(counts: list[dict[str, int]]) -> dict[str, int]:
        total: dict[str, int] = {}
        for group in counts[:]:  # a slice is one request, iterating is one a group
            for status, number in group.items():
                total[status] = total.get(status, 0) + number
        if total.get("failed", 0) * 2 > sum(total.values()):
            raise RuntimeError(f"more than half of the feeds failed: {total}")
        return total

    @task(trigger_rule="all_done")
    def warn() -> list[str]:
        """Expiring credentials and certificates, changed host keys and silent feeds, before they lose a return."""
        import logging

        from strike_reporting.operations.rounds import warnings

        found = warnings()
        for warning in found:
            logging.getLogger(__name__).warning(warning)
        return found

    landed(collect.expand(group=plan())) >> warn()


collect_extracts()
