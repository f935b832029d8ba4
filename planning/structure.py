"""What the shape of a DAG says, computed once per DAG version and shared by all its runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..sdk.serialized import Expansion, Length, SerializedDag, SerializedGroup, SerializedTask
from ..sdk.trigger_rules import TriggerRule, resolve_trigger_rule


@dataclass(frozen=True, slots=True)
class DagStructure:
    """Tasks, edges and what follows from them. Built by ``from_serialized``; never changed."""

    dag: SerializedDag
    #: Task id → task, in topological order (ties as in ``dag.tasks``).
    tasks: Mapping[str, SerializedTask]
    trigger_rules: Mapping[str, TriggerRule]
    #: Direct neighbours. Ids of tasks that the DAG does not have are left out.
    upstream_ids: Mapping[str, tuple[str, ...]]
    downstream_ids: Mapping[str, tuple[str, ...]]
    groups: Mapping[str, SerializedGroup]
    #: Task id → ids of the mapped groups around it, outermost first; () outside of any.
    mapped_groups: Mapping[str, tuple[str, ...]]
    #: Task id → how it is expanded: by its groups, outermost first, then by itself.
    expansions: Mapping[str, tuple[Expansion, ...]]
    #: Task id → ids of the tasks whose results give its number of instances; literals: absent.
    length_task_ids: Mapping[str, tuple[str, ...]]
    #: Tasks that decide how the run ends (semantics 5.7).
    leaf_ids: tuple[str, ...]
    #: Task id → setups above it, not direct ones, that have to succeed before it runs.
    indirect_setup_ids: Mapping[str, tuple[str, ...]]
    #: Teardown id → setups directly above it.
    teardown_setup_ids: Mapping[str, tuple[str, ...]]
    #: Teardown id → tasks strictly between its setups and itself.
    teardown_scope_ids: Mapping[str, tuple[str, ...]]
    #: Task id → direct upstream that may have left a mark on what to skip.
    skipping_upstream_ids: Mapping[str, tuple[str, ...]]
    #: Task id → tasks whose instances may be answered differently once one of its own has moved:
    #: those that count it, directly or as a setup, in a teardown's scope, or for their length.
    dependent_ids: Mapping[str, tuple[str, ...]]
    #: Task id → its place in ``tasks``.
    positions: Mapping[str, int]

    @classmethod
    def from_serialized(cls, dag: SerializedDag) -> DagStructure:
        """Compute the structure of *dag*.

        Raises:
            ValueError: the tasks form a cycle, or one has an unknown trigger rule.
        """
        by_id = {task.task_id: task for task in dag.tasks}
        upstream = {
            task.task_id: tuple(id_ for id_ in task.upstream_task_ids if id_ in by_id)
            for task in dag.tasks
        }
        downstream = _invert(upstream)
        tasks = {id_: by_id[id_] for id_ in _topological_order(dag.dag_id, upstream, downstream)}
        groups = {group.group_id: group for group in dag.groups}
        mapped_groups = {id_: _mapped_groups(task, groups) for id_, task in tasks.items()}
        expansions = {
            id_: _expansions(task, mapped_groups[id_], groups) for id_, task in tasks.items()
        }
        teardown_setups = {
            id_: tuple(up for up in upstream[id_] if tasks[up].is_setup)
            for id_, task in tasks.items()
            if task.is_teardown
        }
        length_task_ids = {
            id_: ids for id_, parts in expansions.items() if (ids := _length_task_ids(parts))
        }
        indirect_setup_ids = _indirect_setups(tasks, upstream, downstream)
        teardown_scope_ids = {
            id_: _between(setups, id_, tasks, upstream, downstream)
            for id_, setups in teardown_setups.items()
            if setups
        }
        return cls(
            dag=dag,
            tasks=tasks,
            trigger_rules={
                id_: resolve_trigger_rule(task.trigger_rule) for id_, task in tasks.items()
            },
            upstream_ids=upstream,
            downstream_ids=downstream,
            groups=groups,
            mapped_groups=mapped_groups,
            expansions=expansions,
            length_task_ids=length_task_ids,
            leaf_ids=_leaf_ids(tasks, downstream),
            indirect_setup_ids=indirect_setup_ids,
            teardown_setup_ids=teardown_setups,
            teardown_scope_ids=teardown_scope_ids,
            skipping_upstream_ids={
                id_: marks
                for id_ in tasks
                if (marks := tuple(up for up in upstream[id_] if tasks[up].can_skip_downstream))
            },
            dependent_ids=_dependents(
                downstream,
                indirect_setup_ids,
                teardown_scope_ids,
                length_task_ids,
                _lengths_beside(tasks, upstream, mapped_groups, length_task_ids),
            ),
            positions={id_: position for position, id_ in enumerate(tasks)},
        )

    def is_mapped(self, task_id: str) -> bool:
        """Tell whether the task is expanded, by itself or by a group around it."""
        return bool(self.expansions[task_id])

    def upstream_closure(self, task_ids: Iterable[str]) -> list[str]:
        """Return all transitive upstream of *task_ids*, without these, in topological order."""
        return self._closure(task_ids, self.upstream_ids)

    def downstream_closure(self, task_ids: Iterable[str]) -> list[str]:
        """Return all transitive downstream of *task_ids*, without these, in topological order."""
        return self._closure(task_ids, self.downstream_ids)

    def group_task_ids(self, group_id: str) -> list[str]:
        """Return the tasks inside a group and its inner groups, in topological order."""
        inside: set[str] = set()
        for id_, task in self.tasks.items():
            name = task.group_id
            while name:
                if name == group_id:
                    inside.add(id_)
                    break
                name = self.groups[name].parent_id if name in self.groups else ""
        return [id_ for id_ in self.tasks if id_ in inside]

    def _closure(self, task_ids: Iterable[str], next_: Mapping[str, Sequence[str]]) -> list[str]:
        given = [id_ for id_ in task_ids if id_ in self.tasks]
        found = _reach(given, next_)
        return [id_ for id_ in self.tasks if id_ in found and id_ not in given]


def _invert(upstream: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    downstream: dict[str, list[str]] = {id_: [] for id_ in upstream}
    for id_, above in upstream.items():
        for up in above:
            downstream[up].append(id_)
    return {id_: tuple(below) for id_, below in downstream.items()}


def _topological_order(
    dag_id: str, upstream: Mapping[str, Sequence[str]], downstream: Mapping[str, Sequence[str]]
) -> list[str]:
    missing = {id_: len(above) for id_, above in upstream.items()}
    ready = deque(id_ for id_, count in missing.items() if count == 0)
    order: list[str] = []
    while ready:
        id_ = ready.popleft()
        order.append(id_)
        for below in downstream[id_]:
            missing[below] -= 1
            if missing[below] == 0:
                ready.append(below)
    if len(order) < len(upstream):
        rest = ", ".join(sorted(id_ for id_, count in missing.items() if count > 0))
        raise ValueError(f"The tasks of DAG {dag_id!r} form a cycle: {rest}")
    return order


def _reach(start: Iterable[str], next_: Mapping[str, Sequence[str]]) -> set[str]:
    """Return what can be reached from *start*, without *start* itself unless on the way."""
    found: set[str] = set()
    waiting = [below for id_ in start for below in next_[id_]]
    while waiting:
        id_ = waiting.pop()
        if id_ not in found:
            found.add(id_)
            waiting.extend(next_[id_])
    return found


def _mapped_groups(task: SerializedTask, groups: Mapping[str, SerializedGroup]) -> tuple[str, ...]:
    found: list[str] = []
    group = groups.get(task.group_id)
    while group is not None:
        if group.expansion is not None:
            found.append(group.group_id)
        group = groups.get(group.parent_id)
    return tuple(reversed(found))


def _expansions(
    task: SerializedTask, group_ids: Sequence[str], groups: Mapping[str, SerializedGroup]
) -> tuple[Expansion, ...]:
    parts = [part for id_ in group_ids if (part := groups[id_].expansion) is not None]
    if task.expansion is not None:
        parts.append(task.expansion)
    return tuple(parts)


def _length_task_ids(parts: Sequence[Expansion]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    waiting: list[Length] = [length for part in parts for length in part.lengths]
    while waiting:
        length = waiting.pop(0)
        if length.task_id:
            found[length.task_id] = None
        waiting.extend(length.operands)
    return tuple(found)


def _leaf_ids(
    tasks: Mapping[str, SerializedTask], downstream: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Teardowns do not decide how a run ends, unless they ask for it (semantics 5.7)."""

    def is_ignored(task: SerializedTask) -> bool:
        return task.is_teardown and not task.on_failure_fail_dagrun

    leaves = tuple(
        id_
        for id_, task in tasks.items()
        if not is_ignored(task) and all(is_ignored(tasks[below]) for below in downstream[id_])
    )
    return leaves or tuple(id_ for id_ in tasks if not downstream[id_])


