"""Copies of a DAG: whole, or some of its tasks."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .task_group import TaskGroup

if TYPE_CHECKING:
    from .dag import DAG

#: Shared by copies: functions, classes and what they hold cannot be copied in general.
_SHARED = (
    "user_defined_macros",
    "user_defined_filters",
    "params",
    "timetable",
    "schedule",
    "on_success_callback",
    "on_failure_callback",
    "sla_miss_callback",
    "template_undefined",
    "jinja_environment_kwargs",
    "timezone",
)


def deep_copy(dag: DAG, memo: dict[int, Any]) -> DAG:
    """Return a copy whose tasks and groups are copies too."""
    other = type(dag).__new__(type(dag))
    memo[id(dag)] = other
    for name, value in dag.__dict__.items():
        if name in ("task_dict", "task_group", "result"):
            continue
        other.__dict__[name] = value if name in _SHARED else copy.deepcopy(value, memo)
    other.result = None
    other.task_dict = {}
    other.task_group = _copy_group(dag.task_group, None, other, set(dag.task_dict), memo)
    return other


def partial_subset(
    dag: DAG,
    task_ids: str | Iterable[str] | None,
    *,
    include_downstream: bool,
    include_upstream: bool,
    include_direct_upstream: bool,
) -> DAG:
    """Return a copy with the named tasks and, where asked for, their relatives."""
    if isinstance(task_ids, (str, re.Pattern)):
        matched = {id_ for id_ in dag.task_dict if re.search(task_ids, id_)}
    else:
        matched = set(task_ids or dag.task_dict) & dag.task_dict.keys()
    kept = set(matched)
    for task_id in matched:
        task = dag.task_dict[task_id]
        if include_downstream:
            kept |= task.get_flat_relative_ids(upstream=False)
        if include_upstream:
            kept |= task.get_flat_relative_ids(upstream=True)
        elif include_direct_upstream:
            kept |= task.upstream_task_ids
    memo: dict[int, Any] = {}
    other = deep_copy(dag, memo)
    other.partial = len(kept) < len(dag.task_dict)
    other.task_dict = {}
    other.task_group = _copy_group(dag.task_group, None, other, kept, {})
    return other


def _copy_group(
    group: TaskGroup, parent: TaskGroup | None, dag: DAG, kept: set[str], memo: dict[int, Any]
) -> TaskGroup:
    made = copy.copy(group)
    made.dag = dag
    made.parent_group = made.task_group = parent
    made.used_group_ids = parent.used_group_ids if parent is not None else set(group.used_group_ids)
    made.children = {}
    if "expand_input" in made.__dict__:  # tasks find their group's index by its identity
        made.__dict__["expand_input"] = copy.deepcopy(made.__dict__["expand_input"], memo)
    for child_id, child in group.children.items():
        if isinstance(child, TaskGroup):
            inner = _copy_group(child, made, dag, kept, memo)
            if inner.children:
                made.children[child_id] = inner
        elif child_id in kept:
            task: Any = copy.deepcopy(child, memo)
            task.__dict__["_dag"] = dag
            task.__dict__["task_group"] = made
            task.upstream_task_ids = set(task.upstream_task_ids) & kept
            task.downstream_task_ids = set(task.downstream_task_ids) & kept
            made.children[child_id] = task
            dag.task_dict[child_id] = task
    return made
