"""One container of a graph in layers: ranks, lanes for long edges, order, and heights.

Steps: longest-path ranks; a lane in each layer that an edge passes, shared by edges of the same
end; sweeps that order each layer by its neighbours and keep the order with the fewest crossings;
heights by least squares under that order (pool adjacent violators).
"""

from __future__ import annotations

import itertools
from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

NODE_GAP = 14.0
LANE_GAP = 9.0
SWEEPS_MAX = 14
SWEEPS_WITHOUT_GAIN_MAX = 4


@dataclass(frozen=True, slots=True)
class Vertex:
    """What takes room in a layer. ``kind``: box, entry, exit (ports of the border) or lane."""

    id: str
    width: float = 0.0
    height: float = 0.0
    kind: str = "box"


@dataclass(frozen=True, slots=True)
class Link:
    """An edge between children; an empty end is the border, at the port of that name.

    ``leave`` and ``arrive``: where it meets each box, from the box's middle downwards.
    """

    source: str
    source_port: str
    target: str
    target_port: str
    leave: float
    arrive: float
    edges: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    """A link, or a part of it, from one layer to the next."""

    source: int
    target: int
    leave: float
    arrive: float


class Layers:
    """The layers of one container, placed. ``height`` is that of the highest layer."""

    def __init__(self, boxes: Iterable[Vertex], links: Sequence[Link]) -> None:
        self._vertices: list[Vertex] = list(boxes)
        self._index = {("box", one.id): n for n, one in enumerate(self._vertices)}
        for link in links:
            if not link.source:
                self._add_port("entry", link.source_port)
            if not link.target:
                self._add_port("exit", link.target_port)
        ends = [(self._end(link, True), self._end(link, False)) for link in links]
        self._ranks, backward = _rank(self._vertices, ends)
        self._steps: dict[_Step, list[int]] = {}
        self._backward: list[tuple[Link, int, int]] = []
        self._split(links, ends, backward)
        self._layers = self._order()
        self._y = self._heights()
        tops = [y - one.height / 2 for y, one in zip(self._y, self._vertices, strict=True)]
        upper = min(tops, default=0.0)
        self._y = [y - upper for y in self._y]
        self.height = max(
            (y + one.height / 2 for y, one in zip(self._y, self._vertices, strict=True)),
            default=0.0,
        )

    def _add_port(self, kind: str, name: str) -> None:
        if (kind, name) not in self._index:
            self._index[kind, name] = len(self._vertices)
            self._vertices.append(Vertex(name, kind=kind))

    def _end(self, link: Link, is_source: bool) -> int:
        if is_source:
            key = ("box", link.source) if link.source else ("entry", link.source_port)
        else:
            key = ("box", link.target) if link.target else ("exit", link.target_port)
        return self._index[key]

    def _split(
        self, links: Sequence[Link], ends: Sequence[tuple[int, int]], backward: set[int]
    ) -> None:
        """Cut links into steps of one layer, with lanes between."""
        out_degree: dict[tuple[int, str], int] = {}
        in_degree: dict[tuple[int, str], int] = {}
        for link, (a, b) in zip(links, ends, strict=True):
            out_key, in_key = (a, link.source_port), (b, link.target_port)
            out_degree[out_key] = out_degree.get(out_key, 0) + 1
            in_degree[in_key] = in_degree.get(in_key, 0) + 1
        for number, (link, (a, b)) in enumerate(zip(links, ends, strict=True)):
            if number in backward:
                self._backward.append((link, a, b))
                continue
            out_key, in_key = (a, link.source_port), (b, link.target_port)
            is_by_source = out_degree[out_key] >= in_degree[in_key]
            bundle = f"s{a} {link.source_port}" if is_by_source else f"t{b} {link.target_port}"
            chain = [a]
            for rank in range(self._ranks[a] + 1, self._ranks[b]):
                chain.append(self._lane(bundle, rank))
            chain.append(b)
            for n, (source, target) in enumerate(itertools.pairwise(chain)):
                step = _Step(
                    source,
                    target,
                    link.leave if n == 0 else 0.0,
                    link.arrive if n == len(chain) - 2 else 0.0,
                )
                self._steps.setdefault(step, []).extend(link.edges)

    def _lane(self, bundle: str, rank: int) -> int:
        key = ("lane", f"{bundle} {rank}")
        if key not in self._index:
            self._index[key] = len(self._vertices)
            self._vertices.append(Vertex(key[1], kind="lane"))
            self._ranks.append(rank)
        return self._index[key]

    def _order(self) -> list[list[int]]:
        """Return the vertices of each layer from top to bottom."""
        count = len(self._vertices)
        after: list[list[int]] = [[] for _ in range(count)]
        before: list[list[int]] = [[] for _ in range(count)]
        for step in self._steps:
            after[step.source].append(step.target)
            before[step.target].append(step.source)
        layers = _first_order(self._ranks, after)
        best, fewest = [list(one) for one in layers], _crossings(layers, after)
        without_gain = 0
        for sweep in range(SWEEPS_MAX):
            if fewest == 0 or without_gain >= SWEEPS_WITHOUT_GAIN_MAX:
                break
            _sweep(layers, before if sweep % 2 == 0 else after, is_down=sweep % 2 == 0)
            crossings = _crossings(layers, after)
            if crossings < fewest:
                best, fewest, without_gain = [list(one) for one in layers], crossings, 0
            else:
                without_gain += 1
        return best

    def _heights(self) -> list[float]:
        """Return the middle of each vertex: near its neighbours, in order, with room between."""
        pulls: list[list[tuple[int, float, float]]] = [[] for _ in self._vertices]
        for step in self._steps:
            both = {self._vertices[step.source].kind, self._vertices[step.target].kind}
            weight = 8.0 if both == {"lane"} else 1.0
            pulls[step.target].append((step.source, step.leave - step.arrive, weight))
            pulls[step.source].append((step.target, step.arrive - step.leave, weight))
        y = [0.0] * len(self._vertices)
        rooms = []
        for layer in self._layers:
            room = [0.0]
            for upper, lower in itertools.pairwise(layer):
                room.append(room[-1] + self._distance(upper, lower))
            rooms.append(room)
            for place, vertex in zip(room, layer, strict=True):
                y[vertex] = place - room[-1] / 2
        rounds = 24 if len(y) < 3000 else 14 if len(y) < 12_000 else 8
        ways = (range(len(self._layers)), range(len(self._layers) - 1, -1, -1))
        for turn in range(rounds):
            for n in ways[turn % 2]:
                layer = self._layers[n]
                targets, weights = [], []
                for vertex in layer:
                    total = sum(weight for _, _, weight in pulls[vertex])
                    pulled = sum((y[o] + offset) * weight for o, offset, weight in pulls[vertex])
                    targets.append(pulled / total if total else y[vertex])
                    weights.append(total or 0.01)
                for vertex, place in zip(layer, _fit(targets, weights, rooms[n]), strict=True):
                    y[vertex] = place
        return y

    def _distance(self, upper: int, lower: int) -> float:
        first, second = self._vertices[upper], self._vertices[lower]
        gap = NODE_GAP if "box" in (first.kind, second.kind) else LANE_GAP
        return (first.height + second.height) / 2 + gap

    def columns(self, left: float, gap: float) -> tuple[list[float], list[float]]:
        """Return the left and the right end of each layer's column; ports' columns have no gap."""
        lefts, rights = [], []
        x = left
        for layer in self._layers:
            kinds = {self._vertices[one].kind for one in layer}
            width = max((self._vertices[one].width for one in layer), default=0.0)
            if kinds == {"entry"}:
                lefts.append(0.0)
                rights.append(0.0)
                x = max(x, gap / 2)
                continue
            if kinds == {"exit"}:
                x = max(x - gap / 2, left)
                lefts.append(x)
                rights.append(x)
                continue
            lefts.append(x)
            rights.append(x + width)
            x += width + gap
        return lefts, rights

    def places(self) -> Iterator[tuple[Vertex, int, float]]:
        """Yield each vertex with its layer and the height of its middle."""
        for number, vertex in enumerate(self._vertices):
            yield vertex, self._ranks[number], self._y[number]

    def lines(
        self, lefts: Sequence[float], rights: Sequence[float], border: float
    ) -> Iterator[tuple[list[tuple[float, float]], tuple[int, ...]]]:
        """Yield points and numbers of edges of each step; *border* is where exits stand."""

        def middle(number: int) -> float:
            return (lefts[self._ranks[number]] + rights[self._ranks[number]]) / 2

        for step, numbers in self._steps.items():
            source, target = self._vertices[step.source], self._vertices[step.target]
            start = rights[self._ranks[step.source]]
            if source.kind == "box":
                start = middle(step.source) + source.width / 2
            end = lefts[self._ranks[step.target]]
            if target.kind == "box":
                end = middle(step.target) - target.width / 2
            points = [(start, self._y[step.source] + step.leave)]
            if source.kind == "box" and start < rights[self._ranks[step.source]]:
                points.append((rights[self._ranks[step.source]], points[0][1]))
            height = self._y[step.target] + step.arrive
            points.append((lefts[self._ranks[step.target]], height))
            if target.kind == "exit":
                points[-1] = (border, height)
            elif target.kind == "lane":
                points.append((rights[self._ranks[step.target]], height))
            elif end > points[-1][0]:
                points.append((end, height))
            yield points, tuple(dict.fromkeys(numbers))
        for link, a, b in self._backward:
            start = middle(a) + self._vertices[a].width / 2
            end = middle(b) - self._vertices[b].width / 2
            yield [(start, self._y[a] + link.leave), (end, self._y[b] + link.arrive)], link.edges


