"""How a task ends (semantics section 5.6)."""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from tradewind.operators.bash import BashOperator
from tradewind.operators.python import PythonOperator
from tradewind.sdk.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowSkipException,
    DownstreamTasksSkipped,
)


def raising(error):
    def function():
        raise error

    return function


LATER = datetime(2024, 3, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (AirflowSkipException("not today"), "skipped"),
        (AirflowFailException("never again"), "failed_final"),
        (AirflowSensorTimeout("too long"), "failed_final"),
        (AirflowRescheduleException(LATER), "rescheduled"),
        (ValueError("wrong"), "failed"),
        (MemoryError(), "failed"),
        (GeneratorExit(), "failed"),
        (SystemExit(), "success"),
        (SystemExit(0), "success"),
        (SystemExit(3), "failed"),
        (SystemExit("no more"), "failed"),
        (DownstreamTasksSkipped(tasks=["b"]), "success"),
    ],
    ids=repr,
)
def test_what_a_task_raises_decides_its_outcome(world, error, outcome):
    PythonOperator(task_id="a", python_callable=raising(error), dag=world.dag)

    assert world.run("a").outcome == outcome


def test_a_failure_says_why_in_one_line_and_keeps_the_traceback(world):
    PythonOperator(task_id="a", python_callable=raising(ValueError("two\nlines")), dag=world.dag)

    result = world.run("a")

    assert result.reason == "ValueError: two lines"
    assert "in function" in result.traceback
    assert result.traceback.endswith("ValueError: two\nlines\n")


def test_a_traceback_begins_in_the_users_code(world):
    PythonOperator(task_id="a", python_callable=raising(ValueError("x")), dag=world.dag)

    lines = world.run("a").traceback.splitlines()

    assert lines[0] == "Traceback (most recent call last):"
    assert "test_outcomes.py" in lines[1]


def test_a_failure_within_an_operator_keeps_its_whole_traceback(world):
    BashOperator(task_id="a", bash_command="exit 1", dag=world.dag)

    assert "bash.py" in world.run("a").traceback


def test_an_exit_code_is_reported(world):
    PythonOperator(task_id="a", python_callable=lambda: sys.exit(3), dag=world.dag)

    result = world.run("a")

    assert result.reason == "exit code 3"


def test_a_rescheduled_task_says_until_when(world):
    error = AirflowRescheduleException(LATER)
    PythonOperator(task_id="a", python_callable=raising(error), dag=world.dag)

    assert world.run("a").due_at == LATER


def test_tasks_named_by_downstream_tasks_skipped_are_skipped(world):
    error = DownstreamTasksSkipped(tasks=["b", ("c", 2)])
    PythonOperator(task_id="a", python_callable=raising(error), dag=world.dag)

    assert world.run("a").skip_task_ids == ["b", "c"]


def test_ctrl_c_calls_on_kill_and_goes_on_up(world):
    killed = []
    operator = PythonOperator(
        task_id="a", python_callable=raising(KeyboardInterrupt()), dag=world.dag
    )
    type(operator).on_kill, before = (
        lambda self: killed.append(self.task_id),
        type(operator).on_kill,
    )
    try:
        with pytest.raises(KeyboardInterrupt):
            world.run("a")
    finally:
        type(operator).on_kill = before

    assert killed == ["a"]


def test_a_task_past_its_time_limit_fails_although_it_catches_exceptions(world):
    def stubborn():
        try:
            time.sleep(30)
        except Exception:  # noqa: BLE001 - as users do
            return "survived"

    PythonOperator(
        task_id="a",
        python_callable=stubborn,
        execution_timeout=timedelta(milliseconds=50),
        dag=world.dag,
    )

    result = world.run("a")

    assert result.outcome == "failed"
    assert result.reason.startswith("AirflowTaskTimeout: the task took longer")


def test_a_time_limit_of_zero_is_over_at_once(world):
    ran = []
    PythonOperator(
        task_id="a",
        python_callable=lambda: ran.append(1),
        execution_timeout=timedelta(0),
        dag=world.dag,
    )

    assert world.run("a").outcome == "failed"
    assert ran == []


def test_the_alarm_is_as_before_when_a_task_with_a_time_limit_has_ended(world):
    before = signal.getsignal(signal.SIGALRM)
    PythonOperator(
        task_id="a",
        python_callable=lambda: None,
        execution_timeout=timedelta(seconds=5),
        dag=world.dag,
    )

    world.run("a")

    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_after_a_deferral_only_the_rest_of_the_time_limit_is_left(world):
    PythonOperator(
        task_id="a",
        python_callable=lambda: None,
        execution_timeout=timedelta(minutes=1),
        dag=world.dag,
    )

    result = world.run("a", next_method="execute", started_at=LATER - timedelta(days=400))

    assert result.outcome == "failed"
    assert "over before it began" in result.reason


def test_the_environment_is_as_before_when_the_task_has_ended(world, monkeypatch):
    monkeypatch.setenv("KEPT", "old")
    monkeypatch.delenv("AIRFLOW_CTX_DAG_ID", raising=False)
    seen = {}

    def change():
        seen.update(os.environ)
        os.environ["KEPT"] = "new"
        os.environ["ADDED"] = "1"

    PythonOperator(task_id="a", python_callable=change, owner="ann", email="x@y.z", dag=world.dag)

    world.run("a", try_number=2)

    assert os.environ["KEPT"] == "old"
    assert "ADDED" not in os.environ
    assert "AIRFLOW_CTX_DAG_ID" not in os.environ
    assert {k: v for k, v in seen.items() if k.startswith("AIRFLOW_CTX_")} == {
        "AIRFLOW_CTX_DAG_ID": "d",
        "AIRFLOW_CTX_TASK_ID": "a",
        "AIRFLOW_CTX_TRY_NUMBER": "2",
        "AIRFLOW_CTX_DAG_RUN_ID": "manual__2024-03-05T10:30:15+00:00",
        "AIRFLOW_CTX_DAG_OWNER": "ann",
        "AIRFLOW_CTX_DAG_EMAIL": "x@y.z",
        "AIRFLOW_CTX_LOGICAL_DATE": "2024-03-05T10:30:15+00:00",
        "AIRFLOW_CTX_EXECUTION_DATE": "2024-03-05T10:30:15+00:00",
    }
