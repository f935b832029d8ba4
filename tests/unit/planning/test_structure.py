import pytest
from planning_runs import over_literal, over_xcom, structure, task
from tradewind.sdk.serialized import SerializedGroup


def test_tasks_stand_in_topological_order():
    dag = structure(task("c", "b"), task("b", "a"), task("a"))

    assert list(dag.tasks) == ["a", "b", "c"]


def test_a_cycle_is_refused_by_name():
    with pytest.raises(ValueError, match="DAG 'd' form a cycle: a, b"):
        structure(task("a", "b"), task("b", "a"))


def test_an_edge_to_a_task_that_is_gone_is_left_out():
    assert structure(task("b", "gone")).upstream_ids == {"b": ()}


def test_leaves_leave_out_teardowns():
    dag = structure(task("s", is_setup=True), task("w", "s"), task("t", "w", is_teardown=True))

    assert dag.leaf_ids == ("w",)


def test_a_teardown_that_may_fail_the_run_is_its_leaf():
    teardown = task("t", "w", is_teardown=True, on_failure_fail_dagrun=True)

    assert structure(task("w"), teardown).leaf_ids == ("t",)


def test_a_dag_of_teardowns_has_them_as_leaves():
    assert structure(task("t", is_teardown=True)).leaf_ids == ("t",)


def test_setups_count_for_all_tasks_before_their_teardown():
    dag = structure(
        task("s", is_setup=True),
        task("w", "s"),
        task("w2", "w"),
        task("t", "w2", "s", is_teardown=True),
        task("after", "w2"),
    )

    assert dag.indirect_setup_ids == {"w2": ("s",)}
    assert dag.teardown_setup_ids == {"t": ("s",)}
    assert dag.teardown_scope_ids == {"t": ("w", "w2")}


def test_a_setup_without_teardown_counts_for_all_below_it():
    dag = structure(task("s", is_setup=True), task("w", "s"), task("w2", "w"))

    assert dag.indirect_setup_ids == {"w2": ("s",)}


def test_a_task_is_expanded_by_its_groups_and_by_itself():
    dag = structure(
        task("lst"),
        task("g.i.a", "lst", group_id="g.i"),
        task("m", expansion=over_xcom("lst")),
        groups=[
            SerializedGroup("g", expansion=over_xcom("lst")),
            SerializedGroup("g.i", parent_id="g", expansion=over_literal(2)),
        ],
    )

    assert dag.mapped_groups["g.i.a"] == ("g", "g.i")
    assert dag.expansions["g.i.a"] == (over_xcom("lst"), over_literal(2))
    assert dag.length_task_ids == {"g.i.a": ("lst",), "m": ("lst",)}
    assert dag.group_task_ids("g") == ["g.i.a"]
    assert not dag.is_mapped("lst")


def test_closures_leave_out_where_they_begin():
    dag = structure(task("a"), task("b", "a"), task("c", "b"), task("x"))

    assert dag.downstream_closure(["a"]) == ["b", "c"]
    assert dag.upstream_closure(["c"]) == ["a", "b"]
