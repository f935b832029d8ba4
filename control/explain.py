"""Explain: why a task instance is not running."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..planning.explain import explain
from ..sdk.states import UNFINISHED, TaskInstanceState

if TYPE_CHECKING:
    from ..database.values import RunRow, TaskInstanceRow
    from .services import Services

RUNNING = TaskInstanceState.RUNNING


def why_not_running(
    services: Services, dag_id: str, run_id: str, task_id: str, map_index: int = -1
) -> list[str]:
    """Return the reasons, most binding first; empty: nothing holds it.

    Raises:
        DagNotFound, DagRunNotFound, TaskInstanceNotFound: what was named is not there.
    """
    run = services.store.runs.get(dag_id, run_id)
    row = services.store.task_instances.get(dag_id, run_id, task_id, map_index)
    if row.state is TaskInstanceState.QUEUED:
        return [services.store.attempts.why_unclaimed(row.executor, row.queue)]
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


def why_waiting(
    services: Services, run: RunRow, rows: Sequence[TaskInstanceRow], limit: int = 200
) -> dict[int, str]:
    """Return task instance → the most binding reason why it waits, for those that do.

    One look at the run answers for all of them.
    """
    waiting = [row for row in rows if row.state in UNFINISHED and row.state is not RUNNING][:limit]
    if not waiting:
        return {}
    snapshot = services.store.task_instances.snapshot(run.id)
    blocked = {
        one.candidate.task_instance_id: one for one in services.store.task_instances.blocked()
    }
    is_paused = services.store.dags.get(run.dag_id).is_paused and run.backfill_id is None
    found = {}
    unclaimed: dict[tuple[str, str], str] = {}
    for row in waiting:
        if row.state is TaskInstanceState.QUEUED:
            place = row.executor, row.queue
            if place not in unclaimed:
                unclaimed[place] = services.store.attempts.why_unclaimed(*place)
            found[row.id] = unclaimed[place]
            continue
        reasons = explain(
            snapshot,
            row.task_id,
            row.map_index,
            services.now(),
            is_paused=is_paused,
            blocked=blocked.get(row.id),
        )
        found[row.id] = reasons[0] if reasons else ""
    return found
