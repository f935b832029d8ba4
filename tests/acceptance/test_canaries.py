"""Secrets that a task prints, returns and fails with: in no log, page, answer or line of output."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request

import pytest

CANARY = "canary/5e1f and-more"
DAG = """
import logging
from datetime import datetime
from airflow.sdk import DAG, BaseHook, Variable, task
from airflow.providers.standard.operators.bash import BashOperator

with DAG("leaky", start_date=datetime(2025, 1, 1), schedule="@once", is_paused_upon_creation=False):

    @task
    def leak():
        secret = Variable.get("my_password")
        password = BaseHook.get_connection("c").password
        print("printed", secret, [password], {"x": secret})
        logging.getLogger("mine").warning("logged %s", password)
        return "fine"

    @task
    def fail():
        raise ValueError("failed with " + Variable.get("my_password"))

    shown = BashOperator(
        task_id="shown",
        bash_command="echo $S",
        env={"S": "{{ var.value.my_password }}"},
        do_xcom_push=False,  # what a task returns is its own to keep
    )
    leak() >> shown >> fail()
"""


@pytest.mark.setups("sqlite")  # it looks into the file
def test_what_a_task_lets_slip_is_masked_everywhere(deployment) -> None:
    deployment.cli("variables", "set", "my_password", CANARY)
    deployment.cli("connections", "add", "c", "--conn-type", "http", "--conn-password", CANARY)
    deployment.write_dag("leaky.py", DAG)
    deployment.start()
    deployment.wait_for_run("leaky", "failed")
    token = deployment.cli("tokens", "create", "-u", "admin", "-n", "t").stdout.strip()

    def ask(path: str) -> str:
        url = f"http://127.0.0.1:{deployment.port}{path}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()

    run_id = json.loads(ask("/api/v2/dags/leaky/dagRuns"))["dag_runs"][0]["dag_run_id"]
    run = f"dags/leaky/dagRuns/{run_id}"
    seen = [
        ask(f"/api/v{version}/{path}")
        for version in (1, 2)
        for path in (
            f"{run}/taskInstances",
            "eventLogs",
            "variables",
            "connections",
            "importErrors",
            *(f"{run}/taskInstances/{one}/logs/1" for one in ("leak", "shown", "fail")),
            f"{run}/taskInstances/shown",
            f"{run}/taskInstances/leak/xcomEntries",
        )
    ]
    logs = [path.read_text() for path in deployment.home.rglob("*.log")]
    assert sum("printed" in text and "***" in text for text in logs) == 1
    assert sum("failed with ***" in text for text in logs) == 1
    assert sum("printed" in text for text in seen) == 2
    seen += [*logs, deployment.output_path.read_text()]
    for text in seen:
        assert CANARY not in text
        assert not re.search(r"canary(/|%2F|\\\\/)5e1f", text)
    database = b"".join(
        path.read_bytes() for path in deployment.home.glob("tradewind.db*") if path.is_file()
    )
    assert CANARY.encode() not in database
