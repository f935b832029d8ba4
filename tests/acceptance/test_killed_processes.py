"""kill -9 loses nothing: tasks outlive the scheduler, and a killed task is tried again."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

DAG = """
from datetime import datetime, timedelta
from pathlib import Path
import os, time
from airflow.sdk import dag, task

HERE = Path({folder!r})

@dag(schedule=None, start_date=datetime(2024, 1, 1), is_paused_upon_creation=False)
def patient():
    @task(retries=1, retry_delay=timedelta(seconds=0))
    def waits(ti=None):
        (HERE / f"started_{{ti.try_number}}").write_text(str(os.getpid()))
        deadline = time.monotonic() + 50
        while not (HERE / "go").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        return ti.try_number

    @task
    def after(number):
        (HERE / "after").write_text(str(number))

    after(waits())

patient()
"""


def begin(deployment) -> int:
    """Start a run and return the pid of its waiting task."""
    deployment.write_dag("patient.py", DAG.format(folder=str(deployment.home)))
    deployment.start()
    deployment.wait_until(lambda: deployment.rows("dags", "list", "--columns", "dag_id"), "the DAG")
    deployment.cli("dags", "trigger", "patient", "--run-id", "one")
    started = deployment.home / "started_1"
    deployment.wait_until(lambda: started.exists() and started.read_text(), "the task's start")
    return int(started.read_text())


@pytest.mark.every_setup
def test_tasks_finish_and_the_run_goes_on_after_the_scheduler_was_killed(deployment) -> None:
    pid = begin(deployment)
    schedulers = deployment.processes("tradewind-sched")

    for scheduler in schedulers:
        os.kill(scheduler, signal.SIGKILL)
    (deployment.home / "go").touch()
    deployment.wait_for_run("patient")

    assert schedulers
    assert Path(deployment.home / "after").read_text() == "1"
    assert not (deployment.home / "started_2").exists(), f"task {pid} was run twice"


@pytest.mark.every_setup
def test_a_killed_task_fails_its_try_with_the_signal_named_and_is_tried_again(
    deployment,
) -> None:
    pid = begin(deployment)

    os.kill(pid, signal.SIGKILL)
    second = deployment.home / "started_2"
    deployment.wait_until(second.exists, "the second try")
    (deployment.home / "go").touch()
    deployment.wait_for_run("patient")

    assert Path(deployment.home / "after").read_text() == "2"
    logs = "\n".join(path.read_text() for path in deployment.home.rglob("attempt=1.log"))
    assert "SIGKILL" in logs
