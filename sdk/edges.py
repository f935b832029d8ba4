"""Edges in bulk and with words on them: ``chain``, ``cross_downstream``, ``Label``.

Rules: semantics section 2.4.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from .dag_node import DAGNode, DependencyMixin, link, nodes_of
from .exceptions import InvalidArgumentError, InvalidValueError

if TYPE_CHECKING:
    from .dag import DAG


class EdgeModifier(DependencyMixin):
    """Stands between two nodes and says something about the edge. Made by ``Label``."""

    is_reference: ClassVar[bool] = False

    def __init__(self, label: str | None = None) -> None:
        self.label = label
        self._upstream: list[DAGNode] = []
        self._downstream: list[DAGNode] = []

    @property
    def roots(self) -> Sequence[DAGNode]:
        return self._downstream

    @property
    def leaves(self) -> Sequence[DAGNode]:
        return self._upstream

    def set_upstream(self, task_or_task_list: Any, edge_modifier: Any = None) -> None:
        """Start edges at the given nodes: to every node that this leads to already."""
        for node in nodes_of(task_or_task_list):
            self._upstream.append(node)
            for other in self._downstream:
                link(node, other, self)

    def set_downstream(self, task_or_task_list: Any, edge_modifier: Any = None) -> None:
        """Lead edges to the given nodes: from every node that this starts at already."""
        for node in nodes_of(task_or_task_list):
            self._downstream.append(node)
            for other in self._upstream:
                link(other, node, self)

    def add_edge_info(self, dag: DAG, upstream_id: str, downstream_id: str) -> None:
        """Write down what this says about one edge of *dag*."""
        if self.label is not None:
            dag.set_edge_info(upstream_id, downstream_id, {"label": self.label})


def Label(label: str) -> EdgeModifier:  # noqa: N802 - Airflow's name
    """Write *label* on the edges that pass through: ``a >> Label("large") >> b``."""
    return EdgeModifier(label=label)


def chain(*tasks: Any) -> None:
    """Link each item to the next; two lists of equal length are linked pairwise.

    Raises:
        TypeError: an item is neither a node nor a list of nodes.
        AirflowException: two adjacent lists differ in length.
    """
    for up, down in itertools.pairwise(tasks):
        if isinstance(up, DependencyMixin):
            up.set_downstream(down)
        elif isinstance(down, DependencyMixin):
            down.set_upstream(up)
        elif not _is_list(up) or not _is_list(down):
            raise InvalidArgumentError(
                f"chain takes tasks, groups, labels and lists of them, "
                f"not {type(up).__name__} and {type(down).__name__}"
            )
        elif len(up) != len(down):
            raise InvalidValueError(
                f"chain links adjacent lists pairwise; one has {len(up)} items, "
                f"the next {len(down)}"
            )
        else:
            for up_node, down_node in zip(up, down, strict=True):
                up_node.set_downstream(down_node)


def chain_linear(*elements: Any) -> None:
    """Link each item, or each node of a list, to every node of the next.

    Raises:
        ValueError: nothing to link, or an item is a label.
    """
    if not elements:
        raise InvalidValueError("chain_linear needs at least one task")
    if any(isinstance(element, EdgeModifier) for element in elements):
        raise InvalidValueError("chain_linear takes no labels")
    previous: Any = None
    has_edge = False
    for element in elements:
        group = list(element) if _is_list(element) else [element]
        if previous:
            for node in previous:
                for following in group:
                    node.set_downstream(following)
                    has_edge = True
        previous = group
    if not has_edge:
        raise InvalidValueError("chain_linear set no edge: it needs two non-empty items")


def cross_downstream(from_tasks: Sequence[Any], to_tasks: Any) -> None:
    """Link every node of *from_tasks* to every node of *to_tasks*."""
    for task in from_tasks:
        task.set_downstream(to_tasks)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))
