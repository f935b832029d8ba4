"""What can stand in a dependency: ``a >> b``, ``set_upstream``, for tasks and groups alike.

Rules: semantics section 2.4. Edges live in the tasks (``upstream_task_ids``); a group only
notes its neighbours, for pages, and so that an empty group can pass an edge on.
"""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from .exceptions import InvalidArgumentError, InvalidUseError, InvalidValueError

if TYPE_CHECKING:
    from .abstract_operator import AbstractOperator
    from .dag import DAG
    from .task_group import TaskGroup


class EdgeNote(Protocol):
    """What stands on an edge and says something about it (``edges.EdgeModifier``)."""

    def add_edge_info(self, dag: DAG, upstream_id: str, downstream_id: str) -> None:
        """Write down what this says about one edge of *dag*."""


class DependencyMixin:
    """The operators ``>>`` and ``<<``. The value of an expression is its right operand."""

    #: Whether this stands for its roots (a task's result for the task), and has no edges itself.
    is_reference: ClassVar[bool] = True

    @property
    def roots(self) -> Sequence[DAGNode]:
        """Nodes that an edge to this one leads to."""
        raise NotImplementedError

    @property
    def leaves(self) -> Sequence[DAGNode]:
        """Nodes that an edge from this one starts at."""
        raise NotImplementedError

    def set_upstream(self, task_or_task_list: Any, edge_modifier: EdgeNote | None = None) -> None:
        """Make this depend on the given node or nodes."""
        raise NotImplementedError

    def set_downstream(self, task_or_task_list: Any, edge_modifier: EdgeNote | None = None) -> None:
        """Make the given node or nodes depend on this."""
        raise NotImplementedError

    def as_setup(self) -> DependencyMixin:
        """Mark as setup."""
        raise NotImplementedError

    def as_teardown(self, *, setups: Any = None, on_failure_fail_dagrun: Any = None) -> Any:
        """Mark as teardown."""
        raise NotImplementedError

    def update_relative(
        self, other: Any, upstream: bool = True, edge_modifier: EdgeNote | None = None
    ) -> None:
        """Hear that *other* was linked to this. For subclasses."""

    def __lshift__(self, other: Any) -> Any:
        self.set_upstream(other)
        return other

    def __rshift__(self, other: Any) -> Any:
        self.set_downstream(other)
        return other

    def __rrshift__(self, other: Any) -> Any:  # [a, b] >> self
        self.set_upstream(other)
        return self

    def __rlshift__(self, other: Any) -> Any:  # [a, b] << self
        self.set_downstream(other)
        return self


class DAGNode(DependencyMixin, metaclass=ABCMeta):
    """A task or a task group: something with an id inside a DAG."""

    is_reference: ClassVar[bool] = False
    dag: Any
    task_group: TaskGroup | None
    start_date: Any
    end_date: Any

    @property
    @abstractmethod
    def node_id(self) -> str:
        """The full id, with the prefixes of the groups around it."""

    @property
    def label(self) -> str:
        """The id without the prefix of the group that it stands in."""
        group = self.task_group
        if group is not None and group.node_id and group.prefix_group_id:
            return self.node_id.removeprefix(f"{group.node_id}.")
        return self.node_id

    @property
    def dag_id(self) -> str:
        """The id of the DAG; Airflow says ``_in_memory_dag_`` where there is none."""
        return self.dag.dag_id if self.dag is not None else "_in_memory_dag_"

    def has_dag(self) -> bool:
        """Tell whether this belongs to a DAG yet."""
        return self.dag is not None

    def get_dag(self) -> DAG | None:
        """Return the DAG, None where there is none yet."""
        dag: DAG | None = self.dag
        return dag

    @property
    @abstractmethod
    def roots(self) -> Sequence[DAGNode]:
        """Tasks that an edge to this node leads to."""

    @property
    @abstractmethod
    def leaves(self) -> Sequence[DAGNode]:
        """Tasks that an edge from this node starts at."""

    def entry_tasks(self) -> list[AbstractOperator]:
        """Return the tasks that an edge to this node really leads to."""
        return list(self.roots)  # type: ignore[arg-type]

    def exit_tasks(self) -> list[AbstractOperator]:
        """Return the tasks that an edge from this node really starts at."""
        return list(self.leaves)  # type: ignore[arg-type]

    def note_neighbour(self, other: DAGNode, *, is_upstream: bool) -> None:
        """Hear that *other* was linked to this node. Groups remember it."""

    def edge_id(self, *, is_upstream: bool) -> str:
        """Return the id under which an edge's label is kept on that side of this node."""
        return self.node_id

    def set_upstream(self, task_or_task_list: Any, edge_modifier: EdgeNote | None = None) -> None:
        """Make this depend on the given node or nodes.

        Raises:
            AirflowException: the nodes belong to two DAGs, or to none.
            TypeError: one of them is no node.
        """
        for node in nodes_of(task_or_task_list):
            _link_any(node, self, edge_modifier)

    def set_downstream(self, task_or_task_list: Any, edge_modifier: EdgeNote | None = None) -> None:
        """Make the given node or nodes depend on this. Raises as ``set_upstream``."""
        for node in nodes_of(task_or_task_list):
            _link_any(self, node, edge_modifier)


