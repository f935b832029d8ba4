"""Sections 5.1, 5.2, 5.6, 5.8 and 5.12: states, their times, what is queued, tries and versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tradewind.control.backfill import BackfillRequest
from tradewind.control.backfill import create as create_backfill
from tradewind.control.clear import ClearRequest, clear
from tradewind.control.pools import set_pool
from tradewind.control.trigger import trigger_dag
from tradewind.operators.empty import EmptyOperator
from tradewind.operators.python import PythonOperator
from tradewind.sdk.task_decorators import task


def step(task_id="t", **arguments):
    return PythonOperator(task_id=task_id, python_callable=int, **arguments)


def one(world, task_id="t", run_id="r"):
    return world.store.task_instances.get("d", run_id, task_id)


def start(world, dag, **run):
    world.parse(dag)
    return trigger_dag(world.services, "d", run_id="r", **run)


def test_times_of_a_try_stand_where_it_was_scheduled_queued_started_and_ended(world, make_dag):
    with make_dag(schedule=None) as dag:
        step()
    start(world, dag)
    at = world.now
    [claim] = world.claim()
    world.clock.advance(seconds=30)
    world.finish(claim)

    row = one(world)
    assert (row.scheduled_at, row.queued_at, row.started_at) == (at, at, at)
    assert row.ended_at == at + timedelta(seconds=30)


def test_an_empty_task_succeeds_at_once_without_being_queued(world, make_dag):
    with make_dag(schedule=None) as dag:
        EmptyOperator(task_id="t")
    start(world, dag)
    assert world.claim() == []

    row = one(world)
    assert (row.state, row.try_number) == ("success", 1)
    assert row.started_at == row.ended_at == world.now
    assert row.queued_at is None


@pytest.mark.parametrize(
    "extra", [{"on_success_callback": print}, {"on_execute_callback": print}, {"outlets": "asset"}]
)
def test_an_empty_task_that_does_something_else_is_run(world, make_dag, extra):
    from tradewind.sdk.asset import Asset

    if "outlets" in extra:
        extra = {"outlets": [Asset("s3://b")]}
    with make_dag(schedule=None) as dag:
        EmptyOperator(task_id="t", **extra)
    start(world, dag)

    assert [claim.task_id for claim in world.claim()] == ["t"]


def test_a_reschedule_keeps_the_try_and_its_first_start_and_gives_the_slot_back(world, make_dag):
    with make_dag(schedule=None, max_active_tasks=1) as dag:
        step(priority_weight=9)
        step("other")
    start(world, dag)
    at = world.now
    [claim] = world.claim()
    world.finish(claim, "rescheduled", due_at=at + timedelta(minutes=5))
    [other] = world.claim()
    assert (one(world).state, other.task_id) == ("up_for_reschedule", "other")
    world.finish(other)

    world.clock.advance(minutes=5)
    [again] = world.claim()
    row = one(world)
    assert (again.task_id, again.try_number, row.try_number) == ("t", 1, 1)
    assert row.started_at == at


@pytest.mark.parametrize("outcome", ["failed", "failed_final", "skipped", "success"])
def test_only_an_ordinary_failure_is_tried_again(world, make_dag, outcome):
    with make_dag(schedule=None) as dag:
        step(retries=2)
    start(world, dag)
    [claim] = world.claim()
    world.finish(claim, outcome)

    assert one(world).state == {
        "failed": "up_for_retry", "failed_final": "failed", "skipped": "skipped",
        "success": "success",
    }[outcome]  # fmt: skip


def test_a_task_has_no_instance_where_its_dates_leave_the_run_out(world, make_dag):
    """Example 4.6, through the store: a backfill has instances of all tasks."""
    start_at = datetime(2024, 1, 1, tzinfo=UTC)
    with make_dag(dialect="2", schedule="@daily", start_date=start_at, catchup=False) as dag:
        step("early")
        step("late", start_date=datetime(2024, 2, 1, tzinfo=UTC))
        step("over", end_date=datetime(2024, 1, 5, tzinfo=UTC))
    world.parse(dag)
    world.tick(2)
    day = datetime(2024, 1, 8, tzinfo=UTC)
    create_backfill(world.services, BackfillRequest("d", day, day))
    [backfilled, scheduled] = list(world.run_states())

    assert sorted(world.states(scheduled)) == ["early"]
    assert sorted(world.states(backfilled)) == ["early", "late", "over"]


# --- what is queued (5.8) --------------------------------------------------------------------


def test_the_heaviest_is_first_then_the_older_run_then_the_lower_index(world, make_dag):
    @task(weight_rule="absolute", pool="narrow")
    def mapped(x): ...

    set_pool(world.services, "narrow", 1, "")
    with make_dag(schedule=None, max_active_tasks=100) as dag:
        mapped.expand(x=[1, 2])
        step("heavy", priority_weight=5, weight_rule="absolute", pool="narrow")
    world.parse(dag)
    for name, day in (("new", 12), ("old", 11)):
        date = datetime(2024, 1, day, tzinfo=UTC)
        trigger_dag(world.services, "d", run_id=name, logical_date=date)
    order = []
    for _ in range(6):
        [claim] = world.claim()
        order.append((claim.task_id, claim.run_id, claim.map_index))
        world.finish(claim)

    assert order == [
        ("heavy", "old", -1), ("heavy", "new", -1), ("mapped", "old", 0), ("mapped", "old", 1),
        ("mapped", "new", 0), ("mapped", "new", 1),
    ]  # fmt: skip


def test_example_5_7_a_narrow_task_runs_beside_a_wide_one(world, make_dag):
    set_pool(world.services, "three", 3, "")
    with make_dag(schedule=None) as dag:
        step("wide", pool="three", pool_slots=2, priority_weight=3)
        step("wide2", pool="three", pool_slots=2, priority_weight=2)
        step("narrow", pool="three")
    start(world, dag)

    assert [claim.task_id for claim in world.claim()] == ["wide", "narrow"]


@pytest.mark.parametrize(("include_deferred", "running"), [(True, []), (False, ["b"])])
def test_a_deferred_task_counts_in_a_pool_that_says_so(world, make_dag, include_deferred, running):
    set_pool(world.services, "one", 1, "", include_deferred=include_deferred)
    with make_dag(schedule=None) as dag:
        step("a", pool="one", priority_weight=5)
        step("b", pool="one")
    start(world, dag)
    [claim] = world.claim()
    trigger = {"classpath": "a.B", "kwargs": "{}", "next_method": "go_on"}
    world.finish(claim, "deferred", trigger=trigger)
    assert one(world, "a").state == "deferred"

    assert [claim.task_id for claim in world.claim()] == running


@pytest.mark.parametrize(("dialect", "count"), [("2", 1), ("3", 2)])
def test_max_active_tasks_counts_over_all_runs_in_airflow_2_and_in_each_in_3(
    world, make_dag, dialect, count
):
    with make_dag(dialect=dialect, schedule=None, max_active_tasks=1) as dag:
        step()
    world.parse(dag)
    for day in (11, 12):
        date = datetime(2024, 1, day, tzinfo=UTC)
        trigger_dag(world.services, "d", run_id=f"r{day}", logical_date=date)

    assert len(world.claim()) == count


def test_instances_of_one_task_are_limited_in_a_run_and_over_all(world, make_dag):
    @task(max_active_tis_per_dagrun=2)
    def in_run(x): ...

    @task(max_active_tis_per_dag=3)
    def over_all(x): ...

    with make_dag(schedule=None, max_active_tasks=100) as dag:
        in_run.expand(x=[1, 2, 3])
        over_all.expand(x=[1, 2, 3])
    world.parse(dag)
    for day in (11, 12):
        date = datetime(2024, 1, day, tzinfo=UTC)
        trigger_dag(world.services, "d", run_id=f"r{day}", logical_date=date)
    claims = world.claim()

    counted = [(claim.task_id, claim.run_id) for claim in claims]
    assert [counted.count(("in_run", run)) for run in ("r11", "r12")] == [2, 2]
    assert len([name for name, _ in counted if name == "over_all"]) == 3


# --- runs that take too long, and versions ---------------------------------------------------


def test_example_5_9_a_run_over_its_timeout_fails_and_skips_what_is_not_finished(world, make_dag):
    with make_dag(schedule=None, dagrun_timeout=timedelta(seconds=60)) as dag:
        step("running") >> step("none")
    start(world, dag)
    world.claim()
    world.clock.advance(seconds=61)
    world.tick()

    run = world.store.runs.get("d", "r")
    assert (run.state, run.state_reason) == ("failed", "timed_out")
    assert world.states("r") == {"running": "skipped", "none": "skipped"}


def test_the_timeout_counts_from_the_start_of_the_run_not_from_its_creation(world, make_dag):
    with make_dag(schedule=None, max_active_runs=1, dagrun_timeout=timedelta(seconds=60)) as dag:
        step()
    start(world, dag)
    trigger_dag(world.services, "d", run_id="second")
    [claim] = world.claim()
    world.clock.advance(seconds=50)
    world.finish(claim)
    world.clock.advance(seconds=50)
    world.tick()

    assert world.run_state("second") == "running"


def test_a_run_keeps_its_version_and_a_clear_brings_the_newest(world, make_dag):
    def build(*names):
        with make_dag(schedule=None) as dag:
            for name in names:
                step(name)
        return dag

    start(world, build("a", "b"))
    world.work()
    world.parse(build("a", "c"))
    world.tick()
    assert sorted(world.states("r")) == ["a", "b"]

    clear(world.services, ClearRequest("d", task_ids=["a"], run_ids=["r"]))
    world.work()

    assert world.states("r") == {"a": "success", "b": "success", "c": "success"}


def test_a_task_that_comes_back_to_its_dag_runs_again(world, make_dag):
    def build(*names):
        with make_dag(schedule=None) as dag:
            gate = step("gate")
            for name in names:
                gate >> step(name)
        return dag

    start(world, build("x", "y"))
    world.parse(build("y"))
    clear(world.services, ClearRequest("d", task_ids=["gate"], run_ids=["r"]))
    assert world.states("r")["x"] == "removed"

    world.parse(build("x", "y"))
    clear(world.services, ClearRequest("d", task_ids=["gate"], run_ids=["r"]))
    world.work()

    assert world.states("r") == {"gate": "success", "x": "success", "y": "success"}


@pytest.mark.parametrize(("asked", "names"), [(None, ["a", "b"]), (True, ["a", "b", "c"])])
def test_a_dag_may_keep_its_runs_at_their_version_through_a_clear(world, make_dag, asked, names):
    def build(*names):
        with make_dag(schedule=None, rerun_with_latest_version=False) as dag:
            for name in names:
                step(name)
        return dag

    start(world, build("a", "b"))
    world.work()
    world.parse(build("a", "c"))
    clear(world.services, ClearRequest("d", run_ids=["r"], on_latest_version=asked))

    assert sorted(world.states("r")) == names


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (0, 2, {"t[0]": "success", "t[1]": "success"}),
        (2, 3, {"t[0]": "success", "t[1]": "success", "t[2]": "success"}),
        (3, 2, {"t[0]": "success", "t[1]": "success", "t[2]": "removed"}),
        (2, 0, {"t[0]": "removed", "t[1]": "removed", "t": "success"}),
    ],
)
def test_a_cleared_run_takes_over_how_the_newest_version_maps_a_task(
    world, make_dag, before, after, expected
):
    """0: the task is not mapped."""

    def build(count):
        with make_dag(schedule=None) as dag:

            @task
            def t(x=None): ...

            made = t.expand(x=list(range(count))) if count else t()
            made >> step("end")
        return dag

    start(world, build(before))
    world.work()
    world.parse(build(after))
    clear(world.services, ClearRequest("d", run_ids=["r"]))
    world.work()

    assert world.states("r") == {**expected, "end": "success"}
    assert world.run_state("r") == "success"
