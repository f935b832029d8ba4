from __future__ import annotations

from xml.etree import ElementTree

from tradewind.cli.dags_show import to_dot
from tradewind.cli.graph_picture import to_svg
from tradewind.sdk.serialized import (
    SerializedDag,
    SerializedGroup,
    SerializedTask,
    SerializedTimetable,
)

SVG = "{http://www.w3.org/2000/svg}"


def _dag(edges: dict[str, list[str]], **fields: object) -> SerializedDag:
    tasks = [
        SerializedTask(task_id=task_id, task_type="T", upstream_task_ids=above)
        for task_id, above in edges.items()
    ]
    return SerializedDag("d", "3", SerializedTimetable("none"), tasks=tasks, **fields)


def _boxes(svg: str) -> dict[str, tuple[float, float]]:
    boxes = {}
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        box = group.find(f"{SVG}rect")
        boxes[group.find(f"{SVG}text").text] = (float(box.get("x")), float(box.get("y")))
    return boxes


def test_a_task_stands_right_of_all_above_it_and_no_two_share_a_place():
    dag = _dag({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["a", "d"]})

    boxes = _boxes(to_svg(dag))

    assert boxes["a"][0] < boxes["b"][0] == boxes["c"][0] < boxes["d"][0] < boxes["e"][0]
    assert len(set(boxes.values())) == 5


def test_two_parallel_chains_do_not_cross():
    dag = _dag({"a1": [], "b1": [], "b2": ["b1"], "a2": ["a1"]})

    boxes = _boxes(to_svg(dag))

    assert (boxes["a1"][1] < boxes["b1"][1]) == (boxes["a2"][1] < boxes["b2"][1])


def test_names_are_escaped():
    svg = to_svg(_dag({"a<b>&": []}))

    assert list(_boxes(svg)) == ["a<b>&"]


def test_an_empty_dag_is_a_picture_too():
    assert _boxes(to_svg(_dag({}))) == {}


def test_dot_has_groups_as_clusters_and_labels_on_edges():
    dag = _dag(
        {"g.a": [], "b": ["g.a"]},
        groups=[SerializedGroup("g", label='say "hi"')],
        edge_labels=[["g.a", "b", "if big"]],
    )
    dag.tasks[0].group_id = "g"

    dot = to_dot(dag)

    assert 'subgraph "cluster_g" {' in dot
    assert 'label="say \\"hi\\""' in dot
    assert '"g.a" -> "b" [label="if big"]' in dot
