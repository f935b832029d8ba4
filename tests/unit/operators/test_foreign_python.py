"""Functions in other interpreters (semantics section 7.3)."""

from __future__ import annotations

import json
import sys

import pytest
from tradewind.operators.empty import EmptyOperator
from tradewind.operators.external_python import (
    BranchExternalPythonOperator,
    ExternalPythonOperator,
)
from tradewind.operators.virtualenv import PythonVirtualenvOperator
from tradewind.sdk.function_source import source_of
from tradewind.sdk.task_decorators import task


def add(a, b=1, *, ds=None):
    import os

    return [a + b, ds, os.environ.get("GREETING"), virtualenv_string_args]  # noqa: F821


def leave_with_3():
    raise SystemExit(3)


def fail():
    raise ValueError("over there")


async def later(x):
    return x * 2


def choose():
    return "yes"


def call(world, function, operator_class=ExternalPythonOperator, **arguments):
    if operator_class is not PythonVirtualenvOperator:
        arguments.setdefault("python", sys.executable)
    operator = operator_class(task_id="a", python_callable=function, dag=world.dag, **arguments)
    return operator, world.run("a")


def test_arguments_context_and_result_cross_over(world):
    call(
        world, add, op_args=[1], op_kwargs={"b": 2}, env_vars={"GREETING": "hi"}, string_args=["s"]
    )

    assert world.xcoms("a")["return_value"] == [3, "2024-03-05", "hi", ["s"]]


def test_an_async_function_runs_on_an_event_loop(world):
    call(world, later, op_args=[21])

    assert world.xcoms("a")["return_value"] == 42


@pytest.mark.parametrize(
    ("given", "outcome"),
    [({}, "failed"), ({"skip_on_exit_code": 3}, "skipped"), ({"skip_on_exit_code": [4]}, "failed")],
)
def test_exit_codes_may_mean_a_skip(world, given, outcome):
    assert call(world, leave_with_3, **given)[1].outcome == outcome


def test_the_error_over_there_is_told(world):
    result = call(world, fail)[1]

    assert result.outcome == "failed"
    assert "ValueError: over there" in result.reason


@pytest.mark.parametrize("wrong", [lambda: 1, print, (n for n in ()).__next__])
def test_only_plain_functions_can_be_copied(wrong):
    with pytest.raises(ValueError, match="plain function"):
        ExternalPythonOperator(task_id="a", python=sys.executable, python_callable=wrong)


def test_a_generator_is_refused():
    def generator():
        yield 1

    with pytest.raises(ValueError, match="generator"):
        ExternalPythonOperator(task_id="a", python=sys.executable, python_callable=generator)


def test_an_interpreter_that_is_not_there_fails_the_task(world):
    assert "interpreter" in call(world, fail, python="/nowhere/python")[1].reason


def test_decorators_are_not_copied():
    assert source_of(add).startswith("def add(")


def test_a_task_made_of_a_function_tells_its_source(world):
    @task
    def plain():
        return 1

    with world.dag:
        plain()

    source = world.dag.get_task("plain").get_python_source()
    assert source == "def plain():\n    return 1"


def test_a_result_can_choose_the_branch(world):
    branch = BranchExternalPythonOperator(
        task_id="a", python=sys.executable, python_callable=choose, dag=world.dag
    )
    with world.dag:
        branch >> [EmptyOperator(task_id="yes"), EmptyOperator(task_id="no")]

    assert world.run("a").skip_task_ids == ["no"]


def test_the_decorator_takes_the_same_arguments(world):
    @task.external_python(python=sys.executable)
    def double(x):
        return x * 2

    with world.dag:
        double(4)

    assert world.run("double").outcome == "success"
    assert world.xcoms("double")["return_value"] == 8


def test_an_environment_is_made_once_and_kept(world, tmp_path):
    def prefix():
        import sys

        return sys.prefix

    _, result = call(world, prefix, PythonVirtualenvOperator, venv_cache_path=str(tmp_path))
    first = world.xcoms("a")["return_value"]
    assert result.outcome == "success", result.reason
    assert first.startswith(str(tmp_path))
    stamp = (tmp_path / first / "pyvenv.cfg").stat().st_mtime_ns

    world.run("a")

    assert world.xcoms("a")["return_value"] == first
    assert (tmp_path / first / "pyvenv.cfg").stat().st_mtime_ns == stamp
    assert (tmp_path / first / "tradewind-ready.json").exists()


def test_an_index_can_be_chosen_or_forbidden():
    def options(urls):
        return PythonVirtualenvOperator(
            task_id="a", python_callable=choose, index_urls=urls
        )._index_options()

    assert options(None) == []
    assert options([]) == ["--no-index"]
    assert options(["https://a", "https://b"]) == [
        "--index-url=https://a",
        "--extra-index-url=https://b",
    ]


@pytest.mark.parametrize(
    ("connection", "url"),
    [
        ({"host": "http://h:8080/simple/"}, "http://h:8080/simple/"),
        (
            {"host": "https://h/simple", "login": "a b", "password": "c/d"},
            "https://a%20b:c%2Fd@h/simple",
        ),
        ({"host": "h/simple", "login": "a"}, "//a@h/simple"),
    ],
)
def test_indexes_can_be_named_by_connections_which_come_first(monkeypatch, connection, url):
    monkeypatch.setenv(
        "AIRFLOW_CONN_INDEX", json.dumps({"conn_type": "package_index", **connection})
    )
    operator = PythonVirtualenvOperator(
        task_id="a",
        python_callable=choose,
        index_urls="https://b",
        index_urls_from_connection_ids="index",
    )

    assert operator._index_options() == [f"--index-url={url}", "--extra-index-url=https://b"]


def test_a_connection_without_a_host_names_no_index(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_INDEX", '{"conn_type": "package_index"}')
    operator = PythonVirtualenvOperator(
        task_id="a", python_callable=choose, index_urls_from_connection_ids=["index"]
    )

    with pytest.raises(ValueError, match="'index' needs a host"):
        operator._index_options()


def test_another_major_version_takes_no_arguments():
    with pytest.raises(Exception, match="string_args"):
        PythonVirtualenvOperator(
            task_id="a", python_callable=add, op_args=[1], python_version="2.7"
        )
