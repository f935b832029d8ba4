"""Section 3, row by row: what decorators make, how mapping counts, and what consumers get."""

from __future__ import annotations

import asyncio

import pytest
from tradewind.operators.bash import BashOperator
from tradewind.operators.python import PythonOperator
from tradewind.sdk.context import get_current_context
from tradewind.sdk.exceptions import AirflowException, AirflowSkipException
from tradewind.sdk.task_group_decorator import task_group


@pytest.mark.parametrize(
    ("name", "base", "arguments"),
    [
        ("python", "PythonOperator", {}),
        ("virtualenv", "PythonVirtualenvOperator", {}),
        ("external_python", "ExternalPythonOperator", {"python": "/usr/bin/python3"}),
        ("branch", "BranchPythonOperator", {}),
        ("branch_virtualenv", "BranchPythonVirtualenvOperator", {}),
        ("branch_external_python", "BranchExternalPythonOperator", {"python": "/usr/bin/python3"}),
        ("short_circuit", "ShortCircuitOperator", {}),
        ("sensor", "PythonSensor", {}),
        ("bash", "BashOperator", {}),
    ],
)
def test_each_decorator_makes_a_task_of_its_operator(make_dag, task, name, base, arguments):
    def function(): ...

    with make_dag(schedule=None):
        made = getattr(task, name)(task_id="t", **arguments)(function)()

    assert base in [one.__name__ for one in type(made.operator).__mro__]
    assert made.operator.task_id == "t"


def test_a_sensor_has_no_multiple_outputs(make_dag, task):
    @task.sensor
    def ready() -> dict[str, int]: ...

    with make_dag(schedule=None):
        assert ready().operator.multiple_outputs is False


@pytest.mark.parametrize("returned", ["", None, 5, ["echo"]])
def test_a_bash_function_must_return_a_command(make_dag, task, run_to_end, returned):
    @task.bash(retries=0)
    def command():
        return returned

    with make_dag(schedule=None) as dag:
        command()

    assert run_to_end(dag)["command"] == "failed"


def test_the_command_of_a_bash_function_is_rendered_again(make_dag, task, run_to_end):
    seen = []

    @task.bash
    def command():
        return "echo {{ dag.dag_id }}"

    with make_dag("shown", schedule=None) as dag:
        PythonOperator(task_id="see", python_callable=seen.append, op_args=[command()])

    assert run_to_end(dag)["run"] == "success"
    assert seen == ["shown"]


def test_override_changes_a_copy(make_dag, task):
    @task(retries=1)
    def base(): ...

    with make_dag(schedule=None):
        changed = base.override(task_id="other", retries=4, trigger_rule="all_done")()
        plain = base()

    assert (changed.operator.task_id, changed.operator.retries) == ("other", 4)
    assert changed.operator.trigger_rule == "all_done"
    assert (plain.operator.task_id, plain.operator.retries) == ("base", 1)


def test_ids_of_repeated_tasks_count_from_the_largest_number(make_dag, task):
    @task
    def same(): ...

    with make_dag(schedule=None) as dag:
        same(), same(), same()
        same.override(task_id="same__1")()

    assert dag.task_ids == ["same", "same__1", "same__2", "same__3"]


def test_keywords_that_nobody_names_take_the_whole_context(make_dag, task, run_to_end):
    seen = {}

    @task
    def everything(x, **kwargs):
        seen.update(kwargs, x=x)

    with make_dag(schedule=None) as dag:
        everything(5)

    assert run_to_end(dag)["run"] == "success"
    assert seen["x"] == 5
    assert {"ti", "dag_run", "params", "task", "run_id", "macros", "var", "conn"} <= seen.keys()


def test_the_context_is_at_hand_at_any_depth_of_a_task_and_nowhere_else(make_dag, task, run_to_end):
    seen = []

    @task
    def outer():
        def deep():
            return get_current_context()["ti"].task_id

        seen.append(deep())

    with make_dag(schedule=None) as dag:
        outer()

    assert run_to_end(dag)["run"] == "success"
    assert seen == ["outer"]
    with pytest.raises(RuntimeError) as caught:
        get_current_context()
    assert isinstance(caught.value, AirflowException)


def test_an_asynchronous_function_is_a_task(make_dag, task, run_to_end):
    seen = []

    @task
    async def slow():
        await asyncio.sleep(0)
        return 7

    with make_dag(schedule=None) as dag:
        PythonOperator(task_id="see", python_callable=seen.append, op_args=[slow()])

    assert run_to_end(dag)["run"] == "success"
    assert seen == [7]


def test_a_result_of_a_custom_key_that_is_missing_fails_and_of_a_mapping_is_none(
    make_dag, task, run_to_end
):
    seen = []

    @task
    def plain():
        return {"a": 1}

    @task(multiple_outputs=True)
    def several():
        return {"a": 1}

    with make_dag(schedule=None) as dag:
        see = {"python_callable": seen.append, "retries": 0}
        PythonOperator(task_id="fails", op_args=[plain()["b"]], **see)
        PythonOperator(task_id="none", op_args=[several()["b"]], **see)

    states = run_to_end(dag)
    assert (states["fails"], states["none"], seen) == ("failed", "success", [None])


@pytest.mark.parametrize("value", ["text", 5, {1, 2}, None])
def test_what_cannot_be_mapped_fails_the_task_that_returned_it(make_dag, task, run_to_end, value):
    @task(retries=0)
    def source():
        return value

    @task
    def each(x): ...

    with make_dag(schedule=None) as dag:
        each.expand(x=source())

    states = run_to_end(dag)
    assert (states["source"], states["each"]) == ("failed", "upstream_failed")


