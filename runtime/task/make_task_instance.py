"""The ``ti`` that user code sees while its task runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...sdk.dag_run import DagRun, to_pendulum
from ...sdk.task_instance import RuntimeTaskInstance, host_name
from .task_spec import TaskInstanceSpec

if TYPE_CHECKING:
    from ...sdk.task_runtime import TaskRuntime


def make_task_instance(
    task: Any, spec: TaskInstanceSpec, runtime: TaskRuntime
) -> RuntimeTaskInstance:
    """Return the task instance that *spec* describes; *runtime* answers what it is asked."""
    attributes = {
        "hostname": spec.hostname or host_name(),
        "row_number": spec.task_instance_id,
        "queue": spec.queue,
        "pool": spec.pool,
        "pool_slots": spec.pool_slots,
        "priority_weight": spec.priority_weight,
        "queued_dttm": to_pendulum(spec.queued_at),
        "reschedule_count": spec.reschedule_count,
        "first_reschedule_at": spec.first_reschedule_at,
    }
    if spec.started_at is not None:
        attributes["start_date"] = to_pendulum(spec.started_at)
    return RuntimeTaskInstance(
        task=task,
        dag_run=DagRun(spec.dag_id, spec.run_id, spec.dag_run),
        runtime=runtime,
        map_index=spec.map_index,
        try_number=spec.try_number,
        max_tries=spec.tries_max,
        attributes=attributes,
    )
