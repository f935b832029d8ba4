"""A runner that is cut off from the database, and comes back: G-E4, G-E5 of the reliability card.

Two runners with homes of their own; the far one reaches PostgreSQL over a line that can be cut.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from postgresql_server import Databases
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from tcp_forwarder import TcpForwarder
from tradewind.database.engine import parse_url

LEASE_S = 5.0
DEADLINE_S = 90.0
#: On the far runner it would take a minute; it notes each tenth of a second that it lives.
DAG = """
from datetime import datetime, timedelta
import json, os, time
from airflow.sdk import dag, task

@dag(schedule=None, start_date=datetime(2025, 1, 1), is_paused_upon_creation=False,
     default_args=dict(retries=1, retry_delay=timedelta(0)))
def partition():
    @task
    def live(ti=None):
        is_far = ti.try_number == 1
        for _ in range(600 if is_far else 20):
            with open({witness!r}, "a") as file:
                file.write(json.dumps([ti.try_number, os.getpid(), time.monotonic()]) + "\\n")
            time.sleep(0.1)
    live()
partition()
"""


class Marks:
    """What the task noted: try → (first, last) instant of the steady clock."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, try_number: int) -> list[float]:
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        found = []
        for line in lines:
            with contextlib.suppress(ValueError):  # the last line may be half written
                number, _pid, at_s = json.loads(line)
                if number == try_number:
                    found.append(at_s)
        return found


class Site:
    """One home: a scheduler with its runner, or a runner alone."""

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        self.home = home
        home.mkdir(parents=True)
        self.environment = {**environment, "TRADEWIND_HOME": str(home)}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, command: list[str | Path]) -> None:
        with (self.home / "out").open("ab") as output:
            self._process = subprocess.Popen(
                command, env=self.environment, stdout=output, stderr=output, cwd=self.home
            )

    def cli(self, *arguments: str) -> int:
        program = Path(sys.executable).with_name("tradewind")
        return subprocess.run(
            [program, *arguments], env=self.environment, capture_output=True, check=False
        ).returncode

    def pids(self) -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    words = (entry / "environ").read_bytes().decode(errors="replace").split("\0")
                    if f"TRADEWIND_HOME={self.home}" in words:
                        found.append(int(entry.name))
        return found

    def close(self) -> None:
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()


@pytest.fixture
def sites(tmp_path, make_postgresql, postgresql_databases: Databases, fence_mode):
    url = make_url(make_postgresql(is_migrated=True))
    line = TcpForwarder(url.host or "127.0.0.1", url.port or 5432)
    dags_folder = tmp_path / "dags"
    dags_folder.mkdir()
    witness = tmp_path / "witness"
    (dags_folder / "partition.py").write_text(DAG.format(witness=str(witness)))
    common = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "TRADEWIND"))},
        "TRADEWIND__CORE__DAGS_FOLDER": str(dags_folder),
        "TRADEWIND__CORE__LOAD_EXAMPLES": "false",
        "TRADEWIND__SCHEDULER__LEASE_S": str(LEASE_S),
        "TRADEWIND__EXECUTION__KILL_GRACE_S": "0.5",
        "TRADEWIND__EXECUTION__FENCE_MODE": fence_mode,
        "TRADEWIND__LOGGING__BASE_LOG_FOLDER": str(tmp_path / "logs"),
    }

    def named(one) -> dict[str, str]:
        text = one.render_as_string(hide_password=False)
        return {**common, "TRADEWIND__DATABASE__SQL_ALCHEMY_CONN": text}

    near = Site(tmp_path / "near", named(url))
    far = Site(tmp_path / "far", named(url.set(host="127.0.0.1", port=line.port)))
    yield near, far, line, Marks(witness), create_engine(parse_url(str(near.environment[
        "TRADEWIND__DATABASE__SQL_ALCHEMY_CONN"])))  # fmt: skip
    near.close()
    far.close()
    line.close()


def wait_until(holds, what: str):
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
        time.sleep(0.1)
    pytest.fail(f"not within {DEADLINE_S} s: {what}")


@pytest.mark.parametrize("fence_mode", ["soft", "strict"])
def test_a_runner_cut_off_from_the_database_never_has_its_result_applied(sites, fence_mode):
    near, far, line, marks, engine = sites

    def rows(statement: str):
        with engine.connect() as connection:
            return connection.exec_driver_sql(statement).all()

    runner = "from tradewind.runtime.supervise.runner_main import main; main()"
    far.start([sys.executable, "-P", "-c", runner])
    wait_until(lambda: rows("SELECT 1 FROM worker WHERE state = 'alive'"), "the far runner")
    near.start([Path(sys.executable).with_name("tradewind"), "scheduler"])
    wait_until(lambda: len(rows("SELECT 1 FROM worker WHERE state = 'alive'")) == 2, "both runners")
    wait_until(lambda: rows("SELECT 1 FROM dag"), "the DAG")
    near_worker = rows("SELECT pid FROM worker ORDER BY started_at DESC LIMIT 1")[0][0]
    os.kill(near_worker, signal.SIGSTOP)  # so that the far one takes the task
    near.cli("dags", "trigger", "partition", "--run-id", "r")
    wait_until(lambda: marks.of(1), "the first try")
    os.kill(near_worker, signal.SIGCONT)

    line.cut()
    second = wait_until(lambda: marks.of(2), "the second try, on the near runner")[0]
    wait_until(lambda: rows("SELECT 1 FROM dag_run WHERE state = 'success'"), "the run's end")
    first_alive_until = marks.of(1)[-1]
    line.heal()
    wait_until(lambda: time.monotonic() - marks.of(1)[-1] > 1.0, "the end of the fenced process")

    if fence_mode == "strict":
        assert first_alive_until < second  # G-E5: no overlap at all
    else:
        assert first_alive_until > second  # G-E4: it went on, and its end was not heard
    attempts = rows("SELECT try_number, state FROM attempt ORDER BY epoch")
    assert attempts[0][1] in ("lost", "fenced")
    assert attempts[1:] == [(2, "success")]
    assert rows("SELECT state, try_number FROM task_instance") == [("success", 2)]
    engine.dispose()
