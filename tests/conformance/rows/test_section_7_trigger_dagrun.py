"""Rows of 7.7 and checkable example 7.7: one DAG starts runs of another one, over a real store."""

from __future__ import annotations

import pytest
from real_tasks import execute
from tradewind.control.trigger import trigger_dag
from tradewind.operators.empty import EmptyOperator
from tradewind.operators.python import PythonOperator
from tradewind.operators.trigger_dagrun import TriggerDagRunOperator


@pytest.fixture
def other(world, make_dag):
    """A DAG with one task, to be triggered."""
    dag = make_dag("other", schedule=None)
    EmptyOperator(task_id="t", dag=dag)
    PythonOperator(task_id="p", python_callable=int, dag=dag)
    world.parse(dag)
    return dag


def triggering(world, make_dag, other, *, dialect="3", retries=0, **arguments):
    """Run a DAG that triggers ``other``; return how its task ended."""
    dag = make_dag(f"first{world.parses}", schedule=None, dialect=dialect)
    TriggerDagRunOperator(
        task_id="trigger", trigger_dag_id="other", retries=retries, dag=dag, **arguments
    )
    world.parse(dag)
    run = trigger_dag(world.services, dag.dag_id)
    execute(world, dag, other)
    return str(world.store.task_instances.get(dag.dag_id, run.run_id, "trigger").state)


def runs(world):
    return world.store.runs.list("other", limit=100, order="logical_date")


@pytest.mark.parametrize(
    ("dialect", "again", "state"),
    [
        ("3", {}, "failed"),
        ("3", {"retries": 2}, "failed"),
        ("2", {}, "failed"),
        ("2", {"retries": 2}, "up_for_retry"),
        ("3", {"skip_when_already_exists": True}, "skipped"),
        ("2", {"skip_when_already_exists": True}, "skipped"),
        ("3", {"reset_dag_run": True}, "success"),
        ("2", {"reset_dag_run": True}, "success"),
    ],
)
def test_example_7_7_triggering_twice_with_one_run_id(
    world, make_dag, other, dialect, again, state
):
    assert triggering(world, make_dag, other, trigger_run_id="r", dialect=dialect) == "success"
    assert world.run_state("r", "other") == "success"

    assert triggering(world, make_dag, other, trigger_run_id="r", dialect=dialect, **again) == state

    assert [run.run_id for run in runs(world)] == ["r"]
    assert world.run_state("r", "other") == "success"
    tries = world.store.task_instances.get("other", "r", "p").try_number
    assert tries == (2 if "reset_dag_run" in again else 1)


def test_runs_without_an_id_get_one_and_say_whom_they_come_from(world, make_dag, other):
    assert triggering(world, make_dag, other, conf={"x": 1}, note="why") == "success"

    (run,) = runs(world)
    assert run.run_id.startswith("manual__")
    assert (run.run_type, run.conf, run.note) == ("operator_triggered", {"x": 1}, "why")


@pytest.mark.parametrize(
    ("dialect", "given", "has_date"),
    [
        ("3", {}, True),
        ("3", {"logical_date": None}, False),
        ("3", {"run_after": "2024-01-16T00:00:00+00:00"}, False),
        ("2", {"execution_date": None}, True),
    ],
)
def test_the_logical_date_is_now_unless_it_is_given_or_refused(
    world, make_dag, other, dialect, given, has_date
):
    assert triggering(world, make_dag, other, dialect=dialect, **given) == "success"

    (run,) = runs(world)
    assert run.logical_date == (world.now if has_date else None)
    if "run_after" in given:
        assert f"{run.run_after:%m-%d}" == "01-16"


@pytest.mark.parametrize(("fails", "state"), [(True, "failed"), (False, "success")])
def test_a_paused_dag_is_triggered_and_waits_unless_that_is_to_fail(
    world, make_dag, other, fails, state
):
    world.store.dags.set_paused("other", True, world.now, "user:ada")

    ended = triggering(world, make_dag, other, fail_when_dag_is_paused=fails)

    assert ended == state
    assert [str(run.state) for run in runs(world)] == ([] if fails else ["queued"])


def test_a_dag_that_does_not_exist_fails_the_task(world, make_dag, other):
    dag = make_dag("lost", schedule=None)
    TriggerDagRunOperator(task_id="trigger", trigger_dag_id="nowhere", retries=0, dag=dag)
    world.parse(dag)
    trigger_dag(world.services, "lost", run_id="r")

    execute(world, dag)

    (attempt,) = world.store.task_instances.tries("lost", "r", "trigger")
    assert world.run_state("r", "lost") == "failed"
    assert "nowhere" in attempt.reason
