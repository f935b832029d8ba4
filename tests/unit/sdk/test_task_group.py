"""Task groups: semantics sections 2.5 and 3.2."""

from __future__ import annotations

import pytest
from tradewind.sdk.base_operator import BaseOperator
from tradewind.sdk.exceptions import DuplicateTaskIdFound, TaskAlreadyInTaskGroup
from tradewind.sdk.task_group import TaskGroup, suffixed
from tradewind.sdk.task_group_decorator import task_group


def edges(dag):
    return sorted((task.task_id, after) for task in dag.tasks for after in task.downstream_task_ids)


def test_a_group_prefixes_the_ids_of_what_stands_in_it(dag):
    with dag, TaskGroup("outer") as outer, TaskGroup("inner") as inner:
        task = BaseOperator(task_id="a")

    assert task.task_id == "outer.inner.a"
    assert (task.label, inner.label) == ("a", "inner")
    assert outer["inner"] is inner
    assert dag["outer.inner"] is inner


def test_a_group_without_prefix_takes_its_parents_for_itself_only(dag):
    with dag, TaskGroup("g"), TaskGroup("inner", prefix_group_id=False) as inner:
        task = BaseOperator(task_id="same")

    assert (inner.group_id, task.task_id) == ("g.inner", "same")


def test_an_edge_from_group_to_group_leads_from_leaves_to_roots(dag):
    with dag:
        with TaskGroup("g1", prefix_group_id=False) as first:
            BaseOperator(task_id="a") >> BaseOperator(task_id="b")
        with TaskGroup("g2", prefix_group_id=False) as second:
            BaseOperator(task_id="c")
            BaseOperator(task_id="e")
        first >> second

    assert edges(dag) == [("a", "b"), ("b", "c"), ("b", "e")]


def test_what_follows_a_group_does_not_wait_for_its_teardown(dag):
    with dag:
        with TaskGroup("g") as group:
            setup, work, teardown = (BaseOperator(task_id=name) for name in ("s", "w", "td"))
            setup >> work >> teardown.as_teardown(setups=setup)
        after = BaseOperator(task_id="n")
        group >> after

    assert after.upstream_task_ids == {"g.w"}


@pytest.mark.parametrize(("dialect", "expected"), [("3", [("a", "b")]), ("2", [])])
def test_an_empty_group_passes_edges_on_in_airflow_3(make_dag, dialect, expected):
    dag = make_dag(dialect=dialect, schedule=None)
    with dag:
        first, last = BaseOperator(task_id="a"), BaseOperator(task_id="b")
        first >> TaskGroup("g") >> last

    assert edges(dag) == expected


def test_a_second_group_of_one_id_is_refused_or_gets_a_number(dag):
    with dag:
        TaskGroup("g")
        with pytest.raises(DuplicateTaskIdFound):
            TaskGroup("g")
        ids = [TaskGroup("g", add_suffix_on_collision=True).group_id for _ in range(2)]

    assert ids == ["g__1", "g__2"]


def test_a_group_may_not_be_called_like_a_task(dag):
    with dag:
        BaseOperator(task_id="a")
        with pytest.raises(DuplicateTaskIdFound):
            TaskGroup("a")


def test_a_task_belongs_to_one_group(dag):
    with dag:
        with TaskGroup("g"):
            task = BaseOperator(task_id="a")
        with pytest.raises(TaskAlreadyInTaskGroup):
            TaskGroup("h").add(task)


def test_a_group_needs_a_dag():
    with pytest.raises((ValueError, RuntimeError)):
        TaskGroup("g")


@pytest.mark.parametrize("group_id", ["a.b", "a b", "", "a" * 201])
def test_a_wrong_group_id_is_refused(dag, group_id):
    with dag, pytest.raises(ValueError, match="id"):
        TaskGroup(group_id)


def test_airflow_2_lets_the_id_of_a_group_without_prefix_have_dots(make_dag):
    with make_dag(dialect="2", schedule=None):
        assert TaskGroup("a.b", prefix_group_id=False).group_id == "a.b"


def test_groups_made_by_calling_a_function_are_numbered(dag):
    @task_group
    def g():
        BaseOperator(task_id="a")

    with dag:
        g()
        g()

    assert dag.task_ids == ["g.a", "g__1.a"]


def test_a_group_function_returns_the_group_where_it_returns_nothing(dag):
    @task_group(group_id="named", tooltip="tip")
    def g():
        BaseOperator(task_id="a")

    with dag:
        group = g()
        group >> BaseOperator(task_id="b")

    assert edges(dag) == [("named.a", "b")]
    assert group.tooltip == "tip"


@pytest.mark.parametrize(
    ("wanted", "taken", "expected"),
    [
        ("same", {"same"}, "same__1"),
        ("same", {"same", "same__1"}, "same__2"),
        ("same__1", {"same", "same__1", "same__2"}, "same__3"),
        ("g.a", {"g.a", "a__7"}, "g.a__1"),
    ],
)
def test_the_number_is_one_more_than_the_largest_of_the_same_base(wanted, taken, expected):
    assert suffixed(wanted, taken) == expected


def test_children_are_sorted_by_what_they_depend_on(dag):
    with dag:
        with TaskGroup("late") as late:
            BaseOperator(task_id="a")
        first = BaseOperator(task_id="first")
        first >> late

    assert [node.node_id for node in dag.task_group.topological_sort()] == ["first", "late"]
