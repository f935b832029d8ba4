"""Places tasks and groups of a graph in layers from left to right. Pure: sizes in, places out.

Each open group is placed on its own and is then one box in its parent; an edge that crosses its
border enters and leaves it at *ports*, whose heights the parent knows. Long edges that share an
end share a lane. The same input always gives the same output. All lengths are pixels.
Source: ``spec/ui-design.md`` section 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from .layout_layers import Layers, Link, Vertex

ROOT = ""
COLUMN_GAP = 46.0
PADDING = 14.0
TITLE_HEIGHT = 26.0
#: How many pictures a process keeps: what is drawn does not depend on states.
LAYOUTS_KEPT = 256


@dataclass(frozen=True, slots=True)
class Node:
    """One box to be placed: a task, or a closed group. ``group_id`` empty: at the top."""

    id: str
    width: float
    height: float
    group_id: str = ROOT


@dataclass(frozen=True, slots=True)
class Group:
    """One open group. It is at least as wide as its title."""

    id: str
    parent_id: str = ROOT
    title_width: float = 0.0


@dataclass(frozen=True, slots=True)
class Box:
    """Where something stands: its upper left corner and its size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """A piece of one or more edges, from left to right: (x, y) points, and numbers of edges."""

    points: tuple[tuple[float, float], ...]
    edges: tuple[int, ...]


@dataclass(slots=True)
class Picture:
    """The whole drawing."""

    width: float = 0.0
    height: float = 0.0
    nodes: dict[str, Box] = field(default_factory=dict)
    groups: dict[str, Box] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    #: The lines as SVG, once somebody has drawn them: the same for every reader.
    lines_svg: str | None = None


@dataclass(slots=True)
class _Placed:
    """One container with its content, in coordinates of its own."""

    picture: Picture
    entries: dict[str, float] = field(default_factory=dict)
    exits: dict[str, float] = field(default_factory=dict)


def lay_out(
    nodes: Sequence[Node],
    edges: Sequence[tuple[str, str]],
    groups: Iterable[Group] = (),
    *,
    is_downward: bool = False,
) -> Picture:
    """Place everything.

    Args:
        nodes: in the order in which a reader would name them; ties are broken by it.
        edges: (from, to) between nodes. One that closes a circle is drawn to the left.
        groups: only the open ones; those without any node inside are left out.
        is_downward: layers stand one below the other instead of from left to right.
    """
    return _kept(tuple(nodes), tuple(edges), tuple(groups), is_downward)


@lru_cache(maxsize=LAYOUTS_KEPT)
def _kept(
    nodes: tuple[Node, ...],
    edges: tuple[tuple[str, str], ...],
    groups: tuple[Group, ...],
    is_downward: bool,
) -> Picture:
    """Return a picture that is never changed again: the next reader gets the same one."""
    known = {group.id: group for group in groups}
    if not is_downward:
        return _Layout(nodes, edges, known).run()
    # The same layout of boxes that lie on their sides, and then all of it set upright.
    lying = [replace(node, width=node.height, height=node.width) for node in nodes]
    return _upright(_Layout(lying, edges, known, is_lying=True).run())


def _upright(picture: Picture) -> Picture:
    def turn(boxes: Mapping[str, Box]) -> dict[str, Box]:
        return {id_: Box(box.y, box.x, box.height, box.width) for id_, box in boxes.items()}

    return Picture(
        width=picture.height,
        height=picture.width,
        nodes=turn(picture.nodes),
        groups=turn(picture.groups),
        lines=[Line(tuple((y, x) for x, y in one.points), one.edges) for one in picture.lines],
    )


