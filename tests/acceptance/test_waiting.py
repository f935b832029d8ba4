"""Tasks that wait without a slot: rescheduled sensors, and deferred tasks in the triggerer."""

from __future__ import annotations

import os
import signal

import pytest

DAGS = """
from datetime import datetime
from pathlib import Path
from airflow import DAG
from airflow.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.providers.standard.operators.python import PythonOperator
from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync
from airflow.providers.standard.sensors.filesystem import FileSensor
from airflow.sensors.python import PythonSensor

FOLDER = Path(__file__).parent.parent
OPTIONS = dict(schedule=None, start_date=datetime(2024, 1, 1), catchup=False,
               is_paused_upon_creation=False)

with DAG("waiting", **OPTIONS) as dag:
    PythonSensor(
        task_id="rescheduled", mode="reschedule", poke_interval=1,
        python_callable=lambda: (FOLDER / "signal").exists(),
    )
    FileSensor(
        task_id="deferred", filepath=str(FOLDER / "signal"), deferrable=True, poke_interval=1,
    )
    DateTimeSensorAsync(
        task_id="started", target_time=datetime(2024, 1, 1), start_from_trigger=True,
    )
    FileSensor(
        task_id="late", filepath=str(FOLDER / "never"), deferrable=True, timeout=1, soft_fail=True,
    )
    TriggerDagRunOperator(
        task_id="other", trigger_dag_id="other", wait_for_completion=True, deferrable=True,
        poke_interval=1,
    )

with DAG("other", **OPTIONS):
    PythonOperator(task_id="a", python_callable=lambda: 1)
"""


def states(deployment):
    rows = deployment.rows("dags", "list-runs", "waiting")
    return deployment.task_states("waiting", rows[0]["run_id"]) if rows else {}


@pytest.mark.every_setup
def test_waiting_tasks_go_on_also_after_the_death_of_the_triggerer(deployment):
    deployment.write_dag("waiting.py", DAGS)
    deployment.start()
    deployment.wait_until(lambda: len(deployment.rows("dags", "list")) == 2, "two DAGs")
    deployment.cli("dags", "trigger", "waiting")

    deployment.wait_until(
        lambda: (
            states(deployment)
            == {
                "rescheduled": "up_for_reschedule",
                "deferred": "deferred",
                "started": "success",
                "late": "skipped",
                "other": "success",
            }
        ),
        "two tasks that wait, and three that have waited",
    )
    (pid,) = deployment.processes("tradewind-parse")  # the triggerer is a thread of it
    os.kill(pid, signal.SIGKILL)
    (deployment.home / "signal").write_text("")

    deployment.wait_for_run("waiting")
    assert states(deployment) == {
        "rescheduled": "success",
        "deferred": "success",
        "started": "success",
        "late": "skipped",
        "other": "success",
    }
    assert deployment.stop() == 0