def test_more_items_than_max_map_length_fail_the_task_that_returned_them(
    make_dag, task, run_to_end, monkeypatch
):
    monkeypatch.setenv("AIRFLOW__CORE__MAX_MAP_LENGTH", "2")

    @task(retries=0)
    def source():
        return [1, 2, 3]

    @task
    def each(x): ...

    with make_dag(schedule=None) as dag:
        each.expand(x=source())

    assert run_to_end(dag)["source"] == "failed"


def test_a_dict_may_be_returned_to_map_over(make_dag, task, run_to_end):
    seen = []

    @task
    def source():
        return {"a": 1, "b": 2}

    @task
    def each(x):
        seen.append(tuple(x))

    with make_dag(schedule=None) as dag:
        each.expand(x=source())

    assert run_to_end(dag)["run"] == "success"
    assert sorted(seen) == [("a", 1), ("b", 2)]


def test_a_zip_is_as_long_as_the_shortest_or_is_filled(make_dag, task, run_to_end):
    seen = {"short": [], "long": []}

    def lists(values):
        return task(lambda: values, task_id=f"l{len(values)}")()

    @task
    def each(x, name):
        seen[name].append(tuple(x))

    with make_dag(schedule=None) as dag:
        first, second = lists([1, 2, 3]), lists(["a"])
        each.override(task_id="s").partial(name="short").expand(x=first.zip(second))
        each.override(task_id="f").partial(name="long").expand(x=first.zip(second, fillvalue=0))

    assert run_to_end(dag)["run"] == "success"
    assert sorted(seen["short"]) == [(1, "a")]
    assert sorted(seen["long"]) == [(1, "a"), (2, 0), (3, 0)]


def test_a_lazy_sequence_has_length_order_indexes_and_slices(make_dag, task, run_to_end):
    seen = {}

    @task
    def each(x):
        if x == 2:
            raise AirflowSkipException
        return x * 10

    @task(trigger_rule="none_failed")
    def reduce(values):
        seen.update(
            length=len(values), all=list(values), first=values[0], last=values[-1],
            slice=list(values[1:]), equal=values == [10, 30, 40],
        )  # fmt: skip
        return values

    @task
    def see(values):
        seen["pushed"] = values

    with make_dag(schedule=None) as dag:
        see(reduce(each.expand(x=[1, 2, 3, 4])))

    assert run_to_end(dag)["run"] == "success"
    assert seen == {
        "length": 3, "all": [10, 30, 40], "first": 10, "last": 40, "slice": [30, 40],
        "equal": True, "pushed": [10, 30, 40],
    }  # fmt: skip


def test_nothing_pushed_is_an_empty_sequence(make_dag, task, run_to_end):
    seen = []

    @task
    def each(x): ...

    @task
    def reduce(values):
        seen.append(list(values))

    with make_dag(schedule=None) as dag:
        reduce(each.expand(x=[1, 2]))

    assert run_to_end(dag)["run"] == "success"
    assert seen == [[]]


def test_the_label_of_an_index_sees_what_the_task_put_into_its_context(make_dag, task, run_to_end):
    labels = {}

    @task(map_index_template="N-{{ nm }}")
    def each(x, **context):
        context["nm"] = x
        get_current_context()["nm"] = x

    with make_dag(schedule=None) as dag:
        each.expand(x=["a", "b"])

    ended = dag.test()
    labels = {one.map_index: one.rendered_map_index for one in ended.get_task_instances()}
    assert labels == {0: "N-a", 1: "N-b"}


@pytest.mark.parametrize(
    "name", ["task_id", "owner", "retries", "retry_delay", "queue", "trigger_rule", "pool_slots",
             "priority_weight", "depends_on_past", "execution_timeout", "executor_config",
             "inlets", "outlets", "on_failure_callback"],
)  # fmt: skip
def test_arguments_of_the_task_cannot_be_mapped(make_dag, name):
    with make_dag(schedule=None), pytest.raises(TypeError, match=name):
        BashOperator.partial(task_id="x", bash_command="e").expand(**{name: ["1", "2"]})


def test_an_argument_given_twice_to_partial_is_refused(make_dag, task):
    @task
    def each(x, y): ...

    with make_dag(schedule=None), pytest.raises(TypeError, match="y"):
        each.partial(y=1).partial(y=2).expand(x=[1])


def test_a_group_mapped_over_two_arguments_has_their_product(make_dag, task, run_to_end):
    seen = []

    @task
    def show(x, y):
        seen.append((x, y))

    @task_group
    def group(x, y):
        show(x, y)

    with make_dag(schedule=None) as dag:
        group.expand(x=[1, 2], y=["a", "b"])

    states = run_to_end(dag)
    assert {name for name in states if name != "run"} == {f"group.show[{n}]" for n in range(4)}
    assert sorted(seen) == [(1, "a"), (1, "b"), (2, "a"), (2, "b")]


def test_a_group_mapped_over_dicts_needs_each_argument_in_each_of_them(make_dag, task, run_to_end):
    seen = []

    @task
    def show(x, y):
        seen.append((x, y))

    @task_group
    def group(x, y="d"):
        show(x, y)

    with make_dag(schedule=None) as dag:
        group.expand_kwargs([{"x": 1}, {"x": 2, "y": "z"}])

    states = run_to_end(dag)
    assert (states["group.show[0]"], states["group.show[1]"]) == ("failed", "success")
    assert seen == [(2, "z")]
