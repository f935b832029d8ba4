"""Checkable examples 3: TaskFlow and mapping."""

from __future__ import annotations

import pytest
from tradewind.operators.bash import BashOperator
from tradewind.sdk.exceptions import AirflowSkipException
from tradewind.sdk.task_decorators import task
from tradewind.sdk.task_group_decorator import task_group


@task
def lst(values=(1, 2, 3)):
    return list(values)


@task
def ident(x):
    return x


def collector(seen, **arguments):
    """Return a task that puts what it is given into *seen*."""

    @task(**arguments)
    def collect(values):
        seen.append(list(values))

    return collect


def test_example_3_1_a_mapping_annotation(dag, run):
    seen = {}

    @task
    def typed() -> dict[str, int]:
        return {"x": 1, "y": 2}

    @task
    def see(ti):
        seen.update({key: ti.xcom_pull("typed", key=key) for key in ("return_value", "x", "y")})

    with dag:
        result = typed()
        result >> see()

    assert result.operator.multiple_outputs is True
    assert run(dag)["run"] == "success"
    assert seen == {"return_value": {"x": 1, "y": 2}, "x": 1, "y": 2}


def test_example_3_2_context_keys_as_parameters(make_dag):
    @task
    def own_default(ds="x"): ...

    @task
    def first(ti, x): ...

    with make_dag(schedule=None), pytest.raises(ValueError, match="ds"):
        own_default()
    with make_dag(schedule=None):
        first(x=1)


def test_example_3_3_what_cannot_be_expanded(dag):
    @task
    def t(x, ti=None): ...

    with dag:
        for wrong, error in (
            ({"x": 5}, ValueError),
            ({"y": [5]}, TypeError),
            ({"ti": [5]}, ValueError),
            ({"x": lst()["a"]}, ValueError),
        ):
            with pytest.raises(error):
                t.expand(**wrong)


def test_example_3_4_a_failed_instance(dag, run):
    seen = []

    @task
    def m(x):
        if x == 2:
            raise ValueError("as it should")
        return x

    with dag:
        mapped = m.expand(x=lst())
        collector(seen, task_id="all_done", trigger_rule="all_done")(mapped)
        collector([], task_id="all_success")(mapped)

    states = run(dag)

    assert [states[f"m[{n}]"] for n in range(3)] == ["success", "failed", "success"]
    assert (states["all_success"], seen) == ("upstream_failed", [[1, 3]])


def test_example_3_5_zip_and_concat(dag, run):
    zipped, joined = [], []
    with dag:
        first, second = lst(), lst.override(task_id="lst2")()
        pairs = ident.override(task_id="pairs").expand(x=second.zip(second.map(lambda v: v + 100)))
        collector(zipped, task_id="see_zip")(pairs)
        both = ident.override(task_id="both").expand(x=first.concat(second))
        collector(joined, task_id="see_concat")(both)

    assert run(dag)["run"] == "success"
    assert [tuple(pair) for pair in zipped[0]] == [(1, 101), (2, 102), (3, 103)]
    assert joined == [[1, 2, 3, 1, 2, 3]]


def test_example_3_6_nothing_to_map(dag, run):
    with dag:
        collector([])(ident.expand(x=lst([])))

    assert run(dag) == {
        "lst": "success", "ident": "skipped", "collect": "skipped", "run": "success"
    }  # fmt: skip


def test_example_3_7_skipped_instances(dag, run):
    seen = []

    @task
    def skip_odd(x):
        if x % 2:
            raise AirflowSkipException
        return x

    with dag:
        mapped = skip_odd.expand(x=lst([1, 2, 3, 4]))
        collector([], task_id="all_success")(mapped)
        collector(seen, task_id="none_failed", trigger_rule="none_failed")(mapped)

    states = run(dag)

    assert [states[f"skip_odd[{n}]"] for n in range(4)] == ["skipped", "success"] * 2
    assert (states["all_success"], seen) == ("skipped", [[2, 4]])


def test_example_3_8_expand_kwargs(dag, run):
    seen = []

    @task
    def ek(a, b=5):
        return [a, b]

    with dag:
        collector(seen)(ek.expand_kwargs([{"a": 1}, {"a": 2, "b": 3}]))

    assert run(dag)["run"] == "success"
    assert seen == [[[1, 5], [2, 3]]]


def test_example_3_9_a_group_called_twice(dag):
    @task_group
    def g():
        ident(1)

    with dag:
        g()
        g()

    assert set(dag.task_ids) == {"g.ident", "g__1.ident"}


def test_example_3_10_arguments_of_the_whole_task(dag):
    with dag:
        partial = BashOperator.partial(task_id="x", bash_command="e")
        with pytest.raises(TypeError, match="retries"):
            partial.expand(retries=[1, 2])
        with pytest.raises(TypeError, match="foo"):
            partial.expand(foo=[1])
        assert partial.expand(env=[{"A": "1"}])
        with pytest.raises(ValueError, match="plain function"):
            lst().map(ident)
