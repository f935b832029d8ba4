"""Clear: task instances, and so their runs, go again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .clear_markers import MarkerWalk
from .clear_request import ClearRequest as ClearRequest
from .input import InvalidInput, compile_pattern
from .pause import all_dags

if TYPE_CHECKING:
    from ..database.selections import Selection
    from ..database.values import TaskInstanceRow
    from .services import Services


def preview(services: Services, request: ClearRequest) -> list[TaskInstanceRow]:
    """Return the task instances that ``clear`` would clear, those of other DAGs last.

    Raises:
        DagNotFound: there is no such DAG.
        InvalidInput: the pattern is none, or a marker leads nowhere or too far.
    """
    return [row for _, rows in _reach(services, request) for row in rows]


def _reach(
    services: Services, request: ClearRequest
) -> list[tuple[ClearRequest, list[TaskInstanceRow]]]:
    """Return *request* and those that markers add to it, each with what it clears."""
    walk = MarkerWalk(services, request)
    reached = [(request, _preview_one(services, request))]
    depth_max = walk.depth(reached[0][1])
    level = list(reached)
    for depth in range(depth_max + 1):
        targets = [target for _, rows in level for target in walk.targets(rows)]
        if not targets:
            return reached
        if depth == depth_max:
            raise InvalidInput(
                f"The clear goes on over more than {depth_max} markers from DAG to DAG: raise "
                f"recursion_depth of the first one, in DAG {request.dag_id!r}"
            )
        level = [(target, _preview_one(services, target)) for target in targets]
        reached += level
    return reached


def _preview_one(services: Services, request: ClearRequest) -> list[TaskInstanceRow]:
    return services.store.task_instances.clear(
        _selection(services, request), services.now(), services.actor, dry_run=True
    )


def clear(services: Services, request: ClearRequest) -> list[TaskInstanceRow]:
    """Clear task instances; finished runs are queued again. Returns them as they stood before.

    Raises: as ``preview``; then nothing was cleared.
    """
    return [
        row
        for one, _ in _reach(services, request)
        for row in services.store.task_instances.clear(
            _selection(services, one),
            services.now(),
            services.actor,
            reset_dag_runs=one.reset_dag_runs,
            on_latest_version=one.on_latest_version,
        )
    ]


def requests_for(
    services: Services, request: ClearRequest, *, is_dag_pattern: bool
) -> list[ClearRequest]:
    """Return one request for each DAG: *request* itself, or all whose id the pattern matches.

    Raises:
        InvalidInput: the pattern is none, or matches no DAG.
    """
    if not is_dag_pattern:
        services.store.dags.get(request.dag_id)
        return [request]
    pattern = compile_pattern(request.dag_id, "The DAG id")
    ids = [row.dag_id for row in all_dags(services) if pattern.search(row.dag_id)]
    if not ids:
        raise InvalidInput(f"No DAG id matches {request.dag_id!r}")
    return [replace(request, dag_id=dag_id) for dag_id in ids]


def _selection(services: Services, request: ClearRequest) -> Selection:
    from ..database.errors import NotFound
    from ..database.selections import Selection

    dag = services.store.dags.serialized(request.dag_id)
    task_ids = request.task_ids
    instances = request.instances
    if request.task_id is not None:
        if request.task_id not in {task.task_id for task in dag.tasks}:
            raise NotFound(f"DAG {request.dag_id!r} has no task {request.task_id!r}")
        if request.map_index is None:
            task_ids = [request.task_id]
        else:
            instances = [(request.task_id, request.map_index)]
    if request.task_pattern is not None:
        pattern = compile_pattern(request.task_pattern, "The task id")
        task_ids = [task.task_id for task in dag.tasks if pattern.search(task.task_id)]
    return Selection(
        dag_id=request.dag_id,
        task_ids=task_ids,
        instances=instances,
        run_ids=request.run_ids,
        from_at=request.from_at,
        to_at=request.to_at,
        include_upstream=request.include_upstream,
        include_downstream=request.include_downstream,
        include_past=request.include_past,
        include_future=request.include_future,
        only_failed=request.only_failed,
        only_running=request.only_running,
        with_setups=task_ids is not None or instances is not None,
    )
