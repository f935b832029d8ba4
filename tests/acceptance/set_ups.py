"""The three set-ups in which everything must be so: a laptop, a larger machine, a cluster.

Real processes, real servers, the installed command.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

#: Generous: on a busy machine things take long; what must be fast is measured in benchmarks/.
DEADLINE_S = 180.0
POLL_S = 0.1


class Deployment:
    """One home with its DAGs folder, and the processes that were started in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.dags_folder = home / "dags"
        self.dags_folder.mkdir(parents=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "TRADEWIND"))},
            "TRADEWIND_HOME": str(home),
            "TRADEWIND__CORE__DAGS_FOLDER": str(self.dags_folder),
            "TRADEWIND__CORE__LOAD_EXAMPLES": "false",
            "TRADEWIND__API__PORT": str(self.port),
        }
        self.output_path = home / "server.out"
        self.server: subprocess.Popen[bytes] | None = None
        self.token = ""

    def write_dag(self, name: str, text: str) -> Path:
        """Put a DAG file in place at once, as an editor or git would: no half file is seen."""
        draft = self.home / f"{name}.draft"
        draft.write_text(text)
        return draft.rename(self.dags_folder / name)

    def cli(
        self, *arguments: str, code: int | None = 0, program: str = "tradewind"
    ) -> subprocess.CompletedProcess[str]:
        """Run one command; with *code* given, insist on that exit code."""
        command = Path(sys.executable).with_name(program)
        done = subprocess.run(
            [command, *arguments],
            env=self.environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S * 2,
            check=False,
        )
        if code is not None and done.returncode != code:
            pytest.fail(f"{arguments} gave {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        """Run one command with ``-o json`` and return its rows; [] while it refuses."""
        done = self.cli(*arguments, "-o", "json", code=None)
        return json.loads(done.stdout) if done.returncode == 0 and done.stdout.strip() else []

    def run_states(self, dag_id: str) -> list[str]:
        return [row["state"] for row in self.rows("dags", "list-runs", dag_id)]

    def task_states(self, dag_id: str, run_id: str) -> dict[str, str]:
        rows = self.rows("tasks", "states-for-dag-run", dag_id, run_id)
        return {row["task_id"]: row["state"] for row in rows}

    def start(self) -> None:
        command = Path(sys.executable).with_name("tradewind")
        with self.output_path.open("ab") as output:
            self.server = subprocess.Popen(
                [command, "standalone"],
                env=self.environment,
                cwd=self.home,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def stop(self) -> int:
        """Press Ctrl-C and return the exit code; past 5 s it is a failure."""
        assert self.server is not None
        self.server.send_signal(signal.SIGINT)
        return self.server.wait(timeout=5)

    def wait_until(self, holds: Callable[[], Any], what: str) -> Any:
        """Return the first true answer of *holds*."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            if self.server is not None and self.server.poll() is not None:
                pytest.fail(f"the server ended by itself:\n{self.output_path.read_text()}")
            answer = holds()
            if answer:
                return answer
            time.sleep(POLL_S)
        output = self.output_path.read_text() if self.output_path.exists() else ""
        pytest.fail(f"not within {DEADLINE_S} s: {what}\n{output[-4000:]}")

    def wait_for_run(self, dag_id: str, state: str = "success") -> None:
        self.wait_until(lambda: state in self.run_states(dag_id), f"a {state} run of {dag_id}")

    def log_in(self) -> None:
        """Wait until the server answers; from now on ``ask`` speaks for its administrator."""
        self.wait_until(lambda: "http://" in self.output_path.read_text(), "the server")
        self.token = self.cli("tokens", "create", "-u", "admin", "-n", "tests").stdout.strip()
        self.wait_until(lambda: self.answers(), "an answer")

    def answers(self) -> bool:
        with contextlib.suppress(OSError):
            return "dags" in self.ask("/dags?limit=1")
        return False

    def ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        """Ask the server's API, version 2; return what it answers.

        Raises:
            urllib.error.HTTPError: it refuses.
        """
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v2{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                "Accept": "application/json",
            },
            method=method,
        )
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
            text = answer.read()
            return json.loads(text) if text else None

    def trigger(self, dag_id: str, **fields: Any) -> str:
        """Make a run; return its id."""
        made = self.ask(f"/dags/{dag_id}/dagRuns", {"logical_date": None, **fields})
        return str(made["dag_run_id"])

    def end_of(self, dag_id: str, run_id: str) -> str:
        """Wait until a run has ended; return its state."""

        def ended() -> str | None:
            try:
                state = self.ask(f"/dags/{dag_id}/dagRuns/{run_id}")["state"]
            except urllib.error.HTTPError:  # not made yet
                return None
            return state if state in ("success", "failed") else None

        return str(self.wait_until(ended, f"the end of {dag_id} {run_id}"))

    def instances(self, dag_id: str, run_id: str) -> dict[str, dict[str, Any]]:
        """Return the task instances of a run, by "task_id" or "task_id[map_index]"."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=100"
        return {
            f"{one['task_id']}[{one['map_index']}]" if one["map_index"] >= 0 else one["task_id"]: (
                one
            )
            for one in self.ask(path)["task_instances"]
        }

    def states(self, dag_id: str, run_id: str) -> dict[str, str | None]:
        return {name: one["state"] for name, one in self.instances(dag_id, run_id).items()}

    def xcom(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> Any:
        """Return what a task has returned."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        return self.ask(path if map_index < 0 else f"{path}?map_index={map_index}")["value"]

    def log(self, dag_id: str, run_id: str, task_id: str, try_number: int = 1) -> str:
        """Return the log of a try as the server shows it."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}"
        return json.dumps(self.ask(f"{path}?full_content=true"))

    def processes(self, word: str, home: Path | None = None) -> list[int]:
        """Return pids of our processes whose name (as process lists show it) holds *word*."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                environment = (entry / "environ").read_bytes().decode(errors="replace")
                name = (entry / "comm").read_text()
                mark = f"TRADEWIND_HOME={home or self.home}"
                if mark in environment.split("\0") and word in name:
                    found.append(int(entry.name))
        return found

    def runners(self) -> list[int]:
        """Return pids of the processes that own the tasks."""
        return self.processes("tradewind-runn")

    def close(self) -> None:
        if self.server is not None and self.server.poll() is None:
            self.server.send_signal(signal.SIGINT)
            try:
                self.server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.server.kill()
        for pid in self.processes(""):
            if pid != os.getpid():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