def _rank(
    vertices: Sequence[Vertex], ends: Sequence[tuple[int, int]]
) -> tuple[list[int], set[int]]:
    """Return the layer of each vertex, and the links that lead backwards (circles of groups)."""
    count = len(vertices)
    after: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for a, b in ends:
        after[a].append(b)
        waiting[b] += 1
    order: list[int] = []
    done = [False] * count
    ready = [n for n in range(count) if waiting[n] == 0]
    rest = iter(range(count))
    while len(order) < count:
        if not ready:  # a circle: the first of those that are left goes before the others
            ready = [next(n for n in rest if not done[n])]
        vertex = ready.pop(0)
        if done[vertex]:
            continue
        done[vertex] = True
        order.append(vertex)
        for other in after[vertex]:
            waiting[other] -= 1
            if waiting[other] == 0 and not done[other]:
                ready.append(other)
    position = {vertex: n for n, vertex in enumerate(order)}
    backward = {n for n, (a, b) in enumerate(ends) if position[a] >= position[b]}
    forward = [pair for n, pair in enumerate(ends) if n not in backward]
    first = 1 if any(one.kind == "entry" for one in vertices) else 0
    ranks = [0 if one.kind == "entry" else first for one in vertices]
    outgoing: dict[int, list[int]] = {}
    incoming: dict[int, int] = {}
    for a, b in forward:
        outgoing.setdefault(a, []).append(b)
        incoming[b] = incoming.get(b, 0) + 1
    for vertex in order:
        for other in outgoing.get(vertex, ()):
            ranks[other] = max(ranks[other], ranks[vertex] + 1)
    _use_slack(vertices, order, outgoing, incoming, ranks)
    boxes = [rank for rank, one in zip(ranks, vertices, strict=True) if one.kind == "box"]
    last = max(boxes, default=0) + 1
    return [
        last if one.kind == "exit" else rank for rank, one in zip(ranks, vertices, strict=True)
    ], backward


