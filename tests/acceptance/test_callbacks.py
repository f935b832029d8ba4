"""Callbacks that no task process can call are called all the same, and once."""

from __future__ import annotations

import os
import signal

DAG = """
from datetime import datetime, timedelta
from pathlib import Path
import os, time
from airflow import DAG
from airflow.operators.python import PythonOperator

HERE = Path({folder!r})

def write(name, text):
    with (HERE / name).open("a") as file:
        file.write(text + "\\n")

def wait(ti):
    (HERE / f"pid_{{ti.try_number}}").write_text(str(os.getpid()))
    time.sleep(50)

def tell_dag(context):
    print("the DAG's callback speaks")
    seen = context["reason"], context["ti"].task_id, context["params"]["p"]
    write("dag_failed", "%s %s %s" % seen)

def tell_task(context):
    ti = context["ti"]
    ti.xcom_push("told", "yes")
    write("task_failed", f"{{ti.state}} {{ti.try_number}} {{context['exception']}}")

def tell_retry(context):
    write("task_retried", f"{{context['ti'].state}} {{context['ti'].try_number}}")

def break_down(context):
    raise RuntimeError("this callback is broken")

with DAG(
    "mourned",
    schedule=None,
    start_date=datetime(2024, 1, 1),
    is_paused_upon_creation=False,
    params={{"p": 1}},
    on_failure_callback=[break_down, tell_dag],
):
    PythonOperator(
        task_id="killed",
        python_callable=wait,
        retries=1,
        retry_delay=timedelta(seconds=0),
        on_failure_callback=[break_down, tell_task],
        on_retry_callback=tell_retry,
    )
"""


def test_callbacks_of_a_killed_task_and_of_its_dag_are_called_once(deployment) -> None:
    deployment.write_dag("mourned.py", DAG.format(folder=str(deployment.home)))
    deployment.start()
    deployment.wait_until(lambda: deployment.rows("dags", "list", "--columns", "dag_id"), "the DAG")
    deployment.cli("dags", "trigger", "mourned", "--run-id", "one", "--conf", '{"p": 7}')

    def written(name: str) -> str:
        path = deployment.home / name
        return path.read_text() if path.exists() else ""

    for number in (1, 2):
        pid = deployment.wait_until(lambda n=number: written(f"pid_{n}"), f"try {number}")
        os.kill(int(pid), signal.SIGKILL)
    deployment.wait_until(lambda: written("dag_failed") and written("task_failed"), "callbacks")
    log = deployment.home / "logs" / "dag_id=mourned" / "run_id=one" / "callbacks.log"
    ends = "Callbacks were called"
    deployment.wait_until(lambda: log.read_text().count(ends) >= 3, "the end of all deliveries")

    assert written("dag_failed") == "task_failure killed 7\n"
    assert written("task_failed") == "failed 2 signal 9 (SIGKILL)\n"
    assert written("task_retried") == "up_for_retry 1\n"
    said = log.read_text()
    assert "this callback is broken" in said
    assert "the DAG's callback speaks" in said
    assert said.count(ends) == 3


def test_the_callback_of_a_task_is_called_once_when_its_runner_was_killed(deployment) -> None:
    text = DAG.format(folder=str(deployment.home)).replace("retries=1", "retries=0")
    deployment.write_dag("mourned.py", text)
    deployment.start()
    deployment.wait_until(lambda: deployment.rows("dags", "list", "--columns", "dag_id"), "the DAG")
    deployment.cli("dags", "trigger", "mourned", "--run-id", "one")
    deployment.wait_until((deployment.home / "pid_1").exists, "the task")

    runners = deployment.runners()
    for pid in runners:
        os.kill(pid, signal.SIGKILL)
    log = deployment.home / "logs" / "dag_id=mourned" / "run_id=one" / "callbacks.log"
    called = "Callbacks were called"
    deployment.wait_until(lambda: log.exists() and log.read_text().count(called) == 2, "both ends")

    assert runners
    assert (deployment.home / "task_failed").read_text().startswith("failed 1 worker lost")
    assert (deployment.home / "dag_failed").read_text() == "task_failure killed 1\n"


def test_a_running_task_that_a_person_clears_has_not_failed(deployment) -> None:
    deployment.write_dag("mourned.py", DAG.format(folder=str(deployment.home)))
    deployment.start()
    deployment.wait_until(lambda: deployment.rows("dags", "list", "--columns", "dag_id"), "the DAG")
    deployment.cli("dags", "trigger", "mourned", "--run-id", "one")
    deployment.wait_until((deployment.home / "pid_1").exists, "the task")

    deployment.cli("tasks", "clear", "mourned", "--yes")
    deployment.wait_until((deployment.home / "pid_2").exists, "the next try")

    assert not (deployment.home / "task_retried").exists()
    assert not (deployment.home / "task_failed").exists()
