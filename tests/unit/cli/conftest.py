"""A home of its own with one stored DAG and no DAG files, and commands in this process."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tradewind.cli.main import run
from tradewind.database.bell import bell_folder
from tradewind.database.migrate import migrate
from tradewind.database.store import open_store
from tradewind.database.values import ParsedDag, ParsedFile
from tradewind.scheduler.standby import FileLock
from tradewind.sdk import configuration
from tradewind.sdk.serialized import SerializedDag, SerializedTask, encode
from tradewind.sdk.timetables.interval import CronDataIntervalTimetable
from tradewind.sdk.timetables.registry import serialize_timetable

AT = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))
    monkeypatch.setenv("TRADEWIND__CORE__LOAD_EXAMPLES", "False")
    monkeypatch.delenv("TRADEWIND__DATABASE__SQL_ALCHEMY_CONN", raising=False)
    configuration.reset()
    yield tmp_path
    configuration.reset()


@pytest.fixture
def dag(home):
    migrate()
    store = open_store()
    dag = SerializedDag(
        dag_id="sales",
        dialect="2",
        timetable=serialize_timetable(CronDataIntervalTimetable("0 0 * * *")),
        fileloc="/dags/sales.py",
        relative_fileloc="sales.py",
        start_at=AT,
        tasks=[
            SerializedTask(task_id="b", task_type="BashOperator", upstream_task_ids=["a"]),
            SerializedTask(task_id="a", task_type="BashOperator"),
        ],
    )
    parsed = ParsedFile(
        relative_path="sales.py",
        path="/dags/sales.py",
        content_hash="1",
        parsed_at=AT,
        duration_s=0.1,
        dags=[ParsedDag("sales", encode(dag))],
    )
    store.files.save(parsed, AT)
    store.close()
    parser = FileLock(bell_folder(home) / "parser.lock")  # as if a server took in the folder
    assert parser.acquire()
    yield dag
    parser.release()


@pytest.fixture
def call(home, capsys):
    """Run a command; return exit code, stdout and stderr."""

    def call(line: str, *more: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run([*line.split(), *more])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call
