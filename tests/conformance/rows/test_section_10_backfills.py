"""Checkable examples 10.4 and 10.5, and the rows of 10.7 about runs that are there already."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tradewind.control import backfill
from tradewind.control.trigger import trigger_dag
from tradewind.database.errors import NotAllowed
from tradewind.operators.python import PythonOperator
from tradewind.planning.plan_runs import BackfillRefused
from tradewind.sdk.timetables.interval import CronDataIntervalTimetable


def day(number):
    return datetime(2024, 1, number, tzinfo=UTC)


@pytest.fixture
def daily(world, make_dag):
    """Return a maker of a DAG with daily intervals and one task."""

    def make(**task):
        dag = make_dag(
            schedule=CronDataIntervalTimetable("@daily", "UTC"),
            start_date=day(1),
            catchup=False,
            max_active_runs=1,
        )
        PythonOperator(task_id="t", python_callable=int, retries=0, dag=dag, **task)
        world.parse(dag, is_paused=True)
        return dag

    return make


def request(**fields):
    values = {"dag_id": "d", "from_at": day(1), "to_at": day(3), **fields}
    return backfill.BackfillRequest(**values)


def finished_run(world, state):
    """Make a run of the 2nd that has ended in *state*."""
    world.store.dags.set_paused("d", False, world.now, "user:ada")
    trigger_dag(world.services, "d", run_id="mine", logical_date=day(2))
    while claims := world.claim():
        for claim in claims:
            world.finish(
                claim, "failed" if state == "failed" and claim.run_id == "mine" else "success"
            )
    world.store.dags.set_paused("d", True, world.now, "user:ada")
    assert world.run_state("mine") == state


@pytest.mark.parametrize(
    ("state", "behavior", "actions"),
    [
        ("success", "none", ["create", "exists", "create"]),
        ("success", "completed", ["create", "reprocess", "create"]),
        ("success", "failed", ["create", "exists", "create"]),
        ("failed", "none", ["create", "exists", "create"]),
        ("failed", "completed", ["create", "reprocess", "create"]),
        ("failed", "failed", ["create", "reprocess", "create"]),
    ],
)
def test_example_10_4_a_run_that_is_there(world, daily, state, behavior, actions):
    daily()
    finished_run(world, state)

    planned = backfill.plan(world.services, request(reprocess_behavior=behavior))
    backfill.create(world.services, request(reprocess_behavior=behavior))
    world.work()

    assert [entry.action for entry in planned] == actions
    runs = {run.logical_date.day: run for run in world.store.runs.list("d") if run.logical_date}
    is_again = actions[1] == "reprocess"
    assert runs[2].run_type == ("backfill" if is_again else "manual")
    assert world.store.task_instances.get("d", "mine", "t").try_number == 1 + is_again
    assert runs[1].run_id == "backfill__2024-01-02T00:00:00+00:00"  # stamped with run_after
    assert str(runs[3].state) == "success"


def test_a_run_that_has_not_ended_is_left_alone(world, daily):
    daily()
    trigger_dag(world.services, "d", run_id="mine", logical_date=day(2))

    planned = backfill.plan(world.services, request(reprocess_behavior="completed"))

    assert [entry.action for entry in planned] == ["create", "in_flight", "create"]


def test_example_10_5_newest_first(world, daily):
    daily()

    backfill.create(world.services, request(is_reverse=True, max_active_runs=1))

    started = []
    while claims := world.claim():
        assert len(claims) == 1  # one run at a time
        started.append(claims[0].dag_run["logical_date"].day)
        world.finish(claims[0])
    assert started == [3, 2, 1]


def test_example_10_5_newest_first_is_refused_where_tasks_depend_on_the_past(world, daily):
    daily(depends_on_past=True)

    with pytest.raises(BackfillRefused, match="depends_on_past cannot run newest first"):
        backfill.create(world.services, request(is_reverse=True, reprocess_behavior="failed"))


def test_where_every_date_has_its_run_there_is_nothing_to_create(world, daily):
    daily()
    finished_run(world, "success")

    with pytest.raises(NotAllowed, match="no runs to create"):
        backfill.create(world.services, request(from_at=day(2), to_at=day(2)))


def test_a_conf_replaces_that_of_a_run_that_is_cleared(world, daily):
    daily()
    finished_run(world, "success")

    backfill.create(world.services, request(reprocess_behavior="completed", conf={"x": 1}))

    assert {run.conf["x"] for run in world.store.runs.list("d") if run.run_type == "backfill"} == {
        1
    }


def test_a_cancelled_backfill_lets_running_runs_end_and_starts_no_more(world, daily):
    daily()
    row = backfill.create(world.services, request(max_active_runs=1))
    (claim,) = world.claim()

    backfill.cancel(world.services, row.id)

    assert list(world.run_states().values()) == ["running", "failed", "failed"]
    world.finish(claim)
    world.work()
    assert list(world.run_states().values()) == ["success", "failed", "failed"]
    assert backfill.find_unfinished(world.services, "d") is None


def test_scheduled_runs_and_a_backfill_do_not_wait_for_each_other(world, daily):
    """The DAG's own limit counts its own runs, the backfill's limit those of the backfill."""
    daily()
    world.store.dags.set_paused("d", False, world.now, "user:ada")
    backfill.create(world.services, request(max_active_runs=2))
    world.clock.advance(seconds=timedelta(days=1).total_seconds())

    claims = world.claim()

    kinds = sorted(claim.run_id.partition("__")[0] for claim in claims)
    assert kinds == ["backfill", "backfill", "scheduled"]