def _indirect_setups(
    tasks: Mapping[str, SerializedTask],
    upstream: Mapping[str, Sequence[str]],
    downstream: Mapping[str, Sequence[str]],
) -> dict[str, tuple[str, ...]]:
    """A setup counts for a task below it while its teardown (if any) is still to come."""
    setups = [id_ for id_, task in tasks.items() if task.is_setup]
    teardowns = {id_ for id_, task in tasks.items() if task.is_teardown}
    found: dict[str, list[str]] = {}
    if not setups:
        return {}
    teardowns_below = {id_: _reach((id_,), downstream) & teardowns for id_ in tasks}
    for setup_id in setups:
        own_teardowns = teardowns.intersection(downstream[setup_id])
        for id_ in _reach((setup_id,), downstream):
            if tasks[id_].is_teardown or setup_id in upstream[id_]:
                continue
            if not own_teardowns or own_teardowns & teardowns_below[id_]:
                found.setdefault(id_, []).append(setup_id)
    return {id_: tuple(ids) for id_, ids in found.items()}


def _between(
    setups: Sequence[str],
    teardown_id: str,
    tasks: Mapping[str, SerializedTask],
    upstream: Mapping[str, Sequence[str]],
    downstream: Mapping[str, Sequence[str]],
) -> tuple[str, ...]:
    inside = _reach(setups, downstream) & _reach((teardown_id,), upstream)
    return tuple(id_ for id_ in tasks if id_ in inside)


def _lengths_beside(
    tasks: Mapping[str, SerializedTask],
    upstream: Mapping[str, Sequence[str]],
    mapped_groups: Mapping[str, Sequence[str]],
    length_task_ids: Mapping[str, Sequence[str]],
) -> dict[str, tuple[str, ...]]:
    """Return what gives the lengths above a task in a mapped group: which indexes count there."""
    return {
        id_: tuple(one for up in upstream[id_] for one in length_task_ids.get(up, ()))
        for id_ in tasks
        if mapped_groups[id_]
    }


def _dependents(
    downstream: Mapping[str, tuple[str, ...]], *asked_ids: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """Turn around what each task asks, and add it to its direct downstream."""
    more: dict[str, dict[str, None]] = {}
    for asked in asked_ids:
        for id_, ids in asked.items():
            for one in ids:
                if one in downstream:  # a length may name a task that the DAG does not have
                    more.setdefault(one, dict.fromkeys(downstream[one]))[id_] = None
    return {**downstream, **{id_: tuple(ids) for id_, ids in more.items()}}
