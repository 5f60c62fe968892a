"""What the DAGs share: defaults, tags, the assets that link them, and what is worth trying again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import (
    Asset,
    AsyncCallback,
    DeadlineAlert,
    DeadlineReference,
    ExceptionRetryPolicy,
    Param,
    RetryAction,
    RetryRule,
    get_current_context,
)
from strikes_notify import ROUND_MINUTES, OwnerNotifier, late_run

if TYPE_CHECKING:
    from strike_reporting.reference.due import Calendar

LANDING = Asset("strikes://landing")
ACCEPTED = Asset("strikes://accepted")
RELEASE = Asset("strikes://release")
log = logging.getLogger(__name__)

# What may work later is tried again, and so is what nobody foresaw, a killed process too. A known fault fails at once.
TRY_AGAIN = ExceptionRetryPolicy(
    [
        RetryRule("strike_reporting.errors.Transient", RetryAction.RETRY, reason="it may work later"),
        RetryRule("strike_reporting.errors.StrikesError", RetryAction.FAIL, reason="trying again would not help"),
    ]
)


def refuse_backfill(context: Any) -> None:
    """Stop, before it does anything, each task of a run that Airflow's backfill made for days that are gone.

    Raises:
        OurFault: for any such run; trying again would not help.
    """
    run = context["dag_run"]
    if run.run_type == "backfill":
        from strike_reporting.errors import OurFault

        raise OurFault(
            f"{run.dag_id} takes no backfill, and nothing was done: it pulls, judges and publishes what is there "
            "now, so a run for a day that is gone would record what never was. For what there is to do now, trigger "
            "the DAG; to judge again what was landed on those days, `strikes replay --from DAY --to DAY`."
        )


DAG_DEFAULTS = {
    "start_date": datetime(2022, 12, 1, tzinfo=UTC),
    "catchup": False,
    "max_active_runs": 1,
    "tags": ["strike-reporting"],
    "deadline": DeadlineAlert(
        name="A round is late",
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(minutes=ROUND_MINUTES),
        callback=AsyncCallback(late_run),
    ),
    "default_args": {
        "owner": "strike-reporting",
        "retries": 3,
        "retry_delay": timedelta(minutes=1),
        "retry_exponential_backoff": 2,
        "retry_policy": TRY_AGAIN,
        "execution_timeout": timedelta(minutes=30),
        "pre_execute": refuse_backfill,
        "on_failure_callback": OwnerNotifier(),
    },
}
_LOOK = timedelta(seconds=10)  # between two looks whether a stage is still under way: each is a process
# What is announced: every group has ended and one of them did its work, for a part is worth going on with.
A_PART_DONE = "all_done_min_one_success"


def feeds_field(what: str) -> Param:
    """Feeds in the form of a run by hand."""
    said = f"{what}: a feed's id, or a trust's ODS code, one a line. Empty: all of them."
    return Param([], type=["null", "array"], items={"type": "string"}, title="Feeds", description=said)


def action_field(calendar: Calendar, what: str) -> Param:
    """An action in the form of a run by hand; the calendar's are offered, the newest first."""
    known = [spell.action_id for spell in reversed(calendar.spells)]
    return Param("", type=["null", "string"], examples=known, title="Industrial action", description=what)


def asked(form: Mapping[str, Param]) -> dict[str, Any]:
    """What the form of this run was filled in with, by a person or over the API; every other run has the defaults."""
    from strike_reporting.operations.by_hand import checked

    return checked(get_current_context()["params"], form)


def wait_for(stage: str) -> None:
    """Put the task off while the stage before is under way, unless that stage's event started the run.

    It takes no slot and no try meanwhile.
    """
    from airflow.sdk.exceptions import AirflowRescheduleException
    from strike_reporting.operations.under_way import until
    from strike_reporting.storage import Store

    context, now = get_current_context(), datetime.now(UTC)
    run = context["dag_run"]
    if run.run_type == "asset_triggered":
        return

    def is_running(dag_id: str, run_id: str) -> bool:
        return bool(context["ti"].get_dr_count(dag_id, run_ids=[run_id], states=["queued", "running"]))

    if last := until(Store(), stage, run.start_date or now, now, is_running):
        log.info("%s is under way: this run goes on when it has ended, or at %s.", stage.capitalize(), last)
        raise AirflowRescheduleException(min(now + _LOOK, last))


def tell(asset: Asset, news: Callable[[Mapping[str, Any]], dict[str, Any] | None]) -> dict[str, Any]:
    """Emit the asset's event with the facts that are news since its last one; without any it is not emitted.

    The task names the asset as inlet and outlet.
    """
    from airflow.sdk.exceptions import AirflowSkipException

    context = get_current_context()
    last = list(context["inlet_events"][asset].ascending(False).limit(1))
    facts = news(last[0].extra if last else {})
    if facts is None:
        raise AirflowSkipException(f"Nothing changed since the last event of {asset.name}, so none is emitted.")
    context["outlet_events"][asset].extra = facts
    return facts


def tell_releases() -> dict[str, Any]:
    """Emit the event of releases, where an action has another current one than was told."""
    from strike_reporting.operations import news
    from strike_reporting.storage import Store

    return tell(RELEASE, lambda last: news.released(Store(), last))


def added_up(groups: Sequence[dict[str, Any]]) -> tuple[dict[str, int], list[str]]:
    """Counts by status and problems of all groups; a run's verdict is made of them."""
    counts: dict[str, int] = {}
    problems: list[str] = []
    for group in groups[:]:  # a slice is one request, iterating is one a group
        problems += group["problems"]
        for status, number in group["counts"].items():
            counts[status] = counts.get(status, 0) + number
    return counts, problems
