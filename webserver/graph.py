"""What a drawn graph shows: which tasks and groups are visible, where, and in which state."""

from __future__ import annotations

import itertools
from collections import Counter, OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markupsafe import Markup

from .graph_folding import HOPS_DEFAULT, Folded, find_stacks, fold, neighbourhood
from .grid import WORST_FIRST, worst
from .layout import Box, Group, Node, Picture, lay_out

if TYPE_CHECKING:
    from ..sdk.serialized import SerializedDag, SerializedTask

#: A DAG with more tasks than this opens with its groups closed.
OPEN_TASKS_MAX = 150
#: More boxes than this are not drawn at once; the neighbourhood of one task is.
BOXES_MAX = 1500
NODE_HEIGHT = 32.0
LABEL_LENGTH_MAX = 34
#: Pixels of a letter in 12.5 px system fonts, with slack: fonts differ between machines.
LETTER_WIDTH = 7.4
NARROW_LETTER_WIDTH = 4.4
NARROW = frozenset("fijlrt.,:;|!'I1[]() ")
MARGIN = 16.0
ASSET_PREFIX = "asset:"

States = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class DrawnNode:
    """One box. ``kind``: task, group and stack (closed: the worst state inside), asset or dag."""

    id: str
    label: str
    tip: str
    box: Box
    state: str
    kind: str
    upstream: int
    downstream: int
    #: Of a box that stands for many: (state, from, width) as pixels of its own.
    shares: Sequence[tuple[str, float, float]] = ()

    @property
    def is_group(self) -> bool:
        """It can be opened."""
        return self.kind in ("group", "stack")


@dataclass(frozen=True, slots=True)
class DrawnGroup:
    """The frame of an open group or stack."""

    id: str
    label: str
    box: Box


@dataclass(frozen=True, slots=True)
class Drawing:
    """All that the page draws. ``edges`` are pairs of ids of visible boxes."""

    width: int
    height: int
    nodes: Sequence[DrawnNode]
    groups: Sequence[DrawnGroup]
    lines: Markup
    edges: Sequence[tuple[str, str]]
    around: str
    is_downward: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """What a reader asked to see. ``around``: only what is up to ``hops`` steps from this task."""

    open_ids: Collection[str] = field(default_factory=frozenset)
    around: str = ""
    hops: int = HOPS_DEFAULT
    is_downward: bool = False
    with_assets: bool = False


def text_width(text: str) -> float:
    """Return about how wide *text* is drawn, pixels; rather too much than too little."""
    return sum(NARROW_LETTER_WIDTH if one in NARROW else LETTER_WIDTH for one in text)


def default_open(dag: SerializedDag) -> set[str]:
    """Return the groups that are open when a reader has not said otherwise."""
    if len(dag.tasks) > OPEN_TASKS_MAX:
        return set()
    return {group.group_id for group in dag.groups}


def can_open(dag: SerializedDag) -> set[str]:
    """Return all groups and stacks."""
    return {group.group_id for group in dag.groups} | {one.id for one in find_stacks(dag.tasks)}


@dataclass(frozen=True, slots=True)
class BoxSpec:
    """A box before it has a place: what ``place_boxes`` needs of it."""

    id: str
    label: str
    tip: str
    state: str
    kind: str
    parent_id: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)


