"""Which runs a DAG gets: semantics 4.2 to 4.8, 10.7, promises G-S3 and G-S5."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pendulum
import pytest
from tradewind.planning.plan_runs import (
    BackfillRefused,
    count_due_runs,
    manual_run,
    plan_backfill,
    plan_next_run,
    plan_runs,
    restriction_of,
)
from tradewind.sdk.serialized import SerializedDag, SerializedTask
from tradewind.sdk.states import RunType
from tradewind.sdk.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable
from tradewind.sdk.timetables.interval import CronDataIntervalTimetable
from tradewind.sdk.timetables.registry import serialize_timetable
from tradewind.sdk.timetables.simple import NullTimetable
from tradewind.sdk.timetables.trigger import CronTriggerTimetable

NOW = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def january(day: int) -> datetime:
    return datetime(2024, 1, day, tzinfo=UTC)


def dag_of(timetable: Timetable, **fields) -> SerializedDag:
    fields = {"dialect": "2", "start_at": january(10), "catchup": True} | fields
    return SerializedDag(dag_id="sales", timetable=serialize_timetable(timetable), **fields)


def task(**fields) -> SerializedTask:
    return SerializedTask(task_id="load", task_type="EmptyOperator", **fields)


DAILY = CronDataIntervalTimetable("@daily")
TRIGGER = CronTriggerTimetable("@daily")


@pytest.mark.parametrize(
    ("dialect", "timetable", "run_id", "logical_date"),
    [
        ("2", DAILY, "scheduled__2024-01-10T00:00:00+00:00", january(10)),
        ("3", DAILY, "scheduled__2024-01-11T00:00:00+00:00", january(10)),
        ("3", TRIGGER, "scheduled__2024-01-10T00:00:00+00:00", january(10)),
    ],
)
def test_the_run_id_is_stamped_as_the_dialect_has_it(dialect, timetable, run_id, logical_date):
    run = plan_next_run(dag_of(timetable, dialect=dialect), timetable, None, NOW)

    assert run is not None
    assert (run.run_id, run.logical_date) == (run_id, logical_date)
    assert run.run_type is RunType.SCHEDULED


def test_with_catchup_all_slots_come_in_order_and_meet():
    dag = dag_of(DAILY)

    runs = list(islice(plan_runs(dag, DAILY, None, NOW), 8))

    assert [run.logical_date for run in runs] == [january(day) for day in range(10, 18)]
    assert all(
        later.data_interval_start == earlier.data_interval_end for earlier, later in pairwise(runs)
    )


def test_without_catchup_exactly_the_newest_due_slot_comes_after_downtime():
    dag = dag_of(DAILY, catchup=False)
    last = DataInterval(january(2), january(3))

    runs = list(islice(plan_runs(dag, DAILY, last, NOW), 2))

    assert [run.logical_date for run in runs] == [january(14), january(15)]
    assert count_due_runs(dag, DAILY, last, NOW) == 1


def test_a_million_missed_slots_cost_no_more_than_one():
    timetable = CronDataIntervalTimetable("* * * * *")
    last = DataInterval(*(datetime(2022, 1, 1, 0, minute, tzinfo=UTC) for minute in (0, 1)))
    dag = dag_of(timetable, catchup=False, start_at=datetime(2022, 1, 1, tzinfo=UTC))

    started = time.perf_counter()
    run = plan_next_run(dag, timetable, last, NOW)
    took_s = time.perf_counter() - started

    assert run is not None
    assert run.run_after == NOW
    assert took_s < 0.5


def test_implied_catchup_of_a_dag_that_starts_unpaused_is_limited_to_the_newest_run():
    dag = dag_of(DAILY, is_catchup_implied=True)

    first = plan_next_run(dag, DAILY, None, NOW, is_implied_catchup_limited=True)
    assert first is not None
    second = plan_next_run(
        dag, DAILY, first.data_interval, NOW + 3 * DAY, is_implied_catchup_limited=True
    )

    assert first.logical_date == january(14)
    assert second is not None
    assert second.logical_date == january(15)


def test_catchup_that_somebody_wrote_is_not_limited():
    first = plan_next_run(dag_of(DAILY), DAILY, None, NOW, is_implied_catchup_limited=True)

    assert first is not None
    assert first.logical_date == january(10)


def test_unpausing_can_be_counted_beforehand_but_not_for_ever():
    assert count_due_runs(dag_of(DAILY), DAILY, None, NOW) == 5
    assert count_due_runs(dag_of(DAILY), DAILY, None, NOW, count_max=3) == 3


@pytest.mark.parametrize(
    ("dag_dates", "task_dates", "expected"),
    [
        ((10, 20), [], (10, 20)),
        ((10, None), [(5, None)], (5, None)),
        ((None, None), [(5, 7), (6, 9)], (5, 9)),
        ((None, None), [(5, 7), (6, None)], (5, None)),
        ((None, 8), [(5, 7), (6, None)], (5, 8)),
        ((None, 8), [(5, 7), (6, 6)], (5, 8)),
        ((None, None), [], (None, None)),
    ],
)
def test_dag_and_tasks_together_bound_the_runs(dag_dates, task_dates, expected):
    def at(day):
        return None if day is None else january(day)

    dag = dag_of(
        DAILY,
        start_at=at(dag_dates[0]),
        end_at=at(dag_dates[1]),
        tasks=[task(start_at=at(start), end_at=at(end)) for start, end in task_dates],
    )

    assert restriction_of(dag) == TimeRestriction(at(expected[0]), at(expected[1]), True)


class Raising(Timetable):
    def next_dagrun_info(self, *, last_automated_data_interval, restriction):
        raise RuntimeError("no calendar")


def test_a_timetable_that_fails_has_no_next_run_and_is_logged(caplog):
    assert plan_next_run(dag_of(Raising()), Raising(), None, NOW) is None
    assert "timetable failed" in caplog.text


def test_a_cron_expression_that_never_fires_has_no_next_run():
    timetable = CronDataIntervalTimetable("0 0 30 2 *")

    assert plan_next_run(dag_of(timetable), timetable, None, NOW) is None


class PendulumDays(Timetable):
    """Written as Airflow's documentation shows it: with pendulum's methods and its own run ids."""

    def next_dagrun_info(self, *, last_automated_data_interval, restriction):
        if last_automated_data_interval is None:
            start = restriction.earliest.start_of("day")
        else:
            start = last_automated_data_interval.start.add(days=1)
        return DagRunInfo.interval(start=start, end=start.add(days=1))

    def infer_manual_data_interval(self, *, run_after):
        return DataInterval(run_after.start_of("day"), run_after.end_of("day"))

    def generate_run_id(self, *, run_type, logical_date, data_interval):
        return f"{run_type.value}-{logical_date.format('YYYYMMDD')}"


def test_a_timetable_of_a_user_gets_pendulum_instants_and_names_its_runs():
    timetable = PendulumDays()

    runs = list(islice(plan_runs(dag_of(timetable), timetable, None, NOW), 2))

    assert [run.run_id for run in runs] == ["scheduled-20240110", "scheduled-20240111"]
    assert all(type(run.run_after) is datetime for run in runs)
    manual = manual_run(dag_of(timetable), timetable, NOW)
    assert manual.data_interval_start == january(15)


class NewStyle(Timetable):
    def next_dagrun_info_v2(self, *, last_dagrun_info, restriction):
        return None if last_dagrun_info else DagRunInfo.exact(restriction.earliest)


def test_the_newer_method_of_a_users_timetable_is_preferred():
    runs = list(plan_runs(dag_of(NewStyle()), NewStyle(), None, NOW))

    assert [run.logical_date for run in runs] == [january(10)]


class StandingStill(Timetable):
    def next_dagrun_info(self, *, last_automated_data_interval, restriction):
        return DagRunInfo.exact(restriction.earliest)


def test_a_preview_of_a_timetable_that_never_moves_on_ends():
    assert len(list(islice(plan_runs(dag_of(StandingStill()), StandingStill(), None, NOW), 9))) == 2


def test_a_manual_run_of_dialect_two_is_dated_now_to_the_second():
    now = NOW.replace(microsecond=17)

    run = manual_run(dag_of(DAILY), DAILY, now)

    assert run.run_id == "manual__2024-01-15T10:30:00+00:00"
    assert run.logical_date == NOW
    assert run.run_after == now
    assert run.data_interval == DataInterval(january(14), january(15))


def test_a_manual_run_of_dialect_three_has_no_logical_date_unless_one_is_given():
    dag = dag_of(DAILY, dialect="3")

    bare = manual_run(dag, DAILY, NOW)
    dated = manual_run(dag, DAILY, NOW, logical_date=january(3))

    assert (bare.logical_date, bare.data_interval) == (None, None)
    assert bare.run_id.startswith("manual__2024-01-15T10:30:00+00:00_")
    assert dated.run_id == "manual__2024-01-15T10:30:00+00:00"
    assert dated.data_interval == DataInterval(january(2), january(3))


def test_what_a_manual_run_covers_can_be_given():
    covered = DataInterval(january(1), january(2))

    run = manual_run(dag_of(DAILY), DAILY, NOW, data_interval=covered, run_id="mine")

    assert (run.run_id, run.data_interval) == ("mine", covered)


def test_a_manual_run_may_not_be_dated_before_the_start_date_of_the_default_arguments():
    dag = dag_of(DAILY, default_args_start_at=january(10))

    with pytest.raises(ValueError, match="default_args"):
        manual_run(dag, DAILY, NOW, logical_date=january(9))
    manual_run(dag, DAILY, NOW, logical_date=january(10))


def test_a_backfill_covers_both_ends_and_may_begin_before_the_start_date():
    dag = dag_of(DAILY, dialect="3", catchup=False)

    runs = plan_backfill(dag, DAILY, january(8), january(12), NOW)

    assert [run.logical_date for run in runs] == [january(day) for day in range(8, 13)]
    assert {run.run_type for run in runs} == {RunType.BACKFILL}
    assert runs[0].run_id == "backfill__2024-01-09T00:00:00+00:00"


def test_a_backfill_leaves_out_what_has_not_ended():
    runs = plan_backfill(dag_of(DAILY), DAILY, january(13), january(31), NOW)

    assert [run.logical_date for run in runs] == [january(13), january(14)]


def test_a_backfill_can_run_newest_first():
    runs = plan_backfill(dag_of(DAILY), DAILY, january(1), january(3), NOW, is_backwards=True)

    assert [run.logical_date for run in runs] == [january(3), january(2), january(1)]


def test_the_dates_of_a_backfill_are_logical_dates_also_where_runs_cover_time_before_their_tick():
    timetable = CronTriggerTimetable("@daily", interval=DAY)

    runs = plan_backfill(dag_of(timetable), timetable, january(3), january(5), NOW)

    assert [run.logical_date for run in runs] == [january(3), january(4), january(5)]


@pytest.mark.parametrize(
    ("dates", "fields", "options", "reason"),
    [
        ((5, 3), {}, {}, "first date lies after"),
        ((20, 25), {}, {}, "future"),
        ((15, 15), {}, {}, "no runs to create"),
        ((1, 3), {"tasks": [task(depends_on_past=True)]}, {"is_backwards": True}, "newest first"),
        ((1, 3), {"tasks": [task(depends_on_past=True)]}, {}, "reprocess behavior"),
        ((1, 3), {"allowed_run_types": ["scheduled"]}, {}, "allows no backfill"),
    ],
)
def test_a_backfill_that_makes_no_sense_is_refused_with_its_reason(dates, fields, options, reason):
    dag = dag_of(DAILY, **fields)

    with pytest.raises(BackfillRefused, match=reason):
        plan_backfill(dag, DAILY, january(dates[0]), january(dates[1]), NOW, **options)


def test_a_dag_without_regular_runs_cannot_be_backfilled():
    with pytest.raises(BackfillRefused, match="no regular runs"):
        plan_backfill(dag_of(NullTimetable()), NullTimetable(), january(1), january(3), NOW)


def test_pendulum_dates_may_be_passed_in():
    start = pendulum.datetime(2024, 1, 1, tz="Europe/Paris")

    runs = plan_backfill(dag_of(DAILY), DAILY, start, start.add(days=1), NOW)

    assert [run.logical_date for run in runs] == [january(1)]
