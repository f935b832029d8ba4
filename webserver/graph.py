"""What a drawn graph shows: which tasks and groups are visible, where, and in which state."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .grid import worst
from .layout import Box, Group, Node, lay_out

if TYPE_CHECKING:
    from ..sdk.serialized import SerializedDag, SerializedTask

#: A DAG with more tasks than this opens with its groups closed.
OPEN_TASKS_MAX = 150
#: More boxes than this are not drawn at once; the neighbourhood of one task is.
BOXES_MAX = 1500
HOPS = 2
NODE_HEIGHT = 32.0
LABEL_LENGTH_MAX = 34
#: Pixels of a letter in 12.5 px system fonts, with slack: fonts differ between machines.
LETTER_WIDTH = 7.4
NARROW_LETTER_WIDTH = 4.4
NARROW = frozenset("fijlrt.,:;|!'I1[]() ")
MARGIN = 16.0


@dataclass(frozen=True, slots=True)
class DrawnNode:
    """One box: a task, or a closed group with the worst state inside."""

    id: str
    label: str
    tip: str
    box: Box
    state: str
    is_group: bool
    upstream: int
    downstream: int


@dataclass(frozen=True, slots=True)
class DrawnGroup:
    """The frame of an open group."""

    id: str
    label: str
    box: Box


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """A piece of edges as an SVG path, with the numbers of the edges."""

    path: str
    edges: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """All that the page draws. ``edges`` are pairs of ids of visible boxes."""

    width: int
    height: int
    nodes: Sequence[DrawnNode]
    groups: Sequence[DrawnGroup]
    lines: Sequence[DrawnLine]
    edges: Sequence[tuple[str, str]]
    around: str


def text_width(text: str) -> float:
    """Return about how wide *text* is drawn, pixels; rather too much than too little."""
    return sum(NARROW_LETTER_WIDTH if one in NARROW else LETTER_WIDTH for one in text)


def default_open(dag: SerializedDag) -> set[str]:
    """Return the groups that are open when a reader has not said otherwise."""
    if len(dag.tasks) > OPEN_TASKS_MAX:
        return set()
    return {group.group_id for group in dag.groups}


def draw(
    dag: SerializedDag,
    open_ids: Collection[str],
    states: Mapping[str, Mapping[str, int]],
    around: str = "",
) -> Drawing:
    """Lay a DAG out.

    Args:
        states: task → state → number of its task instances.
        around: only the tasks up to two steps from this one; chosen here where the whole is
            more than can be drawn.
    """
    tasks = {task.task_id: task for task in dag.tasks}
    parents = {group.group_id: group.parent_id for group in dag.groups}
    place = {task.task_id: _visible(task, parents, open_ids) for task in dag.tasks}
    if not around and len(set(place.values())) > BOXES_MAX:
        around = dag.tasks[0].task_id
    if around in tasks:
        near = _neighbourhood(tasks, around)
        tasks = {id_: task for id_, task in tasks.items() if id_ in near}
        place = {id_: place[id_] for id_ in tasks}
    else:
        around = ""
    members: dict[str, list[SerializedTask]] = {}
    for id_, box_id in place.items():
        members.setdefault(box_id, []).append(tasks[id_])
    edges = list(
        dict.fromkeys(
            (place[up], place[id_])
            for id_, task in tasks.items()
            for up in task.upstream_task_ids
            if up in place and place[up] != place[id_]
        )
    )
    labels = {box_id: _label(dag, box_id, tasks, members, states) for box_id in members}
    picture = lay_out(
        [
            Node(
                box_id,
                round(text_width(label) + 42),
                NODE_HEIGHT,
                parents.get(box_id, "") if box_id not in tasks else tasks[box_id].group_id,
            )
            for box_id, label in labels.items()
        ],
        edges,
        [
            Group(group.group_id, group.parent_id, text_width(group.label or group.group_id) + 20)
            for group in dag.groups
            if group.group_id in open_ids and _is_open(group.parent_id, parents, open_ids)
        ],
    )
    group_labels = {group.group_id: group.label or group.group_id for group in dag.groups}
    return Drawing(
        width=round(picture.width + 2 * MARGIN),
        height=round(picture.height + 2 * MARGIN),
        nodes=[
            DrawnNode(
                id=id_,
                label=labels[id_],
                tip=_tip(id_, tasks, members[id_]),
                box=box,
                state=_state(members[id_], states),
                is_group=id_ not in tasks,
                upstream=sum(1 for _, target in edges if target == id_) if len(edges) < 500 else -1,
                downstream=sum(1 for up, _ in edges if up == id_) if len(edges) < 500 else -1,
            )
            for id_, box in picture.nodes.items()
        ],
        groups=[DrawnGroup(id_, group_labels[id_], box) for id_, box in picture.groups.items()],
        lines=[
            DrawnLine(_path(line.points), " ".join(map(str, line.edges))) for line in picture.lines
        ],
        edges=edges,
        around=around,
    )


def _visible(task: SerializedTask, parents: Mapping[str, str], open_ids: Collection[str]) -> str:
    """Return the box that stands for a task: itself, or the outermost closed group around it."""
    box_id, group_id = task.task_id, task.group_id
    while group_id:
        if group_id not in open_ids:
            box_id = group_id
        group_id = parents.get(group_id, "")
    return box_id


def _is_open(group_id: str, parents: Mapping[str, str], open_ids: Collection[str]) -> bool:
    while group_id:
        if group_id not in open_ids:
            return False
        group_id = parents.get(group_id, "")
    return True


def _neighbourhood(tasks: Mapping[str, SerializedTask], around: str) -> set[str]:
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
        for _ in range(HOPS):
            edge = {other for id_ in edge for other in way.get(id_, ()) if other in tasks}
            found |= edge
    return set(sorted(found)[:BOXES_MAX]) | {around}


def _label(
    dag: SerializedDag,
    box_id: str,
    tasks: Mapping[str, SerializedTask],
    members: Mapping[str, Sequence[SerializedTask]],
    states: Mapping[str, Mapping[str, int]],
) -> str:
    task = tasks.get(box_id)
    if task is None:
        label = next((one.label for one in dag.groups if one.group_id == box_id), "") or box_id
        suffix = f" ({len(members[box_id])})"
    else:
        label = task.task_display_name or task.label or task.task_id
        count = sum(states.get(box_id, {}).values())
        is_mapped = task.expansion is not None
        suffix = f" [{count}]" if is_mapped and count else " [ ]" if is_mapped else ""
    if len(label) > LABEL_LENGTH_MAX:
        label = label[: LABEL_LENGTH_MAX - 1] + "…"
    return label + suffix


def _tip(
    box_id: str, tasks: Mapping[str, SerializedTask], members: Sequence[SerializedTask]
) -> str:
    task = tasks.get(box_id)
    if task is None:
        return f"{box_id}: group of {len(members)} tasks"
    return f"{box_id}: {task.operator_name or task.task_type}"


def _state(members: Sequence[SerializedTask], states: Mapping[str, Mapping[str, int]]) -> str:
    total: dict[str, int] = {}
    for task in members:
        for state, count in states.get(task.task_id, {}).items():
            total[state] = total.get(state, 0) + count
    return worst(total) or "none"


def _path(points: Sequence[tuple[float, float]]) -> str:
    """Return curves between columns, and straight lines within them."""
    moved = [(x + MARGIN, y + MARGIN) for x, y in points]
    parts = [f"M{moved[0][0]:.0f} {moved[0][1]:.1f}"]
    for (x, y), (next_x, next_y) in itertools.pairwise(moved):
        if abs(next_y - y) < 0.5:
            parts.append(f"H{next_x:.0f}")
            continue
        bend = (next_x - x) / 2
        parts.append(
            f"C{x + bend:.0f} {y:.1f} {next_x - bend:.0f} {next_y:.1f} {next_x:.0f} {next_y:.1f}"
        )
    return "".join(parts)
