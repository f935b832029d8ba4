"""Calls what a DAG wants to be called when one of its runs has ended.

Source: ``spec/semantics.md`` section 1.8.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...sdk.dag_run import DagRun
from ...sdk.operator_arguments import read_callbacks
from ...sdk.task_instance import RuntimeTaskInstance
from ...sdk.task_runtime import TaskRuntime

if TYPE_CHECKING:
    from ...sdk.dag import DAG

log = logging.getLogger("tradewind.task")


def call_dag_callbacks(
    dag: DAG,
    *,
    is_success: bool,
    reason: str,
    dag_run: Mapping[str, Any],
    runtime: TaskRuntime,
    task_id: str | None = None,
    map_index: int = -1,
    try_number: int = 1,
) -> None:
    """Call the DAG's callbacks in order; one that raises is logged and stops nothing.

    Args:
        reason: success, task_failure, all_tasks_deadlocked or timed_out.
        dag_run: the run's fields, named as the columns of ``dag_run``.
        task_id: the task instance whose context they get (the last one that failed, or
            succeeded); None: they get the DAG, the run id and the reason only.
    """
    wanted = dag.on_success_callback if is_success else dag.on_failure_callback
    callbacks = read_callbacks(wanted, "the DAG")
    if not callbacks:
        return
    context: Any = {"dag": dag, "run_id": dag_run["run_id"], "reason": reason}
    if task_id is not None and dag.has_task(task_id):
        instance = RuntimeTaskInstance(
            task=dag.get_task(task_id),
            dag_run=DagRun(dag.dag_id, dag_run["run_id"], dag_run),
            runtime=runtime,
            map_index=map_index,
            try_number=try_number,
        )
        instance.state = "success" if is_success else "failed"
        context = instance.get_template_context()
        context["reason"] = reason
    for callback in callbacks:
        try:
            callback(context)
        except Exception:
            log.exception("A callback of DAG %s failed", dag.dag_id)
