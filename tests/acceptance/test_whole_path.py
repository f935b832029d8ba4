"""From a DAG file on disk to a finished, visible, repeatable run."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime

import pytest

AIRFLOW_2_STYLE = """
from datetime import datetime, timedelta
from airflow import DAG
from airflow.operators.python import PythonOperator
from airflow.operators.bash import BashOperator

default_args = {
    "owner": "me", "depends_on_past": False, "email": ["me@example.com"], "email_on_failure": False,
    "retries": 1, "retry_delay": timedelta(seconds=1), "retry_exponential_backoff": True,
}
dag = DAG("classic", default_args=default_args, schedule_interval="0 0 * * *",
          start_date=datetime(2024, 1, 1), catchup=False,
     is_paused_upon_creation=False)

def push(**context):
    context["task_instance"].xcom_push(key="number", value=41)

def pull(**context):
    return context["task_instance"].xcom_pull(task_ids="a", key="number") + 1

a = PythonOperator(task_id="a", python_callable=push, dag=dag)
b = PythonOperator(task_id="b", python_callable=pull, dag=dag)
c = BashOperator(task_id="c", bash_command="echo got {{ ti.xcom_pull(task_ids='b') }}", dag=dag)
a >> b >> c

if __name__ == "__main__":
    dag.test()
"""

AIRFLOW_3_STYLE = """
from datetime import datetime
from airflow.sdk import dag, task

@dag(schedule="@daily", start_date=datetime(2024, 1, 1), catchup=False,
     is_paused_upon_creation=False)
def mapped():
    @task
    def numbers():
        return [1, 2, 3]

    @task
    def double(number):
        return number * 2

    @task
    def total(numbers):
        print("total is", sum(numbers))
        return sum(numbers)

    total(double.expand(number=numbers()))

made = mapped()

if __name__ == "__main__":
    made.test()
"""


@pytest.mark.every_setup
def test_both_generations_run_by_schedule_and_by_trigger_from_one_folder(deployment) -> None:
    deployment.write_dag("classic.py", AIRFLOW_2_STYLE)
    deployment.write_dag("mapped.py", AIRFLOW_3_STYLE)
    deployment.start()

    deployment.wait_for_run("classic")
    deployment.wait_for_run("mapped")
    scheduled = {row["run_id"] for row in deployment.rows("dags", "list-runs", "classic")}
    deployment.cli("dags", "trigger", "mapped", "--run-id", "by_hand")
    deployment.wait_until(
        lambda: (
            set(deployment.task_states("mapped", "by_hand").values()) == {"success"}
            and len(deployment.rows("tasks", "states-for-dag-run", "mapped", "by_hand")) == 5
        ),
        "five task instances of the triggered run in success",
    )

    assert all(run_id.startswith("scheduled__") for run_id in scheduled)


@pytest.mark.setups("sqlite")
@pytest.mark.parametrize(
    ("name", "text"), [("classic", AIRFLOW_2_STYLE), ("mapped", AIRFLOW_3_STYLE)]
)
def test_a_dag_file_runs_by_dags_test_and_as_a_program_without_server(
    deployment, name: str, text: str
) -> None:
    path = deployment.write_dag(f"{name}.py", text)

    deployment.cli("dags", "test", name, "2024-02-01")
    as_program = subprocess.run(
        [sys.executable, path],
        env=deployment.environment,
        cwd=deployment.home,
        capture_output=True,
        text=True,
        check=False,
    )

    assert as_program.returncode == 0, as_program.stderr
    assert "success" in as_program.stdout
    assert not (deployment.home / "tradewind.db").exists()


@pytest.mark.setups("sqlite")
def test_a_failed_run_of_a_program_ends_with_exit_code_1(deployment) -> None:
    path = deployment.write_dag("bad.py", AIRFLOW_3_STYLE.replace("number * 2", "number / 0"))

    done = subprocess.run(
        [sys.executable, path], env=deployment.environment, capture_output=True, check=False
    )

    assert done.returncode == 1


def test_a_new_file_is_run_while_the_server_is_up_and_pages_show_it(deployment) -> None:
    deployment.start()
    deployment.wait_until(lambda: "http://" in deployment.output_path.read_text(), "the address")
    deployment.write_dag("mapped.py", AIRFLOW_3_STYLE)

    deployment.wait_for_run("mapped")

    with urllib.request.urlopen(f"http://127.0.0.1:{deployment.port}/health") as answer:
        assert b'"healthy"' in answer.read()
    assert deployment.stop() == 0
    output = deployment.output_path.read_text()
    assert len(re.findall(r"(?i)password", output)) == 1
    assert "Traceback" not in output
    assert deployment.processes("tradewind") == []


@pytest.mark.setups("sqlite", "postgresql")  # a cluster runs it on its workers
def test_backfill_makes_each_run_once_without_a_server(deployment) -> None:
    deployment.write_dag(
        "daily.py",
        AIRFLOW_2_STYLE.replace('"classic"', '"daily"').replace(
            "is_paused_upon_creation=False", "is_paused_upon_creation=True"
        ),
    )
    span = ("--from-date", "2024-01-01", "--to-date", "2024-01-05")

    first = deployment.cli("backfill", "create", "--dag-id", "daily", *span)
    runs = deployment.rows("dags", "list-runs", "daily")
    deployment.cli("backfill", "create", "--dag-id", "daily", *span, code=None)

    assert "paused" in first.stdout + first.stderr
    assert sorted(datetime.fromisoformat(row["logical_date"]) for row in runs) == [
        datetime(2024, 1, day, tzinfo=UTC) for day in range(1, 6)
    ]
    assert {row["state"] for row in runs} == {"success"}
    assert len(deployment.rows("dags", "list-runs", "daily")) == 5
