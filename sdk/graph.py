"""Order in a DAG: cycles, and which task comes before which."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from .exceptions import AirflowDagCycleException


class Linked(Protocol):
    """A task, as far as its order is concerned."""

    task_id: str
    upstream_task_ids: set[str]
    downstream_task_ids: set[str]

    @property
    def dag_id(self) -> str:
        """The DAG that it is in."""


T = TypeVar("T", bound=Linked)


def sorted_tasks(task_dict: Mapping[str, T]) -> list[T]:
    """Return tasks so that each comes after its upstream, ties in order of creation.

    Raises:
        AirflowDagCycleException: there is no such order. The text names the tasks in the circle.
    """
    rank = {task_id: number for number, task_id in enumerate(task_dict)}
    waiting = {id_: len(task.upstream_task_ids) for id_, task in task_dict.items()}
    ready = deque(id_ for id_, count in waiting.items() if count == 0)
    ordered: list[T] = []
    while ready:
        task = task_dict[ready.popleft()]
        ordered.append(task)
        for task_id in sorted(task.downstream_task_ids, key=rank.__getitem__):
            waiting[task_id] -= 1
            if waiting[task_id] == 0:
                ready.append(task_id)
    if len(ordered) < len(task_dict):
        dag_id = next(iter(task_dict.values())).dag_id
        raise AirflowDagCycleException(
            f"the DAG {dag_id!r}: its tasks depend on each other in a circle: "
            + " >> ".join(_circle(task_dict, waiting))
            + "; take one of these edges away"
        )
    return ordered


def _circle(task_dict: Mapping[str, T], waiting: Mapping[str, int]) -> list[str]:
    """Return one circle, its first task again at the end."""
    stuck = {task_id for task_id, count in waiting.items() if count > 0}
    path: list[str] = [min(stuck)]
    while True:
        # Every stuck task has a stuck upstream, so walking up must meet itself.
        upstream = min(task_dict[path[-1]].upstream_task_ids & stuck)
        if upstream in path:
            return [upstream, *reversed(path[path.index(upstream) :])]
        path.append(upstream)


def check_cycle(dag: Any) -> None:
    """Raise AirflowDagCycleException when the tasks of *dag* depend on each other in a circle."""
    sorted_tasks(dag.task_dict)
