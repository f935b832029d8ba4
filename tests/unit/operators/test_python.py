"""``PythonOperator`` and what functions are called with (semantics sections 3.3 and 7.2)."""

from __future__ import annotations

import warnings

import pytest
from tradewind.operators.python import PythonOperator
from tradewind.sdk.context import get_current_context
from tradewind.sdk.task_decorators import task


def call(world, function, **kwargs):
    PythonOperator(task_id="a", python_callable=function, dag=world.dag, **kwargs)
    return world.run("a")


def result_of(world, function, **kwargs):
    result = call(world, function, **kwargs)
    assert result.outcome == "success", result.reason
    return world.xcoms("a").get("return_value")


def test_named_parameters_are_filled_from_the_context(world):
    assert result_of(world, lambda ds, ti, x=5: [ds, ti.task_id, x]) == ["2024-03-05", "a", 5]


def test_own_arguments_win_over_the_context(world):
    assert result_of(world, lambda ds: ds, op_kwargs={"ds": "own"}) == "own"


def test_arguments_are_rendered(world):
    assert result_of(
        world,
        lambda *args, **kwargs: [list(args), kwargs["deep"]],
        op_args=["{{ ds }}"],
        op_kwargs={"deep": {"{{ k }}": ["{{ ds_nodash }}"]}},
    ) == [["2024-03-05"], {"{{ k }}": ["20240305"]}]


def test_a_function_with_kwargs_gets_the_whole_context_without_a_warning(world):
    def function(**kwargs):
        names = {"ds", "ti", "params", "yesterday_ds", "execution_date", "prev_ds", "conf"}
        return [sorted(names - set(kwargs)), kwargs["yesterday_ds"]]

    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        assert result_of(world, function) == [[], "2024-03-04"]


def test_a_position_that_a_context_key_names_is_refused(world):
    assert call(world, lambda ds: ds, op_args=["x"]).reason.startswith("ValueError")


def test_templates_dict_reaches_the_function(world):
    assert result_of(
        world, lambda templates_dict: templates_dict, templates_dict={"q": "{{ ds }}"}
    ) == {"q": "2024-03-05"}


def test_templates_in_files_are_found_by_their_endings(make_world, tmp_path):
    (tmp_path / "q.sql").write_text("select '{{ ds }}'")
    world = make_world(template_searchpath=[str(tmp_path)])

    assert (
        result_of(
            world,
            lambda templates_dict: templates_dict["q"],
            templates_dict={"q": "q.sql"},
            templates_exts=[".sql"],
        )
        == "select '2024-03-05'"
    )


def test_a_coroutine_is_awaited(world):
    async def function(ds):
        return ds

    assert result_of(world, function) == "2024-03-05"


def test_a_built_in_function_is_called_with_its_arguments_only(world):
    assert result_of(world, max, op_args=[1, 3, 2]) == 3


def test_the_current_context_is_known_while_the_task_runs_and_not_after(world):
    def inner():
        return get_current_context()["ti"].task_id

    assert result_of(world, lambda: inner()) == "a"
    with pytest.raises(RuntimeError, match="while a task runs"):
        get_current_context()


def test_a_task_function_gets_results_and_context(world):
    with world.dag:

        @task
        def one():
            return 1

        @task
        def add(x, y, ds=None, ti=None):
            return [x + y, ds, ti.task_id]

        add(one(), y=2)

    world.run("one")
    world.run("add")

    assert world.xcoms("add")["return_value"] == [3, "2024-03-05", "add"]


def test_a_key_that_was_not_pushed_is_none_with_multiple_outputs_and_an_error_without(world):
    with world.dag:

        @task(multiple_outputs=True)
        def many():
            return {"a": 1}

        @task
        def plain():
            return {"a": 1}

        @task
        def take(x):
            return [x]

        take.override(task_id="take_many")(many()["b"])
        take.override(task_id="take_plain")(plain()["b"])

    world.run("many")
    world.run("plain")
    world.run("take_many")

    assert world.xcoms("take_many")["return_value"] == [None]
    assert "'b'" in world.run("take_plain").reason


def test_run_if_and_skip_if_decide_before_the_task_runs(world):
    with world.dag:

        @task.run_if(lambda context: (False, "closed"))
        @task
        def closed():
            raise AssertionError

        @task.skip_if(lambda context: context["ds"] == "2024-03-05")
        @task
        def skipped():
            raise AssertionError

        closed()
        skipped()

    assert (world.run("closed").outcome, world.run("closed").reason) == ("skipped", "closed")
    assert world.run("skipped").outcome == "skipped"


def test_a_deprecated_key_can_be_a_parameter(world):
    with pytest.warns(DeprecationWarning, match="execution_date"):
        assert result_of(world, lambda execution_date: execution_date.year) == 2024


def test_arguments_of_airflow_1_are_accepted(world):
    assert result_of(world, lambda **kwargs: kwargs["ds"], provide_context=True) == "2024-03-05"
