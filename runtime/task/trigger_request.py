"""Follows an operator that asks for a dag run by raising, as that of the standard provider does."""

from __future__ import annotations

from typing import Any

from ...sdk.exceptions import DagRunTriggerException
from ...sdk.operator_construction import RUNS_ITS_TASK


def follow(request: DagRunTriggerException, task: Any, context: Any) -> None:
    """Trigger the run, and wait for its end where that is asked for.

    Raises:
        AirflowException: and whatever else our own operator raises.
    """
    from ...operators.trigger_dagrun import TriggerDagRunOperator

    asked = vars(request)
    arguments = {
        name: asked[name]
        for name in (
            "trigger_dag_id",
            "conf",
            "logical_date",
            "run_after",
            "reset_dag_run",
            "skip_when_already_exists",
            "wait_for_completion",
            "allowed_states",
            "failed_states",
            "poke_interval",
            "note",
            "fail_when_dag_is_paused",
        )
        if asked.get(name) is not None
    }
    operator = TriggerDagRunOperator(
        task_id=task.task_id.replace(".", "_"),
        trigger_run_id=asked.get("dag_run_id") or None,
        # Waited for here: what it would be resumed with is the other operator's business.
        deferrable=False,
        **arguments,
    )
    operator.__dict__[RUNS_ITS_TASK] = True  # in the place of the one that asked
    operator.execute(context)
