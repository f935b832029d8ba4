"""Explain: why a task instance is not running."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..planning.explain import explain
from ..sdk.states import TaskInstanceState

if TYPE_CHECKING:
    from .services import Services


def why_not_running(
    services: Services, dag_id: str, run_id: str, task_id: str, map_index: int = -1
) -> list[str]:
    """Return the reasons, most binding first; empty: nothing holds it.

    Raises:
        DagNotFound, DagRunNotFound, TaskInstanceNotFound: what was named is not there.
    """
    run = services.store.runs.get(dag_id, run_id)
    row = services.store.task_instances.get(dag_id, run_id, task_id, map_index)
    snapshot = services.store.task_instances.snapshot(run.id)
    blocked = None
    if row.state is TaskInstanceState.SCHEDULED:
        held_back = services.store.task_instances.blocked()
        blocked = next((one for one in held_back if one.candidate.task_instance_id == row.id), None)
    return explain(
        snapshot,
        task_id,
        row.map_index,
        services.now(),
        is_paused=services.store.dags.get(dag_id).is_paused and run.backfill_id is None,
        blocked=blocked,
    )
