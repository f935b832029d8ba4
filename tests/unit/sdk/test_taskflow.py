"""TaskFlow and mapping: semantics section 3 and its checkable examples."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tradewind.sdk import task_decorators
from tradewind.sdk.base_operator import BaseOperator
from tradewind.sdk.exceptions import AirflowSkipException, XComNotFound
from tradewind.sdk.task_decorators import setup_task, teardown_task
from tradewind.sdk.task_group import TaskGroup
from tradewind.sdk.task_group_decorator import task_group


class Classic(BaseOperator):
    template_fields = ("command",)

    def __init__(self, *, command, env=None, **kwargs):
        super().__init__(**kwargs)
        self.command = command
        self.env = env


class FakeTaskInstance:
    """A task instance whose XComs stand in a dict: (task id, map index, key) → value."""

    def __init__(self, xcoms, map_index=-1):
        self.xcoms = xcoms
        self.map_index = map_index

    def xcom_pull(self, *, task_ids, dag_id, key, map_indexes, default):
        return self.xcoms.get((task_ids, map_indexes, key), default)

    def xcom_pull_mapped(self, *, task_id, dag_id, key):
        found = sorted((i, v) for (t, i, k), v in self.xcoms.items() if (t, k) == (task_id, key))
        return [value for _, value in found]


def results(values: dict[str, Any]) -> dict[tuple[str, int, str], Any]:
    return {(task_id, -1, "return_value"): value for task_id, value in values.items()}


def resolved(task, xcoms, map_index):
    """Return the keyword arguments of one mapped instance."""
    context = {"ti": FakeTaskInstance(xcoms, map_index), "task": task}
    return task.resolve_mapped_kwargs(context, map_index)[0]


# --- calling ---------------------------------------------------------------------------------


def test_repeated_calls_are_numbered(dag, task):
    @task
    def same(): ...

    with dag:
        for _ in range(3):
            same()
        same.override(task_id="same__1")()

    assert dag.task_ids == ["same", "same__1", "same__2", "same__3"]


def test_numbers_count_inside_the_group(dag, task):
    @task
    def same(): ...

    with dag:
        same()
        with TaskGroup("g"):
            same()
            same()

    assert dag.task_ids == ["same", "g.same", "g.same__1"]


def test_a_mapping_annotation_means_multiple_outputs(dag, task):
    @task
    def typed() -> dict[str, int]: ...

    @task
    def text() -> str: ...

    @task(multiple_outputs=False)
    def told() -> dict[str, int]: ...

    with dag:
        outputs = [function().operator.multiple_outputs for function in (typed, text, told)]

    assert outputs == [True, False, False]


def test_a_context_key_can_have_no_default_of_its_own(dag, task):
    @task
    def wrong(ds="x"): ...

    with dag, pytest.raises(ValueError, match="ds"):
        wrong()


def test_a_context_key_may_stand_before_other_parameters(dag, task):
    @task
    def shown(ti, x): ...

    with dag:
        operator = shown(x=1).operator

    assert operator.op_kwargs == {"x": 1}


@pytest.mark.parametrize("call", [lambda f: f(), lambda f: f(1, 2), lambda f: f(x=1, y=2)])
def test_arguments_are_checked_when_the_function_is_called(dag, task, call):
    @task
    def one(x): ...

    with dag, pytest.raises(TypeError):
        call(one)


def test_default_args_fill_parameters_of_the_function(make_dag, task):
    @task
    def f(a): ...

    with make_dag(schedule=None, default_args={"a": 5, "retries": 3}):
        operator = f().operator

    assert (operator.op_kwargs, operator.retries) == ({"a": 5}, 3)


def test_the_docstring_is_the_documentation(dag, task):
    @task
    def f():
        """What it does."""

    with dag:
        assert f().operator.doc_md == "What it does."
        assert f.override(doc_md="else")().operator.doc_md == "else"


def test_a_method_is_no_task(task):
    with pytest.raises(TypeError):

        @task
        def method(self): ...


def test_the_function_stays_usable(task):
    @task
    def double(x):
        return 2 * x

    assert double.function(4) == 8
    assert double.__wrapped__(4) == 8


def test_a_result_passed_as_argument_makes_an_edge(dag, task):
    @task
    def first(): ...

    @task
    def second(x): ...

    with dag:
        second([first()])

    assert dag.get_task("second").upstream_task_ids == {"first"}


@pytest.mark.parametrize(
    ("decorator", "condition", "is_skipped"),
    [
        ("run_if", False, True),
        ("run_if", True, False),
        ("skip_if", True, True),
        ("skip_if", False, False),
    ],
)
def test_a_condition_skips_the_task(dag, task, decorator, condition, is_skipped):
    @getattr(task, decorator)(lambda context: (condition, "because"))
    @task
    def f(): ...

    with dag:
        hook = f().operator._pre_execute_hook

    if is_skipped:
        with pytest.raises(AirflowSkipException, match="because"):
            hook({})
    else:
        hook({})


def test_a_condition_stands_above_a_task(task):
    with pytest.raises(TypeError):
        task.run_if(lambda context: True)(lambda: None)


def test_setup_and_teardown_functions(dag, task, monkeypatch):
    monkeypatch.setattr(task_decorators, "task", task)

    @setup_task
    def make(): ...

    @teardown_task(on_failure_fail_dagrun=True)
    def drop(): ...

    @task
    def work(): ...

    with dag:
        make() >> work() >> drop()

    assert dag.get_task("make").is_setup
    assert dag.get_task("drop").trigger_rule == "all_done_setup_success"
    assert dag.get_task("drop").on_failure_fail_dagrun


def test_the_trigger_rule_of_a_teardown_function_cannot_be_chosen(dag, task):
    with dag, pytest.raises(ValueError, match="trigger rule"):
        teardown_task(task(trigger_rule="always")(lambda: None))()


def test_tasks_bound_to_a_dag_need_no_block(dag, task, monkeypatch):
    @dag.task
    def f(): ...

    f()

    assert dag.task_ids == ["f"]


def test_an_unknown_decorator_is_no_attribute(task):
    with pytest.raises(AttributeError):
        _ = task.no_such_thing


# --- resolving results -----------------------------------------------------------------------


def test_a_missing_result_is_none_and_a_missing_key_is_an_error(dag):
    with dag:
        producer, consumer = BaseOperator(task_id="p"), BaseOperator(task_id="c")
    context = {"ti": FakeTaskInstance({}), "task": consumer}

    assert producer.output.resolve(context) is None
    with pytest.raises(XComNotFound):
        producer.output["k"].resolve(context)


def test_a_missing_key_of_multiple_outputs_is_none(dag):
    with dag:
        producer = BaseOperator(task_id="p", multiple_outputs=True)

    assert producer.output["k"].resolve({"ti": FakeTaskInstance({}), "task": producer}) is None


# --- mapping ---------------------------------------------------------------------------------


def test_the_last_argument_runs_fastest(dag, task):
    @task
    def f(a, b): ...

    with dag:
        mapped = f.expand(a=[1, 2], b=["x", "y"]).operator

    found = [tuple(resolved(mapped, {}, index).values()) for index in range(4)]
    assert found == [(1, "x"), (1, "y"), (2, "x"), (2, "y")]


def test_a_dict_is_mapped_as_pairs(dag, task):
    @task
    def f(pair): ...

    with dag:
        mapped = f.expand(pair={"a": 1, "b": 2}).operator

    assert resolved(mapped, {}, 1) == {"pair": ("b", 2)}


def test_results_are_zipped_mapped_and_put_after_each_other(dag, task):
    @task
    def numbers(): ...

    @task
    def f(x): ...

    with dag:
        source = numbers()
        zipped = f.expand(x=source.zip(source.map(lambda v: v + 100))).operator
        both = f.expand(x=source.concat(source)).operator
        filled = f.expand(x=source.zip(source.concat(source), fillvalue=0)).operator
    xcoms = results({"numbers": [1, 2, 3]})

    assert [resolved(zipped, xcoms, i)["x"] for i in range(3)] == [(1, 101), (2, 102), (3, 103)]
    assert [resolved(both, xcoms, i)["x"] for i in range(6)] == [1, 2, 3, 1, 2, 3]
    assert resolved(filled, xcoms, 4) == {"x": (0, 2)}
    assert zipped.upstream_task_ids == {"numbers"}


def test_a_mapping_function_that_skips_does_so_for_its_own_element_only(dag, task):
    def odd_only(value):
        if value % 2 == 0:
            raise AirflowSkipException
        return value

    @task
    def numbers(): ...

    @task
    def f(x): ...

    with dag:
        mapped = f.expand(x=numbers().map(odd_only)).operator
    xcoms = results({"numbers": [1, 2]})

    assert resolved(mapped, xcoms, 0) == {"x": 1}
    with pytest.raises(AirflowSkipException):
        resolved(mapped, xcoms, 1)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"x": 5}, ValueError),
        ({"x": None}, ValueError),
        ({"x": "text"}, ValueError),
        ({"y": [5]}, TypeError),
        ({"ti": [5]}, ValueError),
        ({}, TypeError),
    ],
)
def test_what_cannot_be_mapped_is_refused(dag, task, given, error):
    @task
    def t(x=1, ti=None): ...

    with dag, pytest.raises(error):
        t.expand(**given)


def test_a_part_of_a_result_cannot_be_mapped(dag, task):
    @task
    def other(): ...

    @task
    def t(x): ...

    with dag:
        with pytest.raises(ValueError, match="whole result"):
            t.expand(x=other()["a"])
        with pytest.raises(ValueError, match="plain function"):
            other().map(t)


def test_instances_of_expand_kwargs_get_their_own_arguments(dag, task):
    @task
    def ek(a, b=5): ...

    with dag:
        mapped = ek.expand_kwargs([{"a": 1}, {"a": 2, "b": 3}]).operator

    found = [mapped.unmap(resolved(mapped, {}, index)).op_kwargs for index in range(2)]
    assert found == [{"a": 1}, {"a": 2, "b": 3}]


def test_expand_kwargs_may_not_replace_what_partial_fixed_unless_told(dag, task):
    @task
    def ek(a, b=5): ...

    with dag:
        strict = ek.partial(b=1).expand_kwargs([{"a": 1, "b": 2}]).operator
        loose = ek.partial(b=1).expand_kwargs([{"a": 1, "b": 2}], strict=False).operator

    with pytest.raises(TypeError, match="b"):
        strict.unmap(resolved(strict, {}, 0))
    assert loose.unmap(resolved(loose, {}, 0)).op_kwargs == {"a": 1, "b": 2}


def test_a_mapped_value_replaces_what_partial_fixed(dag, task):
    @task
    def f(x): ...

    with dag:
        mapped = f.partial(x=1).expand(x=[2]).operator
        with pytest.raises(TypeError, match="twice"):
            f.partial(x=1).partial(x=2)

    assert mapped.unmap(resolved(mapped, {}, 0)).op_kwargs == {"x": 2}


@pytest.mark.parametrize(
    "argument", ["retries", "queue", "trigger_rule", "task_id", "on_failure_callback", "owner"]
)
def test_what_belongs_to_the_whole_task_cannot_be_mapped(dag, argument):
    with dag:
        partial = Classic.partial(task_id="x", command="e")
        with pytest.raises(TypeError, match=argument):
            partial.expand(**{argument: [1, 2]})
        partial.expand(env=[{}])


def test_an_unknown_argument_of_an_operator_cannot_be_mapped(dag):
    with dag:
        partial = Classic.partial(task_id="x", command="e")
        with pytest.raises(TypeError, match="foo"):
            partial.expand(foo=[1])
        with pytest.raises(TypeError, match="foo"):
            Classic.partial(task_id="y", foo=1)
        partial.expand(env=[{}])


def test_a_mapped_task_reads_its_arguments_as_a_plain_one_does(make_dag):
    with make_dag(schedule=None, default_args={"retries": "4", "command": "from defaults"}):
        mapped = Classic.partial(task_id="x", retry_delay=5, pool="p").expand(env=[{"A": "1"}])

    assert (mapped.retries, mapped.retry_delay.seconds, mapped.pool) == (4, 5, "p")
    assert (mapped.ui_color, mapped.queue, mapped.command) == ("#fff", "default", "from defaults")
    instance = mapped.unmap(resolved(mapped, {}, 0))
    assert isinstance(instance, Classic)
    assert (instance.env, instance.command, instance.retries) == ({"A": "1"}, "from defaults", 4)
    assert instance.dag is mapped.dag


def test_a_mapped_task_stands_in_the_graph(dag):
    with dag:
        first, last = BaseOperator(task_id="a"), BaseOperator(task_id="b")
        with TaskGroup("g"):
            mapped = Classic.partial(task_id="m", command=first.output).expand(env=[{}, {}])
        mapped >> last

    assert mapped.task_id == "g.m"
    assert mapped.upstream_task_ids == {"a"}
    assert last.upstream_task_ids == {"g.m"}


def test_a_forgotten_expand_warns(dag):
    with dag, pytest.warns(UserWarning, match="never expanded"):
        Classic.partial(task_id="x", command="e").__del__()


def test_always_cannot_be_mapped_over_results(dag, task):
    @task
    def source(): ...

    @task(trigger_rule="always")
    def f(x): ...

    with dag:
        f.expand(x=[1])
        with pytest.raises(ValueError, match="always"):
            f.expand(x=source())


# --- mapped groups ---------------------------------------------------------------------------


def test_a_mapped_group_waits_for_the_task_that_it_is_mapped_over(dag, task):
    @task
    def source(): ...

    @task
    def f(x): ...

    @task_group
    def g(x, y):
        f(x)
        f(y)

    with dag:
        group = g.partial(y=1).expand(x=source())

    assert group.group_id == "g"
    assert dag.get_task("g.f").upstream_task_ids == {"source"}
    assert dag.get_task("g.f__1").upstream_task_ids == {"source"}


def test_tasks_of_a_mapped_group_see_the_argument_of_their_index(dag, task):
    @task
    def f(x): ...

    @task_group
    def g(a, b):
        f(a)
        f(b)

    with dag:
        g.expand(a=[1, 2], b=["x", "y"])
    first, second = dag.get_task("g.f"), dag.get_task("g.f__1")

    def argument(task, index):
        context = {"ti": FakeTaskInstance({}, index), "task": task}
        return task.op_args[0].resolve(context)

    assert [(argument(first, i), argument(second, i)) for i in range(4)] == [
        (1, "x"), (1, "y"), (2, "x"), (2, "y"),
    ]  # fmt: skip


def test_results_inside_a_mapped_group_come_from_the_same_index_and_outside_from_all(dag, task):
    @task
    def f(x): ...

    @task_group
    def g(x):
        return f(f(x))

    with dag:
        inner = g.expand(x=[1, 2])
        f(inner)
    xcoms = {
        ("g.f", 0, "return_value"): "a0",
        ("g.f", 1, "return_value"): "a1",
        ("g.f__1", 0, "return_value"): "b0",
        ("g.f__1", 1, "return_value"): "b1",
    }
    inside, outside = dag.get_task("g.f__1"), dag.get_task("f")

    at_one = {"ti": FakeTaskInstance(xcoms, 1), "task": inside}
    assert inside.op_args[0].resolve(at_one) == "a1"
    assert outside.op_args[0].resolve({"ti": FakeTaskInstance(xcoms), "task": outside}) == [
        "b0",
        "b1",
    ]


def test_a_task_in_a_mapped_group_cannot_be_mapped(dag, task):
    @task
    def f(x): ...

    @task_group
    def g(x):
        f.expand(x=[1, 2])

    with dag, pytest.raises(NotImplementedError):
        g.expand(x=[1, 2])


def test_a_group_cannot_be_mapped_over_the_argument_of_a_mapped_group(dag, task):
    @task_group
    def inner(y): ...

    @task_group
    def outer(x):
        inner.expand(y=x)

    with dag, pytest.raises(ValueError, match="mapped"):
        outer.expand(x=[[1], [2]])


def test_a_group_that_is_mapped_over_results_refuses_the_trigger_rule_always(dag, task):
    """Over a list that stands in the file it is taken, as in both generations of Airflow."""

    @task
    def listed(): ...

    @task(trigger_rule="always")
    def f(x): ...

    @task_group
    def g(x):
        f(x)

    with dag:
        g.expand(x=[1])
    assert dag.get_task("g.f").trigger_rule == "always"
    with dag, pytest.raises(ValueError, match="always"):
        g.override(group_id="h").expand(x=listed())


def test_params_of_a_dag_resolve_from_conf_then_default_then_context(dag):
    value = dag.param("size", 3)
    plain = dag.param("other")

    def resolve(param, conf, params):
        return param.resolve({"dag_run": SimpleNamespace(conf=conf), "params": params})

    assert resolve(value, {"size": 7}, {}) == 7
    assert resolve(value, {}, {}) == 3
    assert resolve(plain, None, {"other": 5}) == 5
    with pytest.raises(ValueError, match="other"):
        resolve(plain, None, {})


def test_an_asset_passed_to_a_function_is_read_by_its_task(dag, task):
    from tradewind.sdk.asset import Asset

    @task
    def f(x, y=None): ...

    with dag:
        operator = f(Asset("a"), y=Asset("b")).operator

    assert [inlet.name for inlet in operator.inlets] == ["a", "b"]


def test_params_of_default_args_reach_mapped_instances(dag):
    with dag:
        mapped = Classic.partial(
            task_id="x", command="e", params={"a": 1}, default_args={"params": {"b": 2}}
        ).expand(env=[{}])

    assert mapped.params.dump() == {"a": 1, "b": 2}
    assert mapped.unmap({"env": {}}).params.dump() == {"a": 1, "b": 2}
