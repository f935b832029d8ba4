"""Wrong use: the error's type is Airflow's, and its text names DAG, task and what to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tradewind.operators.trigger_dagrun import TriggerDagRunOperator
from tradewind.sdk.base_operator import BaseOperator
from tradewind.sdk.dag import DAG
from tradewind.sdk.exceptions import (
    AirflowDagCycleException,
    AirflowException,
    DuplicateTaskIdFound,
    ParamValidationError,
)
from tradewind.sdk.task_decorators import setup_task, teardown_task
from tradewind.sdk.task_group import TaskGroup
from tradewind.sdk.task_group_decorator import task_group


def circle(dag, task):
    first, second = BaseOperator(task_id="load"), BaseOperator(task_id="clean")
    first >> second >> first


def same_id(dag, task):
    BaseOperator(task_id="load")
    BaseOperator(task_id="load")


def same_group(dag, task):
    TaskGroup("load")
    TaskGroup("load")


def unknown_rule(dag, task):
    BaseOperator(task_id="load", trigger_rule="all_sucess")


def mapped_over_a_text(dag, task):
    @task
    def load(x): ...

    load.expand(x="abc")


def mapped_operator_over_a_text(dag, task):
    BaseOperator.partial(task_id="load").expand(params="abc")


def after_a_setup(dag, task):
    setup = BaseOperator(task_id="start").as_setup()
    setup >> BaseOperator(task_id="load", trigger_rule="all_done")


def block_of_a_plain_task(dag, task):
    with BaseOperator(task_id="load"):
        BaseOperator(task_id="clean")


@pytest.mark.parametrize(
    ("wrong", "error", "fix"),
    [
        (circle, AirflowDagCycleException, "take one of these edges away"),
        (same_id, DuplicateTaskIdFound, "give one of them another id"),
        (same_group, DuplicateTaskIdFound, "give the group another one"),
        (unknown_rule, ValueError, "Use one of: all_done, "),
        (mapped_over_a_text, ValueError, "needs a list, a dict or a task's result"),
        (mapped_operator_over_a_text, ValueError, "needs a list, a dict or a task's result"),
        (after_a_setup, ValueError, "its trigger rule must be all_success"),
        (block_of_a_plain_task, RuntimeError, "mark it with as_setup()"),
    ],
)
@pytest.mark.parametrize("dialect", ["2", "3"])
def test_an_error_names_dag_task_and_fix(
    make_dag: Callable[..., DAG], task, dialect, wrong, error, fix
):
    dag = make_dag("sales", dialect=dialect, schedule=None)

    def author() -> None:
        with dag:
            wrong(dag, task)
        dag.validate()

    with pytest.raises(error) as caught:
        author()

    text = str(caught.value)
    assert isinstance(caught.value, AirflowException)
    assert "'sales'" in text
    assert "load" in text
    assert fix in text


@pytest.mark.parametrize("mark", [setup_task, teardown_task])
def test_a_task_group_cannot_be_marked(mark):
    @task_group
    def load(): ...

    with pytest.raises(AirflowException, match="task group 'load' cannot be marked as"):
        mark(load)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"dagrun_timeout": 5}, "the DAG 'sales': dagrun_timeout must be a timedelta, not 5"),
        ({"max_active_runs": "x"}, "the DAG 'sales': max_active_runs must be a whole number"),
    ],
)
def test_a_limit_of_a_wrong_type_names_the_dag(given, text):
    with pytest.raises(TypeError, match=text):
        DAG("sales", schedule=None, **given)


def test_a_state_that_no_run_has_cannot_be_waited_for():
    with pytest.raises(ValueError, match="'nope' is no state of a dag run; it can be one of"):
        TriggerDagRunOperator(task_id="load", trigger_dag_id="d", allowed_states=["nope"])


@pytest.mark.parametrize(("dialect", "is_refused"), [("2", False), ("3", True)])
def test_a_default_that_is_no_json_is_refused_by_airflow_3_only(make_dag, dialect, is_refused):
    dag = make_dag("sales", dialect=dialect, schedule=None, params={"at": object()})

    if is_refused:
        with pytest.raises(ParamValidationError, match="'sales': the default of the param 'at'"):
            dag.validate()
    else:
        dag.validate()
