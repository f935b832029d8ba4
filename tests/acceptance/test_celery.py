"""PostgreSQL, Redis and Celery workers: whatever is lost on the way, the work is done once."""

from __future__ import annotations

import base64
import os
import signal
import urllib.error
import urllib.request
from pathlib import Path

DAG = """
from datetime import datetime
from pathlib import Path
import os, time
from airflow.sdk import dag, task

HERE = Path({folder!r})

@dag(schedule=None, start_date=datetime(2024, 1, 1), is_paused_upon_creation=False,
     default_args=dict(retries=1, retry_delay=0))
def patient():
    @task
    def before():
        return "told"

    @task
    def waits(word, ti=None):
        print("the word is", word)
        with (HERE / "starts").open("a") as file:
            file.write(f"{{ti.run_id}} {{ti.try_number}}\\n")
        (HERE / ti.run_id).write_text(str(os.getpid()))
        while not (HERE / f"go_{{ti.run_id}}").exists():
            time.sleep(0.05)
        return word

    @task
    def after(word):
        (HERE / "after").write_text(word)

    after(waits(before()))

patient()
"""


def starts_of(deployment, run_id: str) -> list[str]:
    path = deployment.home / "starts"
    return [line for line in path.read_text().splitlines() if line.startswith(f"{run_id} ")]


def begin(deployment, run_id: str) -> int:
    """Trigger a run and return the pid of its waiting task."""
    deployment.cli("dags", "trigger", "patient", "--run-id", run_id)
    started = deployment.home / run_id
    deployment.wait_until(lambda: started.exists() and started.read_text(), f"start of {run_id}")
    return int(started.read_text())


def set_up(deployment) -> None:
    deployment.write_dag("patient.py", DAG.format(folder=str(deployment.home)))
    deployment.start()
    deployment.wait_until(lambda: deployment.rows("dags", "list", "--columns", "dag_id"), "the DAG")


def wait_for_success(deployment, run_id: str) -> None:
    def is_done() -> bool:
        rows = deployment.rows("dags", "list-runs", "patient")
        return any(row["run_id"] == run_id and row["state"] == "success" for row in rows)

    deployment.wait_until(is_done, f"success of {run_id}")


def test_a_killed_worker_a_flushed_broker_and_a_drained_worker_lose_nothing(
    celery_deployment, redis_server
):
    deployment = celery_deployment
    store = deployment.home / "store"
    deployment.environment |= {
        "TRADEWIND__LOGGING__REMOTE_LOGGING": "true",
        "TRADEWIND__LOGGING__REMOTE_BASE_LOG_FOLDER": f"file://{store}",
    }
    set_up(deployment)

    # kill -9 of the worker: its task is tried again by its successor.
    pid = begin(deployment, "killed")
    os.kill(deployment.workers["worker"].pid, signal.SIGKILL)
    deployment.wait_until(lambda: not Path(f"/proc/{pid}").exists(), "the end of its task")
    deployment.start_worker()
    deployment.wait_until(lambda: len(starts_of(deployment, "killed")) == 2, "the second try")
    (deployment.home / "go_killed").touch()
    wait_for_success(deployment, "killed")

    # Drain: the running task ends in its own time, what follows waits for another worker.
    begin(deployment, "drained")
    deployment.workers["worker"].send_signal(signal.SIGTERM)
    second = deployment.start_worker("second", "--celery-hostname", "second@%h")
    deployment.wait_until(lambda: "starting" in (deployment.home / "second.out").read_text(), "it")
    redis_server.flush_all()
    (deployment.home / "go_drained").touch()
    wait_for_success(deployment, "drained")

    assert deployment.workers["worker"].wait(timeout=20) == 0
    assert second.poll() is None
    assert starts_of(deployment, "killed") == ["killed 1", "killed 2"]
    assert starts_of(deployment, "drained") == ["drained 1"]
    assert len(list(store.rglob("run_id=drained/task_id=*/attempt=1.log"))) >= 2
    for name in ("worker", "second"):
        assert "Traceback" not in (deployment.home / f"{name}.out").read_text()


def log_of(deployment, run_id: str) -> str:
    """Read the log of the waiting task from the server that has no worker's disk."""
    url = f"http://127.0.0.1:{deployment.port}/api/v1/dags/patient/dagRuns/{run_id}"
    asked = urllib.request.Request(
        f"{url}/taskInstances/waits/logs/1?full_content=true",
        headers={
            "Authorization": "Basic " + base64.b64encode(b"reader:a-long-password").decode(),
            "Accept": "text/plain",
        },
    )
    try:
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()


def test_the_server_shows_the_log_that_a_worker_is_writing(celery_deployment):
    deployment = celery_deployment
    set_up(deployment)
    deployment.cli(
        *("users", "create", "-u", "reader", "-p", "a-long-password", "-r", "Viewer"),
        *("-f", "R", "-l", "R", "-e", "reader@example.com"),
    )

    begin(deployment, "logged")
    deployment.wait_until(lambda: "the word is told" in log_of(deployment, "logged"), "its line")
    (deployment.home / "go_logged").touch()
    wait_for_success(deployment, "logged")
    whole = log_of(deployment, "logged")
    deployment.workers["worker"].send_signal(signal.SIGTERM)
    deployment.workers["worker"].wait(timeout=20)
    without_worker = log_of(deployment, "logged")

    assert "Task ended: success" in whole
    assert not list((deployment.home / "logs").rglob("attempt=1.log"))
    assert "The log is at http://127.0.0.1:" in without_worker
