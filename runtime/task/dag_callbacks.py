"""Calls what a DAG wants to be called when one of its runs has ended.

Source: ``spec/semantics.md`` section 1.8.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...sdk.context import Context, set_current_context
from ...sdk.states import TaskInstanceState
from ...sdk.task_runtime import TaskRuntime
from .callbacks import run_callbacks
from .late_callbacks import context_after
from .task_spec import TaskInstanceSpec

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
    spec = None
    if task_id is not None:
        spec = TaskInstanceSpec(
            dag.dag_id,
            dag_run["run_id"],
            task_id,
            map_index=map_index,
            try_number=try_number,
            dag_run=dict(dag_run),
        )
    state = TaskInstanceState.SUCCESS if is_success else TaskInstanceState.FAILED
    call_with_context_of(
        dag,
        spec,
        state,
        is_success=is_success,
        reason=reason,
        run_id=dag_run["run_id"],
        runtime=runtime,
    )


def call_with_context_of(
    dag: DAG,
    spec: TaskInstanceSpec | None,
    state: TaskInstanceState,
    *,
    is_success: bool,
    reason: str,
    run_id: str,
    runtime: TaskRuntime,
) -> None:
    """Call the DAG's callbacks with the context of one task instance that is in *state*.

    Args:
        spec: None, or of a task that the DAG no longer has: the smallest context.
        is_success: how the run ended.
    """
    name = "on_success_callback" if is_success else "on_failure_callback"
    if not getattr(dag, name, None):
        return
    context = Context(dag=dag, run_id=run_id, reason=reason)
    if spec is not None and dag.has_task(spec.task_id):
        context = context_after(
            dag=dag,
            task=dag.get_task(spec.task_id),
            spec=spec,
            runtime=runtime,
            log=log,
            state=state,
        )
        context["reason"] = reason
    with set_current_context(context):
        run_callbacks(dag, name, context, log)
