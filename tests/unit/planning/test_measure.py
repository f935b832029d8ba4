"""What the event log amounts to as metrics."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tradewind.planning.measure import (
    COUNTER,
    TIMER,
    InstanceTimes,
    LoggedChange,
    RunTimes,
    measure,
    touched_ids,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def change(old: str, new: str, reason: str = "") -> LoggedChange:
    return LoggedChange("sales", "r", {"changes": [[7, "load", -1, old, new, 1, reason]]})


TIMES = {
    7: InstanceTimes("BashOperator", "default", after(0), after(1), after(3), after(10)),
}


def told(entry: LoggedChange, runs: dict[int, RunTimes] | None = None) -> dict[str, float]:
    return {one.dotted or one.name: one.value for one in measure([entry], TIMES, runs or {})}


def test_a_start_is_counted_with_how_long_it_waited():
    assert told(change("queued", "running")) == {
        "ti.start.sales.load": 1,
        "dag.sales.load.queued_duration": 2000,
        "dag.sales.load.scheduled_duration": 1000,
    }


def test_a_success_is_counted_for_task_and_operator_with_its_duration():
    assert told(change("running", "success")) == {
        "ti.finish.sales.load.success": 1,
        "ti_successes": 1,
        "operator_successes_BashOperator": 1,
        "dag.sales.load.duration": 7000,
    }


def test_a_try_that_is_repeated_is_a_failure_without_an_end():
    assert told(change("running", "up_for_retry")) == {
        "ti.finish.sales.load.up_for_retry": 1,
        "ti_failures": 1,
        "operator_failures_BashOperator": 1,
    }


def test_a_try_whose_worker_died_is_told_under_both_names():
    [killed] = [
        one
        for one in measure([change("running", "failed", "worker lost: its lease ran out")], {}, {})
        if one.dotted == "zombies_killed"
    ]
    assert killed.name == "task_instances_without_heartbeats_killed"


def test_what_waits_or_is_skipped_before_it_ran_is_no_end_of_a_task():
    assert told(change("none", "skipped")) == {}
    assert told(change("none", "scheduled")) == {}


def test_a_trigger_that_fired_or_failed_is_counted():
    assert told(change("deferred", "scheduled")) == {"triggers.succeeded": 1}
    assert told(change("deferred", "failed")) == {"triggers.failed": 1}


def test_a_run_tells_how_late_it_began_how_long_it_took_and_what_it_made():
    runs = {
        3: RunTimes("scheduled", after(0), after(2), after(12), after(5), {"BashOperator": 4}),
    }
    begun = LoggedChange("sales", "r", {"run": [3, "queued", "running", ""]})
    ended = LoggedChange("sales", "r", {"run": [3, "running", "failed", ""]})

    assert told(begun, runs) == {
        "dagrun.schedule_delay.sales": 2000,
        "task_instance_created_BashOperator": 4,
    }
    assert told(ended, runs) == {
        "dagrun.duration.failed.sales": 10000,
        "dagrun.sales.first_task_scheduling_delay": 5000,
    }


def test_lengths_of_time_say_when_they_began_and_counters_do_not():
    found = measure([change("running", "success")], TIMES, {})

    assert {one.kind for one in found} == {COUNTER, TIMER}
    assert [one.begin_at for one in found if one.kind == TIMER] == [after(3)]
    assert {one.run_id for one in found} == {"r"}


def test_only_rows_whose_times_are_needed_are_asked_for():
    entries = [
        change("none", "scheduled"),
        LoggedChange("sales", "r", {"changes": [[8, "load", -1, "queued", "running", 1, ""]]}),
        LoggedChange("sales", "r", {"run": [3, "running", "success", ""]}),
    ]
    assert touched_ids(entries) == ({8}, {3})
