"""What is called around ``execute``, and in which order (semantics sections 2.6 and 5.10)."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
from task_world import RUN_ID
from tradewind.operators.python import PythonOperator
from tradewind.runtime.task.late_callbacks import call_back
from tradewind.runtime.task.task_spec import TaskInstanceSpec
from tradewind.sdk.base_operator import BaseOperator
from tradewind.sdk.exceptions import (
    AirflowFailException,
    AirflowSkipException,
    AirflowTaskTerminated,
)
from tradewind.sdk.states import TaskInstanceState


class Tracing(BaseOperator):
    """Writes down what is called."""

    def __init__(self, *, trace, **kwargs):
        super().__init__(**kwargs)
        self.trace = trace

    def pre_execute(self, context):
        self.trace.append("override-pre")

    def execute(self, context):
        self.trace.append("execute")
        return "R"

    def post_execute(self, context, result=None):
        self.trace.append(f"override-post({result})")


class ContextOnly(BaseOperator):
    """Overrides ``post_execute`` as Airflow 3 calls it."""

    def execute(self, context):
        return "R"

    def post_execute(self, context):
        context["ti"].xcom_push("seen", True)


def test_hooks_run_before_overrides_and_the_callback_just_before_execute(world):
    trace = []
    Tracing(
        task_id="a",
        trace=trace,
        pre_execute=lambda context: trace.append("hook-pre"),
        post_execute=lambda context, result: trace.append(f"hook-post({result})"),
        on_execute_callback=lambda context: trace.append("callback"),
        on_success_callback=[
            lambda context: trace.append("success"),
            lambda context: trace.append(context["ti"].state),
        ],
        dag=world.dag,
    )

    world.run("a")

    assert trace == [
        "hook-pre",
        "override-pre",
        "callback",
        "execute",
        "hook-post(R)",
        "override-post(R)",
        "success",
        "success",
    ]


def test_a_post_execute_that_takes_no_result_gets_none(world):
    ContextOnly(task_id="a", dag=world.dag)

    assert world.run("a").outcome == "success"
    assert world.xcoms("a") == {"seen": True, "return_value": "R"}


def test_a_failing_post_execute_fails_the_task_and_stores_no_result(world):
    def fail(context, result):
        raise ValueError("no")

    PythonOperator(task_id="a", python_callable=lambda: 1, post_execute=fail, dag=world.dag)

    assert world.run("a").outcome == "failed"
    assert world.xcoms("a") == {}


@pytest.mark.parametrize(
    ("error", "retries", "try_number", "called", "state"),
    [
        (None, 0, 1, "success", "success"),
        (AirflowSkipException(), 0, 1, "skipped", "skipped"),
        (ValueError(), 0, 1, "failure", "failed"),
        (ValueError(), 2, 2, "retry", "up_for_retry"),
        (ValueError(), 2, 3, "failure", "failed"),
        (AirflowFailException(), 2, 1, "failure", "failed"),
    ],
    ids=["success", "skip", "fail", "retry", "last try", "never again"],
)
def test_exactly_the_callbacks_of_the_end_are_called(
    world, error, retries, try_number, called, state
):
    calls = []

    def act():
        if error is not None:
            raise error

    def note(name):
        return lambda context: calls.append((name, context["ti"].state, context.get("exception")))

    PythonOperator(
        task_id="a",
        python_callable=act,
        retries=retries,
        dag=world.dag,
        **{
            f"on_{name}_callback": note(name) for name in ("success", "skipped", "failure", "retry")
        },
    )

    world.run("a", try_number=try_number, tries_max=retries)

    assert calls == [(called, state, error)]


def test_an_error_in_a_callback_keeps_neither_the_others_nor_the_outcome(world):
    calls = []

    def fail(context):
        raise ValueError("callback")

    def leave(context):
        raise SystemExit(1)

    PythonOperator(
        task_id="a",
        python_callable=lambda: 1,
        on_success_callback=[fail, calls.append, leave],
        dag=world.dag,
    )

    assert world.run("a").outcome == "success"
    assert len(calls) == 1


def test_callbacks_after_one_that_exits_still_run(world):
    calls = []

    def leave(context):
        raise SystemExit(1)

    PythonOperator(
        task_id="a",
        python_callable=lambda: 1,
        on_success_callback=[leave, calls.append],
        dag=world.dag,
    )

    assert world.run("a").outcome == "success"
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("given", "called"),
    [
        ("running", ["retry up_for_retry"]),
        ("failed", ["failure failed"]),
        ("success", []),
        ("restarting", []),
    ],
)
def test_a_stopped_process_calls_only_what_its_task_instance_came_to(world, given, called):
    calls = []

    def stop():
        raise AirflowTaskTerminated("SIGTERM")

    def note(name):
        return lambda context: calls.append(f"{name} {context['ti'].state}")

    PythonOperator(
        task_id="a",
        python_callable=stop,
        retries=1,
        on_failure_callback=note("failure"),
        on_retry_callback=note("retry"),
        dag=world.dag,
    )
    world.runtime.list_states = lambda: [SimpleNamespace(task_id="a", map_index=-1, state=given)]

    world.run("a", try_number=1, tries_max=1)

    assert calls == called


def test_callbacks_of_a_mapped_task_that_cannot_be_expanded_are_called(world):
    calls = []
    PythonOperator.partial(
        task_id="a",
        python_callable=print,
        on_failure_callback=lambda context: calls.append(context["ti"].map_index),
        dag=world.dag,
    ).expand(op_args=PythonOperator(task_id="up", python_callable=list, dag=world.dag).output)

    assert world.run("a", map_index=3).outcome == "failed"
    assert calls == [3]


def test_callbacks_for_a_killed_process_see_the_try_and_keep_its_xcoms(world):
    seen = []

    def note(context):
        ti = context["ti"]
        seen.append((ti.try_number, ti.state, str(context["exception"]), context["params"]["p"]))
        seen.append(ti.xcom_pull(task_ids="a", key="left"))

    world.dag.params["p"] = 1
    world.dag_run["conf"] = {"p": 7}
    task = PythonOperator(
        task_id="a", python_callable=print, on_failure_callback=note, dag=world.dag
    )
    names = {"dag_id": "d", "run_id": RUN_ID, "task_id": "a", "map_index": -1}
    world.runtime.set_xcom(**names, key="left", value='"behind"', length=None)

    call_back(
        dag=world.dag,
        task=task,
        spec=TaskInstanceSpec("d", RUN_ID, "a", try_number=2, epoch=2, dag_run=world.dag_run),
        runtime=world.runtime,
        log=logging.getLogger("tests.task"),
        state=TaskInstanceState.FAILED,
        reason="signal 9 (SIGKILL)",
    )

    assert seen == [(2, "failed", "signal 9 (SIGKILL)", 7), "behind"]


def test_a_success_callback_can_pull_the_result(world):
    seen = []
    PythonOperator(
        task_id="a",
        python_callable=lambda: 42,
        on_success_callback=lambda context: seen.append(context["ti"].xcom_pull()),
        dag=world.dag,
    )

    world.run("a")

    assert seen == [42]


def test_the_runtime_hears_when_execute_begins_after_the_hooks(world):
    PythonOperator(
        task_id="a",
        python_callable=lambda: world.runtime.told.append("execute"),
        pre_execute=lambda context: world.runtime.told.append("hook"),
        dag=world.dag,
    )

    world.run("a")

    assert world.runtime.told == ["hook", "executing", "execute"]