def nodes_of(given: Any) -> Iterator[Any]:
    """Yield nodes and edge modifiers out of one node or a list of nodes."""
    if isinstance(given, (list, tuple, set, frozenset)):
        items: Sequence[Any] = list(given)
    else:
        items = [given]
    for item in items:
        if isinstance(item, DependencyMixin):
            yield from item.roots if item.is_reference else (item,)
        else:
            raise InvalidArgumentError(
                f"only tasks, task groups and task outputs can depend on each other, "
                f"not {type(item).__name__} ({item!r})"
            )


def _link_any(upstream: Any, downstream: Any, modifier: EdgeNote | None) -> None:
    if not isinstance(upstream, DAGNode):  # what stands on an edge draws the edges on both sides
        upstream.set_downstream(downstream)
    elif not isinstance(downstream, DAGNode):
        downstream.set_upstream(upstream)
    else:
        link(upstream, downstream, modifier)


def link(upstream: DAGNode, downstream: DAGNode, modifier: EdgeNote | None = None) -> None:
    """Draw the edge from one node to another: each leaf of the one to each root of the other."""
    for leaf in upstream.exit_tasks():
        for root in downstream.entry_tasks():
            _link_tasks(leaf, root)
    upstream.note_neighbour(downstream, is_upstream=False)
    downstream.note_neighbour(upstream, is_upstream=True)
    upstream.update_relative(downstream, upstream=False, edge_modifier=modifier)
    downstream.update_relative(upstream, upstream=True, edge_modifier=modifier)
    dag = upstream.dag if upstream.dag is not None else downstream.dag
    if modifier is not None and dag is not None:
        modifier.add_edge_info(
            dag, upstream.edge_id(is_upstream=False), downstream.edge_id(is_upstream=True)
        )


def _link_tasks(upstream: AbstractOperator, downstream: AbstractOperator) -> None:
    if upstream.dag is None and downstream.dag is None:
        raise InvalidValueError(
            f"the tasks {upstream.task_id!r} and {downstream.task_id!r} belong to no DAG yet: "
            "give one of them a dag before setting the dependency"
        )
    if upstream.dag is None:
        upstream.dag = downstream.dag
    elif downstream.dag is None:
        downstream.dag = upstream.dag
    elif upstream.dag is not downstream.dag:
        raise InvalidUseError(
            f"the task {upstream.task_id!r} of the DAG {upstream.dag_id!r} and the task "
            f"{downstream.task_id!r} of the DAG {downstream.dag_id!r} cannot depend on each other"
        )
    upstream.downstream_task_ids.add(downstream.task_id)
    downstream.upstream_task_ids.add(upstream.task_id)