class CeleryDeployment(Deployment):
    """The same on PostgreSQL, with Redis and a Celery worker in a home of its own."""

    def __init__(self, home: Path, database_url: str, broker_url: str) -> None:
        super().__init__(home)
        self.environment |= {
            "TRADEWIND__DATABASE__SQL_ALCHEMY_CONN": database_url,
            "TRADEWIND__CORE__EXECUTOR": "CeleryExecutor",
            "TRADEWIND__CELERY__BROKER_URL": broker_url,
            "TRADEWIND__CELERY__WORKER_CONCURRENCY": "8",
            "TRADEWIND__LOGGING__WORKER_LOG_SERVER_HOST": "127.0.0.1",
            "TRADEWIND__LOGGING__WORKER_LOG_SERVER_PORT": "0",
            "TRADEWIND__CORE__FERNET_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
            "TRADEWIND__API__SECRET_KEY": "a key that all machines of these tests share",
        }
        self.workers: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        super().start()
        # Its database is made by then, or the worker would refuse to start.
        self.wait_until(lambda: "http://" in self.output_path.read_text(), "the server")
        self.start_worker()

    def runners(self) -> list[int]:
        return [
            pid
            for name in self.workers
            for pid in self.processes("tradewind-runn", self.home / name)
        ]

    def worker_environment(self, name: str) -> dict[str, str]:
        return {**self.environment, "TRADEWIND_HOME": str(self.home / name)}

    def start_worker(self, name: str = "worker", *arguments: str) -> subprocess.Popen[bytes]:
        command = Path(sys.executable).with_name("tradewind")
        with (self.home / f"{name}.out").open("ab") as output:
            self.workers[name] = subprocess.Popen(
                [command, "celery", "worker", *arguments],
                env=self.worker_environment(name),
                cwd=self.home,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return self.workers[name]

    def close(self) -> None:
        for worker in self.workers.values():
            if worker.poll() is None:
                worker.send_signal(signal.SIGTERM)
        super().close()
        for worker in self.workers.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.wait(timeout=10)
            worker.kill()
