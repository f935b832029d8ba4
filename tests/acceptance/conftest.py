"""A real Tradewind in an empty home: real processes, real SQLite, the installed command."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

#: Generous: on a busy machine things take long; what must be fast is measured in benchmarks/.
DEADLINE_S = 60.0
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

    def processes(self, word: str) -> list[int]:
        """Return pids of our processes whose name (as process lists show it) holds *word*."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                environment = (entry / "environ").read_bytes().decode(errors="replace")
                name = (entry / "comm").read_text()
                if f"TRADEWIND_HOME={self.home}" in environment.split("\0") and word in name:
                    found.append(int(entry.name))
        return found

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


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    made = Deployment(tmp_path / "home")
    yield made
    made.close()
