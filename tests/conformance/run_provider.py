"""Runs every operator and sensor of the real standard provider package, each in a DAG of its own.

``python run_provider.py FOLDER``: FOLDER holds ``airflow/providers/standard`` and
``airflow/providers/common/compat`` as their wheels have them. Prints JSON: case → task → state.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import warnings
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import airflow

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
FOLDER = Path(sys.argv[1]).resolve()
# As if it were installed beside: an editable install of ours hides what lies on ``sys.path``.
airflow.__path__.append(str(FOLDER / "airflow"))

from airflow.providers.standard.decorators.stub import stub as stub_decorator  # noqa: E402
from airflow.providers.standard.operators.bash import BashOperator  # noqa: E402
from airflow.providers.standard.operators.datetime import BranchDateTimeOperator  # noqa: E402
from airflow.providers.standard.operators.empty import EmptyOperator  # noqa: E402
from airflow.providers.standard.operators.hitl import (  # noqa: E402
    ApprovalOperator,
    HITLBranchOperator,
    HITLEntryOperator,
    HITLOperator,
)
from airflow.providers.standard.operators.latest_only import LatestOnlyOperator  # noqa: E402
from airflow.providers.standard.operators.python import (  # noqa: E402
    BranchPythonOperator,
    ExternalPythonOperator,
    PythonOperator,
    PythonVirtualenvOperator,
    ShortCircuitOperator,
)
from airflow.providers.standard.operators.smooth import SmoothOperator  # noqa: E402
from airflow.providers.standard.operators.trigger_dagrun import (  # noqa: E402
    TriggerDagRunOperator,
)
from airflow.providers.standard.operators.weekday import BranchDayOfWeekOperator  # noqa: E402
from airflow.providers.standard.sensors.bash import BashSensor  # noqa: E402
from airflow.providers.standard.sensors.date_time import (  # noqa: E402
    DateTimeSensor,
    DateTimeSensorAsync,
)
from airflow.providers.standard.sensors.external_task import (  # noqa: E402
    ExternalTaskMarker,
    ExternalTaskSensor,
)
from airflow.providers.standard.sensors.filesystem import FileSensor  # noqa: E402
from airflow.providers.standard.sensors.python import PythonSensor  # noqa: E402
from airflow.providers.standard.sensors.time import TimeSensor  # noqa: E402
from airflow.providers.standard.sensors.time_delta import (  # noqa: E402
    TimeDeltaSensor,
    WaitSensor,
)
from airflow.providers.standard.sensors.weekday import DayOfWeekSensor  # noqa: E402
from airflow.sdk import DAG, Param, task  # noqa: E402

PAST = datetime(2024, 1, 1, tzinfo=UTC)
NOW = timedelta(0)
WEEK = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
WAYS = {"follow_task_ids_if_true": ["a"], "follow_task_ids_if_false": ["b"]}
CASES = {}


def case(declare):
    """Note a function that declares the tasks of one DAG."""
    CASES[declare.__name__] = declare
    return declare


def simple(name, operator_class, **arguments):
    """Note a case with one task ``t``, and below it ``a`` and ``b``."""

    def declare():
        operator_class(task_id="t", **arguments) >> [
            EmptyOperator(task_id="a"),
            EmptyOperator(task_id="b"),
        ]

    CASES[name] = declare


def add(x):
    return x + 1


async def wait():
    return 1


ASK = {"subject": "Deploy {{ ds }}?", "response_timeout": NOW}
FILE = tempfile.NamedTemporaryFile(delete=False).name  # noqa: SIM115 - it stays to the end

simple("bash", BashOperator, bash_command="test {{ ds }} && echo $AIRFLOW_CTX_DAG_ID")
simple("bash_skip", BashOperator, bash_command="exit 99")
simple("python", PythonOperator, python_callable=lambda ds, **context: ds)
simple("python_async", PythonOperator, python_callable=wait)
simple("branch_python", BranchPythonOperator, python_callable=lambda: "a")
simple("short_circuit", ShortCircuitOperator, python_callable=lambda: False)
FOREIGN = {"python_callable": add, "op_args": [1], "expect_airflow": False}
simple("external_python", ExternalPythonOperator, python=sys.executable, **FOREIGN)
simple("virtualenv", PythonVirtualenvOperator, **FOREIGN)
simple("latest_only", LatestOnlyOperator)
simple("branch_time", BranchDateTimeOperator, target_lower=PAST, target_upper=None, **WAYS)
simple("branch_day", BranchDayOfWeekOperator, week_day=WEEK, **WAYS)
simple("smooth", SmoothOperator)
simple("trigger", TriggerDagRunOperator, trigger_dag_id="other", trigger_run_id="r")
simple(
    "ask_defaults",
    HITLOperator,
    options=["x", "y"],
    defaults=["x"],
    params={"n": Param(3, type="integer")},
    **ASK,
)
simple("ask_late", HITLOperator, options=["x"], **ASK)
simple("ask_entry", HITLEntryOperator, **ASK)
simple("ask_yes", ApprovalOperator, defaults="Approve", **ASK)
simple("ask_no", ApprovalOperator, defaults="Reject", **ASK)
simple("ask_no_fails", ApprovalOperator, defaults="Reject", fail_on_reject=True, **ASK)
simple(
    "ask_branch",
    HITLBranchOperator,
    options=["x", "b"],
    options_mapping={"x": "a"},
    defaults=["x"],
    **ASK,
)
simple("sensor_bash", BashSensor, bash_command="exit 0")
simple("sensor_date", DateTimeSensor, target_time=PAST)
simple("sensor_date_async", DateTimeSensorAsync, target_time=PAST)
simple(
    "sensor_date_from_trigger",
    DateTimeSensorAsync,
    target_time=PAST,
    start_from_trigger=True,
    end_from_trigger=True,
)
simple("sensor_file", FileSensor, filepath=FILE)
simple("sensor_file_deferred", FileSensor, filepath=FILE, deferrable=True)
simple(
    "sensor_file_from_trigger", FileSensor, filepath=FILE, deferrable=True, start_from_trigger=True
)
simple("sensor_python", PythonSensor, python_callable=lambda: True)
simple("sensor_time", TimeSensor, target_time=time(0))
simple("sensor_time_deferred", TimeSensor, target_time=time(0), deferrable=True)
simple("sensor_delta", TimeDeltaSensor, delta=NOW)
simple("sensor_delta_deferred", TimeDeltaSensor, delta=NOW, deferrable=True)
simple("sensor_wait", WaitSensor, time_to_wait=timedelta(milliseconds=1))
simple("sensor_wait_deferred", WaitSensor, time_to_wait=NOW, deferrable=True)
simple("sensor_day", DayOfWeekSensor, week_day=WEEK)
simple("marker", ExternalTaskMarker, external_dag_id="other", external_task_id="t")


def external(name, **arguments):
    """Note a case in which ``t`` waits for ``first`` of its own run."""

    def declare():
        EmptyOperator(task_id="first") >> ExternalTaskSensor(
            task_id="t",
            external_dag_id=name,
            external_task_id="first",
            poke_interval=0.1,
            timeout=20,
            **arguments,
        )

    CASES[name] = declare


external("sensor_external")
external("sensor_external_deferred", deferrable=True)


@case
def decorated():
    @task.bash
    def say():
        return "echo 1"

    @task.branch
    def choose():
        return "a"

    @task.short_circuit
    def go_on():
        return True

    @task.sensor(poke_interval=0.1)
    def ready():
        return True

    @task.external_python(python=sys.executable, expect_airflow=False)
    def elsewhere():
        return 4

    say() >> choose() >> [EmptyOperator(task_id="a"), EmptyOperator(task_id="b")]
    go_on() >> ready() >> elsewhere()


@case
def mapped():
    BashOperator.partial(task_id="t").expand(bash_command=["true", "true"])


@case
def stub():
    @stub_decorator(queue="elsewhere")
    def other_language(): ...

    other_language()


def outcome(name):
    """Return the states of one case, or the error that it ended in."""
    try:
        with DAG(name, schedule=None, start_date=PAST) as dag:
            CASES[name]()
        if name == "stub":  # runs in other languages only: it can be declared
            return sorted(dag.task_ids)
        return {one.label: str(one.state) for one in dag.test().get_task_instances()}
    except Exception as error:  # noqa: BLE001 - it is the finding
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    found = {name: outcome(name) for name in CASES}
    found["is_the_real_one"] = Path(sys.modules[BashOperator.__module__].__file__).is_relative_to(
        FOLDER
    )
    sys.stdout.write(json.dumps(found) + "\n")
