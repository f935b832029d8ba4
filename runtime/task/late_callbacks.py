"""Callbacks, and their context, after a try: in a process that is not the try's own.

Nothing is rendered again, and what the try left is not removed (semantics section 5.10).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from ...sdk.context import Context
from ...sdk.exceptions import AirflowException
from ...sdk.states import TaskInstanceState
from .execute import TaskExecution
from .task_spec import TaskInstanceSpec

if TYPE_CHECKING:
    from ...sdk.dag import DAG
    from ...sdk.task_runtime import TaskRuntime


def context_after(
    *,
    dag: DAG,
    task: Any,
    spec: TaskInstanceSpec,
    runtime: TaskRuntime,
    log: logging.Logger,
    state: TaskInstanceState,
) -> Context:
    """Return the template context of a task instance that has ended in *state*."""
    return TaskExecution(dag=dag, task=task, spec=spec, runtime=runtime, log=log).look_back(state)


def call_back(
    *,
    dag: DAG,
    task: Any,
    spec: TaskInstanceSpec,
    runtime: TaskRuntime,
    log: logging.Logger,
    state: TaskInstanceState,
    reason: str,
) -> None:
    """Call what wants to hear of a try whose own process could not call it any more.

    Args:
        state: failed or up_for_retry; it chooses the callbacks.
        reason: why the try ended; callbacks find it as text of ``context["exception"]``.
    """
    execution = TaskExecution(dag=dag, task=task, spec=spec, runtime=runtime, log=log)
    execution.call_back(state, AirflowException(reason))
