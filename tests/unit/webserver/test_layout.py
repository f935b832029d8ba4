"""Placing a graph: edges go right, nothing overlaps, children stay inside, always the same."""

from __future__ import annotations

import random
import time
from itertools import combinations

import pytest
from tradewind.webserver.layout import Box, Group, Node, Picture, lay_out


def random_graph(seed: int, tasks: int) -> tuple[list[Node], list[tuple[str, str]], list[Group]]:
    """Return tasks in nested groups. Edges between top groups go one way, so there is no circle."""
    source = random.Random(seed)
    groups = [Group(f"g{n}", "", 60) for n in range(4)]
    groups += [Group(f"g{n}.inner", f"g{n}", 80) for n in range(0, 4, 2)]
    places = ["", *(group.id for group in groups)]
    nodes = [
        Node(f"t{n}", source.randint(60, 180), 32, places[n * len(places) // tasks])
        for n in range(tasks)
    ]
    nodes.sort(key=lambda node: int(node.id[1:]))
    edges = [
        (f"t{source.randrange(max(0, n - 12), n)}", f"t{n}")
        for n in range(1, tasks)
        for _ in range(source.randint(0, 2))
    ]
    return nodes, sorted(set(edges)), groups


def overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def contains(outer: Box, inner: Box) -> bool:
    return (
        outer.x <= inner.x
        and outer.y <= inner.y
        and inner.x + inner.width <= outer.x + outer.width + 0.01
        and inner.y + inner.height <= outer.y + outer.height + 0.01
    )


@pytest.mark.parametrize("seed", range(12))
def test_no_two_tasks_overlap_and_each_lies_inside_its_groups(seed: int) -> None:
    nodes, edges, groups = random_graph(seed, 40)

    picture = lay_out(nodes, edges, groups)

    assert len(picture.nodes) == len(nodes)
    for one, other in combinations(picture.nodes.values(), 2):
        assert not overlap(one, other)
    parents = {group.id: group.parent_id for group in groups}
    for node in nodes:
        group_id = node.group_id
        while group_id:
            assert contains(picture.groups[group_id], picture.nodes[node.id])
            group_id = parents[group_id]
    siblings = [picture.groups[group.id] for group in groups if not group.parent_id]
    for one, other in combinations(siblings, 2):
        assert not overlap(one, other)


@pytest.mark.parametrize("seed", range(12))
def test_every_edge_of_a_graph_without_groups_goes_right(seed: int) -> None:
    nodes, edges, _ = random_graph(seed, 40)

    picture = lay_out([Node(one.id, one.width, one.height) for one in nodes], edges)

    for source, target in edges:
        left = picture.nodes[source]
        assert left.x + left.width < picture.nodes[target].x


def test_each_edge_is_drawn_from_its_task_to_its_task() -> None:
    nodes, edges, groups = random_graph(3, 40)

    picture = lay_out(nodes, edges, groups)

    for number, (source, target) in enumerate(edges):
        pieces = [line.points for line in picture.lines if number in line.edges]
        first, last = picture.nodes[source], picture.nodes[target]
        starts = {points[0] for points in pieces}
        ends = {points[-1] for points in pieces}
        assert (first.x + first.width, first.y + first.height / 2) in rounded(starts, first)
        assert (last.x, last.y + last.height / 2) in rounded(ends, last)


def rounded(points: set[tuple[float, float]], box: Box) -> set[tuple[float, float]]:
    """Return *points*, those within a hair of one of the box's ends as that end itself."""
    ends = [(box.x + box.width, box.y + box.height / 2), (box.x, box.y + box.height / 2)]
    return {
        next((e for e in ends if abs(e[0] - x) < 0.01 and abs(e[1] - y) < 0.01), (x, y))
        for x, y in points
    }


def test_the_same_input_gives_the_same_picture() -> None:
    nodes, edges, groups = random_graph(5, 60)

    assert lay_out(nodes, edges, groups) == lay_out(nodes, edges, groups)


def test_a_circle_between_groups_is_drawn_all_the_same() -> None:
    nodes = [Node("a", 50, 30, "g"), Node("b", 50, 30, "h"), Node("c", 50, 30, "g")]

    picture = lay_out(nodes, [("a", "b"), ("b", "c")], [Group("g"), Group("h")])

    assert set(picture.nodes) == {"a", "b", "c"}
    assert not overlap(picture.groups["g"], picture.groups["h"])


def test_a_graph_of_nothing_is_a_picture_of_nothing() -> None:
    assert lay_out([], []) == Picture()


def test_lines_that_need_not_cross_do_not() -> None:
    nodes = [Node(f"{layer}{n}", 50, 30) for n in range(6) for layer in "abc"]
    shuffled = random.Random(1).sample(nodes, len(nodes))
    edges = [(f"a{n}", f"b{n}") for n in range(6)] + [(f"b{n}", f"c{n}") for n in range(6)]

    picture = lay_out(shuffled, edges)

    for source, target in edges:
        assert abs(picture.nodes[source].y - picture.nodes[target].y) < 1


def test_five_thousand_tasks_take_less_than_three_seconds() -> None:
    source = random.Random(1)
    nodes = [Node(f"t{n}", 100, 32) for n in range(5000)]
    edges = [(f"t{max(0, n - source.randint(1, 140))}", f"t{n}") for n in range(70, 5000)]
    started_s = time.process_time()

    lay_out(nodes, edges)

    assert time.process_time() - started_s < 3
