"""Rows of semantics 6.1 to 6.3 that no checkable example covers: each default, each way to end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tradewind.operators.sensors.bash import BashSensor
from tradewind.operators.sensors.date_time import DateTimeSensor
from tradewind.operators.sensors.day_of_week import DayOfWeekSensor
from tradewind.operators.sensors.external_task import ExternalTaskSensor
from tradewind.operators.sensors.file import FileSensor
from tradewind.operators.sensors.python import PythonSensor
from tradewind.operators.sensors.time_delta import TimeDeltaSensor, WaitSensor
from tradewind.sdk import timezone
from tradewind.sdk.base_sensor import BaseSensorOperator, PokeReturnValue
from tradewind.sdk.clock import VirtualClock
from tradewind.sdk.exceptions import (
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
)
from tradewind.sdk.weekday import WeekDay

START = datetime(2024, 3, 5, 12, tzinfo=UTC)  # a Tuesday
LOGICAL_DATE = datetime(2024, 3, 5, 10, 30, 15, tzinfo=UTC)


class Asking(BaseSensorOperator):
    """Pokes what *answers* says; each poke takes a second of a clock that moves as it sleeps."""

    def __init__(self, *, answers=(), **kwargs):
        super().__init__(**kwargs)
        self.answers = list(answers)
        self.pokes = 0
        self.clock = VirtualClock(START)

    def _sleep(self, seconds):
        self.clock.advance(seconds=seconds)

    def _monotonic(self):
        return self.clock.monotonic()

    def poke(self, context):
        self.pokes += 1
        self.clock.advance(seconds=1)
        answer = self.answers.pop(0) if self.answers else False
        if isinstance(answer, BaseException):
            raise answer
        return answer


# --- 6.1 -------------------------------------------------------------------------------------


def test_a_sensor_pokes_each_minute_for_a_week_and_keeps_its_slot_unless_told_otherwise():
    sensor = Asking(task_id="s")

    assert (sensor.poke_interval, sensor.timeout, sensor.mode) == (60, 604800, "poke")
    assert (sensor.soft_fail, sensor.never_fail, sensor.silent_fail) == (False, False, False)
    assert (sensor.exponential_backoff, sensor.max_wait) == (False, None)


def test_the_default_timeout_is_a_setting(monkeypatch):
    monkeypatch.setenv("AIRFLOW__SENSORS__DEFAULT_TIMEOUT", "90")

    assert Asking(task_id="s").timeout == 90


@pytest.mark.parametrize(("timeout", "pokes"), [(3, 3), (2.9, 2)])
def test_time_is_looked_at_after_a_poke_and_must_be_past_the_timeout(world, timeout, pokes):
    """Pokes end 1, 2, 3, … seconds after the start; one that ends at the timeout is in time."""
    sensor = Asking(task_id="s", timeout=timeout, poke_interval=0, dag=world.dag)

    with pytest.raises(AirflowSensorTimeout):
        sensor.execute({})

    assert sensor.pokes == pokes + 1


def test_a_poke_that_succeeds_after_the_timeout_is_still_a_success(world):
    Asking(task_id="s", timeout=0, answers=[True], dag=world.dag)

    assert world.run("s").outcome == "success"


@pytest.mark.parametrize(
    ("error", "given", "outcome"),
    [
        (AirflowSensorTimeout("x"), {"soft_fail": True}, "skipped"),
        (AirflowSensorTimeout("x"), {"never_fail": True}, "skipped"),
        (AirflowSensorTimeout("x"), {}, "failed_final"),
        (AirflowTaskTimeout("x"), {"soft_fail": True}, "skipped"),
        (AirflowTaskTimeout("x"), {"never_fail": True}, "skipped"),
        (AirflowTaskTimeout("x"), {}, "failed"),
        (AirflowSkipException("x"), {}, "skipped"),
        (AirflowSkipException("x"), {"silent_fail": True}, "skipped"),
    ],
)
def test_what_a_poke_raises_is_softened_by_the_sensors_options(world, error, given, outcome):
    Asking(task_id="s", answers=[error, True], dag=world.dag, **given)

    assert world.run("s").outcome == outcome


def test_errors_that_are_silenced_count_until_the_timeout(world):
    Asking(
        task_id="s",
        answers=[ValueError("x")] * 9,
        silent_fail=True,
        timeout=2,
        poke_interval=0,
        dag=world.dag,
    )

    assert world.run("s").outcome == "failed_final"


def test_a_retry_in_poke_mode_has_the_whole_timeout_again(world):
    with timezone.frozen(START + timedelta(hours=1)):
        Asking(task_id="s", timeout=100, answers=[False, True], poke_interval=60, dag=world.dag)

        result = world.run("s", try_number=2, started_at=START, first_reschedule_at=START)

    assert result.outcome == "success"


def test_a_result_of_none_is_no_xcom(world):
    Asking(task_id="s", answers=[PokeReturnValue(True)], dag=world.dag)

    world.run("s")

    assert world.xcoms("s") == {}


def test_lengths_of_time_may_be_timedeltas():
    sensor = Asking(
        task_id="s",
        poke_interval=timedelta(minutes=2),
        timeout=timedelta(hours=1),
        max_wait=timedelta(minutes=5),
    )

    assert (sensor.poke_interval, sensor.timeout, sensor.max_wait) == (120, 3600, 300)


# --- 6.2 -------------------------------------------------------------------------------------


def at(instant, sensor, context=None):
    with timezone.frozen(instant):
        return sensor.poke(context or {})


def test_the_instant_of_a_date_time_sensor_may_be_a_template(world):
    DateTimeSensor(
        task_id="s",
        target_time="{{ logical_date.add(hours=1) }}",
        mode="reschedule",
        dag=world.dag,
    )

    with timezone.frozen(LOGICAL_DATE + timedelta(minutes=59)):
        early = world.run("s")
    with timezone.frozen(LOGICAL_DATE + timedelta(minutes=61)):
        late = world.run("s", reschedule_count=1)

    assert (early.outcome, late.outcome) == ("rescheduled", "success")


class RunOnly:
    run_after = START


@pytest.mark.parametrize("delta", [timedelta(minutes=90), 90, "90"])
def test_a_time_delta_sensor_counts_from_run_after_where_there_is_no_interval(delta):
    sensor = TimeDeltaSensor(task_id="s", delta=delta)
    context = {"data_interval_end": None, "dag_run": RunOnly()}

    assert at(START + timedelta(minutes=90), sensor, context) is False
    assert at(START + timedelta(minutes=90, seconds=1), sensor, context) is True


@pytest.mark.parametrize(
    ("wait", "seconds"), [(timedelta(seconds=40), 40), (2, 120), ("{{ 1 + 2 }}", 180)]
)
def test_a_wait_sensor_sleeps_that_long(world, wait, seconds):
    slept = []

    class Counting(WaitSensor):
        _sleep = staticmethod(slept.append)

    Counting(task_id="s", time_to_wait=wait, dag=world.dag)

    assert world.run("s").outcome == "success"
    assert slept == [seconds]


def test_a_wait_sensor_can_wait_in_the_triggerer(world):
    WaitSensor(task_id="s", time_to_wait=2, deferrable=True, dag=world.dag)

    result = world.run("s")

    assert result.outcome == "deferred"
    assert result.trigger["class_path"].endswith("DateTimeTrigger")


def test_sensors_wait_in_the_triggerer_by_default_where_that_is_the_setting(monkeypatch):
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "True")

    assert FileSensor(task_id="s", filepath="x").deferrable
    assert ExternalTaskSensor(task_id="e", external_dag_id="o").deferrable
    assert not FileSensor(task_id="t", filepath="x", deferrable=False).deferrable


@pytest.mark.parametrize(
    "days", [WeekDay.TUESDAY, {WeekDay.MONDAY, WeekDay.TUESDAY}, "tuesday", {"TUESDAY"}]
)
def test_a_day_of_week_sensor_can_look_at_the_runs_date(days):
    sensor = DayOfWeekSensor(task_id="s", week_day=days, use_task_logical_date=True)
    wednesday = START + timedelta(days=1)

    assert at(wednesday, sensor, {"logical_date": START}) is True
    assert at(START, sensor, {"logical_date": wednesday}) is False
    assert at(wednesday, sensor, {"logical_date": None, "dag_run": RunOnly()}) is True


def test_a_python_sensor_passes_arguments_templates_and_the_result_of_its_function(world):
    def look(a, b, templates_dict):
        return PokeReturnValue(True, xcom_value=[a, b, templates_dict["day"]])

    PythonSensor(
        task_id="s",
        python_callable=look,
        op_args=["{{ ds }}"],
        op_kwargs={"b": 2},
        templates_dict={"day": "{{ ds_nodash }}"},
        dag=world.dag,
    )

    world.run("s")

    assert world.xcoms("s")["return_value"] == ["2024-03-05", 2, "20240305"]


def test_a_bash_sensor_has_the_environment_that_it_is_given(world):
    BashSensor(
        task_id="s", bash_command='test "$DAY" = 2024-03-05', env={"DAY": "{{ ds }}"}, dag=world.dag
    )

    assert world.run("s").outcome == "success"


@pytest.mark.parametrize(
    ("pattern", "is_recursive", "is_found"),
    [
        ("a/*.csv", False, True),
        ("*.csv", False, False),
        ("**/*.csv", True, True),
        ("**/none", True, False),
        ("a/empty", False, False),
    ],
)
def test_a_file_sensor_takes_patterns_below_the_folder_of_its_connection(
    world, tmp_path, monkeypatch, pattern, is_recursive, is_found
):
    (tmp_path / "a" / "empty").mkdir(parents=True)
    (tmp_path / "a" / "x.csv").write_text("")
    monkeypatch.setenv("AIRFLOW_CONN_DROP", f'{{"extra": {{"path": "{tmp_path}"}}}}')
    FileSensor(
        task_id="s",
        filepath=pattern,
        fs_conn_id="{{ 'drop' }}",
        recursive=is_recursive,
        mode="reschedule",
        dag=world.dag,
    )

    assert world.run("s").outcome == ("success" if is_found else "rescheduled")


# --- 6.3 -------------------------------------------------------------------------------------

HOUR_BEFORE = LOGICAL_DATE - timedelta(hours=1)


@pytest.fixture
def external(make_world):
    """Return a function that makes a world which knows runs, and tasks, of another DAG.

    ``external({date: "running"}, {(date, "a"): "success"})``; the group ``g`` has all of them.
    """

    def make(runs, tasks=None):
        world = make_world()

        class Knowing(type(world.runtime)):
            __slots__ = ()

            def count_dag_runs(self, *, logical_dates, states=None, **others):
                return sum(
                    date in logical_dates and (states is None or state in states)
                    for date, state in runs.items()
                )

            def count_task_instances(self, *, task_ids, logical_dates, states, **others):
                return sum(
                    date in logical_dates
                    and (task_ids is None or task_id in task_ids)
                    and (states is None or state in states)
                    for (date, task_id), state in (tasks or {}).items()
                )

        world.runtime = Knowing(dag_run=world.dag_run, list_states=lambda: [])
        world.runtime.told, world.runtime.masked = [], []
        return world

    return make


def wait_for(world, **arguments):
    sensor = ExternalTaskSensor(
        task_id="s", external_dag_id="o", mode="reschedule", dag=world.dag, **arguments
    )
    return world.run(sensor.task_id)


@pytest.mark.parametrize(
    ("state", "given", "outcome", "error"),
    [
        ("success", {}, "success", ""),
        ("running", {}, "rescheduled", ""),
        ("failed", {}, "rescheduled", ""),
        ("failed", {"failed_states": ["failed"]}, "failed", "ExternalDagFailedError"),
        ("failed", {"failed_states": ["failed"], "soft_fail": True}, "skipped", ""),
        ("failed", {"allowed_states": ["failed"]}, "success", ""),
        ("running", {"skipped_states": ["running"]}, "skipped", ""),
    ],
)
def test_without_a_task_the_whole_run_is_waited_for(external, state, given, outcome, error):
    result = wait_for(external({LOGICAL_DATE: state}), **given)

    assert result.outcome == outcome
    assert error in result.reason


def test_a_run_that_is_not_there_is_waited_for(external):
    assert wait_for(external({})).outcome == "rescheduled"
    assert wait_for(external({}), external_task_id="a").outcome == "rescheduled"
    assert wait_for(external({}), external_task_group_id="g").outcome == "rescheduled"


@pytest.mark.parametrize(
    ("states", "given", "outcome", "error"),
    [
        (("success", "success"), {}, "success", ""),
        (("success", "running"), {}, "rescheduled", ""),
        (("failed", "success"), {"failed_states": ["failed"]}, "rescheduled", ""),
        (("failed", "failed"), {"failed_states": ["failed"]}, "failed", "ExternalTaskGroupFailed"),
        (("skipped", "skipped"), {"skipped_states": ["skipped"]}, "skipped", ""),
    ],
)
def test_a_group_counts_where_all_of_it_is_in_the_states(external, states, given, outcome, error):
    tasks = {(LOGICAL_DATE, f"g.{number}"): state for number, state in enumerate(states)}

    result = wait_for(external({}, tasks), external_task_group_id="g", **given)

    assert result.outcome == outcome
    assert error in result.reason


@pytest.mark.parametrize(("earlier", "outcome"), [("success", "success"), ("none", "rescheduled")])
def test_a_function_may_name_several_dates_all_of_which_are_waited_for(external, earlier, outcome):
    """It gets the logical date, and of the context what it asks for by name."""

    def dates(logical_date, ti):
        return [logical_date, logical_date.subtract(hours=1)] if ti else []

    tasks = {(LOGICAL_DATE, "a"): "success", (HOUR_BEFORE, "a"): earlier}

    result = wait_for(external({}, tasks), external_task_id="a", execution_date_fn=dates)

    assert result.outcome == outcome


def test_the_interval_in_the_triggerer_has_its_name_of_airflow_2():
    assert ExternalTaskSensor(task_id="s", external_dag_id="o", poll_interval=3).poke_interval == 3


@pytest.mark.parametrize(
    ("status", "outcome", "error"),
    [
        ("success", "success", ""),
        ("skipped", "skipped", ""),
        ("failed", "failed", "ExternalTaskFailedError"),
        ("nonsense", "failed", "AirflowException"),
    ],
)
def test_what_the_trigger_saw_ends_the_sensor(world, status, outcome, error):
    ExternalTaskSensor(
        task_id="s", external_dag_id="o", external_task_id="a", deferrable=True, dag=world.dag
    )
    assert world.run("s").outcome == "deferred"

    result = world.run(
        "s",
        next_method="execute_complete",
        next_kwargs=f'{{"event": {{"status": "{status}"}}}}',
    )

    assert result.outcome == outcome
    assert error in result.reason
