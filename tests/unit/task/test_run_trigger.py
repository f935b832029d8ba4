"""Triggers on an event loop, and deferred tasks in ``dag.test()``."""

from __future__ import annotations

import asyncio
import json
import sys
import types
from datetime import UTC, datetime, timedelta

import pytest
from tradewind.operators.sensors.date_time import DateTimeSensorAsync
from tradewind.operators.sensors.file import FileSensor
from tradewind.operators.triggers.temporal import DateTimeTrigger, TimeDeltaTrigger
from tradewind.runtime.one_task import OneTask
from tradewind.runtime.task.run_trigger import BY_USER, run_inline, run_trigger
from tradewind.sdk.base_operator import BaseOperator
from tradewind.sdk.base_sensor import BaseSensorOperator
from tradewind.sdk.dag import DAG
from tradewind.sdk.exceptions import TaskDeferralError
from tradewind.sdk.triggers import (
    BaseTrigger,
    StartTriggerArgs,
    TaskSuccessEvent,
    TriggerEvent,
)

SEEN: list[object] = []


class Saying(BaseTrigger):
    """Fires at once, in the way that *what* says."""

    def __init__(self, what):
        super().__init__()
        self.what = what

    def serialize(self):
        return f"{__name__}.Saying", {"what": self.what}

    async def run(self):
        if self.what == "error":
            raise ValueError("broken")
        if self.what == "never":
            await asyncio.Event().wait()
        if self.what == "success":
            yield TaskSuccessEvent(xcoms={"k": [1, 2]})
        elif self.what != "nothing":
            yield TriggerEvent(self.what)
            SEEN.append("after the first event")

    async def cleanup(self):
        SEEN.append("cleanup")

    async def on_kill(self):
        SEEN.append("on_kill")


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """Let the trigger be found by its class path, as a module of a user would be."""
    module = types.ModuleType(__name__)
    module.Saying = Saying
    monkeypatch.setitem(sys.modules, __name__, module)
    SEEN.clear()


def path_of(what):
    class_path, kwargs = Saying(what).serialize()
    return class_path, json.dumps(kwargs)


def test_only_the_first_event_counts_and_the_trigger_tidies_up():
    report = asyncio.run(run_trigger(7, *path_of("hello")))

    assert (report.trigger_id, report.payload, report.error) == (7, '"hello"', "")
    assert SEEN == ["cleanup"]


def test_an_event_may_end_the_task_and_push_xcoms():
    report = asyncio.run(run_trigger(7, *path_of("success")))

    assert (report.state, report.xcoms) == ("success", {"k": ("[1,2]", 2)})


@pytest.mark.parametrize(
    ("what", "error"), [("error", "ValueError: broken"), ("nothing", "without an event")]
)
def test_other_ends_are_errors(what, error):
    assert error in asyncio.run(run_trigger(7, *path_of(what))).error
    assert SEEN == ["cleanup"]


def test_a_class_that_is_not_there_is_an_error():
    assert "ModuleNotFoundError" in asyncio.run(run_trigger(7, "no.such.Trigger", "{}")).error


@pytest.mark.parametrize(
    ("reason", "seen"), [(BY_USER, ["on_kill", "cleanup"]), (None, ["cleanup"])]
)
def test_on_kill_is_called_where_a_person_ended_the_task(reason, seen):
    async def cancel():
        task = asyncio.create_task(run_trigger(7, *path_of("never")))
        await asyncio.sleep(0)
        task.cancel(reason)
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())

    assert seen == SEEN


def test_a_trigger_that_is_too_late_is_stopped():
    class_path, kwargs = path_of("never")

    report = run_inline({"class_path": class_path, "kwargs": kwargs, "timeout_s": 0.0})

    assert report.error == "Trigger timeout"
    assert SEEN == ["cleanup"]


def test_an_instant_needs_a_zone_and_a_length_becomes_an_instant():
    with pytest.raises(ValueError, match="time zone"):
        DateTimeTrigger(datetime(2024, 1, 1))  # noqa: DTZ001 - that is what is refused
    with pytest.raises(TypeError):
        DateTimeTrigger("2024-01-01")
    class_path, kwargs = TimeDeltaTrigger(timedelta(hours=1)).serialize()
    assert class_path.endswith(".DateTimeTrigger")
    assert kwargs["moment"] > datetime.now(tz=UTC)  # noqa: TID251 - measured against the wall


