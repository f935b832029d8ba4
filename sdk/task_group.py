"""Task groups: tasks that stand together, share a prefix and defaults, and can be mapped.

Rules: semantics sections 2.5 and 3.5.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import dag_context
from .abstract_operator import AbstractOperator
from .dag_node import DAGNode
from .exceptions import (
    DuplicateTaskIdFound,
    InvalidArgumentError,
    InvalidValueError,
    NodeNotFound,
    TaskAlreadyInTaskGroup,
)
from .graph import sorted_tasks
from .operator_arguments import validate_group_key, validate_key

if TYPE_CHECKING:
    from .dag import DAG
    from .expand_inputs import ExpandInput


class TaskGroup(DAGNode):
    """Tasks and groups inside one DAG. The DAG itself holds a root group without an id."""

    def __init__(
        self,
        group_id: str | None,
        prefix_group_id: bool = True,
        parent_group: TaskGroup | None = None,
        dag: DAG | None = None,
        default_args: Mapping[str, Any] | None = None,
        tooltip: str = "",
        ui_color: str = "CornflowerBlue",
        ui_fgcolor: str = "#000",
        add_suffix_on_collision: bool = False,
        group_display_name: str = "",
        doc_md: str | None = None,
        *,
        _is_root: bool = False,
    ) -> None:
        if parent_group is None and not _is_root:
            dag = dag if dag is not None else dag_context.DagContext.get_current_dag()
            parent_group = dag_context.TaskGroupContext.get_current_task_group(dag)
        if dag is None and parent_group is not None:
            dag = parent_group.dag
        if dag is None:
            raise InvalidUseOfGroupError("a TaskGroup can only be used inside a DAG")
        self.dag = dag
        self.parent_group = self.task_group = parent_group
        self.prefix_group_id = prefix_group_id
        inherited = parent_group.default_args if parent_group is not None else {}
        self.default_args: dict[str, Any] = {**copy.copy(inherited), **(default_args or {})}
        self.tooltip = tooltip
        self.ui_color = ui_color
        self.ui_fgcolor = ui_fgcolor
        self.group_display_name = group_display_name
        self.doc_md = doc_md
        self.children: dict[str, DAGNode] = {}
        self.upstream_group_ids: set[str | None] = set()
        self.downstream_group_ids: set[str | None] = set()
        self.upstream_task_ids: set[str] = set()
        self.downstream_task_ids: set[str] = set()
        self._upstream_nodes: list[DAGNode] = []
        self._downstream_nodes: list[DAGNode] = []
        if _is_root:
            self._group_id: str | None = None
            #: Every id taken in the DAG, by tasks, groups and the joins of groups.
            self.used_group_ids: set[str | None] = set()
            return
        if not isinstance(parent_group, TaskGroup):
            raise InvalidUseOfGroupError("a TaskGroup can only be used inside a DAG")
        self._check_id(group_id)
        self.used_group_ids = parent_group.used_group_ids
        self._group_id = self._free_id(str(group_id), add_suffix_on_collision)
        self.used_group_ids |= {self._group_id, self.upstream_join_id, self.downstream_join_id}
        parent_group.add(self)

    def _check_id(self, group_id: str | None) -> None:
        if self.prefix_group_id or self.dag.dialect == "3":
            validate_group_key(group_id)  # type: ignore[arg-type] # refused there
        elif not group_id or not isinstance(group_id, str):
            raise InvalidArgumentError("a group needs an id")
        else:
            validate_key(group_id)

    def _free_id(self, group_id: str, is_suffixed: bool) -> str:
        assert self.parent_group is not None  # noqa: S101 - only the root has none
        wanted = self.parent_group.child_id(group_id)
        if wanted not in self.used_group_ids:
            return wanted
        if not is_suffixed:
            raise DuplicateTaskIdFound(
                f"the id {wanted!r} is already taken in the DAG {self.dag.dag_id!r}; "
                "give the group another one"
            )
        return suffixed(wanted, {id_ for id_ in self.used_group_ids if id_})

    @property
    def node_id(self) -> str:
        return self._group_id or ""

    @property
    def group_id(self) -> str | None:
        """The full id, with the prefixes of the groups around it; None for the root."""
        return self._group_id

    @property
    def label(self) -> str:
        return super().label if self._group_id else ""

    @property
    def is_root(self) -> bool:
        """Whether this is the group that every DAG has."""
        return self._group_id is None

    @property
    def upstream_join_id(self) -> str:
        """The id of the point at which edges into the group meet."""
        return f"{self.node_id}.upstream_join_id"

    @property
    def downstream_join_id(self) -> str:
        """The id of the point at which edges out of the group meet."""
        return f"{self.node_id}.downstream_join_id"

    def edge_id(self, *, is_upstream: bool) -> str:
        return self.upstream_join_id if is_upstream else self.downstream_join_id

    def child_id(self, label: str) -> str:
        """Return the full id of a child called *label*."""
        if self._group_id and self.prefix_group_id:
            return f"{self._group_id}.{label}"
        return label

    def add(self, task: DAGNode) -> DAGNode:
        """Take in a task or a group.

        Raises:
            TaskAlreadyInTaskGroup: it belongs to another group.
            DuplicateTaskIdFound: its id is taken.
        """
        if task.task_group is not None and task.task_group is not self:
            raise TaskAlreadyInTaskGroup(task.node_id, task.task_group.node_id, self.node_id)
        known = self.children.get(task.node_id)
        if known is task:
            return task
        is_taken = isinstance(task, AbstractOperator) and (
            task.node_id in self.used_group_ids
            or self.dag.task_dict.get(task.node_id, task) is not task
        )
        if known is not None or is_taken:
            kind = "task" if isinstance(task, AbstractOperator) else "group"
            raise DuplicateTaskIdFound(
                f"the {kind} id {task.node_id!r} is already taken in the DAG {self.dag.dag_id!r}; "
                "give one of them another id"
            )
        self.children[task.node_id] = task
        return task

    # --- walking -----------------------------------------------------------------------------

    def __iter__(self) -> Iterator[AbstractOperator]:
        return self.iter_tasks()

    def iter_tasks(self) -> Iterator[AbstractOperator]:
        """Yield every task of this group and of the groups in it."""
        for child in self.children.values():
            if isinstance(child, TaskGroup):
                yield from child.iter_tasks()
            elif isinstance(child, AbstractOperator):
                yield child

    def iter_groups(self) -> Iterator[TaskGroup]:
        """Yield every group in this one, outer ones first."""
        for child in self.children.values():
            if isinstance(child, TaskGroup):
                yield child
                yield from child.iter_groups()

    def get_task_group_dict(self) -> dict[str | None, TaskGroup]:
        """Return this group and every group in it, by id."""
        return {self._group_id: self, **{group.group_id: group for group in self.iter_groups()}}

    def get_child_by_label(self, label: str) -> DAGNode:
        """Return the child called *label*. Raises KeyError."""
        return self.children[self.child_id(label)]

    def __getitem__(self, label: str) -> DAGNode:
        try:
            return self.get_child_by_label(label)
        except KeyError:
            raise NodeNotFound(f"the group {self.node_id!r} has no child {label!r}") from None

    def has_task(self, task: AbstractOperator) -> bool:
        """Tell whether *task* is in this group or in a group in it."""
        return any(task is other for other in self.iter_tasks())

    def get_roots(self) -> Iterator[AbstractOperator]:
        """Yield the tasks with no upstream inside the group."""
        tasks = list(self.iter_tasks())
        inside = {task.task_id for task in tasks}
        yield from (task for task in tasks if task.upstream_task_ids.isdisjoint(inside))

    def get_leaves(self) -> Iterator[AbstractOperator]:
        """Yield the tasks with no downstream inside the group.

        A teardown that is last is replaced by the last tasks before it that are neither
        teardown nor its setup: what follows a group does not wait for cleaning up.
        """
        tasks = {task.task_id: task for task in self.iter_tasks()}
        seen: set[str] = set()

        def before(teardown: AbstractOperator) -> Iterator[AbstractOperator]:
            for task_id in sorted(teardown.upstream_task_ids & tasks.keys()):
                task = tasks[task_id]
                if task.is_teardown:
                    yield from before(task)
                elif not task.is_setup:
                    yield task

        for task in tasks.values():
            if task.downstream_task_ids.isdisjoint(tasks):
                for leaf in before(task) if task.is_teardown else (task,):
                    if leaf.task_id not in seen:
                        seen.add(leaf.task_id)
                        yield leaf

    @property
    def roots(self) -> Sequence[DAGNode]:
        return list(self.get_roots())

    @property
    def leaves(self) -> Sequence[DAGNode]:
        return list(self.get_leaves())

    # --- edges -------------------------------------------------------------------------------

    def entry_tasks(self) -> list[AbstractOperator]:
        if self._passes_edges_on():
            return [task for node in self._downstream_nodes for task in node.entry_tasks()]
        return list(self.get_roots())

    def exit_tasks(self) -> list[AbstractOperator]:
        if self._passes_edges_on():
            return [task for node in self._upstream_nodes for task in node.exit_tasks()]
        return list(self.get_leaves())

    def _passes_edges_on(self) -> bool:
        """Whether ``a >> group >> b`` means ``a >> b``: empty groups of Airflow 3 do."""
        return self.dag.dialect == "3" and next(self.iter_tasks(), None) is None

    def note_neighbour(self, other: DAGNode, *, is_upstream: bool) -> None:
        nodes = self._upstream_nodes if is_upstream else self._downstream_nodes
        nodes.append(other)
        groups = self.upstream_group_ids if is_upstream else self.downstream_group_ids
        tasks = self.upstream_task_ids if is_upstream else self.downstream_task_ids
        if isinstance(other, TaskGroup):
            groups.add(other.group_id)
        else:
            tasks.add(other.node_id)

    def as_setup(self) -> TaskGroup:
        raise NotImplementedError("a task group cannot be a setup: mark its tasks")

    def as_teardown(self, **kwargs: Any) -> TaskGroup:
        raise NotImplementedError("a task group cannot be a teardown: mark its tasks")

    # --- block -------------------------------------------------------------------------------

    def __enter__(self) -> TaskGroup:
        dag_context.push(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        dag_context.pop(self)

    def iter_mapped_task_groups(self) -> Iterator[MappedTaskGroup]:
        """Yield this group and those around it where they are mapped, innermost first."""
        group: TaskGroup | None = self
        while group is not None:
            if isinstance(group, MappedTaskGroup):
                yield group
            group = group.parent_group

    def topological_sort(self) -> list[DAGNode]:
        """Return the children in an order in which each comes after what it depends on."""
        owner: dict[str, str] = {}
        for child_id, child in self.children.items():
            members = child.iter_tasks() if isinstance(child, TaskGroup) else iter((child,))
            owner.update({task.node_id: child_id for task in members})
        position = {task.task_id: n for n, task in enumerate(sorted_tasks(self.dag.task_dict))}
        last: dict[str, int] = {}
        for task_id, child_id in owner.items():
            last[child_id] = max(last.get(child_id, -1), position[task_id])
        ordered = sorted(self.children, key=lambda child_id: last.get(child_id, -1))
        return [self.children[child_id] for child_id in ordered]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._group_id}>"


class MappedTaskGroup(TaskGroup):
    """A group whose tasks exist once for each index of *expand_input*."""

    def __init__(self, *, expand_input: ExpandInput, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.expand_input = expand_input

    def iter_mapped_dependencies(self) -> Iterator[AbstractOperator]:
        """Yield the tasks whose results the group is mapped over."""
        seen: set[str] = set()
        for operator, _ in self.expand_input.iter_references():
            if operator.task_id not in seen:
                seen.add(operator.task_id)
                yield operator

    def __exit__(self, *exc_info: object) -> None:
        for operator in self.iter_mapped_dependencies():
            self.set_upstream(operator)
        super().__exit__(*exc_info)


class InvalidUseOfGroupError(InvalidValueError, RuntimeError):
    """A group outside of a DAG."""


def suffixed(wanted: str, taken: set[str]) -> str:
    """Return ``wanted`` with the next free number (semantics section 3.2).

    The number is one more than the largest of the same base; a number that *wanted* ends with
    already is not part of the base.
    """
    base = _base_and_number(wanted)[0]
    numbers = (_base_and_number(id_) for id_ in taken)
    return f"{base}__{max((n for found, n in numbers if found == base), default=0) + 1}"


def _base_and_number(node_id: str) -> tuple[str, int]:
    """Split ``same__2`` into its base and number; the number of an id without one is 0."""
    base, mark, digits = node_id.rpartition("__")
    if mark and base and digits.isdecimal():
        return base, int(digits)
    return node_id, 0
