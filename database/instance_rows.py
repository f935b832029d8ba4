"""Creates task instance rows: with their run, by mapping, and when a clear moves the version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, update

from ..planning.snapshot import InstanceSnapshot
from ..sdk.serialized import SerializedTask
from .tables import task_instance
from .versions import Version

_INSERT = insert(task_instance)

_GIVE_INDEX = (
    update(task_instance)
    .where(task_instance.c.id == bindparam("held_id"), task_instance.c.map_index == -1)
    .values(map_index=0)
)


def create_rows(
    connection: Connection,
    dag_run_id: int,
    version: Version,
    instances: Iterable[tuple[str, int]],
) -> None:
    """Create one row for each (task id, map index)."""
    tasks = version.structure.tasks
    rows = [
        _row(dag_run_id, version, tasks[task_id], map_index) for task_id, map_index in instances
    ]
    if rows:
        connection.execute(_INSERT, rows)


def expand_rows(
    connection: Connection,
    dag_run_id: int,
    version: Version,
    task_id: str,
    length: int,
    present: Sequence[InstanceSnapshot],
) -> None:
    """Give a mapped task its instances 0..length-1; the placeholder becomes index 0."""
    indexes = {one.map_index for one in present}
    placeholder = next((one for one in present if one.map_index == -1), None)
    if placeholder is not None and length > 0 and 0 not in indexes:
        connection.execute(_GIVE_INDEX, {"held_id": placeholder.id})
        indexes.add(0)
    task = version.structure.tasks[task_id]
    rows = [
        _row(dag_run_id, version, task, map_index)
        for map_index in range(length)
        if map_index not in indexes
    ]
    if rows:
        connection.execute(_INSERT, rows)


def _row(dag_run_id: int, version: Version, task: SerializedTask, map_index: int) -> dict[str, Any]:
    return {
        "dag_run_id": dag_run_id,
        "task_id": task.task_id,
        "map_index": map_index,
        "tries_max": task.retries,
        "operator_name": task.operator_name or task.task_type,
        "pool": task.pool,
        "pool_slots": task.pool_slots,
        "queue": task.queue,
        "executor": task.executor,  # "": whatever is the default when it is claimed
        "priority_weight": task.effective_priority_weight,
        "version_id": version.id,
    }
