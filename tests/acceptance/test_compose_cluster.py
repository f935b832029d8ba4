"""The cluster of docker/compose.yaml, its processes started by hand with its very environment.

No container engine is at hand: each service gets a home of its own instead, on one machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet

COMPOSE = Path(__file__).parents[2] / "docker" / "compose.yaml"
BIN = Path(sys.executable).parent
DEADLINE_S = 90.0

DAG = """
from datetime import datetime
from airflow.sdk import DAG, task

@task
def push():
    print("said on a worker")
    return 41

@task
def add(value):
    return value + 1

with DAG("cluster", start_date=datetime(2025, 1, 1), schedule=None, is_paused_upon_creation=False):
    add(push())
"""


class Cluster:
    """All services of the file; scaled ones as often as it says."""

    def __init__(self, folder: Path, database_url: str, broker_url: str) -> None:
        self.folder = folder
        self.services = yaml.safe_load(COMPOSE.read_text())["services"]
        self.dags_folder = folder / "dags"
        self.dags_folder.mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        secrets = {
            "FERNET_KEY": Fernet.generate_key().decode(),
            "SECRET_KEY": "s" * 48,
            "JWT_SECRET": "j" * 64,
            "ADMIN_PASSWORD": "opened-by-this",
            "POSTGRES_PASSWORD": "-",
            "REDIS_PASSWORD": "-",
        }
        self.replaced = {
            "TRADEWIND__DATABASE__SQL_ALCHEMY_CONN": database_url,
            "TRADEWIND__CELERY__BROKER_URL": broker_url,
            # What containers have each for themselves, and processes on one machine share.
            "TRADEWIND__CORE__DAGS_FOLDER": str(self.dags_folder),
            "TRADEWIND__LOGGING__BASE_LOG_FOLDER": str(folder / "logs"),
            "TRADEWIND__LOGGING__WORKER_LOG_SERVER_HOST": "127.0.0.1",
            "TRADEWIND__LOGGING__WORKER_LOG_SERVER_PORT": "0",
            "TRADEWIND__API__HOST": "127.0.0.1",
            "TRADEWIND__API__PORT": str(self.port),
        }
        self.secrets = secrets
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def environment(self, service: str, home: str) -> dict[str, str]:
        def fill(text: str) -> str:
            return re.sub(r"\$\{(\w+):[?-]([^}]*)\}", lambda m: self.secrets.get(m[1], m[2]), text)

        given = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "TRADEWIND"))}
        own = {name: fill(text) for name, text in self.services[service]["environment"].items()}
        path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
        return {
            **given,
            **own,
            **self.replaced,
            "TRADEWIND_HOME": str(self.folder / home),
            "PATH": path,
        }

    def migrate(self) -> None:
        command = [word.replace("$$", "$") for word in self.services["migrate"]["command"]]
        done = subprocess.run(
            command,
            env=self.environment("migrate", "migrate"),
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, service: str) -> None:
        for number in range(self.services[service].get("deploy", {}).get("replicas", 1)):
            name = f"{service}-{number}"
            with (self.folder / f"{name}.out").open("ab") as output:
                self.processes[name] = subprocess.Popen(
                    self.services[service]["command"],
                    env=self.environment(service, name),
                    cwd=self.folder,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )

    def is_healthy(self, service: str) -> bool:
        test = self.services[service]["healthcheck"]["test"]
        done = subprocess.run(
            ["sh", "-c", f"{test[1]} --allow-multiple --limit 9"],
            env=self.environment(service, f"{service}-0"),
            capture_output=True,
            timeout=DEADLINE_S,
            check=False,
        )
        return done.returncode == 0

    def ask(self, path: str, body: dict[str, Any] | None = None, token: str = "") -> Any:
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers=headers,
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def wait_until(self, holds: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                answer = holds()
                if answer:
                    return answer
            for name, process in self.processes.items():
                text = (self.folder / f"{name}.out").read_text()
                assert process.poll() is None, f"{name} ended:\n{text}"
            time.sleep(0.1)
        told = "\n".join(path.read_text()[-500:] for path in self.folder.glob("*.out"))
        pytest.fail(f"not within {DEADLINE_S} s: {what}\n{told}")

    def close(self) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def cluster(
    tmp_path: Path, redis_server: Any, make_postgresql: Callable[..., str]
) -> Iterator[Cluster]:
    redis_server.flush_all()
    made = Cluster(tmp_path, make_postgresql(), redis_server.url())
    yield made
    made.close()


def test_the_services_of_the_compose_file_run_a_dag_together(cluster):
    (cluster.dags_folder / "cluster.py").write_text(DAG)
    cluster.migrate()
    cluster.migrate()  # a second start of the cluster changes nothing
    for service in ("scheduler", "dag-processor", "triggerer", "worker", "web"):
        cluster.start(service)
    token = cluster.wait_until(
        lambda: cluster.ask("/auth/token", {"username": "admin", "password": "opened-by-this"}),
        "the page",
    )["access_token"]

    def find_dag() -> Any:
        return cluster.ask("/api/v2/dags?dag_id_pattern=cluster", token=token)["total_entries"]

    cluster.wait_until(find_dag, "the DAG")
    runs = "/api/v2/dags/cluster/dagRuns"
    run_id = cluster.ask(runs, {"logical_date": None}, token)["dag_run_id"]
    cluster.wait_until(
        lambda: cluster.ask(f"{runs}/{run_id}", token=token)["state"] == "success", "the run"
    )

    base = f"{runs}/{run_id}/taskInstances"
    assert cluster.ask(f"{base}/add/xcomEntries/return_value", token=token)["value"] in (42, "42")
    assert "said on a worker" in json.dumps(cluster.ask(f"{base}/push/logs/1", token=token))
    for service in ("scheduler", "dag-processor", "triggerer", "worker"):
        cluster.wait_until(lambda service=service: cluster.is_healthy(service), service)
