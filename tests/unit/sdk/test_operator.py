"""The operator model: semantics sections 2.1, 2.4 and the checkable examples 2."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from tradewind.sdk.asset import Asset
from tradewind.sdk.base_operator import BaseOperator
from tradewind.sdk.edges import Label, chain, chain_linear, cross_downstream
from tradewind.sdk.exceptions import AirflowException, TaskDeferred
from tradewind.sdk.task_group import TaskGroup
from tradewind.sdk.xcom_arg import XComArg


class Templated(BaseOperator):
    template_fields: Sequence[str] = ("value",)

    def __init__(self, value=None, *, size=1, **kwargs):
        super().__init__(**kwargs)
        self.value = value
        self.size = size


class Stricter(Templated):
    def __init__(self, *, needed, also_needed, **kwargs):
        super().__init__(**kwargs)
        self.needed = needed
        self.also_needed = also_needed


def edges(dag):
    return sorted((task.task_id, after) for task in dag.tasks for after in task.downstream_task_ids)


def operators(names):
    return [BaseOperator(task_id=name) for name in names]


# --- arguments -------------------------------------------------------------------------------


def test_a_delay_given_as_a_number_is_seconds():
    assert BaseOperator(task_id="x", retry_delay=60).retry_delay == timedelta(minutes=1)


def test_a_timeout_given_as_a_number_is_refused():
    with pytest.raises(ValueError, match="execution_timeout"):
        BaseOperator(task_id="x", execution_timeout=60)


@pytest.mark.parametrize(("given", "retries"), [("3", 3), (None, 0), (2, 2)])
def test_retries_are_read_as_a_number(given, retries):
    assert BaseOperator(task_id="x", retries=given).retries == retries


@pytest.mark.parametrize(
    ("argument", "value", "error"),
    [
        ("retries", "a", AirflowException),
        ("pool_slots", 0, ValueError),
        ("trigger_rule", "sometimes", ValueError),
        ("weight_rule", "sideways", ValueError),
        ("queue", 5, TypeError),
        ("priority_weight", "high", TypeError),
        ("depends_on_past", "yes", TypeError),
        ("task_id", "a b", ValueError),
        ("task_id", 5, TypeError),
    ],
)
def test_a_wrong_argument_is_refused(argument, value, error):
    with pytest.raises(error) as caught:
        BaseOperator(**{"task_id": "x", argument: value})
    assert isinstance(caught.value, AirflowException)


def test_backoff_true_means_doubling():
    assert BaseOperator(task_id="x", retry_exponential_backoff=True).retry_exponential_backoff == 2
    assert BaseOperator(task_id="x").retry_exponential_backoff == 0


def test_waiting_for_downstream_means_depending_on_the_past():
    assert BaseOperator(task_id="x", wait_for_downstream=True).depends_on_past is True


def test_legacy_trigger_rules_hold_in_airflow_2_only(make_dag):
    old = BaseOperator(task_id="x", trigger_rule="dummy", dag=make_dag(dialect="2", schedule=None))

    assert old.trigger_rule == "always"
    with pytest.raises(ValueError, match="dummy"):
        BaseOperator(task_id="x", trigger_rule="dummy", dag=make_dag(schedule=None))


def test_positional_arguments_are_refused():
    with pytest.raises(TypeError) as caught:
        Templated("x", task_id="a")
    assert isinstance(caught.value, AirflowException)


def test_unknown_arguments_are_named():
    with pytest.raises(TypeError, match="colour"):
        Templated(task_id="a", colour="red")


def test_arguments_of_the_past_are_dropped_with_a_warning():
    with pytest.warns(DeprecationWarning, match="provide_context"):
        BaseOperator(task_id="a", provide_context=True)


def test_an_operator_that_forgets_super_is_no_task_and_its_author_is_told(make_dag):
    class Forgetful(BaseOperator):
        def __init__(self, **kwargs): ...

    with make_dag(schedule=None) as dag, pytest.warns(DeprecationWarning, match="does not call"):
        Forgetful(task_id="a")

    assert dag.task_ids == []


def test_all_missing_arguments_are_named():
    with pytest.raises(TypeError, match="'needed', 'also_needed'"):
        Stricter(task_id="a")


def test_defaults_reach_every_class_and_satisfy_what_is_required(make_dag):
    defaults = {"needed": 1, "also_needed": 2, "size": 7, "retries": 4, "unknown": 1}
    with make_dag(schedule=None, default_args=defaults):
        task = Stricter(task_id="a", also_needed=3)

    assert (task.needed, task.also_needed, task.size, task.retries) == (1, 3, 7, 4)


def test_what_a_subclass_passes_on_beats_a_default(make_dag):
    class Fixed(BaseOperator):
        def __init__(self, **kwargs):
            super().__init__(retries=9, **kwargs)

    with make_dag(schedule=None, default_args={"owner": "me"}):
        task = Fixed(task_id="a")

    assert (task.retries, task.owner) == (9, "me")


def test_callbacks_are_lists():
    assert BaseOperator(task_id="a", on_failure_callback=print).on_failure_callback == [print]
    assert BaseOperator(task_id="a").on_failure_callback == []


def test_the_number_of_active_instances_has_an_older_name():
    assert BaseOperator(task_id="a", task_concurrency=2).max_active_tis_per_dag == 2


@pytest.mark.parametrize(("dialect", "expected"), [("2", True), ("3", False)])
def test_the_first_run_and_the_past(make_dag, dialect, expected):
    task = BaseOperator(task_id="a", dag=make_dag(dialect=dialect, schedule=None))

    assert task.ignore_first_depends_on_past is expected


def test_deferring_leaves_through_an_exception_that_user_code_does_not_catch():
    task = BaseOperator(task_id="a")

    with pytest.raises(TaskDeferred) as caught:
        task.defer(trigger="t", method_name="go_on", timeout=5)

    assert not isinstance(caught.value, Exception)
    assert caught.value.timeout == timedelta(seconds=5)


# --- dependencies ----------------------------------------------------------------------------


def test_an_edge_set_twice_is_one_edge(dag):
    with dag:
        first, second = operators("ab")
        first >> second
        second << first
        first.set_downstream(second)

    assert edges(dag) == [("a", "b")]


def test_the_value_of_an_expression_is_its_right_operand(dag):
    with dag:
        first, second, third, fourth = operators("abcd")
        first >> [second, third] >> fourth

    assert edges(dag) == [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]


def test_two_lists_cannot_be_linked_by_an_operator(dag):
    with dag, pytest.raises(TypeError):
        operators("ab") >> operators("cd")


def test_only_nodes_can_depend_on_each_other(dag):
    with dag, pytest.raises(TypeError):
        BaseOperator(task_id="a") >> "b"


def test_chain_links_lists_pairwise(dag):
    with dag:
        t, a, b, c, e, z = operators("tabcez")
        chain(t, [a, b], [c, e], z)

    assert edges(dag) == [
        ("a", "c"), ("b", "e"), ("c", "z"), ("e", "z"), ("t", "a"), ("t", "b"),
    ]  # fmt: skip


def test_chain_refuses_lists_of_different_length(dag):
    with dag:
        a, b, c = operators("abc")
        with pytest.raises(ValueError, match="pairwise") as caught:
            chain([a, b], [c])
    assert isinstance(caught.value, AirflowException)


def test_chain_refuses_what_is_no_node(dag):
    with dag, pytest.raises(TypeError):
        chain(5, [BaseOperator(task_id="a")])


def test_chain_linear_links_every_node_to_every_node_of_the_next(dag):
    with dag:
        a, b, c, e = operators("abce")
        chain_linear([a, b], [c, e])

    assert edges(dag) == [("a", "c"), ("a", "e"), ("b", "c"), ("b", "e")]


def test_chain_linear_refuses_labels_and_nothing(dag):
    with dag:
        a, b = operators("ab")
        for items in [(), (a,), (a, Label("x"), b)]:
            with pytest.raises(ValueError, match="chain_linear"):
                chain_linear(*items)


def test_cross_downstream_links_all_pairs(dag):
    with dag:
        a, b, c, e = operators("abce")
        cross_downstream([a, b], [c, e])

    assert len(edges(dag)) == 4


def test_a_label_stands_on_each_edge_that_passes_through(dag):
    with dag:
        a, b, c, e = operators("abce")
        a >> Label("large") >> [b, c]
        [b, c] >> Label("back") >> e
        chain(a, Label("chained"), e)

    assert dag.get_edge_info("a", "b") == {"label": "large"}
    assert dag.get_edge_info("a", "c") == {"label": "large"}
    assert dag.get_edge_info("c", "e") == {"label": "back"}
    assert dag.get_edge_info("a", "e") == {"label": "chained"}
    assert ("a", "b") in edges(dag)


def test_the_label_of_an_edge_to_a_group_stands_at_its_join(dag):
    with dag:
        before, after = operators("ab")
        with TaskGroup("g") as group:
            operators("cd")
        before >> Label("in") >> group >> Label("out") >> after

    assert dag.get_edge_info("a", "g.upstream_join_id") == {"label": "in"}
    assert dag.get_edge_info("g.downstream_join_id", "b") == {"label": "out"}


def test_comparing_a_task_with_an_asset_adds_it():
    task, asset = BaseOperator(task_id="a"), Asset("s3://b")

    assert task > asset
    assert task < [asset]

    assert task.outlets == [asset]
    assert task.inlets == [asset]


@pytest.mark.parametrize(
    "wrap", [lambda x: x, lambda x: [x], lambda x: ({"k": (x,)},), lambda x: {"k": [{x}]}]
)
def test_a_result_in_a_template_field_makes_its_task_an_upstream(dag, wrap):
    with dag:
        first = BaseOperator(task_id="a")
        second = Templated(task_id="b", value=wrap(first.output))
        third = Templated(task_id="c")
        third.value = wrap(second.output["key"])

    assert edges(dag) == [("a", "b"), ("b", "c")]


def test_a_result_inside_an_object_with_template_fields_is_found(dag):
    class Holder:
        template_fields = ("inner",)

        def __init__(self, inner):
            self.inner = inner

    with dag:
        first = BaseOperator(task_id="a")
        Templated(task_id="b", value=Holder([first.output]))

    assert edges(dag) == [("a", "b")]


def test_a_result_as_text_is_a_template(dag):
    task = BaseOperator(task_id="a", dag=dag)

    assert str(XComArg(task, "k")) == (
        "{{ task_instance.xcom_pull(task_ids='a', dag_id='example', key='k') }}"
    )


def test_a_result_has_no_elements_while_the_dag_is_declared(dag):
    task = BaseOperator(task_id="a", dag=dag)

    with pytest.raises(TypeError):
        list(task.output)
    with pytest.raises(ValueError, match="XCom key"):
        task.output[0]


# --- setup and teardown (section 10.3) -------------------------------------------------------


def test_a_teardown_gets_its_rule_and_its_setups(dag):
    with dag:
        setup, teardown = operators("st")
        teardown.as_teardown(setups=setup)

    assert setup.is_setup
    assert teardown.is_teardown
    assert teardown.trigger_rule == "all_done_setup_success"
    assert edges(dag) == [("s", "t")]


def test_tasks_created_in_the_block_stand_between_setup_and_teardown(dag):
    with dag:
        before = BaseOperator(task_id="before")
        setup, teardown = operators("st")
        with teardown.as_teardown(setups=setup):
            first, second, _ = operators(["w", "w2", "x"])
            first >> second

    assert edges(dag) == [
        ("s", "t"), ("s", "w"), ("s", "x"), ("w", "w2"), ("w2", "t"), ("x", "t"),
    ]  # fmt: skip
    assert before.downstream_task_ids == set()


def test_a_setup_cannot_be_a_teardown(dag):
    with dag:
        for mark in (
            lambda task: task.as_setup().as_teardown(),
            lambda task: task.as_teardown().as_setup(),
        ):
            with pytest.raises(ValueError, match="as well"):
                mark(BaseOperator(task_id=f"t{len(dag.tasks)}"))


def test_only_setups_and_teardowns_open_blocks(dag):
    with dag, pytest.raises(RuntimeError, match="context"), BaseOperator(task_id="a"):
        pass


def test_only_a_teardown_can_fail_the_run(dag):
    with dag:
        task = BaseOperator(task_id="a")
        with pytest.raises(ValueError, match="teardown"):
            task.on_failure_fail_dagrun = True
        task.as_teardown(on_failure_fail_dagrun=True)

    assert task.on_failure_fail_dagrun


# --- weight (section 5.9) --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("downstream", [6, 5, 3]), ("upstream", [1, 3, 6]), ("absolute", [1, 2, 3])],
)
def test_a_weight_counts_relatives_as_its_rule_says(make_dag, rule, expected):
    with make_dag(schedule=None, default_args={"weight_rule": rule}):
        tasks = [
            BaseOperator(task_id=name, priority_weight=weight)
            for weight, name in enumerate("abc", 1)
        ]
        chain(*tasks)

    assert [task.priority_weight_total for task in tasks] == expected


def test_a_weight_stays_a_32_bit_number():
    assert BaseOperator(task_id="a", priority_weight=2**40).priority_weight == 2**31 - 1


def test_dates_given_as_text_are_instants():
    task = BaseOperator(task_id="a", start_date="2024-01-01")

    assert task.start_date == datetime(2024, 1, 1, tzinfo=UTC)
