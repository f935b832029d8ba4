"""The Local executor with a real runner process: work is done, whoever dies."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from cryptography.fernet import Fernet
from tradewind.database.migrate import migrate
from tradewind.database.selections import Selection
from tradewind.database.store import Store, open_store
from tradewind.database.values import NewRun, ParsedDag, ParsedFile
from tradewind.executors.base import Hint
from tradewind.executors.local import LocalExecutor
from tradewind.runtime.task.dag_file import load_dag_file
from tradewind.sdk.clock import WallClock
from tradewind.sdk.configuration import reset
from tradewind.sdk.serialize_dag import serialize
from tradewind.sdk.serialized import encode

FILE = """
import os, time
from pathlib import Path
from tradewind.sdk.dag import DAG
from tradewind.sdk.base_operator import BaseOperator

HOME = Path(os.environ["TRADEWIND_HOME"])

class First(BaseOperator):
    def execute(self, context):
        print("password in sight:", "AIRFLOW__CORE__FERNET_KEY" in os.environ)
        with (HOME / "witness").open("a") as file:
            file.write(f"START {os.getpid()}\\n")
        while (HOME / "hold").exists():
            time.sleep(0.02)
        return {"answer": 42}

class Second(BaseOperator):
    def execute(self, context):
        print("pulled", context["ti"].xcom_pull(task_ids="first")["answer"])

with DAG("pair", schedule=None, is_paused_upon_creation=False):
    First(task_id="first") >> Second(task_id="second")
"""
DEAF_FILE = """
import signal, time
from datetime import timedelta
from tradewind.sdk.dag import DAG
from tradewind.sdk.base_operator import BaseOperator

