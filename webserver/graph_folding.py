"""Which boxes of a DAG are on show: closed groups and stacks of like tasks stand for many. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..sdk.serialized import SerializedDag, SerializedTask

#: So many tasks with the same operator, upstream and downstream become one box.
STACK_MIN = 8
STACK_PREFIX = "stack:"
HOPS_DEFAULT, HOPS_MAX = 2, 6


@dataclass(frozen=True, slots=True)
class Stack:
    """Tasks that differ in nothing but their names. ``id`` is made of the first one's."""

    id: str
    group_id: str
    label: str
    task_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class Folded:
    """The result: task → the box that stands for it, open frames, and the parent of each box."""

    box_of: Mapping[str, str]
    #: Open groups and stacks: id → (title, parent).
    frames: Mapping[str, tuple[str, str]]
    parent_of: Mapping[str, str]
    stacks: Mapping[str, Stack]


#: Stacks of the DAG versions that were drawn last, each with the tasks that it was found in: while
#: they are kept, no others can have their number.
_KEPT: OrderedDict[int, tuple[Sequence[SerializedTask], Sequence[Stack]]] = OrderedDict()
KEPT_MAX = 64


def find_stacks(tasks: Sequence[SerializedTask]) -> Sequence[Stack]:
    """Return the stacks, in the order of their first tasks. The tasks of a version never change."""
    kept = _KEPT.get(id(tasks))
    if kept is None or kept[0] is not tasks:
        kept = _KEPT[id(tasks)] = tasks, _find_stacks(tasks)
        while len(_KEPT) > KEPT_MAX:
            _KEPT.pop(next(iter(_KEPT)), None)
    return kept[1]


def _find_stacks(tasks: Sequence[SerializedTask]) -> list[Stack]:
    downstream: dict[str, set[str]] = {}
    for task in tasks:
        for up in task.upstream_task_ids:
            downstream.setdefault(up, set()).add(task.task_id)
    alike: dict[tuple[object, ...], list[SerializedTask]] = {}
    for task in tasks:
        key = (
            task.group_id,
            task.operator_name or task.task_type,
            frozenset(task.upstream_task_ids),
            frozenset(downstream.get(task.task_id, ())),
            task.expansion is None,
        )
        alike.setdefault(key, []).append(task)
    return [
        Stack(
            id=STACK_PREFIX + members[0].task_id,
            group_id=members[0].group_id,
            label=f"{len(members)} \N{MULTIPLICATION SIGN} {_shared_start(members)}*",
            task_ids=[task.task_id for task in members],
        )
        for members in alike.values()
        if len(members) >= STACK_MIN
    ]


def _shared_start(members: Sequence[SerializedTask]) -> str:
    names = sorted(task.label or task.task_id for task in members)
    pairs = zip(names[0], names[-1], strict=False)
    return "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def fold(dag: SerializedDag, open_ids: Collection[str]) -> Folded:
    """Return which boxes are on show when these groups and stacks are open."""
    groups = {group.group_id: group for group in dag.groups}
    parents = {group.group_id: group.parent_id for group in dag.groups}
    stacks = {stack.id: stack for stack in find_stacks(dag.tasks)}
    stack_of = {task_id: stack.id for stack in stacks.values() for task_id in stack.task_ids}
    box_of: dict[str, str] = {}
    parent_of: dict[str, str] = {}
    for task in dag.tasks:
        closed = _outermost_closed(task.group_id, parents, open_ids)
        stack_id = stack_of.get(task.task_id)
        if closed:
            box_of[task.task_id] = closed
            parent_of[closed] = parents.get(closed, "")
        elif stack_id is not None and stack_id not in open_ids:
            box_of[task.task_id] = stack_id
            parent_of[stack_id] = task.group_id
        else:
            box_of[task.task_id] = task.task_id
            parent_of[task.task_id] = stack_id if stack_id is not None else task.group_id
    frames = {
        group.group_id: (group.label or group.group_id, group.parent_id)
        for group in groups.values()
        if not _outermost_closed(group.group_id, parents, open_ids)
    }
    for stack in stacks.values():
        if stack.id in open_ids and not _outermost_closed(stack.group_id, parents, open_ids):
            frames[stack.id] = (stack.label, stack.group_id)
    return Folded(box_of, frames, parent_of, stacks)


def _outermost_closed(group_id: str, parents: Mapping[str, str], open_ids: Collection[str]) -> str:
    found = ""
    while group_id:
        if group_id not in open_ids:
            found = group_id
        group_id = parents.get(group_id, "")
    return found


def neighbourhood(
    tasks: Mapping[str, SerializedTask], around: str, hops: int, limit: int
) -> set[str]:
    """Return the tasks up to so many steps up and down from one, at most *limit*."""
    downstream: dict[str, list[str]] = {}
    for id_, task in tasks.items():
        for up in task.upstream_task_ids:
            downstream.setdefault(up, []).append(id_)
    ways: list[Mapping[str, Sequence[str]]] = [
        {id_: task.upstream_task_ids for id_, task in tasks.items()},
        downstream,
    ]
    found = {around}
    for way in ways:
        edge = {around}
        for _ in range(hops):
            edge = {other for id_ in edge for other in way.get(id_, ()) if other in tasks}
            found |= edge
    return set(sorted(found)[:limit]) | {around}
