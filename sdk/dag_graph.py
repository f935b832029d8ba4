"""The graph inside a ``DAG``: its tasks, groups and edges, and how to look them up.

``DAG`` is this and what is said about schedule and runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .exceptions import DagInvalidTriggerRule, DuplicateTaskIdFound, NodeNotFound, TaskNotFound
from .graph import sorted_tasks

if TYPE_CHECKING:
    from datetime import datetime

    from .abstract_operator import AbstractOperator
    from .dag import DAG
    from .dag_node import DAGNode
    from .task_group import TaskGroup


class DagGraph:
    """Tasks by id, the root of their groups, and what is written on edges."""

    dag_id: str
    fail_fast: bool
    start_date: datetime | None
    end_date: datetime | None
    task_dict: dict[str, AbstractOperator]
    task_group: TaskGroup
    #: upstream id → downstream id → what is known about the edge
    edge_info: dict[str, dict[str, dict[str, str]]]

    @property
    def tasks(self) -> list[AbstractOperator]:
        """All tasks, in order of creation."""
        return list(self.task_dict.values())

    @property
    def task_ids(self) -> list[str]:
        """The ids of all tasks."""
        return list(self.task_dict)

    @property
    def task_group_dict(self) -> dict[str, TaskGroup]:
        """All groups but the root, by id."""
        return {str(id_): group for id_, group in self._groups().items() if id_ is not None}

    def _groups(self) -> dict[str | None, TaskGroup]:
        return self.task_group.get_task_group_dict()

    @property
    def task_count(self) -> int:
        """How many tasks there are."""
        return len(self.task_dict)

    @property
    def roots(self) -> list[AbstractOperator]:
        """Tasks with no upstream."""
        return [task for task in self.tasks if not task.upstream_task_ids]

    @property
    def leaves(self) -> list[AbstractOperator]:
        """Tasks with no downstream."""
        return [task for task in self.tasks if not task.downstream_task_ids]

    @property
    def teardowns(self) -> list[AbstractOperator]:
        """Tasks that are teardowns."""
        return [task for task in self.tasks if task.is_teardown]

    def has_task(self, task_id: str) -> bool:
        """Tell whether there is such a task."""
        return task_id in self.task_dict

    def has_task_group(self, task_group_id: str) -> bool:
        """Tell whether there is such a group."""
        return task_group_id in self.task_group_dict

    def get_task(self, task_id: str, include_subdags: bool = False) -> AbstractOperator:
        """Return a task. Raises TaskNotFound."""
        if task_id not in self.task_dict:
            raise TaskNotFound(f"the DAG {self.dag_id!r} has no task {task_id!r}")
        return self.task_dict[task_id]

    def __getitem__(self, node_id: str) -> DAGNode:
        if node_id in self.task_dict:
            return self.task_dict[node_id]
        groups = self.task_group_dict
        if node_id in groups:
            return groups[node_id]
        raise NodeNotFound(f"the DAG {self.dag_id!r} has neither task nor group {node_id!r}")

    def add_task(self, task: AbstractOperator) -> None:
        """Take in a task, and give it the DAG's dates where it has none.

        Raises:
            DuplicateTaskIdFound: its id is taken by a task or a group.
            FailFastDagInvalidTriggerRule: a fail-fast DAG cannot honour its trigger rule.
        """
        DagInvalidTriggerRule.check(
            is_fail_fast=self.fail_fast, trigger_rule=str(task.trigger_rule)
        )
        known = self.task_dict.get(task.task_id)
        if (known is not None and known is not task) or (
            task.task_id in self.task_group.used_group_ids
        ):
            raise DuplicateTaskIdFound(
                f"the id {task.task_id!r} is already taken in the DAG {self.dag_id!r}; "
                "give one of them another id"
            )
        if self.start_date is not None:
            own = task.start_date
            task.start_date = max(own, self.start_date) if own is not None else self.start_date
        if self.end_date is not None:
            own = task.end_date
            task.end_date = min(own, self.end_date) if own is not None else self.end_date
        self.task_dict[task.task_id] = task
        task.dag = self

    def add_tasks(self, tasks: Iterable[AbstractOperator]) -> None:
        """Take in tasks."""
        for task in tasks:
            self.add_task(task)

    def set_dependency(self, upstream_task_id: str, downstream_task_id: str) -> None:
        """Link two tasks by their ids."""
        self.get_task(upstream_task_id).set_downstream(self.get_task(downstream_task_id))

    def set_edge_info(self, upstream_id: str, downstream_id: str, info: dict[str, str]) -> None:
        """Write down something about one edge."""
        self.edge_info.setdefault(upstream_id, {})[downstream_id] = info

    def get_edge_info(self, upstream_id: str, downstream_id: str) -> dict[str, str]:
        """Return what is known about one edge."""
        return self.edge_info.get(upstream_id, {}).get(downstream_id, {})

    def topological_sort(self, include_subdag_tasks: bool = False) -> tuple[DAGNode, ...]:
        """Return the tasks so that each comes after its upstream.

        Raises:
            AirflowDagCycleException: there is no such order.
        """
        return tuple(sorted_tasks(self.task_dict))

    def partial_subset(
        self,
        task_ids: str | Iterable[str] | None = None,
        include_downstream: bool = False,
        include_upstream: bool = True,
        include_direct_upstream: bool = False,
        **older: Any,
    ) -> DAG:
        """Return a copy with some tasks only: those named (ids, or a pattern) and relatives."""
        from .dag_subset import partial_subset

        wanted = older.get("task_ids_or_regex", task_ids)
        whole: Any = self
        return partial_subset(
            whole,
            wanted,
            include_downstream=include_downstream,
            include_upstream=include_upstream,
            include_direct_upstream=include_direct_upstream,
        )