def _use_slack(
    vertices: Sequence[Vertex],
    order: Sequence[int],
    outgoing: Mapping[int, Sequence[int]],
    incoming: Mapping[int, int],
    ranks: list[int],
) -> None:
    """Move what has more edges to the right than to the left next to what follows it."""
    for vertex in reversed(order):
        following = [n for n in outgoing.get(vertex, ()) if vertices[n].kind == "box"]
        is_box = vertices[vertex].kind == "box"
        if is_box and following and len(following) > incoming.get(vertex, 0):
            ranks[vertex] = max(ranks[vertex], min(ranks[n] for n in following) - 1)


def _first_order(ranks: Sequence[int], after: Sequence[Sequence[int]]) -> list[list[int]]:
    layers: list[list[int]] = [[] for _ in range(max(ranks, default=-1) + 1)]
    seen = [False] * len(ranks)
    for start in sorted(range(len(ranks)), key=lambda n: (ranks[n], n)):
        stack = [start]
        while stack:
            vertex = stack.pop()
            if seen[vertex]:
                continue
            seen[vertex] = True
            layers[ranks[vertex]].append(vertex)
            stack.extend(reversed(after[vertex]))
    return layers


def _sweep(layers: list[list[int]], neighbours: Sequence[Sequence[int]], *, is_down: bool) -> None:
    """Order each layer by the median of its neighbours in the layer before it."""
    numbers = range(1, len(layers)) if is_down else range(len(layers) - 2, -1, -1)
    for n in numbers:
        fixed = layers[n - 1] if is_down else layers[n + 1]
        place = {vertex: at for at, vertex in enumerate(fixed)}
        keys: dict[int, float] = {}
        for at, vertex in enumerate(layers[n]):
            near = sorted(place[one] for one in neighbours[vertex] if one in place)
            if near:
                half = len(near) // 2
                keys[vertex] = near[half] if len(near) % 2 else (near[half - 1] + near[half]) / 2
            else:
                keys[vertex] = at * len(fixed) / max(1, len(layers[n]))
        layers[n].sort(key=keys.__getitem__)


def _crossings(layers: Sequence[Sequence[int]], after: Sequence[Sequence[int]]) -> int:
    total = 0
    for upper, lower in itertools.pairwise(layers):
        place = {vertex: at for at, vertex in enumerate(lower)}
        seen: list[int] = []
        for vertex in upper:
            ends = sorted(place[one] for one in after[vertex] if one in place)
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def _fit(targets: Sequence[float], weights: Sequence[float], rooms: Sequence[float]) -> list[float]:
    """Return places nearest to *targets* that keep the order and the room between."""
    blocks: list[tuple[float, float, int]] = []  # sum of weighted values, weight, length
    for target, weight, room in zip(targets, weights, rooms, strict=True):
        value, heavy, length = (target - room) * weight, weight, 1
        while blocks and blocks[-1][0] * heavy >= value * blocks[-1][1]:
            before = blocks.pop()
            value, heavy, length = value + before[0], heavy + before[1], length + before[2]
        blocks.append((value, heavy, length))
    places: list[float] = []
    for value, heavy, length in blocks:
        start = len(places)
        places += [value / heavy + rooms[n] for n in range(start, start + length)]
    return places
