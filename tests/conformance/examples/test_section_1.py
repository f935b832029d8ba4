"""Checkable examples 1: DAGs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tradewind.operators.empty import EmptyOperator
from tradewind.operators.python import PythonOperator
from tradewind.sdk.exceptions import AirflowException, ParamValidationError
from tradewind.sdk.param import Param
from tradewind.sdk.task_group import TaskGroup

START = datetime(2024, 1, 1, tzinfo=UTC)


def test_example_1_1_ids(make_dag):
    assert make_dag("a" * 250, schedule=None)
    for wrong in ("a b", "a" * 251):
        with pytest.raises(ValueError, match="id") as caught:
            make_dag(wrong, schedule=None)
        assert isinstance(caught.value, AirflowException)


def test_example_1_2_when_a_start_date_is_needed(make_dag):
    with pytest.raises(ValueError, match="start_date"):
        make_dag(dialect="2", schedule="@daily")
    assert make_dag(schedule="@daily").catchup is False
    with pytest.raises(ValueError, match="start_date"):
        make_dag(schedule="@daily", catchup=True)


def test_example_1_3_the_default_schedule(make_dag):
    daily = make_dag(dialect="2", start_date=START)

    assert (daily.schedule, type(daily.timetable).__name__) == (
        timedelta(days=1),
        "DeltaDataIntervalTimetable",
    )
    assert make_dag(start_date=START).timetable.can_be_scheduled is False


def test_example_1_4_continuous_needs_one_active_run(make_dag):
    with pytest.raises(ValueError, match="max_active_runs"):
        make_dag(start_date=START, schedule="@continuous")
    assert make_dag(start_date=START, schedule="@continuous", max_active_runs=1)


def test_example_1_5_default_args(make_dag):
    with (
        make_dag(
            schedule=None,
            default_args={"params": {"b": 3}, "retries": 2, "owner": "o1"},
            params={"a": 1, "b": 2},
        ),
        TaskGroup("g", default_args={"retries": 5}),
        TaskGroup("h", default_args={"owner": "o2"}),
    ):
        e = EmptyOperator(task_id="e", params={"a": 9})
        e2 = EmptyOperator(
            task_id="e2", retries=0, default_args={"owner": "o3", "params": {"z": 1}}
        )

    assert (e.retries, e.owner, e.params.dump()) == (5, "o2", {"a": 9, "b": 3})
    assert (e2.retries, e2.owner, e2.params.dump()) == (0, "o3", {"a": 1, "b": 3, "z": 1})


def test_example_1_6_dates_of_a_task(make_dag):
    with make_dag(
        schedule=None,
        start_date=datetime(2024, 1, 10, tzinfo=UTC),
        end_date=datetime(2024, 2, 1, tzinfo=UTC),
    ):
        task = EmptyOperator(
            task_id="t", start_date=START, end_date=datetime(2024, 3, 1, tzinfo=UTC)
        )

    assert (task.start_date, task.end_date) == (
        datetime(2024, 1, 10, tzinfo=UTC),
        datetime(2024, 2, 1, tzinfo=UTC),
    )


def test_example_1_7_tags(make_dag):
    tags = ["x", "x", "y"]

    assert make_dag(dialect="2", schedule=None, tags=tags).tags == tags
    assert make_dag(schedule=None, tags=tags).tags == {"x", "y"}
    with pytest.raises(ValueError, match="100"):
        make_dag(schedule=None, tags=["x" * 101])


def test_example_1_8_params():
    with pytest.raises(ParamValidationError):
        Param(None, type="string").resolve()
    assert Param(None, type=["null", "string"]).resolve() is None
    with pytest.raises(ParamValidationError):
        Param("a", enum=["a", "b"]).resolve("c")


def test_example_1_9_conf_overrides_params(make_dag, run):
    seen = {}
    dag = make_dag(schedule=None, params={"p": Param(3, type="integer", minimum=1), "q": "x"})
    PythonOperator(
        task_id="t", python_callable=lambda params: seen.update(params), dag=dag, retries=0
    )

    assert run(dag, run_conf={"p": 7, "extra": 1})["run"] == "success"
    assert seen == {"p": 7, "q": "x", "extra": 1}
    with pytest.raises(ParamValidationError, match="p"):
        run(dag, run_conf={"p": 0})
