"""Sections 4.6 to 4.9: which runs a schedule makes while its DAG, its file and its clock change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tradewind.control.backfill import BackfillRequest
from tradewind.control.backfill import create as create_backfill
from tradewind.control.clear import ClearRequest, clear
from tradewind.control.input import InvalidInput
from tradewind.control.mark import mark_run
from tradewind.control.trigger import trigger_dag
from tradewind.database.errors import DagInactive, DagRunExists
from tradewind.operators.python import PythonOperator
from tradewind.sdk.timetables.events import EventsTimetable
from tradewind.sdk.timetables.trigger import MultipleCronTriggerTimetable

DAY = timedelta(days=1)


def at(day, hour=0, month=1):
    return datetime(2024, month, day, hour, tzinfo=UTC)


def step(task_id="t", **arguments):
    return PythonOperator(task_id=task_id, python_callable=int, **arguments)


@pytest.fixture
def make(make_dag):
    """Return a maker of DAGs with one task, with data intervals (dialect 2)."""

    def make(*, task=None, **arguments):
        arguments.setdefault("dialect", "2")
        arguments.setdefault("schedule", "@daily")
        arguments.setdefault("start_date", at(10))
        arguments.setdefault("catchup", False)
        with make_dag(**arguments) as dag:
            step(**(task or {}))
        return dag

    return make


# --- the file changes between runs -----------------------------------------------------------


def test_a_start_date_that_moves_later_holds_back_what_lies_before_it(world, make):
    world.parse(make(catchup=True))
    world.tick()
    world.work()
    made = world.dates()
    world.parse(make(catchup=True, start_date=at(20)))
    world.clock.set(at(22, 1))
    world.tick(3)

    assert made == ["01-10", "01-11", "01-12", "01-13", "01-14"]
    assert world.dates() == [*made, "01-20", "01-21"]


def test_a_start_date_that_moves_earlier_makes_no_runs_of_the_past(world, make):
    world.parse(make(catchup=True, start_date=at(13)))
    world.tick(2)
    world.work()
    world.parse(make(catchup=True, start_date=at(5)))
    world.clock.advance(days=1)
    world.tick(3)

    assert world.dates() == ["01-13", "01-14", "01-15"]


def test_an_end_date_is_the_last_logical_date_and_may_be_taken_away(world, make):
    world.parse(make(catchup=True, end_date=at(11)))
    world.tick(3)
    world.work()
    assert world.dates() == ["01-10", "01-11"]

    world.parse(make(catchup=True))
    world.tick(3)

    assert world.dates() == ["01-10", "01-11", "01-12", "01-13", "01-14"]


def test_tasks_that_all_end_bound_the_runs_by_the_last_of_them(world, make_dag):
    with make_dag(dialect="2", schedule="@daily", start_date=at(10), catchup=True) as dag:
        step("a", end_date=at(11))
        step("b", end_date=at(12))
    world.parse(dag)
    world.tick(3)

    assert world.dates() == ["01-10", "01-11", "01-12"]
    assert sorted(world.states("scheduled__2024-01-12T00:00:00+00:00")) == ["b"]


def test_a_schedule_that_changes_goes_on_from_what_the_last_run_covered(world, make):
    world.parse(make(catchup=True))
    world.tick(2)
    world.work()
    world.parse(make(catchup=True, schedule="0 */6 * * *"))
    world.tick(3)

    assert world.dates()[-3:] == ["01-14", "01-15", "01-15T06:00"]


def test_a_dag_that_loses_its_schedule_gets_no_more_runs_and_gets_them_again_with_one(world, make):
    world.parse(make())
    world.tick(2)
    world.parse(make(schedule=None))
    world.clock.advance(days=3)
    world.tick(2)
    assert world.dates() == ["01-14"]

    world.parse(make())
    world.tick(2)

    assert world.dates() == ["01-14", "01-17"]


def test_a_dag_whose_file_went_and_came_back_goes_on_where_it_was(world, make):
    world.parse(make(catchup=True))
    world.tick(2)
    world.work()
    world.parse(file="d.py")
    world.clock.advance(days=2)
    world.tick(2)
    assert len(world.dates()) == 5
    with pytest.raises(DagInactive):
        trigger_dag(world.services, "d")

    world.parse(make(catchup=True))
    world.tick(3)

    assert world.dates()[5:] == ["01-15", "01-16"]


def test_a_pause_in_the_middle_of_a_run_lets_what_runs_end_and_nothing_begin(world, make_dag):
    with make_dag(schedule=None) as dag:
        step("a") >> step("b")
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    [claim] = world.claim()
    world.store.dags.set_paused("d", True, world.now, "user:ada")

    world.finish(claim)
    trigger_dag(world.services, "d", run_id="later")
    assert world.claim() == []
    assert world.states("r")["a"] == "success"
    assert (world.run_state("r"), world.run_state("later")) == ("running", "queued")

    world.store.dags.set_paused("d", False, world.now, "user:ada")
    world.work()
    assert set(world.run_states().values()) == {"success"}


def test_a_run_of_a_paused_dag_ends_with_its_last_running_task(world, make_dag):
    with make_dag(schedule=None) as dag:
        step("a")
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    [claim] = world.claim()
    world.store.dags.set_paused("d", True, world.now, "user:ada")
    world.finish(claim)

    assert world.run_state("r") == "success"


# --- kinds of schedules ----------------------------------------------------------------------


def test_once_makes_one_run_for_ever(world, make):
    world.parse(make(schedule="@once"))
    world.tick(2)
    world.work()
    world.clock.advance(days=30)
    world.parse(make(schedule="@once", task={"retries": 1}))
    world.tick(2)

    assert world.dates() == ["01-10"]


def test_continuous_makes_a_run_when_the_one_before_has_ended(world, make):
    world.parse(make(schedule="@continuous", max_active_runs=1))
    world.tick(3)
    assert len(world.run_states()) == 1

    world.clock.advance(hours=1)
    [claim] = world.claim()
    world.finish(claim)
    world.tick(2)
    first, second = world.store.runs.list("d", order="logical_date")

    assert first.data_interval_start == at(10)
    assert (second.data_interval_start, second.data_interval_end) == (
        first.data_interval_end,
        world.now,
    )


def test_events_are_run_once_each_and_end(world, make):
    table = EventsTimetable([at(12), at(14, 8), at(16)])
    world.parse(make(schedule=table, catchup=True))
    world.tick(3)
    world.work()
    assert world.dates() == ["01-12", "01-14T08:00"]

    world.clock.advance(days=30)
    world.tick(3)

    assert world.dates() == ["01-12", "01-14T08:00", "01-16"]


def test_several_crons_make_one_run_where_they_meet(world, make):
    table = MultipleCronTriggerTimetable("0 */2 * * *", "0 */3 * * *", timezone="UTC")
    world.parse(make(schedule=table, catchup=True, start_date=at(15), dialect="3"))
    world.tick(3)

    assert world.dates() == [
        "01-15", "01-15T02:00", "01-15T03:00", "01-15T04:00", "01-15T06:00", "01-15T08:00",
        "01-15T09:00", "01-15T10:00", "01-15T12:00",
    ]  # fmt: skip


# --- limits of runs --------------------------------------------------------------------------


def test_max_active_runs_bounds_creation_and_starting_and_counts_manual_runs(world, make):
    world.parse(make(catchup=True, max_active_runs=2))
    trigger_dag(world.services, "d", run_id="mine", logical_date=at(11, 3))
    world.tick(3)

    assert list(world.run_states().values()) == ["running", "running"]
    assert "mine" in world.run_states()


def test_a_backfill_has_its_own_limit_beside_the_dags(world, make):
    world.parse(make(max_active_runs=1, start_date=at(1)))
    world.tick(2)
    create_backfill(world.services, BackfillRequest("d", at(2), at(6), max_active_runs=2))
    world.tick(2)

    states = world.run_states()
    scheduled = [state for run_id, state in states.items() if run_id.startswith("scheduled__")]
    backfilled = [state for run_id, state in states.items() if run_id.startswith("backfill__")]
    assert scheduled == ["running"]
    assert sorted(backfilled) == ["queued"] * 3 + ["running"] * 2


def test_scheduled_runs_go_on_beside_a_full_backfill(world, make):
    world.parse(make(max_active_runs=1, start_date=at(1)))
    create_backfill(world.services, BackfillRequest("d", at(2), at(6), max_active_runs=1))
    world.tick(3)
    world.clock.advance(days=1)
    world.tick(3)

    assert "01-14" in world.dates()


def test_runs_that_fail_one_after_the_other_pause_their_dag(world, make):
    world.parse(make(catchup=True, max_consecutive_failed_dag_runs=3, max_active_runs=1))
    for _ in range(8):
        for claim in world.claim():
            world.finish(claim, "failed_final")

    assert world.dates() == ["01-10", "01-11", "01-12"]
    assert world.store.dags.get("d").is_paused


def test_a_success_between_failures_keeps_the_dag_running(world, make):
    world.parse(make(catchup=True, max_consecutive_failed_dag_runs=2, max_active_runs=1))
    ends = iter(["failed_final", "success", "failed_final", "success", "failed_final"])
    for _ in range(8):
        for claim in world.claim():
            world.finish(claim, next(ends))

    assert len(world.dates()) == 5
    assert not world.store.dags.get("d").is_paused


# --- the past --------------------------------------------------------------------------------


def run_id(day):
    return f"scheduled__{at(day).isoformat()}"


def test_depends_on_past_waits_for_the_run_before_and_a_failure_holds_all_that_follow(world, make):
    world.parse(make(catchup=True, task={"depends_on_past": True}))
    world.tick(2)
    assert [claim.run_id for claim in world.claim()] == [run_id(10)]
    world.work({"t": "failed_final"})
    assert {world.states(run_id(day))["t"] for day in (11, 12, 13, 14)} == {"none"}


def test_depends_on_past_goes_on_after_a_skip_or_a_mark(world, make):
    world.parse(make(catchup=True, task={"depends_on_past": True}))

    def end(claim):
        return {run_id(10): "skipped", run_id(11): "failed_final"}.get(claim.run_id, "success")

    world.work({"t": end})
    assert world.states(run_id(11))["t"] == "failed"
    assert world.states(run_id(12))["t"] == "none"

    mark_run(world.services, "d", run_id(11), "success")
    clear(world.services, ClearRequest("d", run_ids=[run_id(11)]))
    world.work()

    assert {world.states(run_id(day))["t"] for day in (11, 12, 13, 14)} == {"success"}


@pytest.mark.parametrize("catchup", [True, False])
def test_a_manual_run_counts_as_the_past_only_without_catchup(world, make, catchup):
    world.parse(make(catchup=catchup, task={"depends_on_past": True}, start_date=at(14)))
    world.work()
    assert world.dates() == ["01-14"]
    trigger_dag(world.services, "d", run_id="mine", logical_date=at(14, 12))
    world.work({"t": "failed_final"})
    world.clock.advance(days=1)
    world.work()

    assert world.states(run_id(15))["t"] == ("success" if catchup else "none")


@pytest.mark.parametrize("catchup", [True, False])
def test_wait_for_downstream_waits_for_direct_downstream_of_the_run_before(
    world, make_dag, catchup
):
    with make_dag(dialect="2", schedule="@daily", start_date=at(13), catchup=catchup) as dag:
        step("a", wait_for_downstream=True) >> step("b") >> step("c")
    world.parse(dag)
    world.tick(2)
    world.clock.advance(days=1)
    world.tick(2)
    first, *rest = sorted(world.run_states())

    def claimed():
        return sorted((claim.run_id, claim.task_id) for claim in claims)

    claims = world.claim()
    assert claimed() == [(first, "a")]
    world.finish(claims[0])
    claims = world.claim()
    assert claimed() == [(first, "b")]
    world.finish(claims[0])
    claims = world.claim()
    assert claimed() == [(first, "c"), (rest[0], "a")]


def test_a_cleared_run_in_the_past_holds_what_has_not_begun_yet(world, make):
    world.parse(make(catchup=True, task={"depends_on_past": True}, start_date=at(13)))
    world.work()
    clear(world.services, ClearRequest("d", run_ids=[run_id(14)]))
    [claim] = world.claim()
    world.clock.advance(days=1)
    assert world.claim() == []

    world.finish(claim)
    assert [claim.run_id for claim in world.claim()] == [run_id(15)]


def test_a_new_task_waits_for_its_past_unless_its_first_run_may_ignore_it(world, make_dag):
    """Section 4.9 and row 6 of section 11: dialect 2 ignores the first, dialect 3 does not."""
    for dialect, state in (("2", "success"), ("3", "none")):
        dag_id = f"d{dialect}"

        def build(*names, dialect=dialect, dag_id=dag_id):
            with make_dag(
                dag_id, dialect=dialect, schedule="@daily", start_date=at(14), catchup=True
            ) as dag:
                for name in names:
                    step(name, depends_on_past=True)
            return dag

        world.clock.set(at(15, 12))
        world.parse(build("old"))
        world.work()
        world.parse(build("old", "new"))
        world.clock.advance(days=1)
        world.work()

        last = list(world.run_states(dag_id))[-1]
        assert world.states(last, dag_id) == {"old": "success", "new": state}


# --- manual runs -----------------------------------------------------------------------------


def test_manual_runs_do_not_move_the_schedule(world, make):
    world.parse(make())
    world.tick(2)
    trigger_dag(world.services, "d", run_id="future", logical_date=at(15, 11))
    world.clock.advance(days=1)
    world.tick(2)

    assert world.dates() == ["01-14", "01-15", "01-15T11:00"]


def test_a_run_id_and_a_logical_date_are_taken_once(world, make):
    world.parse(make(schedule=None))
    trigger_dag(world.services, "d", run_id="mine", logical_date=at(14))

    for again in ({"run_id": "mine"}, {"logical_date": at(14)}):
        with pytest.raises(DagRunExists):
            trigger_dag(world.services, "d", **again)


def test_runs_without_a_logical_date_may_be_as_many_as_one_likes(world, make):
    world.parse(make(schedule=None, dialect="3"))

    for _ in range(3):
        trigger_dag(world.services, "d")

    assert len(world.store.runs.list("d")) == 3


@pytest.mark.parametrize("run_id", ["scheduled__x", "backfill__x", "asset_triggered__x", "a b"])
def test_a_person_cannot_take_the_ids_of_the_schedule(world, make, run_id):
    world.parse(make(schedule=None))

    with pytest.raises(InvalidInput):
        trigger_dag(world.services, "d", run_id=run_id)


def test_a_run_without_logical_date_has_no_past(world, make):
    world.parse(make(schedule=None, dialect="3", task={"depends_on_past": True}))
    trigger_dag(world.services, "d", run_id="one")
    world.work({"t": "failed_final"})
    trigger_dag(world.services, "d", run_id="two")
    world.work()

    assert (world.run_state("one"), world.run_state("two")) == ("failed", "success")


def test_a_run_that_may_start_later_waits_for_its_time(world, make):
    world.parse(make(schedule=None, dialect="3"))
    trigger_dag(world.services, "d", run_id="later", run_after=world.now + timedelta(hours=1))
    assert world.claim() == []

    world.clock.advance(hours=1)
    assert [claim.run_id for claim in world.claim()] == ["later"]


def test_a_run_of_airflow_2_dated_in_the_future_waits_for_its_date(world, make, monkeypatch):
    world.parse(make(schedule=None))
    trigger_dag(world.services, "d", run_id="future", logical_date=at(15, 13))
    assert world.claim() == []
    assert world.run_state("future") == "queued"

    monkeypatch.setenv("AIRFLOW__SCHEDULER__ALLOW_TRIGGER_IN_FUTURE", "True")
    trigger_dag(world.services, "d", run_id="allowed", logical_date=at(15, 14))
    assert [claim.run_id for claim in world.claim()] == ["allowed"]

    world.clock.advance(hours=1)
    assert [claim.run_id for claim in world.claim()] == ["future"]


def test_a_run_of_airflow_3_dated_in_the_future_starts_at_once(world, make):
    world.parse(make(schedule=None, dialect="3"))
    trigger_dag(world.services, "d", run_id="future", logical_date=at(15, 13))

    assert [claim.run_id for claim in world.claim()] == ["future"]


def test_allowed_run_types_refuse_the_others(world, make):
    world.parse(make(allowed_run_types="scheduled"))
    world.tick(2)

    assert world.dates() == ["01-14"]
    with pytest.raises(InvalidInput, match="manual"):
        trigger_dag(world.services, "d")


def test_allowed_run_types_must_hold_what_the_schedule_makes(make):
    with pytest.raises(ValueError, match="scheduled"):
        make(allowed_run_types="manual").validate()
