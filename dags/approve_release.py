"""Ask a person about a release that the gate holds, and release exactly the figures that he saw."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import TaskAwaitingInput
from strikes_common import DAG_DEFAULTS, RELEASE, tell_releases

DOC = """
### Approve release

Asks a person about one release that the gate holds: one run for each, started by `publish_disruption`, which does not
wait for it. The question, with what the gate found, stands under “Required Actions”; the REST API takes the answer as
well. With the setting `approvers` Airflow takes the answer of nobody else. A waiting run costs a look every five
minutes (`held_look_seconds`) and needs no triggerer. Under embargo the question names no figure: what was found stands
on the draft's pages.

* **ask** waits for the answer, and for the reason: without one it asks again. Where the release was decided about
  elsewhere (`strikes release approve`, `refuse`), or its figures are other ones now, it fails and says so; newer
  figures that the gate holds as well have a run of their own.
* **decide** keeps who decided, when and why. Approved, exactly those figures are released; should newer ones be there,
  nothing is, and it fails. Approved ahead of their announced time, `publish_disruption` releases them at it, if they
  are still the same. Refused, it fails, for nothing is released: a run is green only when a person let figures out.
* **released** announces `release`, as in `publish_disruption`. It is what the run's state hangs on.
* **draw** draws the release's pages, or what became of the draft, whatever was decided; **announce** mails the lists.

What fails a run, and what to do: `docs/runs.md`.
"""
APPROVE, REFUSE = "Approve", "Refuse"
FORM = {
    "action": Param("", type=["null", "string"], title="Industrial action", description="Whose release is held."),
    "since": Param("", type=["null", "string"], title="Held since", description="Which hold. Empty: the newest."),
}
REASON = Param("", type="string", title="Reason", description="Why: it is kept with the release and shown.")


class AskAPerson(HITLOperator):
    """Shows what the gate found, and waits. Approve and refuse are both answers: what follows from one, `decide` does.

    Airflow's ApprovalOperator would skip what is behind it on a refusal, and leave the run green.
    """

    def execute(self, context: Any) -> Any:
        """Ask, if the release is still held.

        Raises:
            StrikesError: it is not.
        """
        from strike_reporting.operations.holding import question

        hold = self._still_held(context)
        self.subject = f"Release the figures of {hold.action_id}?"
        self.body = question(hold)
        self.assigned_users = self._approvers()
        return super().execute(context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Hand the answer on. Where none came in a while, look whether it is still asked for, and go on waiting."""
        if event.get("error_type") == "timeout":
            self._still_held(context)
            raise TaskAwaitingInput(method_name="execute_complete", timeout=self.response_timeout)
        answer = super().execute_complete(context, event)
        if not str(answer["params_input"].get("reason") or "").strip():
            self.log.error("The answer had no reason, which is kept and shown: it is asked for again.")
            return self.execute(context)
        return answer

    @staticmethod
    def _approvers() -> list[Any] | None:
        """Whose answer Airflow takes; None where anybody's is who may edit the run."""
        from strike_reporting.setting_groups import people
        from strike_reporting.settings import settings

        found = people(settings().approvers)
        return [{"id": user_id, "name": name} for user_id, name in found.items()] or None

    def _still_held(self, context: Any) -> Any:
        from strike_reporting.operations.holding import still_held
        from strike_reporting.settings import settings
        from strike_reporting.storage import Store

        self.response_timeout = timedelta(seconds=settings().held_look_seconds)
        form = context["params"]
        return still_held(Store(), form["action"] or "", form["since"] or "")


@dag(
    dag_display_name="Approve release",
    schedule=None,
    params=FORM,
    doc_md=DOC,
    **{**DAG_DEFAULTS, "max_active_runs": 16, "deadline": None},  # it waits for a person as long as he takes
)
def approve_release():
    @task(multiple_outputs=False, on_failure_callback=None)  # a refusal fails it, and is nothing to mend
    def decide(answer: dict[str, Any]) -> dict[str, str]:
        from datetime import UTC, datetime

        from strike_reporting.errors import StrikesError
        from strike_reporting.ledger.gated import Hold
        from strike_reporting.operations.holding import approve_now, refuse
        from strike_reporting.storage import Store

        form, person = get_current_context()["params"], answer["responded_by_user"] or {}
        who = person.get("name") or person.get("id") or "somebody whom Airflow does not name"
        said, since = (Store(), form["action"], answer["params_input"]["reason"], who), form["since"] or ""
        if answer["chosen_options"] != [APPROVE]:
            refused = refuse(*said, datetime.now(UTC), since)
            raise StrikesError(f"nothing was released: {refused.action_id} was {refused.sentence}")
        approved = approve_now(*said, since)
        if isinstance(approved, Hold):
            return {"release": "", "at": approved.not_before}
        return {"release": approved.release_id}

    @task(inlets=[RELEASE], outlets=[RELEASE], multiple_outputs=False)
    def released() -> dict[str, Any]:
        return tell_releases()

    @task(trigger_rule="all_done")
    def draw() -> list[str]:
        from strike_reporting.operations.rounds import draw_site

        return draw_site()

    @task(retries=0, multiple_outputs=False)
    def announce() -> dict[str, int]:
        from strikes_mail import mail_out

        return mail_out()

    ask = AskAPerson(
        task_id="ask", subject="", options=[APPROVE, REFUSE], params={"reason": REASON}, execution_timeout=None
    )
    decided = decide(ask.output)
    decided >> [released(), drawn := draw()]  # a failure of it fails the run by `released`, for `draw` goes on
    drawn >> announce().as_teardown()


approve_release()