def draw(dag: SerializedDag, view: View, states: States) -> Drawing:
    """Lay a DAG out.

    Args:
        view: ``around`` is chosen here where the whole is more than can be drawn.
        states: task → state → number of its task instances.
    """
    plan = _plan(dag, view)
    members, folded, edges = plan.members, plan.folded, list(plan.edges)
    labels = {group.group_id: group.label for group in dag.groups}
    specs = [_spec(box_id, found, folded, labels, states) for box_id, found in members.items()]
    if view.with_assets:
        asset_specs, asset_edges = _assets(plan.tasks, plan.place)
        specs += asset_specs
        edges += asset_edges
    return place_boxes(
        specs, edges, folded.frames, around=plan.around, is_downward=view.is_downward
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """Which boxes a view shows, and the edges between them, whatever the states are."""

    tasks: Mapping[str, SerializedTask]
    #: Task → its box; box → the tasks in it.
    place: Mapping[str, str]
    members: Mapping[str, Sequence[SerializedTask]]
    edges: Sequence[tuple[str, str]]
    folded: Folded
    around: str


#: Plans of the views that were drawn last, each with the tasks that it was made of: while they are
#: kept, no others can have their number.
_PLANS: OrderedDict[tuple[object, ...], tuple[Sequence[SerializedTask], Plan]] = OrderedDict()
PLANS_KEPT = 64


def _plan(dag: SerializedDag, view: View) -> Plan:
    """Return the plan of a view. The tasks of a version never change."""
    key = (id(dag.tasks), frozenset(view.open_ids), view.around, view.hops)
    kept = _PLANS.get(key)
    if kept is None or kept[0] is not dag.tasks:
        kept = _PLANS[key] = dag.tasks, _make_plan(dag, view)
        while len(_PLANS) > PLANS_KEPT:
            _PLANS.pop(next(iter(_PLANS)), None)
    return kept[1]


def _make_plan(dag: SerializedDag, view: View) -> Plan:
    tasks = {task.task_id: task for task in dag.tasks}
    folded = fold(dag, view.open_ids)
    around = view.around if view.around in tasks else ""
    if not around and len(set(folded.box_of.values())) > BOXES_MAX:
        around = dag.tasks[0].task_id
    if around:
        near = neighbourhood(tasks, around, view.hops, BOXES_MAX)
        tasks = {id_: task for id_, task in tasks.items() if id_ in near}
    place = {id_: folded.box_of[id_] for id_ in tasks}
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
    return Plan(tasks, place, members, edges, folded, around)


def place_boxes(
    specs: Sequence[BoxSpec],
    edges: Sequence[tuple[str, str]],
    frames: Mapping[str, tuple[str, str]],
    *,
    around: str = "",
    is_downward: bool = False,
) -> Drawing:
    """Lay boxes out, and turn places into what is drawn.

    Args:
        frames: open groups: id → (title, parent).
    """
    picture = lay_out(
        [
            Node(one.id, round(text_width(one.label) + 42), NODE_HEIGHT, one.parent_id)
            for one in specs
        ],
        edges,
        [Group(id_, parent, text_width(title) + 20) for id_, (title, parent) in frames.items()],
        is_downward=is_downward,
    )
    ups = Counter(target for _, target in edges)
    downs = Counter(source for source, _ in edges)
    by_id = {one.id: one for one in specs}
    return Drawing(
        width=round(picture.width + 2 * MARGIN),
        height=round(picture.height + 2 * MARGIN),
        nodes=[
            DrawnNode(
                id=id_,
                label=by_id[id_].label,
                tip=by_id[id_].tip,
                box=box,
                state=by_id[id_].state,
                kind=by_id[id_].kind,
                upstream=ups[id_],
                downstream=downs[id_],
                shares=_shares(by_id[id_].counts, box.width),
            )
            for id_, box in picture.nodes.items()
        ],
        groups=[DrawnGroup(id_, frames[id_][0], box) for id_, box in picture.groups.items()],
        lines=_lines(picture, edges, is_downward),
        edges=edges,
        around=around,
        is_downward=is_downward,
    )


def _lines(picture: Picture, edges: Sequence[tuple[str, str]], is_downward: bool) -> Markup:
    """Return all lines as SVG paths; those to and from assets are dashed. Numbers only."""
    if picture.lines_svg is None:
        dashed = {n for n, edge in enumerate(edges) if any(_is_asset(end) for end in edge)}
        picture.lines_svg = "".join(
            f'<path class="edge{" dashed" if dashed.issuperset(line.edges) else ""}"'
            f' d="{_path(line.points, is_downward)}" data-e="{" ".join(map(str, line.edges))}"/>'
            for line in picture.lines
        )
    return Markup(picture.lines_svg)  # noqa: S704 - made of numbers above


def _is_asset(id_: str) -> bool:
    return id_.startswith(ASSET_PREFIX)


def _spec(
    box_id: str,
    members: Sequence[SerializedTask],
    folded: Folded,
    group_labels: Mapping[str, str],
    states: States,
) -> BoxSpec:
    counts = _counts(members, states)
    stack = folded.stacks.get(box_id)
    task = members[0] if box_id == members[0].task_id and stack is None else None
    if task is not None:
        kind, label = "task", task.task_display_name or task.label or task.task_id
        count = sum(counts.values())
        is_mapped = task.expansion is not None
        suffix = f" [{count}]" if is_mapped and count else " [ ]" if is_mapped else ""
        tip = f"{box_id}: {task.operator_name or task.task_type}"
    else:
        kind = "stack" if stack else "group"
        label = stack.label if stack else group_labels.get(box_id) or box_id
        suffix = "" if stack else f" ({len(members)})"
        tip = f"{label if stack else box_id}: {kind} of {len(members)} tasks"
    return BoxSpec(
        id=box_id,
        label=_short(label) + suffix,
        tip=tip,
        state=worst(counts) or "none",
        kind=kind,
        parent_id=folded.parent_of.get(box_id, ""),
        counts=counts if sum(counts.values()) > 1 else {},
    )


def _assets(
    tasks: Mapping[str, SerializedTask], place: Mapping[str, str]
) -> tuple[list[BoxSpec], list[tuple[str, str]]]:
    """Return boxes for the assets that tasks name, and dashed edges to and from them."""
    names: dict[str, str] = {}
    edges: dict[tuple[str, str], None] = {}
    for task in tasks.values():
        for asset in task.inlets:
            id_ = ASSET_PREFIX + (asset.name or asset.uri)
            names[id_] = asset.name or asset.uri
            edges[id_, place[task.task_id]] = None
        for asset in task.outlets:
            id_ = ASSET_PREFIX + (asset.name or asset.uri)
            names[id_] = asset.name or asset.uri
            edges[place[task.task_id], id_] = None
    made = {source for source, target in edges if _is_asset(target)}
    circles = {(b, a) for a, b in edges if (b, a) in edges and made}
    specs = [
        BoxSpec(id_, _short(name), f"asset {name}", "none", "asset") for id_, name in names.items()
    ]
    return specs, [edge for edge in edges if edge not in circles or not _is_asset(edge[0])]


def _short(label: str) -> str:
    return label if len(label) <= LABEL_LENGTH_MAX else label[: LABEL_LENGTH_MAX - 1] + "…"


def _counts(members: Sequence[SerializedTask], states: States) -> dict[str, int]:
    total: dict[str, int] = {}
    for task in members:
        for state, count in states.get(task.task_id, {}).items():
            total[state] = total.get(state, 0) + count
    return total


def _shares(counts: Mapping[str, int], width: float) -> list[tuple[str, float, float]]:
    """Return the pieces of the bar below a box, worst state first."""
    total = sum(counts.values())
    pieces, at = [], 0.0
    for state in WORST_FIRST:
        if counts.get(state):
            part = (width - 12) * counts[state] / total
            pieces.append((state, round(at + 6, 1), round(part, 1)))
            at += part
    return pieces


def _path(points: Sequence[tuple[float, float]], is_downward: bool) -> str:
    """Return curves between ranks, and straight lines within them."""
    moved = [(x + MARGIN, y + MARGIN) for x, y in points]
    parts = [f"M{moved[0][0]:.0f} {moved[0][1]:.1f}"]
    for (x, y), (next_x, next_y) in itertools.pairwise(moved):
        end = f"{next_x:.0f} {next_y:.1f}"
        if is_downward:
            bend = (next_y - y) / 2
            parts.append(
                f"V{next_y:.1f}"
                if abs(next_x - x) < 0.5
                else f"C{x:.1f} {y + bend:.0f} {next_x:.1f} {next_y - bend:.0f} {end}"
            )
        else:
            bend = (next_x - x) / 2
            parts.append(
                f"H{next_x:.0f}"
                if abs(next_y - y) < 0.5
                else f"C{x + bend:.0f} {y:.1f} {next_x - bend:.0f} {next_y:.1f} {end}"
            )
    return "".join(parts)