# --- dag.test() ------------------------------------------------------------------------------


class Deferring(BaseOperator):
    """Defers itself as often as *times* says."""

    def __init__(self, *, what="hello", times=1, timeout=None, **kwargs):
        super().__init__(**kwargs)
        self.what, self.times, self.timeout_s = what, times, timeout

    def execute(self, context):
        context["ti"].xcom_push("kept", 1)
        self.next(0)

    def next(self, number):
        self.defer(
            trigger=Saying(self.what),
            method_name="resume",
            kwargs={"number": number + 1},
            timeout=self.timeout_s,
        )

    def resume(self, context, event, number):
        if number < self.times:
            self.next(number)
        return [event, number]


class DeferringSensor(Deferring, BaseSensorOperator):
    """The same as a sensor."""


def dag_of(operator_class, **arguments):
    with DAG("d", schedule=None, start_date=datetime(2024, 1, 1, tzinfo=UTC)) as dag:
        operator_class(task_id="t", **arguments)
    return dag


def run(dag):
    ti = dag.test().get_task_instance("t")
    return str(ti.state), ti


def test_a_deferred_task_goes_on_with_its_event_also_twice():
    state, ti = run(dag_of(Deferring, times=2))

    assert state == "success"
    assert ti.xcom_pull(task_ids="t") == ["hello", 2]
    assert ti.xcom_pull(task_ids="t", key="kept") == 1
    assert ti.try_number == 1


@pytest.mark.parametrize(
    ("operator_class", "arguments", "state"),
    [
        (Deferring, {"what": "error"}, "failed"),
        (Deferring, {"what": "never", "timeout": 0.01}, "failed"),
        (Deferring, {"what": "never", "execution_timeout": timedelta(seconds=0.1)}, "failed"),
        (DeferringSensor, {"what": "never", "timeout": 0, "retries": 3}, "failed"),
        (DeferringSensor, {"what": "never", "timeout": 0, "soft_fail": True}, "skipped"),
        (DeferringSensor, {"what": "never", "timeout": 0, "never_fail": True}, "skipped"),
        (DeferringSensor, {"what": "error", "soft_fail": True}, "skipped"),
        (Deferring, {"what": "success"}, "success"),
    ],
)
def test_how_deferrals_end(operator_class, arguments, state):
    assert run(dag_of(operator_class, **arguments))[0] == state


def test_the_error_of_a_failed_trigger_can_be_caught():
    class Catching(Deferring):
        def resume_execution(self, next_method, next_kwargs, context):
            try:
                return super().resume_execution(next_method, next_kwargs, context)
            except TaskDeferralError as error:
                return str(error)

    state, ti = run(dag_of(Catching, what="error"))

    assert (state, ti.xcom_pull(task_ids="t")) == ("success", "Trigger failure")


def test_a_task_may_start_from_its_trigger():
    class Starting(BaseOperator):
        start_trigger_args = StartTriggerArgs(
            trigger_cls=f"{__name__}.Saying", next_method="resume", trigger_kwargs={"what": 5}
        )
        start_from_trigger = True

        def execute(self, context):
            raise AssertionError("execute is never called")

        def resume(self, context, event):
            return event

    state, ti = run(dag_of(Starting))

    assert (state, ti.xcom_pull(task_ids="t")) == ("success", 5)


def test_standard_sensors_wait_in_their_triggers(tmp_path):
    (tmp_path / "f").write_text("")
    past = datetime(2024, 1, 1, tzinfo=UTC)

    assert run(dag_of(DateTimeSensorAsync, target_time=past))[0] == "success"
    assert (
        run(dag_of(DateTimeSensorAsync, target_time=past, start_from_trigger=True))[0] == "success"
    )
    file = str(tmp_path / "f")
    assert run(dag_of(FileSensor, filepath=file, deferrable=True))[0] == "success"
    assert run(dag_of(FileSensor, filepath=file, start_from_trigger=True))[0] == "success"


@pytest.mark.parametrize(("what", "outcome"), [("hello", "success"), ("error", "failed")])
def test_one_task_that_is_tried_waits_for_its_trigger_too(what, outcome):
    task = OneTask(dag_of(Deferring, what=what), "t")

    assert task.execute().outcome == outcome
