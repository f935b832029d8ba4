"""DAGs about how tries begin, wait, end and are told of: see test_dispatch.py."""

import os
import time
from datetime import datetime, timedelta
from pathlib import Path

from airflow.exceptions import AirflowFailException, AirflowSkipException
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.python import PythonOperator
from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync
from airflow.providers.standard.sensors.filesystem import FileSensor
from airflow.sdk import DAG, Asset, BaseHook, PokeReturnValue, Variable, dag, task, task_group

#: Where tests leave signs for tasks, and tasks for tests.
SIGNS = Path(os.environ["WORK_SIGNS"])
#: What no database takes as it is.
ODD = "odd \x00 \ud800 text"


def sign(name, text=""):
    with (SIGNS / name).open("a") as file:
        file.write(f"{text}\n")


def wait_for(name):
    while not (SIGNS / name).exists():
        time.sleep(0.05)


@dag(schedule=None)
def tried_again():
    @task(retries=2, retry_delay=timedelta(0), on_retry_callback=lambda c: sign("retried", "x"))
    def third_time_lucky(ti=None):
        print("this is try", ti.try_number)
        if ti.try_number < 3:
            raise ValueError(f"try {ti.try_number} is bad")
        return ti.try_number

    third_time_lucky()


@dag(schedule=None, on_failure_callback=lambda c: sign("mourned", f"dag {c['run_id']}"))
def ends_badly():
    @task(
        execution_timeout=timedelta(seconds=1),
        on_failure_callback=lambda c: sign("mourned", f"task {type(c['exception']).__name__}"),
    )
    def too_slow():
        time.sleep(60)

    @task(retries=3)
    def at_once():
        raise AirflowFailException("no use to try again")

    @task
    def skips():
        raise AirflowSkipException("not today")

    too_slow()
    at_once()
    skips() >> EmptyOperator(task_id="below_the_skip")

    @task(outlets=[Asset("odd")])
    def odd_text(outlet_events=None, ti=None):
        ti.xcom_push("odd", ODD)
        Variable.set("work_odd", "odd \x00")
        outlet_events[Asset("odd")].extra = {"text": "odd \x00"}
        print(ODD)

    @task
    def odd_failure():
        raise ValueError(ODD)

    odd_text()
    odd_failure()
    BashOperator(task_id="exit_99", bash_command="exit 99")
    BashOperator(task_id="exit_3", bash_command="exit 3")


@dag(schedule=None)
def mapped():
    @task
    def numbers():
        return [1, 2, 3]

    @task
    def double(number):
        return number * 2

    @task
    def nothing():
        return []

    @task
    def total(values):
        return sum(values)

    @task_group
    def each(value, plus):
        @task
        def add(value, plus):
            return value + plus

        return add(value, plus)

    doubled = double.expand(number=numbers())
    total(doubled)
    total.override(task_id="grouped")(each.partial(plus=10).expand(value=doubled))
    double.override(task_id="none_of_them").expand(number=nothing())
    BashOperator.partial(task_id="said").expand(bash_command=["echo a", "echo b"])
    PythonOperator.partial(task_id="crossed", python_callable=lambda a, b: a * b).expand_kwargs(
        [{"op_args": [2, 3]}, {"op_kwargs": {"a": 4, "b": 5}}]
    )


@dag(schedule=None)
def waits():
    @task.sensor(poke_interval=0.2, timeout=60)
    def poked():
        return PokeReturnValue(is_done=(SIGNS / "come").exists(), xcom_value="seen")

    @task.sensor(poke_interval=0.5, timeout=60, mode="reschedule")
    def rescheduled():
        return (SIGNS / "come").exists()

    @task.sensor(poke_interval=0.2, timeout=0.5, soft_fail=True)
    def in_vain():
        return False

    poked()
    rescheduled()
    in_vain()
    path = str(SIGNS / "come")
    FileSensor(task_id="deferred", filepath=path, deferrable=True, poke_interval=0.5)
    DateTimeSensorAsync(task_id="long_past", target_time=datetime(2024, 1, 1))


@dag(schedule=None)
def held():
    @task(retries=2, retry_delay=timedelta(0))
    def holds(ti=None):
        sign(f"holding_{ti.run_id}", os.getpid())
        wait_for(f"let_go_{ti.run_id}")
        return ti.try_number

    @task
    def after(number):
        return number

    after(holds())


with DAG("asks", schedule=None, params={"size": 1}):
    BashOperator(
        task_id="rendered",
        bash_command="echo {{ var.value.work_word }} {{ conn.work_place.host }} {{ params.size }}",
    )

    @task
    def reads():
        Variable.set("work_answer", Variable.get("work_word") + "!")
        return BaseHook.get_connection("work_place").get_uri()

    reads()


tried_again()
ends_badly()
mapped()
waits()
held()