class Deaf(BaseOperator):
    def execute(self, context):
        for number in (signal.SIGALRM, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        print("deaf")
        time.sleep(300)

with DAG("deaf", schedule=None, is_paused_upon_creation=False):
    Deaf(task_id="task", execution_timeout=timedelta(seconds=0.5))
"""
WAIT_S = 25.0


class Home:
    """A home folder with one DAG of two tasks."""

    def __init__(self, folder, store: Store) -> None:
        self.folder = folder
        self.store = store
        self.executor = LocalExecutor(folder)
        (folder / "dags").mkdir()
        self.add("pair", FILE)

    def add(self, dag_id: str, text: str) -> None:
        path = self.folder / "dags" / f"{dag_id}.py"
        path.write_text(text)
        loaded = load_dag_file(path)
        serialized = serialize(loaded.dags[dag_id], relative_fileloc=path.name)
        self.store.files.save(
            ParsedFile(
                relative_path=path.name,
                path=str(path),
                content_hash=loaded.content_hash,
                parsed_at=now(),
                duration_s=0.1,
                dags=[ParsedDag(dag_id, encode(serialized))],
                source=text,
            ),
            now(),
        )

    def trigger(self, dag_id: str = "pair") -> None:
        self.store.runs.create(NewRun(dag_id, "r", run_type="manual", run_after=now()), now())
        self.store.runs.start_queued(now())

    def states(self, run_id: str = "r") -> list[str]:
        rows = self.store.task_instances.list("pair", run_id)
        return [row.state.value for row in sorted(rows, key=lambda row: row.task_id)]

    def tick(self) -> list[str]:
        """Do what a scheduler does, once; return the states."""
        self.store.runs.start_queued(now())
        self.store.runs.advance(self.store.runs.unfinished_ids(), now())
        return self.states()

    def wait_for(self, states: list[str]) -> None:
        self.wait_until(lambda: self.states() == states)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < deadline, (self.states(), self.runner_log())
            time.sleep(0.03)

    def hold(self) -> None:
        (self.folder / "hold").touch()

    def release(self) -> None:
        (self.folder / "hold").unlink()

    def witnesses(self) -> list[int]:
        path = self.folder / "witness"
        lines = path.read_text().splitlines() if path.exists() else []
        return [int(line.split()[1]) for line in lines]

    def log(self, task_id: str) -> str:
        (path,) = (self.folder / "logs").rglob(f"*/task_id={task_id}/attempt=1.log")
        return path.read_text()

    def runner_log(self) -> str:
        path = self.folder / "logs" / "runner.log"
        return path.read_text() if path.exists() else ""


def now() -> datetime:
    return WallClock().now()


@pytest.fixture
def home(tmp_path, monkeypatch) -> Iterator[Home]:
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(tmp_path / "dags"))
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", Fernet.generate_key().decode())
    reset()
    migrate()
    store = open_store()
    made = Home(tmp_path, store)
    yield made
    made.executor.stop(grace_s=0)
    store.close()
    reset()


def test_a_run_goes_from_trigger_to_success_without_a_scheduler(home):
    home.executor.start()

    home.trigger()
    home.wait_for(["success", "success"])

    assert "pulled 42" in home.log("second")
    assert home.log("second").rstrip().endswith("Task ended: success")
    assert "password in sight: False" in home.log("first")


def test_a_second_scheduler_finds_the_runner_that_is_alive(home):
    home.executor.start()
    pid = home.executor.runner_pid

    other = LocalExecutor(home.folder)
    other.start()

    assert other.runner_pid == pid
    other.stop(grace_s=0)  # a user that is left would keep the runner


def test_the_runner_stays_until_the_last_scheduler_of_its_home_stops(home):
    home.executor.start()
    pid = home.executor.runner_pid
    other = LocalExecutor(home.folder)
    other.start()

    home.executor.stop(grace_s=0)
    assert other.runner_pid == pid

    other.stop(grace_s=0)
    assert other.runner_pid is None


def test_a_killed_runner_costs_one_try_and_leaves_no_process(home):
    home.hold()
    home.executor.start()
    home.trigger()
    home.wait_until(lambda: len(home.witnesses()) == 1)

    os.kill(home.executor.runner_pid, signal.SIGKILL)
    home.wait_until(lambda: not is_alive(home.witnesses()[0]))
    home.executor.start()
    home.wait_for(["failed", "upstream_failed"])

    assert len(home.witnesses()) == 1


def test_a_hint_starts_a_runner_that_has_died(home):
    home.executor.start()
    first = home.executor.runner_pid
    os.kill(first, signal.SIGKILL)
    home.wait_until(lambda: home.executor.runner_pid is None)

    home.trigger()
    home.executor.submit(Hint(task_instance_id=1, epoch=1, queue="default"))
    home.wait_for(["success", "success"])

    assert home.executor.runner_pid != first


def test_a_stopped_runner_gives_its_tasks_a_grace_and_says_why_they_ended(home):
    home.hold()
    home.executor.start()
    home.trigger()
    home.wait_until(lambda: len(home.witnesses()) == 1)

    began = time.monotonic()
    home.executor.stop(grace_s=0)

    assert time.monotonic() - began < 5
    assert home.executor.runner_pid is None
    assert home.states() == ["failed", "upstream_failed"]
    assert "stopped" in home.store.task_instances.get("pair", "r", "first").state_reason


def test_a_cleared_running_task_is_killed_and_runs_again(home):
    home.hold()
    home.executor.start()
    home.trigger()
    home.wait_until(lambda: len(home.witnesses()) == 1)

    selection = Selection("pair", task_ids=["first"], run_ids=["r"])
    home.store.task_instances.clear(selection, now(), "user:ann")
    home.wait_until(lambda: not is_alive(home.witnesses()[0]))
    home.release()
    home.wait_until(lambda: home.tick() == ["success", "success"])

    assert len(home.witnesses()) == 2


def test_a_task_that_hears_no_signal_is_gone_soon_after_its_execution_timeout(home, monkeypatch):
    monkeypatch.setenv("TRADEWIND__EXECUTION__KILL_GRACE_S", "1")
    home.add("deaf", DEAF_FILE)
    home.executor.start()

    home.trigger("deaf")
    row = lambda: home.store.task_instances.get("deaf", "r", "task")  # noqa: E731
    home.wait_until(lambda: row().state.value == "failed")

    assert row().state_reason.startswith("execution_timeout of 0.5 s is over")
    (attempt,) = home.store.task_instances.tries("deaf", "r", "task")
    assert attempt.signal == signal.SIGKILL
    assert 2.5 <= (attempt.ended_at - attempt.started_at).total_seconds() < 10


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
