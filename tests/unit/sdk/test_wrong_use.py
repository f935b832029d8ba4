"""Wrong use: the error's type is Airflow's, and its text names DAG, task and what to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tradewind.sdk.base_operator import BaseOperator
from tradewind.sdk.dag import DAG
from tradewind.sdk.exceptions import (
    AirflowDagCycleException,
    AirflowException,
    DuplicateTaskIdFound,
)
from tradewind.sdk.task_group import TaskGroup


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
