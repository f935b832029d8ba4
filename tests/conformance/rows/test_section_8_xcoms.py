"""Rows of 8.1 that need several runs: what is pulled from where, and when XComs go."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from real_tasks import execute
from tradewind.control.clear import ClearRequest, clear
from tradewind.control.trigger import trigger_dag
from tradewind.operators.python import PythonOperator


def day(number):
    return datetime(2024, 1, number, tzinfo=UTC)


@pytest.fixture
def pulls():
    """What ``pull`` has seen, in order."""
    return []


@pytest.fixture
def dag(world, make_dag, pulls):
    """``push`` → ``pull``: the day of the run, at the first try, unless conf says nothing."""

    def push(dag_run, ds, ti):
        return None if "silent" in dag_run.conf or ti.try_number > 1 else ds

    def pull(ti, dag_run):
        pulls.append(ti.xcom_pull("push", **dag_run.conf.get("how", {})))

    made = make_dag(schedule=None)
    with made:
        PythonOperator(task_id="push", python_callable=push) >> PythonOperator(
            task_id="pull", python_callable=pull
        )
    world.parse(made)
    return made


def run(world, dag, number, **conf):
    trigger_dag(world.services, "d", run_id=f"r{number}", logical_date=day(number), conf=conf)
    execute(world, dag)


PRIOR = {"include_prior_dates": True}


@pytest.mark.parametrize(
    ("how", "seen"),
    [
        ({}, None),  # this run alone
        (PRIOR, "2024-01-11"),  # of all with a date up to its own, the newest
        ({**PRIOR, "key": "other"}, None),
        ({**PRIOR, "dag_id": "other"}, None),
        ({"run_id": "r14"}, "2024-01-14"),
        ({"run_id": "none"}, None),
    ],
    ids=str,
)
def test_earlier_runs_are_looked_at_where_that_is_asked_for(world, dag, pulls, how, seen):
    for number in (10, 14, 11):
        run(world, dag, number)

    run(world, dag, 12, silent=True, how=how)

    assert pulls[-1] == seen


def test_the_runs_own_value_comes_first(world, dag, pulls):
    run(world, dag, 10)

    run(world, dag, 12, how=PRIOR)

    assert pulls[-1] == "2024-01-12"


def test_another_dag_is_pulled_from_under_the_same_run_id(world, dag, make_dag):
    seen = []
    other = make_dag("other", schedule=None)
    PythonOperator(
        task_id="pull",
        python_callable=lambda ti: seen.append(ti.xcom_pull("push", dag_id="d")),
        dag=other,
    )
    world.parse(other)
    run(world, dag, 10)

    for run_id in ("r10", "r11"):
        trigger_dag(world.services, "other", run_id=run_id)
        execute(world, other)

    assert seen == ["2024-01-10", None]


def test_xcoms_stay_when_a_run_has_ended_and_go_with_the_next_try(world, dag):
    run(world, dag, 10)
    assert [one.key for one in world.store.xcoms.list("d", "r10", "push")] == ["return_value"]

    clear(world.services, ClearRequest(dag_id="d", run_ids=["r10"], task_ids=["push"]))

    execute(world, dag)
    assert world.store.task_instances.get("d", "r10", "push").try_number == 2
    assert world.store.xcoms.list("d", "r10", "push") == []


def test_xcoms_go_with_their_run(world, dag):
    run(world, dag, 10)
    run(world, dag, 11)

    world.store.runs.delete("d", "r10", world.now, "user:ada")

    rows = world.store.xcoms.get_many(
        dag_id="d", run_id="r11", task_ids=["push"], key="return_value", include_prior_dates=True
    )
    assert [row.run_id for row in rows] == ["r11"]
