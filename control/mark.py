"""Mark: a person says how a task instance, or a run, ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..database.values import RunRow, TaskInstanceRow
    from .services import Services


def mark_task(
    services: Services,
    dag_id: str,
    run_id: str,
    task_id: str,
    state: str,
    *,
    map_index: int = -1,
    task_ids: Sequence[str] | None = None,
    include_upstream: bool = False,
    include_downstream: bool = False,
    include_past: bool = False,
    include_future: bool = False,
    is_dry_run: bool = False,
) -> list[TaskInstanceRow]:
    """Give task instances a state; failures below them are cleared. A running process is stopped.

    Args:
        state: success, failed or skipped.
        map_index: only this instance of the task; -1: all of them.
        task_ids: all of these instead of the one task: those of a group.
        is_dry_run: only return which ones it would be.

    Raises:
        NotAllowed: a person cannot give this state.
        NotFound: the DAG or the run does not exist.
    """
    from ..database.selections import Selection

    marked_ids = [task_id] if task_ids is None else task_ids
    selection = Selection(
        dag_id=dag_id,
        run_ids=[run_id],
        task_ids=marked_ids if map_index < 0 else None,
        # What lies above or below one instance is marked whole.
        instances=None if map_index < 0 else [(id_, map_index) for id_ in marked_ids],
        include_upstream=include_upstream,
        include_downstream=include_downstream,
        include_past=include_past,
        include_future=include_future,
    )
    return services.store.task_instances.mark(
        selection, state, services.now(), services.actor, dry_run=is_dry_run
    )


def mark_run(services: Services, dag_id: str, run_id: str, state: str) -> RunRow:
    """Give a run a state: success or failed end it, queued lets it go again.

    Raises:
        NotAllowed: a person cannot give this state.
        DagRunNotFound: there is no such run.
    """
    services.store.runs.set_state(dag_id, run_id, state, services.now(), services.actor)
    return services.store.runs.get(dag_id, run_id)