class _Layout:
    def __init__(
        self,
        nodes: Sequence[Node],
        edges: Sequence[tuple[str, str]],
        groups: Mapping[str, Group],
        *,
        is_lying: bool = False,
    ) -> None:
        self.is_lying = is_lying
        self.nodes = {node.id: node for node in nodes}
        self.groups = groups
        self.chains = {node.id: self._chain(node.group_id) for node in nodes}
        self.children: dict[str, dict[str, bool]] = {ROOT: {}}  # child → whether it is a group
        for node in nodes:
            self._adopt(node)
        self.edges = [(a, b) for a, b in edges if a in self.nodes and b in self.nodes]
        self.ports_in, self.ports_out = self._choose_ports()
        self.links: dict[str, list[int]] = {}
        for number, (source, target) in enumerate(self.edges):
            above, below = (ROOT, *self.chains[source]), (ROOT, *self.chains[target])
            shared = sum(1 for a, b in zip(above, below, strict=False) if a == b)
            for container in dict.fromkeys((*above[shared - 1 :], *below[shared - 1 :])):
                self.links.setdefault(container, []).append(number)

    def run(self) -> Picture:
        return self._place(ROOT).picture

    def _chain(self, group_id: str) -> tuple[str, ...]:
        chain: list[str] = []
        while group_id:
            chain.insert(0, group_id)
            group_id = self.groups[group_id].parent_id
        return tuple(chain)

    def _adopt(self, node: Node) -> None:
        parents = (ROOT, *self.chains[node.id])
        for parent, child in zip(parents, (*parents[1:], node.id), strict=True):
            self.children.setdefault(parent, {}).setdefault(child, child != node.id)

    def _choose_ports(self) -> tuple[dict[str, bool], dict[str, bool]]:
        """Return group → whether its ports are named for the far ends: the end with fewer tasks."""
        ends: dict[tuple[str, bool], tuple[set[str], set[str]]] = {}
        for source, target in self.edges:
            for own, far, is_entry in ((target, source, True), (source, target, False)):
                for group in self.chains[own]:
                    if group not in self.chains[far]:
                        inside, outside = ends.setdefault((group, is_entry), (set(), set()))
                        inside.add(own)
                        outside.add(far)
        chosen: tuple[dict[str, bool], dict[str, bool]] = ({}, {})
        for (group, is_entry), (inside, outside) in ends.items():
            chosen[0 if is_entry else 1][group] = len(outside) <= len(inside)
        return chosen

    def _entry_key(self, group: str, number: int) -> str:
        source, target = self.edges[number]
        return source if self.ports_in[group] else target

    def _exit_key(self, group: str, number: int) -> str:
        source, target = self.edges[number]
        return target if self.ports_out[group] else source

    def _child_of(self, container: str, node_id: str) -> str | None:
        """Return which child of *container* holds the node, None: it is outside."""
        chain = (ROOT, *self.chains[node_id], node_id)
        return chain[chain.index(container) + 1] if container in chain[:-1] else None

    def _place(self, container: str) -> _Placed:
        inner = {
            child: self._place(child)
            for child, is_group in self.children[container].items()
            if is_group
        }
        vertices: dict[str, Vertex] = {}
        for child in self.children[container]:
            if child in inner:
                picture = inner[child].picture
                vertices[child] = Vertex(child, picture.width, picture.height)
            else:
                node = self.nodes[child]
                vertices[child] = Vertex(child, node.width, node.height)
        layers = Layers(vertices.values(), self._links_in(container, inner))
        return self._draw(container, inner, layers)

    def _links_in(self, container: str, inner: Mapping[str, _Placed]) -> list[Link]:
        found: dict[tuple[str, str, str, str], list[int]] = {}
        offsets: dict[tuple[str, str, str, str], tuple[float, float]] = {}
        for number in self.links.get(container, ()):
            source, target = self.edges[number]
            a, b = self._child_of(container, source), self._child_of(container, target)
            if a == b:
                continue
            from_port = to_port = ""
            leave = arrive = 0.0
            if a is None:
                a, from_port = "", self._entry_key(container, number)
            elif a in inner:
                from_port = self._exit_key(a, number)
                leave = inner[a].exits[from_port] - inner[a].picture.height / 2
            if b is None:
                b, to_port = "", self._exit_key(container, number)
            elif b in inner:
                to_port = self._entry_key(b, number)
                arrive = inner[b].entries[to_port] - inner[b].picture.height / 2
            key = (a, from_port, b, to_port)
            found.setdefault(key, []).append(number)
            offsets[key] = (leave, arrive)
        return [
            Link(a, from_port, b, to_port, *offsets[a, from_port, b, to_port], tuple(numbers))
            for (a, from_port, b, to_port), numbers in found.items()
        ]

    def _draw(self, container: str, inner: Mapping[str, _Placed], layers: Layers) -> _Placed:
        is_root = container == ROOT
        left = top = border = title = 0.0
        if not is_root:
            border, title = PADDING, self.groups[container].title_width + 2 * PADDING
            left, top = (TITLE_HEIGHT, border) if self.is_lying else (border, TITLE_HEIGHT)
        lefts, rights = layers.columns(left, COLUMN_GAP)
        width = rights[-1] + border if rights else left
        height = top + layers.height + border
        if self.is_lying:
            height = max(height, title)
        else:
            width = max(width, title)
        picture = Picture(width=width, height=height)
        placed = _Placed(picture)
        for vertex, rank, y in layers.places():
            column = lefts[rank]
            if vertex.kind == "entry":
                placed.entries[vertex.id] = top + y
            elif vertex.kind == "exit":
                placed.exits[vertex.id] = top + y
            elif vertex.kind == "box":
                space = rights[rank] - lefts[rank] - vertex.width
                x, upper = column + space / 2, top + y - vertex.height / 2
                self._put(picture, inner, vertex, x, upper)
        for points, numbers in layers.lines(lefts, rights, width):
            picture.lines.append(Line(tuple((x, top + y) for x, y in points), numbers))
        return placed

    def _put(
        self,
        picture: Picture,
        inner: Mapping[str, _Placed],
        vertex: Vertex,
        x: float,
        y: float,
    ) -> None:
        if vertex.id not in inner:
            picture.nodes[vertex.id] = Box(x, y, vertex.width, vertex.height)
            return
        child = inner[vertex.id].picture
        picture.groups[vertex.id] = Box(x, y, vertex.width, vertex.height)
        for own, theirs in ((picture.nodes, child.nodes), (picture.groups, child.groups)):
            for id_, box in theirs.items():
                own[id_] = Box(box.x + x, box.y + y, box.width, box.height)
        for line in child.lines:
            moved = tuple((px + x, py + y) for px, py in line.points)
            picture.lines.append(Line(moved, line.edges))
