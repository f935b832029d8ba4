"""The graph of a DAG as an SVG picture, without Graphviz: layers from left to right.

A task stands one layer behind the last of those above it; within a layer tasks are ordered by the
mean place of their neighbours, which keeps most edges from crossing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..sdk.serialized import SerializedDag

# All lengths are pixels.
LETTER_WIDTH = 7.2  # of the 12 px sans-serif below, on average
BOX_HEIGHT = 32
BOX_PADDING = 24
LAYER_GAP = 56
ROW_GAP = 18
MARGIN = 24
TITLE_HEIGHT = 28
SWEEPS = 4


@dataclass(frozen=True, slots=True)
class Box:
    """Where one task is drawn."""

    x: float
    y: float
    width: float

    @property
    def middle(self) -> float:
        """Its vertical middle, where edges arrive and leave."""
        return self.y + BOX_HEIGHT / 2


def to_svg(dag: SerializedDag) -> str:
    """Return the graph as an SVG document."""
    boxes = _place(dag)
    width = max((box.x + box.width for box in boxes.values()), default=200) + MARGIN
    height = max((box.y + BOX_HEIGHT for box in boxes.values()), default=TITLE_HEIGHT) + MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="sans-serif" font-size="12">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#666"/></marker></defs>',
        f'<text x="{MARGIN}" y="{MARGIN}" font-size="14">{escape(dag.dag_id)}</text>',
    ]
    labels = {(edge[0], edge[1]): edge[2] for edge in dag.edge_labels if len(edge) == 3}
    for task in dag.tasks:
        for upstream_id in task.upstream_task_ids:
            if upstream_id in boxes:
                label = labels.get((upstream_id, task.task_id), "")
                lines.append(_edge(boxes[upstream_id], boxes[task.task_id], label))
    for task in dag.tasks:
        box = boxes[task.task_id]
        lines.append(
            f'<g><title>{escape(task.task_type)}</title><rect x="{box.x:.1f}" y="{box.y:.1f}" '
            f'width="{box.width:.1f}" height="{BOX_HEIGHT}" rx="6" stroke="#666" '
            f'fill="{escape(task.ui_color)}"/><text x="{box.x + box.width / 2:.1f}" '
            f'y="{box.middle + 4:.1f}" text-anchor="middle" fill="{escape(task.ui_fgcolor)}">'
            f"{escape(task.task_display_name or task.task_id)}</text></g>"
        )
    return "\n".join([*lines, "</svg>", ""])


def _edge(start: Box, end: Box, label: str) -> str:
    x1, y1, x2, y2 = start.x + start.width, start.middle, end.x, end.middle
    bend = (x1 + x2) / 2
    path = f"M{x1:.1f},{y1:.1f} C{bend:.1f},{y1:.1f} {bend:.1f},{y2:.1f} {x2:.1f},{y2:.1f}"
    text = (
        f'<text x="{bend:.1f}" y="{(y1 + y2) / 2 - 4:.1f}" text-anchor="middle" fill="#666">'
        f"{escape(label)}</text>"
        if label
        else ""
    )
    return f'<path d="{path}" fill="none" stroke="#666" marker-end="url(#tip)"/>{text}'


def _place(dag: SerializedDag) -> dict[str, Box]:
    boxes: dict[str, Box] = {}
    x = float(MARGIN)
    for layer in _ordered_layers(dag):
        names = {task.task_id: task.task_display_name or task.task_id for task in dag.tasks}
        width = max(len(names[id_]) for id_ in layer) * LETTER_WIDTH + BOX_PADDING
        for row, task_id in enumerate(layer):
            y = MARGIN + TITLE_HEIGHT + row * (BOX_HEIGHT + ROW_GAP)
            boxes[task_id] = Box(x, y, width)
        x += width + LAYER_GAP
    return boxes


def _ordered_layers(dag: SerializedDag) -> list[list[str]]:
    above = {task.task_id: list(task.upstream_task_ids) for task in dag.tasks}
    depth: dict[str, int] = {}
    for task_id, upstream_ids in above.items():  # tasks stand in topological order
        depth[task_id] = max((depth[id_] + 1 for id_ in upstream_ids if id_ in depth), default=0)
    layers: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for task_id, place in depth.items():
        layers[place].append(task_id)
    below: dict[str, list[str]] = {task_id: [] for task_id in above}
    for task_id, upstream_ids in above.items():
        for upstream_id in upstream_ids:
            below.setdefault(upstream_id, []).append(task_id)
    for sweep in range(SWEEPS):
        neighbours = above if sweep % 2 == 0 else below
        for layer in layers if sweep % 2 == 0 else layers[::-1]:
            rows = {id_: row for one in layers for row, id_ in enumerate(one)}
            layer.sort(key=partial(_mean_row, neighbours=neighbours, rows=rows))
    return layers


def _mean_row(
    task_id: str, neighbours: Mapping[str, Sequence[str]], rows: Mapping[str, int]
) -> float:
    places = [rows[id_] for id_ in neighbours[task_id] if id_ in rows]
    return sum(places) / len(places) if places else rows[task_id]
