"""Sensors: pokes, intervals, timeouts, and the standard ones (semantics sections 6.1 to 6.3)."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, time, timedelta

import pytest
from tradewind.operators.sensors.bash import BashSensor
from tradewind.operators.sensors.date_time import DateTimeSensor
from tradewind.operators.sensors.day_of_week import DayOfWeekSensor
from tradewind.operators.sensors.external_task import ExternalTaskMarker, ExternalTaskSensor
from tradewind.operators.sensors.file import FileSensor
from tradewind.operators.sensors.python import PythonSensor
from tradewind.operators.sensors.time_delta import TimeDeltaSensor
from tradewind.operators.sensors.time_of_day import TimeSensor
from tradewind.sdk import timezone
from tradewind.sdk.base_sensor import BaseSensorOperator, PokeReturnValue, poke_mode_only
from tradewind.sdk.clock import VirtualClock
from tradewind.sdk.exceptions import AirflowException, AirflowFailException
from tradewind.sdk.task_decorators import task

START = datetime(2024, 3, 5, 12, tzinfo=UTC)


class Waiting(BaseSensorOperator):
    """Pokes what ``answers`` says, on a clock that moves as it sleeps."""

    def __init__(self, *, answers=(), **kwargs):
        super().__init__(**kwargs)
        self.answers = list(answers)
        self.slept = []
        self.clock = VirtualClock(START)

    def _sleep(self, seconds):
        self.slept.append(seconds)
        self.clock.advance(seconds=seconds)

    def _monotonic(self):
        return self.clock.monotonic()

    def poke(self, context):
        answer = self.answers.pop(0) if self.answers else False
        if isinstance(answer, BaseException):
            raise answer
        return answer


def wait(world, *answers, **kwargs):
    """Run a sensor once; return the outcome of its try."""
    spec = {
        name: kwargs.pop(name) for name in ("first_reschedule_at", "started_at") if name in kwargs
    }
    Waiting(task_id="s", answers=answers, dag=world.dag, **kwargs)
    return world.run("s", **spec)


def poke(world, sensor):
    world.dag.get_task(sensor.task_id)
    return world.run(sensor.task_id)


# --- checkable examples 6 --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        ({"retries": 2}, "failed_final"),
        ({"soft_fail": True}, "skipped"),
        ({"never_fail": True}, "failed_final"),
    ],
)
def test_example_6_1_a_timeout_is_not_retried_and_only_softened_by_soft_fail(world, given, outcome):
    class Late(Waiting):
        def poke(self, context):
            self.clock.advance(seconds=1)
            return False

    Late(task_id="s", timeout=0, poke_interval=0, dag=world.dag, **given)

    assert world.run("s").outcome == outcome


def test_example_6_2_the_value_of_a_poke_becomes_the_result(world):
    wait(world, PokeReturnValue(True, {"z": 1}))

    assert world.xcoms("s") == {"return_value": {"z": 1}}


def test_example_6_3_a_rescheduled_sensor_counts_from_its_first_start_also_over_retries(world):
    with timezone.frozen(START + timedelta(seconds=110)):
        result = wait(
            world,
            mode="reschedule",
            timeout=100,
            first_reschedule_at=START,
            started_at=START + timedelta(seconds=110),
        )

    assert result.outcome == "failed_final"


@pytest.mark.parametrize(
    ("error", "given", "outcome"),
    [
        (ValueError("x"), {"silent_fail": True}, "success"),
        (ValueError("x"), {"never_fail": True}, "skipped"),
        (ValueError("x"), {"soft_fail": True}, "failed"),
        (ValueError("x"), {}, "failed"),
        (AirflowFailException("x"), {"soft_fail": True}, "skipped"),
        (AirflowFailException("x"), {}, "failed_final"),
    ],
)
def test_example_6_4_what_an_error_in_a_poke_means(world, error, given, outcome):
    assert wait(world, error, True, **given).outcome == outcome


def test_example_6_5_soft_fail_and_never_fail_exclude_each_other():
    with pytest.raises(ValueError, match="soft_fail and never_fail"):
        Waiting(task_id="s", soft_fail=True, never_fail=True)


def external_world(make_world, states):
    """A world whose runtime knows tasks of another DAG, by (logical date, task id)."""
    world = make_world()
    asked = []

    def count(*, dag_id, task_ids, logical_dates, states: list, **others):
        asked.append(logical_dates)
        return sum(
            1
            for (date, task_id), state in known.items()
            if date in logical_dates
            and (task_ids is None or task_id in task_ids)
            and (states is None or state in states)
        )

    known = states

    class Knowing(type(world.runtime)):
        __slots__ = ()

        def count_task_instances(self, **conditions):
            return count(**conditions)

    knowing = Knowing(dag_run=world.dag_run, list_states=lambda: [])
    knowing.told, knowing.masked = [], []
    world.runtime = knowing
    return world, asked


def test_example_6_6_the_other_run_may_be_earlier(make_world):
    date = datetime(2024, 3, 5, 9, 30, 15, tzinfo=UTC)
    world, asked = external_world(make_world, {(date, "a"): "success"})
    ExternalTaskSensor(
        task_id="s",
        external_dag_id="o",
        external_task_id="a",
        execution_delta=timedelta(hours=1),
        dag=world.dag,
    )

    assert world.run("s").outcome == "success"
    assert asked == [[date]]


@pytest.mark.parametrize(
    ("state_of_b", "outcome", "reason"),
    [
        ("failed", "failed", "ExternalTaskFailedError"),
        ("running", "rescheduled", ""),
        ("success", "success", ""),
    ],
)
def test_example_6_7_several_tasks_are_waited_for_together(make_world, state_of_b, outcome, reason):
    date = datetime(2024, 3, 5, 10, 30, 15, tzinfo=UTC)
    world, _ = external_world(make_world, {(date, "a"): "success", (date, "b"): state_of_b})
    ExternalTaskSensor(
        task_id="s",
        external_dag_id="d2",
        external_task_ids=["a", "b"],
        failed_states=["failed"],
        mode="reschedule",
        dag=world.dag,
    )

    result = world.run("s")

    assert result.outcome == outcome
    assert reason in result.reason


def test_example_6_8_a_folder_counts_once_it_has_a_file_at_any_depth(world, tmp_path):
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    sensor = FileSensor(task_id="s", filepath=str(tmp_path), dag=world.dag)

    assert sensor.poke({}) is False
    (deep / "file").write_text("")
    assert sensor.poke({}) is True


# --- intervals -------------------------------------------------------------------------------


def test_pokes_are_an_interval_apart(world):
    sensor = Waiting(task_id="s", answers=[False, False, True], poke_interval=7)

    sensor.execute({})

    assert sensor.slept == [7, 7]


def test_the_back_off_doubles_with_a_jitter_that_is_told_from_the_names(world):
    sensor = Waiting(
        task_id="s", poke_interval=10, exponential_backoff=True, timeout=10_000, dag=world.dag
    )
    for number, floor in ((1, 5), (2, 10), (3, 20), (5, 80)):
        text = f"d#s#123.5#{number}"
        jitter = int(hashlib.sha1(text.encode()).hexdigest(), 16) % floor

        assert sensor._interval(123.5, 0.0, number) == floor + jitter


def test_the_back_off_has_two_ceilings(world):
    sensor = Waiting(
        task_id="s",
        poke_interval=60,
        exponential_backoff=True,
        timeout=1000,
        max_wait=300,
        dag=world.dag,
    )

    assert sensor._interval(0.0, 10.0, 12) == 300
    assert sensor._interval(0.0, 990.5, 12) == 10


def test_a_rescheduled_sensor_gives_its_slot_back_for_an_interval(world):
    with timezone.frozen(START):
        result = wait(world, mode="reschedule", poke_interval=timedelta(minutes=2))

    assert (result.outcome, result.due_at) == ("rescheduled", START + timedelta(minutes=2))


def test_a_rescheduled_back_off_goes_on_where_the_time_says(world):
    sensor = Waiting(
        task_id="s",
        mode="reschedule",
        poke_interval=10,
        exponential_backoff=True,
        timeout=5000,
        dag=world.dag,
    )
    ladder = [sensor._interval(START, 0.0, number) for number in range(1, 6)]

    assert sensor._reschedule_interval(START, 0.0) == ladder[0]
    assert sensor._reschedule_interval(START, ladder[0]) == ladder[1]
    assert sensor._reschedule_interval(START, sum(ladder[:3])) == ladder[3]


# --- arguments -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong", [{"mode": "x"}, {"poke_interval": -1}, {"timeout": -1}, {"poke_interval": "1"}]
)
def test_wrong_arguments_are_refused_in_both_dialects_words(wrong):
    with pytest.raises(AirflowException) as caught:
        Waiting(task_id="s", **wrong)
    assert isinstance(caught.value, ValueError)


def test_poke_mode_only_forbids_other_modes():
    @poke_mode_only
    class Poking(Waiting):
        pass

    assert Poking(task_id="s").mode == "poke"
    with pytest.raises(ValueError, match="can only have the mode 'poke'"):
        Poking(task_id="t", mode="reschedule")


def test_a_decorated_function_can_be_a_sensor(world):
    @task.sensor(mode="reschedule")
    def ready(n):
        return PokeReturnValue(n > 1, xcom_value=n)

    with world.dag:
        ready(2)
        ready.override(task_id="not_yet")(1)

    assert world.run("ready").outcome == "success"
    assert world.xcoms("ready") == {"return_value": 2}
    assert world.run("not_yet").outcome == "rescheduled"


# --- the standard ones -----------------------------------------------------------------------


def at(instant, sensor, context=None):
    with timezone.frozen(instant):
        return sensor.poke(context or {})


def test_a_date_time_sensor_waits_until_the_instant_is_over(world):
    sensor = DateTimeSensor(task_id="s", target_time=START, dag=world.dag)

    assert at(START, sensor) is False
    assert at(START + timedelta(microseconds=1), sensor) is True
    with pytest.raises(TypeError):
        DateTimeSensor(task_id="t", target_time=5)


def test_a_time_sensor_waits_for_the_time_in_the_zone_of_the_dag(make_world):
    world = make_world(
        start_date=datetime(2024, 1, 1, tzinfo=timezone.parse_timezone("Asia/Tokyo"))
    )
    sensor = TimeSensor(task_id="s", target_time=time(20), dag=world.dag)

    assert at(datetime(2024, 3, 5, 10, 59, tzinfo=UTC), sensor) is False
    assert at(datetime(2024, 3, 5, 11, 1, tzinfo=UTC), sensor) is True


def test_a_time_delta_sensor_counts_from_the_end_of_the_data_interval(world):
    sensor = TimeDeltaSensor(task_id="s", delta=timedelta(hours=1), dag=world.dag)
    context = {"data_interval_end": START}

    assert at(START + timedelta(hours=1), sensor, context) is False
    assert at(START + timedelta(hours=1, seconds=1), sensor, context) is True


def test_a_day_of_week_sensor_knows_names_in_any_case(world):
    sensor = DayOfWeekSensor(task_id="s", week_day=["monday", "Tuesday"], dag=world.dag)

    assert at(START, sensor) is True  # a Tuesday
    assert at(START + timedelta(days=1), sensor) is False
    with pytest.raises(AttributeError):
        DayOfWeekSensor(task_id="t", week_day="Foo")
    with pytest.raises(TypeError):
        DayOfWeekSensor(task_id="u", week_day=5)


@pytest.mark.parametrize(
    ("command", "given", "outcome"),
    [
        ("exit 0", {}, "success"),
        ("exit 3", {}, "rescheduled"),
        ("exit 3", {"retry_exit_code": 3}, "rescheduled"),
        ("exit 4", {"retry_exit_code": 3}, "failed_final"),
    ],
)
def test_a_bash_sensor_goes_by_the_exit_code(world, command, given, outcome):
    BashSensor(task_id="s", bash_command=command, mode="reschedule", dag=world.dag, **given)

    assert world.run("s").outcome == outcome


def test_a_python_sensor_takes_what_is_true(world):
    PythonSensor(task_id="s", python_callable=lambda ds: [ds], dag=world.dag)

    assert world.run("s").outcome == "success"
    assert world.xcoms("s") == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"external_task_id": "a", "external_task_ids": ["b"]},
        {"allowed_states": ["success"], "failed_states": ["success"]},
        {"allowed_states": ["nonsense"]},
        {"allowed_states": ["skipped"]},
        {"execution_delta": timedelta(1), "execution_date_fn": lambda date: date},
    ],
)
def test_contradictions_of_an_external_task_sensor_are_refused(wrong):
    with pytest.raises(ValueError, match="s"):
        ExternalTaskSensor(task_id="s", external_dag_id="o", **wrong)


def test_an_id_that_stands_twice_fails_the_external_task_sensor_not_its_file(world, caplog):
    ExternalTaskSensor(
        task_id="s", external_dag_id="o", external_task_ids=["a", "a"], dag=world.dag
    )

    result = world.run("s")

    assert result.outcome == "failed"
    assert "an id stands twice" in caplog.text


def test_a_marker_reaches_at_least_one_task():
    with pytest.raises(ValueError, match="recursion_depth"):
        ExternalTaskMarker(
            task_id="m", external_dag_id="o", external_task_id="a", recursion_depth=0
        )
